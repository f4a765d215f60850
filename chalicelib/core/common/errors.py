"""Every reason for which the core refuses, as one exception tree.

An API layer turns these into its own language (HTTP status, page, exit code). No message ever holds a
secret: messages are shown to callers and written to logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Refusal(Exception):
    """The request was understood and is refused; `str(error)` says why, in a sentence."""


class Invalid(Refusal):
    """A value breaks a rule. `field` names the value, the message names the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field


class Unauthenticated(Refusal):
    """No valid credential came with the request. It never says which part was wrong."""


class LoginEnded(Unauthenticated):
    """What came is right, and was a login, which has ended: its holder logs in again."""

    def __init__(self) -> None:
        super().__init__("This session has ended. Log in again.")


class LoginRefused(Refusal):
    """Nobody is logged in. It never says which part was wrong, nor whether the account exists."""

    def __init__(self) -> None:
        super().__init__("Incorrect login, password or second factor.")


class SecondFactorRequired(Refusal):
    """The password is right, and a second factor has to be proven too; `methods` are those that would do."""

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__(f"This account needs a second factor: {', '.join(methods)}.")
        self.methods = tuple(methods)


class SecondFactorLocked(Refusal):
    """The password is right, but the authenticator app is locked; `methods` are those that would do."""

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__(
            "Too many wrong codes in a row: the authenticator app is locked. Log in with a recovery code or a passkey, "
            "or ask an administrator to turn two-factor authentication off for you."
        )
        self.methods = tuple(methods)


class InvalidGrant(Refusal):
    """A code, refresh token or assertion is wrong, used, expired, or of another client (RFC 6749 section 5.2).

    It never says which.
    """


class ClientNotAllowed(Refusal):
    """A service may not do this, by its settings (RFC 6749 section 5.2, `unauthorized_client`)."""


class InsufficientScope(Refusal):
    """The credential is good, but not for this service (RFC 6750 section 3.1)."""


class Forbidden(Refusal):
    """The caller lacks a permission; the message names it."""


class LoginTooOld(Forbidden):
    """The caller may do this, but has to log in again first."""


class NotFound(Refusal):
    """There is no such thing, as far as this caller may know."""

    def __init__(self, kind: str, reference: str) -> None:
        super().__init__(f"There is no {kind} {reference!r}.")
        self.kind = kind


class Conflict(Refusal):
    """The request contradicts what is stored: a name is taken, the last administrator would go."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NameTaken(Conflict):
    """Another one has the name that was given."""


class Changed(Conflict):
    """Somebody else was faster: what the caller has seen is not what is there."""

    def __init__(self) -> None:
        super().__init__("This was changed in the meantime. Reload it and try again.")


class LoginRests(Conflict):
    """A login was another account's not long ago."""


class TooLarge(Conflict):
    """One change would take more steps than a transaction of the storage holds
    (`core.access.transaction_limits.MAX_STEPS`)."""

    def __init__(self) -> None:
        super().__init__("This changes too much at once, and nothing was changed. Split it into smaller changes.")


class IdempotencyMismatch(Refusal):
    """An idempotency key came again with another request (section 2.7 of the IETF draft)."""

    field = "Idempotency-Key"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; every new request needs a new key.")


class Throttled(Refusal):
    """Too many attempts; `retry_after` is the wait in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts. Wait {retry_after} seconds, then try again.")
        self.retry_after = retry_after


class Unavailable(Refusal):
    """The database did not answer in time, or others kept changing the same thing. Trying again is safe."""


class StaleWrite(Exception):
    """What was read has changed before it was written; the use case reads again. Never shown."""
