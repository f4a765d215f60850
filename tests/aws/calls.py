"""What a function asks of AWS, as IAM sees it: which actions, on which resources.

Sources: the Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB" and "… for
AWS Systems Manager"; the DynamoDB developer guide, "Using IAM with DynamoDB transactions": a transaction needs the
permissions of what it consists of, and has none of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

REGION, ACCOUNT = "us-east-1", "000000000000"


@dataclass(frozen=True, order=True)
class Need:
    """A permission that a call needs."""

    action: str
    resource: str


def needs(request: bytes) -> set[Need]:
    """Of one HTTP request in AWS's JSON protocol."""
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    service, _, operation = _original(head, headers["x-amz-target"]).partition(".")
    arguments = json.loads(body or b"{}")
    if service.startswith("DynamoDB_"):
        return set(_of_table(operation, arguments))
    if service == "AmazonSSM":
        return set(_of_parameter(operation, arguments))
    raise AssertionError(f"nobody has said which permissions {service}.{operation} needs")


def _original(head: bytes, lowered: str) -> str:
    """The value as it was sent: names of operations are in mixed case."""
    begin = head.decode().lower().index(lowered)
    return head.decode()[begin : begin + len(lowered)]


def _of_table(operation: str, arguments: dict[str, Any]) -> Iterator[Need]:
    if operation == "TransactWriteItems":
        for step in arguments["TransactItems"]:
            ((kind, inner),) = step.items()
            yield Need(f"dynamodb:{kind}Item", _table(inner["TableName"]))
    elif operation == "TransactGetItems":
        for step in arguments["TransactItems"]:
            yield Need("dynamodb:GetItem", _table(step["Get"]["TableName"]))
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in arguments["RequestItems"]:
            yield Need(f"dynamodb:{operation}", _table(table))
    else:
        index = arguments.get("IndexName")
        yield Need(f"dynamodb:{operation}", _table(arguments["TableName"]) + (f"/index/{index}" if index else ""))


def _of_parameter(operation: str, arguments: dict[str, Any]) -> Iterator[Need]:
    yield Need(f"ssm:{operation}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{arguments['Name']}")
    if arguments.get("WithDecryption"):  # the Parameter Store asks KMS in the caller's name
        yield Need("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/any")


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
