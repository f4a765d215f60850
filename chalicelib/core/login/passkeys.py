"""Passkeys: the two ceremonies of WebAuthn (Level 2, sections 7.1 and 7.2), done by the library `webauthn`.

A challenge is signed and dated, so nothing is stored for whoever only asks for one; that it is used
once, the transaction ensures that its ceremony ends with.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.core.common.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.login.authenticators import Passkey
    from chalicelib.core.secrets.keyring import Keyring

CHALLENGE_LIFETIME_MS = 5 * 60_000
_STAMP, _RANDOM = 8, 16  # bytes; a signature of 32 follows

JsonObject = dict[str, Any]


class NotProven(Exception):
    """The authenticator's answer is not good. Never says why: the caller refuses in its own words."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What a new passkey is known by from now on, and the challenge that it answered."""

    credential_id: str
    public_key: bytes
    sign_count: int
    challenge: str


@dataclass(frozen=True, slots=True)
class Asserted:
    """A passkey was used: its new counter, whether it made sure who used it, the challenge answered."""

    sign_count: int
    user_verified: bool
    challenge: str


class PasskeyCeremonies:
    """`address` is where browsers find Keyturn (https://host[:port][/path]); None: no passkeys here."""

    def __init__(self, address: str | None, keyring: Keyring) -> None:
        self._address = address
        self._keyring = keyring

    def registration_options(self, user: User, existing: Sequence[Passkey], now: int) -> JsonObject:
        """What a browser's `navigator.credentials.create` takes. Raises Conflict if no address is set."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name="Keyturn",
            user_id=user.id.encode(),
            user_name=user.login,
            user_display_name=user.name,
            challenge=self._challenge(_registering(user.id), now),
            exclude_credentials=[_descriptor(passkey) for passkey in existing],
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.PREFERRED
            ),
        )
        return _as_json(options)

    def login_options(self, now: int) -> JsonObject:
        """What `navigator.credentials.get` takes. It names no passkey: that would tell who has one."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=self._challenge(_LOGIN, now),
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        )
        return _as_json(options)

    def register(self, user_id: str, credential: JsonObject, now: int) -> Registered:
        """The passkey that answers an offer to this account. Raises NotProven, or Conflict without address."""
        import webauthn
        from webauthn.helpers import bytes_to_base64url

        host, origin = self._host, self._origin
        challenge = self._answered(credential, _registering(user_id), now)
        try:
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=host,
                expected_origin=origin,
            )
        except Exception:  # whatever the library stumbles over in a stranger's bytes
            raise NotProven from None
        return Registered(
            bytes_to_base64url(verified.credential_id),
            verified.credential_public_key,
            verified.sign_count,
            challenge.hex(),
        )

    def check(self, passkey: Passkey, credential: JsonObject, now: int) -> Asserted:
        """That this passkey was used for a login now. Raises NotProven, or Conflict without address."""
        import webauthn

        host, origin = self._host, self._origin
        challenge = self._answered(credential, _LOGIN, now)
        try:
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=host,
                expected_origin=origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
            )
        except Exception:  # whatever the library stumbles over in a stranger's bytes
            raise NotProven from None
        return Asserted(verified.new_sign_count, verified.user_verified, challenge.hex())

    @property
    def _origin(self) -> str:
        if self._address is None:
            raise Conflict("Passkeys are not available: KEYTURN_ADDRESS is not set.")
        parts = urlsplit(self._address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def _host(self) -> str:
        return urlsplit(self._origin).hostname or ""

    def _challenge(self, context: str, now: int) -> bytes:
        message = now.to_bytes(_STAMP, "big") + secrets.token_bytes(_RANDOM)
        return message + self._keyring.sign(message, context)

    def _answered(self, credential: JsonObject, context: str, now: int) -> bytes:
        """The challenge that the credential answers, if it is one of ours, for this purpose, and fresh."""
        try:
            client_data = json.loads(_decoded(credential["response"]["clientDataJSON"]))
            challenge = _decoded(client_data["challenge"])
        except (KeyError, TypeError, ValueError, RecursionError):
            raise NotProven from None
        message, signature = challenge[: _STAMP + _RANDOM], challenge[_STAMP + _RANDOM :]
        age = now - int.from_bytes(message[:_STAMP], "big")
        if not self._keyring.has_signed(message, signature, context) or not 0 <= age <= CHALLENGE_LIFETIME_MS:
            raise NotProven
        return challenge


def credential_id(credential: JsonObject) -> str:
    """Which passkey a browser says was used, in base64url without padding; empty if it does not say."""
    id = credential.get("id")
    return id.rstrip("=") if isinstance(id, str) else ""


def user_handle(credential: JsonObject) -> str:
    """Whose passkey it is, as the authenticator remembers it; empty if it does not."""
    try:
        return _decoded(credential["response"]["userHandle"]).decode("ascii")
    except (KeyError, TypeError, ValueError):
        return ""


_LOGIN = "passkey login"


def _registering(user_id: str) -> str:
    return f"passkey registration {user_id}"


def _descriptor(passkey: Passkey) -> Any:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return PublicKeyCredentialDescriptor(id=_decoded(passkey.credential_id))


def _as_json(options: Any) -> JsonObject:
    from webauthn import options_to_json

    rendered: JsonObject = json.loads(options_to_json(options))
    return rendered


def _decoded(base64url: object) -> bytes:
    """Raises ValueError."""
    if not isinstance(base64url, str):
        raise ValueError("not a string")
    return base64.urlsafe_b64decode(base64url.encode("ascii") + b"=" * (-len(base64url) % 4))
