"""What connected services, and what deleted accounts and groups have left, need from storage. The rules of
`core.stores` hold here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page, Window
    from chalicelib.core.common.search import Search
    from chalicelib.core.directory.service import Service


class ServiceStore(Protocol):
    """Connected services."""

    def get(self, service_id: str) -> Service | None: ...

    def get_many(self, service_ids: Iterable[str]) -> Mapping[str, Service]: ...

    def find_by_key(self, key: str) -> Service | None: ...

    def page(self, window: Window, search: Search) -> Page[Service]:
        """Sorted by key unless `search` says otherwise. Eventually consistent. Raises Invalid."""

    def create(self, service: Service, audit: AuditRecord) -> None:
        """Raises Conflict if the key is taken."""

    def replace(self, old: Service, new: Service, audit: AuditRecord) -> None:
        """With its event, if it has one (`core.tokens.event.service_event`). Raises StaleWrite if `old` is no longer
        stored, Conflict if the new key is taken."""

    def delete(self, service: Service, audit: AuditRecord) -> None:
        """Raises StaleWrite if `service` is no longer stored as it is."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What hung on an account (`kind` USER) or a group (GROUP) that is gone, and is as dead as that."""

    kind: str
    id: str


class SweepStore(Protocol):
    """What deleted accounts and groups have left."""

    def waiting(self, before: int, top: int) -> Sequence[Leftover]:
        """Those that went at this time (milliseconds since the epoch) or before and are not `done`, oldest first.
        Eventually consistent."""

    def sweep(self, leftover: Leftover) -> bool:
        """Removes a bounded piece; whether that was all. Of an account or group that is there, it removes nothing. May
        be repeated, and at the same time."""

    def done(self, leftover: Leftover) -> None:
        """Nothing is left."""
