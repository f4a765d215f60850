"""Accounts, and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.core import names
from chalicelib.core.accounts import AccountType, User
from chalicelib.core.roles import Grant
from chalicelib.storage import keys
from chalicelib.storage.table import Item

if TYPE_CHECKING:
    from chalicelib.core.groups import Group

USERS = "USERS"


def members_of(group_id: str) -> str:
    """The collection of a group's members."""
    return f"MEMBERS#{group_id}"


class UserItem(Item, discriminator="user"):
    id = UnicodeAttribute()
    login = UnicodeAttribute()
    name = UnicodeAttribute()
    type = UnicodeAttribute()
    created = NumberAttribute()
    banned = BooleanAttribute()
    ban_reason = UnicodeAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, user: User) -> UserItem:
        return cls(
            *keys.user(user.id),
            id=user.id,
            login=user.login,
            name=user.name,
            type=user.type.value,
            created=user.created,
            banned=user.banned,
            ban_reason=user.ban_reason,
            revision=user.revision,
            collection=USERS,
            position=names.login_key(user.login),
        )

    def to_user(self) -> User:
        return User(
            id=self.id,
            login=self.login,
            name=self.name,
            type=AccountType(self.type),
            created=int(self.created),
            banned=self.banned,
            ban_reason=self.ban_reason,
            revision=int(self.revision),
        )


class GrantItem(Item, discriminator="grant"):
    holder_id = UnicodeAttribute()
    role_id = UnicodeAttribute()
    place = UnicodeAttribute()

    @classmethod
    def of(cls, grant: Grant) -> GrantItem:
        return cls(
            *keys.grant(grant.holder_id, grant.id), holder_id=grant.holder_id, role_id=grant.role_id, place=grant.place
        )

    def to_grant(self) -> Grant:
        return Grant(self.holder_id, self.role_id, self.place)


class MemberItem(Item, discriminator="member"):
    """The account in whose partition this is, is directly in the group."""

    group_id = UnicodeAttribute()

    @classmethod
    def of(cls, group: Group, user: User) -> MemberItem:
        return cls(
            *keys.member(user.id, group.id), group_id=group.id, collection=members_of(group.id), position=user.id
        )
