"""What a secret looks like, how it is hashed, and how it is verified."""
