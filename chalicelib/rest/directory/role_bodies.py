"""What clients may send about roles, and about who has them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.access.role import MAX_PERMISSIONS
from chalicelib.rest.contract.bodies import (
    Ignored,
    Key,
    Name,
    Reference,
    Referred,
    ResourceBody,
)

RolePermissions = Annotated[list[Referred], Meta(min_length=1, max_length=MAX_PERMISSIONS)]


class RoleChange(ResourceBody, kw_only=True):
    key: Key | None = None
    name: Name | None = None
    permissions: RolePermissions | None = None
    type: Ignored = UNSET


class NewRole(RoleChange, kw_only=True):
    key: Key
    name: Name
    permissions: RolePermissions


class NewProjectRole(ResourceBody, kw_only=True):
    role: Referred
    project: Referred = msgspec.field(default_factory=lambda: Reference(id="0"))
    owner: Ignored = UNSET
    type: Ignored = UNSET


class NewOwnedProjectRole(ResourceBody, kw_only=True):
    owner: Referred  # an account or a group
    role: Referred
    project: Referred = msgspec.field(default_factory=lambda: Reference(id="0"))
    type: Ignored = UNSET
