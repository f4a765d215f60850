"""How much may be tried: never so that one person's attempts keep another out.

Every attempt counts against a budget of this login from this network. Where the login was never used from,
it also counts against one of the network, and one of the login from all such networks. So guessing is slow
from one place and from many, and whoever guesses uses up budgets that the owner, at a place where the owner
has logged in before, does not need. Logins that do not exist have budgets too: an answer tells nothing. A
passkey without a password cannot be guessed, but each attempt costs work and a record: it has budgets of its own,
of this login from this network and of the network, and none from all networks. So nobody uses up the owner's passkey
from elsewhere, nor by passwords. What a caller types who has logged in counts
against a budget of that account alone.

The subjects of budgets are made here and nowhere else, of parts that hold no `#`, so that no two kinds share one.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum

MINUTE_MS = 60_000
QUARTER_HOUR_MS = 15 * MINUTE_MS
DEVICE_STARTS = 30  # from one network, for one client, in a quarter of an hour
LEAK_REPORTS = 60  # from one network in a quarter of an hour
APPLICATION_PASSWORDS = 100  # that were wrong, and are recorded, from one network in a quarter of an hour
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


class Typed(Enum):
    """What somebody who has logged in types, and may have guessed; the audit log calls a wrong one so."""

    USER_CODE = "device.code-failed"  # that a device shows
    PAIRING = "second-factor.pairing-failed"  # the first code of an authenticator app


def budgets(login: str, network: str, known: bool) -> list[Budget]:
    """What a login counts against; `known`: it was used from this network before. `login` may be a name for it."""
    here = Budget(f"LOGIN#{login}#{network}", 10, QUARTER_HOUR_MS)
    if known:
        return [here]
    network_wide = Budget(f"NETWORK#{network}", 100, QUARTER_HOUR_MS)
    return [here, network_wide, Budget(f"LOGIN#{login}", 50, 60 * MINUTE_MS)]


def passkey_budgets(login: str, network: str, known: bool) -> list[Budget]:
    """What a passkey without a password counts against; as `budgets`."""
    here = Budget(f"PASSKEY#{login}#{network}", 10, QUARTER_HOUR_MS)
    return [here] if known else [here, Budget(f"PASSKEYS#{network}", 100, QUARTER_HOUR_MS)]


def typed(what: Typed, user_id: str) -> Budget:
    """What an account's typing counts against."""
    return Budget(f"{what.name}#{user_id}", 10, QUARTER_HOUR_MS)


def device_starts(client_id: str, network: str) -> Budget:
    """How many devices may start from one network, for one client."""
    return Budget(f"DEVICES#{client_id}#{network}", DEVICE_STARTS, QUARTER_HOUR_MS)


def leak_reports(network: str) -> Budget:
    """How many reports of leaked secrets may come from one network."""
    return Budget(f"LEAKS#{network}", LEAK_REPORTS, QUARTER_HOUR_MS)


def application_passwords(network: str) -> Budget:
    """How many wrong application passwords from one network are recorded."""
    return Budget(f"APP_PASSWORDS#{network}", APPLICATION_PASSWORDS, QUARTER_HOUR_MS)
