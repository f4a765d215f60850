"""How many logins may be tried: never so that one person's attempts keep another out.

Every attempt counts against a budget of this login from this network. Where the login was never used from,
it also counts against one of the network, and one of the login from all such networks. So guessing is slow
from one place and from many, and whoever guesses uses up budgets that the owner, at a place where the owner
has logged in before, does not need. Logins that do not exist have budgets too: an answer tells nothing. A
passkey without a password cannot be guessed, and is not counted.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

MINUTE_MS = 60_000
KNOWN_FOR_MS = 90 * 24 * 60 * MINUTE_MS  # how long a network stays one where the owner has logged in
IPV6_SITE_BITS = 64  # one customer's part of the network


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` attempts in a window of `window_ms`, which begins at a multiple of its length."""

    subject: str
    limit: int
    window_ms: int

    def window(self, now: int) -> int:
        """The number of the window in which `now` is."""
        return now // self.window_ms

    def ends(self, now: int) -> int:
        """When the window ends, in milliseconds since the epoch."""
        return (self.window(now) + 1) * self.window_ms


def network(address: str) -> str:
    """Whose attempts count together: an IPv4 address, or 64 bits of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False))
    return str(parsed)


def budgets(login_key: str, network: str, known: bool) -> list[Budget]:
    """What an attempt counts against; `known`: this login was used from this network before."""
    here = Budget(f"LOGIN#{login_key}#{network}", 10, 15 * MINUTE_MS)
    if known:
        return [here]
    network_wide = Budget(f"NETWORK#{network}", 100, 15 * MINUTE_MS)
    return [here, network_wide, Budget(f"LOGIN#{login_key}", 50, 60 * MINUTE_MS)]
