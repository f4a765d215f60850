"""DynamoDB: table, keys, batch read, signatures, connections."""
