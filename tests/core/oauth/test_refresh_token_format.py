"""Refresh tokens: which one comes after which."""

from __future__ import annotations

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.oauth.refresh_token_format import RefreshTokenFormat
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.keyring import Keyring
from chalicelib.core.secrets.token_format import REFRESH_TOKEN

USER, DELEGATION = new_id(), new_id()
KEYS = {"old": b"o" * 32, "new": b"n" * 32}
FORMAT = RefreshTokenFormat(Keyring(KEYS, "new"))
FIRST = FORMAT.issue(USER, DELEGATION)


def hashed(salt: str) -> HashedSecret:
    return HashedSecret(f"$argon2id${salt}", b"", "new")


def following(format: RefreshTokenFormat = FORMAT, token: str = FIRST, salt: str = "salt") -> str:
    return format.next_after(token, hashed(salt), USER, DELEGATION)


def test_what_comes_next_is_always_the_same_token_of_ours() -> None:
    assert following() == following()
    assert REFRESH_TOKEN.parse(following()) == (USER, DELEGATION)
    assert FORMAT.is_ours(following())


def test_it_takes_the_token_what_is_stored_of_it_and_the_key() -> None:
    other_key, other_token = RefreshTokenFormat(Keyring(KEYS, "old")), FORMAT.issue(USER, DELEGATION)
    made = {following(), following(other_key), following(token=other_token), following(salt="pepper"), FIRST}
    assert len(made) == 5
    chain = [FIRST]
    for _ in range(50):
        chain.append(following(token=chain[-1]))
    assert len(set(chain)) == len(chain)
