"""`/webhooks`: addresses that are told what happens to permanent tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.operations.webhooks import CreatedWebhook
from chalicelib.rest.endpoint import Call, operation
from chalicelib.rest.lifecycle_bodies import NewWebhook
from chalicelib.rest.lifecycle_shapes import CREATED_WEBHOOK, WEBHOOK
from chalicelib.rest.refusals import answer

if TYPE_CHECKING:
    from chalice.app import Response


@operation(WEBHOOK, collection="webhooks")
def list_webhooks(call: Call) -> Response:
    window = call.window()
    found = call.keyturn.lifecycle.webhooks.all(call.caller())
    part = found[window.skip : window.skip + window.top]
    return call.many([CreatedWebhook(webhook) for webhook in part], window, len(found))


@operation(CREATED_WEBHOOK, body=NewWebhook, creates=True)
def create_webhook(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewWebhook)
    webhooks = call.keyturn.lifecycle.webhooks
    return call.create(
        caller,
        lambda by: webhooks.create(by, body.name, body.url, body.kinds),
        lambda id: CreatedWebhook(webhooks.get(caller, id)),
    )


@operation(WEBHOOK)
def get_webhook(call: Call, webhook: str) -> Response:
    return call.one(CreatedWebhook(call.keyturn.lifecycle.webhooks.get(call.caller(), webhook)))


@operation()
def test_webhook(call: Call, webhook: str) -> Response:
    """Send an event that never happened."""
    call.keyturn.lifecycle.webhooks.test(call.caller(), webhook)
    return answer({})


@operation()
def delete_webhook(call: Call, webhook: str) -> Response:
    call.keyturn.lifecycle.webhooks.delete(call.caller(), webhook)
    return answer({})
