"""What the items of tokens, application passwords and sessions have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import (
    BinaryAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.storage.engine.table import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def moment(milliseconds: int) -> datetime:
    """A time as the TTL attribute takes it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
