"""What a service or a group demands of permanent tokens: filled in, looked at, and only then switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.access.rules import Operation
from chalicelib.core.access.token_policy import LONGEST_DAYS
from chalicelib.core.tokens.policies import setting_policy_of
from chalicelib.pages.directory.groups import group_page
from chalicelib.pages.directory.policy_fields import CONSEQUENCES, DAYS, filled_in, policy_of
from chalicelib.pages.directory.services import service_page
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.render import Dialog, link, redirect
from chalicelib.pages.frame.views import for_users, form

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.directory.service import Service
    from chalicelib.core.tokens.policies import Preview
    from chalicelib.web.request import FormRequest

    Body = Service | Group

B = TypeVar("B", bound="Body")  # what has a policy

SHOWN = 100  # tokens of a preview


@for_users
def ask_for_service(request: FormRequest, caller: Caller, service: str) -> Response:
    """The form with what is demanded."""
    found = request.keyturn.services.get(caller, service)
    caller.check(setting_policy_of(found), scope_id=found.id)
    return service_page(request, caller, found, _form(request, "services", found, filled_in(found.policy)))


@form
def set_for_service(request: FormRequest, caller: Caller, service: str) -> Response:
    """What it would do; or, once that was seen, switch it on."""
    policies = request.keyturn.lifecycle.policies
    return _step(
        request,
        "services",
        lambda: request.keyturn.services.get(caller, service),
        lambda found, dialog, problem: service_page(request, caller, found, dialog, problem),
        lambda found, policy: policies.preview_for_service(caller, found.id, policy, None),
        lambda found, policy: policies.set_for_service(caller, found.id, policy, found.revision),
    )


@for_users
def ask_for_group(request: FormRequest, caller: Caller, group: str) -> Response:
    """The form with what is demanded."""
    found = request.keyturn.groups.get(caller, group)
    caller.check(Operation.SET_GROUP_POLICY)
    return group_page(request, caller, found, _form(request, "groups", found, filled_in(found.policy)))


@form
def set_for_group(request: FormRequest, caller: Caller, group: str) -> Response:
    """As for a service."""
    policies = request.keyturn.lifecycle.policies
    return _step(
        request,
        "groups",
        lambda: request.keyturn.groups.get(caller, group),
        lambda found, dialog, problem: group_page(request, caller, found, dialog, problem),
        lambda found, policy: policies.preview_for_group(caller, found.id, policy, None),
        lambda found, policy: policies.set_for_group(caller, found.id, policy, found.revision),
    )


def _step(
    request: FormRequest,
    kind: str,
    read: Callable[[], B],
    show: Callable[[B, Dialog, Refusal | None], Response],
    preview: Callable[[B, Policy], Preview],
    switch: Callable[[B, Policy | None], object],
) -> Response:
    filled = {name: request.value(name) or "" for name in (*DAYS, *CONSEQUENCES)}

    def step(found: B) -> Response:
        if request.value("step") == "remove":
            switch(found, None)
            return redirect(request, kind, found.id, done="policy-removed")
        policy = policy_of(filled)
        if request.value("step") == "confirm":
            switch(found, policy)
            return redirect(request, kind, found.id, done="policy-set")
        return show(found, _preview(request, kind, found, filled, preview(found, policy)), None)

    return Edit(
        read,
        lambda found: filled_in(found.policy),
        filled,
        step,
        lambda found, values, problem: show(found, _form(request, kind, found, values), problem),
    ).answer(request)


def _form(request: FormRequest, kind: str, found: Body, filled: dict[str, str]) -> Dialog:
    values = {"filled": filled, "consequences": CONSEQUENCES, "most": LONGEST_DAYS}
    version = version_of(filled_in(found.policy))
    return Dialog("policies/form-dialog.html", link(request, kind, found.id), values, version)


def _preview(request: FormRequest, kind: str, found: Body, filled: dict[str, str], preview: Preview) -> Dialog:
    values = {"filled": filled, "preview": preview, "shown": preview.affected[:SHOWN]}
    back = link(request, kind, found.id, "policy")
    return Dialog("policies/preview-dialog.html", back, values, version_of(filled_in(found.policy)))
