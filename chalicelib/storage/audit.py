"""Audit records, read: by day, by who acted, or by whom it concerns."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import AuditPage, position_at
from chalicelib.storage.collection import read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import AuditItem, acts_of
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.core.audit.records import AuditQuery, AuditRecord

MAX_DAYS = 31  # that one request looks through
BATCH = 100  # records, most of which a filter may leave out
MAX_BATCHES = 10  # that one request looks through


@translate_database_errors
class DynamoAudit:
    """Implements `core.audit.ports.AuditStore`.

    One page reads at most 10 batches of 100 records, and at most one query for each of 31 days; where
    it gives up, it says how to go on.
    """

    def append(self, record: AuditRecord) -> None:
        Transaction(record).commit()

    def count(self, failure: AuditRecord) -> None:
        AuditItem.one_more(failure)

    def page(self, query: AuditQuery, top: int) -> AuditPage:
        if query.lowest > query.highest:  # which DynamoDB would refuse to look between
            return AuditPage([], None)
        if query.target_id or query.actor_id:
            lowest, item_keys = query.lowest, _by_index(query)
        else:
            lowest = max(query.lowest, _days_before(query.highest, MAX_DAYS))
            item_keys = _by_day(query.highest, lowest)
        records: list[AuditRecord] = []
        for number in itertools.count(1):
            batch = list(itertools.islice(item_keys, BATCH))
            for record in _matching(batch, query):
                if len(records) == top:
                    return AuditPage(records, records[-1].position if records else query.highest)
                records.append(record)
            if len(batch) == BATCH and number == MAX_BATCHES:
                return AuditPage(records, batch[-1][1])
            if len(batch) < BATCH:
                break
        return AuditPage(records, lowest if lowest > query.lowest else None)


def _by_index(query: AuditQuery) -> Iterator[keys.Key]:
    between = Item.position.between(query.lowest, query.highest)
    if query.target_id:
        found = Item.by_target.query(query.target_id, between, scan_index_forward=False)
    else:
        found = Item.by_collection.query(acts_of(query.actor_id or ""), between, scan_index_forward=False)
    return ((item.pk, item.sk) for item in found)


def _by_day(highest: str, lowest: str) -> Iterator[keys.Key]:
    day, first = _day(highest), _day(lowest)
    while day >= first:
        between = Item.sk.between(lowest, highest)
        partition = keys.audit_day(day.date().isoformat())
        for item in AuditItem.query(partition, between, scan_index_forward=False, consistent_read=True):
            yield item.pk, item.sk
        day -= timedelta(days=1)


def _matching(batch: list[keys.Key], query: AuditQuery) -> Iterator[AuditRecord]:
    found = read(AuditItem, batch)
    for item_key in batch:
        if item_key in found and item_key[1] != query.after:
            record = found[item_key].to_record()
            if query.matches(record):
                yield record


def _day(position: str) -> datetime:
    return datetime.fromtimestamp(int(position.partition("#")[0]) / 1000, UTC)


def _days_before(position: str, days: int) -> str:
    return position_at(max(0, int((_day(position) - timedelta(days=days)).timestamp() * 1000)))
