"""What a person proves at login to be who they are (NIST SP 800-63B calls these authenticators)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.core.secrets.hashing import HashedSecret

MAX_PASSKEYS = 20
MAX_WRONG_CODES = 50  # in a row; NIST SP 800-63B-4 section 3.2.2 allows 100


@dataclass(frozen=True, slots=True)
class Totp:
    """A paired authenticator app. `last_step` is the 30-second step whose code was used last: no code
    of that or an earlier step is good again (RFC 6238 section 5.2)."""

    encrypted_secret: str = field(repr=False)
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential; `credential_id` in base64url, `public_key` in COSE form."""

    id: str
    name: str
    created: int
    credential_id: str
    public_key: bytes
    sign_count: int = 0


@dataclass(frozen=True, slots=True)
class Authenticators:
    """All of one account. `password` is an Argon2id hash; revision 0 means that nothing is stored."""

    user_id: str
    password: str | None = field(default=None, repr=False)
    totp: Totp | None = None
    pending_totp: str | None = field(default=None, repr=False)  # an encrypted secret that waits for its first code
    recovery_codes: tuple[HashedSecret, ...] = ()
    passkeys: tuple[Passkey, ...] = ()
    wrong_codes: int = 0  # of the authenticator app, given with the right password since the last login
    session_epoch: int = 0  # sessions of an earlier one have ended
    revision: int = 0

    @property
    def two_factor(self) -> bool:
        """Whether a login needs more than the password."""
        return self.totp is not None or bool(self.passkeys)

    @property
    def app_locked(self) -> bool:
        """Whether no code of the app is good any more, until a login by another factor, or 2FA is turned off."""
        return self.totp is not None and self.wrong_codes >= MAX_WRONG_CODES

    @property
    def methods(self) -> tuple[str, ...]:
        """The second factors that are accepted."""
        there = {
            "totp": self.totp and not self.app_locked,
            "passkey": self.passkeys,
            "recoveryCode": self.recovery_codes,
        }
        return tuple(name for name, value in there.items() if value)

    def without_sessions(self) -> Authenticators:
        """All sessions have ended."""
        return replace(self, session_epoch=self.session_epoch + 1)

    def without_second_factors(self) -> Authenticators:
        """The password alone is left."""
        return replace(self, totp=None, pending_totp=None, recovery_codes=(), passkeys=(), wrong_codes=0)

    def with_wrong_code(self) -> Authenticators:
        """The app's code was wrong once more."""
        return replace(self, wrong_codes=self.wrong_codes + 1, revision=self.revision + 1)


@dataclass(frozen=True, slots=True)
class UsedChallenge:
    """A passkey's challenge that was answered, remembered until it would be too old anyway."""

    id: str
    expires: int  # milliseconds since the epoch
