"""Sealed secrets that overlap, as parts of the items of tokens and services."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from chalicelib.core.secrets.hashing import SealedSecret
from chalicelib.core.secrets.previous_secrets import EarlierSecret, RetiredSecret

if TYPE_CHECKING:
    from collections.abc import Sequence


def text_of(value: object) -> str | None:
    """As JSON, in one attribute; none of what is empty."""
    return json.dumps(value) if value else None


def sealed_list(secret: SealedSecret) -> list[str]:
    """A sealed secret as a part of a JSON text."""
    return [secret.argon2id, base64.b64encode(secret.tag).decode(), secret.tag_key_id]


def sealed_in(parts: list[str]) -> SealedSecret:
    """The sealed secret in such a part."""
    argon2id, tag, key_id = parts
    return SealedSecret(argon2id, base64.b64decode(tag), key_id)


def earlier_text(earlier: Sequence[EarlierSecret[SealedSecret]]) -> str | None:
    """Earlier secrets as one attribute."""
    return json.dumps([[sealed_list(each.sealed), each.since, each.until] for each in earlier]) if earlier else None


def earlier_in(text: str | None) -> tuple[EarlierSecret[SealedSecret], ...]:
    """The earlier secrets in such an attribute."""
    return tuple(EarlierSecret(sealed_in(sealed), since, until) for sealed, since, until in json.loads(text or "[]"))


def dead_text(dead: Sequence[RetiredSecret[SealedSecret]]) -> str | None:
    """Secrets that have ended as one attribute."""
    return text_of([sealed_list(each.sealed) for each in dead])


def retired_text(dead: Sequence[RetiredSecret[SealedSecret]]) -> str | None:
    """What else is known of them as another, which older versions do not read."""
    return text_of([[each.since, int(each.taken_back)] for each in dead])


def dead_in(sealed: str | None, retired: str | None) -> tuple[RetiredSecret[SealedSecret], ...]:
    """The secrets in two such attributes. What was stored before `retired` was has nothing there."""
    dead = json.loads(sealed or "[]")
    known = json.loads(retired) if retired else [(0, 0)] * len(dead)
    return tuple(
        RetiredSecret(sealed_in(parts), since, bool(taken_back))
        for parts, (since, taken_back) in zip(dead, known, strict=True)
    )
