"""What a service or a group demands of permanent tokens: filled in, looked at, and only then switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Operation
from chalicelib.core.errors import Invalid
from chalicelib.core.operations.policies import setting_policy_of
from chalicelib.core.policies import LONGEST_DAYS, WHEN_KNOWN_TO_OTHERS, WHEN_UNUSED, Consequence, Policy
from chalicelib.pages.groups import group_page
from chalicelib.pages.render import Dialog, link, redirect
from chalicelib.pages.services import service_page
from chalicelib.pages.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Response

    from chalicelib.core.caller import Caller
    from chalicelib.core.errors import Refusal
    from chalicelib.core.operations.policies import Preview
    from chalicelib.message import Message

    Show = Callable[[Dialog, Refusal | None], Response]

DAYS = ("longestLifeDays", "rotationDueDays", "unusedDays")
CONSEQUENCES = {"unused": WHEN_UNUSED, "reused": WHEN_KNOWN_TO_OTHERS, "leaked": WHEN_KNOWN_TO_OTHERS}
SHOWN = 100  # tokens of a preview


@for_users
def ask_for_service(message: Message, caller: Caller, service: str) -> Response:
    """The form with what is demanded."""
    found = message.keyturn.services.get(caller, service)
    caller.check(setting_policy_of(found), place=found.id)
    return service_page(message, caller, found, _form(message, "services", found.id, _filled(found.policy)))


@form
def set_for_service(message: Message, caller: Caller, service: str) -> Response:
    """What it would do; or, once that was seen, switch it on."""
    found = message.keyturn.services.get(caller, service)
    policies = message.keyturn.lifecycle.policies
    return _step(
        message,
        "services",
        found.id,
        lambda dialog, problem: service_page(message, caller, found, dialog, problem),
        lambda policy: policies.preview_for_service(caller, found.id, policy, None),
        lambda policy: policies.set_for_service(caller, found.id, policy),
    )


@for_users
def ask_for_group(message: Message, caller: Caller, group: str) -> Response:
    """The form with what is demanded."""
    found = message.keyturn.groups.get(caller, group)
    caller.check(Operation.SET_GROUP_POLICY)
    return group_page(message, caller, found, _form(message, "groups", found.id, _filled(found.policy)))


@form
def set_for_group(message: Message, caller: Caller, group: str) -> Response:
    """As for a service."""
    found = message.keyturn.groups.get(caller, group)
    policies = message.keyturn.lifecycle.policies
    return _step(
        message,
        "groups",
        found.id,
        lambda dialog, problem: group_page(message, caller, found, dialog, problem),
        lambda policy: policies.preview_for_group(caller, found.id, policy, None),
        lambda policy: policies.set_for_group(caller, found.id, policy),
    )


def _step(
    message: Message,
    kind: str,
    id: str,
    show: Show,
    preview: Callable[[Policy], Preview],
    switch: Callable[[Policy | None], object],
) -> Response:
    filled = {name: message.value(name) or "" for name in (*DAYS, *CONSEQUENCES)}

    def do() -> Response:
        if message.value("step") == "remove":
            switch(None)
            return redirect(message, kind, id, done="policy-removed")
        policy = _policy(filled)
        if message.value("step") == "confirm":
            switch(policy)
            return redirect(message, kind, id, done="policy-set")
        return show(_preview(message, kind, id, filled, preview(policy)), None)

    return unless_refused(do, lambda problem: show(_form(message, kind, id, filled), problem))


def _form(message: Message, kind: str, id: str, filled: dict[str, str]) -> Dialog:
    values = {"filled": filled, "consequences": CONSEQUENCES, "most": LONGEST_DAYS}
    return Dialog("policies/form-dialog.html", link(message, kind, id), values)


def _preview(message: Message, kind: str, id: str, filled: dict[str, str], preview: Preview) -> Dialog:
    values = {"filled": filled, "preview": preview, "shown": preview.affected[:SHOWN]}
    return Dialog("policies/preview-dialog.html", link(message, kind, id, "policy"), values)


def _filled(policy: Policy | None) -> dict[str, str]:
    policy = policy or Policy()
    days = (policy.longest_life_days, policy.rotation_due_days, policy.unused_days)
    consequences = (policy.unused, policy.reused, policy.leaked)
    texts = ["" if each is None else str(each) for each in days] + [each.value for each in consequences]
    return dict(zip((*DAYS, *CONSEQUENCES), texts, strict=True))


def _policy(filled: dict[str, str]) -> Policy:
    """Raises Invalid."""
    life, rotation, unused = (_days(filled, name) for name in DAYS)
    return Policy(life, rotation, unused, *(_consequence(filled, name) for name in CONSEQUENCES))


def _days(filled: dict[str, str], name: str) -> int | None:
    text = filled[name]
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(name, f"must be a whole number of days from 1 to {LONGEST_DAYS}.")
    return int(text) if text else None


def _consequence(filled: dict[str, str], name: str) -> Consequence:
    for each in CONSEQUENCES[name]:
        if each.value == filled[name]:
            return each
    raise Invalid(name, "must be one of those that are offered.")
