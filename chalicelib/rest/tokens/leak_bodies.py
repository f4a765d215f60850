"""What clients may send about leaked secrets."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.core.verification.leaks import MAX_FOUND, MAX_PLACE


class FoundBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A string, and where it was found, in words or by its address."""

    text: Annotated[str, Meta(min_length=1, max_length=1_000)]
    place: Annotated[str, Meta(max_length=MAX_PLACE)] | None = None


class LeakReport(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    found: Annotated[list[FoundBody], Meta(min_length=1, max_length=MAX_FOUND)]


class GithubFound(msgspec.Struct):
    """GitHub's page "Secret scanning partner program"; it may add fields."""

    token: Annotated[str, Meta(max_length=1_000)]
    type: str = ""
    url: str = ""
