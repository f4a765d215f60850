"""Reading audit records: newest first, filtered, page by page, against a plain list."""

from __future__ import annotations

import random

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.audit.records import FIRST_MOMENT, AuditQuery, AuditRecord
from chalicelib.storage import audit
from chalicelib.storage.audit import DynamoAudit
from chalicelib.storage.items import AuditItem

DAY = 24 * 3600 * 1000
START = FIRST_MOMENT + 40 * DAY


@pytest.fixture
def records(product: Keyturn) -> list[AuditRecord]:
    """A hundred and thirty records over ten days, some in the same millisecond; newest first."""
    chance = random.Random(1)
    made = [
        AuditRecord(
            kind=chance.choice(["user.created", "user.updated"]),
            at=START + chance.randrange(10) * DAY + chance.randrange(3),
            actor_id=chance.choice(["anna", "boris"]),
            credential_id="t",
            address="192.0.2.1",
            target_kind="user",
            target_id=chance.choice(["x", "y"]),
            owner_id=chance.choice([None, "z"]),
            details={"name": "n"},
        )
        for _ in range(130)
    ]
    with AuditItem.batch_write() as batch:
        for record in made:
            batch.save(AuditItem.of(record))
    return sorted(made, key=lambda record: record.position, reverse=True)


def all_pages(query: AuditQuery, top: int) -> list[AuditRecord]:
    found: list[AuditRecord] = []
    while True:
        page = DynamoAudit().page(query, top)
        assert len(page.records) <= top
        found += page.records
        if page.after is None:
            return found
        query = AuditQuery(query.actor_id, query.target_id, query.kind, query.since, query.until, page.after)


def expected(records: list[AuditRecord], query: AuditQuery) -> list[AuditRecord]:
    return [
        record
        for record in records
        if query.matches(record)
        and query.since <= record.at <= query.until
        and query.target_id in (None, record.owner_id or record.target_id)
    ]


def test_every_filter_and_page_size_shows_what_a_list_would(records: list[AuditRecord]) -> None:
    week = {"since": START + 2 * DAY, "until": START + 8 * DAY + 1}
    for times in ({"until": START + 12 * DAY}, week):
        for actor in (None, "anna", "nobody"):
            for target in (None, "x", "z"):
                for kind in (None, "user.created"):
                    query = AuditQuery(actor_id=actor, target_id=target, kind=kind, **times)
                    for top in (40, 100):
                        assert all_pages(query, top) == expected(records, query), query


def test_a_search_gives_up_after_a_month_without_records_and_says_how_to_go_on(records: list[AuditRecord]) -> None:
    query = AuditQuery(until=START + 100 * DAY)
    first = DynamoAudit().page(query, 100)
    assert not first.records
    assert first.after
    assert all_pages(query, 100) == records


def test_a_search_gives_up_after_many_records_that_do_not_match(
    records: list[AuditRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 20)
    monkeypatch.setattr(audit, "MAX_BATCHES", 1)
    query = AuditQuery(actor_id="anna", kind="never", until=START + 12 * DAY)
    first = DynamoAudit().page(query, 100)
    assert not first.records
    assert first.after
    assert all_pages(query, 100) == []
    assert all_pages(AuditQuery(until=START + 12 * DAY), 100) == records


def test_a_time_that_ends_before_it_begins_holds_nothing(records: list[AuditRecord]) -> None:
    for actor, target in ((None, None), ("anna", None), (None, "x")):
        page = DynamoAudit().page(AuditQuery(actor_id=actor, target_id=target, since=START + 1, until=START), 100)
        assert not page.records
        assert page.after is None


def test_a_page_of_none_goes_on_where_it_began(records: list[AuditRecord]) -> None:
    page = DynamoAudit().page(AuditQuery(until=START + 12 * DAY), 0)
    assert not page.records
    assert page.after
