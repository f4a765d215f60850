"""What accounts present and log in with: `CredentialStore`, `AccountCredentialStore`, `AuthenticatorStore`,
`LoginAttemptStore`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.common.origin import UsageContext
from chalicelib.core.common.rate_limits import Budget
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.authenticators import Authenticators, Passkey, Totp, UsedChallenge
from chalicelib.core.login.session import Session
from chalicelib.core.secrets.token_format import CredentialKey, CredentialKind
from chalicelib.core.stores import Stores
from chalicelib.core.tokens.token import LastUse
from chalicelib.core.verification.ports import VerificationRead
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import newer, record, stored_token, stored_user


def stored_session(stores: Stores, owner: Any, **values: Any) -> Any:
    old = stores.authenticators.get(owner.id)
    session = making.session(owner, **values)
    stores.authenticators.open_session(session, owner, old, newer(old), None, record())
    return session


def stored_password(stores: Stores, owner: Any, **values: Any) -> Any:
    if not stores.authenticators.get(owner.id).revision:
        making.with_2fa(stores, owner)
    password = making.password(owner, **values)
    stores.account_credentials.create(password, owner, stores.authenticators.get(owner.id), record())
    return password


KINDS: dict[CredentialKind, Callable[..., Any]] = {
    CredentialKind.PERMANENT_TOKEN: stored_token,
    CredentialKind.SESSION: stored_session,
    CredentialKind.APPLICATION_PASSWORD: stored_password,
}


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKindOfCredential:
    def find(
        self, stores: Stores, kind: CredentialKind, credential: Any, service_id: str | None = None
    ) -> VerificationRead:
        return stores.credentials.find(CredentialKey(kind, credential.user_id, credential.id), service_id)

    def test_is_found_with_its_owner_and_the_service_that_asks(self, stores: Stores, kind: CredentialKind) -> None:
        owner, service = stored_user(stores), making.service()
        stores.services.create(service, record())
        credential = KINDS[kind](stores, owner)
        found = self.find(stores, kind, credential, service.id)
        assert (found.credential, found.owner, found.service) == (credential, owner, service)
        expected = stores.authenticators.get(owner.id) if kind is CredentialKind.SESSION else None
        assert found.authenticators == expected
        nothing = self.find(stores, kind, replace(credential, id="nothing"), "nothing")
        assert (nothing.credential, nothing.owner, nothing.service) == (None, owner, None)

    def test_its_use_is_noted_and_is_no_change(self, stores: Stores, kind: CredentialKind) -> None:
        owner = stored_user(stores)
        credential = KINDS[kind](stores, owner)
        stores.credentials.mark_used(credential, UsageContext(making.NOW + 5, "192.0.2.9", "curl", "s"), ["s"])
        stores.credentials.mark_used(credential, UsageContext(making.NOW + 6), ["t"])
        expected = replace(credential, last_used=making.NOW + 6)
        if kind is CredentialKind.PERMANENT_TOKEN:
            expected = replace(expected, last_use=LastUse(None, None, None), used_at=frozenset({"s", "t"}))
        assert self.find(stores, kind, credential).credential == expected

    def test_a_seal_is_renewed_unless_the_secret_has_changed(self, stores: Stores, kind: CredentialKind) -> None:
        credential = KINDS[kind](stores, stored_user(stores))
        renewed = making.hashed()
        stores.credentials.replace_hash(credential, renewed)
        assert self.find(stores, kind, credential).credential == replace(credential, secret=renewed)
        with refused(stores, StaleWrite):
            stores.credentials.replace_hash(credential, making.hashed())

    def test_nothing_is_noted_of_what_is_gone(self, stores: Stores, kind: CredentialKind) -> None:
        owner = stored_user(stores)
        credential = KINDS[kind](stores, owner)
        stores.accounts.delete(owner, record())
        with refused(stores, StaleWrite):
            stores.credentials.mark_used(credential, UsageContext(making.NOW))
        with refused(stores, StaleWrite):
            stores.credentials.replace_hash(credential, making.hashed())


def test_nothing_is_asked_for(stores: Stores) -> None:
    assert stores.credentials.find(None, None) == VerificationRead()


def test_a_services_seal_is_renewed_and_one_without_a_secret_has_none(stores: Stores) -> None:
    service, renewed = making.service(), making.hashed()
    stores.services.create(service, record())
    stores.credentials.replace_hash(service, renewed)
    assert stores.services.get(service.id) == replace(service, secret=renewed)
    with refused(stores, StaleWrite):
        stores.credentials.replace_hash(service, making.hashed())
    public = making.service(secret=None)
    stores.services.create(public, record())
    stores.credentials.replace_hash(public, making.hashed())
    assert stores.services.get(public.id) == public


class TestAuthenticators:
    def test_are_empty_until_something_is_set(self, stores: Stores) -> None:
        user = stored_user(stores)
        assert stores.authenticators.get(user.id) == Authenticators(user.id)
        assert stores.authenticators.find_by_login(user.login.upper()) == (user, Authenticators(user.id))
        nobody, nothing = stores.authenticators.find_by_login("nobody")
        assert (nobody, nothing.password) == (None, None)

    def test_come_back_as_they_were_stored(self, stores: Stores) -> None:
        user = stored_user(stores)
        passkey = Passkey("id", "Phone", 1, "credential", b"\x00key", 3)
        everything = Authenticators(
            user.id, "hash", Totp("secret", 4), "pending", (making.hashed(), making.hashed()), (passkey,), 2, 1
        )
        stores.authenticators.replace(user, Authenticators(user.id), everything, None, False, record())
        assert stores.authenticators.find_by_login(user.login) == (user, everything)

    def test_a_change_is_refused_when_something_else_has_changed(self, stores: Stores) -> None:
        user, role = stored_user(stores), making.stored_role(stores)
        old, seen = Authenticators(user.id), making.access_by(roles=(role,))
        current = making.with_2fa(stores, user)
        with refused(stores, StaleWrite):
            stores.authenticators.replace(user, old, newer(old), None, False, record())
        stores.roles.replace(role, newer(role), record())
        with refused(stores, StaleWrite):
            stores.authenticators.replace(user, current, newer(current), seen, False, record())
        stores.accounts.replace(user, newer(user), False, record())
        with refused(stores, StaleWrite):
            stores.authenticators.replace(user, current, newer(current), None, False, record())
        with refused(stores, StaleWrite):
            stores.authenticators.open_session(making.session(user), user, current, newer(current), None, record())

    def test_one_session_is_kept_when_the_others_end(self, stores: Stores) -> None:
        user = stored_user(stores)
        known = making.with_2fa(stores, user)
        kept, other = making.session(user), making.session(user)
        for session in (kept, other):
            old, known = known, newer(known)
            stores.authenticators.open_session(session, user, old, known, None, record())
        new = newer(known.without_sessions())
        for id in (making.new_id(), making.session(user, epoch=1).id):
            with refused(stores, StaleWrite):
                stores.authenticators.replace(user, known, new, None, False, record(), kept=id)
        stores.authenticators.replace(user, known, new, None, False, record(), kept=kept.id)
        assert stores.account_credentials.get(Session, user.id, kept.id) == replace(kept, epoch=1, second_factor=True)
        assert stores.account_credentials.get(Session, user.id, other.id) == other
        with refused(stores, StaleWrite):  # which has ended already
            stores.authenticators.replace(user, new, newer(new), None, False, record(), kept=other.id)

    def test_a_challenge_is_answered_once(self, stores: Stores) -> None:
        user, challenge = stored_user(stores), UsedChallenge(making.name(), making.NOW)
        old = making.with_2fa(stores, user)
        session = making.session(user)
        stores.authenticators.open_session(session, user, old, newer(old), challenge, record())
        assert stores.account_credentials.get(Session, user.id, session.id) == session
        again = newer(old)
        with refused(stores, Conflict):
            stores.authenticators.open_session(making.session(user), user, again, newer(again), challenge, record())
        with refused(stores, Conflict):
            stores.authenticators.replace(user, again, newer(again), None, False, record(), challenge)

    def test_application_passwords_end_together(self, stores: Stores) -> None:
        """With one change of the account, however many there are; they are removed afterwards, and by whoever likes."""
        user, role = stored_user(stores), making.stored_role(stores)
        ended = [stored_password(stores, user, name=f"mail {number}") for number in range(3)]
        old, seen = stores.authenticators.get(user.id), making.access_by(roles=(role,))
        stores.roles.replace(role, newer(role), record())
        for stale in (newer(user), user):
            with refused(stores, StaleWrite):
                stores.authenticators.replace(stale, old, newer(old), seen, True, record())
        stores.authenticators.replace(user, old, newer(old), None, True, record())
        owner = newer(user, password_epoch=1)
        assert stores.accounts.get(user.id) == owner
        assert all(
            each.has_ended(making.NOW, owner) for each in stores.account_credentials.list(ApplicationPassword, user.id)
        )
        with refused(stores, StaleWrite):
            stores.authenticators.replace(user, newer(old), newer(newer(old)), None, True, record())
        kept = stored_password(stores, owner, name="mail 1", epoch=1)  # the name is free again already
        for _ in range(2):
            stores.account_credentials.sweep(ended)
            assert stores.account_credentials.list(ApplicationPassword, user.id) == [kept]
        with refused(stores, Conflict):
            stored_password(stores, owner, name="mail 1", epoch=1)
        assert not ended[0].has_ended(making.NOW, user)


class TestApplicationPasswords:
    def test_one_is_a_change_of_the_authenticators(self, stores: Stores) -> None:
        user = stored_user(stores)
        with refused(stores, StaleWrite):
            stores.account_credentials.create(making.password(user), user, Authenticators(user.id), record())
        known = making.with_2fa(stores, user)
        password = making.password(user)
        stores.account_credentials.create(password, user, known, record())
        assert stores.authenticators.get(user.id) == newer(known)
        assert stores.account_credentials.get(ApplicationPassword, user.id, password.id) == password
        with refused(stores, StaleWrite):
            stores.account_credentials.create(making.password(user), user, known, record())
        with refused(stores, StaleWrite):
            stores.account_credentials.create(making.password(user), newer(user), newer(known), record())

    def test_names_are_unique_and_free_again(self, stores: Stores) -> None:
        user = stored_user(stores)
        password = stored_password(stores, user, name="mail")
        with refused(stores, Conflict):
            stored_password(stores, user, name="mail")
        stores.account_credentials.delete(password, record())
        with refused(stores, StaleWrite):
            stores.account_credentials.delete(password, record())
        assert stored_password(stores, user, name="mail")

    def test_are_listed_oldest_first(self, stores: Stores) -> None:
        user = stored_user(stores)
        made = [stored_password(stores, user, created=created) for created in (3, 1, 2)]
        assert stores.account_credentials.list(ApplicationPassword, user.id) == [made[1], made[2], made[0]]


def test_sessions_are_listed_until_they_are_ended(stores: Stores) -> None:
    user = stored_user(stores)
    made = [stored_session(stores, user, created=created) for created in (1, 3, 2)]
    assert stores.account_credentials.list(Session, user.id) == [made[0], made[2], made[1]]
    stores.account_credentials.delete(made[1], record())
    assert stores.account_credentials.get(Session, user.id, made[1].id) is None
    with refused(stores, StaleWrite):
        stores.account_credentials.delete(made[1], record())


def test_attempts_are_counted_by_window_and_can_be_given_back(stores: Stores) -> None:
    budget, attempts = Budget(making.name(), 5, 1_000), stores.login_attempts
    assert [attempts.add(budget, change, 5_000) for change in (1, 1, -1)] == [1, 2, 1]
    assert attempts.add(budget, 1, 5_999) == 2
    assert attempts.add(budget, 1, 6_000) == 1
    assert attempts.add(Budget(making.name(), 5, 1_000), 1, 5_000) == 1


def test_a_network_is_known_until_then(stores: Stores) -> None:
    login, attempts = making.name(), stores.login_attempts
    assert not attempts.is_known(login, "192.0.2.0", making.NOW)
    attempts.remember(login, "192.0.2.0", making.NOW + 10_000)
    assert attempts.is_known(login, "192.0.2.0", making.NOW + 9_000)
    assert not attempts.is_known(login, "192.0.2.0", making.NOW + 10_000)
    assert not attempts.is_known(login, "192.0.2.1", making.NOW)
    assert not attempts.is_known(making.name(), "192.0.2.0", making.NOW)
