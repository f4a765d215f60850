"""Outside issuers of identity tokens: their keys, fetched with care."""
