"""Pages for login, passwords and second factors."""
