"""How things look that OAuth 2.0 leaves on an account: refresh tokens, approved scopes, trust rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES
from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import REFERENCE, USER, NamedReference, service_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.delegations import ApprovedScope, Delegation
    from chalicelib.core.oauth.federation import Trial
    from chalicelib.core.oauth.trust_rules import TrustRule


@dataclass(frozen=True, slots=True)
class GrantedView:
    """A delegation or an approved scope, with the services that it names."""

    thing: Delegation | ApprovedScope
    owner: User
    services: Mapping[str, Service]

    def client(self) -> NamedReference:
        """The service that may do something; one that is gone or may not be seen, by its id alone."""
        return service_reference(self.thing.client_id, self.services.get(self.thing.client_id))

    def scope(self) -> list[NamedReference]:
        """The services where it may. What it may know of the user is not a service, and is in `claims`."""
        return [service_reference(id, self.services.get(id)) for id in self.thing.scope if id not in self.claims()]

    def claims(self) -> list[str]:
        """What it may know of the user."""

        return [value for value in self.thing.scope if value in CLAIM_SCOPES]


@dataclass(frozen=True, slots=True)
class RuleView:
    """A trust rule, with the services that its scope names."""

    rule: TrustRule
    owner: User
    services: Mapping[str, Service]

    def scope(self) -> list[NamedReference]:
        """The scope; a service that was deleted or may not be seen is there by its id alone."""
        return [service_reference(id, self.services.get(id)) for id in self.rule.scope]

    def conditions(self) -> dict[str, list[str]]:
        """Patterns by claim."""
        return {claim: list(patterns) for claim, patterns in self.rule.conditions.items()}


@dataclass(frozen=True, slots=True)
class TrialsView:
    """What became of a trial. Its id is the account's."""

    owner_id: str
    trials: Sequence[Trial]


_granted = {
    "client": Field(lambda view: view.client(), Kind.ONE, REFERENCE),
    "scope": Field(lambda view: view.scope(), Kind.MANY, REFERENCE),
    "claims": Field(lambda view: view.claims(), Kind.LINES),
    "user": Field(lambda view: view.owner, Kind.ONE, USER),
    "creationTime": Field(lambda view: view.thing.created, Kind.TIME),
    "expiresOn": Field(lambda view: view.thing.expires, Kind.TIME),
}

REFRESH_TOKEN = Shape(
    "refreshtoken",
    {
        "id": Field(lambda view: view.thing.id),
        "type": Field(lambda view: "refreshToken"),
        **_granted,
        "lastAccessTime": Field(lambda view: view.thing.last_used, Kind.MAYBE_TIME),
    },
)

APPROVED_SCOPE = Shape(
    "approvedscope",
    {"id": Field(lambda view: view.thing.id), "type": Field(lambda view: "approvedScope"), **_granted},
)

TRUST_RULE = Shape(
    "trustrule",
    {
        "id": Field(lambda view: view.rule.id),
        "type": Field(lambda view: "trustRule"),
        "name": Field(lambda view: view.rule.name),
        "issuer": Field(lambda view: view.rule.issuer),
        "audience": Field(lambda view: view.rule.audience),
        "conditions": Field(
            lambda view: {name: list(texts) for name, texts in view.rule.conditions.items()}, Kind.OBJECT
        ),
        "lasting": Field(lambda view: view.rule.lasting, Kind.FLAG),
        "keys": Field(lambda view: [dict(key) for key in view.rule.keys], Kind.OBJECTS),
        "scope": Field(lambda view: view.scope(), Kind.MANY, REFERENCE),
        "user": Field(lambda view: view.owner, Kind.ONE, USER),
        "author": Field(
            lambda view: NamedReference(view.rule.author_id, view.rule.author_name, "user"), Kind.ONE, REFERENCE
        ),
        "creationTime": Field(lambda view: view.rule.created, Kind.TIME),
        "lastAccessTime": Field(lambda view: view.rule.last_used, Kind.MAYBE_TIME),
        "problem": Field(lambda view: view.rule.problem, Kind.MAYBE_TEXT),  # it is not honoured
    },
)

FINDING = Shape(
    "finding",
    {
        "name": Field(lambda finding: finding.check),
        "type": Field(lambda finding: "finding"),
        "passed": Field(lambda finding: finding.passed, Kind.FLAG),
        "detail": Field(lambda finding: finding.detail),
    },
)
TRIAL = Shape(
    "trustruletrial",
    {
        "id": Field(lambda trial: trial.rule.id),
        "type": Field(lambda trial: "trustRuleTrial"),
        "name": Field(lambda trial: trial.rule.name),
        "matched": Field(lambda trial: trial.matched, Kind.FLAG),
        "findings": Field(lambda trial: list(trial.findings), Kind.MANY, FINDING),
    },
)
TRIALS = Shape(
    "trustruletrials",
    {
        "id": Field(lambda view: view.owner_id),
        "type": Field(lambda view: "trustRuleTrials"),
        "matched": Field(lambda view: any(trial.matched for trial in view.trials), Kind.FLAG),
        "rules": Field(lambda view: list(view.trials), Kind.MANY, TRIAL),
    },
)
