"""`/users/{user}/trustrules`: which outside identity tokens a bot's pipelines may trade for access tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.oauth.manage_trust_rules import RuleChange, RuleDescription
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.contract.fields import parse
from chalicelib.rest.oauth.oauth_shapes import TRIALS, TRUST_RULE, RuleView, TrialsView
from chalicelib.rest.oauth.trust_rule_bodies import NewTrustRule, TrialBody, TrustRuleChange
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.oauth.manage_trust_rules import OwnedRule
    from chalicelib.rest.contract.bodies import Reference

# What a trial answers unless asked for something else: everything, since its point is the reasons.
WHY_NOT = "id,type,matched,rules(id,name,type,matched,findings(name,type,passed,detail))"


@operation(TRUST_RULE, collection="trustrules")
def list_rules(call: Call, user: str) -> Response:
    window = call.window()
    caller = call.caller()
    page = call.keyturn.oauth.trust_rules.page(caller, user, window)
    return call.many(_views(call, caller, page.items), window, page.total)


@operation(TRUST_RULE, body=NewTrustRule, creates=True)
def create_rule(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewTrustRule)
    description = RuleDescription(
        body.name, body.issuer, body.audience, body.conditions, _scope(body.scope), body.keys, body.lasting
    )
    rules = call.keyturn.oauth.trust_rules
    return call.create(
        caller,
        lambda by: _views(call, caller, [rules.create(by, user, description)])[0],
        lambda id: _views(call, caller, [rules.get(caller, user, id)])[0],
    )


@operation(TRUST_RULE)
def get_rule(call: Call, user: str, rule: str) -> Response:
    caller = call.caller()
    return call.one(_views(call, caller, [call.keyturn.oauth.trust_rules.get(caller, user, rule)])[0])


@operation(TRUST_RULE, body=TrustRuleChange)
def update_rule(call: Call, user: str, rule: str) -> Response:
    """What is not named stays. The rule goes on throughout: what is refused leaves it as it was."""
    caller = call.caller()
    body = call.body(TrustRuleChange)
    scope = None if body.scope is None else _scope(body.scope)
    change = RuleChange(body.name, body.issuer, body.audience, body.conditions, scope, body.keys, body.lasting)
    return call.one(_views(call, caller, [call.keyturn.oauth.trust_rules.update(caller, user, rule, change)])[0])


@operation()
def delete_rule(call: Call, user: str, rule: str) -> Response:
    call.keyturn.oauth.trust_rules.delete(call.caller(), user, rule)
    return answer({})


@operation(TRIALS, body=TrialBody, dry_run=False)
def try_out(call: Call, user: str) -> Response:
    """Would this token match, and why not? Nothing is issued, and the token is not kept."""
    caller = call.caller()
    body = call.body(TrialBody)
    trials = call.keyturn.oauth.trust_rules.try_out(caller, user, body.assertion)
    owner = call.keyturn.accounts.find(caller, user, Operation.TRY_TRUST_RULES)
    selected = call if call.selection else replace(call, selection=parse(WHY_NOT))
    return selected.one(TrialsView(owner.id, trials))


def _scope(references: Sequence[Reference]) -> list[str]:
    return [reference.text(f"scope[{index}]") for index, reference in enumerate(references)]


def _views(call: Call, caller: Caller, owned: Sequence[OwnedRule]) -> list[RuleView]:
    services = call.keyturn.services.resolve({id for each in owned for id in each.rule.scope})
    shown = call.keyturn.services.shown
    return [RuleView(each.rule, each.owner, shown(caller, services, each.owner.id)) for each in owned]
