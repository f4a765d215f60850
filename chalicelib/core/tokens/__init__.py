"""Permanent tokens: managing them, rotation, policies, expiry notices, health."""
