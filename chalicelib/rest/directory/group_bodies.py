"""What clients may send about groups."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chalicelib.core.common import validation
from chalicelib.rest.contract.bodies import (
    NOT_AN_ID,
    PRINTABLE,
    Ignored,
    Referred,
    ResourceBody,
)

GroupName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=validation.MAX_NAME,
        description="printable, not only spaces",
        extra_json_schema={**PRINTABLE, **NOT_AN_ID},
    ),
]


class GroupChange(ResourceBody, kw_only=True):
    name: GroupName | None = None
    parent: Referred | UnsetType | None = UNSET  # null takes the group out of its parent
    required_two_factor_authentication: bool | None = None
    users: Ignored = UNSET
    project_roles: Ignored = UNSET
    type: Ignored = UNSET


class NewGroup(GroupChange, kw_only=True):
    name: GroupName
