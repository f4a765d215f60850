"""Logging in: a password, and a second factor where there is one; or a passkey that knows its user.

Whether a login exists shows neither in an answer nor in its time: for one that does not, as much is
read, computed and counted. Sources: OWASP's Authentication Cheat Sheet; RFC 6238 section 5.2 (a code is
good once); WebAuthn section 7.2.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import ANYBODY, AuditRecord
from chalicelib.core.common import validation
from chalicelib.core.common.errors import (
    Forbidden,
    Invalid,
    LoginRefused,
    Refusal,
    SecondFactorLocked,
    SecondFactorRequired,
)
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict
from chalicelib.core.login.authenticators import Authenticators, UsedChallenge
from chalicelib.core.login.passkeys import CHALLENGE_LIFETIME_MS, JsonObject, user_handle
from chalicelib.core.login.password_hashing import PasswordHasher, normal
from chalicelib.core.login.session import LIFETIME_MS, Session
from chalicelib.core.login.totp import looks_like_recovery_code
from chalicelib.core.secrets.token_format import CredentialKind

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.access.ports import AccountStore
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.login.ports import AuthenticatorStore
    from chalicelib.core.login.second_factor_check import SecondFactorCheck
    from chalicelib.core.secrets.verifier import SecretVerifier


NOBODY = ""  # whatever cannot be a login; where it leads nobody is


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What somebody gives: a login with a password, with `code` or `passkey` as second factor; or a
    passkey alone. `code` is of an authenticator app or a recovery code."""

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    passkey: JsonObject | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session with its secret, in the only answer that ever holds it."""

    session: Session
    owner: User
    secret: str = field(repr=False)


class _Slow:
    """What takes long: done once for a login, and not at each attempt to store it."""

    def __init__(self, passwords: PasswordHasher, verifier: SecretVerifier) -> None:
        self.matches = functools.cache(passwords.matches)
        self.hash = functools.cache(passwords.hash)
        self.hash_secret = functools.cache(verifier.hash_secret)
        self.session_id = new_id()
        self.secret_of = functools.cache(lambda user_id: CredentialKind.SESSION.issue(user_id, self.session_id))


def _counted_as(attempt: LoginAttempt) -> str:
    """By which name an attempt with a passkey alone counts: what was given, whether or not it is somebody's."""
    if attempt.login is not None:
        return validation.login_key(attempt.login) if validation.could_be_identifier(attempt.login) else NOBODY
    handle = user_handle(attempt.passkey or {})
    return f"id:{handle}" if validation.could_be_identifier(handle) else NOBODY  # no login has a colon


class Login:
    """Opens sessions."""

    def __init__(
        self,
        accounts: AccountStore,
        authenticators: AuthenticatorStore,
        attempt_limiter: AttemptLimiter,
        passwords: PasswordHasher,
        second_factors: SecondFactorCheck,
        verifier: SecretVerifier,
    ) -> None:
        self._accounts = accounts
        self._authenticators = authenticators
        self._attempt_limiter = attempt_limiter
        self._passwords = passwords
        self._second_factors = second_factors
        self._verifier = verifier
        passwords.prepare()

    def passkey_options(self, now: int) -> JsonObject:
        """What a browser needs to ask for a passkey, the same for everybody. Raises Conflict."""
        return self._second_factors.passkeys.login_options(now)

    def log_in(self, attempt: LoginAttempt, origin: Origin) -> OpenedSession:
        """A new session.

        Raises Invalid, LoginRefused, SecondFactorRequired, SecondFactorLocked, Forbidden (banned; only to who has
        proven to be the owner) or Throttled. A refusal leaves a trace.
        """
        login = self._login_of(attempt)
        slow = _Slow(self._passwords, self._verifier)
        passkey = _counted_as(attempt) if attempt.password is None else None
        with self._attempt_limiter.counted(login, origin.address, origin.now, passkey):
            return retry_on_conflict(lambda: self._attempt(login, attempt, origin, slow))

    def _login_of(self, attempt: LoginAttempt) -> str:
        """The login that is tried, in the form under which it is unique. Raises Invalid."""
        if attempt.password is None and attempt.passkey is None:
            raise Invalid("password", "is required, unless you use a passkey.")
        if attempt.login is not None:
            return validation.login_key(attempt.login) if validation.could_be_identifier(attempt.login) else NOBODY
        if attempt.passkey is None:
            raise Invalid("login", "is required with a password.")
        handle = user_handle(attempt.passkey)
        user = self._accounts.get(handle) if validation.could_be_identifier(handle) else None
        return validation.login_key(user.login) if user else NOBODY

    def _attempt(self, login: str, attempt: LoginAttempt, origin: Origin, slow: _Slow) -> OpenedSession:
        user, stored = self._authenticators.find_by_login(login)
        after, challenge, proven = self._with_password(user, stored, attempt, origin, slow), None, False
        if attempt.passkey is not None:
            after, challenge = self._with_passkey(user, after, attempt, origin)
            proven = True
        assert user  # whose password or passkey was right
        if attempt.passkey is None and stored.two_factor:
            after = self._with_code(user, after, attempt, origin)
            proven = True
        if user.banned:
            raise self._refused("login.banned", user, origin, Forbidden("This account is banned."))
        return self._open(user, stored, after, challenge, proven, origin, slow)

    def _with_password(
        self, user: User | None, stored: Authenticators, attempt: LoginAttempt, origin: Origin, slow: _Slow
    ) -> Authenticators:
        if attempt.password is None:
            return stored
        if not slow.matches(attempt.password, stored.password) or stored.password is None:
            raise self._refused("login.failed", user, origin)
        if self._passwords.is_outdated(stored.password):
            return replace(stored, password=slow.hash(normal(attempt.password)))
        return stored

    def _refused(self, kind: str, user: User | None, origin: Origin, refusal: Refusal | None = None) -> Refusal:
        self._attempt_limiter.login_failed(kind, user, origin)
        return refusal or LoginRefused()

    def _with_passkey(
        self, user: User | None, stored: Authenticators, attempt: LoginAttempt, origin: Origin
    ) -> tuple[Authenticators, UsedChallenge]:
        assert attempt.passkey is not None
        found = self._second_factors.after_passkey(stored, attempt.passkey, origin.now)
        # Alone, it has to know its user: something held, and something known or a part of the body.
        if found is None or not (found[1].user_verified or attempt.password is not None):
            raise self._refused("login.failed" if attempt.password is None else "second-factor.failed", user, origin)
        return found[0], UsedChallenge(found[1].challenge, origin.now + CHALLENGE_LIFETIME_MS)

    def _with_code(self, user: User, stored: Authenticators, attempt: LoginAttempt, origin: Origin) -> Authenticators:
        if attempt.code is None:
            missing = SecondFactorRequired(stored.methods) if stored.methods else SecondFactorLocked(stored.methods)
            raise self._refused("second-factor.missing", user, origin, missing)
        try:
            after = self._second_factors.after_code(stored, attempt.code, origin.now)
        except SecondFactorLocked as locked:
            raise self._refused("second-factor.failed", user, origin, locked) from None
        if after is not None:
            return after
        if stored.totp and not looks_like_recovery_code(attempt.code.strip()):
            self._count_wrong_code(user, stored, origin)
        raise self._refused("second-factor.failed", user, origin)

    def _count_wrong_code(self, user: User, stored: Authenticators, origin: Origin) -> None:
        """The password was right, so no stranger comes here; too many in a row, and the app is locked."""
        new = stored.with_wrong_code()
        target = "second-factor", user.id, user.id
        locked = AuditRecord("second-factor.locked", origin.now, ANYBODY, "", origin.address, *target)
        self._authenticators.count_wrong_code(stored, new, locked if new.app_locked else None)

    def _open(
        self,
        user: User,
        stored: Authenticators,
        after: Authenticators,
        challenge: UsedChallenge | None,
        proven: bool,
        origin: Origin,
        slow: _Slow,
    ) -> OpenedSession:
        id, secret = slow.session_id, slow.secret_of(user.id)
        session = Session(
            id=id,
            user_id=user.id,
            created=origin.now,
            expires=origin.now + LIFETIME_MS,
            address=origin.address,
            second_factor=proven,
            epoch=stored.session_epoch,
            secret=slow.hash_secret(secret),
        )
        record = AuditRecord(
            kind="session.opened",
            at=origin.now,
            actor_id=user.id,
            credential_id=id,
            address=origin.address,
            target_kind="session",
            target_id=id,
            owner_id=user.id,
        )
        after = replace(after, wrong_codes=0, revision=stored.revision + 1)
        self._authenticators.open_session(session, user, stored, after, challenge, record)
        return OpenedSession(session, user, secret)
