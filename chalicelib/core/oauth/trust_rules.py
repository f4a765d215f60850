"""Trust rules: which outside identity tokens a bot's pipeline may trade for an access token.

A rule names an issuer and an audience, and conditions on claims. A claim is named as it stands, or by a JSON
Pointer (RFC 6901) such as `/kubernetes.io/namespace`. Its value has to equal one of the patterns, in which `*`
stands for any characters; of a list, one member has to, unless the claim says whose the token is. Sources: RFC 7523
section 3; the documentation of GitHub Actions, GitLab CI and Kubernetes on the claims of their tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard

from chalicelib.core.common.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_TRUST_RULES = 20  # of one account
MAX_TEXT = 500  # characters of an issuer, or of an audience
MAX_WORKLOAD = 255  # characters of a subject (OpenID Connect Core section 2); a longer one loses its middle
MAX_SECONDS = 10**11  # since the epoch: in the year 5138
CLOCK_SKEW_MS = 60_000
ISSUER_FORM = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\x21-\x22\x24-\x3e\x40-\x7e]*)?"

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrustRule:
    """A rule at rest. `conditions` maps claims to patterns; `scope` holds service ids; `keys` are the issuer's public
    keys as JWKs, where somebody gave them: then it is never asked for any. `lasting`: what its access tokens make at
    Keyturn itself need not end with them (`core.access.attenuation`)."""

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
    revision: int = 0
    keys: tuple[Mapping[str, str], ...] = ()
    lasting: bool = False
    since: int | None = None  # when it last came to let in less, in milliseconds since the epoch; None: never

    @property
    def problem(self) -> str | None:
        """Why the rule is not honoured, in a sentence: it was made when less was asked of it. None if it is."""
        from chalicelib.core.oauth.trust_conditions import problem_of  # rules are read without being judged, too

        return problem_of(self.issuer, self.conditions)

    def changed(self, now: int, **values: Any) -> TrustRule:
        """The rule with other values; itself, if they are those that it has. Access tokens that came of it end where it
        does not let in any more all that it did."""
        new = replace(self, **values)
        if new == self:
            return self
        since = self.since if _lets_in_all_of(new, self) else max(now, (self.since or 0) + 1)
        return replace(new, revision=self.revision + 1, since=since)


def _lets_in_all_of(new: TrustRule, old: TrustRule) -> bool:
    """Whether every token that matched the old rule matches the new one, as far as that is plain to see."""
    same_keys = new.keys == old.keys or (bool(old.keys) and all(key in new.keys for key in old.keys))
    return (
        same_keys
        and (new.issuer, new.audience) == (old.issuer, old.audience)
        and all(
            set(old.conditions.get(claim, ())) <= set(patterns) and claim in old.conditions
            for claim, patterns in new.conditions.items()
        )
    )


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
    problem = rule.problem
    return [
        Finding(
            "rule", problem is None, "identifies whose token it is" if problem is None else f"conditions {problem}"
        ),
        Finding("issuer", claims.get("iss") == rule.issuer, f"{_shown(claims.get('iss'))}; wanted {rule.issuer}"),
        Finding("audience", rule.audience in audiences, f"{_shown(claims.get('aud'))}; wanted {rule.audience}"),
        *_times(claims, now),
        *(_condition(claim, patterns, claims) for claim, patterns in rule.conditions.items()),
    ]


def _times(claims: Claims, now: int) -> list[Finding]:
    """RFC 7523 section 3: an end is required; a beginning is respected."""
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    alive = _is_time(expires) and now < expires * 1000 + CLOCK_SKEW_MS
    begun = _is_time(begins) and begins * 1000 - CLOCK_SKEW_MS <= now
    return [
        Finding("expiry", alive, f"exp is {_shown(expires)}; now is {now // 1000}"),
        Finding("beginning", begun, f"nbf is {_shown(begins)}; now is {now // 1000}"),
    ]


def _is_time(value: object) -> TypeGuard[int | float]:
    """A NumericDate (RFC 7519 section 2), of a moment that can come: neither infinite, nor of hundreds of digits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_SECONDS


def _condition(claim: str, patterns: Sequence[str], claims: Claims) -> Finding:
    from chalicelib.core.oauth.trust_conditions import found, is_single

    value = found(claim, claims)
    values = value if isinstance(value, list) and not is_single(claim) else [value]
    passed = any(_matches(pattern, each) for pattern in patterns for each in values)
    return Finding(f"claim {claim}", passed, f"{_shown(value)}; wanted {' or '.join(patterns)}")


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


def workload(claims: Claims) -> str | None:
    """What the audit log calls the job that presented this token: its subject, fit for a line; None if it has none."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        return None
    line = "".join(letter if letter.isprintable() else "\ufffd" for letter in subject)
    half = MAX_WORKLOAD // 2
    return line if len(line) <= MAX_WORKLOAD else f"{line[:half]}…{line[-half:]}"


def _shown(value: object) -> str:
    return "absent" if value is None else str(value)[:MAX_TEXT]


def valid_issuer(value: str, field: str = "issuer") -> str:
    """A valid issuer, as given: an https address without query and fragment. Raises Invalid."""
    if len(value) > MAX_TEXT or not re.fullmatch(ISSUER_FORM, value, re.ASCII):
        raise Invalid(field, f"must be an https address without query and fragment, of at most {MAX_TEXT} characters.")
    return value


def valid_audience(value: str, field: str = "audience") -> str:
    """A valid audience. Raises Invalid."""
    if not 1 <= len(value) <= MAX_TEXT or not value.isprintable():
        raise Invalid(field, f"must have 1 to {MAX_TEXT} printable characters.")
    return value
