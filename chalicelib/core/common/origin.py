"""Where a request comes from, in time and in the network; and the use of a credential that comes with one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chalicelib.core.common.errors import Invalid

MAX_AGENT = 200  # characters of a program's description that are kept


@dataclass(frozen=True, slots=True)
class Origin:
    """When a request came (milliseconds since the epoch), from which network address, and from what program."""

    now: int
    address: str
    agent: str | None = None

    def usage(self) -> UsageContext:
        """The use of a credential that came with the request."""
        return UsageContext(self.now, self.address, self.agent)


@dataclass(frozen=True, slots=True)
class UsageContext:
    """`address` and `agent` (its `User-Agent`) are those of the client that presents the credential, and None where
    nobody knows them: a service that asks about a token may leave them out. `service_id` is where it is used.
    `supplied_secret`: the secret that the same request supplies, to take the place of the one that is presented."""

    now: int  # milliseconds since the epoch
    address: str | None = None
    agent: str | None = None
    service_id: str | None = None
    supplied_secret: str | None = field(default=None, repr=False)

    def at(self, service_id: str) -> UsageContext:
        """The same use, at this service."""
        return replace(self, service_id=service_id)


def agent(text: str | None) -> str | None:
    """What is kept of a program's description: printable, and not more than anybody reads."""
    kept = "".join(character for character in (text or "")[:MAX_AGENT] if character.isprintable()).strip()
    return kept or None


def client_address(text: str | None, field: str) -> str | None:
    """An IP address that a service passes on, in its usual form. Raises Invalid."""
    if text is None:
        return None
    import ipaddress  # only where it is needed

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Invalid(field, "must be an IPv4 or IPv6 address.") from None
