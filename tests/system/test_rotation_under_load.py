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

from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Unauthenticated, Unavailable
from chalicelib.core.secrets.token_format import SERVICE_SECRET
from chalicelib.storage.permanent_tokens import DynamoTokens
from chalicelib.storage.services import DynamoServices
from tests.budgets import budget
from tests.conftest import Scene, now, origin
from tests.core.secrets.test_client_supplied import FIRST as SUPPLIED

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
        good = scene.product.introspection.introspect("ci", scene.ci.secret, secret, began) is not None
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
            holder = scene.product.authentication.caller_any_scope(secret, origin())
            made = scene.product.rotation.rotate(holder, "me", "current", GRACE_MS)
            with lock:
                ends[secret], written[secret] = made.token.previous_secrets[-1].until, now()
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


RENEWALS = budget(gate=15, long=200)
SERVICE_GRACE_MS = 3_000
IN_TIME_MS = 1_500  # what has longer to go is good until the answer is there, however slow this machine is
EVERY = 0.05  # seconds: twenty verifications a second


@dataclass
class Asked:
    """What a service was answered that asked by this secret."""

    secret: str
    answer: str
    sunset: int | None = None


def test_a_service_is_never_refused_while_its_secret_is_renewed(scene: Scene) -> None:
    """It uses the newest two, as a service of several processes does that get the new one a little later."""
    held: list[tuple[str, int | None]] = [(scene.ci.secret, None)]  # with ends; None: the current one
    seen: list[Asked] = []
    done, lock = threading.Event(), threading.Lock()

    def ask(secret: str) -> None:
        try:
            answered = scene.product.introspection.answer("ci", secret, scene.token.secret or "", now())
        except Unauthenticated:
            seen.append(Asked(secret, "refused"))
        else:
            seen.append(Asked(secret, "active" if answered.found else "inactive", answered.secret_ends))

    def go_on() -> int:
        number = 0
        while not done.wait(EVERY):
            with lock:
                recent = [secret for secret, end in held[-2:] if end is None or now() + IN_TIME_MS < end]
            ask(recent[number % len(recent)])
            number += 1
        return number

    with ThreadPoolExecutor(1) as pool:
        service = pool.submit(go_on)
        try:
            for _ in range(RENEWALS):
                while sum(end is not None and now() < end for _, end in held) >= MOST_EARLIER:
                    time.sleep(0.01)
                renewed = scene.product.service_secrets.renew(scene.caller(), "ci", SERVICE_GRACE_MS)
                with lock:
                    held[-1] = (held[-1][0], renewed.service.previous_secrets[-1].until)
                    held.append((renewed.secret, None))
                ask(renewed.secret)
        finally:
            done.set()
    assert service.result() > RENEWALS
    assert [each for each in seen if each.answer != "active"] == []
    ends = dict(held)
    assert {each.sunset for each in seen} > {None}  # it was told that there is a newer one
    assert [each for each in seen if each.sunset not in (None, ends[each.secret])] == []
    assert {each.secret for each in seen} >= {secret for secret, _ in held[1:]}
    while now() < (held[-2][1] or 0):
        time.sleep(0.05)
    seen.clear()
    for secret, _ in held:
        ask(secret)
    assert [each.answer for each in seen] == ["refused"] * RENEWALS + ["active"]


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
        holder = scene.product.authentication.caller_any_scope(held, origin())
        cut_off = patch.object(DynamoTokens, "replace", autospec=True, side_effect=lost(DynamoTokens.replace))
        with cut_off, pytest.raises(Unavailable):
            scene.product.rotation.rotate(holder, "me", "current", 60_000)
        assert scene.is_good(held)
    holder = scene.product.authentication.caller_any_scope(held, origin())
    renewed = scene.product.rotation.rotate(holder, "me", "current", 60_000).secret
    assert scene.is_good(held)
    assert scene.is_good(renewed)


@pytest.mark.parametrize("lost", [lost_before, lost_after])
@pytest.mark.parametrize("grace_ms", [0, 3_600_000])
def test_who_brings_a_services_secret_may_bring_it_again_whatever_became_of_the_answer(
    scene: Scene, lost: Callable[[Callable[..., None]], Callable[..., None]], grace_ms: int
) -> None:
    def renew() -> str:
        return scene.product.service_secrets.renew(scene.caller(), "ci", grace_ms, SUPPLIED).secret

    def accepted(secret: str) -> bool:
        try:
            return scene.product.introspection.introspect("ci", secret, scene.token.secret or "", now()) is not None
        except Unauthenticated:
            return False

    cut_off = patch.object(DynamoServices, "replace", autospec=True, side_effect=lost(DynamoServices.replace))
    with cut_off, pytest.raises(Unavailable):
        renew()
    supplied = SERVICE_SECRET.assemble(SUPPLIED, scene.ci.service.id)
    assert accepted(scene.ci.secret) or accepted(supplied)
    assert renew() == renew() == supplied
    assert (accepted(supplied), accepted(scene.ci.secret)) == (True, grace_ms > 0)
    query = AuditQuery(target_id=scene.ci.service.id, kind="service.secret-renewed")
    assert len(scene.product.audit_trail.page(scene.caller(), query, 9).records) == 1
