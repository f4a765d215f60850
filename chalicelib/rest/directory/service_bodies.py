"""What clients may send about services."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.directory.service import (
    MAX_ADDRESSES,
    MAX_DEFAULT_ROLES,
    MAX_GROUPS,
    MAX_PERMISSIONS,
    MAX_URL,
    REDIRECT_FORM,
)
from chalicelib.rest.contract.bodies import (
    Ignored,
    Key,
    Name,
    PermissionKey,
    Referred,
    Renewal,
    ResourceBody,
    WebAddress,
    formed,
)
from chalicelib.rest.tokens.token_bodies import ClientSuppliedSecret


class SecretRenewal(Renewal, kw_only=True):
    secret: ClientSuppliedSecret | None = None


class DeclaredPermissionBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: PermissionKey
    name: Name
    id: Ignored = UNSET
    type: Ignored = UNSET
    service: Ignored = UNSET


DeclaredPermissions = Annotated[list[DeclaredPermissionBody], Meta(max_length=MAX_PERMISSIONS)]


SeeingGroups = Annotated[list[Referred], Meta(max_length=MAX_GROUPS)]


WebAddresses = Annotated[list[WebAddress], Meta(max_length=MAX_ADDRESSES)]


RedirectUri = Annotated[
    str, formed(REDIRECT_FORM, "must be an https address (or http on localhost) without a fragment", max_length=MAX_URL)
]


RedirectUris = Annotated[list[RedirectUri], Meta(max_length=MAX_ADDRESSES)]


GrantTypes = Annotated[list[GrantType], Meta(min_length=1, max_length=len(GrantType))]


DefaultRoles = Annotated[list[Referred], Meta(max_length=MAX_DEFAULT_ROLES)]


class _ServiceBody(ResourceBody, kw_only=True):
    key: Key | None = None
    name: Name | None = None
    application_name: Name | None = None
    vendor: Name | None = None
    version: Name | None = None
    home_url: WebAddress | None = None
    base_urls: WebAddresses | None = None
    redirect_uris: RedirectUris | None = None
    grant_types: GrantTypes | None = None
    public: bool | None = None
    icon_url: WebAddress | None = None
    trusted: bool | None = None
    default_roles: DefaultRoles | None = None
    permissions: DeclaredPermissions | None = None
    groups: SeeingGroups | None = None
    secrets: Ignored = UNSET
    type: Ignored = UNSET


class ServiceChange(_ServiceBody, kw_only=True):
    secret: Ignored = UNSET


class NewService(_ServiceBody, kw_only=True):
    key: Key
    name: Name
    secret: ClientSuppliedSecret | None = None
