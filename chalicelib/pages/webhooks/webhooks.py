"""Administration › Access Management › Webhooks: who is told what happens to permanent tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.webhooks.manage import MOST_COUNTED, WebhookChange
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.grace_periods import GRACES, chosen_grace
from chalicelib.pages.frame.render import Dialog, link, page, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.webhooks.manage import CreatedWebhook
    from chalicelib.core.webhooks.webhook import Webhook
    from chalicelib.web.request import Message

WebhookForm = dict[str, object]  # the form, by the names of its fields
EMPTY: WebhookForm = {"name": "", "url": "", "kinds": []}


@for_users
def show_webhooks(message: Message, caller: Caller) -> Response:
    """All of them, and how they answer."""
    return _webhooks_page(message, caller)


@for_users
def ask_new(message: Message, caller: Caller) -> Response:
    """The form of a new webhook."""
    caller.check(Operation.CREATE_WEBHOOK)
    return _webhooks_page(message, caller, _form_dialog(message, None, EMPTY))


@form
def create(message: Message, caller: Caller) -> Response:
    """The new webhook with its secret, shown this once."""

    def do() -> Response:
        name, url = message.value("name") or "", message.value("url") or ""
        made = message.keyturn.lifecycle.webhooks.create(caller, name, url, _kinds(message))
        return _webhook_page(message, caller, made.webhook, _secret_dialog(message, made))

    return unless_refused(
        do, lambda problem: _webhooks_page(message, caller, _form_dialog(message, None, _sent(message)), problem)
    )


@for_users
def show_webhook(message: Message, caller: Caller, webhook: str) -> Response:
    """What is known of it, and what waits for it."""
    return _webhook_page(message, caller, message.keyturn.lifecycle.webhooks.get(caller, webhook))


@for_users
def ask_edit(message: Message, caller: Caller, webhook: str) -> Response:
    """The form with what can be changed."""
    found = message.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.UPDATE_WEBHOOK)
    return _webhook_page(message, caller, found, _form_dialog(message, found, _stored(found)))


@form
def edit(message: Message, caller: Caller, webhook: str) -> Response:
    """Change it."""

    def write(found: Webhook) -> Response:
        change = WebhookChange(message.value("name") or "", message.value("url") or "", _kinds(message))
        message.keyturn.lifecycle.webhooks.update(caller, found.id, change, found.revision)
        return redirect(message, "webhooks", found.id, done="webhook-changed")

    return Edit(
        lambda: message.keyturn.lifecycle.webhooks.get(caller, webhook),
        _stored,
        _sent(message),
        write,
        lambda found, values, problem: _webhook_page(
            message, caller, found, _form_dialog(message, found, values), problem
        ),
    ).answer(message)


@for_users
def ask_secret(message: Message, caller: Caller, webhook: str) -> Response:
    """How long may the secret of now go on?"""
    found = message.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.RENEW_WEBHOOK_SECRET)
    return _webhook_page(message, caller, found, _dialog(message, found, "renew-secret"))


@form
def renew_secret(message: Message, caller: Caller, webhook: str) -> Response:
    """A new secret, shown this once."""
    found = message.keyturn.lifecycle.webhooks.get(caller, webhook)

    def do() -> Response:
        made = message.keyturn.lifecycle.webhook_renewal.renew(caller, found.id, chosen_grace(message))
        return _webhook_page(message, caller, made.webhook, _secret_dialog(message, made))

    return unless_refused(
        do, lambda problem: _webhook_page(message, caller, found, _dialog(message, found, "renew-secret"), problem)
    )


@for_users
def ask_test(message: Message, caller: Caller, webhook: str) -> Response:
    """What a test does."""
    found = message.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.TEST_WEBHOOK)
    return _webhook_page(message, caller, found, _dialog(message, found, "test"))


@form
def test(message: Message, caller: Caller, webhook: str) -> Response:
    """Send an event that never happened."""
    found = message.keyturn.lifecycle.webhooks.get(caller, webhook)

    def do() -> Response:
        message.keyturn.lifecycle.webhooks.test(caller, found.id)
        return redirect(message, "webhooks", found.id, done="webhook-tested")

    return unless_refused(
        do, lambda problem: _webhook_page(message, caller, found, _dialog(message, found, "test"), problem)
    )


@for_users
def ask_delete(message: Message, caller: Caller, webhook: str) -> Response:
    """The confirmation."""
    found = message.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.DELETE_WEBHOOK)
    return _webhook_page(message, caller, found, _dialog(message, found, "delete"))


@form
def delete(message: Message, caller: Caller, webhook: str) -> Response:
    """It is told nothing any more."""
    message.keyturn.lifecycle.webhooks.delete(caller, webhook)
    return redirect(message, "webhooks", done="webhook-deleted")


def _webhooks_page(
    message: Message, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    values = {"webhooks": message.keyturn.lifecycle.webhooks.all(caller)}
    return page(message, "webhooks/list", values, caller=caller, dialog=dialog, problem=problem)


def _webhook_page(
    message: Message, caller: Caller, webhook: Webhook, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    backlog = message.keyturn.lifecycle.webhooks.backlog(caller, webhook)
    values = {"webhook": webhook, "backlog": backlog, "most_counted": MOST_COUNTED}
    return page(message, "webhooks/webhook", values, caller=caller, dialog=dialog, problem=problem)


def _dialog(message: Message, webhook: Webhook, name: str) -> Dialog:
    return Dialog(f"webhooks/{name}-dialog.html", link(message, "webhooks", webhook.id), {"graces": GRACES})


def _secret_dialog(message: Message, made: CreatedWebhook) -> Dialog:
    return Dialog("webhooks/secret-shown.html", link(message, "webhooks", made.webhook.id), {"made": made})


def _form_dialog(message: Message, webhook: Webhook | None, filled_in: Mapping[str, object]) -> Dialog:
    values = {"found": webhook, "filled_in": filled_in, "offered": [kind.value for kind in EventKind]}
    back = link(message, "webhooks", *([webhook.id] if webhook else []))
    return Dialog("webhooks/form-dialog.html", back, values, version_of(_stored(webhook)) if webhook else "")


def _stored(webhook: Webhook) -> WebhookForm:
    return {"name": webhook.name, "url": webhook.url, "kinds": [kind.value for kind in webhook.kinds]}


def _sent(message: Message) -> WebhookForm:
    return {
        "name": message.value("name") or "",
        "url": message.value("url") or "",
        "kinds": list(message.values("kinds")),
    }


def _kinds(message: Message) -> list[EventKind]:
    """What the form says. Raises Invalid."""
    try:
        return [EventKind(value) for value in message.values("kinds")]
    except ValueError:
        raise Invalid("kinds", "names an event that there is not.") from None
