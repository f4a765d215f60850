"""From where a token may be used, and whose address a request has."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.networks import MAX_NETWORKS, are_inside, client_behind, contain, networks


def test_networks_are_kept_in_their_usual_form_and_once() -> None:
    assert networks(["192.0.2.0/24", "192.0.2.7", "2001:DB8::/32", "192.0.2.0/24"]) == (
        "192.0.2.0/24",
        "192.0.2.7/32",
        "2001:db8::/32",
    )


WRONG = ["", "192.0.2.1/24", "192.0.2.0/33", "example.com", "192.0.2", "::/129", " 10.0.0.0/8"]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_network_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(Invalid, match=r"networks\[1\]: must be a network"):
        networks(["10.0.0.0/8", wrong])


def test_there_may_not_be_too_many() -> None:
    with pytest.raises(Invalid, match="at most 50"):
        networks(["10.0.0.0/8"] * (MAX_NETWORKS + 1))


@given(st.ip_addresses(), st.data())
def test_a_network_contains_its_addresses_and_no_other(address: ipaddress.IPv4Address, data: st.DataObject) -> None:
    network = ipaddress.ip_network((address, data.draw(st.integers(0, address.max_prefixlen))), strict=False)
    assert contain([str(network)], str(address))
    other = data.draw(st.ip_addresses(v=4) if address.version == 4 else st.ip_addresses(v=6))
    if not (isinstance(other, ipaddress.IPv6Address) and other.ipv4_mapped):
        assert contain([str(network)], str(other)) == (other in network)


def test_an_address_that_nobody_knows_is_in_none_and_one_spelling_is_as_good_as_another() -> None:
    assert not contain(["0.0.0.0/0", "::/0"], None)
    assert not contain(["0.0.0.0/0", "::/0"], "unknown")
    assert contain(["192.0.2.0/24"], "::ffff:192.0.2.1")


PROXIES = ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # anybody can send a header
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what stands before was said by that client
        ("10.0.0.1", "198.51.100.1, 10.2.3.4", "198.51.100.1"),  # two proxies, one behind the other
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
    ],
)
def test_a_clients_address_is_what_a_trusted_proxy_says(peer: str, forwarded: str, client: str) -> None:
    assert client_behind(peer, forwarded, PROXIES) == client


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (["192.0.2.0/24"], ["192.0.2.0/24"], True),
        (["192.0.2.7/32", "2001:db8::1/128"], ["192.0.2.0/24", "2001:db8::/32"], True),
        (["192.0.2.0/24"], ["192.0.2.0/25"], False),
        (["192.0.2.0/24"], ["192.0.2.0/25", "192.0.2.128/25"], True),
        (["192.0.2.0/24", "198.51.100.0/24"], ["192.0.2.0/24"], False),
        (["2001:db8::/32"], ["0.0.0.0/0"], False),
        (["0.0.0.0/0"], ["::/0"], False),
        ([], ["192.0.2.0/24"], True),
    ],
)
def test_networks_are_inside_of_others_or_not(inner: list[str], outer: list[str], expected: bool) -> None:
    assert are_inside(inner, outer) is expected
