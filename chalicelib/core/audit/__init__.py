"""What every change leaves behind: its audit record, and the idempotency key of its request."""
