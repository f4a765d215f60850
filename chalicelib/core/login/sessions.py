"""Sessions: see where an account is logged in, and end them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import NotFound
from chalicelib.core.common.optimistic_retry import retry_persistently
from chalicelib.core.common.paging import Page
from chalicelib.core.login.session import Session

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.paging import Window
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.login.ports import AccountCredentialStore, AuthenticatorStore

CURRENT = "current"


class Sessions:
    """`user` is an id, a login, or `me` for the caller; `reference` a session's id, or `current`."""

    def __init__(
        self, credentials: AccountCredentialStore, authenticators: AuthenticatorStore, accounts: Accounts
    ) -> None:
        self._credentials = credentials
        self._authenticators = authenticators
        self._accounts = accounts

    def page(self, caller: Caller, user: str, window: Window) -> Page[Session]:
        """A part of those that are alive, newest first. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_SESSIONS)
        authenticators = self._authenticators.get(owner.id)
        stored = sorted(self._credentials.list(Session, owner.id), key=lambda session: (-session.created, session.id))
        alive = [each for each in stored if not each.has_ended(caller.now, owner, authenticators)]
        return Page(alive[window.skip : window.skip + window.top], len(alive))

    def end(self, caller: Caller, user: str, reference: str) -> None:
        """Whoever has the session is logged out. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.END_SESSION)
            id = caller.credential_id if reference == CURRENT else reference
            session = self._credentials.get(Session, owner.id, id) if validation.could_be_identifier(id) else None
            if session is None:
                raise NotFound("session", reference)
            self._credentials.delete(session, permit.record("session.ended", "session", session.id, owner.id))

        retry_persistently(attempt)

    def end_all(self, caller: Caller, user: str) -> None:
        """Nobody is logged in as this account any more, not even the caller. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.END_SESSION)
            old = self._authenticators.get(owner.id)
            new = replace(old.without_sessions(), revision=old.revision + 1)
            record = permit.record("session.all-ended", "session", owner.id, owner.id)
            self._authenticators.replace(owner, old, new, None, False, record)

        retry_persistently(attempt)
