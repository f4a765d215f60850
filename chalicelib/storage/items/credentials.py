"""What accounts present: tokens, application passwords, sessions; and what they log in with."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.authenticators import Authenticators, Passkey, Totp
from chalicelib.core.login.session import Session
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.tokens.token import LastUse, PermanentToken
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.secrets import (
    hashed_in,
    hashed_list,
    previous_in,
    previous_text,
    retired_hashes_text,
    retired_in,
    retired_times_text,
    text_of,
)

if TYPE_CHECKING:
    from chalicelib.core.verification.ports import Credential


TOKENS = "TOKENS"  # all permanent tokens, by when each has to be looked at
ABOUT = ("description", "contact", "labels", "networks")


class CredentialItem(Item):
    """What the three kinds have in common."""

    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    created = NumberAttribute()
    argon2id = UnicodeAttribute()
    tag = BinaryAttribute(legacy_encoding=False)
    tag_key_id = UnicodeAttribute()
    last_used = NumberAttribute(null=True)

    def to_credential(self) -> Credential:
        """The thing of the core."""
        raise NotImplementedError

    def _common(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "user_id": self.user_id,
            "created": int(self.created),
            "secret": HashedSecret(self.argon2id, self.tag, self.tag_key_id),
            "last_used": None if self.last_used is None else int(self.last_used),
        }


def _common(credential: Credential) -> dict[str, Any]:
    return {
        "id": credential.id,
        "user_id": credential.user_id,
        "created": credential.created,
        "argon2id": credential.secret.argon2id,
        "tag": credential.secret.tag,
        "tag_key_id": credential.secret.tag_key_id,
        "last_used": credential.last_used,
    }


class TokenItem(CredentialItem, discriminator="token"):
    name = UnicodeAttribute()
    scope: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    author_id = UnicodeAttribute()
    author_name = UnicodeAttribute()
    used_at = UnicodeSetAttribute(null=True)
    rotated = NumberAttribute(null=True)
    settled = NumberAttribute(null=True)
    ends = NumberAttribute(null=True)
    # JSON: written and read whole.
    previous_secrets = UnicodeAttribute(null=True, attr_name="earlier")
    retired_secrets = UnicodeAttribute(null=True, attr_name="dead")
    retired = UnicodeAttribute(null=True)  # of each of `dead`: when it was made, and whether it was taken back
    last_use = UnicodeAttribute(null=True)
    about = UnicodeAttribute(null=True)
    notified = UnicodeAttribute(null=True, attr_name="told")
    reused = NumberAttribute(null=True)
    leaked = NumberAttribute(null=True)
    revision = NumberAttribute()

    @classmethod
    def of(cls, token: PermanentToken) -> TokenItem:
        """In the collection of all tokens, where it is looked at soon: it is new, or has changed."""
        return cls(
            *keys.token(token.user_id, token.id),
            **_common(token),
            name=token.name,
            scope=list(token.scope),
            author_id=token.author_id,
            author_name=token.author_name,
            used_at=set(token.used_at) or None,
            rotated=token.rotated,
            settled=token.settled,
            ends=token.expires,
            previous_secrets=previous_text(token.previous_secrets),
            retired_secrets=retired_hashes_text(token.retired_secrets),
            retired=retired_times_text(token.retired_secrets),
            last_use=last_use_text(token.last_use) if token.last_use else None,
            about=text_of({name: value for name in ABOUT if (value := getattr(token, name))}),
            notified=text_of(list(token.notified)),
            reused=token.reused,
            leaked=token.leaked,
            revision=token.revision,
            collection=TOKENS,
            position=keys.due(0, token.id),
        )

    def to_credential(self) -> PermanentToken:
        return PermanentToken(
            **self._common(),
            name=self.name,
            scope=tuple(self.scope),
            author_id=self.author_id,
            author_name=self.author_name,
            used_at=frozenset(self.used_at or ()),
            rotated=None if self.rotated is None else int(self.rotated),
            settled=None if self.settled is None else int(self.settled),
            expires=None if self.ends is None else int(self.ends),
            previous_secrets=previous_in(self.previous_secrets),
            retired_secrets=retired_in(self.retired_secrets, self.retired),
            last_use=LastUse(*json.loads(self.last_use)) if self.last_use else None,
            notified=tuple(json.loads(self.notified or "[]")),
            reused=None if self.reused is None else int(self.reused),
            leaked=None if self.leaked is None else int(self.leaked),
            revision=int(self.revision),
            **_about_in(self.about),
        )


def labelled(label: str) -> str:
    """The collection of all accounts' tokens with this label; letter case does not matter."""
    return f"LABELLED#{label.casefold()}"


class TokenLabelItem(Item, discriminator="token-label"):
    """A token is found by its label."""

    @classmethod
    def of(cls, token: PermanentToken, label: str) -> TokenLabelItem:
        return cls(
            *keys.token_label(token.user_id, label, token.id),
            collection=labelled(label),
            position=keys.due(token.created, token.id),
        )


class ApplicationPasswordItem(CredentialItem, discriminator="application-password"):
    name = UnicodeAttribute()
    epoch = NumberAttribute(null=True)

    @classmethod
    def of(cls, password: ApplicationPassword) -> ApplicationPasswordItem:
        item_key = keys.application_password(password.user_id, password.id)
        return cls(*item_key, **_common(password), name=password.name, epoch=password.epoch or None)

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
            **_common(session),
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


def moment(milliseconds: int) -> datetime:
    """A time as the TTL attribute takes it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def last_use_text(use: LastUse) -> str:
    """A token's last use as one attribute."""
    return json.dumps([use.address, use.agent, use.service_id])


def _about_in(text: str | None) -> dict[str, Any]:
    said = json.loads(text or "{}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
