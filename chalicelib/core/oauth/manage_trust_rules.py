"""Trust rules of bots: made, listed, changed in place, tried out, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import changes
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Invalid, NotFound
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Page
from chalicelib.core.oauth import trust_conditions
from chalicelib.core.oauth.public_keys import public_keys
from chalicelib.core.oauth.trust_rules import MAX_TEXT, MAX_TRUST_RULES, TrustRule, valid_audience, valid_issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.paging import Window
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.oauth.federation import Federation, Trial
    from chalicelib.core.oauth.ports import TrustRuleStore
    from chalicelib.core.oauth.scopes import Scopes


@dataclass(frozen=True, slots=True)
class OwnedRule:
    """A trust rule with the bot that trusts."""

    rule: TrustRule
    owner: User


@dataclass(frozen=True, slots=True)
class RuleDescription:
    """What a caller says of a rule. `scope` holds ids or keys of services; `keys` JWKs, or none if they are fetched."""

    name: str
    issuer: str
    audience: str
    conditions: Mapping[str, Sequence[str]]
    scope: Sequence[str]
    keys: Sequence[Mapping[str, Any]] = ()
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What a caller says anew of a rule; None is what stays as it is."""

    name: str | None = None
    issuer: str | None = None
    audience: str | None = None
    conditions: Mapping[str, Sequence[str]] | None = None
    scope: Sequence[str] | None = None
    keys: Sequence[Mapping[str, Any]] | None = None
    lasting: bool | None = None

    def valid(self) -> dict[str, Any]:
        """What can be judged without the rule, by attribute. Raises Invalid."""
        checks: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "name": (self.name, validation.name),
            "issuer": (self.issuer, valid_issuer),
            "audience": (self.audience, valid_audience),
            "keys": (self.keys, public_keys),
            "lasting": (self.lasting, bool),
        }
        return {name: check(value) for name, (value, check) in checks.items() if value is not None}


class TrustRules:
    """`user` is the bot's id or login."""

    def __init__(
        self,
        store: TrustRuleStore,
        accounts: Accounts,
        scopes: Scopes,
        federation: Federation,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._scopes = scopes
        self._federation = federation

    def page(self, caller: Caller, user: str, window: Window) -> Page[OwnedRule]:
        """A part of the bot's rules, oldest first. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_TRUST_RULES)
        found = self._store.list(owner.id)
        return Page([OwnedRule(each, owner) for each in found[window.skip : window.skip + window.top]], len(found))

    def get(self, caller: Caller, user: str, rule_id: str) -> OwnedRule:
        """One of them. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_TRUST_RULES)
        return OwnedRule(self._existing(owner, rule_id), owner)

    def create(self, caller: Caller, user: str, description: RuleDescription) -> OwnedRule:
        """A new rule: as good as a token for the bot, so it needs all that the bot may do.

        Raises Invalid, Forbidden, NotFound, or Conflict (the account is a person; the name is taken; too many).
        """
        name = validation.name(description.name)
        issuer, audience = valid_issuer(description.issuer), valid_audience(description.audience)
        conditions = trust_conditions.conditions(issuer, description.conditions)
        keys = public_keys(description.keys)

        def attempt() -> OwnedRule:
            allowing = (Operation.ALLOW_LASTING,) if description.lasting else ()
            owner, permit = self._accounts.permitted(caller, user, Operation.CREATE_TRUST_RULE, *allowing)
            if owner.type is not AccountType.BOT:
                raise Conflict("Only bots can have trust rules. People log in.")
            if len(self._store.list(owner.id)) >= MAX_TRUST_RULES:
                raise Conflict(f"An account can have at most {MAX_TRUST_RULES} trust rules.")
            rule = TrustRule(
                id=new_id(),
                user_id=owner.id,
                name=name,
                issuer=issuer,
                audience=audience,
                conditions=conditions,
                scope=self._visible(caller, description.scope),
                author_id=caller.user.id,
                author_name=caller.user.name,
                created=caller.now,
                keys=keys,
                lasting=description.lasting,
            )
            details = {"name": name, "issuer": issuer, "scope": " ".join(rule.scope), **_initial_details(rule)}
            record = permit.record("trust-rule.created", "trust-rule", rule.id, owner.id, details)
            self._store.create(rule, owner, permit.insisting(), record)
            return OwnedRule(rule, owner)

        return retry_on_conflict(attempt)

    def update(self, caller: Caller, user: str, rule_id: str, change: RuleChange, seen: int | None = None) -> OwnedRule:
        """The rule, changed in place: there is no moment without it. As strict as `create`, since it may let in others.
        Access tokens that came of it end where it lets in less, and with what leaves its scope.

        Raises as `create`; NotFound also for the rule; Changed unless it has still the revision `seen`, if one is
        given.
        """
        said = change.valid()

        def attempt() -> OwnedRule:
            owner, permit = self._accounts.permitted(caller, user, Operation.UPDATE_TRUST_RULE)
            old = self._existing(owner, rule_id)
            require_seen(seen, old.revision)
            new = old.changed(caller.now, **said, **self._said_of(caller, old, change))
            if new is old:
                return OwnedRule(old, owner)
            if new.lasting:  # also what is changed of one that is so already: it lets in somebody else
                owner, permit = self._accounts.permitted(
                    caller, user, Operation.UPDATE_TRUST_RULE, Operation.ALLOW_LASTING
                )
            record = permit.record("trust-rule.updated", "trust-rule", old.id, owner.id, _difference(old, new))
            self._store.replace(old, new, owner, permit.insisting(), record)
            return OwnedRule(new, owner)

        return retry_persistently(attempt)  # it may let in less

    def _said_of(self, caller: Caller, old: TrustRule, change: RuleChange) -> dict[str, Any]:
        """What is said anew of conditions and scope, which have to fit the rule as it becomes. Raises Invalid."""
        said: dict[str, Any] = {}
        if change.conditions is not None or change.issuer is not None:
            conditions = old.conditions if change.conditions is None else change.conditions
            said["conditions"] = trust_conditions.conditions(change.issuer or old.issuer, conditions)
        if change.scope is not None:
            said["scope"] = self._visible(caller, change.scope, already=old.scope)
        return said

    def delete(self, caller: Caller, user: str, rule_id: str) -> None:
        """The bot trusts it no more, and access tokens that came from it end. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.DELETE_TRUST_RULE)
            rule = self._existing(owner, rule_id)
            record = permit.record("trust-rule.deleted", "trust-rule", rule.id, owner.id, {"name": rule.name})
            self._store.delete(rule, record)

        retry_persistently(attempt)

    def try_out(self, caller: Caller, user: str, assertion: str) -> list[Trial]:
        """Whether this outside token would match each of the bot's rules, and why not. Nothing is issued.

        Raises Forbidden, NotFound, or Invalid (it is no token).
        """
        owner = self._accounts.find(caller, user, Operation.TRY_TRUST_RULES)
        return self._federation.trials(self._store.list(owner.id), assertion, caller.now)

    def _visible(self, caller: Caller, references: Sequence[str], already: Sequence[str] = ()) -> tuple[str, ...]:
        """The ids of the services that `references` name, each once. One that the rule is `already` good for can be
        sent back by its id, whether the caller sees it or not."""
        if not references:
            raise Invalid("scope", "must name at least one service.")
        found: dict[str, Any] = {}
        for reference in references:
            if reference in already:
                found[reference] = None
                continue
            service = self._scopes.service(reference)
            if service is None or not self._scopes.sees(caller, service):
                raise Invalid("scope", f"there is no service {reference[:100]!r} that you may see.")
            found[service.id] = None
        return tuple(found)

    def _existing(self, owner: User, rule_id: str) -> TrustRule:
        for rule in self._store.list(owner.id):
            if rule.id == rule_id:
                return rule
        raise NotFound("trust rule", rule_id)


def _difference(old: TrustRule, new: TrustRule) -> dict[str, str]:
    """The details of a record of a change."""
    details = changes(old, new, "name", "issuer", "audience", "lasting")
    if old.keys != new.keys:
        details["keys"] = f"{_shown_keys(old)} -> {_shown_keys(new)}"
    if old.scope != new.scope:
        details["scope"] = f"{' '.join(old.scope)} -> {' '.join(new.scope)}"
    for claim in sorted({*old.conditions, *new.conditions}):
        before, after = (_shown(rule.conditions.get(claim)) for rule in (old, new))
        if before != after:
            details[f"claim {claim}"] = f"{before} -> {after}"
    return details


def _initial_details(rule: TrustRule) -> dict[str, str]:
    """The details of a record of a new rule, besides its name, issuer and scope, where there is something to tell."""
    details = {"keys": _shown_keys(rule) if rule.keys else "", "lasting": "True" if rule.lasting else ""}
    return {name: text for name, text in details.items() if text}


def _shown_keys(rule: TrustRule) -> str:
    return " ".join(key.get("kid", "unnamed") for key in rule.keys)[:MAX_TEXT] or "fetched"


def _shown(patterns: Sequence[str] | None) -> str:
    return "any" if patterns is None else " or ".join(patterns)[:MAX_TEXT]
