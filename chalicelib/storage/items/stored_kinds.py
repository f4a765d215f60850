"""The registry of kinds of credentials in storage: the item of each kind, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.storage.engine import keys
from chalicelib.storage.items.login import ApplicationPasswordItem, SessionItem
from chalicelib.storage.items.tokens import TokenItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.storage.items.credentials import CredentialItem


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
