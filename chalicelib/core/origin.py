"""Where a request comes from, in time and in the network."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.core.uses import Use


@dataclass(frozen=True, slots=True)
class Origin:
    """When a request came (milliseconds since the epoch), from which network address, and from what program."""

    now: int
    address: str
    agent: str | None = None

    def use(self) -> Use:
        """The use of a credential that came with the request."""
        return Use(self.now, self.address, self.agent)
