"""What the items of tokens, application passwords and sessions have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import (
    BinaryAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.core.tokens.token import DETAILS, NO_DETAILS, TokenDetails
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pynamodb.expressions.update import Action

    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.verification.ports import Credential


class CredentialItem(Item):
    """What all kinds have in common."""

    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    created = NumberAttribute()
    argon2id = UnicodeAttribute()
    tag = BinaryAttribute(legacy_encoding=False)
    tag_key_id = UnicodeAttribute()
    last_used = NumberAttribute(null=True)

    @classmethod
    def of(cls, credential: Any) -> CredentialItem:
        """As it is stored."""
        raise NotImplementedError

    def to_credential(self) -> Credential:
        """The thing of the core."""
        raise NotImplementedError

    @classmethod
    def noted(cls, use: UsageContext, services: Sequence[str]) -> list[Action]:
        """What a use changes."""
        return [cls.last_used.set(use.now)]

    def _common(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "user_id": self.user_id,
            "created": int(self.created),
            "secret": HashedSecret(self.argon2id, self.tag, self.tag_key_id),
            "last_used": None if self.last_used is None else int(self.last_used),
        }


def common_attributes(credential: Credential) -> dict[str, Any]:
    """The attributes that the item of any credential has."""
    return {
        "id": credential.id,
        "user_id": credential.user_id,
        "created": credential.created,
        "argon2id": credential.secret.argon2id,
        "tag": credential.secret.tag,
        "tag_key_id": credential.secret.tag_key_id,
        "last_used": credential.last_used,
    }


@dataclass(frozen=True, slots=True)
class StoredKind:
    """The registry's entry of a kind of credential in storage: its items; where that of one credential is, by the ids
    of account and credential; and, where names are unique, where a credential's name is."""

    item: type[CredentialItem]
    item_key: Callable[[str, str], keys.Key]
    name: Callable[[Any], keys.Key] | None = None

    @property
    def discriminator(self) -> str:
        """The `kind` that its items have."""
        return str(self.item.kind.get_discriminator(self.item))

    def at(self, user_id: str, id: str) -> CredentialItem:
        """The item there, for a change of it."""
        return self.item(*self.item_key(user_id, id))


STORED_KINDS = {
    CredentialKind.PERMANENT_TOKEN: StoredKind(TokenItem, keys.token),
    CredentialKind.APPLICATION_PASSWORD: StoredKind(
        ApplicationPasswordItem,
        keys.application_password,
        lambda password: keys.application_password_name(password.user_id, password.name, password.epoch),
    ),
    CredentialKind.SESSION: StoredKind(SessionItem, keys.session),
}


def moment(milliseconds: int) -> datetime:
    """A time as the TTL attribute takes it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _details_in(text: str | None) -> TokenDetails:
    if not text:
        return NO_DETAILS
    said = json.loads(text).items()
    # A later version may have stored what this one does not know: tokens are verified by both while it is installed.
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in said if name in DETAILS}
    return TokenDetails.of(known)
