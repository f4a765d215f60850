"""Who may do what: accounts, groups, roles, permissions, and the one table of rules."""
