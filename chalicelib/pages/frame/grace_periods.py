"""How long a secret may go on that a new one supersedes: what pages offer, and what was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.time import DAY_MS

if TYPE_CHECKING:
    from chalicelib.web.request import FormRequest

# In milliseconds, by what the pages call it.
GRACES = {"1 hour": DAY_MS // 24, "1 day": DAY_MS, "7 days": 7 * DAY_MS, "30 days": 30 * DAY_MS, "none": 0}


def chosen_grace(request: FormRequest) -> int:
    """What the form says, in milliseconds. Raises Invalid (`grace`)."""
    grace = request.value("grace") or ""
    if grace not in GRACES:
        raise Invalid("grace", "must be one of the listed values.")
    return GRACES[grace]
