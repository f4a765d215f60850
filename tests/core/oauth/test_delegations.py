"""Refresh tokens as a machine: whatever is lost or stolen, the rules of `core.oauth.delegations` hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.directory.service import Service
from chalicelib.core.oauth.delegations import (
    MAX_SECRETS,
    REFRESH_LEEWAY_MS,
    ApprovedScope,
    Delegation,
    RefreshSecret,
    normal_user_code,
)
from chalicelib.core.secrets.hashing import HashedSecret

CLIENT = Service(id="client", key="client", name="Client", created=0)


def hashed(number: int) -> HashedSecret:
    return HashedSecret(f"secret {number}", b"", "key")


def delegation(approval_id: str | None = "approval") -> Delegation:
    secrets = (RefreshSecret(hashed(0)),)
    return Delegation("d", "u", "client", ("a", "b"), approval_id, 0, 0, 10**12, secrets)


@given(st.lists(st.tuples(st.integers(0, 2 * MAX_SECRETS), st.integers(0, 2 * REFRESH_LEEWAY_MS)), max_size=30))
def test_whoever_uses_the_newest_token_is_never_locked_out(steps: list[tuple[int, int]]) -> None:
    """Somebody else uses any live secrets at any times; the newest one always works at the next moment."""
    current, now = delegation(), 0
    for number, (choice, pause) in enumerate(steps, start=1):
        now += pause
        valid_secrets = [secret for secret in current.secrets if secret.is_valid(now)]
        assert valid_secrets
        assert len(current.secrets) <= MAX_SECRETS
        current = current.refreshed(valid_secrets[choice % len(valid_secrets)], hashed(number), now)
        newest = current.secrets[0]
        assert newest.hashed == hashed(number)
        assert newest.until is None


@given(st.integers(0, REFRESH_LEEWAY_MS - 1))
def test_a_used_token_works_for_the_leeway_and_not_longer(wait: int) -> None:
    first = delegation()
    after = first.refreshed(first.secrets[0], hashed(1), 1_000)
    (old,) = [secret for secret in after.secrets if secret.hashed == hashed(0)]
    assert old.is_valid(1_000 + wait)
    assert not old.is_valid(1_000 + REFRESH_LEEWAY_MS)


def test_repeating_within_the_leeway_is_never_a_replay() -> None:
    current = delegation()
    for number in range(1, 3 * MAX_SECRETS):
        old = next(secret for secret in current.secrets if secret.hashed == hashed(0))
        assert old.is_valid(number)
        current = current.refreshed(old, hashed(number), number)


def test_what_is_let_go_within_its_leeway_is_known_to_be() -> None:
    current = delegation()
    for number in range(1, MAX_SECRETS):
        current = current.refreshed(current.secrets[0], hashed(number), number)
        assert current.knows_all(0)
    for number in range(MAX_SECRETS, MAX_SECRETS + 3):
        current = current.refreshed(current.secrets[0], hashed(number), number)
        let_go = number - MAX_SECRETS + 1  # it was used then
        assert not current.knows_all(let_go + REFRESH_LEEWAY_MS - 1)
        assert current.knows_all(let_go + REFRESH_LEEWAY_MS)


def test_repeating_within_the_leeway_does_not_prolong_it() -> None:
    first = delegation()
    once = first.refreshed(first.secrets[0], hashed(1), 0)
    old = next(secret for secret in once.secrets if secret.hashed == hashed(0))
    again = once.refreshed(old, hashed(2), REFRESH_LEEWAY_MS - 1)
    old = next(secret for secret in again.secrets if secret.hashed == hashed(0))
    assert not old.is_valid(REFRESH_LEEWAY_MS)


def approval(*scope: str, id: str = "approval", expires: int = 1_000) -> ApprovedScope:
    return ApprovedScope(id, "u", "client", scope, 0, expires)


def test_what_is_left_of_a_delegation() -> None:
    trusted = replace(CLIENT, trusted=True)
    assert delegation().allowed(CLIENT, approval("a", "b", "c"), 0) == ("a", "b")
    assert delegation().allowed(CLIENT, approval("b"), 0) == ("b",)
    assert delegation().allowed(CLIENT, approval("a", "b"), 1_000) == ()
    assert delegation().allowed(CLIENT, approval("a", "b", id="another"), 0) == ()
    assert delegation().allowed(CLIENT, None, 0) == ()
    assert delegation().allowed(None, approval("a", "b"), 0) == ()
    assert delegation(None).allowed(CLIENT, None, 0) == ()
    assert delegation(None).allowed(trusted, None, 0) == ("a", "b")
    assert delegation(None).allowed(trusted, None, 10**12) == ()


def test_what_hangs_on_an_approval_ends_with_it_also_at_a_service_that_has_become_trusted() -> None:
    trusted = replace(CLIENT, trusted=True)
    assert delegation().allowed(trusted, approval("a", "b"), 0) == ("a", "b")
    for gone in (None, approval("a", "b", id="another"), approval("a", "b", expires=0)):
        assert delegation().allowed(trusted, gone, 0) == ()


def test_user_codes_are_read_kindly() -> None:
    assert normal_user_code(" wdjb-mjht ") == normal_user_code("WDJB MJHT") == "WDJBMJHT"
    assert normal_user_code("01 aeiou-") == ""
