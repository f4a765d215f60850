"""What its own end and policies mean for a permanent token in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.token_policy import Consequence
from chalicelib.core.common.time import DAY_MS, earliest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.tokens.token import PermanentToken


@dataclass(frozen=True, slots=True)
class ExpiryProjection:
    """What lies before a token, in milliseconds since the epoch; None: nothing of the kind. `secret_created_at` is when
    its current secret was made, `quiet_since` when that or its last use was."""

    secret_created_at: int
    quiet_since: int
    ends: int | None  # it is refused from then on, whether by its own end or by a policy's
    rotation_due: int | None
    unused: int | None  # when it will count as unused, if it is not used before
    disabled: int | None  # the same, where it is refused from then on

    @property
    def refused(self) -> int | None:
        """From when on it is refused, as things stand."""
        return earliest((self.ends, self.disabled))


def project_expiry(token: PermanentToken, policies: Iterable[Policy]) -> ExpiryProjection:
    """What these policies, and its own end, mean for the token. After its own end nothing becomes due any more: nobody
    can do anything about it."""
    policies = tuple(policies)
    quiet_since = max(token.secret_created_at, token.last_used or 0)
    unused = [(quiet_since + each.unused_days * DAY_MS, each.unused) for each in policies if each.unused_days]
    due = [token.secret_created_at + each.rotation_due_days * DAY_MS for each in policies if each.rotation_due_days]
    if token.expires is not None:
        unused = [(moment, consequence) for moment, consequence in unused if moment < token.expires]
        due = [moment for moment in due if moment < token.expires]
    return ExpiryProjection(
        secret_created_at=token.secret_created_at,
        quiet_since=quiet_since,
        ends=earliest((token.expires, *(each.ends(token.secret_created_at) for each in policies))),
        rotation_due=earliest(due),
        unused=earliest(moment for moment, _ in unused),
        disabled=earliest(moment for moment, consequence in unused if consequence is Consequence.DISABLE),
    )
