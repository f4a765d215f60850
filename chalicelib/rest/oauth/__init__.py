"""REST resources for delegations, trust rules and introspection."""
