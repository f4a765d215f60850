"""How things look that Hub shows on an account's tab *Account Security*, besides permanent tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import SECRET_WAS_SHOWN, USER

if TYPE_CHECKING:
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.login.passkeys import JsonObject
    from chalicelib.core.login.second_factors import Pairing, SecondFactorStatus


@dataclass(frozen=True, slots=True)
class SecondFactorView:
    """What an account has; `pairing` and `passkey_options` only in the answer that begins one."""

    status: SecondFactorStatus
    pairing: Pairing | None = None
    passkey_options: JsonObject | None = None

    @property
    def stored(self) -> Authenticators:
        """The account's authenticators."""
        return self.status.authenticators


APPLICATION_PASSWORD = Shape(
    "applicationpassword",
    {
        "id": Field(lambda view: view.password.id),
        "type": Field(lambda view: "applicationPassword"),
        "name": Field(lambda view: view.password.name),
        "user": Field(lambda view: view.owner, Kind.ONE, USER),
        "creationTime": Field(lambda view: view.password.created, Kind.TIME),
        "lastAccessTime": Field(lambda view: view.password.last_used, Kind.MAYBE_TIME),
    },
)

CREATED_APPLICATION_PASSWORD = Shape(
    "createdapplicationpassword",
    {
        **APPLICATION_PASSWORD.fields,
        "password": Field(lambda view: view.secret, Kind.MAYBE_TEXT, secret=True),
        "notice": Field(
            lambda view: None if view.secret else SECRET_WAS_SHOWN.format(remedy="delete it and create another"),
            Kind.MAYBE_TEXT,
        ),
    },
)

SESSION = Shape(
    "session",
    {
        "id": Field(lambda session: session.id),
        "type": Field(lambda session: "session"),
        "address": Field(lambda session: session.address),
        "secondFactor": Field(lambda session: session.second_factor, Kind.FLAG),
        "creationTime": Field(lambda session: session.created, Kind.TIME),
        "expiresOn": Field(lambda session: session.expires, Kind.TIME),
        "lastAccessTime": Field(lambda session: session.last_used, Kind.MAYBE_TIME),
    },
)

OPENED_SESSION = Shape(
    "openedsession",
    {
        "id": Field(lambda opened: opened.session.id),
        "type": Field(lambda opened: "session"),
        "user": Field(lambda opened: opened.owner, Kind.ONE, USER),
        "token": Field(lambda opened: opened.secret, secret=True),
        "secondFactor": Field(lambda opened: opened.session.second_factor, Kind.FLAG),
        "expiresOn": Field(lambda opened: opened.session.expires, Kind.TIME),
    },
)

PASSKEY_OPTIONS = Shape(
    "passkeyoptions",
    {
        "id": Field(lambda options: options["challenge"]),
        "type": Field(lambda options: "passkeyOptions"),
        "publicKey": Field(lambda options: options, Kind.OBJECT),
    },
)

PASSKEY = Shape(
    "passkey",
    {
        "id": Field(lambda passkey: passkey.id),
        "type": Field(lambda passkey: "passkey"),
        "name": Field(lambda passkey: passkey.name),
        "creationTime": Field(lambda passkey: passkey.created, Kind.TIME),
    },
)

SECOND_FACTORS = Shape(
    "twofactorauthentication",
    {
        "id": Field(lambda view: view.stored.user_id),
        "type": Field(lambda view: "twoFactorAuthentication"),
        "enabled": Field(lambda view: view.stored.two_factor, Kind.FLAG),
        "totp": Field(lambda view: view.stored.totp is not None, Kind.FLAG),
        "pending": Field(lambda view: view.stored.pending_totp is not None, Kind.FLAG),
        "passkeys": Field(lambda view: list(view.stored.passkeys), Kind.MANY, PASSKEY),
        "recoveryCodesLeft": Field(lambda view: len(view.stored.recovery_codes), Kind.NUMBER),
    },
)

# Only the answers that make these have them.
PAIRED = Shape(
    "pairedtwofactorauthentication",
    {
        **SECOND_FACTORS.fields,
        "secret": Field(lambda view: view.pairing.secret if view.pairing else None, Kind.MAYBE_TEXT, secret=True),
        "uri": Field(lambda view: view.pairing.uri if view.pairing else None, Kind.MAYBE_TEXT, secret=True),
        "qrCode": Field(
            lambda view: _qr_code(view.pairing.uri) if view.pairing else None, Kind.MAYBE_TEXT, secret=True
        ),
        "publicKey": Field(lambda view: view.passkey_options, Kind.OBJECT),
        "recoveryCodes": Field(lambda view: list(view.status.recovery_codes), Kind.LINES, secret=True),
    },
)


def _qr_code(uri: str) -> str:
    """The picture for an authenticator app's camera, as a data URI of an SVG."""
    import segno

    picture: str = segno.make(uri, error="m").svg_data_uri(scale=4)
    return picture
