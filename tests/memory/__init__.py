"""The core's stores in the memory of a test's process: what rules are tested against.

`tests/storage/contract` runs one suite against these and against DynamoDB, so that they cannot lie. They leave out what
only a database has: bounds on what one request reads, eventual consistency, items that are removed some time after
their end.
"""
