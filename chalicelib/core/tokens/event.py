"""What happens to permanent tokens, and to secrets of services, sent to whoever wants to know. No event ever holds a
secret.

Every change of a token writes its event in the change's own transaction. An event's `sequence` is the revision that
the token has by it, so a token's events have no gaps and one order; its id is that of the audit record, by which
a receiver knows what it has had already. Of a service only what becomes of its secrets is sent, so its events have one
order too, but gaps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.time import DAY_MS, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.directory.service import Service
    from chalicelib.core.tokens.token import PermanentToken

EVENTS_KEPT_MS = 30 * DAY_MS


class EventKind(Enum):
    """What can happen."""

    CREATED = "permanent-token.created"
    UPDATED = "permanent-token.updated"
    ROTATED = "permanent-token.rotated"
    ROLLED_BACK = "permanent-token.rotation-taken-back"
    EXPIRING = "permanent-token.expiring"
    EXPIRED = "permanent-token.expired"
    ROTATION_DUE = "permanent-token.rotation-due"
    UNUSED = "permanent-token.unused"
    REUSED = "permanent-token.reused"
    LEAKED = "permanent-token.leaked"
    REVOKED = "permanent-token.revoked"
    SERVICE_SECRET_RENEWED = "service.secret-renewed"
    SERVICE_SECRET_ROLLED_BACK = "service.secret-renewal-taken-back"


_OF_RECORDS = {"permanent-token.deleted": EventKind.REVOKED}  # the others have the records' own names
_OF_SERVICES = (EventKind.SERVICE_SECRET_RENEWED, EventKind.SERVICE_SECRET_ROLLED_BACK)
TOKEN, SERVICE = "token", "service"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one token, which is described as it was then; or to a service, if it is `about` one:
    then `token_id` and `token` are the service's, and no account owns it."""

    id: str
    kind: EventKind
    at: int  # milliseconds since the epoch
    token_id: str
    sequence: int
    owner_id: str
    actor_id: str
    token: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    about: str = TOKEN

    def message(self) -> dict[str, Any]:
        """The event as destinations get it. Source: Standard Webhooks, section "Payload structure"."""
        return {
            "type": self.kind.value,
            "timestamp": rfc3339(self.at),
            "data": {
                "id": self.id,
                "sequence": self.sequence,
                self.about: {"id": self.token_id, **self.token},
                **({"owner": self.owner_id} if self.about == TOKEN else {}),
                "actor": self.actor_id,
                "details": dict(self.details),
            },
        }


def event(token: PermanentToken, record: AuditRecord) -> Event:
    """What became of the token, by the record of it; `token` is as it was left or, when it is gone, as it was."""
    kind = _OF_RECORDS.get(record.kind) or EventKind(record.kind)
    return Event(
        id=record.id,
        kind=kind,
        at=record.at,
        token_id=token.id,
        sequence=token.revision + (kind is EventKind.REVOKED),
        owner_id=token.user_id,
        actor_id=record.actor_id,
        token=description(token),
        details=record.details,
    )


def service_event(service: Service, record: AuditRecord) -> Event | None:
    """What became of the service's secrets by the change of this record, if that is what it was."""
    kind = next((each for each in _OF_SERVICES if each.value == record.kind), None)
    if kind is None:
        return None
    described = {"key": service.key, "name": service.name}
    return Event(
        record.id,
        kind,
        record.at,
        service.id,
        service.revision,
        "",
        record.actor_id,
        described,
        record.details,
        SERVICE,
    )


def ended_with_account(token: PermanentToken, at: int, id: str) -> Event:
    """A token is gone because its account is."""
    return Event(
        id=id,
        kind=EventKind.REVOKED,
        at=at,
        token_id=token.id,
        sequence=token.revision + 1,
        owner_id=token.user_id,
        actor_id=KEYTURN,
        token=description(token),
        details={"name": token.name, "reason": "its account was deleted"},
    )


def description(token: PermanentToken) -> dict[str, Any]:
    """What may be told of a token."""
    told = {
        "name": token.name,
        **{name: value if isinstance(value, str) else list(value) for name, value in token.details.stated().items()},
        "expiresOn": token.expires,
    }
    return {name: value for name, value in told.items() if value}
