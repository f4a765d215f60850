"""Puts the parts together, each when it is first asked for."""
