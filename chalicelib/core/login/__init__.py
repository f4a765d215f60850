"""Passwords, second factors, sessions and application passwords."""
