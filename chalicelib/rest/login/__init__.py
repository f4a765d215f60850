"""REST resources for login, sessions, second factors and application passwords."""
