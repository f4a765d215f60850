"""DynamoDB, by PynamoDB: one table, described in docs/data-model.md. It keeps what the core decides."""
