"""Trust rules: which outside identity tokens a bot's pipeline may trade for an access token.

A rule names an issuer and an audience, and conditions on claims. A claim is named as it stands, or by a JSON
Pointer (RFC 6901) such as `/kubernetes.io/namespace`. Its value has to equal one of the patterns, in which `*`
stands for any characters; of a list, one member has to. Sources: RFC 7523 section 3; the documentation of
GitHub Actions, GitLab CI and Kubernetes on the claims of their tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_TRUST_RULES = 20  # of one account
MAX_CONDITIONS = 20
MAX_PATTERNS = 20
MAX_TEXT = 500
CLOCK_SKEW_MS = 60_000
ISSUER_FORM = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\x21-\x22\x24-\x3e\x40-\x7e]*)?"
# What everybody's tokens of one issuer have in common says nothing about whose they are.
SAYS_NOTHING = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrustRule:
    """A rule at rest. `conditions` maps claims to patterns; `scope` holds service ids."""

    id: str
    user_id: str
    name: str
    issuer: str
    audience: str
    conditions: Mapping[str, tuple[str, ...]]
    scope: tuple[str, ...]
    author_id: str
    author_name: str
    created: int
    last_used: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and how it came out."""

    check: str
    passed: bool
    detail: str


def findings(rule: TrustRule, claims: Claims, now: int) -> list[Finding]:
    """How each part of the rule came out on these claims; a token matches if all passed."""
    audiences = claims.get("aud")
    audiences = audiences if isinstance(audiences, list) else [audiences]
    return [
        Finding("issuer", claims.get("iss") == rule.issuer, f"{_shown(claims.get('iss'))}; wanted {rule.issuer}"),
        Finding("audience", rule.audience in audiences, f"{_shown(claims.get('aud'))}; wanted {rule.audience}"),
        *_times(claims, now),
        *(_condition(claim, patterns, claims) for claim, patterns in rule.conditions.items()),
    ]


def _times(claims: Claims, now: int) -> list[Finding]:
    """RFC 7523 section 3: an end is required; a beginning is respected."""
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    alive = isinstance(expires, int | float) and now < expires * 1000 + CLOCK_SKEW_MS
    begun = isinstance(begins, int | float) and begins * 1000 - CLOCK_SKEW_MS <= now
    return [
        Finding("expiry", alive, f"exp is {_shown(expires)}; now is {now // 1000}"),
        Finding("beginning", begun, f"nbf is {_shown(begins)}; now is {now // 1000}"),
    ]


def _condition(claim: str, patterns: Sequence[str], claims: Claims) -> Finding:
    value = _claim(claim, claims)
    values = value if isinstance(value, list) else [value]
    passed = any(_matches(pattern, each) for pattern in patterns for each in values)
    return Finding(f"claim {claim}", passed, f"{_shown(value)}; wanted {' or '.join(patterns)}")


def _claim(name: str, claims: Claims) -> object:
    if not name.startswith("/"):
        return claims.get(name)
    value: object = claims
    for part in name[1:].split("/"):
        if not isinstance(value, dict):
            return None
        value = value.get(part.replace("~1", "/").replace("~0", "~"))
    return value


def _matches(pattern: str, value: object) -> bool:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int):
        return False
    text = str(value)
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    # Each part at its first place after the one before: no regular expression, whose time a claim could drive up.
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _shown(value: object) -> str:
    return "absent" if value is None else str(value)[:MAX_TEXT]


def issuer(value: str, field: str = "issuer") -> str:
    """A valid issuer, as given: an https address without query and fragment. Raises Invalid."""
    if len(value) > MAX_TEXT or not re.fullmatch(ISSUER_FORM, value, re.ASCII):
        raise Invalid(field, f"must be an https address without query and fragment, of at most {MAX_TEXT} characters.")
    return value


def audience(value: str, field: str = "audience") -> str:
    """A valid audience. Raises Invalid."""
    if not 1 <= len(value) <= MAX_TEXT or not value.isprintable():
        raise Invalid(field, f"must have 1 to {MAX_TEXT} printable characters.")
    return value


def conditions(values: Mapping[str, Sequence[str]], field: str = "conditions") -> dict[str, tuple[str, ...]]:
    """Valid conditions, of which at least one says whose token it is. Raises Invalid."""
    if len(values) > MAX_CONDITIONS:
        raise Invalid(field, f"may name at most {MAX_CONDITIONS} claims.")
    valid: dict[str, tuple[str, ...]] = {}
    for claim, patterns in values.items():
        where = f"{field}.{claim}"
        if not 1 <= len(claim) <= MAX_TEXT or not claim.isprintable():
            raise Invalid(field, f"names of claims must have 1 to {MAX_TEXT} printable characters.")
        if not 1 <= len(patterns) <= MAX_PATTERNS:
            raise Invalid(where, f"must have 1 to {MAX_PATTERNS} patterns.")
        if any(not 1 <= len(pattern) <= MAX_TEXT or pattern.count("*") > 10 for pattern in patterns):
            raise Invalid(where, f"patterns must have 1 to {MAX_TEXT} characters, and ten * at most.")
        valid[claim] = tuple(dict.fromkeys(patterns))
    if not any(_narrows(claim, patterns) for claim, patterns in valid.items()):
        raise Invalid(
            field, "must tie the token to somebody, such as by sub or repository: an issuer serves everybody's."
        )
    return valid


def _narrows(claim: str, patterns: Sequence[str]) -> bool:
    return claim not in SAYS_NOTHING and all(pattern.strip("*") for pattern in patterns)
