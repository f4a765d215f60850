"""People who log in, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyotp

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.caller import Caller
from chalicelib.core.common.origin import Origin
from chalicelib.core.login.log_in import LoginAttempt, OpenedSession
from chalicelib.core.login.totp import STEP_MS
from tests.authenticator import SoftwarePasskey
from tests.conftest import Scene, now

PASSWORD = "correct horse battery staple"
HOME = "192.0.2.10"


@dataclass
class Person:
    """A user with a password, on a clock of their own. `recovery_codes` once 2FA is on."""

    scene: Scene
    user: User
    clock: int = field(default_factory=now)
    totp_secret: str = ""
    recovery_codes: tuple[str, ...] = ()

    def wait(self, milliseconds: int) -> None:
        """Time passes."""
        self.clock += milliseconds

    def code(self) -> str:
        """What the authenticator app shows now."""
        return pyotp.HOTP(self.totp_secret).at(self.clock // STEP_MS)

    def attempt(self, address: str = HOME, **given: object) -> OpenedSession:
        """Log in with the right login and password, or with what is given instead."""
        what = {"login": self.user.login, "password": PASSWORD, **given}
        return self.scene.product.login.log_in(LoginAttempt(**what), Origin(self.clock, address))  # type: ignore[arg-type]

    def log_in(self) -> Caller:
        """The caller that a login makes, with a code where it is needed."""
        self.wait(STEP_MS)  # the code of this step may be used up
        opened = self.attempt(code=self.code()) if self.totp_secret else self.attempt()
        return self.caller(opened)

    def log_in_with(self, passkey: SoftwarePasskey) -> Caller:
        """The caller that a login with password and passkey makes."""
        return self.caller(self.attempt(passkey=passkey.get(self.scene.product.login.passkey_options(self.clock))))

    def caller(self, opened: OpenedSession) -> Caller:
        """Who calls with this session."""
        return self.scene.product.authentication.caller(opened.secret, Origin(self.clock, HOME))

    def turn_on_2fa(self) -> None:
        """Pair an authenticator app."""
        caller, factors = self.log_in(), self.scene.product.second_factors
        self.totp_secret = factors.begin_pairing(caller, "me").secret
        self.recovery_codes = factors.confirm_pairing(caller, "me", self.code()).recovery_codes


def person(scene: Scene, login: str = "jo") -> Person:
    """A new user, whom an administrator gave a password."""
    user = scene.product.accounts.create(scene.caller(), login, "Jo Doe", AccountType.USER)
    scene.product.passwords.set(scene.caller(), user.id, PASSWORD, None)
    return Person(scene, user)
