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
    from chalicelib.web.request import Message

OFFERED = Window(0, 500)  # groups to choose from


@for_users
def show_groups(message: Message, caller: Caller) -> Response:
    """All groups, or those that are searched for."""
    return _groups_page(message, caller)


@for_users
def ask_new(message: Message, caller: Caller) -> Response:
    """The form of a new group."""
    caller.check(Operation.CREATE_GROUP)
    return _groups_page(message, caller, _form_dialog(message, caller, None, {}))


@form
def create(message: Message, caller: Caller) -> Response:
    """The new group, on its own page."""

    def do() -> Response:
        made = message.keyturn.groups.create(caller, _description(message))
        return redirect(message, "groups", made.id, done="group-created")

    return unless_refused(
        do,
        lambda problem: _groups_page(message, caller, _form_dialog(message, caller, None, _sent(message)), problem),
    )


@for_users
def show_group(message: Message, caller: Caller, group: str) -> Response:
    """Who is in it, and what that gives."""
    return group_page(message, caller, message.keyturn.groups.get(caller, group))


@for_users
def ask_edit(message: Message, caller: Caller, group: str) -> Response:
    """The form with what can be changed."""
    found = message.keyturn.groups.get(caller, group)
    caller.check(Operation.UPDATE_GROUP)
    return group_page(message, caller, found, _form_dialog(message, caller, found, _shown(found)))


@form
def edit(message: Message, caller: Caller, group: str) -> Response:
    """Change it."""

    def write(found: Group) -> Response:
        message.keyturn.groups.update(caller, found.id, _description(message, found), found.revision)
        return redirect(message, "groups", found.id, done="group-changed")

    return Edit(
        lambda: message.keyturn.groups.get(caller, group),
        _shown,
        _sent(message),
        write,
        lambda found, values, problem: group_page(
            message, caller, found, _form_dialog(message, caller, found, values), problem
        ),
    ).answer(message)


@for_users
def ask_delete(message: Message, caller: Caller, group: str) -> Response:
    """The confirmation."""
    found = message.keyturn.groups.get(caller, group)
    caller.check(Operation.DELETE_GROUP)
    return group_page(message, caller, found, _dialog(message, found, "delete"))


@form
def delete(message: Message, caller: Caller, group: str) -> Response:
    """It is gone, and what it gave."""
    found = message.keyturn.groups.get(caller, group)

    def do() -> Response:
        message.keyturn.groups.delete(caller, found.id)
        return redirect(message, "groups", done="group-deleted")

    return unless_refused(
        do, lambda problem: group_page(message, caller, found, _dialog(message, found, "delete"), problem)
    )


@for_users
def ask_member(message: Message, caller: Caller, group: str) -> Response:
    """Who?"""
    found = message.keyturn.groups.get(caller, group)
    caller.check(Operation.ADD_MEMBER)
    return group_page(message, caller, found, _dialog(message, found, "member", login=""))


@form
def add_member(message: Message, caller: Caller, group: str) -> Response:
    """The account is in the group."""
    found = message.keyturn.groups.get(caller, group)
    login = message.value("login") or ""

    def do() -> Response:
        message.keyturn.groups.add_member(caller, found.id, login)
        return redirect(message, "groups", found.id, done="member-added")

    return unless_refused(
        do, lambda problem: group_page(message, caller, found, _dialog(message, found, "member", login=login), problem)
    )


@for_users
def ask_remove(message: Message, caller: Caller, group: str, user: str) -> Response:
    """The confirmation."""
    found = message.keyturn.groups.get(caller, group)
    member = message.keyturn.groups.member(caller, found.id, user)
    return group_page(message, caller, found, _dialog(message, found, "remove", member=member))


@form
def remove_member(message: Message, caller: Caller, group: str, user: str) -> Response:
    """The account is not in the group any more."""
    found = message.keyturn.groups.get(caller, group)
    message.keyturn.groups.remove_member(caller, found.id, user)
    return redirect(message, "groups", found.id, done="member-removed")


def group_page(
    message: Message, caller: Caller, group: Group, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """A group's page, or a dialog on it."""
    asked = window(message)
    members = message.keyturn.groups.members(caller, group.id, asked)
    grants = message.keyturn.roles.grants_of_group(caller, group.id)
    values = {
        "group": group,
        "policy_version": version_of(filled_in(group.policy)),
        "parent": message.keyturn.groups.outer_of([group]).get(group.parent_id or ""),
        "members": members.items,
        "pager": Pager(asked, members.total),
        "grants": grants,
        "names": Names(message, caller, None, (), (grant.scope_id for grant, _ in grants)),
    }
    return page(message, "groups/group", values, caller=caller, dialog=dialog, problem=problem)


def _groups_page(
    message: Message, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    asked, q = window(message), message.asked("q") or ""
    search = Search(terms={"name": f"{q}*"}) if q else EVERYTHING
    found = message.keyturn.groups.page(caller, asked, search)
    outer = message.keyturn.groups.outer_of(found.items)
    values = {"groups": found.items, "outer": outer, "pager": Pager(asked, found.total), "q": q}
    return page(message, "groups/list", values, caller=caller, dialog=dialog, problem=problem)


def _dialog(message: Message, group: Group, name: str, **values: object) -> Dialog:
    return Dialog(f"groups/{name}-dialog.html", link(message, "groups", group.id), values)


def _form_dialog(message: Message, caller: Caller, group: Group | None, filled_in: Mapping[str, object]) -> Dialog:
    groups = {each.id: each for each in message.keyturn.groups.page(caller, OFFERED).items}
    if group:  # also one that is not among those that are offered stays what it is inside of
        groups.update(message.keyturn.groups.outer_of([group]))
    others = [each for each in groups.values() if group is None or each.id != group.id]
    values = {"filled_in": {"name": "", "parent": "", "required": False, **filled_in}, "others": others, "found": group}
    back = link(message, "groups", *([group.id] if group else []))
    return Dialog("groups/form-dialog.html", back, values, version_of(_shown(group)) if group else "")


def _shown(group: Group) -> dict[str, object]:
    return {"name": group.name, "parent": group.parent_id or "", "required": group.requires_two_factor}


def _sent(message: Message) -> dict[str, object]:
    required = message.value("required") is not None
    return {"name": message.value("name") or "", "parent": message.value("parent") or "", "required": required}


def _description(message: Message, old: Group | None = None) -> GroupDescription:
    parent = message.value("parent") or OUTERMOST
    unchanged = old is not None and (old.parent_id or OUTERMOST) == parent
    return GroupDescription(
        message.value("name") or "", None if unchanged else parent, message.value("required") is not None
    )
