"""Keyturn's tokens from the command line and from pipelines. Talks HTTP to an installation, and knows nothing of it
but its API."""
