"""What clients may send about trust rules."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from chalicelib.core.oauth.public_keys import MAX_KEYS
from chalicelib.core.oauth.trust_conditions import MAX_CONDITION_TEXT, MAX_CONDITIONS, MAX_PATTERNS
from chalicelib.core.oauth.trust_rules import ISSUER_FORM, MAX_TEXT
from chalicelib.rest.contract.bodies import PRINTABLE, Ignored, Name, ResourceBody, formed
from chalicelib.rest.tokens.token_bodies import Scope

MAX_ASSERTION = 16_384

Patterns = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=MAX_CONDITION_TEXT)]],
    Meta(min_length=1, max_length=MAX_PATTERNS),
]


Issuer = Annotated[str, formed(ISSUER_FORM, "must be an https address without query and fragment", max_length=MAX_TEXT)]
Audience = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TEXT, description="printable", extra_json_schema=PRINTABLE),
]
Conditions = Annotated[
    dict[str, Patterns],
    Meta(
        min_length=1,
        max_length=MAX_CONDITIONS,
        description="patterns by claim; at least one identifies whose token it is",
    ),
]


Keys = Annotated[
    list[dict[str, Any]],
    Meta(
        max_length=MAX_KEYS,
        description="public keys as JWKs, used in place of the issuer's own; empty: the issuer's are fetched",
    ),
]


Lasting = Annotated[bool, Meta(description="what its access tokens create at Keyturn may outlive them")]


class _TrustRuleBody(ResourceBody, kw_only=True):
    user: Ignored = UNSET
    author: Ignored = UNSET
    problem: Ignored = UNSET
    type: Ignored = UNSET


class NewTrustRule(_TrustRuleBody, kw_only=True):
    name: Name
    issuer: Issuer
    audience: Audience
    conditions: Conditions
    scope: Scope
    keys: Keys = msgspec.field(default_factory=list)
    lasting: Lasting = False


class TrustRuleChange(_TrustRuleBody, kw_only=True):
    """What is left out, or null, stays."""

    name: Name | None = None
    issuer: Issuer | None = None
    audience: Audience | None = None
    conditions: Conditions | None = None
    scope: Scope | None = None
    keys: Keys | None = None
    lasting: Lasting | None = None


class TrialBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    assertion: Annotated[str, Meta(min_length=1, max_length=MAX_ASSERTION)]
