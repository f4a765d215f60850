"""Argon2id once per secret and process, and not at all for strangers."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.core.common.errors import Throttled
from chalicelib.core.secrets.hashing import COMPUTING, Argon2Parameters, HashedSecret, SecretHasher
from chalicelib.core.secrets.verifier import FAILURE_LIMIT, FAILURE_WINDOW_MS, REMEMBERED, SecretVerifier

HASHER = SecretHasher(Argon2Parameters(), {"key": b"k" * 32}, "key")
SECRET, OTHER = "the secret", "another secret"
HASHED, OTHER_HASHED = HASHER.hash(SECRET), HASHER.hash(OTHER)
TAG_KEY_LOST = HashedSecret(HASHED.argon2id, HASHED.tag, "a key that is gone")


@pytest.fixture
def verifier() -> SecretVerifier:
    return SecretVerifier(HASHER)


@pytest.fixture
def argon2() -> Iterator[list[str]]:
    """The secrets for which Argon2id ran."""
    ran: list[str] = []
    computed = SecretHasher.matches

    def recorded(self: SecretHasher, secret: str, hashed: HashedSecret) -> bool:
        ran.append(secret)
        return computed(self, secret, hashed)

    with patch.object(SecretHasher, "matches", recorded):
        yield ran


def test_threads_that_bring_one_secret_do_not_all_compute_it(verifier: SecretVerifier, argon2: list[str]) -> None:
    most = 2 * COMPUTING._value
    start = threading.Barrier(most)

    def verify(_: int) -> bool:
        start.wait()
        return verifier.verify(SECRET, HASHED, 0)

    with ThreadPoolExecutor(most) as pool:
        assert all(pool.map(verify, range(most)))
    assert len(argon2) <= most // 2


def test_no_more_than_four_are_computed_at_a_time(verifier: SecretVerifier) -> None:
    most, running, seen = COMPUTING._value, 0, []
    counting = threading.Lock()

    def counted(self: SecretHasher, secret: str, hashed: HashedSecret) -> bool:
        nonlocal running
        with counting:
            running += 1
            seen.append(running)
        time.sleep(0.01)
        with counting:
            running -= 1
        return True

    with patch.object(SecretHasher, "matches", counted), ThreadPoolExecutor(3 * most) as pool:
        hashed = [replace(TAG_KEY_LOST, argon2id=f"{number}") for number in range(3 * most)]
        assert all(pool.map(lambda each: verifier.verify(SECRET, each, 0), hashed))
    assert len(seen) == 3 * most
    assert max(seen) <= most == 4


def test_a_secret_costs_argon2_once(verifier: SecretVerifier, argon2: list[str]) -> None:
    assert all(verifier.verify(SECRET, HASHED, 0) for _ in range(3))
    assert argon2 == [SECRET]


def test_a_wrong_secret_costs_no_argon2(verifier: SecretVerifier, argon2: list[str]) -> None:
    assert not verifier.verify(OTHER, HASHED, 0)
    assert argon2 == []


def test_what_is_remembered_is_bound_to_the_stored_hash(verifier: SecretVerifier, argon2: list[str]) -> None:
    assert verifier.verify(SECRET, HASHED, 0)
    assert not verifier.verify(SECRET, OTHER_HASHED, 0)
    renewed = HASHER.hash(SECRET)
    assert verifier.verify(SECRET, renewed, 0)
    assert argon2 == [SECRET, SECRET]


def test_memory_is_bounded(verifier: SecretVerifier) -> None:
    with (
        patch.object(SecretHasher, "passes_tag_check", return_value=True),
        patch.object(SecretHasher, "matches", return_value=True),
    ):
        for number in range(REMEMBERED + 10):
            assert verifier.verify(f"secret {number}", HASHED, 0)
    assert len(verifier._verified) == REMEMBERED


def test_guesses_that_reach_argon2_are_throttled_and_the_right_secret_is_not_locked_out(
    verifier: SecretVerifier, argon2: list[str]
) -> None:
    assert verifier.verify(SECRET, TAG_KEY_LOST, 0)
    for _ in range(FAILURE_LIMIT):
        assert not verifier.verify(OTHER, TAG_KEY_LOST, 0)
    with pytest.raises(Throttled) as refusal:
        verifier.verify(OTHER, TAG_KEY_LOST, 0)
    assert 1 <= refusal.value.retry_after <= FAILURE_WINDOW_MS // 1000
    assert verifier.verify(SECRET, TAG_KEY_LOST, 0)
    assert len(argon2) == FAILURE_LIMIT + 1
    assert not verifier.verify(OTHER, TAG_KEY_LOST, FAILURE_WINDOW_MS)


def test_two_secrets_are_checked_together(verifier: SecretVerifier, argon2: list[str]) -> None:
    verifier.verify_together([(SECRET, HASHED), (OTHER, OTHER_HASHED)], 0)
    assert sorted(argon2) == sorted([SECRET, OTHER])
    assert verifier.verify(SECRET, HASHED, 0)
    assert verifier.verify(OTHER, OTHER_HASHED, 0)
    assert len(argon2) == 2


@pytest.mark.parametrize("pairs", [[(SECRET, HASHED), (OTHER, HASHED)], [(SECRET, HASHED), (SECRET, TAG_KEY_LOST)]])
def test_nothing_is_computed_together_unless_every_tag_vouches(
    verifier: SecretVerifier, argon2: list[str], pairs: list[tuple[str, HashedSecret]]
) -> None:
    verifier.verify_together(pairs, 0)
    assert argon2 == []
