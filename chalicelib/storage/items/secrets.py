"""Hashed secrets whose validity overlaps, as parts of the items of tokens and services."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.previous_secrets import PreviousSecret, RetiredSecret

if TYPE_CHECKING:
    from collections.abc import Sequence


def text_of(value: object) -> str | None:
    """As JSON, in one attribute; none of what is empty."""
    return json.dumps(value) if value else None


def hashed_list(secret: HashedSecret) -> list[str]:
    """A hashed secret as a part of a JSON text."""
    return [secret.argon2id, base64.b64encode(secret.tag).decode(), secret.tag_key_id]


def hashed_in(parts: list[str]) -> HashedSecret:
    """The hashed secret in such a part."""
    argon2id, tag, key_id = parts
    return HashedSecret(argon2id, base64.b64decode(tag), key_id)


def previous_text(previous_secrets: Sequence[PreviousSecret[HashedSecret]]) -> str | None:
    """Earlier secrets as one attribute."""
    return (
        json.dumps([[hashed_list(each.stored), each.since, each.until] for each in previous_secrets])
        if previous_secrets
        else None
    )


def previous_in(text: str | None) -> tuple[PreviousSecret[HashedSecret], ...]:
    """The earlier secrets in such an attribute."""
    return tuple(PreviousSecret(hashed_in(hashed), since, until) for hashed, since, until in json.loads(text or "[]"))


def retired_hashes_text(retired_secrets: Sequence[RetiredSecret[HashedSecret]]) -> str | None:
    """Secrets that have ended as one attribute."""
    return text_of([hashed_list(each.stored) for each in retired_secrets])


def retired_times_text(retired_secrets: Sequence[RetiredSecret[HashedSecret]]) -> str | None:
    """What else is known of them as another, which older versions do not read."""
    return text_of([[each.since, int(each.rolled_back)] for each in retired_secrets])


def retired_in(hashed: str | None, retired: str | None) -> tuple[RetiredSecret[HashedSecret], ...]:
    """The secrets in two such attributes. What was stored before `retired` was has nothing there."""
    retired_secrets = json.loads(hashed or "[]")
    known = json.loads(retired) if retired else [(0, 0)] * len(retired_secrets)
    return tuple(
        RetiredSecret(hashed_in(parts), since, bool(rolled_back))
        for parts, (since, rolled_back) in zip(retired_secrets, known, strict=True)
    )
