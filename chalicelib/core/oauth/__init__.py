"""OAuth 2.0: delegations, codes, exchange, federation and signing keys."""
