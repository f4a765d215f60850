"""The read that every request makes, and the re-sealing that a request may cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynamodb.exceptions import PutError, UpdateError

from chalicelib.core.errors import StaleWrite
from chalicelib.core.ports import Credentials
from chalicelib.storage import keys
from chalicelib.storage.availability import answers_or_unavailable
from chalicelib.storage.collection import read
from chalicelib.storage.items import ServiceItem, TokenItem, UserItem
from chalicelib.storage.table import Item

if TYPE_CHECKING:
    from chalicelib.core.credentials.sealing import SealedSecret
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.services import Service


@answers_or_unavailable
class DynamoCredentials:
    """Implements `core.ports.CredentialStore`."""

    def find(self, token_key: tuple[str, str] | None, service_id: str | None) -> Credentials:
        places = []
        if token_key:
            places += [keys.user(token_key[0]), keys.token(*token_key)]
        if service_id:
            places.append(keys.service(service_id))
        token, owner, service = None, None, None
        for item in read(Item, places).values():
            if isinstance(item, TokenItem):
                token = item.to_token()
            elif isinstance(item, UserItem):
                owner = item.to_user()
            elif isinstance(item, ServiceItem):
                service = item.to_service()
        return Credentials(token, owner, service)

    # Re-sealing keeps the revision: it is no change that anybody could see, and an update that is
    # under way elsewhere must not fail for it. That update may put the old seal back; the secret is
    # the same, and its next use seals it anew.
    def reseal_token(self, token: PermanentToken, sealed: SealedSecret) -> None:
        _reseal(TokenItem(*keys.token(token.user_id, token.id)), token.secret, sealed)

    def reseal_service(self, service: Service, sealed: SealedSecret) -> None:
        if service.secret:
            _reseal(ServiceItem(*keys.service(service.id)), service.secret, sealed)


def _reseal(item: TokenItem | ServiceItem, old: SealedSecret, new: SealedSecret) -> None:
    model = type(item)
    try:
        item.update(
            actions=[
                model.argon2id.set(new.argon2id),
                model.tag.set(new.tag),
                model.tag_key_id.set(new.tag_key_id),
            ],
            condition=model.argon2id == old.argon2id,
        )
    except (PutError, UpdateError) as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise StaleWrite from None
        raise
