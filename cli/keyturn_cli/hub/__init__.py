"""Moving from JetBrains Hub: what its REST API tells of accounts, groups, services and tokens."""
