"""`/webhooks`: addresses that are sent what happens to permanent tokens."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chalicelib.core.webhooks.manage import WebhookChange
from chalicelib.rest.contract.durations import milliseconds
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.tokens.token_bodies import RotationRollback
from chalicelib.rest.webhooks.webhook_bodies import (
    NewWebhook,
    WebhookChangeBody,
    WebhookRenewal,
    WebhookSecretComparison,
)
from chalicelib.rest.webhooks.webhook_shapes import (
    CREATED_WEBHOOK,
    LISTED_WEBHOOK,
    RENEWED_WEBHOOK,
    WEBHOOK,
    WEBHOOK_COMPARISON,
    WebhookView,
)
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.webhooks.manage import CreatedWebhook
    from chalicelib.core.webhooks.webhook import Webhook


@operation(LISTED_WEBHOOK, collection="webhooks")
def list_webhooks(call: Call) -> Response:
    window, caller = call.window(), call.caller()
    found = call.keyturn.lifecycle.webhooks.all(caller)
    part = found[window.skip : window.skip + window.top]
    return call.many([_view(call, caller, webhook) for webhook in part], window, len(found))


@operation(CREATED_WEBHOOK, body=NewWebhook, creates=True)
def create_webhook(call: Call) -> Response:
    caller, body, lifecycle = call.caller(), call.body(NewWebhook), call.keyturn.lifecycle
    return call.create(
        caller,
        lambda by: _made(call, caller, lifecycle.webhooks.create(by, body.name, body.url, body.kinds, body.secret)),
        lambda id: _made(call, caller, lifecycle.webhook_renewal.made(caller, id, body.secret)),
    )


@operation(WEBHOOK)
def get_webhook(call: Call, webhook: str) -> Response:
    caller = call.caller()
    return call.one(_view(call, caller, call.keyturn.lifecycle.webhooks.get(caller, webhook)))


@operation(WEBHOOK, body=WebhookChangeBody)
def update_webhook(call: Call, webhook: str) -> Response:
    caller, body = call.caller(), call.body(WebhookChangeBody)
    change = WebhookChange(body.name, body.url, body.kinds)
    return call.one(_view(call, caller, call.keyturn.lifecycle.webhooks.update(caller, webhook, change)))


@operation(RENEWED_WEBHOOK, body=WebhookRenewal, creates=True, bare=True)
def renew_webhook_secret(call: Call, webhook: str) -> Response:
    caller, body = call.caller(), call.body(WebhookRenewal)
    renewal, grace_ms = call.keyturn.lifecycle.webhook_renewal, milliseconds(body.grace, "grace")
    return call.create(
        caller,
        lambda by: _made(call, caller, renewal.renew(by, webhook, grace_ms, body.secret)),
        lambda id: _made(call, caller, renewal.made(caller, id, body.secret)),
    )


@operation(WEBHOOK_COMPARISON, body=WebhookSecretComparison, dry_run=False)
def compare_webhook_secret(call: Call, webhook: str) -> Response:
    """Whether a secret that could be supplied is the webhook's already, so that nothing needs to change."""
    caller, secret = call.caller(), call.body(WebhookSecretComparison).secret
    return call.one(call.keyturn.lifecycle.webhook_renewal.has_current(caller, webhook, secret))


@operation(WEBHOOK, body=RotationRollback)
def take_back_webhook_secret(call: Call, webhook: str) -> Response:
    caller, kept = call.caller(), call.body(RotationRollback).keep
    return call.one(_view(call, caller, call.keyturn.lifecycle.webhook_renewal.roll_back(caller, webhook, kept)))


@operation(dry_run=False)
def test_webhook(call: Call, webhook: str) -> Response:
    """Send an event that never happened."""
    call.keyturn.lifecycle.webhooks.test(call.caller(), webhook)
    return answer({})


@operation()
def delete_webhook(call: Call, webhook: str) -> Response:
    call.keyturn.lifecycle.webhooks.delete(call.caller(), webhook)
    return answer({})


def _made(call: Call, caller: Caller, made: CreatedWebhook) -> WebhookView:
    return _view(call, caller, made.webhook, made.secret)


def _view(call: Call, caller: Caller, webhook: Webhook, secret: str | None = None) -> WebhookView:
    webhooks = call.keyturn.lifecycle.webhooks
    return WebhookView(webhook, functools.cache(lambda: webhooks.backlog(caller, webhook)), secret)
