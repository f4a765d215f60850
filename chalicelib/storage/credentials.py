"""The read that every request makes, and the notes that a request may leave on its credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.directory.service import Service
from chalicelib.core.login.session import Session
from chalicelib.core.secrets.token_format import CredentialKey, CredentialKind
from chalicelib.core.tokens.token import LastUse, PermanentToken
from chalicelib.core.verification.ports import Credential, VerificationRead
from chalicelib.storage.authenticators import authenticators_in
from chalicelib.storage.collection import read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import (
    ApplicationPasswordItem,
    CredentialItem,
    ServiceItem,
    SessionItem,
    TokenItem,
    UserItem,
    last_use_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.secrets.hashing import HashedSecret

_KEYS = {
    CredentialKind.PERMANENT_TOKEN: keys.token,
    CredentialKind.APPLICATION_PASSWORD: keys.application_password,
    CredentialKind.SESSION: keys.session,
}


@translate_database_errors
class DynamoCredentials:
    """Implements `core.verification.ports.CredentialStore`."""

    def find(self, key: CredentialKey | None, service_id: str | None) -> VerificationRead:
        item_keys = []
        if key:
            item_keys += [keys.user(key.user_id), _KEYS[key.kind](key.user_id, key.id)]
            if key.kind is CredentialKind.SESSION:
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
        authenticators = authenticators_in(found, key.user_id) if isinstance(credential, Session) and key else None
        return VerificationRead(credential, owner, service, authenticators)

    # Neither changes the revision: no update that is under way elsewhere must fail for it. Such an update
    # may put back what was there; the next use records it anew.
    def mark_used(self, credential: Credential, usage: UsageContext, services: Sequence[str] = ()) -> None:
        actions: list[Action] = [CredentialItem.last_used.set(usage.now)]
        if isinstance(credential, PermanentToken):
            how = LastUse(usage.address, usage.agent, usage.service_id)
            actions.append(TokenItem.last_use.set(last_use_text(how)))
        if services:
            actions.append(TokenItem.used_at.add(set(services)))
        _update(_item_of(credential), actions, Item.pk.exists())

    def settle(self, token: PermanentToken, since: int) -> None:
        newer = TokenItem.settled.does_not_exist() | (TokenItem.settled < since)
        unchanged = TokenItem.revision == token.revision
        _update(_item_of(token), [TokenItem.settled.set(since)], unchanged & newer)

    def replace_hash(self, holder: Credential | Service, hashed: HashedSecret) -> None:
        if holder.secret:
            model = ServiceItem if isinstance(holder, Service) else CredentialItem
            actions: list[Action] = [
                model.argon2id.set(hashed.argon2id),
                model.tag.set(hashed.tag),
                model.tag_key_id.set(hashed.tag_key_id),
            ]
            _update(_item_of(holder), actions, model.argon2id == holder.secret.argon2id)


def _item_of(holder: Credential | Service) -> Item:
    if isinstance(holder, Service):
        return ServiceItem(*keys.service(holder.id))
    if isinstance(holder, PermanentToken):
        return TokenItem(*keys.token(holder.user_id, holder.id))
    if isinstance(holder, Session):
        return SessionItem(*keys.session(holder.user_id, holder.id))
    return ApplicationPasswordItem(*keys.application_password(holder.user_id, holder.id))


def _update(item: Item, actions: list[Action], condition: Condition) -> None:
    with stale_if_condition_failed():
        item.update(actions=actions, condition=condition)
