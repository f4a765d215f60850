"""The record of what Keyturn itself does to permanent tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.identifiers import KEYTURN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.tokens.token import PermanentToken


def by_keyturn(kind: str, token: PermanentToken, usage: UsageContext, details: Mapping[str, str]) -> AuditRecord:
    """The record of what Keyturn itself does to a token; `usage` says when, and where the reason came from."""
    return AuditRecord(
        kind=kind,
        at=usage.now,
        actor_id=KEYTURN,
        credential_id=token.id,
        address=usage.address or "unknown",
        target_kind="permanent-token",
        target_id=token.id,
        owner_id=token.user_id,
        details=details,
    )
