"""Keyturn: a token authority for bots. Faces ask the core; storage serves the core."""

__version__ = "0.1.0"
