"""What clients may send about accounts."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from chalicelib.core.access.account import AccountType
from chalicelib.core.common import validation
from chalicelib.rest.contract.bodies import (
    Description,
    Ignored,
    Login,
    Name,
    Referred,
    ResourceBody,
    formed,
)


class EmailBody(msgspec.Struct, kw_only=True):
    email: (
        Annotated[
            str, formed(f"({validation.EMAIL_FORM})?", "must be an e-mail address", max_length=validation.MAX_EMAIL)
        ]
        | None
    ) = None


class ProfileBody(msgspec.Struct, kw_only=True):
    """Whatever else a profile has in Hub does not matter."""

    email: EmailBody | UnsetType | None = UNSET  # null: none


class _AccountBody(ResourceBody, kw_only=True):
    """What hangs on an account is changed where it hangs."""

    guest: Ignored = UNSET
    ownerless: Ignored = UNSET
    groups: Ignored = UNSET
    transitive_groups: Ignored = UNSET
    project_roles: Ignored = UNSET
    transitive_project_roles: Ignored = UNSET
    permanent_tokens: Ignored = UNSET
    application_passwords: Ignored = UNSET
    refresh_tokens: Ignored = UNSET
    approved_scopes: Ignored = UNSET
    two_factor_authentication: Ignored = UNSET
    pending_two_factor_authentication: Ignored = UNSET


class NewUser(_AccountBody, kw_only=True):
    login: Login
    name: Name
    type: AccountType = AccountType.USER
    owner: Referred | UnsetType | None = UNSET  # null: nobody
    description: Description = ""
    profile: ProfileBody | None = None


class UserChange(_AccountBody, kw_only=True):
    login: Login | None = None
    name: Name | None = None
    banned: bool | None = None
    ban_reason: Name | None = None
    owner: Referred | UnsetType | None = UNSET
    description: Description | None = None
    profile: ProfileBody | None = None
    type: Ignored = UNSET
