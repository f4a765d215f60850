"""Whether a second factor is proven, and what remains of the authenticators once it was used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import SecondFactorLocked
from chalicelib.core.login.authenticators import Totp
from chalicelib.core.login.passkeys import NotProven, credential_id
from chalicelib.core.login.totp import looks_like_recovery_code, matching_step
from chalicelib.core.secrets.keyring import UnknownKey

if TYPE_CHECKING:
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.login.passkeys import Asserted, JsonObject, PasskeyCeremonies
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.secrets.verifier import SecretVerifier


class SecondFactorCheck:
    """Checks codes and passkeys. Everything can be used once: the caller stores what is returned."""

    def __init__(self, keyring: Keyring, passkeys: PasskeyCeremonies, verifier: SecretVerifier) -> None:
        self._keyring = keyring
        self._verifier = verifier
        self.passkeys = passkeys

    def after_code(self, stored: Authenticators, code: str, now: int) -> Authenticators | None:
        """The authenticators without the possibility to use this code again; None if it is wrong.

        Raises SecondFactorLocked where it would be a code of the app, which is locked.
        """
        code = code.strip()
        if looks_like_recovery_code(code):
            left = tuple(hashed for hashed in stored.recovery_codes if not self._verifier.verify(code, hashed, now))
            return replace(stored, recovery_codes=left) if len(left) < len(stored.recovery_codes) else None
        if stored.app_locked:
            raise SecondFactorLocked(stored.methods)
        totp = self._after_totp(stored.totp, code.replace(" ", ""), stored.user_id, now) if stored.totp else None
        return replace(stored, totp=totp) if totp else None

    def after_passkey(
        self, stored: Authenticators, credential: JsonObject, now: int
    ) -> tuple[Authenticators, Asserted] | None:
        """The authenticators with the passkey's new counter, and how it was used; None if it was not."""
        wanted = credential_id(credential)
        for passkey in stored.passkeys:
            if passkey.credential_id == wanted:
                try:
                    asserted = self.passkeys.check(passkey, credential, now)
                except NotProven:
                    return None
                used = replace(passkey, sign_count=asserted.sign_count)
                passkeys = tuple(used if each is passkey else each for each in stored.passkeys)
                return replace(stored, passkeys=passkeys), asserted
        return None

    def pair_totp(self, encrypted_secret: str, code: str, user_id: str, now: int) -> Totp | None:
        """The pairing that this code confirms; None if it is wrong."""
        return self._after_totp(Totp(encrypted_secret), code.replace(" ", ""), user_id, now)

    def _after_totp(self, totp: Totp, code: str, user_id: str, now: int) -> Totp | None:
        try:
            secret = self._keyring.decrypt(totp.encrypted_secret, totp_context(user_id))
        except UnknownKey:  # nobody can check this code any more; recovery codes and passkeys still work
            return None
        step = matching_step(secret, code, now, totp.last_step)
        if step is None:
            return None
        # Encrypted anew at each use, and so always under a key that is current.
        return replace(totp, encrypted_secret=self._keyring.encrypt(secret, totp_context(user_id)), last_step=step)


def totp_context(user_id: str) -> str:
    """What binds an encrypted secret to its account."""
    return f"totp {user_id}"
