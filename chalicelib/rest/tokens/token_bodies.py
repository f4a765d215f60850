"""What clients may send about permanent tokens, and about secrets of other things that are renewed as they are."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.core.common import validation
from chalicelib.core.common.networks import MAX_NETWORKS
from chalicelib.core.secrets import client_supplied
from chalicelib.core.secrets.token_format import SECRET_LENGTH
from chalicelib.core.tokens.token import LABEL_FORM, MAX_LABELS, MAX_SCOPE
from chalicelib.rest.contract.bodies import (
    PRINTABLE,
    Description,
    Ignored,
    Moment,
    Name,
    Referred,
    ResourceBody,
    formed,
)
from chalicelib.web.headers import MAX_BODY_BYTES

Scope = Annotated[list[Referred], Meta(min_length=1, max_length=MAX_SCOPE)]


OF_LABELS = "must have 1 to 63 characters of A-Z, a-z, 0-9 and . _ / = -, and start with a letter or digit"
Labels = Annotated[list[Annotated[str, formed(LABEL_FORM, OF_LABELS, max_length=63)]], Meta(max_length=MAX_LABELS)]


Networks = Annotated[
    list[Annotated[str, Meta(max_length=50, extra_json_schema={"format": "cidr"})]], Meta(max_length=MAX_NETWORKS)
]


Contact = Annotated[str, Meta(max_length=validation.MAX_NAME, description="printable", extra_json_schema=PRINTABLE)]


class _TokenBody(ResourceBody, kw_only=True):
    """What may be said of a token besides its name; an empty value takes away what was said."""

    description: Description | None = None
    contact: Contact | None = None
    labels: Labels | None = None
    networks: Networks | None = None
    rotation_time: Ignored = UNSET
    ends_on: Ignored = UNSET
    flags: Ignored = UNSET
    last_use: Ignored = UNSET
    secrets: Ignored = UNSET


ClientSuppliedSecret = Annotated[
    str,
    formed(
        client_supplied.FORM,
        f"must have exactly {SECRET_LENGTH} characters of A-Z, a-z and 0-9, chosen at random",
        description="chosen at random, to make the token of, in place of a generated one",
        extra_json_schema={"format": "random"},
    ),
]


class NewToken(_TokenBody, kw_only=True):
    name: Name
    scope: Scope
    secret: ClientSuppliedSecret | None = None
    expires_on: Moment | None = None
    token: Ignored = UNSET
    user: Ignored = UNSET
    author: Ignored = UNSET
    type: Ignored = UNSET


class TokenChange(_TokenBody, kw_only=True):
    name: Name | None = None
    scope: Scope | None = None
    expires_on: Moment | UnsetType | None = UNSET  # null: not any more
    token: Ignored = UNSET
    user: Ignored = UNSET
    author: Ignored = UNSET
    type: Ignored = UNSET


class Rotation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`grace`: seconds, or an ISO 8601 duration such as P1DT12H. `seen`: when the current secret was made, as the
    client read it (`rotationTime`, or else `creationTime`); if another was made since, the answer is 409. `labels` are
    those of the token from then on."""

    grace: int | str
    secret: ClientSuppliedSecret | None = None
    seen: int | None = None
    labels: Labels | None = None


class _WithClientSuppliedSecret(msgspec.Struct):
    secret: ClientSuppliedSecret | None = None


def secret_in(raw: str | bytes) -> str | None:
    """The secret that a body supplies, whatever else is wrong with that body."""
    try:
        return msgspec.json.decode(raw[:MAX_BODY_BYTES], type=_WithClientSuppliedSecret).secret
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class SecretComparison(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Is this the current secret of the token or service?"""

    secret: ClientSuppliedSecret


class RotationRollback(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`keep`: the earlier secret that is to be the current one again."""

    keep: Annotated[str, Meta(min_length=1, max_length=200)]
