"""The read that every request makes, and the notes that a request may leave on its credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.directory.service import Service
from chalicelib.core.verification.ports import VerificationRead
from chalicelib.storage.authenticators import authenticators_in
from chalicelib.storage.collection import read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import STORED_KINDS, CredentialItem, ServiceItem, TokenItem, UserItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.token_format import CredentialKey
    from chalicelib.core.tokens.token import PermanentToken
    from chalicelib.core.verification.ports import Credential


@translate_database_errors
class DynamoCredentials:
    """Implements `core.verification.ports.CredentialStore`."""

    def find(self, key: CredentialKey | None, service_id: str | None) -> VerificationRead:
        item_keys = []
        if key:
            item_keys += [keys.user(key.user_id), STORED_KINDS[key.kind].item_key(key.user_id, key.id)]
            if key.kind.value.is_login:
                item_keys.append(keys.authenticators(key.user_id))
        if service_id:
            item_keys.append(keys.service(service_id))
        credential, owner, service = None, None, None
        found = read(Item, item_keys)
        for item in found.values():
            if isinstance(item, CredentialItem):
                credential = item.to_credential()
            elif isinstance(item, UserItem):
                owner = item.to_user()
            elif isinstance(item, ServiceItem):
                service = item.to_service()
        is_login = credential is not None and credential.kind.value.is_login
        authenticators = authenticators_in(found, key.user_id) if is_login and key else None
        return VerificationRead(credential, owner, service, authenticators)

    # Neither changes the revision: no update that is under way elsewhere must fail for it. Such an update
    # may put back what was there; the next use records it anew.
    def mark_used(self, credential: Credential, usage: UsageContext, services: Sequence[str] = ()) -> None:
        item = _item_of(credential)
        _update(item, item.noted(usage, services), Item.pk.exists())

    def settle(self, token: PermanentToken, since: int) -> None:
        newer = TokenItem.settled.does_not_exist() | (TokenItem.settled < since)
        unchanged = TokenItem.revision == token.revision
        _update(_item_of(token), [TokenItem.settled.set(since)], unchanged & newer)

    def replace_hash(self, holder: Credential | Service, hashed: HashedSecret) -> None:
        if holder.secret:
            item = ServiceItem(*keys.service(holder.id)) if isinstance(holder, Service) else _item_of(holder)
            model = type(item)
            actions: list[Action] = [
                model.argon2id.set(hashed.argon2id),
                model.tag.set(hashed.tag),
                model.tag_key_id.set(hashed.tag_key_id),
            ]
            _update(item, actions, model.argon2id == holder.secret.argon2id)


def _item_of(credential: Credential) -> CredentialItem:
    return STORED_KINDS[credential.kind].at(credential.user_id, credential.id)


def _update(item: Item, actions: list[Action], condition: Condition) -> None:
    with stale_if_condition_failed():
        item.update(actions=actions, condition=condition)
