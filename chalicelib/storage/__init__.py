"""DynamoDB, by PynamoDB: one table, described in docs/reference/data-model.md. It keeps what the core decides."""
