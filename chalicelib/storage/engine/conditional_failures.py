"""Errors of DynamoDB, and writes whose condition did not hold.

PynamoDB's own `cause_response_code` fails with an AttributeError where no answer came at all.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pynamodb.exceptions import PutError, UpdateError

from chalicelib.core.common.errors import StaleWrite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynamodb.exceptions import PynamoDBException


def error_code(error: PynamoDBException) -> str | None:
    """DynamoDB's error code; None if there was no answer."""
    return error.cause.response["Error"]["Code"] if isinstance(error.cause, ClientError) else None


def condition_failed(error: PynamoDBException) -> bool:
    """Whether the write's condition did not hold."""
    return error_code(error) == "ConditionalCheckFailedException"


@contextlib.contextmanager
def stale_if_condition_failed() -> Iterator[None]:
    """StaleWrite where the condition of the one write in it did not hold."""
    try:
        yield
    except (PutError, UpdateError) as error:
        if condition_failed(error):
            raise StaleWrite from None
        raise
