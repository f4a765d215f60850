"""REST resources for webhooks."""
