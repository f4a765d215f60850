"""`AuditStore`: pages by time show what a list would, whatever lies between two records."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.core.audit.records import FIRST_MOMENT, AuditQuery, AuditRecord, Hand, failure
from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.stores import Stores
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import NOW, record


class TestFailures:
    """Many attempts, one record."""

    AT = FIRST_MOMENT + 40 * DAY_MS

    def failed(self, stores: Stores, now: int, address: str = "192.0.2.1", target: str = "kim") -> None:
        stores.audit.count(failure("login.failed", now, address, ("user", target), target))

    def found(self, stores: Stores, target: str) -> list[AuditRecord]:
        return list(stores.audit.page(AuditQuery(target_id=target), 100).records)

    def test_are_counted_by_target_and_quarter_of_an_hour(self, empty_stores: Stores) -> None:
        for minute, target in ((0, "kim"), (1, "kim"), (14, "jo"), (14, "kim"), (15, "kim")):
            self.failed(empty_stores, self.AT + minute * 60_000 + 7, target=target)
        later, first = self.found(empty_stores, "kim")
        assert (first.at, first.details) == (self.AT, {"times": "3"})
        assert (later.at, later.details) == (self.AT + 15 * 60_000, {"times": "1"})
        (of_jo,) = self.found(empty_stores, "jo")
        assert of_jo.details == {"times": "1"}
        by_day = empty_stores.audit.page(AuditQuery(until=self.AT + DAY_MS), 100).records
        assert sorted(each.position for each in by_day) == sorted(each.position for each in (later, first, of_jo))

    def test_name_where_the_first_and_the_last_came_from(self, empty_stores: Stores) -> None:
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            self.failed(empty_stores, self.AT, address)
        (one,) = self.found(empty_stores, "kim")
        assert (one.address, one.details) == ("192.0.2.1", {"times": "3", "last address": "192.0.2.3"})

    def test_have_the_details_of_the_last_and_its_hand(self, empty_stores: Stores) -> None:
        for place, kind in (("here", "session"), ("there", "permanent-token")):
            one = failure("leaked", self.AT, "192.0.2.1", ("service", "ci"), details={"place": place})
            empty_stores.audit.count(replace(one, hand=Hand(kind, workload=place)))
        (one,) = self.found(empty_stores, "ci")
        assert (one.details, one.hand) == ({"place": "there", "times": "2"}, Hand("permanent-token", workload="there"))

    @pytest.mark.parametrize("last", [Hand("session"), Hand()])
    def test_have_nothing_of_the_hand_before(self, empty_stores: Stores, last: Hand) -> None:
        for hand in (Hand("trust-rule", workload="job"), last):
            one = failure("leaked", self.AT, "192.0.2.1", ("service", "ci"))
            empty_stores.audit.count(replace(one, hand=hand))
        (one,) = self.found(empty_stores, "ci")
        assert one.hand == last

    def test_at_once_are_all_counted(self, empty_stores: Stores) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: self.failed(empty_stores, self.AT), range(40)))
        (one,) = self.found(empty_stores, "kim")
        assert one.details == {"times": "40"}


def test_a_record_is_kept_once(stores: Stores) -> None:
    """One that is named by what it stands for, of one window, may be there already."""
    first = failure("kind", NOW, "192.0.2.1", ("permanent-token", new_id()), "kim")
    stores.audit.append(first)
    with refused(stores, StaleWrite):
        stores.audit.append(replace(first, address="192.0.2.2"))


class TestAuditPagesByDay:
    START = FIRST_MOMENT + 40 * DAY_MS

    def records(self, stores: Stores) -> list[AuditRecord]:
        at = [self.START + day * DAY_MS + later for day in (0, 1, 1, 4, 9) for later in (0, 0, DAY_MS - 1)]
        made = [record(kind, at=moment, details={}) for moment, kind in zip(at, itertools.cycle("ab"), strict=False)]
        for each in made:
            stores.roles.create(making.role(), each)
        return sorted(made, key=lambda each: each.position, reverse=True)

    def pages(self, stores: Stores, query: AuditQuery, top: int) -> list[AuditRecord]:
        found: list[AuditRecord] = []
        for _ in range(50):
            page = stores.audit.page(query, top)
            assert len(page.records) <= top
            found += page.records
            if page.after is None:
                return found
            query = replace(query, after=page.after)
        raise AssertionError("it does not end")

    def test_show_what_a_list_would(self, empty_stores: Stores) -> None:
        made = self.records(empty_stores)
        for since, until in ((0, 12), (1, 4), (2, 3), (4, 4)):
            times = {"since": self.START + since * DAY_MS, "until": self.START + until * DAY_MS + 5}
            for top, kind in ((1, None), (2, "a"), (4, None), (100, "b")):
                query = AuditQuery(kind=kind, **times)
                expected = [each for each in made if query.matches(each) and query.since <= each.at <= query.until]
                assert self.pages(empty_stores, query, top) == expected, query

    def test_none_is_lost_by_a_month_without_any(self, empty_stores: Stores) -> None:
        made = self.records(empty_stores)
        assert self.pages(empty_stores, AuditQuery(until=self.START + 100 * DAY_MS), 100) == made

    def test_of_none_go_on_where_they_began(self, empty_stores: Stores) -> None:
        self.records(empty_stores)
        page = empty_stores.audit.page(AuditQuery(until=self.START + 12 * DAY_MS), 0)
        assert not page.records
        assert page.after
