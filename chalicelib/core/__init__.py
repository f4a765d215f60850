"""The rules of Keyturn. Nothing here knows HTTP or DynamoDB, and nothing here reads the clock."""
