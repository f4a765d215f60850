"""The record that every change leaves, written in the transaction that makes the change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.identifiers import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what, to whom, when, from where. `details` never holds a secret or a hash."""

    kind: str  # e.g. "permanent-token.created"
    at: int  # milliseconds since the epoch
    actor_id: str
    credential_id: str
    address: str
    target_kind: str
    target_id: str
    owner_id: str | None = None  # the account that the target hangs on, where it does
    details: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
