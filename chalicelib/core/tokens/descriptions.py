"""What is said of a permanent token: compared with what there is, and as records tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.audit.records import changes
from chalicelib.core.tokens.token import DETAILS

if TYPE_CHECKING:
    from chalicelib.core.tokens.token import PermanentToken, TokenDetails


def is_same(token: PermanentToken, other: PermanentToken) -> bool:
    """Whether all that can be said of a token is the same of both."""
    return {*token.scope} == {*other.scope} and _said(token) == _said(other)


def told(token: PermanentToken) -> dict[str, str]:
    """What a record tells of a new token, besides name and scope."""
    expires = {} if token.expires is None else {"expires": str(token.expires)}
    return {**expires, **_texts(token.details)}


def difference(old: PermanentToken, new: PermanentToken) -> dict[str, str]:
    """What a record tells of a change; empty if there is none."""
    recorded = changes(old, new, "name", "expires")
    if old.scope != new.scope:
        recorded["scope"] = f"{' '.join(old.scope)} -> {' '.join(new.scope)}"
    return {**recorded, **details_difference(old, new)}


def details_difference(old: PermanentToken, new: PermanentToken) -> dict[str, str]:
    """The same of the details alone."""
    before, after = _texts(old.details), _texts(new.details)
    return {
        name: f"{before.get(name, '')} -> {after.get(name, '')}"
        for name in DETAILS
        if before.get(name) != after.get(name)
    }


def _said(token: PermanentToken) -> tuple[str, int | None, TokenDetails]:
    return token.name, token.expires, token.details


def _texts(details: TokenDetails) -> dict[str, str]:
    return {name: value if isinstance(value, str) else " ".join(value) for name, value in details.stated().items()}
