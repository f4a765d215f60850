"""A table, read and written whole: for exports and imports, never for a request."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.core.audit.records import position_at
from chalicelib.storage.engine import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    RawItem = dict[str, Any]  # as DynamoDB's API has it: types by name

BATCH = 25  # what BatchWriteItem takes
MOST_PAUSE_SECONDS = 5.0
# A record has the time when its request came, which was written a little later.
REQUEST_MS = 300_000


class NotEmpty(Exception):
    """There is something in the table already."""


class ChangedMeanwhile(Exception):
    """What was read is not of one moment."""


class TableCopy:
    """One table, by a client of DynamoDB."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def items(self, begun: int) -> Iterator[RawItem]:
        """Everything that is in it. Raises ChangedMeanwhile after the last, if something was changed since `begun`
        (milliseconds since the epoch): a table is not read at one moment, and half of a change would be worthless."""
        before = self._recent(begun)
        pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        for page in pages:
            yield from page["Items"]
        if self._recent(begun) != before:
            raise ChangedMeanwhile(f"The table {self._table} was changed while it was read. Export again.")

    def _recent(self, begun: int) -> set[str]:
        """The audit records of requests that came since shortly before."""
        query, found = self._client.get_paginator("query"), set[str]()
        since = begun - REQUEST_MS
        for day in _days(since, time.time()):
            pages = query.paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :day AND sk >= :since",
                ExpressionAttributeValues={":day": {"S": keys.audit_day(day)}, ":since": {"S": position_at(since)}},
                ConsistentRead=True,
            )
            found.update(item["sk"]["S"] for page in pages for item in page["Items"])
        return found

    def fill(self, items: Iterable[RawItem]) -> int:
        """Write these items into the empty table; how many. Raises NotEmpty."""
        if self._client.scan(TableName=self._table, Limit=1, ConsistentRead=True)["Items"]:
            raise NotEmpty(f"The table {self._table} is not empty. An import only goes into one that is.")
        written, remaining = 0, iter(items)
        while batch := list(itertools.islice(remaining, BATCH)):
            self._write(batch)
            written += len(batch)
        return written

    def _write(self, batch: list[RawItem]) -> None:
        left: Mapping[str, Any] = {self._table: [{"PutRequest": {"Item": item}} for item in batch]}
        pause = 0.05
        while left:
            left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]
            if left:
                time.sleep(pause)
                pause = min(2 * pause, MOST_PAUSE_SECONDS)


def _days(begun: int, now: float) -> Iterator[str]:
    day, last = (datetime.fromtimestamp(moment, UTC).date() for moment in (begun / 1_000, now))
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)


def records_since(earlier: Iterable[RawItem], later: Iterable[RawItem], begun: int) -> list[RawItem]:
    """The audit records of what was done after an export began, by its items and those of a later one; `begun`: when
    the earlier one did, in milliseconds since the epoch."""
    known = {item["id"]["S"] for item in _records(earlier, begun)}
    return [item for item in _records(later, begun) if item["id"]["S"] not in known]


def _records(items: Iterable[RawItem], begun: int) -> Iterator[RawItem]:
    """The audit records among them, of requests that may have been answered after that moment."""
    return (item for item in items if item["kind"]["S"] == "audit" and int(item["at"]["N"]) >= begun - REQUEST_MS)
