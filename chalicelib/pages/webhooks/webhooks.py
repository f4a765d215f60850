"""Administration › Access Management › Webhooks: where events of permanent tokens are sent."""

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
    from chalicelib.web.request import FormRequest

WebhookForm = dict[str, object]  # the form, by the names of its fields
EMPTY: WebhookForm = {"name": "", "url": "", "kinds": []}


@for_users
def show_webhooks(request: FormRequest, caller: Caller) -> Response:
    """All of them, and how they answer."""
    return _webhooks_page(request, caller)


@for_users
def ask_new(request: FormRequest, caller: Caller) -> Response:
    """The form of a new webhook."""
    caller.check(Operation.CREATE_WEBHOOK)
    return _webhooks_page(request, caller, _form_dialog(request, None, EMPTY))


@form
def create(request: FormRequest, caller: Caller) -> Response:
    """The new webhook with its secret, shown this once."""

    def do() -> Response:
        name, url = request.value("name") or "", request.value("url") or ""
        made = request.keyturn.lifecycle.webhooks.create(caller, name, url, _kinds(request))
        return _webhook_page(request, caller, made.webhook, _secret_dialog(request, made))

    return unless_refused(
        do, lambda problem: _webhooks_page(request, caller, _form_dialog(request, None, _sent(request)), problem)
    )


@for_users
def show_webhook(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """What is known of it, and what waits for it."""
    return _webhook_page(request, caller, request.keyturn.lifecycle.webhooks.get(caller, webhook))


@for_users
def ask_edit(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """The form with what can be changed."""
    found = request.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.UPDATE_WEBHOOK)
    return _webhook_page(request, caller, found, _form_dialog(request, found, _stored(found)))


@form
def edit(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """Change it."""

    def write(found: Webhook) -> Response:
        change = WebhookChange(request.value("name") or "", request.value("url") or "", _kinds(request))
        request.keyturn.lifecycle.webhooks.update(caller, found.id, change, found.revision)
        return redirect(request, "webhooks", found.id, done="webhook-changed")

    return Edit(
        lambda: request.keyturn.lifecycle.webhooks.get(caller, webhook),
        _stored,
        _sent(request),
        write,
        lambda found, values, problem: _webhook_page(
            request, caller, found, _form_dialog(request, found, values), problem
        ),
    ).answer(request)


@for_users
def ask_secret(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """The dialog that asks for the grace period of the current secret."""
    found = request.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.RENEW_WEBHOOK_SECRET)
    return _webhook_page(request, caller, found, _dialog(request, found, "renew-secret"))


@form
def renew_secret(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """A new secret, shown this once."""
    found = request.keyturn.lifecycle.webhooks.get(caller, webhook)

    def do() -> Response:
        made = request.keyturn.lifecycle.webhook_renewal.renew(caller, found.id, chosen_grace(request))
        return _webhook_page(request, caller, made.webhook, _secret_dialog(request, made))

    return unless_refused(
        do, lambda problem: _webhook_page(request, caller, found, _dialog(request, found, "renew-secret"), problem)
    )


@for_users
def ask_test(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """What a test does."""
    found = request.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.TEST_WEBHOOK)
    return _webhook_page(request, caller, found, _dialog(request, found, "test"))


@form
def test(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """Send an event that never happened."""
    found = request.keyturn.lifecycle.webhooks.get(caller, webhook)

    def do() -> Response:
        request.keyturn.lifecycle.webhooks.test(caller, found.id)
        return redirect(request, "webhooks", found.id, done="webhook-tested")

    return unless_refused(
        do, lambda problem: _webhook_page(request, caller, found, _dialog(request, found, "test"), problem)
    )


@for_users
def ask_delete(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """The confirmation."""
    found = request.keyturn.lifecycle.webhooks.get(caller, webhook)
    caller.check(Operation.DELETE_WEBHOOK)
    return _webhook_page(request, caller, found, _dialog(request, found, "delete"))


@form
def delete(request: FormRequest, caller: Caller, webhook: str) -> Response:
    """It is sent nothing any more."""
    request.keyturn.lifecycle.webhooks.delete(caller, webhook)
    return redirect(request, "webhooks", done="webhook-deleted")


def _webhooks_page(
    request: FormRequest, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    values = {"webhooks": request.keyturn.lifecycle.webhooks.all(caller)}
    return page(request, "webhooks/list", values, caller=caller, dialog=dialog, problem=problem)


def _webhook_page(
    request: FormRequest, caller: Caller, webhook: Webhook, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    backlog = request.keyturn.lifecycle.webhooks.backlog(caller, webhook)
    values = {"webhook": webhook, "backlog": backlog, "most_counted": MOST_COUNTED}
    return page(request, "webhooks/webhook", values, caller=caller, dialog=dialog, problem=problem)


def _dialog(request: FormRequest, webhook: Webhook, name: str) -> Dialog:
    return Dialog(f"webhooks/{name}-dialog.html", link(request, "webhooks", webhook.id), {"graces": GRACES})


def _secret_dialog(request: FormRequest, made: CreatedWebhook) -> Dialog:
    return Dialog("webhooks/secret-shown.html", link(request, "webhooks", made.webhook.id), {"made": made})


def _form_dialog(request: FormRequest, webhook: Webhook | None, filled_in: Mapping[str, object]) -> Dialog:
    values = {"found": webhook, "filled_in": filled_in, "offered": [kind.value for kind in EventKind]}
    back = link(request, "webhooks", *([webhook.id] if webhook else []))
    return Dialog("webhooks/form-dialog.html", back, values, version_of(_stored(webhook)) if webhook else "")


def _stored(webhook: Webhook) -> WebhookForm:
    return {"name": webhook.name, "url": webhook.url, "kinds": [kind.value for kind in webhook.kinds]}


def _sent(request: FormRequest) -> WebhookForm:
    return {
        "name": request.value("name") or "",
        "url": request.value("url") or "",
        "kinds": list(request.values("kinds")),
    }


def _kinds(request: FormRequest) -> list[EventKind]:
    """What the form says. Raises Invalid."""
    try:
        return [EventKind(value) for value in request.values("kinds")]
    except ValueError:
        raise Invalid("kinds", "contains an unknown event.") from None
