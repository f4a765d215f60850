"""What people log in with, and what that leaves: passwords, sessions, attempts."""

from __future__ import annotations

import base64
import json

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.authenticators import Authenticators, Passkey, Totp
from chalicelib.core.login.session import Session
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.credentials import CredentialItem, common_attributes, moment
from chalicelib.storage.items.secrets import (
    hashed_in,
    hashed_list,
)


class ApplicationPasswordItem(CredentialItem, discriminator="application-password"):
    name = UnicodeAttribute()
    epoch = NumberAttribute(null=True)

    @classmethod
    def of(cls, password: ApplicationPassword) -> ApplicationPasswordItem:
        item_key = keys.application_password(password.user_id, password.id)
        return cls(*item_key, **common_attributes(password), name=password.name, epoch=password.epoch or None)

    def to_credential(self) -> ApplicationPassword:
        return ApplicationPassword(**self._common(), name=self.name, epoch=int(self.epoch or 0))


class SessionItem(CredentialItem, discriminator="session"):
    ends = NumberAttribute()
    address = UnicodeAttribute()
    second_factor = BooleanAttribute()
    epoch = NumberAttribute()

    @classmethod
    def of(cls, session: Session) -> SessionItem:
        return cls(
            *keys.session(session.user_id, session.id),
            **common_attributes(session),
            ends=session.expires,
            address=session.address,
            second_factor=session.second_factor,
            epoch=session.epoch,
            expires=moment(session.expires),
        )

    def to_credential(self) -> Session:
        return Session(
            **self._common(),
            expires=int(self.ends),
            address=self.address,
            second_factor=self.second_factor,
            epoch=int(self.epoch),
        )


class AuthenticatorsItem(Item, discriminator="authenticators"):
    """All that an account logs in with. `recovery_codes` and `passkeys` are JSON: written and read whole."""

    user_id = UnicodeAttribute()
    password = UnicodeAttribute(null=True)
    totp_secret = UnicodeAttribute(null=True)
    totp_step = NumberAttribute(null=True)
    pending_totp = UnicodeAttribute(null=True)
    recovery_codes = UnicodeAttribute()
    passkeys = UnicodeAttribute()
    wrong_codes = NumberAttribute(null=True)
    session_epoch = NumberAttribute()
    revision = NumberAttribute()

    @classmethod
    def of(cls, stored: Authenticators) -> AuthenticatorsItem:
        codes = [hashed_list(code) for code in stored.recovery_codes]
        passkeys = [
            [each.id, each.name, each.created, each.credential_id, _text(each.public_key), each.sign_count]
            for each in stored.passkeys
        ]
        return cls(
            *keys.authenticators(stored.user_id),
            user_id=stored.user_id,
            password=stored.password,
            totp_secret=stored.totp.encrypted_secret if stored.totp else None,
            totp_step=stored.totp.last_step if stored.totp else None,
            pending_totp=stored.pending_totp,
            recovery_codes=json.dumps(codes),
            passkeys=json.dumps(passkeys),
            wrong_codes=stored.wrong_codes or None,
            session_epoch=stored.session_epoch,
            revision=stored.revision,
        )

    def to_authenticators(self) -> Authenticators:
        totp = None
        if self.totp_secret is not None and self.totp_step is not None:
            totp = Totp(self.totp_secret, int(self.totp_step))
        return Authenticators(
            user_id=self.user_id,
            password=self.password,
            totp=totp,
            pending_totp=self.pending_totp,
            recovery_codes=tuple(map(hashed_in, json.loads(self.recovery_codes))),
            passkeys=tuple(
                Passkey(id, name, created, credential_id, base64.b64decode(public_key), sign_count)
                for id, name, created, credential_id, public_key, sign_count in json.loads(self.passkeys)
            ),
            wrong_codes=int(self.wrong_codes or 0),
            session_epoch=int(self.session_epoch),
            revision=int(self.revision),
        )


class AttemptsItem(Item, discriminator="attempts"):
    """How often something was tried in one window of time."""

    attempts = NumberAttribute()


class OneTimeMarkerItem(Item, discriminator="mark"):
    """That something happened: a challenge was used, a login was used from a network."""

    @classmethod
    def at(cls, item_key: keys.Key, expires: int) -> OneTimeMarkerItem:
        return cls(*item_key, expires=moment(expires))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
