"""A trust rule may say that what its access tokens create at Keyturn may outlive them. They themselves do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.access.role import SYSTEM_ADMIN, Grant
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Forbidden, LoginTooOld, Unauthenticated
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.origin import Origin
from chalicelib.core.oauth.access_tokens import LIFETIME_MS, Source, SourceKind
from chalicelib.core.oauth.manage_trust_rules import RuleChange, RuleDescription
from chalicelib.core.oauth.token_exchange import Exchange
from tests.conftest import Scene, now, origin
from tests.core.access.test_attenuation import HOUR, LASTING
from tests.people import person

PLAIN = RuleDescription("pipeline", "https://issuer.example.com", "k", {"sub": ["x"]}, ["keyturn", "ci"])


def rule(scene: Scene, lasting: bool) -> str:
    described = replace(PLAIN, lasting=lasting)
    return scene.product.oauth.trust_rules.create(scene.caller(), scene.bot.id, described).rule.id


def access_token(scene: Scene, rule_id: str) -> str:
    """What a pipeline got by this rule. Its bot may do everything."""
    scene.product.roles.grant(scene.caller(), scene.bot.id, SYSTEM_ADMIN)
    source, scope = Source(SourceKind.TRUST_RULE, rule_id), (KEYTURN, scene.ci.service.id)
    return scene.product.oauth.federation._issuance.issue(scene.bot.id, KEYTURN, scope, source, now()).access_token


@pytest.fixture
def lasting(scene: Scene) -> str:
    return access_token(scene, rule(scene, lasting=True))


def test_a_token_that_it_makes_has_no_end_unless_it_names_one(scene: Scene, lasting: str) -> None:
    tokens, caller = scene.product.permanent_tokens, scene.caller(lasting)
    made = tokens.create(caller, "me", "made", ["keyturn"])
    assert made.token.expires is None
    assert tokens.create(caller, "me", "ends", ["keyturn"], now() + HOUR).token.expires
    assert scene.product.rotation.rotate(caller, "me", made.token.id, 0).secret


@pytest.mark.parametrize("what", LASTING)
def test_it_makes_what_has_no_end_as_a_permanent_token_without_one_does(scene: Scene, lasting: str, what: str) -> None:
    person(scene)
    LASTING[what](scene, scene.caller(lasting))


def test_the_access_token_itself_ends_as_any_other(scene: Scene, lasting: str) -> None:
    authentication = scene.product.authentication
    later = Origin(now() + LIFETIME_MS, "192.0.2.1")
    with pytest.raises(Unauthenticated):
        authentication.caller(lasting, later)


def test_it_does_no_more_than_its_bot_may(scene: Scene, lasting: str) -> None:
    scene.product.roles.revoke(scene.caller(), scene.bot.id, Grant(scene.bot.id, SYSTEM_ADMIN).id)
    caller = scene.caller(lasting)
    assert caller.ends is None
    with pytest.raises(Forbidden, match="Update User"):
        scene.product.permanent_tokens.create(caller, "admin", "more", ["keyturn"])


def test_what_is_narrowed_from_it_or_held_by_a_service_makes_nothing_that_lasts(scene: Scene, lasting: str) -> None:
    exchange = scene.product.oauth.token_exchange
    narrowed = exchange.exchange(Exchange(lasting, audience=["keyturn"]), origin())
    held = exchange.exchange(Exchange(lasting, audience=["keyturn"], client=scene.ci.service), origin())
    for issued in (narrowed, held):
        caller = scene.caller(issued.access_token)
        assert caller.ends
        with pytest.raises(Forbidden):
            LASTING["a service's secret"](scene, caller)


def test_it_is_over_as_soon_as_the_rule_says_so_no_more(scene: Scene, lasting: str) -> None:
    rules, bot = scene.product.oauth.trust_rules, scene.bot.id
    (owned,) = rules._store.list(bot)
    rules.update(scene.caller(), bot, owned.id, RuleChange(lasting=False))
    with pytest.raises(Forbidden, match="does not expire, but the token that you present does, at"):
        LASTING["a webhook"](scene, scene.caller(lasting))


def test_the_bot_itself_does_not_allow_it_by_a_token(scene: Scene) -> None:
    """Which may be stolen; nor does it let in others by a rule that allows it."""
    rules, bot, id = scene.product.oauth.trust_rules, scene.bot.id, rule(scene, lasting=False)
    access_token(scene, id)
    itself = scene.caller(scene.product.permanent_tokens.create(scene.caller(), bot, "own", ["keyturn"]).secret)
    rules.update(itself, bot, id, RuleChange(name="renamed"))
    with pytest.raises(Forbidden):
        rules.create(itself, bot, replace(PLAIN, name="door", lasting=True))
    with pytest.raises(Forbidden):
        rules.update(itself, bot, id, RuleChange(lasting=True))
    rules.update(scene.caller(), bot, id, RuleChange(lasting=True))
    with pytest.raises(Forbidden):
        rules.update(itself, bot, id, RuleChange(conditions={"sub": ["y"]}))
    rules.update(itself, bot, id, RuleChange(lasting=False))  # which takes something away


def test_it_needs_a_login_from_just_now_and_all_that_the_bot_may(scene: Scene) -> None:
    rules, bot, id = scene.product.oauth.trust_rules, scene.bot.id, rule(scene, lasting=False)
    jo = person(scene)
    scene.product.roles.create(scene.caller(), "manager", "Manager", ["0-0-0-0-0:update-user"])
    scene.product.roles.grant(scene.caller(), jo.user.id, "manager")
    access_token(scene, id)
    with pytest.raises(Forbidden, match="permissions"):
        rules.update(jo.log_in(), bot, id, RuleChange(lasting=True))
    scene.product.roles.grant(scene.caller(), jo.user.id, SYSTEM_ADMIN)
    stale = replace(jo.log_in(), now=jo.clock + HOUR)
    with pytest.raises(LoginTooOld):
        rules.update(stale, bot, id, RuleChange(lasting=True))
    assert rules.update(jo.log_in(), bot, id, RuleChange(lasting=True)).rule.lasting


def test_it_is_on_record(scene: Scene) -> None:
    rules, trail = scene.product.oauth.trust_rules, scene.product.audit_trail
    id = rule(scene, lasting=True)
    rules.update(scene.caller(), scene.bot.id, id, RuleChange(lasting=False))
    updated, created = (
        trail.page(scene.caller(), AuditQuery(kind=f"trust-rule.{kind}"), 1).records[0]
        for kind in ("updated", "created")
    )
    assert (created.details["lasting"], updated.details["lasting"]) == ("True", "True -> False")
