"""What clients may send about policies, webhooks and leaks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.access.token_policy import LONGEST_DAYS, Consequence, Policy
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.verification.leaks import MAX_FOUND, MAX_PLACE
from chalicelib.core.webhooks import webhook
from chalicelib.rest.contract.bodies import Ignored, Name, Renewal, ResourceBody, WebAddress, formed

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


EventKinds = Annotated[list[EventKind], Meta(max_length=len(EventKind))]
ClientSuppliedWebhookSecret = Annotated[
    str,
    formed(
        webhook.SECRET_FORM,
        "must be whsec_ and the base64 of 24 to 64 bytes, chosen at random",
        max_length=webhook.MAX_SECRET,
        description="whsec_ and the base64 of 24 to 64 random bytes, in place of a generated one",
        extra_json_schema={"format": "webhook-secret"},
    ),
]


class _WebhookBody(ResourceBody, kw_only=True):
    """What nobody sets: it is known of how the webhook answers, and of its secrets."""

    secrets: Ignored = UNSET
    failing: Ignored = UNSET
    problem: Ignored = UNSET
    gone: Ignored = UNSET
    last_success: Ignored = UNSET
    waiting: Ignored = UNSET
    next_try: Ignored = UNSET
    attempt: Ignored = UNSET
    attempts: Ignored = UNSET
    given_up: Ignored = UNSET
    given_ups: Ignored = UNSET
    type: Ignored = UNSET


class NewWebhook(_WebhookBody, kw_only=True):
    name: Name
    url: WebAddress
    kinds: EventKinds = msgspec.field(default_factory=list)
    secret: ClientSuppliedWebhookSecret | None = None


class WebhookChangeBody(_WebhookBody, kw_only=True):
    """What is left out stays. Another secret is no change of this kind: it is renewed."""

    name: Name | None = None
    url: WebAddress | None = None
    kinds: EventKinds | None = None


class WebhookRenewal(Renewal, kw_only=True):
    secret: ClientSuppliedWebhookSecret | None = None


class WebhookSecretComparison(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Is this the webhook's current secret?"""

    secret: ClientSuppliedWebhookSecret


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
