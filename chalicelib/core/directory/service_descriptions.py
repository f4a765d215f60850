"""What a caller says of a service: the rules for each part of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chalicelib.core.access.references import role as role_of
from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.directory.service import (
    MAX_DEFAULT_ROLES,
    MAX_GROUPS,
    MAX_PERMISSIONS,
    DeclaredPermission,
    Service,
    address,
    addresses,
    redirect_uris,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.ports import GroupStore, RoleStore
    from chalicelib.core.directory.grant_types import GrantType


@dataclass(frozen=True, slots=True)
class PermissionDeclaration:
    """A permission as a service declares it: a key, unique in the service, and a name."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class ServiceDescription:
    """What a caller says of a service; None leaves a value as it is."""

    key: str | None = None
    name: str | None = None
    application_name: str | None = None
    vendor: str | None = None
    version: str | None = None
    home_url: str | None = None
    base_urls: Sequence[str] | None = None
    redirect_uris: Sequence[str] | None = None
    grant_types: Sequence[GrantType] | None = None
    public: bool | None = None
    icon_url: str | None = None
    trusted: bool | None = None
    default_roles: Sequence[str] | None = None
    permissions: Sequence[PermissionDeclaration] | None = None
    groups: Sequence[str] | None = None


class ServiceDescriptions:
    """Applies what is said to a service. `groups` and `roles` are looked up where a description names some."""

    def __init__(self, groups: GroupStore, roles: RoleStore) -> None:
        self._groups = groups
        self._roles = roles

    def applied(self, caller: Caller, service: Service, description: ServiceDescription) -> Service:
        """`service` with what the description says, as its next revision. Raises Invalid or Forbidden."""
        said = {name: rule(getattr(description, name)) for name, rule in self._rules(caller, service).items()}
        return replace(
            service,
            **{name: value for name, value in said.items() if value is not None},
            revision=service.revision + 1,
        )

    def _rules(self, caller: Caller, service: Service) -> dict[str, Callable[[Any], Any]]:
        """How each part of a description becomes a value; what is not said stays None."""
        rules: dict[str, Callable[[Any], Any]] = {
            "key": lambda key: (
                validation.key(key) if key == service.key else validation.not_an_id(validation.key(key), "key")
            ),
            "name": validation.name,
            "application_name": lambda text: validation.name(text, "applicationName"),
            "vendor": lambda text: validation.name(text, "vendor"),
            "version": lambda text: validation.name(text, "version"),
            "home_url": lambda text: address(text, "homeUrl"),
            "base_urls": lambda texts: addresses(texts, "baseUrls"),
            "redirect_uris": redirect_uris,
            "grant_types": _grant_types,
            "public": bool,
            "icon_url": lambda text: address(text, "iconUrl"),
            "trusted": bool,
            "default_roles": lambda references: self._existing_roles(caller, references, service.default_roles),
            "permissions": lambda declared: _declared(service.id, declared),
            "groups": lambda references: self._existing_groups(caller, references, service.groups),
        }
        return {name: functools.partial(_if_said, rule) for name, rule in rules.items()}

    def _existing_roles(self, caller: Caller, references: Sequence[str], already: Sequence[str]) -> tuple[str, ...]:
        """Ids. What is there `already` is not looked up, and needs no permission to be sent back as it came."""
        if len(references) > MAX_DEFAULT_ROLES:
            raise Invalid("defaultRoles", f"may have at most {MAX_DEFAULT_ROLES} entries.")
        ids: dict[str, None] = {}
        for reference in references:
            ids[reference if reference in already else self._role_id(caller, reference)] = None
        return tuple(ids)

    def _role_id(self, caller: Caller, reference: str) -> str:
        caller.check(Operation.READ_ROLES)
        role = role_of(self._roles, reference)
        if role is None:
            raise Invalid("defaultRoles", f"there is no role {reference!r}.")
        return role.id

    def _existing_groups(self, caller: Caller, references: Sequence[str], already: Sequence[str]) -> tuple[str, ...]:
        """As `_existing_roles`, of ids alone."""
        if len(references) > MAX_GROUPS:
            raise Invalid("groups", f"may have at most {MAX_GROUPS} entries.")
        new = [reference for reference in references if reference not in already]
        if new:
            caller.check(Operation.READ_GROUP)
        found = self._groups.get_many({reference for reference in new if validation.could_be_identifier(reference)})
        for reference in new:
            if reference not in found:
                raise Invalid("groups", f"there is no group with the id {reference!r}.")
        return tuple(dict.fromkeys(references))


def _grant_types(grant_types: Sequence[GrantType]) -> tuple[GrantType, ...]:
    if not grant_types:
        raise Invalid("grantTypes", "must name at least one.")
    return tuple(dict.fromkeys(grant_types))


def _if_said(rule: Callable[[Any], Any], value: object) -> Any:
    return None if value is None else rule(value)


def _declared(service_id: str, permissions: Sequence[PermissionDeclaration]) -> tuple[DeclaredPermission, ...]:
    if len(permissions) > MAX_PERMISSIONS:
        raise Invalid("permissions", f"may have at most {MAX_PERMISSIONS} entries.")
    declared: dict[str, DeclaredPermission] = {}
    for permission in permissions:
        key = validation.key(permission.key, "permissions.key")
        if key in declared:
            raise Invalid("permissions.key", f"{key!r} is listed twice.")
        name = validation.name(permission.name, "permissions.name")
        declared[key] = DeclaredPermission.of(service_id, key, name)
    return tuple(declared.values())
