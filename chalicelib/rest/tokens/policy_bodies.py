"""What clients may send about policies."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta

from chalicelib.core.access.token_policy import LONGEST_DAYS, Consequence, Policy
from chalicelib.rest.contract.bodies import Ignored, ResourceBody

Days = Annotated[int, Meta(ge=1, le=LONGEST_DAYS)]


class PolicyBody(ResourceBody, kw_only=True):
    """The whole policy: what is left out is not demanded."""

    longest_life_days: Days | None = None
    rotation_due_days: Days | None = None
    unused_days: Days | None = None
    unused: Literal["flag", "disable"] = "flag"
    reused: Literal["flag", "revoke"] = "flag"
    leaked: Literal["flag", "revoke"] = "revoke"
    type: Ignored = UNSET

    def policy(self) -> Policy:
        """Raises Invalid."""
        days = self.longest_life_days, self.rotation_due_days, self.unused_days
        return Policy(*days, *map(Consequence, (self.unused, self.reused, self.leaked)))
