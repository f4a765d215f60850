"""Logging in: a password, and a second factor where there is one; or a passkey that knows its user.

Whether a login exists shows neither in an answer nor in its time: for one that does not, as much is
read, computed and counted. Sources: OWASP's Authentication Cheat Sheet; RFC 6238 section 5.2 (a code is
good once); WebAuthn section 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.audit import AuditRecord
from chalicelib.core.authenticators import Authenticators, UsedChallenge
from chalicelib.core.credentials.passkeys import CHALLENGE_LIFETIME_MS, JsonObject, user_handle
from chalicelib.core.credentials.passwords import PasswordHasher, normal
from chalicelib.core.credentials.wire_format import CredentialKind
from chalicelib.core.errors import Forbidden, Invalid, LoginRefused, SecondFactorRequired
from chalicelib.core.identifiers import new_id
from chalicelib.core.operations.optimistic import until_current
from chalicelib.core.sessions import LIFETIME_MS, Session

if TYPE_CHECKING:
    from chalicelib.core.accounts import User
    from chalicelib.core.credentials.verifier import SecretVerifier
    from chalicelib.core.operations.guesses import Guesses
    from chalicelib.core.operations.second_factor_check import SecondFactorCheck
    from chalicelib.core.origin import Origin
    from chalicelib.core.ports import AccountStore, AuthenticatorStore


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


class Login:
    """Opens sessions."""

    def __init__(
        self,
        accounts: AccountStore,
        authenticators: AuthenticatorStore,
        guesses: Guesses,
        passwords: PasswordHasher,
        second_factors: SecondFactorCheck,
        verifier: SecretVerifier,
    ) -> None:
        self._accounts = accounts
        self._authenticators = authenticators
        self._guesses = guesses
        self._passwords = passwords
        self._second_factors = second_factors
        self._verifier = verifier
        passwords.prepare()

    def passkey_options(self, now: int) -> JsonObject:
        """What a browser needs to ask for a passkey, the same for everybody. Raises Conflict."""
        return self._second_factors.passkeys.login_options(now)

    def log_in(self, attempt: LoginAttempt, origin: Origin) -> OpenedSession:
        """A new session.

        Raises Invalid, LoginRefused, SecondFactorRequired, Forbidden (banned; only to who has proven
        to be the owner) or Throttled.
        """
        login = self._login_of(attempt)
        if attempt.password is None:  # a passkey cannot be guessed, and so is the way in that nobody can use up
            return until_current(lambda: self._attempt(login, attempt, origin))
        with self._guesses.counted(login, origin.address, origin.now):
            return until_current(lambda: self._attempt(login, attempt, origin))

    def _login_of(self, attempt: LoginAttempt) -> str:
        """The login that is tried, in the form under which it is unique. Raises Invalid or LoginRefused."""
        if attempt.password is None and attempt.passkey is None:
            raise Invalid("password", "is required, or a passkey.")
        if attempt.login is not None:
            return names.login_key(attempt.login)
        if attempt.passkey is None:
            raise Invalid("login", "is required with a password.")
        handle = user_handle(attempt.passkey)
        user = self._accounts.get(handle) if names.may_refer(handle) else None
        if user is None:
            raise LoginRefused
        return names.login_key(user.login)

    def _attempt(self, login: str, attempt: LoginAttempt, origin: Origin) -> OpenedSession:
        user, stored = self._authenticators.find_by_login(login)
        after, challenge, proven = stored, None, False
        if attempt.password is not None:
            if not self._passwords.matches(attempt.password, stored.password) or stored.password is None:
                raise LoginRefused
            if self._passwords.is_outdated(stored.password):
                after = replace(after, password=self._passwords.hash(normal(attempt.password)))
        if user is None:
            raise LoginRefused
        if attempt.passkey is not None:
            after, challenge = self._with_passkey(after, attempt, origin)
            proven = True
        elif stored.two_factor:
            after = self._with_code(after, attempt, origin)
            proven = True
        if user.banned:
            raise Forbidden("This account is banned.")
        return self._open(user, stored, after, challenge, proven, origin)

    def _with_passkey(
        self, stored: Authenticators, attempt: LoginAttempt, origin: Origin
    ) -> tuple[Authenticators, UsedChallenge]:
        assert attempt.passkey is not None
        found = self._second_factors.after_passkey(stored, attempt.passkey, origin.now)
        # Alone, it has to know its user: something held, and something known or a part of the body.
        if found is None or not (found[1].user_verified or attempt.password is not None):
            raise LoginRefused
        return found[0], UsedChallenge(found[1].challenge, origin.now + CHALLENGE_LIFETIME_MS)

    def _with_code(self, stored: Authenticators, attempt: LoginAttempt, origin: Origin) -> Authenticators:
        if attempt.code is None:
            raise SecondFactorRequired(stored.methods)
        after = self._second_factors.after_code(stored, attempt.code, origin.now)
        if after is None:
            raise LoginRefused
        return after

    def _open(
        self,
        user: User,
        stored: Authenticators,
        after: Authenticators,
        challenge: UsedChallenge | None,
        proven: bool,
        origin: Origin,
    ) -> OpenedSession:
        id = new_id()
        secret = CredentialKind.SESSION.issue(user.id, id)
        session = Session(
            id=id,
            user_id=user.id,
            created=origin.now,
            expires=origin.now + LIFETIME_MS,
            address=origin.address,
            second_factor=proven,
            epoch=stored.session_epoch,
            secret=self._verifier.seal(secret),
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
        after = replace(after, revision=stored.revision + 1)
        self._authenticators.open_session(session, user, stored, after, challenge, record)
        return OpenedSession(session, user, secret)
