"""From where a token may be used: networks in CIDR notation (RFC 4632, RFC 4291 section 2.3)."""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NETWORKS = 50

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(values: Sequence[str], field: str = "networks") -> tuple[str, ...]:
    """Valid networks, in their usual form, each once. A single address is a network of one. Raises Invalid."""
    if len(values) > MAX_NETWORKS:
        raise Invalid(field, f"may have at most {MAX_NETWORKS} entries.")
    valid: dict[str, None] = {}
    for index, value in enumerate(values):
        try:
            valid[str(ipaddress.ip_network(value))] = None
        except ValueError:
            raise Invalid(f"{field}[{index}]", "must be a network such as 192.0.2.0/24 or 2001:db8::/32.") from None
    return tuple(valid)


def contain(allowed: Sequence[str], address: str | None) -> bool:
    """Whether the address is in one of the networks; one that nobody knows is in none."""
    parsed = _parsed(address or "")
    return parsed is not None and any(parsed in _network(each) for each in allowed)


def are_inside(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Whether every address of these networks is in one of the others, which may have to be taken together."""
    merged = _merged([_network(each) for each in outer])
    return all(any(_covers(network, _network(each)) for network in merged) for each in inner)


def _merged(networks: Sequence[Network]) -> list[Network]:
    old = ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv4Network))
    new = ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv6Network))
    return [*old, *new]


def _covers(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def client_behind(peer: str, forwarded: str, proxies: Sequence[str]) -> str:
    """The client's address: that of the connection, unless it comes from a trusted proxy.

    Then it is the last one in `forwarded` (X-Forwarded-For, to which each proxy adds whom it was asked by) that is
    no trusted proxy: what stands before it may have been written by anybody.
    """
    client = peer
    for hop in reversed(forwarded.split(",") if forwarded else []):
        if not contain(proxies, client) or _parsed(hop.strip()) is None:
            break
        client = hop.strip()
    return client


def _parsed(address: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    # The same machine, by another spelling (RFC 4291 section 2.5.5.2).
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


@functools.lru_cache(maxsize=1_000)
def _network(text: str) -> Network:
    return ipaddress.ip_network(text)
