"""Who calls the API, and what a service learns about a token."""
