"""`/usergroups`: groups and their members."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import UNSET

from chalicelib.core.common.paging import Window
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from chalicelib.rest.contract.bodies import Reference
from chalicelib.rest.contract.contracts import Searchable
from chalicelib.rest.contract.endpoint import MAX_TOP, Call, operation
from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import USER
from chalicelib.rest.directory.access_shapes import PROJECT_ROLE
from chalicelib.rest.directory.group_bodies import GroupChange, NewGroup
from chalicelib.rest.directory.group_shapes import GROUP, HUBS_OF_GROUPS, GroupView
from chalicelib.rest.directory.roles import grant_views
from chalicelib.rest.directory.users import ACCOUNT, account_views
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group
    from chalicelib.rest.directory.access_shapes import GrantView
    from chalicelib.rest.directory.users import AccountView


@dataclass(frozen=True, slots=True)
class ListedGroup(GroupView):
    """A group asked for by itself, or in the list of groups: also with what hangs on it, if asked for."""

    call: Call
    caller: Caller

    def users(self) -> list[AccountView]:
        """The first hundred accounts that are directly in it, by login."""
        members = self.call.keyturn.groups.members(self.caller, self.group.id, Window(0, MAX_TOP))
        return account_views(self.call, self.caller, members.items)

    def project_roles(self) -> list[GrantView]:
        """The group's own grants."""
        return grant_views(self.call, self.caller, self.call.keyturn.roles.grants_of_group(self.caller, self.group.id))


LISTED_GROUP = Shape(
    "listedusergroup",
    {
        **GROUP.fields,
        "users": Field(lambda view: view.users(), Kind.MANY, ACCOUNT, in_default=False),
        "projectRoles": Field(lambda view: view.project_roles(), Kind.MANY, PROJECT_ROLE, in_default=False),
    },
    HUBS_OF_GROUPS,
    GROUP.readable,
    GROUP.outline,
)


@operation(LISTED_GROUP, collection="usergroups", search=Searchable(("name",), (), ("name",)))
def list_groups(call: Call) -> Response:
    window, search = call.window(), call.search()
    caller = call.caller()
    page = call.keyturn.groups.page(caller, window, search)
    return call.many(_views(call, caller, page.items), window, page.total)


@operation(LISTED_GROUP, body=NewGroup, creates=True)
def create_group(call: Call) -> Response:
    caller = call.caller()
    description = _description(call.body(NewGroup))
    groups = call.keyturn.groups
    return call.create(
        caller,
        lambda by: _view(call, caller, groups.create(by, description)),
        lambda id: _view(call, caller, groups.get(caller, id)),
    )


@operation(LISTED_GROUP)
def get_group(call: Call, group: str) -> Response:
    caller = call.caller()
    return call.one(_view(call, caller, call.keyturn.groups.get(caller, group)))


@operation(LISTED_GROUP, body=GroupChange)
def update_group(call: Call, group: str) -> Response:
    caller = call.caller()
    updated = call.keyturn.groups.update(caller, group, _description(call.body(GroupChange)))
    return call.one(_view(call, caller, updated))


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


@operation(USER, body=Reference, creates=True)
def add_member(call: Call, group: str) -> Response:
    caller = call.caller()
    user = call.body(Reference).text("id")
    return call.create(
        caller,
        lambda by: call.keyturn.groups.add_member(by, group, user),
        lambda _: call.keyturn.groups.member(caller, group, user),
    )


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


def _views(call: Call, caller: Caller, groups: Sequence[Group]) -> list[ListedGroup]:
    """The groups, and what they are inside of, read together."""
    outer = functools.cache(lambda: call.keyturn.groups.outer_of(groups))
    return [ListedGroup(group, outer, call, caller) for group in groups]


def _view(call: Call, caller: Caller, group: Group) -> ListedGroup:
    return _views(call, caller, [group])[0]
