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

from chalicelib.core.audit.records import LAST_MOMENT
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import ID_FORM
from chalicelib.core.directory.service import MAX_URL, URL_FORM

B = TypeVar("B")

Ignored = Raw | UnsetType

# The rules of `core.common.validation`, as far as JSON Schema can say them; the core checks all of them.
# Described, and not checked here: what has such a login or key from before may be sent back with it.
_IN_ANY_CASE = (
    "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)
    for word in sorted(validation.RESERVED)
)
NOT_AN_ID = {"not": {"pattern": f"^({'|'.join([ID_FORM, *_IN_ANY_CASE])})$"}}
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
        extra_json_schema=NOT_AN_ID,
    ),
]
Key = Annotated[
    str,
    formed(validation.KEY_FORM, _OF_KEYS, min_length=1, max_length=validation.MAX_LOGIN, extra_json_schema=NOT_AN_ID),
]
PermissionKey = Annotated[str, formed(validation.KEY_FORM, _OF_KEYS, min_length=1, max_length=validation.MAX_LOGIN)]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=validation.MAX_NAME,
        description="printable, not only spaces",
        extra_json_schema={"format": "name"},
    ),
]
PRINTABLE = {"format": "name"}
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


class Renewal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new secret for a service or webhook. `grace`: as in `Rotation`; left out, every earlier one ends at once."""

    grace: int | str = 0


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
        rule = _RULES.get(ast.literal_eval(formed.group(1)), "does not have the required form")
    return Invalid(where or "body", f"{rule[:1].lower()}{rule[1:]}.")
