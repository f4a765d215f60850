"""What access tokens depend on, in one read; and those that were revoked before their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.oauth.access_tokens import SourceKind, SubjectState
from chalicelib.storage.collection import read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import (
    ApprovedScopeItem,
    DelegationItem,
    OneTimeMarkerItem,
    ServiceItem,
    TokenItem,
    TrustRuleItem,
    UserItem,
)
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.access_tokens import AccessToken


@translate_database_errors
class DynamoAccessTokens:
    """Implements `core.oauth.ports.AccessTokenStore`."""

    def subject_state(self, token: AccessToken, asking_id: str | None) -> SubjectState:
        # One service may be several of these; no key may stand twice in a batch.
        wanted = (token.source.client_id, token.client_id if token.actors else None, asking_id)
        services = {id for id in wanted if id} | ({token.source.id} if _is_service(token) else set())
        revocable = (token.id, *token.exchanged_from)
        marks = [keys.revoked_access_token(token.subject_id, id) for id in revocable]
        item_keys = [*marks, *_sources(token), *map(keys.service, services)]
        found: dict[str, Any] = {}
        known: dict[str, Service] = {}
        for item in read(Item, item_keys).values():
            match item:
                case OneTimeMarkerItem():
                    found["revoked"] = True
                case UserItem():
                    found["subject"] = item.to_user()
                case TokenItem():
                    found["permanent_token"] = item.to_credential()
                case DelegationItem():
                    found["delegation"] = item.to_delegation()
                case ApprovedScopeItem():
                    found["approval"] = item.to_approval()
                case TrustRuleItem():
                    found["trust_rule"] = item.to_rule()
                case ServiceItem():
                    known[item.id] = item.to_service()
        return SubjectState(**found, services=known)

    def revoke(self, token: AccessToken, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        mark = OneTimeMarkerItem.at(keys.revoked_access_token(token.subject_id, token.id), token.expires)
        transaction.create(mark, otherwise=StaleWrite())
        transaction.commit()


def _is_service(token: AccessToken) -> bool:
    return token.source.kind is SourceKind.SERVICE


def _sources(token: AccessToken) -> list[keys.Key]:
    subject, id = token.subject_id, token.source.id
    match token.source.kind:
        case SourceKind.PERMANENT_TOKEN:
            return [keys.user(subject), keys.token(subject, id)]
        case SourceKind.TRUST_RULE:
            return [keys.user(subject), keys.trust_rule(subject, id)]
        case SourceKind.DELEGATION:
            client = token.source.client_id or ""
            return [
                keys.user(subject),
                keys.delegation(subject, client, id),
                keys.approved_scope(subject, client),
            ]
        case SourceKind.SERVICE:
            return []
