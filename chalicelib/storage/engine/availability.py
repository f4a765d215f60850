"""What the core sees of a database that does not answer, or may not be written: the refusal `Unavailable`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from botocore.exceptions import ConnectionError as ConnectionFailed
from botocore.exceptions import HTTPClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.core.common.errors import Unavailable
from chalicelib.storage.engine.conditional_failures import error_code

if TYPE_CHECKING:
    from collections.abc import Callable

NO_ANSWER = "The database did not answer. If this was a change, check whether it was made before you repeat it."
# Functions in a region that only reads have policies that say so (docs/explanation/multi-region.md).
READ_ONLY = "This region is read-only: the database refuses changes. Send them to the region that writes."

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

_PASSING = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


def translate_database_errors(store: C) -> C:
    """A class decorator: the public methods raise Unavailable where PynamoDB reports a passing fault, or a
    denied access.

    By then botocore has repeated the call as often as the table's settings say.
    """
    for name, method in list(vars(store).items()):
        if callable(method) and not name.startswith("_"):
            setattr(store, name, _guarded(method))
    return store


def _guarded(method: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except PynamoDBException as error:
            if error_code(error) == "AccessDeniedException":
                message = READ_ONLY
            elif _is_passing(error):
                message = NO_ANSWER
            else:
                raise
        # Outside the except clause, so that no driver's text travels along as context.
        raise Unavailable(message)

    return guarded


def _is_passing(error: PynamoDBException) -> bool:
    return isinstance(error.cause, ConnectionFailed | HTTPClientError) or error_code(error) in _PASSING
