"""Accounts, and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.core.access.account import AccountType, Owner, OwnerKind, User
from chalicelib.core.access.role import Grant
from chalicelib.core.common import validation
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item

if TYPE_CHECKING:
    from chalicelib.core.access.group import Group

USERS = "USERS"
GRANTS = "GRANTS"  # of accounts and groups, by role
BY_NAME = "USERS#NAME"  # the same accounts; their number is that of USERS
BETWEEN = "\x1f"  # name and login in a position of BY_NAME: no name holds it
TRAITS = {"bot": "USERS#BOT", "banned": "USERS#BANNED", "ownerless": "USERS#OWNERLESS"}


def owned_by(owner_id: str) -> str:
    """The collection of an owner's bots."""
    return f"OWNED#{owner_id}"


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
    owner = UnicodeAttribute(null=True)  # kind and id
    description = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    groups = UnicodeSetAttribute(null=True)
    password_epoch = NumberAttribute(null=True)
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
            owner=f"{user.owner.kind.value} {user.owner.id}" if user.owner else None,
            description=user.description,
            email=user.email,
            groups=set(user.groups) or None,
            password_epoch=user.password_epoch or None,
            revision=user.revision,
            collection=USERS,
            position=validation.login_key(user.login),
        )

    def to_user(self) -> User:
        owner = None
        if self.owner is not None:
            kind, _, id = self.owner.partition(" ")
            owner = Owner(OwnerKind(kind), id)
        return User(
            id=self.id,
            login=self.login,
            name=self.name,
            type=AccountType(self.type),
            created=int(self.created),
            banned=self.banned,
            ban_reason=self.ban_reason,
            owner=owner,
            description=self.description,
            email=self.email,
            groups=frozenset(self.groups or ()),
            password_epoch=int(self.password_epoch or 0),
            revision=int(self.revision),
        )


class IndexEntryItem(Item, discriminator="entry"):
    """The account in whose partition this is, is in one collection more than the one of all accounts."""

    @classmethod
    def of(cls, user_id: str, collection: str, position: str) -> IndexEntryItem:
        return cls(*keys.entry(user_id, collection), collection=collection, position=position)


def entries_of(user: User) -> dict[str, str]:
    """The collections in which an account is found besides USERS, and its position in each."""
    login = validation.login_key(user.login)
    entries = {BY_NAME: f"{keys.sortable(user.name)}{BETWEEN}{login}"}
    if user.type is AccountType.BOT:
        entries[TRAITS["bot"]] = login
        entries[owned_by(user.owner.id) if user.owner else TRAITS["ownerless"]] = login
    if user.banned:
        entries[TRAITS["banned"]] = login
    return entries


class GrantItem(Item, discriminator="grant"):
    holder_id = UnicodeAttribute()
    role_id = UnicodeAttribute()
    scope_id = UnicodeAttribute(attr_name="place")

    @classmethod
    def of(cls, grant: Grant) -> Self:
        return cls(
            *cls.key_of(grant),
            holder_id=grant.holder_id,
            role_id=grant.role_id,
            scope_id=grant.scope_id,
            collection=GRANTS,
            position=f"{grant.role_id}{BETWEEN}{grant.holder_id}",
        )

    @staticmethod
    def key_of(grant: Grant) -> keys.Key:
        return keys.grant(grant.holder_id, grant.key)

    def to_grant(self) -> Grant:
        return Grant(self.holder_id, self.role_id, self.scope_id)


class GroupGrantItem(GrantItem, discriminator="group-grant"):
    """A grant of a group, to be listed; what counts are the grants in the group itself, written with it."""

    @staticmethod
    def key_of(grant: Grant) -> keys.Key:
        return keys.group_grant(grant.holder_id, grant.key)


class MemberItem(Item, discriminator="member"):
    """The account in whose partition this is, is directly in the group."""

    group_id = UnicodeAttribute()

    @classmethod
    def of(cls, group: Group, user: User) -> MemberItem:
        return cls(
            *keys.member(user.id, group.id),
            group_id=group.id,
            collection=members_of(group.id),
            position=validation.login_key(user.login),
        )
