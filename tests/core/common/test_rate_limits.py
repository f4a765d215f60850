"""How many logins may be tried."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.rate_limits import (
    Budget,
    Typed,
    application_passwords,
    budgets,
    device_starts,
    leak_reports,
    network,
    passkey_budgets,
    typed,
)


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_counts_by_itself(address: ipaddress.IPv4Address) -> None:
    assert network(str(address)) == str(address)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_of_a_customers_ipv6_addresses_count_together(address: ipaddress.IPv6Address, host: int) -> None:
    neighbour = ipaddress.IPv6Address((int(address) >> 64 << 64) | host)
    assert network(str(address)) == network(str(neighbour))


@pytest.mark.parametrize("address", ["unknown", "", "300.1.1.1", "<script>"])
def test_what_is_no_address_counts_together(address: str) -> None:
    assert network(address) == "unknown"


@pytest.mark.parametrize("budgets", [budgets, passkey_budgets])
def test_attempts_from_elsewhere_use_no_budget_of_a_known_network(
    budgets: Callable[[str, str, bool], list[Budget]],
) -> None:
    owners = {budget.subject for budget in budgets("jo", "192.0.2.1", True)}
    for guessers in (budgets("jo", "203.0.113.9", False), budgets("kim", "192.0.2.1", False)):
        assert owners.isdisjoint(budget.subject for budget in guessers)


NAMES = st.text("abcdef0123456789-", min_size=1, max_size=12) | st.sampled_from(["device-jo", "LOGIN", "NETWORK"])
NETWORKS = st.sampled_from(["192.0.2.1", "2001:db8::/64", "unknown"])


@given(NAMES, NAMES, NETWORKS)
def test_no_two_kinds_of_attempts_share_a_budget(one: str, other: str, place: str) -> None:
    """Whatever accounts, logins and clients are named."""
    of_kinds = [
        {budget.subject for budget in budgets(one, place, known=False)},
        {budget.subject for budget in passkey_budgets(other, place, known=False)},
        *({typed(what, other).subject} for what in Typed),
        {device_starts(other, place).subject},
        {leak_reports(place).subject},
        {application_passwords(place).subject},
    ]
    assert len(set().union(*of_kinds)) == sum(map(len, of_kinds))


@given(st.integers(0, 10**14), st.integers(1, 10**8))
def test_a_window_ends_after_now_and_not_later_than_its_length(now: int, length: int) -> None:
    budget = Budget("x", 1, length)
    assert now < budget.ends(now) <= now + length
    assert budget.window(budget.ends(now)) == budget.window(now) + 1
