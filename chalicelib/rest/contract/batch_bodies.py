"""What clients may send to `/batch`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from chalicelib.rest.contract.fields import MAX_LENGTH

MAX_CHANGES = 100
MAX_PATH = 500


class ChangeBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """One request: its method, its path below `/api/rest`, and what it would have besides."""

    method: Literal["POST", "DELETE"]
    path: Annotated[str, Meta(min_length=1, max_length=MAX_PATH, description="such as /users/robot/permanenttokens")]
    body: Raw | UnsetType = UNSET
    fields: Annotated[str, Meta(max_length=MAX_LENGTH)] | None = None
    idempotency_key: Annotated[str, Meta(max_length=255, description="as the header Idempotency-Key")] | None = None


class BatchBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    changes: Annotated[list[ChangeBody], Meta(min_length=1, max_length=MAX_CHANGES)]
