"""Second factors: pair an authenticator app, add passkeys, renew recovery codes, turn it all off.

Source: Hub's pages "Two-factor Authentication" and "Manage Users" (an administrator may turn it off for
another). The first one ends all sessions but that in which it is added: whoever else is logged in has proven the
password alone, and might have stolen it. From then on what changes them has to come from a session that has proven one.
Turning it off ends the application passwords, which exist because of it: all at once, by the account's
epoch; they are removed afterwards.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Invalid, LoginTooOld, NotFound, Unavailable
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict, retry_persistently
from chalicelib.core.common.rate_limits import Typed
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.authenticators import MAX_PASSKEYS, Authenticators, Passkey, UsedChallenge
from chalicelib.core.login.passkeys import CHALLENGE_LIFETIME_MS, JsonObject, NotProven
from chalicelib.core.login.second_factor_check import totp_context
from chalicelib.core.login.totp import new_recovery_codes, new_totp_secret, pairing_uri

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.login.authenticators import Totp
    from chalicelib.core.login.ports import AccountCredentialStore, AuthenticatorStore
    from chalicelib.core.login.second_factor_check import SecondFactorCheck
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.secrets.verifier import SecretVerifier


@dataclass(frozen=True, slots=True)
class Pairing:
    """What an authenticator app has to know, in the only answer that ever holds it."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    status: SecondFactorStatus


@dataclass(frozen=True, slots=True)
class SecondFactorStatus:
    """What an account has. `recovery_codes` only in the answer that makes them."""

    authenticators: Authenticators
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


class _NewRecoveryCodes:
    """New codes, if any are needed: made and hashed once, which takes long, and not at each attempt to store them."""

    def __init__(self, verifier: SecretVerifier) -> None:
        self._verifier = verifier

    def put_into(self, authenticators: Authenticators) -> tuple[Authenticators, tuple[str, ...]]:
        """With new codes if there are none, and these codes."""
        if authenticators.recovery_codes:
            return authenticators, ()
        codes, hashed = self._made
        return replace(authenticators, recovery_codes=hashed), codes

    @functools.cached_property
    def _made(self) -> tuple[tuple[str, ...], tuple[HashedSecret, ...]]:
        codes = tuple(new_recovery_codes())
        return codes, tuple(self._verifier.hash_secret(code) for code in codes)


class SecondFactors:
    """`user` is an id, a login, or `me` for the caller."""

    def __init__(
        self,
        authenticators: AuthenticatorStore,
        credentials: AccountCredentialStore,
        accounts: Accounts,
        check: SecondFactorCheck,
        attempt_limiter: AttemptLimiter,
        keyring: Keyring,
        verifier: SecretVerifier,
    ) -> None:
        self._authenticators = authenticators
        self._credentials = credentials
        self._accounts = accounts
        self._check = check
        self._attempt_limiter = attempt_limiter
        self._keyring = keyring
        self._verifier = verifier

    def status(self, caller: Caller, user: str) -> SecondFactorStatus:
        """What the account has. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_SECOND_FACTORS)
        return SecondFactorStatus(self._authenticators.get(owner.id))

    def begin_pairing(self, caller: Caller, user: str) -> Pairing:
        """A new secret for an authenticator app; it counts once a code has confirmed it.

        Raises Forbidden, NotFound, or Conflict (an app is paired already; a bot logs in nowhere).
        """
        secret = new_totp_secret()

        def attempt() -> Pairing:
            owner, permit, old = self._own(caller, user)
            if old.totp:
                raise Conflict("An authenticator app is paired. Turn two-factor authentication off first.")
            pending = self._keyring.encrypt(secret, totp_context(owner.id))
            new = replace(old, pending_totp=pending)
            status = self._replace(permit, owner, old, new, "second-factor.pairing-begun")
            return Pairing(secret, pairing_uri(secret, owner.login), status)

        return retry_on_conflict(attempt)

    def confirm_pairing(self, caller: Caller, user: str, code: str) -> SecondFactorStatus:
        """The app is paired, from the next login on; with recovery codes, if there were none. Other sessions end, if it
        is the first second factor.

        Raises Invalid (the code is wrong), Forbidden, NotFound, Throttled or Conflict (nothing was begun).
        """

        codes = self._recovery_codes()

        @functools.cache  # a guess is counted once, however often others get in between
        def paired(pending: str, owner_id: str) -> Totp:
            with self._attempt_limiter.typed(Typed.PAIRING, caller):
                totp = self._check.pair_totp(pending, code, owner_id, caller.now)
                if totp is None:
                    raise Invalid("code", "is incorrect. Enter the code that the app shows now.")
            return totp

        def attempt() -> SecondFactorStatus:
            owner, permit, old = self._own(caller, user)
            if old.pending_totp is None:
                raise Conflict("No pairing was started. POST without a code first.")
            totp = paired(old.pending_totp, owner.id)
            new, made = codes.put_into(replace(old, totp=totp, pending_totp=None))
            return self._replace(permit, owner, old, new, "second-factor.paired", made)

        return retry_persistently(attempt)

    def renew_recovery_codes(self, caller: Caller, user: str) -> SecondFactorStatus:
        """New recovery codes; the old ones are refused. Raises Forbidden, NotFound or Conflict (2FA is off)."""

        codes = self._recovery_codes()

        def attempt() -> SecondFactorStatus:
            owner, permit, old = self._own(caller, user)
            if not old.two_factor:
                raise Conflict("Two-factor authentication is off.")
            new, made = codes.put_into(replace(old, recovery_codes=()))
            return self._replace(permit, owner, old, new, "second-factor.recovery-codes-renewed", made)

        return retry_persistently(attempt)

    def turn_off(self, caller: Caller, user: str) -> None:
        """No second factor and no application password is left. If somebody else does it, sessions end.

        Raises Forbidden or NotFound.
        """

        def attempt() -> None:
            owner, permit, old = self._removing(caller, user)
            new = old.without_second_factors()
            if owner.id != caller.user.id:
                new = new.without_sessions()
            self._replace(permit, owner, old, new, "second-factor.turned-off", ends_passwords=True)

        retry_persistently(attempt)

    def passkey_options(self, caller: Caller, user: str) -> JsonObject:
        """What a browser needs to make a passkey. Raises Forbidden, NotFound or Conflict."""
        owner, _, stored = self._own(caller, user)
        return self._check.passkeys.registration_options(owner, stored.passkeys, caller.now)

    def add_passkey(self, caller: Caller, user: str, name: str, credential: JsonObject) -> SecondFactorStatus:
        """The account has the passkey that the browser made; with recovery codes, if there were none. Other sessions
        end, if it is the first second factor.

        Raises Invalid (it does not answer our challenge), Forbidden, NotFound or Conflict.
        """
        valid_name, codes = validation.name(name), self._recovery_codes()

        def attempt() -> SecondFactorStatus:
            owner, permit, old = self._own(caller, user)
            if len(old.passkeys) >= MAX_PASSKEYS:
                raise Conflict(f"An account can have at most {MAX_PASSKEYS} passkeys.")
            try:
                made = self._check.passkeys.register(owner.id, credential, caller.now)
            except NotProven:
                raise Invalid("credential", "does not answer a current challenge. Try again.") from None
            if any(each.credential_id == made.credential_id for each in old.passkeys):
                raise Conflict("The account has this passkey already.", "credential")
            passkey = Passkey(new_id(), valid_name, caller.now, made.credential_id, made.public_key, made.sign_count)
            new, shown = codes.put_into(replace(old, passkeys=(*old.passkeys, passkey)))
            challenge = UsedChallenge(made.challenge, caller.now + CHALLENGE_LIFETIME_MS)
            return self._replace(permit, owner, old, new, "passkey.added", shown, challenge)

        return retry_persistently(attempt)

    def remove_passkey(self, caller: Caller, user: str, passkey_id: str) -> None:
        """The passkey is refused from now on. If it was the last second factor, it is as if that were turned off.
        Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit, old = self._removing(caller, user)
            left = tuple(each for each in old.passkeys if each.id != passkey_id)
            if len(left) == len(old.passkeys):
                raise NotFound("passkey", passkey_id)
            new = replace(old, passkeys=left)
            last = not new.two_factor
            if last:
                new = new.without_second_factors()
                if owner.id != caller.user.id:
                    new = new.without_sessions()
            self._replace(permit, owner, old, new, "passkey.removed", ends_passwords=last)

        retry_persistently(attempt)

    def _own(self, caller: Caller, user: str) -> tuple[User, Permit, Authenticators]:
        owner, permit = self._accounts.permitted(caller, user, Operation.ADD_SECOND_FACTOR)
        if owner.type is AccountType.BOT:
            raise Conflict("Bots cannot log in, and have no second factor.")
        return owner, permit, self._proven(caller, owner)

    def _removing(self, caller: Caller, user: str) -> tuple[User, Permit, Authenticators]:
        owner, permit = self._accounts.permitted(caller, user, Operation.REMOVE_SECOND_FACTORS)
        return owner, permit, self._proven(caller, owner)

    def _proven(self, caller: Caller, owner: User) -> Authenticators:
        """What the account has. Raises LoginTooOld if it is the caller's own, has a second factor, and the caller's
        session has not proven one: it has ended meanwhile."""
        stored = self._authenticators.get(owner.id)
        if owner.id == caller.user.id and stored.two_factor and not caller.second_factor:
            raise LoginTooOld("This needs a login with a second factor. Log in again.")
        return stored

    def _recovery_codes(self) -> _NewRecoveryCodes:
        return _NewRecoveryCodes(self._verifier)

    def _replace(
        self,
        permit: Permit,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        kind: str,
        codes: tuple[str, ...] = (),
        challenge: UsedChallenge | None = None,
        ends_passwords: bool = False,
    ) -> SecondFactorStatus:
        new = replace(new, revision=old.revision + 1)
        kept = None
        if new.two_factor and not old.two_factor:
            new, kept = new.without_sessions(), permit.caller.credential_id
        record = permit.record(kind, "second-factor", owner.id, owner.id)
        self._authenticators.replace(owner, old, new, None, ends_passwords, record, challenge, kept)
        if ends_passwords:
            with contextlib.suppress(Unavailable):  # they have ended; whoever makes another one sweeps them too
                stored = self._credentials.list(ApplicationPassword, owner.id)
                self._credentials.sweep(each for each in stored if each.epoch <= owner.password_epoch)
        return SecondFactorStatus(new, codes)
