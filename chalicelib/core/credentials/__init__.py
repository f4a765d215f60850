"""Secrets: how they look (`wire_format`), rest (`sealing`) and are checked again fast (`verifier`)."""
