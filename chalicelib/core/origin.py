"""Where a request comes from, in time and in the network."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """When a request came (milliseconds since the epoch) and from which network address."""

    now: int
    address: str
