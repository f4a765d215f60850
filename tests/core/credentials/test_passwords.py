"""Which passwords are strong enough, and how they are checked."""

import pytest

from chalicelib.core.credentials.passwords import MAX_LENGTH, PasswordHasher, normal, strong
from chalicelib.core.credentials.sealing import Argon2Parameters
from chalicelib.core.errors import Invalid

HASHER = PasswordHasher(Argon2Parameters())


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password1234",
        "qwertyuiop123",
        "aaaaaaaaaaaaaaaa",
        "Summer2026Summer2026",
        "jo.doe@example.com",
        "x" * (MAX_LENGTH + 1),
    ],
)
def test_what_lists_and_patterns_give_away_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        strong(password, ["jo.doe@example.com", "Jo Doe"])
    assert refused.value.field == "password"
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["correct horse battery staple", "k2!vQ9-zePt0w", "Ungewöhnlich grüne Gießkanne"])
def test_what_is_hard_to_guess_is_taken(password: str) -> None:
    assert strong(password, ["jo", "Jo Doe"]) == normal(password)


def test_a_password_is_the_same_however_its_characters_were_typed() -> None:
    hashed = HASHER.hash(normal("Gie\u00dfkanne gr\u00fcn Ungew\u00f6hnlich"))
    assert HASHER.matches("Gie\u00dfkanne gru\u0308n Ungewo\u0308hnlich", hashed)
    assert not HASHER.matches("Giesskanne grun Ungewohnlich", hashed)


def test_nothing_matches_where_no_password_was_set() -> None:
    assert not HASHER.matches("anything at all", None)


def test_a_hash_of_lower_cost_is_outdated() -> None:
    hashed = HASHER.hash("whatever")
    assert not HASHER.is_outdated(hashed)
    assert PasswordHasher(Argon2Parameters(passes=3)).is_outdated(hashed)
