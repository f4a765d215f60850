"""Managing accounts, groups, roles and services."""
