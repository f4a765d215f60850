"""REST resources for permanent tokens, policies and leaks."""
