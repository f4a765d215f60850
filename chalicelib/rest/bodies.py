"""What clients may send: one structure for each request body, checked before anything else happens.

A field that Hub's contract has but that nobody may set (`id`, `author`, `creationTime` …) is accepted
and ignored, because clients send back what they were given. Any other unknown field is an error.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from chalicelib.core.accounts import AccountType
from chalicelib.core.errors import Invalid

B = TypeVar("B")

Ignored = Raw | UnsetType


class _Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The read-only fields that every resource has."""

    id: Ignored = UNSET
    creation_time: Ignored = UNSET
    last_access_time: Ignored = UNSET
    aliases: Ignored = UNSET


class Reference(msgspec.Struct):
    """Another thing, by id, key or login; whatever else the client knows of it does not matter."""

    id: str | None = None
    key: str | None = None
    login: str | None = None

    def text(self, field: str) -> str:
        """The id, or else the key or login. Raises Invalid for `field` if there is none."""
        reference = self.id or self.key or self.login
        if not reference:
            raise Invalid(field, "needs an id, a key or a login.")
        return reference


class NewUser(_Body, kw_only=True):
    login: str
    name: str
    type: AccountType = AccountType.USER
    guest: Ignored = UNSET


class UserChange(_Body, kw_only=True):
    login: str | None = None
    name: str | None = None
    banned: bool | None = None
    ban_reason: str | None = None
    guest: Ignored = UNSET
    type: Ignored = UNSET


class NewToken(_Body, kw_only=True):
    name: str
    scope: list[Reference]
    token: Ignored = UNSET
    user: Ignored = UNSET
    author: Ignored = UNSET
    type: Ignored = UNSET


class TokenChange(_Body, kw_only=True):
    name: str | None = None
    scope: list[Reference] | None = None
    token: Ignored = UNSET
    user: Ignored = UNSET
    author: Ignored = UNSET
    type: Ignored = UNSET


class DeclaredPermissionBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: str
    name: str
    id: Ignored = UNSET
    type: Ignored = UNSET
    service: Ignored = UNSET


class ServiceBody(_Body, kw_only=True):
    key: str | None = None
    name: str | None = None
    home_url: str | None = None
    permissions: list[DeclaredPermissionBody] | None = None
    groups: list[Reference] | None = None
    secret: Ignored = UNSET
    type: Ignored = UNSET


class GroupBody(_Body, kw_only=True):
    name: str | None = None
    parent: Reference | UnsetType | None = UNSET  # null takes the group out of its parent
    required_two_factor_authentication: bool | None = None
    users: Ignored = UNSET
    project_roles: Ignored = UNSET
    type: Ignored = UNSET


class RoleChange(_Body, kw_only=True):
    key: str | None = None
    name: str | None = None
    permissions: list[Reference] | None = None
    type: Ignored = UNSET


class NewRole(_Body, kw_only=True):
    key: str
    name: str
    permissions: list[Reference]
    type: Ignored = UNSET


class NewProjectRole(_Body, kw_only=True):
    role: Reference
    project: Reference = msgspec.field(default_factory=lambda: Reference(id="0"))
    owner: Ignored = UNSET
    type: Ignored = UNSET


_PATH = re.compile(r" - at `\$\.?(.*)`$")
_NAMED = re.compile(r"^Object (?:missing required|contains unknown) field `(.*?)`")


def decode(raw: bytes, body: type[B]) -> B:
    """The request body as a `body`. Raises Invalid, which names the field."""
    try:
        return msgspec.json.decode(raw, type=body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("body", "must be a JSON object.") from None


def _invalid(message: str) -> Invalid:
    path = _PATH.search(message)
    where = path.group(1) if path else ""
    rule = message[: path.start()] if path else message
    named = _NAMED.match(rule)
    if named:
        where = f"{where}.{named.group(1)}" if where else named.group(1)
        rule = "is required" if "missing" in rule else "is not a field of this resource"
    return Invalid(where or "body", f"{rule[:1].lower()}{rule[1:]}.")
