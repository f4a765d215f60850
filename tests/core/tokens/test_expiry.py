"""Tokens that expire: because somebody said so, at that moment, with everything that hangs on them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.common.errors import Forbidden, Invalid, InvalidGrant
from chalicelib.core.common.origin import Origin
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import LONGEST_LIFE_MS, PermanentToken
from tests.conftest import Scene, now, origin
from tests.core.tokens.test_rotation import hashed, is_good

HOUR = 3_600_000


def ending(scene: Scene, after: int = HOUR) -> tuple[OwnedToken, int]:
    """A token that ends so much later, and when that is."""
    end = now() + after
    made = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "ending", ["ci", "deploy"], end)
    return made, end


def test_most_do_not_expire(scene: Scene) -> None:
    assert scene.token.token.expires is None
    assert is_good(scene, scene.token.secret or "", now() + 100 * LONGEST_LIFE_MS)


def test_it_is_good_until_its_end_and_not_from_then_on(scene: Scene) -> None:
    made, end = ending(scene)
    assert made.token.expires == end
    for moment, expected in ((end - 1, True), (end, False), (end + LONGEST_LIFE_MS, False)):
        assert is_good(scene, made.secret or "", moment) is expected


def test_a_service_is_told_when_what_it_asked_about_ends(scene: Scene) -> None:
    made, end = ending(scene)

    def introspected_end(secret: str | None) -> int | None:
        found = scene.product.introspection.introspect("ci", scene.ci.secret, secret or "", now())
        assert found
        return found.ends

    assert introspected_end(scene.token.secret) is None
    assert introspected_end(made.secret) == end
    renewed = scene.product.rotation.rotate(scene.caller(), scene.bot.id, made.token.id, 60_000)
    assert introspected_end(made.secret) == renewed.token.previous_secrets[0].until < end
    assert introspected_end(renewed.secret) == end
    scene.product.rotation.rotate(scene.caller(), scene.bot.id, made.token.id, 24 * HOUR)
    assert introspected_end(renewed.secret) == end


def test_an_exchanged_access_token_ends_no_later(scene: Scene) -> None:
    made, end = ending(scene, 60_000)
    exchange = scene.product.oauth.token_exchange.exchange
    issued = exchange(Exchange(made.secret or "", audience=["deploy"]), origin())
    assert issued.token.expires <= end
    with pytest.raises(InvalidGrant):
        exchange(Exchange(made.secret or "", audience=["deploy"]), Origin(end, "192.0.2.1"))


def test_what_came_of_it_dies_with_an_end_that_is_brought_forward(scene: Scene) -> None:
    made, _ = ending(scene)
    issued = scene.product.oauth.token_exchange.exchange(Exchange(made.secret or "", audience=["deploy"]), origin())
    soon = now() + 1_000
    scene.product.permanent_tokens.update(scene.caller(), scene.bot.id, made.token.id, None, None, soon)
    check = scene.product.oauth.access_token_check
    assert check.verify(issued.access_token, soon - 1)
    assert check.verify(issued.access_token, soon) is None


def test_an_end_is_changed_and_taken_away(scene: Scene) -> None:
    made, end = ending(scene)
    tokens = scene.product.permanent_tokens
    assert tokens.update(scene.caller(), scene.bot.id, made.token.id, "renamed", None).token.expires == end
    assert tokens.update(scene.caller(), scene.bot.id, made.token.id, None, None, None).token.expires is None
    assert is_good(scene, made.secret or "", end + 1)


def test_nobody_prolongs_a_token_of_somebody_who_may_do_more(scene: Scene) -> None:
    by = scene.caller()
    role = scene.product.roles.create(by, "manager", "Manager", ["0-0-0-0-0:update-user", "0-0-0-0-0:read-user"])
    manager = scene.product.permanent_tokens.create(by, scene.bot.id, "manager", ["keyturn"])
    scene.product.roles.grant(by, scene.bot.id, role.id)
    with pytest.raises(Forbidden, match="permissions that you lack"):
        scene.product.permanent_tokens.update(
            scene.caller(manager.secret), "admin", scene.administrator.token.id, None, None, now() + HOUR
        )


@pytest.mark.parametrize("moment", [0, -1, -HOUR, LONGEST_LIFE_MS + HOUR])
def test_an_end_lies_in_the_future_and_within_ten_years(scene: Scene, moment: int) -> None:
    for attempt in (
        lambda end: scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "t", ["ci"], end),
        lambda end: scene.product.permanent_tokens.update(
            scene.caller(), scene.bot.id, scene.token.token.id, None, None, end
        ),
    ):
        with pytest.raises(Invalid, match="expiresOn: must be in the future, and within 10 years"):
            attempt(now() + moment)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30), st.none() | st.integers(1, 60)), max_size=10),
    st.integers(0, 100),
)
def test_clock_rotation_grace_and_expiry_together(steps: list[tuple[int, int, int | None]], later: int) -> None:
    """The model: a secret is good until its own end and, at most, until the token's."""
    token, clock, ends, end = PermanentToken("t", "u", "n", ("a",), "u", "U", 0, hashed(0)), 0, {0: None}, None
    for number, (pause, grace, life) in enumerate(steps, 1):
        clock += pause
        for secret, until in ends.items():
            if until is None or grace == 0:
                ends[secret] = clock + grace if until is None else min(until, clock)
        ends[number] = None
        end = None if life is None else clock + life
        token = replace(token.rotated_to(hashed(number), grace, clock), expires=end)
    moment = clock + later
    valid_secrets = {each.stored.argon2id for each in token.valid_previous(moment)} | {token.secret.argon2id}
    good = set() if token.has_ended(moment) else valid_secrets
    expected = {str(secret) for secret, until in ends.items() if until is None or moment < until}
    assert good == (expected if end is None or moment < end else set())
