"""Secrets at rest."""

import pytest

from chalicelib.core.secrets.hashing import Argon2Parameters, HashedSecret, SecretHasher

KEYS = {"new": b"n" * 32, "old": b"o" * 32}
SECRET = "a secret"


def hasher(current: str = "new", passes: int = 2, **keys: bytes) -> SecretHasher:
    return SecretHasher(Argon2Parameters(passes=passes), keys or KEYS, current)


def test_a_sealed_secret_is_an_argon2id_hash_of_at_least_owasps_cost() -> None:
    assert hasher().hash(SECRET).argon2id.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("weak", [{"memory_kib": 19 * 1024 - 1}, {"passes": 1}, {"lanes": 0}])
def test_weaker_parameters_are_refused(weak: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="OWASP"):
        Argon2Parameters(**weak)


def test_only_the_secret_matches() -> None:
    hashed = hasher().hash(SECRET)
    assert hasher().matches(SECRET, hashed)
    assert not hasher().matches("another", hashed)


def test_two_seals_of_one_secret_have_nothing_in_common() -> None:
    assert hasher().hash(SECRET).argon2id != hasher().hash(SECRET).argon2id


def test_the_tag_tells_a_wrong_secret_without_argon2() -> None:
    hashed = hasher().hash(SECRET)
    assert hasher().passes_tag_check(SECRET, hashed)
    assert hasher().tag_matches(SECRET, hashed)
    assert not hasher().passes_tag_check("another", hashed)
    assert not hasher().tag_matches("another", hashed)


def test_a_lost_tag_key_costs_time_and_never_a_token() -> None:
    hashed = hasher(current="old").hash(SECRET)
    without_old = hasher(new=KEYS["new"])
    assert without_old.passes_tag_check(SECRET, hashed)
    assert not without_old.tag_matches(SECRET, hashed)
    assert without_old.matches(SECRET, hashed)
    assert without_old.is_outdated(hashed)


def test_a_seal_is_outdated_when_the_cost_rises_or_the_key_changes() -> None:
    hashed = hasher().hash(SECRET)
    assert not hasher().is_outdated(hashed)
    assert hasher(passes=3).is_outdated(hashed)
    assert hasher(current="old").is_outdated(hashed)


def test_a_damaged_hash_matches_nothing() -> None:
    assert not hasher().matches(SECRET, HashedSecret("damaged", b"tag", "new"))


def test_neither_hash_nor_tag_is_in_the_repr() -> None:
    hashed = hasher().hash(SECRET)
    assert hashed.argon2id not in repr(hashed)
    assert repr(hashed.tag) not in repr(hashed)
