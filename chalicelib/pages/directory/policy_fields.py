"""The fields of the form with what a service or a group demands of permanent tokens."""

from __future__ import annotations

from chalicelib.core.access.token_policy import LONGEST_DAYS, WHEN_KNOWN_TO_OTHERS, WHEN_UNUSED, Consequence, Policy
from chalicelib.core.common.errors import Invalid

DAYS = ("longestLifeDays", "rotationDueDays", "unusedDays")
CONSEQUENCES = {"unused": WHEN_UNUSED, "reused": WHEN_KNOWN_TO_OTHERS, "leaked": WHEN_KNOWN_TO_OTHERS}


def filled_in(policy: Policy | None) -> dict[str, str]:
    """The form, as it shows the policy."""
    policy = policy or Policy()
    days = (policy.longest_life_days, policy.rotation_due_days, policy.unused_days)
    consequences = (policy.unused, policy.reused, policy.leaked)
    texts = ["" if each is None else str(each) for each in days] + [each.value for each in consequences]
    return dict(zip((*DAYS, *CONSEQUENCES), texts, strict=True))


def policy_of(filled: dict[str, str]) -> Policy:
    """What the form says. Raises Invalid."""
    life, rotation, unused = (_days(filled, name) for name in DAYS)
    return Policy(life, rotation, unused, *(_consequence(filled, name) for name in CONSEQUENCES))


def _days(filled: dict[str, str], name: str) -> int | None:
    text = filled[name]
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(name, f"must be a whole number of days from 1 to {LONGEST_DAYS}.")
    return int(text) if text else None


def _consequence(filled: dict[str, str], name: str) -> Consequence:
    for each in CONSEQUENCES[name]:
        if each.value == filled[name]:
            return each
    raise Invalid(name, "must be one of the listed values.")
