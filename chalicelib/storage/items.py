"""What each kind of thing looks like in the table, and how it becomes a thing of the core and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.core import names
from chalicelib.core.accounts import AccountType, User
from chalicelib.core.audit import AuditRecord
from chalicelib.core.credentials.sealing import SealedSecret
from chalicelib.core.groups import Group
from chalicelib.core.once import LIFETIME_MS, Once
from chalicelib.core.permanent_tokens import PermanentToken
from chalicelib.core.roles import Grant, Role
from chalicelib.core.services import DeclaredPermission, Service
from chalicelib.storage import keys
from chalicelib.storage.table import Item

USERS, SERVICES, ROLES, GROUPS = "USERS", "SERVICES", "ROLES", "GROUPS"


def acts_of(actor_id: str) -> str:
    """The collection of what an account did."""
    return f"ACTS#{actor_id}"


def members_of(group_id: str) -> str:
    """The collection of a group's members."""
    return f"MEMBERS#{group_id}"


class NameItem(Item, discriminator="name"):
    """A unique name (login, key, token name) is taken by the thing with the id `holder_id`."""

    holder_id = UnicodeAttribute()


class CounterItem(Item, discriminator="counter"):
    """How many there are. Collections count in shards, administrators in one item."""

    members = NumberAttribute(default=0)


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


class TokenItem(Item, discriminator="token"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    name = UnicodeAttribute()
    scope: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    author_id = UnicodeAttribute()
    author_name = UnicodeAttribute()
    created = NumberAttribute()
    argon2id = UnicodeAttribute()
    tag = BinaryAttribute(legacy_encoding=False)
    tag_key_id = UnicodeAttribute()
    revision = NumberAttribute()

    @classmethod
    def of(cls, token: PermanentToken) -> TokenItem:
        return cls(
            *keys.token(token.user_id, token.id),
            id=token.id,
            user_id=token.user_id,
            name=token.name,
            scope=list(token.scope),
            author_id=token.author_id,
            author_name=token.author_name,
            created=token.created,
            argon2id=token.secret.argon2id,
            tag=token.secret.tag,
            tag_key_id=token.secret.tag_key_id,
            revision=token.revision,
        )

    def to_token(self) -> PermanentToken:
        return PermanentToken(
            id=self.id,
            user_id=self.user_id,
            name=self.name,
            scope=tuple(self.scope),
            author_id=self.author_id,
            author_name=self.author_name,
            created=int(self.created),
            secret=SealedSecret(self.argon2id, self.tag, self.tag_key_id),
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


class GroupItem(Item, discriminator="group"):
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    created = NumberAttribute()
    parent_id = UnicodeAttribute(null=True)
    requires_two_factor = BooleanAttribute()
    grants: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    subgroups = NumberAttribute()
    revision = NumberAttribute()

    @classmethod
    def of(cls, group: Group) -> GroupItem:
        return cls(
            *keys.group(group.id),
            id=group.id,
            name=group.name,
            created=group.created,
            parent_id=group.parent_id,
            requires_two_factor=group.requires_two_factor,
            grants=sorted(f"{role_id} {place}" for role_id, place in group.grants),
            subgroups=group.subgroups,
            revision=group.revision,
            collection=GROUPS,
            position=group.name.casefold(),
        )

    def to_group(self) -> Group:
        pairs = (grant.split(" ") for grant in self.grants)
        return Group(
            id=self.id,
            name=self.name,
            created=int(self.created),
            parent_id=self.parent_id,
            requires_two_factor=self.requires_two_factor,
            grants=frozenset((role_id, place) for role_id, place in pairs),
            subgroups=int(self.subgroups),
            revision=int(self.revision),
        )


class MemberItem(Item, discriminator="member"):
    """The account in whose partition this is, is directly in the group."""

    group_id = UnicodeAttribute()

    @classmethod
    def of(cls, group: Group, user: User) -> MemberItem:
        return cls(
            *keys.member(user.id, group.id), group_id=group.id, collection=members_of(group.id), position=user.id
        )


class ServiceItem(Item, discriminator="service"):
    id = UnicodeAttribute()
    key = UnicodeAttribute()
    name = UnicodeAttribute()
    created = NumberAttribute()
    home_url = UnicodeAttribute(null=True)
    # One JSON text: it is written whole, never searched, and costs little to read at every check.
    permissions = UnicodeAttribute()
    groups: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    argon2id = UnicodeAttribute(null=True)
    tag = BinaryAttribute(null=True, legacy_encoding=False)
    tag_key_id = UnicodeAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, service: Service) -> ServiceItem:
        secret = service.secret
        return cls(
            *keys.service(service.id),
            id=service.id,
            key=service.key,
            name=service.name,
            created=service.created,
            home_url=service.home_url,
            permissions=json.dumps([[permission.key, permission.name] for permission in service.permissions]),
            groups=list(service.groups),
            argon2id=secret.argon2id if secret else None,
            tag=secret.tag if secret else None,
            tag_key_id=secret.tag_key_id if secret else None,
            revision=service.revision,
            collection=SERVICES,
            position=service.key,
        )

    def to_service(self) -> Service:
        secret = None
        if self.argon2id is not None and self.tag is not None and self.tag_key_id is not None:
            secret = SealedSecret(self.argon2id, self.tag, self.tag_key_id)
        return Service(
            id=self.id,
            key=self.key,
            name=self.name,
            created=int(self.created),
            home_url=self.home_url,
            permissions=tuple(DeclaredPermission.of(self.id, key, name) for key, name in json.loads(self.permissions)),
            groups=tuple(self.groups),
            secret=secret,
            revision=int(self.revision),
        )


class RoleItem(Item, discriminator="role"):
    id = UnicodeAttribute()
    key = UnicodeAttribute()
    name = UnicodeAttribute()
    permissions = UnicodeSetAttribute()
    created = NumberAttribute()
    revision = NumberAttribute()

    @classmethod
    def of(cls, role: Role) -> RoleItem:
        return cls(
            *keys.role(role.id),
            id=role.id,
            key=role.key,
            name=role.name,
            permissions=set(role.permissions),
            created=role.created,
            revision=role.revision,
            collection=ROLES,
            position=role.key,
        )

    def to_role(self) -> Role:
        return Role(self.id, self.key, self.name, frozenset(self.permissions), int(self.created), int(self.revision))


class AuditItem(Item, discriminator="audit"):
    id = UnicodeAttribute()
    audit_kind = UnicodeAttribute()
    at = NumberAttribute()
    actor_id = UnicodeAttribute()
    credential_id = UnicodeAttribute()
    address = UnicodeAttribute()
    target_kind = UnicodeAttribute()
    target_id = UnicodeAttribute()
    owner_id = UnicodeAttribute(null=True)
    details = JSONAttribute()

    @classmethod
    def of(cls, record: AuditRecord) -> AuditItem:
        day = datetime.fromtimestamp(record.at / 1000, UTC).date().isoformat()
        return cls(
            keys.audit_day(day),
            record.position,
            id=record.id,
            audit_kind=record.kind,
            at=record.at,
            actor_id=record.actor_id,
            credential_id=record.credential_id,
            address=record.address,
            target_kind=record.target_kind,
            target_id=record.target_id,
            owner_id=record.owner_id,
            details=dict(record.details),
            collection=acts_of(record.actor_id),
            target=record.owner_id or record.target_id,
            position=record.position,
        )

    def to_record(self) -> AuditRecord:
        return AuditRecord(
            kind=self.audit_kind,
            at=int(self.at),
            actor_id=self.actor_id,
            credential_id=self.credential_id,
            address=self.address,
            target_kind=self.target_kind,
            target_id=self.target_id,
            owner_id=self.owner_id,
            details=self.details,
            id=self.id,
        )


class OnceItem(Item, discriminator="once"):
    """A request with a client's key has been carried out."""

    fingerprint = UnicodeAttribute()
    target_id = UnicodeAttribute()

    @classmethod
    def of(cls, record: AuditRecord, once: Once) -> OnceItem:
        return cls(
            *keys.once(record.actor_id, once.key),
            fingerprint=once.fingerprint,
            target_id=record.target_id,
            expires=datetime.fromtimestamp((record.at + LIFETIME_MS) / 1000, UTC),
        )
