"""What clients may send to log in, and about what people log in with."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.common import validation
from chalicelib.core.login import password_hashing
from chalicelib.rest.contract.bodies import (
    Ignored,
    Name,
    ResourceBody,
)

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
