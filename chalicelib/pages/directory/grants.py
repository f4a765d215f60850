"""Roles given to an account or to the members of a group, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.identifiers import EVERYWHERE
from chalicelib.core.common.paging import Window
from chalicelib.pages.directory.access import access_page
from chalicelib.pages.directory.account import read
from chalicelib.pages.directory.groups import group_page
from chalicelib.pages.frame.render import Dialog, link, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import FormRequest

OFFERED = Window(0, 500)  # roles and services to choose from


@for_users
def ask_for_user(request: FormRequest, caller: Caller, user: str) -> Response:
    """Which role, and where?"""
    account = read(request, caller, user)
    caller.check(Operation.GRANT_ROLE, account.id)
    back = link(request, "users", account.id, "access")
    return access_page(request, caller, account, _grant_dialog(request, caller, account.name, back))


@form
def grant_to_user(request: FormRequest, caller: Caller, user: str) -> Response:
    """The account has the role."""
    account = read(request, caller, user)
    back = link(request, "users", account.id, "access")

    def do() -> Response:
        request.keyturn.roles.grant(caller, account.id, *_chosen(request))
        return redirect(request, "users", account.id, "access", done="role-granted")

    return unless_refused(
        do,
        lambda problem: access_page(
            request, caller, account, _grant_dialog(request, caller, account.name, back), problem
        ),
    )


@for_users
def ask_revoke_from_user(request: FormRequest, caller: Caller, user: str, grant: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    caller.check(Operation.REVOKE_ROLE, account.id)
    dialog = _revoke_dialog(account.name, link(request, "users", account.id, "access"), grant)
    return access_page(request, caller, account, dialog)


@form
def revoke_from_user(request: FormRequest, caller: Caller, user: str, grant: str) -> Response:
    """The account no longer has it."""
    account = read(request, caller, user)

    def do() -> Response:
        request.keyturn.roles.revoke(caller, account.id, grant)
        return redirect(request, "users", account.id, "access", done="role-revoked")

    dialog = _revoke_dialog(account.name, link(request, "users", account.id, "access"), grant)
    return unless_refused(do, lambda problem: access_page(request, caller, account, dialog, problem))


@for_users
def ask_for_group(request: FormRequest, caller: Caller, group: str) -> Response:
    """Which role, and where?"""
    found = request.keyturn.groups.get(caller, group)
    caller.check(Operation.GRANT_ROLE)
    dialog = _grant_dialog(request, caller, found.name, link(request, "groups", found.id))
    return group_page(request, caller, found, dialog)


@form
def grant_to_group(request: FormRequest, caller: Caller, group: str) -> Response:
    """Its members have the role."""
    found = request.keyturn.groups.get(caller, group)

    def do() -> Response:
        request.keyturn.roles.grant_to_group(caller, found.id, *_chosen(request))
        return redirect(request, "groups", found.id, done="role-granted")

    dialog = _grant_dialog(request, caller, found.name, link(request, "groups", found.id))
    return unless_refused(do, lambda problem: group_page(request, caller, found, dialog, problem))


@for_users
def ask_revoke_from_group(request: FormRequest, caller: Caller, group: str, grant: str) -> Response:
    """The confirmation."""
    found = request.keyturn.groups.get(caller, group)
    caller.check(Operation.REVOKE_ROLE)
    return group_page(request, caller, found, _revoke_dialog(found.name, link(request, "groups", found.id), grant))


@form
def revoke_from_group(request: FormRequest, caller: Caller, group: str, grant: str) -> Response:
    """Its members no longer have it, from here."""
    found = request.keyturn.groups.get(caller, group)
    request.keyturn.roles.revoke_from_group(caller, found.id, grant)
    return redirect(request, "groups", found.id, done="role-revoked")


def _chosen(request: FormRequest) -> tuple[str, str]:
    return request.value("role") or "", request.value("place") or EVERYWHERE


def _grant_dialog(request: FormRequest, caller: Caller, holder: str, back: str) -> Dialog:
    values = {
        "holder": holder,
        "roles": request.keyturn.roles.page(caller, OFFERED).items,
        "places": request.keyturn.services.page(caller, OFFERED).items,
        "chosen_role": request.value("role"),
        "chosen_place": request.value("place"),
    }
    return Dialog("grants/grant-dialog.html", back, values)


def _revoke_dialog(holder: str, back: str, grant: str) -> Dialog:
    return Dialog("grants/revoke-dialog.html", back, {"holder": holder, "grant": grant})
