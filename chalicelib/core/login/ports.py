"""What logins need from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.rate_limits import Budget
    from chalicelib.core.login.application_password import ApplicationPassword
    from chalicelib.core.login.authenticators import Authenticators, UsedChallenge
    from chalicelib.core.login.session import Session


class AuthenticatorStore(Protocol):
    """What people log in with. An account that never set anything has empty authenticators."""

    def get(self, user_id: str) -> Authenticators: ...

    def find_by_login(self, login: str) -> tuple[User | None, Authenticators]:
        """Two round trips, whether there is such an account or not: time must not tell."""

    def replace(
        self,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        required_permissions: Access | None,
        ends_passwords: bool,
        audit: AuditRecord,
        challenge: UsedChallenge | None = None,
        kept: str | None = None,
    ) -> None:
        """`ends_passwords`: all application passwords that the account has end, since `owner` enters the next epoch,
        which counts as a change of `owner`. `kept`: the id of a session that goes on in the epoch of `new`, and has
        proven a second factor. Raises StaleWrite if `old`, `owner`, or a group or role of the access that was
        `required_permissions`, is no longer stored as it is, or the session that is kept is gone or of another epoch
        than `old`; Conflict for a used challenge."""

    def open_session(
        self,
        session: Session,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        challenge: UsedChallenge | None,
        audit: AuditRecord,
    ) -> None:
        """Stores the session, and what the login used up. Raises as `replace`."""

    def count_wrong_code(self, old: Authenticators, new: Authenticators, audit: AuditRecord | None) -> None:
        """Stores the count of `new`, with a record if that locks something. Raises StaleWrite if `old` is no longer
        stored."""


class SessionStore(Protocol):
    """Sessions."""

    def list(self, user_id: str) -> list[Session]:
        """All that are stored, newest first; some may have ended."""

    def get(self, user_id: str, session_id: str) -> Session | None: ...

    def delete(self, session: Session, audit: AuditRecord) -> None:
        """Raises StaleWrite if it is gone."""


class ApplicationPasswordStore(Protocol):
    """Application passwords."""

    def list(self, user_id: str) -> list[ApplicationPassword]:
        """All of a user that are stored, oldest first; some may have ended."""

    def get(self, user_id: str, password_id: str) -> ApplicationPassword | None: ...

    def create(
        self, password: ApplicationPassword, owner: User, authenticators: Authenticators, audit: AuditRecord
    ) -> None:
        """Counts as a change of the owner's authenticators. Raises StaleWrite if these, or `owner`, are no longer
        stored as they are; Conflict if the owner has an application password of this name and epoch."""

    def delete(self, password: ApplicationPassword, audit: AuditRecord) -> None:
        """Raises StaleWrite if it is gone."""

    def sweep(self, user_id: str, epoch: int) -> None:
        """Removes those of earlier epochs, which have ended. May be repeated."""


class LoginAttemptStore(Protocol):
    """How often logins were tried, and from where they succeeded."""

    def is_known(self, login_key: str, network: str, now: int) -> bool:
        """Whether this login was used from this network not long ago."""

    def remember(self, login_key: str, network: str, expires: int) -> None:
        """It was, and this is remembered until `expires` (milliseconds since the epoch)."""

    def add(self, budget: Budget, change: int, now: int) -> int:
        """How many attempts there are in the budget's window, after this change. Atomic."""
