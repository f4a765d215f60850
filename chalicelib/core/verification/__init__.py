"""Whether a secret is good, when it was last used, and what follows when it leaks."""
