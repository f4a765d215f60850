"""`/batch`: many changes of accounts and their permanent tokens in one request, one after the other.

Each is what it would be alone: its view is called with a request of its own, so it is authenticated, authorized,
atomic, recorded and repeated by its own key as any other. Shared are the way there and back, Argon2id of what is
presented (ADR 3), and what an account holds, for as long as its revision says that it is the same. So whatever ends,
bans or narrows the caller meanwhile is seen by the next change.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chalice.app import Request
from msgspec import Raw

from chalicelib.core.common.errors import Invalid
from chalicelib.rest.contract.batch_bodies import BatchBody, ChangeBody
from chalicelib.rest.contract.contracts import DRY_RUN
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.contract.fields import Field, Kind, Shape, parse
from chalicelib.rest.routes import ROOT, ROUTES
from chalicelib.telemetry import log_fields
from chalicelib.web.routing import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Response

# What may be in one.
VIEWS = frozenset(
    {
        "directory.users.create_user",
        "directory.users.update_user",
        "directory.users.delete_user",
        "tokens.permanent_tokens.create_token",
        "tokens.permanent_tokens.update_token",
        "tokens.permanent_tokens.rotate_token",
        "tokens.permanent_tokens.take_back_rotation",
        "tokens.permanent_tokens.delete_token",
    }
)
MAX_BYTES = 1024 * 1024
# No change begins later than this: a Lambda function has 15 seconds (`.chalice/config.json`), API Gateway waits for 29,
# and a change that others are in the way of can take some.
SECONDS = 9.0
SHARED_HEADERS = ("authorization", "user-agent", "x-forwarded-for")

clock: Callable[[], float] = time.monotonic  # tests put another in its place


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one change; `status` and `body` as it would be answered alone, None where it was not tried."""

    status: int | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class BatchView:
    """What became of a batch. Its id is the account's that sent it."""

    caller_id: str
    answers: list[Answered]


ANSWER = Shape(
    "changeanswer",
    {
        "type": Field(lambda answer: "changeAnswer"),
        "tried": Field(lambda answer: answer.status is not None, Kind.FLAG),
        "status": Field(lambda answer: answer.status, Kind.MAYBE_NUMBER),
        "body": Field(lambda answer: answer.body, Kind.OBJECT),
    },
)
BATCH = Shape(
    "batch",
    {
        "id": Field(lambda view: view.caller_id),
        "type": Field(lambda view: "batch"),
        "tried": Field(lambda view: sum(each.status is not None for each in view.answers), Kind.NUMBER),
        "answers": Field(lambda view: view.answers, Kind.MANY, ANSWER),
    },
)
EVERYTHING = "id,type,tried,answers(type,tried,status,body)"


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a change goes: a route of the API, its view, and what stands in its places."""

    route: str
    view: str
    places: dict[str, str]


@operation(BATCH, body=BatchBody, max_bytes=MAX_BYTES)
def change_many(call: Call) -> Response:
    """Up to a hundred changes, in order. What one refuses does not stop the next; what there is no time for is not
    tried, and the answer says so."""
    began = clock()
    answers: list[Answered] = []
    with call.keyturn.access.remembering():
        caller = call.caller()
        changes = call.body(BatchBody).changes
        targets = [_target(change, f"changes[{index}].path") for index, change in enumerate(changes)]
        for change, target in zip(changes, targets, strict=True):
            answers.append(_answered(call, change, target) if clock() - began < SECONDS else Answered())
    log_fields(changes=len(changes))
    selected = call if call.selection else replace(call, selection=parse(EVERYTHING))
    return selected.one(BatchView(caller.user.id, answers))


def _target(change: ChangeBody, field: str) -> _Target:
    """Raises Invalid unless this is a change that a batch may hold."""
    for route, views in ROUTES.items():
        view = views.get(change.method)
        if view in VIEWS and (found := re.fullmatch(_pattern(route), change.path, re.ASCII)):
            return _Target(route, view, found.groupdict())
    raise Invalid(field, "must be the path of a change of an account or permanent token, below /api/rest.")


def _pattern(route: str) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/?#]+)", route.removeprefix(ROOT))


def _answered(call: Call, change: ChangeBody, target: _Target) -> Answered:
    response = load("chalicelib.rest", target.view)(_request(call, change, target), **target.places)
    return Answered(response.status_code, json.loads(response.body))


def _request(call: Call, change: ChangeBody, target: _Target) -> Request:
    """The request that this change would be alone."""
    outer = call.request
    headers = {name: outer.headers[name] for name in SHARED_HEADERS if name in outer.headers}
    if change.idempotency_key is not None:
        headers["idempotency-key"] = change.idempotency_key
    body = bytes(change.body) if isinstance(change.body, Raw) else None
    if body is not None:
        headers["content-type"] = "application/json"
    query = {"fields": [change.fields] if change.fields else [], DRY_RUN: ["true"] if call.dry_run else []}
    return Request(
        {
            "requestContext": {**outer.context, "httpMethod": change.method, "resourcePath": target.route},
            "headers": headers,
            "multiValueQueryStringParameters": {name: texts for name, texts in query.items() if texts} or None,
            "pathParameters": target.places or None,
            "stageVariables": None,
            "body": body,
        },
        outer.lambda_context,
    )
