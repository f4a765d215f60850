"""Tables for tests, each made by one call: no look whether it is there, no wait, no stream."""

from __future__ import annotations

import functools
import json
import os
from http import HTTPStatus
from typing import Any

import botocore.session
import pynamodb.connection.base
import urllib3
from pynamodb.exceptions import TableError

from chalicelib.storage.engine.table import Item, connection

BATCH = 25  # items that DynamoDB takes in one call
# The engine sees from it whose database is meant, and checks no signature.
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20260101/{}/dynamodb/aws4_request, SignedHeaders=host, Signature=unchecked"
_engine = urllib3.PoolManager()


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
    _ask("DeleteTable", TableName=name)


def copy() -> list[dict[str, Any]]:
    """Everything that is in the table, as DynamoDB sends it."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"LastEvaluatedKey": None}
    while "LastEvaluatedKey" in page:
        begin = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page["LastEvaluatedKey"] else {}
        page = _ask("Scan", TableName=Item.Meta.table_name, ConsistentRead=True, **begin)
        found += page["Items"]
    return found


def fill(items: list[dict[str, Any]]) -> None:
    """Put a copy into the table."""
    for start in range(0, len(items), BATCH):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH]]
        answer = _ask("BatchWriteItem", RequestItems={Item.Meta.table_name: puts})
        assert not answer["UnprocessedItems"]


def _ask(operation: str, **body: Any) -> Any:
    """DynamoDB Local, without botocore, which takes longer to read a long answer than the engine to give it."""
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Authorization": SIGNED.format(os.environ["AWS_ACCESS_KEY_ID"], Item.Meta.region),
    }
    answer = _engine.request("POST", f"{Item.Meta.host}/", body=json.dumps(body), headers=headers)
    assert answer.status == HTTPStatus.OK, answer.data
    return answer.json()


def share_sessions() -> None:
    """Keep botocore's descriptions of DynamoDB: each test has a client of its own, which would read them again."""
    pynamodb.connection.base.get_session = lambda: _session(os.environ.get("AWS_ACCESS_KEY_ID"))


@functools.cache
def _session(access_key_id: str | None) -> botocore.session.Session:
    """One for each database; its credentials are those that the environment has then."""
    return botocore.session.get_session()
