"""What a reference leads to: an id, or else a login, a key or a name.

No new name has the form of an id (`validation.not_an_id`), but older ones may. So whatever has that form is an id,
maybe of something that is gone, and names only what is called exactly so, letter by letter.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import is_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.access.account import User
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.ports import AccountStore, GroupStore, RoleStore
    from chalicelib.core.access.role import Role

T = TypeVar("T")


def account(accounts: AccountStore, reference: str) -> User | None:
    """The account with this id or login. The caller asks for who may know; so below."""
    if not validation.could_be_identifier(reference):
        return None
    return accounts.get(reference) or account_called(accounts, reference)


def account_called(accounts: AccountStore, login: str) -> User | None:
    """The account with this login."""
    return (
        called(login, accounts.find_by_login, lambda user: user.login)
        if validation.could_be_identifier(login)
        else None
    )


def group(groups: GroupStore, reference: str) -> Group | None:
    """The group with this id or name."""
    return _group_with_id(groups, reference) or group_called(groups, reference)


def group_called(groups: GroupStore, name: str) -> Group | None:
    """The group with this name."""
    with contextlib.suppress(Invalid):  # what cannot be a name names no group
        return called(validation.name(name), groups.find_by_name, lambda group: group.name)
    return None


def account_or_group_with_id(accounts: AccountStore, groups: GroupStore, id: str) -> User | Group | None:
    """Where either can stand, this comes before any name: a group's id must not lead to an account that is called like
    it."""
    return (accounts.get(id) if validation.could_be_identifier(id) else None) or _group_with_id(groups, id)


def role(roles: RoleStore, reference: str) -> Role | None:
    """The role with this id or key."""
    if not validation.could_be_identifier(reference):
        return None
    return roles.get(reference) or called(reference, roles.find_by_key, lambda role: role.key)


def _group_with_id(groups: GroupStore, id: str) -> Group | None:
    return groups.get(id) if validation.could_be_identifier(id) else None


def called(name: str, find: Callable[[str], T | None], name_of: Callable[[T], str]) -> T | None:
    """What `find` finds by this name; what has the form of an id names only what is called exactly so."""
    found = find(name)
    return None if found is not None and is_id(name) and name_of(found) != name else found
