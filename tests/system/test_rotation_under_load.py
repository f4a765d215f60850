"""Rotation while others verify: nothing is refused before its end, and everything from then on; and whatever becomes of
an answer, who asked for it still holds a secret that is good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from chalicelib.core.errors import Unavailable
from chalicelib.storage.permanent_tokens import DynamoTokens
from tests.budgets import budget
from tests.conftest import Scene, now, origin

ROTATIONS = budget(gate=60, long=400)
GRACE_MS = 1_000
MOST_EARLIER = 9  # secrets of a token that are good at a time, besides the current one
WORKERS = 3


@dataclass
class Verification:
    """When a service began to ask and had its answer, and what that was."""

    secret: str
    began: int
    ended: int
    good: bool


def test_rotations_refuse_nobody_within_the_grace(scene: Scene) -> None:
    ends: dict[str, int | None] = {scene.token.secret or "": None}  # None: the current secret
    written: dict[str, int] = {}  # when it was certainly superseded, which on a busy machine may be later
    seen: list[Verification] = []
    done, lock = threading.Event(), threading.Lock()

    def verify_once(secret: str) -> None:
        began = now()
        good = scene.product.introspection.ask("ci", scene.ci.secret, secret, began) is not None
        seen.append(Verification(secret, began, now(), good))

    def verify() -> int:
        number = 0
        while not done.is_set():
            with lock:
                recent = list(ends)[-12:]
            verify_once(recent[number % len(recent)])
            number += 1
        return number

    pool = ThreadPoolExecutor(WORKERS)
    workers = [pool.submit(verify) for _ in range(WORKERS)]
    try:
        secret = scene.token.secret or ""
        for _ in range(ROTATIONS):
            while sum(end is not None and is_before(now(), end) for end in ends.values()) >= MOST_EARLIER:
                time.sleep(0.01)
            holder = scene.product.authentication.holder(secret, origin())
            made = scene.product.rotation.rotate(holder, "me", "current", GRACE_MS)
            with lock:
                ends[secret], written[secret] = made.token.earlier[-1].until, now()
                secret = made.secret or ""
                ends[secret] = None
            verify_once(secret)
    finally:
        done.set()
        pool.shutdown()

    verified = [worker.result() for worker in workers]  # and none of them has failed
    assert min(verified) > 1
    assert sum(verified) > ROTATIONS
    assert len(ends) == ROTATIONS + 1
    while is_before(now(), max(end for end in ends.values() if end is not None)):
        time.sleep(0.05)
    for secret in ends:  # so that each is asked about after its end too, however slow this machine is
        verify_once(secret)
    within = [each for each in seen if is_before(each.began, ends[each.secret])]
    beyond = [
        each for each in seen if not is_before(each.began, ends[each.secret]) and each.began >= written[each.secret]
    ]
    assert [each for each in within if not each.good] == []
    assert [each for each in beyond if each.good] == []
    assert {each.secret for each in beyond} == {secret for secret, end in ends.items() if end is not None}
    assert {each.secret for each in within} >= {*ends} - {scene.token.secret}


def is_before(moment: int, end: int | None) -> bool:
    return end is None or moment < end


def lost_before(replace: Callable[..., None]) -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        raise Unavailable("the connection was lost before anything was written")

    return fail


def lost_after(replace: Callable[..., None]) -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        replace(*arguments)
        raise Unavailable("the connection was lost when it was written")

    return fail


@pytest.mark.parametrize("lost", [lost_before, lost_after])
@pytest.mark.parametrize("times", [1, 4])
def test_whatever_becomes_of_an_answer_the_client_holds_a_good_secret(
    scene: Scene, lost: Callable[[Callable[..., None]], Callable[..., None]], times: int
) -> None:
    held = scene.token.secret or ""
    for _ in range(times):
        holder = scene.product.authentication.holder(held, origin())
        cut_off = patch.object(DynamoTokens, "replace", autospec=True, side_effect=lost(DynamoTokens.replace))
        with cut_off, pytest.raises(Unavailable):
            scene.product.rotation.rotate(holder, "me", "current", 60_000)
        assert scene.is_good(held)
    holder = scene.product.authentication.holder(held, origin())
    renewed = scene.product.rotation.rotate(holder, "me", "current", 60_000).secret
    assert scene.is_good(held)
    assert scene.is_good(renewed)
