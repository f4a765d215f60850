"""What clients may send: one structure for each request body, checked before anything else happens.

A field that Hub's contract has but that nobody may set (`id`, `author`, `creationTime` …) is accepted
and ignored, because clients send back what they were given. Any other unknown field is an error.
"""

from __future__ import annotations

import ast
import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.role import MAX_PERMISSIONS
from chalicelib.core.audit.records import LAST_MOMENT
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import ID_FORM
from chalicelib.core.directory.service import MAX_URL, URL_FORM
from chalicelib.core.login import password_hashing

B = TypeVar("B")

Ignored = Raw | UnsetType

# The rules of `core.common.validation`, as far as JSON Schema can say them; the core checks all of them.
# Told, and not checked here: what has such a login or key from before may be sent back with it.
_IN_ANY_CASE = (
    "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
    for word in sorted(validation.RESERVED)
)
_NOT_AN_ID = {"not": {"pattern": f"^({'|'.join([ID_FORM, *_IN_ANY_CASE])})$"}}
_RULES: dict[str, str] = {}  # what each pattern asks for, in words


def formed(form: str, rule: str, **more: Any) -> Meta:
    """That a text has this form, which is a regular expression. `rule`: the same in words, for whoever is refused."""
    pattern = f"^{form}$"
    _RULES[pattern] = rule
    return Meta(pattern=pattern, **more)


_OF_KEYS = "must have only A-Z, a-z, 0-9 and . _ -, and start with a letter or digit"
Login = Annotated[
    str,
    formed(
        validation.LOGIN_FORM,
        "must have only A-Z, a-z, 0-9 and . _ @ + -, and start with a letter or digit",
        min_length=1,
        max_length=validation.MAX_LOGIN,
        extra_json_schema=_NOT_AN_ID,
    ),
]
Key = Annotated[
    str,
    formed(validation.KEY_FORM, _OF_KEYS, min_length=1, max_length=validation.MAX_LOGIN, extra_json_schema=_NOT_AN_ID),
]
PermissionKey = Annotated[str, formed(validation.KEY_FORM, _OF_KEYS, min_length=1, max_length=validation.MAX_LOGIN)]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=validation.MAX_NAME,
        description="printable, not only space",
        extra_json_schema={"format": "name"},
    ),
]
PRINTABLE = {"format": "name"}
GroupName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=validation.MAX_NAME,
        description="printable, not only space",
        extra_json_schema={**PRINTABLE, **_NOT_AN_ID},
    ),
]
Moment = Annotated[
    int, Meta(ge=0, le=LAST_MOMENT, description="milliseconds since the epoch", extra_json_schema={"format": "moment"})
]
Description = Annotated[
    str, Meta(max_length=validation.MAX_DESCRIPTION, description="printable", extra_json_schema={"format": "name"})
]
WebAddress = Annotated[str, formed(URL_FORM, "must be an http or https address in ASCII", max_length=MAX_URL)]


class ResourceBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The read-only fields that every resource has."""

    id: Ignored = UNSET
    creation_time: Ignored = UNSET
    last_access_time: Ignored = UNSET
    aliases: Ignored = UNSET


class Reference(msgspec.Struct):
    """Another thing, by id, key or login; whatever else the client knows of it does not matter."""

    id: str | UnsetType = UNSET
    key: str | UnsetType = UNSET
    login: str | UnsetType = UNSET

    def text(self, field: str) -> str:
        """The id, or else the key or login. Raises Invalid for `field` if there is none."""
        reference = self.id or self.key or self.login
        if not reference:
            raise Invalid(field, "needs an id, a key or a login.")
        return reference


NAMED = [{"required": [name], "properties": {name: {"minLength": 1}}} for name in ("id", "key", "login")]
Referred = Annotated[Reference, Meta(extra_json_schema={"anyOf": NAMED})]


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


class Renewal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new secret for a service or webhook. `grace`: as in `Rotation`; left out, every earlier one ends at once."""

    grace: int | str = 0


Secret = Annotated[str, Meta(min_length=1, max_length=password_hashing.MAX_LENGTH)]
# A browser's PublicKeyCredential as JSON (WebAuthn Level 3 section 5.1); the library for passkeys reads it.
BrowserCredential = dict[str, Any]


class LoginBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    login: Annotated[str, Meta(min_length=1, max_length=validation.MAX_LOGIN)] | None = None
    password: Secret | None = None
    code: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    passkey: BrowserCredential | None = None


class NewPassword(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    password: Annotated[str, Meta(min_length=password_hashing.MIN_LENGTH, max_length=password_hashing.MAX_LENGTH)]
    current_password: Secret | None = None


class PairingBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    code: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class PasskeyBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: Name = "Passkey"
    credential: BrowserCredential | None = None


class NewApplicationPassword(ResourceBody, kw_only=True):
    name: Name
    password: Ignored = UNSET
    user: Ignored = UNSET
    type: Ignored = UNSET


class GroupChange(ResourceBody, kw_only=True):
    name: GroupName | None = None
    parent: Referred | UnsetType | None = UNSET  # null takes the group out of its parent
    required_two_factor_authentication: bool | None = None
    users: Ignored = UNSET
    project_roles: Ignored = UNSET
    type: Ignored = UNSET


class NewGroup(GroupChange, kw_only=True):
    name: GroupName


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


_PATH = re.compile(r" - at `\$\.?(.*)`$")
_FORMED = re.compile(r"^Expected `str` matching regex (.*)$", re.DOTALL)
_MISNAMED = re.compile(r"^Object (?:missing required|contains unknown) field `(.*?)`")


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
    named = _MISNAMED.match(rule)
    if named:
        where = f"{where}.{named.group(1)}" if where else named.group(1)
        rule = "is required" if "missing" in rule else "is not a field of this resource"
    formed = _FORMED.match(rule)
    if formed:
        rule = _RULES.get(ast.literal_eval(formed.group(1)), "does not have the form of such a text")
    return Invalid(where or "body", f"{rule[:1].lower()}{rule[1:]}.")
