"""What is said of a permanent token: compared with what there is, and as records tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.audit.records import changes

if TYPE_CHECKING:
    from chalicelib.core.tokens.token import PermanentToken


SAID = ("name", "expires", "description", "contact", "labels", "networks")


def is_same(token: PermanentToken, other: PermanentToken) -> bool:
    """Whether all that can be said of a token is the same of both."""
    return {*token.scope} == {*other.scope} and all(getattr(token, name) == getattr(other, name) for name in SAID)


def told(token: PermanentToken) -> dict[str, str]:
    """What a record tells of a new token, besides name and scope."""
    told = {"expires": token.expires, "labels": " ".join(token.labels), "networks": " ".join(token.networks)}
    return {name: str(value) for name, value in told.items() if value}


def difference(old: PermanentToken, new: PermanentToken) -> dict[str, str]:
    """What a record tells of a change; empty if there is none."""
    details = changes(old, new, "name", "expires", "description", "contact")
    for several in ("scope", "labels", "networks"):
        before, after = getattr(old, several), getattr(new, several)
        if before != after:
            details[several] = f"{' '.join(before)} -> {' '.join(after)}"
    return details
