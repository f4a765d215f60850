"""Pages for accounts, groups, roles, services and the audit log."""
