"""Application passwords: made by accounts with 2FA for clients that know only login and password.

Source: Hub's page "Application Passwords".
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, NotFound
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Page
from chalicelib.core.common.search import EVERYTHING, Search, select
from chalicelib.core.login.application_password import MAX_APPLICATION_PASSWORDS, ApplicationPassword
from chalicelib.core.secrets.token_format import CredentialKind

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.paging import Window
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.login.ports import AccountCredentialStore, AuthenticatorStore
    from chalicelib.core.secrets.verifier import SecretVerifier


@dataclass(frozen=True, slots=True)
class OwnedApplicationPassword:
    """An application password with its owner; `secret` only in the answer that creates it."""

    password: ApplicationPassword
    owner: User
    secret: str | None = field(default=None, repr=False)


class ApplicationPasswords:
    """`user` is the owner's id, login or `me`."""

    def __init__(
        self,
        credentials: AccountCredentialStore,
        authenticators: AuthenticatorStore,
        accounts: Accounts,
        verifier: SecretVerifier,
    ) -> None:
        self._credentials = credentials
        self._authenticators = authenticators
        self._accounts = accounts
        self._verifier = verifier

    def page(
        self, caller: Caller, user: str, window: Window, search: Search = EVERYTHING
    ) -> Page[OwnedApplicationPassword]:
        """A part of the owner's that are wanted, oldest first unless `search` says otherwise.

        Raises Forbidden or NotFound.
        """
        owner = self._accounts.find(caller, user, Operation.READ_APPLICATION_PASSWORDS)
        stored = self._credentials.list(ApplicationPassword, owner.id)
        alive = [each for each in stored if not each.has_ended(caller.now, owner)]
        passwords = select(alive, search, ("name",))
        part = passwords[window.skip : window.skip + window.top]
        return Page([OwnedApplicationPassword(each, owner) for each in part], len(passwords))

    def get(self, caller: Caller, user: str, password_id: str) -> OwnedApplicationPassword:
        """One of them. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_APPLICATION_PASSWORDS)
        return OwnedApplicationPassword(self._existing(caller, owner, password_id), owner)

    def create(self, caller: Caller, user: str, name: str) -> OwnedApplicationPassword:
        """A new one, for the caller's own account; the only answer that ever holds its secret.

        Raises Invalid, Forbidden, NotFound, or Conflict (2FA is off; the name is taken; there are too many).
        """
        valid_name = validation.name(name)
        id = new_id()
        hash_secret = functools.cache(self._verifier.hash_secret)  # which takes long: not at each attempt
        make_secret = functools.cache(CredentialKind.APPLICATION_PASSWORD.issue)

        def attempt() -> OwnedApplicationPassword:
            owner, permit = self._accounts.permitted(caller, user, Operation.CREATE_APPLICATION_PASSWORD)
            authenticators = self._authenticators.get(owner.id)
            if not authenticators.two_factor:
                raise Conflict("Application passwords need two-factor authentication. Turn it on first.")
            stored = self._credentials.list(ApplicationPassword, owner.id)
            alive = [each for each in stored if not each.has_ended(caller.now, owner)]
            if alive != stored:  # turning 2FA off was cut short
                self._credentials.sweep(each for each in stored if each not in alive)
            if len(alive) >= MAX_APPLICATION_PASSWORDS:
                raise Conflict(f"An account can have at most {MAX_APPLICATION_PASSWORDS} application passwords.")
            secret, epoch = make_secret(owner.id, id), owner.password_epoch
            password = ApplicationPassword(id, owner.id, valid_name, caller.now, hash_secret(secret), epoch=epoch)
            record = permit.record(
                "application-password.created", "application-password", id, owner.id, {"name": valid_name}
            )
            self._credentials.create(password, owner, authenticators, record)
            return OwnedApplicationPassword(password, owner, secret)

        return retry_on_conflict(attempt)

    def delete(self, caller: Caller, user: str, password_id: str) -> None:
        """It is refused from now on. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.DELETE_APPLICATION_PASSWORD)
            password = self._existing(caller, owner, password_id)
            details = {"name": password.name}
            record = permit.record(
                "application-password.deleted", "application-password", password.id, owner.id, details
            )
            self._credentials.delete(password, record)

        retry_persistently(attempt)

    def _existing(self, caller: Caller, owner: User, password_id: str) -> ApplicationPassword:
        password = None
        if validation.could_be_identifier(password_id):
            password = self._credentials.get(ApplicationPassword, owner.id, password_id)
        if password is None or password.has_ended(caller.now, owner):
            raise NotFound("application password", password_id)
        return password
