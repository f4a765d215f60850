"""Trust rules of a bot: which outside identity tokens its pipelines may trade for access tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.oauth.manage_trust_rules import RuleChange, RuleDescription
from chalicelib.pages.directory.account import read
from chalicelib.pages.directory.service_names import services_in
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.render import Dialog, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused
from chalicelib.pages.oauth.trust_rule_templates import TEMPLATES, left_open
from chalicelib.pages.tokens.security import back, security_page
from chalicelib.pages.tokens.tokens import offered_services
from chalicelib.web.request import lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.oauth.manage_trust_rules import OwnedRule
    from chalicelib.core.oauth.trust_rules import TrustRule
    from chalicelib.pages.oauth.trust_rule_templates import Template
    from chalicelib.web.request import FormRequest


@dataclass(frozen=True, slots=True)
class TrustRuleForm:
    """The form, as it is filled in: a condition to a line, keys as JSON."""

    name: str = ""
    issuer: str = ""
    audience: str = "keyturn"
    conditions: str = ""
    scope: tuple[str, ...] = ()
    keys: str = ""
    lasting: bool = False

    @classmethod
    def read(cls, request: FormRequest) -> TrustRuleForm:
        """What was sent. Raises Invalid."""
        texts = {name: request.value(name) or "" for name in ("name", "issuer", "audience", "conditions", "keys")}
        texts = {name: "\n".join(text.splitlines()) for name, text in texts.items()}
        return cls(scope=tuple(request.values("scope")), lasting=request.value("lasting") is not None, **texts)

    @classmethod
    def of(cls, rule: TrustRule) -> TrustRuleForm:
        """The rule as it is."""
        conditions = [f"{claim}: {pattern}" for claim, patterns in rule.conditions.items() for pattern in patterns]
        keys = json.dumps([dict(key) for key in rule.keys], indent=1) if rule.keys else ""
        return cls(rule.name, rule.issuer, rule.audience, "\n".join(conditions), rule.scope, keys, rule.lasting)

    def said_conditions(self) -> Mapping[str, Sequence[str]]:
        """Patterns by claim. Raises Invalid."""
        found: dict[str, list[str]] = {}
        for line in lines(self.conditions):
            claim, colon, pattern = line.partition(": ")
            if not colon:
                claim, colon, pattern = line.partition(":")
            if not (claim.strip() and colon and pattern.strip()):
                raise Invalid(
                    "conditions", "must have one per line: a claim, a colon and a pattern, such as repository: acme/*."
                )
            if left := left_open(pattern):
                raise Invalid("conditions", f"still has the placeholder {left}. Replace it with your value.")
            found.setdefault(claim.strip(), []).append(pattern.strip())
        return found

    def said_keys(self) -> Sequence[Mapping[str, Any]]:
        """JWKs; none if nothing is said. Raises Invalid."""
        if not self.keys.strip():
            return ()
        try:
            said = json.loads(self.keys)
        except (ValueError, RecursionError):
            said = None
        found = said.get("keys") if isinstance(said, dict) and "keys" in said else said
        if not isinstance(found, list) or not all(isinstance(key, dict) for key in found):
            raise Invalid("keys", "must be a JSON Web Key Set, or a list of keys as JSON.")
        return found

    def change_from(self, before: TrustRuleForm) -> RuleChange:
        """What was changed in the form, and nothing else. Raises Invalid."""
        return RuleChange(
            name=None if self.name == before.name else self.name,
            issuer=None if self.issuer == before.issuer else self.issuer,
            audience=None if self.audience == before.audience else self.audience,
            conditions=None if self.conditions == before.conditions else self.said_conditions(),
            scope=None if set(self.scope) == set(before.scope) else self.scope,
            keys=None if self.keys == before.keys else self.said_keys(),
            lasting=None if self.lasting == before.lasting else self.lasting,
        )


EMPTY = TrustRuleForm()


@for_users
def ask_new(request: FormRequest, caller: Caller, user: str) -> Response:
    """The dialog *New trust rule*, empty or for a platform."""
    account = read(request, caller, user)
    caller.check(Operation.CREATE_TRUST_RULE, account.id)
    template = TEMPLATES.get(request.asked("platform") or "")
    filled = TrustRuleForm(issuer=template.issuer, conditions=template.conditions) if template else EMPTY
    return security_page(request, caller, account, _dialog(request, caller, account, filled, template=template))


@form
def create(request: FormRequest, caller: Caller, user: str) -> Response:
    """The bot trusts somebody more."""
    account = read(request, caller, user)
    filled = TrustRuleForm.read(request)

    def do() -> Response:
        conditions, keys = filled.said_conditions(), filled.said_keys()
        described = RuleDescription(
            filled.name, filled.issuer, filled.audience, conditions, filled.scope, keys, filled.lasting
        )
        request.keyturn.oauth.trust_rules.create(caller, account.id, described)
        return redirect(request, "users", account.id, "security", done="trust-rule-created")

    return unless_refused(
        do,
        lambda problem: security_page(request, caller, account, _dialog(request, caller, account, filled), problem),
    )


@for_users
def ask_edit(request: FormRequest, caller: Caller, user: str, rule: str) -> Response:
    """The form with the rule as it is."""
    account = read(request, caller, user)
    caller.check(Operation.UPDATE_TRUST_RULE, account.id)
    found = request.keyturn.oauth.trust_rules.get(caller, account.id, rule)
    dialog = _dialog(request, caller, account, TrustRuleForm.of(found.rule), found)
    return security_page(request, caller, account, dialog)


@form
def edit(request: FormRequest, caller: Caller, user: str, rule: str) -> Response:
    """Change it in place."""
    account, filled = read(request, caller, user), TrustRuleForm.read(request)
    rules = request.keyturn.oauth.trust_rules

    def write(found: OwnedRule) -> Response:
        change = filled.change_from(TrustRuleForm.of(found.rule))
        rules.update(caller, account.id, rule, change, found.rule.revision)
        return redirect(request, "users", account.id, "security", done="trust-rule-changed")

    return Edit(
        lambda: rules.get(caller, account.id, rule),
        lambda found: TrustRuleForm.of(found.rule),
        filled,
        write,
        lambda found, values, problem: security_page(
            request, caller, account, _dialog(request, caller, account, values, found), problem
        ),
    ).answer(request)


@for_users
def ask_delete(request: FormRequest, caller: Caller, user: str, rule: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    found = request.keyturn.oauth.trust_rules.get(caller, account.id, rule)
    dialog = Dialog("account/delete-trust-rule-dialog.html", back(request, account), {"found": found})
    return security_page(request, caller, account, dialog)


@form
def delete(request: FormRequest, caller: Caller, user: str, rule: str) -> Response:
    """The bot trusts it no more."""
    account = read(request, caller, user)
    request.keyturn.oauth.trust_rules.delete(caller, account.id, rule)
    return redirect(request, "users", account.id, "security", done="trust-rule-deleted")


def _dialog(
    request: FormRequest,
    caller: Caller,
    user: User,
    filled: TrustRuleForm,
    found: OwnedRule | None = None,
    template: Template | None = None,
) -> Dialog:
    offered = offered_services(request, caller)
    known = {service.id for service in offered}
    kept = [id for id in found.rule.scope if id not in known] if found else []  # deleted, or not to be seen
    there = services_in(request, caller, user.id, [kept])
    values = {"filled": filled, "offered": offered, "kept": kept, "there": there, "found": found}
    values |= {"template": template, "templates": {} if found else TEMPLATES}
    version = version_of(TrustRuleForm.of(found.rule)) if found else ""
    return Dialog("account/trust-rule-dialog.html", back(request, user), values, version)
