"""Pages for tokens, their health, policies, and application passwords."""
