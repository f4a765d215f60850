"""What clients may send about webhooks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.tokens.event import EventKind
from chalicelib.core.webhooks import webhook
from chalicelib.rest.contract.bodies import Ignored, Name, Renewal, ResourceBody, WebAddress, formed

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
