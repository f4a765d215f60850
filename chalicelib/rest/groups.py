"""`/usergroups`: groups and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from chalicelib.core.operations.groups import OUTERMOST, GroupDescription
from chalicelib.rest.bodies import GroupChange, NewGroup, Reference
from chalicelib.rest.endpoint import Call, Searchable, operation
from chalicelib.rest.refusals import answer
from chalicelib.rest.shapes import GROUP, USER
from chalicelib.rest.users import ACCOUNT, account_views

if TYPE_CHECKING:
    from chalice.app import Response


@operation(GROUP, collection="usergroups", search=Searchable(("name",), (), ("name",)))
def list_groups(call: Call) -> Response:
    window, search = call.window(), call.search()
    page = call.keyturn.groups.page(call.caller(), window, search)
    return call.many(page.items, window, page.total)


@operation(GROUP, body=NewGroup, creates=True)
def create_group(call: Call) -> Response:
    caller = call.caller()
    description = _description(call.body(NewGroup))
    groups = call.keyturn.groups
    return call.create(caller, lambda by: groups.create(by, description), lambda id: groups.get(caller, id))


@operation(GROUP)
def get_group(call: Call, group: str) -> Response:
    return call.one(call.keyturn.groups.get(call.caller(), group))


@operation(GROUP, body=GroupChange)
def update_group(call: Call, group: str) -> Response:
    caller = call.caller()
    return call.one(call.keyturn.groups.update(caller, group, _description(call.body(GroupChange))))


@operation()
def delete_group(call: Call, group: str) -> Response:
    call.keyturn.groups.delete(call.caller(), group)
    return answer({})


@operation(ACCOUNT, collection="users", search=Searchable(("login", "name"), ("banned", "bot"), ("login", "name")))
def list_members(call: Call, group: str) -> Response:
    window, search = call.window(), call.search()
    caller = call.caller()
    page = call.keyturn.groups.members(caller, group, window, search)
    return call.many(account_views(call, caller, page.items), window, page.total)


@operation(USER, body=Reference)
def add_member(call: Call, group: str) -> Response:
    caller = call.caller()
    return call.one(call.keyturn.groups.add_member(caller, group, call.body(Reference).text("id")))


@operation()
def remove_member(call: Call, group: str, user: str) -> Response:
    call.keyturn.groups.remove_member(call.caller(), group, user)
    return answer({})


def _description(body: GroupChange) -> GroupDescription:
    parent = None
    if body.parent is None:
        parent = OUTERMOST
    elif body.parent is not UNSET:
        parent = body.parent.text("parent")
    return GroupDescription(body.name, parent, body.required_two_factor_authentication)
