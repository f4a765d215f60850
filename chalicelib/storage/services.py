"""Connected services in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.tokens.event import service_event
from chalicelib.storage.collection import SortedIndex, page_of, read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.expiry_sweep import look_at_all_tokens
from chalicelib.storage.items import SERVICES, EventItem, NameItem, ServiceItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page, Window
    from chalicelib.core.common.search import Search
    from chalicelib.core.directory.service import Service


@translate_database_errors
class DynamoServices:
    """Implements `core.directory.ports.ServiceStore`."""

    def get(self, service_id: str) -> Service | None:
        item = read_one(ServiceItem, keys.service(service_id))
        return item.to_service() if item else None

    def get_many(self, service_ids: Iterable[str]) -> Mapping[str, Service]:
        services = (item.to_service() for item in read(ServiceItem, [keys.service(id) for id in service_ids]).values())
        return {service.id: service for service in services}

    def find_by_key(self, key: str) -> Service | None:
        name = read_one(NameItem, keys.service_key(key))
        return self.get(name.holder_id) if name else None

    def page(self, window: Window, search: Search) -> Page[Service]:
        return page_of(ServiceItem, SortedIndex(SERVICES, "key"), ServiceItem.to_service, window, search)

    def create(self, service: Service, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.create(ServiceItem.of(service), otherwise=StaleWrite())
        transaction.take_name(keys.service_key(service.key), service.id, otherwise=_key_taken(service))
        transaction.count(SERVICES, +1)
        transaction.commit()

    def replace(self, old: Service, new: Service, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.replace(ServiceItem.of(new), ServiceItem.revision == old.revision, otherwise=StaleWrite())
        if old.key != new.key:
            transaction.free_name(keys.service_key(old.key))
            transaction.take_name(keys.service_key(new.key), new.id, otherwise=_key_taken(new))
        if old.policy != new.policy:
            look_at_all_tokens(transaction, audit.at)
        event = service_event(new, audit)
        if event:
            transaction.put(EventItem.of(event))
        transaction.commit()

    def delete(self, service: Service, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(ServiceItem.of(service), ServiceItem.revision == service.revision, otherwise=StaleWrite())
        transaction.free_name(keys.service_key(service.key))
        transaction.count(SERVICES, -1)
        transaction.commit()


def _key_taken(service: Service) -> Conflict:
    return Conflict(f"The service key {service.key!r} is taken.", "key")
