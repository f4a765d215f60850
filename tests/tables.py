"""Tables for tests, each made by one call: no look whether it is there, no wait, no stream."""

from __future__ import annotations

import functools
import os
from typing import Any

import botocore.session
import pynamodb.connection.base
from pynamodb.exceptions import TableError

from chalicelib.storage.engine.table import Item, connection

BATCH = 25  # items that DynamoDB takes in one call


def create() -> None:
    """The table to which this process is connected."""
    schema = Item._get_schema()
    try:
        connection().create_table(
            Item.Meta.table_name,
            attribute_definitions=schema["attribute_definitions"],
            key_schema=schema["key_schema"],
            global_secondary_indexes=schema["global_secondary_indexes"],
            billing_mode=Item.Meta.billing_mode,
        )
    except TableError as error:  # an answer was late, and the call repeated: nobody else takes this name
        if error.cause_response_code != "ResourceInUseException":
            raise


def remove(name: str) -> None:
    """A table of the engine that this process is connected to, so that it has only those that are in use."""
    client: Any = connection().client
    client.delete_table(TableName=name)


def copy() -> list[dict[str, Any]]:
    """Everything that is in the table, as DynamoDB has it."""
    client: Any = connection().client
    pages = client.get_paginator("scan").paginate(TableName=Item.Meta.table_name, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def fill(items: list[dict[str, Any]]) -> None:
    """Put a copy into the table."""
    client: Any = connection().client
    for start in range(0, len(items), BATCH):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]
        answer = client.batch_write_item(RequestItems={Item.Meta.table_name: puts})
        assert not answer["UnprocessedItems"]


def share_sessions() -> None:
    """Keep botocore's descriptions of DynamoDB: each test has a client of its own, which would read them again."""
    pynamodb.connection.base.get_session = lambda: _session(os.environ.get("AWS_ACCESS_KEY_ID"))


@functools.cache
def _session(access_key_id: str | None) -> botocore.session.Session:
    """One for each database; its credentials are those that the environment has then."""
    return botocore.session.get_session()
