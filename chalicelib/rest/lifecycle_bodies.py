"""What clients may send about policies, webhooks and leaks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.events import EventKind
from chalicelib.core.operations.leaks import MAX_FOUND, MAX_PLACE
from chalicelib.core.policies import LONGEST_DAYS, Consequence, Policy
from chalicelib.rest.bodies import Ignored, Name, ResourceBody, WebAddress

Days = Annotated[int, Meta(ge=1, le=LONGEST_DAYS)]


class PolicyBody(ResourceBody, kw_only=True):
    """The whole policy: what is left out is not demanded."""

    longest_life_days: Days | None = None
    rotation_due_days: Days | None = None
    unused_days: Days | None = None
    unused: Literal["flag", "disable"] = "flag"
    reused: Literal["flag", "revoke"] = "flag"
    leaked: Literal["flag", "revoke"] = "revoke"
    type: Ignored = UNSET

    def policy(self) -> Policy:
        """Raises Invalid."""
        days = self.longest_life_days, self.rotation_due_days, self.unused_days
        return Policy(*days, *map(Consequence, (self.unused, self.reused, self.leaked)))


class NewWebhook(ResourceBody, kw_only=True):
    name: Name
    url: WebAddress
    kinds: Annotated[list[EventKind], Meta(max_length=len(EventKind))] = msgspec.field(default_factory=list)
    secret: Ignored = UNSET
    failing: Ignored = UNSET
    problem: Ignored = UNSET
    gone: Ignored = UNSET
    type: Ignored = UNSET


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
