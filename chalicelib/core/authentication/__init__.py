"""Who calls the API, and what a service is told about a token."""
