"""Policies: switched on, previewed, and binding at creation and at every use."""

from __future__ import annotations

import pytest

from chalicelib.core.access.group import MAX_DEPTH
from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS
from chalicelib.core.access.token_policy import Consequence, Policy
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.tokens.effective_policies import REMEMBERED_MS
from chalicelib.core.tokens.health import Flag
from tests.conftest import Scene, now
from tests.core.tokens.test_rotation import is_good
from tests.people import person

MONTH = Policy(longest_life_days=30)
IDLE = Policy(unused_days=10, unused=Consequence.DISABLE)


def in_group(scene: Scene) -> str:
    """The bot is in a group that is inside of another; the outer one's id."""
    groups, by = scene.product.groups, scene.caller()
    outer = groups.create(by, GroupDescription("outer"))
    inner = groups.create(by, GroupDescription("inner", outer.id))
    groups.add_member(by, inner.id, scene.bot.id)
    return outer.id


def test_a_services_policy_binds_tokens_that_there_are_from_the_next_use_on(scene: Scene) -> None:
    secret, made = scene.token.secret or "", scene.token.token.created
    late = made + 30 * DAY_MS
    assert is_good(scene, secret, late)
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", MONTH)
    assert (is_good(scene, secret, late - 1), is_good(scene, secret, late)) == (True, False)
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", None)
    assert is_good(scene, secret, late)


def test_a_groups_policy_binds_the_tokens_of_members_by_nesting(scene: Scene) -> None:
    secret, late = scene.token.secret or "", scene.token.token.created + 30 * DAY_MS
    outer = in_group(scene)
    scene.product.lifecycle.policies.set_for_group(scene.caller(), outer, MONTH)
    assert (is_good(scene, secret, late - 1), is_good(scene, secret, late)) == (True, False)
    scene.product.groups.remove_member(scene.caller(), "inner", scene.bot.id)
    assert is_good(scene, secret, late)


def test_a_change_of_a_groups_policy_is_seen_within_a_minute_by_every_process(scene: Scene) -> None:
    secret, late = scene.token.secret or "", scene.token.token.created + 40 * DAY_MS
    outer = in_group(scene)
    assert is_good(scene, secret, late)  # and so this process knows that there is none
    scene.product.lifecycle.policies.set_for_group(scene.caller(), outer, MONTH)
    assert not is_good(scene, secret, late + REMEMBERED_MS)


def test_rotating_begins_another_life_and_ends_no_earlier_secret_late(scene: Scene) -> None:
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(longest_life_days=1))
    old, begun = scene.token.secret or "", scene.token.token.created
    made = scene.product.rotation.rotate(scene.caller(), scene.bot.id, scene.token.token.id, 10 * DAY_MS)
    assert not is_good(scene, old, begun + DAY_MS)  # though its grace is ten days
    assert is_good(scene, made.secret or "", (made.token.rotated or 0) + DAY_MS - 1)
    assert not is_good(scene, made.secret or "", (made.token.rotated or 0) + DAY_MS)


def test_what_nobody_uses_is_disabled_and_comes_back_by_a_rotation(scene: Scene) -> None:
    secret, created = scene.token.secret or "", scene.token.token.created
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", IDLE)
    assert is_good(scene, secret, created + 9 * DAY_MS)
    assert is_good(scene, secret, created + 18 * DAY_MS)  # it was used in between
    assert not is_good(scene, secret, created + 28 * DAY_MS)
    assert not is_good(scene, secret, created + 29 * DAY_MS)  # which was no use
    renewed = scene.product.rotation.rotate(scene.caller(), scene.bot.id, scene.token.token.id, 0)
    assert is_good(scene, renewed.secret or "", now())


def test_a_token_cannot_be_made_to_live_longer_and_one_without_an_end_gets_the_policys(scene: Scene) -> None:
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", MONTH)
    tokens, by = scene.product.permanent_tokens, scene.caller()
    with pytest.raises(Invalid, match="expiresOn: a policy ends this token at 20"):
        tokens.create(by, scene.bot.id, "long", ["ci"], now() + 31 * DAY_MS)
    short = tokens.create(by, scene.bot.id, "short", ["ci"], now() + 29 * DAY_MS)
    with pytest.raises(Invalid, match="expiresOn"):
        tokens.update(by, scene.bot.id, short.token.id, None, None, now() + 31 * DAY_MS)
    silent = tokens.create(by, scene.bot.id, "silent", ["ci"])
    ends = scene.product.introspection.introspect("ci", scene.ci.secret, silent.secret or "", now())
    assert ends
    assert ends.ends == silent.token.created + 30 * DAY_MS


def test_a_policy_binds_at_an_exchange_too(scene: Scene) -> None:
    """What the service refuses by introspection it does not get as a signed token either."""
    tokens = scene.product.permanent_tokens
    both = tokens.create(scene.caller(), scene.bot.id, "both", ["ci", "deploy"])
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(longest_life_days=1))
    exchange = scene.product.oauth.token_exchange.exchange
    late = Origin(both.token.created + DAY_MS, "192.0.2.1")
    with pytest.raises(Invalid, match="audience: a policy of 'ci'"):
        exchange(Exchange(both.secret or "", audience=["ci"]), late)
    assert exchange(Exchange(both.secret or "", audience=["deploy"]), late)
    soon = Origin(both.token.created + DAY_MS - 60_000, "192.0.2.1")
    assert exchange(Exchange(both.secret or "", audience=["ci"]), soon).token.expires <= both.token.created + DAY_MS


def test_a_preview_names_who_would_be_affected_and_switches_nothing_on(scene: Scene) -> None:
    tokens, by = scene.product.permanent_tokens, scene.caller()
    tokens.create(by, scene.bot.id, "elsewhere", ["deploy"])
    bound = tokens.create(by, scene.bot.id, "bound", ["ci"], now() + DAY_MS)
    preview = scene.product.lifecycle.policies.preview_for_service(by, "ci", MONTH, None)
    (affected,) = preview.affected  # the one that ends tomorrow anyway is not
    assert affected.owned.token.id == scene.token.token.id
    assert affected.now.projection.refused is None
    assert affected.then.projection.refused == scene.token.token.created + 30 * DAY_MS
    assert (preview.examined, preview.after) == (4, None)
    assert bound.token.id not in {each.owned.token.id for each in preview.affected}
    with pytest.raises(NotFound):
        scene.product.lifecycle.policies.of_service(by, "ci")


def test_what_a_preview_says_is_what_happens(scene: Scene) -> None:
    outer, by = in_group(scene), scene.caller()
    later = now() + 20 * DAY_MS
    old = scene.caller()
    policy = Policy(rotation_due_days=3, unused_days=5)
    predicted = scene.product.lifecycle.policies.preview_for_group(old, outer, policy, None).affected
    assert [each.owned.owner.login for each in predicted] == ["build-bot"]
    scene.product.lifecycle.policies.set_for_group(by, outer, policy)
    current = scene.product.permanent_tokens.get(by, scene.bot.id, scene.token.token.id)
    flags = scene.product.permanent_tokens.flags([current], {}, later)[scene.token.token.id]
    assert flags.projection == predicted[0].then.projection
    assert set(flags.flags) == {Flag.ROTATION_DUE, Flag.UNUSED}
    assert scene.product.lifecycle.policies.preview_for_group(by, outer, policy, None).affected == []


def test_policies_are_for_who_may_change_what_they_hang_on(scene: Scene) -> None:
    jo, policies = person(scene), scene.product.lifecycle.policies
    outer = in_group(scene)
    for attempt in (
        lambda: policies.set_for_service(jo.log_in(), "ci", MONTH),
        lambda: policies.set_for_group(jo.log_in(), outer, MONTH),
        lambda: policies.preview_for_group(jo.log_in(), outer, MONTH, None),
    ):
        with pytest.raises(Forbidden):
            attempt()


@pytest.mark.parametrize("policy", [Policy(longest_life_days=3000), Policy(longest_life_days=1), None])
def test_only_who_may_do_everything_sets_keyturns_own(scene: Scene, policy: Policy | None) -> None:
    """Looser, it revives administrators' tokens that had ended; stricter, it ends them."""
    by, policies = scene.caller(), scene.product.lifecycle.policies
    manager = person(scene)
    scene.product.roles.create(by, "manager", "Manager", list(KEYTURN_PERMISSIONS))
    scene.product.roles.grant(by, manager.user.id, "manager")
    policies.set_for_service(by, "keyturn", MONTH)
    policies.set_for_service(manager.log_in(), "ci", MONTH)
    with pytest.raises(Forbidden, match="System Admin, everywhere"):
        policies.set_for_service(manager.log_in(), "keyturn", policy)
    with pytest.raises(Forbidden, match="System Admin, everywhere"):
        policies.preview_for_service(manager.log_in(), "keyturn", MONTH, None)
    assert policies.of_service(by, "keyturn").policy == MONTH


def test_another_services_policy_does_not_decide_about_keyturn(scene: Scene) -> None:
    """So it revives nothing there when it becomes looser."""
    by, policies = scene.caller(), scene.product.lifecycle.policies
    both = scene.product.permanent_tokens.create(by, "me", "both", ["ci", "keyturn"])
    policies.set_for_service(by, "ci", Policy(longest_life_days=30, unused_days=1, unused=Consequence.DISABLE))
    late = both.token.created + 30 * DAY_MS
    assert not is_good(scene, both.secret or "", late)
    assert scene.product.authentication.caller(both.secret or "", Origin(late, "192.0.2.1")).ends is None
    policies.set_for_service(by, "keyturn", MONTH)
    policies.set_for_service(by, "ci", None)
    with pytest.raises(Unauthenticated):
        scene.product.authentication.caller(both.secret or "", Origin(late, "192.0.2.1"))


def test_a_groups_policy_binds_at_any_depth_that_can_be_built(scene: Scene) -> None:
    """And a second factor is demanded there too."""
    by, groups, policies = scene.caller(), scene.product.groups, scene.product.lifecycle.policies
    outermost = groups.create(by, GroupDescription("0.0")).id
    for number in range(1, MAX_DEPTH):
        groups.create(by, GroupDescription(f"0.{number}", f"0.{number - 1}"))
    groups.add_member(by, f"0.{MAX_DEPTH - 1}", scene.bot.id)
    for move in range(1, 4):
        groups.create(by, GroupDescription(f"{move}.0"))
        for number in range(1, MAX_DEPTH - 1):
            groups.create(by, GroupDescription(f"{move}.{number}", f"{move}.{number - 1}"))
        groups.update(by, outermost, GroupDescription(parent=f"{move}.{MAX_DEPTH - 2}"))
        outermost = groups.get(by, f"{move}.0").id
    assert len(scene.product.access.of(scene.bot.id).groups) == MAX_DEPTH + 3 * (MAX_DEPTH - 1)
    policies.set_for_group(by, outermost, MONTH)
    assert not is_good(scene, scene.token.secret or "", scene.token.token.created + 30 * DAY_MS)
    groups.update(by, outermost, GroupDescription(requires_two_factor=True))
    assert scene.product.access.of(scene.bot.id).requires_two_factor
    with pytest.raises(Conflict, match="cannot contain itself"):
        groups.update(by, outermost, GroupDescription(parent=f"0.{MAX_DEPTH - 1}"))


def test_keyturn_itself_may_have_one(scene: Scene) -> None:
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "keyturn", Policy(longest_life_days=1))
    late = Origin(scene.administrator.token.created + DAY_MS, "192.0.2.1")
    with pytest.raises(Exception, match="not valid"):
        scene.product.authentication.caller(scene.administrator.secret or "", late)
