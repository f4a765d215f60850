"""What logins need from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.rate_limits import Budget
    from chalicelib.core.login.authenticators import Authenticators, UsedChallenge
    from chalicelib.core.login.session import Session
    from chalicelib.core.secrets.token_format import CredentialKind


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


class AccountCredential(Protocol):
    """What a store has to know of a credential that an account holds."""

    kind: ClassVar[CredentialKind]

    @property
    def id(self) -> str: ...
    @property
    def user_id(self) -> str: ...


C = TypeVar("C", bound=AccountCredential)


class AccountCredentialStore(Protocol):
    """The credentials of accounts, of every kind whose secret does not rotate; a kind is named by its class."""

    def list(self, kind: type[C], user_id: str) -> list[C]:
        """All of an account that are stored, oldest first; some may have ended."""

    def get(self, kind: type[C], user_id: str, id: str) -> C | None: ...

    def create(
        self, credential: AccountCredential, owner: User, authenticators: Authenticators | None, audit: AuditRecord
    ) -> None:
        """Counts as a change of the owner's authenticators, if these are given. Raises StaleWrite if they, or `owner`,
        are no longer stored as they are; Conflict if the owner has one of this kind with its name already."""

    def delete(self, credential: AccountCredential, audit: AuditRecord) -> None:
        """With its name. Raises StaleWrite if it is gone."""

    def sweep(self, ended: Iterable[AccountCredential]) -> None:
        """Removes these, which have ended, with their names. May be repeated."""


class LoginAttemptStore(Protocol):
    """How often logins were tried, and from where they succeeded."""

    def is_known(self, login_key: str, network: str, now: int) -> bool:
        """Whether this login was used from this network not long ago."""

    def remember(self, login_key: str, network: str, expires: int) -> None:
        """It was, and this is remembered until `expires` (milliseconds since the epoch)."""

    def add(self, budget: Budget, change: int, now: int) -> int:
        """How many attempts there are in the budget's window, after this change. Atomic."""
