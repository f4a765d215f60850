"""Groups, services and roles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.core.access.group import Group
from chalicelib.core.access.role import Role
from chalicelib.core.directory.grant_types import DEFAULT, GrantType
from chalicelib.core.directory.service import DeclaredPermission, Service
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.secrets import (
    previous_in,
    previous_text,
    retired_hashes_text,
    retired_in,
    retired_times_text,
)

if TYPE_CHECKING:
    from chalicelib.core.access.token_policy import Policy

# What a service says of itself, as one JSON text of what is not empty.
ABOUT = (
    "application_name",
    "vendor",
    "version",
    "home_url",
    "base_urls",
    "redirect_uris",
    "public",
    "icon_url",
    "trusted",
    "default_roles",
    "redirects_changed",
)
SERVICES, ROLES, GROUPS = "SERVICES", "ROLES", "GROUPS"


class GroupItem(Item, discriminator="group"):
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    created = NumberAttribute()
    parent_id = UnicodeAttribute(null=True)
    requires_two_factor = BooleanAttribute()
    grants: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    subgroups = NumberAttribute()
    policy = UnicodeAttribute(null=True)
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
            grants=sorted(f"{role_id} {scope_id}" for role_id, scope_id in group.grants),
            subgroups=group.subgroups,
            policy=policy_text(group.policy),
            revision=group.revision,
            collection=GROUPS,
            position=keys.sortable(group.name),
        )

    def to_group(self) -> Group:
        pairs = (grant.split(" ") for grant in self.grants)
        return Group(
            id=self.id,
            name=self.name,
            created=int(self.created),
            parent_id=self.parent_id,
            requires_two_factor=self.requires_two_factor,
            grants=frozenset((role_id, scope_id) for role_id, scope_id in pairs),
            subgroups=int(self.subgroups),
            policy=policy_in(self.policy),
            revision=int(self.revision),
        )


class ServiceItem(Item, discriminator="service"):
    id = UnicodeAttribute()
    key = UnicodeAttribute()
    name = UnicodeAttribute()
    created = NumberAttribute()
    # JSON texts: written whole, never searched, and cheap to read at every check.
    about = UnicodeAttribute(null=True)
    permissions = UnicodeAttribute()
    groups: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    argon2id = UnicodeAttribute(null=True)
    tag = BinaryAttribute(null=True, legacy_encoding=False)
    tag_key_id = UnicodeAttribute(null=True)
    secret_renewed = NumberAttribute(null=True)
    previous_secrets = UnicodeAttribute(null=True, attr_name="earlier")
    retired_secrets = UnicodeAttribute(null=True, attr_name="dead")
    retired = UnicodeAttribute(null=True)  # of each of them: when it was made, and whether it was rolled back
    policy = UnicodeAttribute(null=True)
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
            about=json.dumps(_about(service)),
            permissions=json.dumps([[permission.key, permission.name] for permission in service.permissions]),
            groups=list(service.groups),
            argon2id=secret.argon2id if secret else None,
            tag=secret.tag if secret else None,
            tag_key_id=secret.tag_key_id if secret else None,
            secret_renewed=service.secret_renewed,
            previous_secrets=previous_text(service.previous_secrets),
            retired_secrets=retired_hashes_text(service.retired_secrets),
            retired=retired_times_text(service.retired_secrets),
            policy=policy_text(service.policy),
            revision=service.revision,
            collection=SERVICES,
            position=service.key,
        )

    def to_service(self) -> Service:
        about: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(self.about or "{}").items()
        }
        if "grant_types" in about:
            about["grant_types"] = tuple(GrantType(value) for value in about["grant_types"])
        secret = None
        if self.argon2id is not None and self.tag is not None and self.tag_key_id is not None:
            secret = HashedSecret(self.argon2id, self.tag, self.tag_key_id)
        return Service(
            id=self.id,
            key=self.key,
            name=self.name,
            created=int(self.created),
            **about,
            permissions=tuple(DeclaredPermission.of(self.id, key, name) for key, name in json.loads(self.permissions)),
            groups=tuple(self.groups),
            secret=secret,
            secret_renewed=None if self.secret_renewed is None else int(self.secret_renewed),
            previous_secrets=previous_in(self.previous_secrets),
            retired_secrets=retired_in(self.retired_secrets, self.retired),
            policy=policy_in(self.policy),
            revision=int(self.revision),
        )


def _about(service: Service) -> dict[str, Any]:
    said = {name: value for name in ABOUT if (value := getattr(service, name))}
    grant_types = [each.value for each in service.grant_types]
    return said if service.grant_types == DEFAULT else {**said, "grant_types": grant_types}


def policy_text(policy: Policy | None) -> str | None:
    """A policy as one attribute."""
    if policy is None:
        return None
    days = [policy.longest_life_days, policy.rotation_due_days, policy.unused_days]
    return json.dumps([*days, policy.unused.value, policy.reused.value, policy.leaked.value])


def policy_in(text: str | None) -> Policy | None:
    """The policy in such an attribute."""
    if text is None:
        return None
    from chalicelib.core.access.token_policy import Consequence, Policy  # only where there is one

    life, rotation, unused, *consequences = json.loads(text)
    return Policy(life, rotation, unused, *map(Consequence, consequences))


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
