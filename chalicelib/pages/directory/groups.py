"""Administration › Access Management › Groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Search
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from chalicelib.pages.directory.policy_fields import filled_in
from chalicelib.pages.directory.service_names import Names
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.paging import Pager, window
from chalicelib.pages.frame.render import Dialog, link, page, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group
    from chalicelib.core.common.errors import Refusal
    from chalicelib.web.request import FormRequest

OFFERED = Window(0, 500)  # groups to choose from


@for_users
def show_groups(request: FormRequest, caller: Caller) -> Response:
    """All groups, or those that are searched for."""
    return _groups_page(request, caller)


@for_users
def ask_new(request: FormRequest, caller: Caller) -> Response:
    """The form of a new group."""
    caller.check(Operation.CREATE_GROUP)
    return _groups_page(request, caller, _form_dialog(request, caller, None, {}))


@form
def create(request: FormRequest, caller: Caller) -> Response:
    """The new group, on its own page."""

    def do() -> Response:
        made = request.keyturn.groups.create(caller, _description(request))
        return redirect(request, "groups", made.id, done="group-created")

    return unless_refused(
        do,
        lambda problem: _groups_page(request, caller, _form_dialog(request, caller, None, _sent(request)), problem),
    )


@for_users
def show_group(request: FormRequest, caller: Caller, group: str) -> Response:
    """Who is in it, and what that gives."""
    return group_page(request, caller, request.keyturn.groups.get(caller, group))


@for_users
def ask_edit(request: FormRequest, caller: Caller, group: str) -> Response:
    """The form with what can be changed."""
    found = request.keyturn.groups.get(caller, group)
    caller.check(Operation.UPDATE_GROUP)
    return group_page(request, caller, found, _form_dialog(request, caller, found, _shown(found)))


@form
def edit(request: FormRequest, caller: Caller, group: str) -> Response:
    """Change it."""

    def write(found: Group) -> Response:
        request.keyturn.groups.update(caller, found.id, _description(request, found), found.revision)
        return redirect(request, "groups", found.id, done="group-changed")

    return Edit(
        lambda: request.keyturn.groups.get(caller, group),
        _shown,
        _sent(request),
        write,
        lambda found, values, problem: group_page(
            request, caller, found, _form_dialog(request, caller, found, values), problem
        ),
    ).answer(request)


@for_users
def ask_delete(request: FormRequest, caller: Caller, group: str) -> Response:
    """The confirmation."""
    found = request.keyturn.groups.get(caller, group)
    caller.check(Operation.DELETE_GROUP)
    return group_page(request, caller, found, _dialog(request, found, "delete"))


@form
def delete(request: FormRequest, caller: Caller, group: str) -> Response:
    """It is gone, and what it gave."""
    found = request.keyturn.groups.get(caller, group)

    def do() -> Response:
        request.keyturn.groups.delete(caller, found.id)
        return redirect(request, "groups", done="group-deleted")

    return unless_refused(
        do, lambda problem: group_page(request, caller, found, _dialog(request, found, "delete"), problem)
    )


@for_users
def ask_member(request: FormRequest, caller: Caller, group: str) -> Response:
    """Who?"""
    found = request.keyturn.groups.get(caller, group)
    caller.check(Operation.ADD_MEMBER)
    return group_page(request, caller, found, _dialog(request, found, "member", login=""))


@form
def add_member(request: FormRequest, caller: Caller, group: str) -> Response:
    """The account is in the group."""
    found = request.keyturn.groups.get(caller, group)
    login = request.value("login") or ""

    def do() -> Response:
        request.keyturn.groups.add_member(caller, found.id, login)
        return redirect(request, "groups", found.id, done="member-added")

    return unless_refused(
        do, lambda problem: group_page(request, caller, found, _dialog(request, found, "member", login=login), problem)
    )


@for_users
def ask_remove(request: FormRequest, caller: Caller, group: str, user: str) -> Response:
    """The confirmation."""
    found = request.keyturn.groups.get(caller, group)
    member = request.keyturn.groups.member(caller, found.id, user)
    return group_page(request, caller, found, _dialog(request, found, "remove", member=member))


@form
def remove_member(request: FormRequest, caller: Caller, group: str, user: str) -> Response:
    """The account is not in the group any more."""
    found = request.keyturn.groups.get(caller, group)
    request.keyturn.groups.remove_member(caller, found.id, user)
    return redirect(request, "groups", found.id, done="member-removed")


def group_page(
    request: FormRequest, caller: Caller, group: Group, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """A group's page, or a dialog on it."""
    asked = window(request)
    members = request.keyturn.groups.members(caller, group.id, asked)
    grants = request.keyturn.roles.grants_of_group(caller, group.id)
    values = {
        "group": group,
        "policy_version": version_of(filled_in(group.policy)),
        "parent": request.keyturn.groups.outer_of([group]).get(group.parent_id or ""),
        "members": members.items,
        "pager": Pager(asked, members.total),
        "grants": grants,
        "names": Names(request, caller, None, (), (grant.scope_id for grant, _ in grants)),
    }
    return page(request, "groups/group", values, caller=caller, dialog=dialog, problem=problem)


def _groups_page(
    request: FormRequest, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    asked, q = window(request), request.asked("q") or ""
    search = Search(terms={"name": f"{q}*"}) if q else EVERYTHING
    found = request.keyturn.groups.page(caller, asked, search)
    outer = request.keyturn.groups.outer_of(found.items)
    values = {"groups": found.items, "outer": outer, "pager": Pager(asked, found.total), "q": q}
    return page(request, "groups/list", values, caller=caller, dialog=dialog, problem=problem)


def _dialog(request: FormRequest, group: Group, name: str, **values: object) -> Dialog:
    return Dialog(f"groups/{name}-dialog.html", link(request, "groups", group.id), values)


def _form_dialog(request: FormRequest, caller: Caller, group: Group | None, filled_in: Mapping[str, object]) -> Dialog:
    groups = {each.id: each for each in request.keyturn.groups.page(caller, OFFERED).items}
    if group:  # also one that is not among those that are offered stays what it is inside of
        groups.update(request.keyturn.groups.outer_of([group]))
    others = [each for each in groups.values() if group is None or each.id != group.id]
    values = {"filled_in": {"name": "", "parent": "", "required": False, **filled_in}, "others": others, "found": group}
    back = link(request, "groups", *([group.id] if group else []))
    return Dialog("groups/form-dialog.html", back, values, version_of(_shown(group)) if group else "")


def _shown(group: Group) -> dict[str, object]:
    return {"name": group.name, "parent": group.parent_id or "", "required": group.requires_two_factor}


def _sent(request: FormRequest) -> dict[str, object]:
    required = request.value("required") is not None
    return {"name": request.value("name") or "", "parent": request.value("parent") or "", "required": required}


def _description(request: FormRequest, old: Group | None = None) -> GroupDescription:
    parent = request.value("parent") or OUTERMOST
    unchanged = old is not None and (old.parent_id or OUTERMOST) == parent
    return GroupDescription(
        request.value("name") or "", None if unchanged else parent, request.value("required") is not None
    )
