"""Secrets at rest."""

import pytest

from chalicelib.core.secrets.hashing import Argon2Parameters, SealedSecret, Sealer

KEYS = {"new": b"n" * 32, "old": b"o" * 32}
SECRET = "a secret"


def sealer(current: str = "new", passes: int = 2, **keys: bytes) -> Sealer:
    return Sealer(Argon2Parameters(passes=passes), keys or KEYS, current)


def test_a_sealed_secret_is_an_argon2id_hash_of_at_least_owasps_cost() -> None:
    assert sealer().seal(SECRET).argon2id.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("weak", [{"memory_kib": 19 * 1024 - 1}, {"passes": 1}, {"lanes": 0}])
def test_weaker_parameters_are_refused(weak: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="OWASP"):
        Argon2Parameters(**weak)


def test_only_the_secret_matches() -> None:
    sealed = sealer().seal(SECRET)
    assert sealer().matches(SECRET, sealed)
    assert not sealer().matches("another", sealed)


def test_two_seals_of_one_secret_have_nothing_in_common() -> None:
    assert sealer().seal(SECRET).argon2id != sealer().seal(SECRET).argon2id


def test_the_tag_tells_a_wrong_secret_without_argon2() -> None:
    sealed = sealer().seal(SECRET)
    assert sealer().may_match(SECRET, sealed)
    assert sealer().vouches(SECRET, sealed)
    assert not sealer().may_match("another", sealed)
    assert not sealer().vouches("another", sealed)


def test_a_lost_tag_key_costs_time_and_never_a_token() -> None:
    sealed = sealer(current="old").seal(SECRET)
    without_old = sealer(new=KEYS["new"])
    assert without_old.may_match(SECRET, sealed)
    assert not without_old.vouches(SECRET, sealed)
    assert without_old.matches(SECRET, sealed)
    assert without_old.is_outdated(sealed)


def test_a_seal_is_outdated_when_the_cost_rises_or_the_key_changes() -> None:
    sealed = sealer().seal(SECRET)
    assert not sealer().is_outdated(sealed)
    assert sealer(passes=3).is_outdated(sealed)
    assert sealer(current="old").is_outdated(sealed)


def test_a_damaged_hash_matches_nothing() -> None:
    assert not sealer().matches(SECRET, SealedSecret("damaged", b"tag", "new"))


def test_neither_hash_nor_tag_is_in_the_repr() -> None:
    sealed = sealer().seal(SECRET)
    assert sealed.argon2id not in repr(sealed)
    assert repr(sealed.tag) not in repr(sealed)
