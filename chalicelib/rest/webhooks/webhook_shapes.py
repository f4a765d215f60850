"""How webhooks look from outside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core.webhooks.webhook import ATTEMPTS
from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import SECRET_WAS_SHOWN, SecretView, secret_views

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.webhooks.manage import Backlog
    from chalicelib.core.webhooks.webhook import Webhook


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook, and what waits for it, which is read only for answers that show it; `secret` only in the answer that
    creates it or renews its secret."""

    webhook: Webhook
    backlog: Callable[[], Backlog]
    secret: str | None = field(default=None, repr=False)

    def secrets(self) -> list[SecretView]:
        """The earlier secrets that have not been forgotten, oldest first, and the current one."""
        return secret_views(self.webhook.secrets)


WEBHOOK_SECRET = Shape(
    "webhooksecret",
    {
        "type": Field(lambda view: "webhookSecret"),
        "creationTime": Field(lambda view: view.since, Kind.TIME),
        "endsOn": Field(lambda view: view.until, Kind.MAYBE_TIME),
    },
)
GIVEN_UP = Shape(
    "givenupmessage",
    {
        "id": Field(lambda lost: lost.event_id),  # the event's
        "type": Field(lambda lost: "givenUpMessage"),
        "kind": Field(lambda lost: lost.kind),
        "tokenId": Field(lambda lost: lost.token_id),
        "time": Field(lambda lost: lost.at, Kind.TIME),
        "problem": Field(lambda lost: lost.problem),
    },
)
# What has to be looked for in the queues: an answer about all webhooks holds it only if it is asked for.
_backlog = {
    "waiting": Field(lambda view: view.backlog().messages, Kind.NUMBER),
    "nextTry": Field(lambda view: view.backlog().next_try, Kind.MAYBE_TIME),
    "attempt": Field(lambda view: view.backlog().attempt, Kind.MAYBE_NUMBER),
    "attempts": Field(lambda view: ATTEMPTS, Kind.NUMBER),
}
WEBHOOK = Shape(
    "webhook",
    {
        "id": Field(lambda view: view.webhook.id),
        "type": Field(lambda view: "webhook"),
        "name": Field(lambda view: view.webhook.name),
        "url": Field(lambda view: view.webhook.url),
        "kinds": Field(lambda view: [kind.value for kind in view.webhook.kinds], Kind.LINES),
        "creationTime": Field(lambda view: view.webhook.created, Kind.TIME),
        "secrets": Field(lambda view: view.secrets(), Kind.MANY, WEBHOOK_SECRET),
        "failing": Field(lambda view: view.webhook.failing, Kind.MAYBE_TIME),
        "problem": Field(lambda view: view.webhook.problem, Kind.MAYBE_TEXT),
        "gone": Field(lambda view: view.webhook.gone, Kind.FLAG),
        "lastSuccess": Field(lambda view: view.webhook.succeeded, Kind.MAYBE_TIME),
        "givenUp": Field(lambda view: view.webhook.given_up, Kind.MAYBE_ONE, GIVEN_UP),
        "givenUps": Field(lambda view: view.webhook.given_ups, Kind.NUMBER),
        **_backlog,
    },
)
LISTED_WEBHOOK = Shape(
    "webhookinalist",
    {**WEBHOOK.fields, **{name: replace(shown, in_default=False) for name, shown in _backlog.items()}},
)


def _with_secret(name: str, remedy: str) -> Shape:
    """Only the answer that makes a secret has it."""
    notice = SECRET_WAS_SHOWN.format(remedy=remedy)
    return Shape(
        name,
        {
            **LISTED_WEBHOOK.fields,
            "secret": Field(lambda view: view.secret, Kind.MAYBE_TEXT, secret=True),
            "notice": Field(lambda view: None if view.secret else notice, Kind.MAYBE_TEXT),
        },
    )


CREATED_WEBHOOK = _with_secret("createdwebhook", "create a new secret for the webhook")
RENEWED_WEBHOOK = _with_secret("renewedwebhook", "create another one with a new key")
WEBHOOK_COMPARISON = Shape(
    "webhookcomparison",
    {
        "id": Field(lambda compared: compared[0].id),
        "type": Field(lambda compared: "webhookComparison"),
        "current": Field(lambda compared: compared[1], Kind.FLAG),
    },
)
