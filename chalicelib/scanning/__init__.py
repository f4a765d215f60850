"""Programs that look for secrets in public, and tell whose they are."""
