"""Keyturn: a token authority for bots. API layers ask the core; storage serves the core."""

__version__ = "0.1.0"
