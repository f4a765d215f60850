"""Consent, device approval and trust rules."""
