"""What permanent tokens need from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.tokens.token import PermanentToken


@dataclass(frozen=True, slots=True)
class TokenPage:
    """Tokens of several accounts, and where to go on: None at the end. `due`: when each has to be looked at, by id,
    as the index has it; of those with a label, nothing."""

    tokens: Sequence[PermanentToken]
    after: str | None
    due: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Displaced:
    """A token that goes for another one that takes its name, and the record of that."""

    token: PermanentToken
    audit: AuditRecord


class TokenStore(Protocol):
    """Permanent tokens."""

    def get(self, user_id: str, token_id: str) -> PermanentToken | None: ...

    def named(self, user_id: str, name: str) -> PermanentToken | None:
        """The user's token of this name."""

    def list(self, user_id: str) -> list[PermanentToken]:
        """All tokens of a user, oldest first."""

    def create(
        self,
        token: PermanentToken,
        owner: User,
        required_permissions: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        """Raises StaleWrite if `owner` (whom a grant or membership changes too), a group or role of the access that was
        `required_permissions`, or the token that is `displaced`, is no longer stored as it is; NameTaken if the owner
        has another token of this name."""

    def replace(
        self,
        old: PermanentToken,
        new: PermanentToken,
        owner: User,
        required_permissions: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        """Raises StaleWrite as `create`, or if `old` is no longer stored; NameTaken if the owner has another token of
        the new name."""

    def delete(self, token: PermanentToken, audit: AuditRecord) -> None:
        """Raises StaleWrite if `token` is no longer stored as it is."""

    def update_system_fields(self, old: PermanentToken, new: PermanentToken, audit: AuditRecord, due: int = 0) -> None:
        """Keyturn itself learns something of the token, whoever owns it; it has to be looked at again when `due`.
        Raises StaleWrite if `old` is no longer stored."""

    def put_off(self, token: PermanentToken, due: int) -> None:
        """It need not be looked at before `due`, in milliseconds since the epoch. Raises StaleWrite if `token` is no
        longer stored as it is."""

    def page(self, label: str | None, after: str | None, top: int, due: int | None = None) -> TokenPage:
        """A part of all accounts' tokens: with this label, or by when they have to be looked at, `due` or before.
        `after` is the place of the page before. Eventually consistent, but for the tokens themselves."""


@dataclass(frozen=True, slots=True)
class ExpirySweep:
    """How far all tokens have been looked at since something that concerns all was changed, at `wanted`. `after`:
    where to go on; None before the first and when it is `done`."""

    wanted: int = 0
    done: int = 0
    after: str | None = None


class ExpirySweepStore(Protocol):
    """The one walk."""

    def get(self) -> ExpirySweep: ...

    def record_progress(self, sweep: ExpirySweep) -> None:
        """Store how far it went. Raises StaleWrite if another walk is wanted meanwhile."""
