"""Every demand of the standards has a test, and the page in the documentation is what the tests say."""

from __future__ import annotations

from tests.oauth import conformance


def test_every_demand_is_shown() -> None:
    conformance.load_tests()
    assert [demand.id for demand in conformance.DEMANDS if demand.id not in conformance.covered] == []


def test_the_page_is_up_to_date() -> None:
    conformance.load_tests()
    assert conformance.PAGE.read_text() == conformance.table(), "run python -m tests.oauth.conformance"
