"""What will happen to tokens is told in time, once each, and only while it is true."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.access.token_policy import Consequence, Policy
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.tokens import expiry_notices
from chalicelib.core.tokens.expiry_notices import MAX_LOOKED_AT
from tests.conftest import Scene, now


def notices_of(scene: Scene, token_id: str) -> list[str]:
    found = scene.product.lifecycle.events.after(token_id, 0, 100)
    return [
        event.kind.value.removeprefix("permanent-token.") + event.details.get("days", "")
        for event in found
        if event.kind.value not in ("permanent-token.created", "permanent-token.updated")
    ]


def ending(scene: Scene, days: float, name: str = "ending") -> str:
    end = now() + round(days * DAY_MS)
    return scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, name, ["ci"], end).token.id


def run(scene: Scene, days: float) -> int:
    return scene.product.lifecycle.expiry_notices.run(now() + round(days * DAY_MS))


def test_an_end_is_announced_a_month_a_week_and_a_day_before(scene: Scene) -> None:
    id = ending(scene, 40)
    for day, expected in (
        (0, []),
        (9, []),
        (10.1, ["expiring30"]),
        (20, ["expiring30"]),
        (33.1, ["expiring30", "expiring7"]),
        (39.1, ["expiring30", "expiring7", "expiring1"]),
        (40.1, ["expiring30", "expiring7", "expiring1", "expired"]),
        (50, ["expiring30", "expiring7", "expiring1", "expired"]),
    ):
        run(scene, day)
        assert notices_of(scene, id) == expected


def test_nobody_is_told_twice_nor_of_a_month_when_a_day_is_left(scene: Scene) -> None:
    id = ending(scene, 40)
    assert run(scene, 39.5) == 1
    assert run(scene, 39.6) == 0
    assert notices_of(scene, id) == ["expiring1"]


def test_whoever_makes_a_secret_that_ends_soon_is_not_told_at_once(scene: Scene) -> None:
    """Or a pipeline that rotates every night would be, every night."""
    id = ending(scene, 5)
    run(scene, 0)
    assert notices_of(scene, id) == []
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(longest_life_days=4))
    scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, 0)
    run(scene, 0.1)
    assert notices_of(scene, id) == ["rotated"]
    run(scene, 3.1)
    assert notices_of(scene, id) == ["rotated", "expiring1"]


def test_another_end_is_announced_anew_and_a_removed_one_no_more(scene: Scene) -> None:
    id = ending(scene, 40)
    run(scene, 11)
    by, tokens = scene.caller(), scene.product.permanent_tokens
    tokens.update(by, scene.bot.id, id, None, None, now() + 41 * DAY_MS)
    run(scene, 11.5)
    assert notices_of(scene, id) == ["expiring30", "expiring30"]
    tokens.update(by, scene.bot.id, id, None, None, None)
    run(scene, 50)
    assert notices_of(scene, id) == ["expiring30", "expiring30"]


def test_a_token_that_is_used_now_and_then_is_not_said_to_be_unused(scene: Scene) -> None:
    policy = Policy(unused_days=20, unused=Consequence.DISABLE)
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", policy)
    ask = scene.product.introspection.introspect
    for day in range(1, 60, 7):
        run(scene, day)
        assert ask("ci", scene.ci.secret, scene.token.secret or "", now() + day * DAY_MS)
    assert notices_of(scene, scene.token.token.id) == []
    run(scene, 57 + 14)
    assert notices_of(scene, scene.token.token.id) == ["expiring7"]
    run(scene, 57 + 21)
    assert notices_of(scene, scene.token.token.id) == ["expiring7", "unused"]


def test_a_policy_is_followed_from_the_next_run_on_for_tokens_that_nothing_was_due_for(scene: Scene) -> None:
    id = scene.token.token.id
    run(scene, 0)
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(rotation_due_days=20, unused_days=10))
    for day, expected in ((0.1, []), (10.1, ["unused"]), (20.1, ["unused", "rotation-due"])):
        run(scene, day)
        assert notices_of(scene, id) == expected
    scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, 0)


def test_a_use_puts_off_what_is_said_of_a_token_that_nobody_uses(scene: Scene) -> None:
    id = scene.token.token.id
    scene.product.lifecycle.policies.set_for_service(
        scene.caller(), "ci", Policy(unused_days=10, unused=Consequence.DISABLE)
    )
    run(scene, 0)
    ask = scene.product.introspection.introspect
    assert ask("ci", scene.ci.secret, scene.token.secret or "", now() + 5 * DAY_MS)
    run(scene, 10.1)
    assert "unused" not in notices_of(scene, id)
    run(scene, 15.2)
    assert notices_of(scene, id)[-1] == "unused"


def test_a_run_that_is_killed_anywhere_is_made_good_by_the_next(scene: Scene) -> None:
    ids = [ending(scene, 40, f"t{number}") for number in range(4)]
    scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(rotation_due_days=20))
    by_keyturn, calls = expiry_notices.by_keyturn, []

    def dies(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) in (2, 4, 6, 9):
            raise KeyboardInterrupt
        return by_keyturn(*arguments)  # type: ignore[arg-type]

    with patch.object(expiry_notices, "by_keyturn", dies):
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                run(scene, 39.5)
        run(scene, 39.5)
    run(scene, 39.5)
    assert [sorted(notices_of(scene, id)) for id in ids] == [["expiring1", "rotation-due"]] * 4


def test_more_tokens_than_one_run_looks_at_are_left_to_the_next(scene: Scene) -> None:
    ids = [ending(scene, 40, f"t{number}") for number in range(7)]
    assert MAX_LOOKED_AT == 5_000
    with patch.object(expiry_notices, "MAX_LOOKED_AT", 4), patch.object(expiry_notices, "AT_ONCE", 2):
        for _ in range(6):
            run(scene, 39.5)
    assert [notices_of(scene, id) for id in ids] == [["expiring1"]] * 7


def test_looking_at_everything_writes_nothing_where_nothing_has_changed(scene: Scene) -> None:
    ending(scene, 40)
    run(scene, 0)
    with patch.object(scene.product.stores.tokens, "put_off", side_effect=AssertionError("a write")) as written:
        run(scene, 3)
    assert not written.called


@settings(max_examples=15)
@given(life=st.integers(1, 50), days=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_whenever_it_runs_every_event_comes_once_and_in_order(scene: Scene, life: int, days: list[int]) -> None:
    id = ending(scene, life, f"life {life} {days}"[:200])
    for day in sorted(days):
        run(scene, day + 0.01)
    last = max(days) + 0.01
    warned = [f"expiring{left}" for left in (1, 7, 30) if last >= life - left and life > left]
    expected = "expired" if last >= life else "".join(warned[:1])
    events = notices_of(scene, id)
    assert events[-1:] == ([expected] if expected else [])
    assert len(set(events)) == len(events)
    order = ["expiring30", "expiring7", "expiring1", "expired"]
    assert events == sorted(events, key=order.index)
    scene.product.permanent_tokens.delete(scene.caller(), scene.bot.id, id)
