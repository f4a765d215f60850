"""Permanent tokens: create for oneself or on behalf of another, list, rename, re-scope, rotate, delete.

Source of the rules: Hub's page "Manage Permanent Tokens", and design.md rule 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.audit import changes
from chalicelib.core.authorization import Caller, Operation
from chalicelib.core.credentials.wire_format import CredentialKind
from chalicelib.core.errors import Conflict, Invalid, NotFound
from chalicelib.core.identifiers import new_id
from chalicelib.core.operations.optimistic import until_current
from chalicelib.core.paging import Page, Window
from chalicelib.core.permanent_tokens import DAY_MS, LONGEST_GRACE_MS, MAX_EARLIER, MAX_SCOPE, PermanentToken, expiry
from chalicelib.core.search import EVERYTHING, Search, select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.accounts import User
    from chalicelib.core.credentials.verifier import SecretVerifier
    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.operations.services import Services
    from chalicelib.core.permissions import Power
    from chalicelib.core.ports import TokenStore


CURRENT = "current"


class Unchanged(Enum):
    """As an end: the one that there is. None is an end too, or rather that there is none."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class OwnedToken:
    """A token with the account that it belongs to; `secret` only in the answer that creates it."""

    token: PermanentToken
    owner: User
    secret: str | None = field(default=None, repr=False)


class PermanentTokens:
    """`user` is the owner's id, login or `me`; `scope` holds ids or keys of services."""

    def __init__(
        self,
        tokens: TokenStore,
        accounts: Accounts,
        services: Services,
        access: EffectiveAccess,
        verifier: SecretVerifier,
    ) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self._services = services
        self._access = access
        self._verifier = verifier

    def page(self, caller: Caller, user: str, window: Window, search: Search = EVERYTHING) -> Page[OwnedToken]:
        """A part of the owner's tokens that are wanted, oldest first unless `search` says otherwise.

        Raises Forbidden or NotFound.
        """
        owner = self._accounts.find(caller, user, Operation.READ_TOKENS)
        tokens = select(self._tokens.list(owner.id), search, ("name",))
        part = tokens[window.skip : window.skip + window.top]
        return Page([OwnedToken(token, owner) for token in part], len(tokens))

    def get(self, caller: Caller, user: str, token_id: str) -> OwnedToken:
        """One token. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_TOKENS)
        return OwnedToken(self._existing(owner, token_id), owner)

    def lacked(self, caller: Caller, user: str) -> Sequence[Power]:
        """The permissions that the caller lacks to create a token for this account. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.CREATE_TOKEN)
        if owner.id == caller.user.id:
            return ()
        return caller.permissions.missing(self._access.of(owner.id).permissions)

    def create(
        self, caller: Caller, user: str, name: str, scope: Sequence[str], expires: int | None = None
    ) -> OwnedToken:
        """A new token; the only answer that ever holds its secret. `expires` in milliseconds since the epoch.

        Raises Invalid, Forbidden, NotFound (no such user) or Conflict (the owner has a token of this
        name).
        """
        valid_name, ends = names.name(name), expiry(expires, caller.now)

        def attempt() -> OwnedToken:
            owner = self._accounts.find(caller, user, Operation.CREATE_TOKEN)
            compared = self._access.compared(caller, owner)
            services = self._visible(caller, scope)
            token_id = new_id()
            secret = CredentialKind.PERMANENT_TOKEN.issue(owner.id, token_id)
            token = PermanentToken(
                id=token_id,
                user_id=owner.id,
                name=valid_name,
                scope=services,
                author_id=caller.user.id,
                author_name=caller.user.name,
                created=caller.now,
                secret=self._verifier.seal(secret),
                expires=ends,
            )
            details = {"name": token.name, "scope": " ".join(token.scope)}
            if ends is not None:
                details["expires"] = str(ends)
            record = caller.record("permanent-token.created", "permanent-token", token_id, owner.id, details)
            self._tokens.create(token, owner, compared, record)
            return OwnedToken(token, owner, secret)

        return until_current(attempt)

    def update(
        self,
        caller: Caller,
        user: str,
        token_id: str,
        name: str | None,
        scope: Sequence[str] | None,
        expires: int | Unchanged | None = UNCHANGED,
    ) -> OwnedToken:
        """The token, renamed, re-scoped, or with another end; its secret stays.

        Raises as `create`; NotFound also for the token.
        """
        valid_name = None if name is None else names.name(name)
        ends = UNCHANGED if isinstance(expires, Unchanged) else expiry(expires, caller.now)

        def attempt() -> OwnedToken:
            owner = self._accounts.find(caller, user, Operation.UPDATE_TOKEN)
            old = self._existing(owner, token_id)
            new = replace(old, name=old.name if valid_name is None else valid_name, revision=old.revision + 1)
            compared = None
            if scope is not None or not isinstance(ends, Unchanged):
                compared = self._access.compared(caller, owner)
            if scope is not None:
                new = replace(new, scope=self._visible(caller, scope, already=old.scope))
            if not isinstance(ends, Unchanged):
                new = replace(new, expires=ends)
            details = _difference(old, new)
            if not details:
                return OwnedToken(old, owner)
            record = caller.record("permanent-token.updated", "permanent-token", old.id, owner.id, details)
            self._tokens.replace(old, new, owner, compared, record)
            return OwnedToken(new, owner)

        return until_current(attempt)

    def rotate(self, caller: Caller, user: str, token_id: str, grace_ms: int) -> OwnedToken:
        """The token with a new secret, in the only answer that ever holds it; what it is good for stays.

        `token_id` may be CURRENT: the token that the caller presents.

        The secret before is good for `grace_ms` milliseconds more; without grace, every earlier one ends at once.
        Rotating again, such as after an answer that was lost, therefore locks nobody out. Raises Invalid (`grace`),
        Forbidden, NotFound, or Conflict (too many secrets are good at the same time).
        """
        if not 0 <= grace_ms <= LONGEST_GRACE_MS:
            raise Invalid("grace", f"must be from 0 to {LONGEST_GRACE_MS // DAY_MS} days.")
        id, operation = _rotating(caller, token_id)

        def attempt() -> OwnedToken:
            owner = self._accounts.find(caller, user, operation)
            compared = self._access.compared(caller, owner)
            old = self._existing(owner, id)
            if grace_ms and len(old.live(caller.now)) >= MAX_EARLIER:
                raise Conflict(
                    f"{MAX_EARLIER + 1} secrets of this token are good at the moment, and that is the most. Wait until "
                    "one of them ends, or rotate without grace."
                )
            secret = CredentialKind.PERMANENT_TOKEN.issue(owner.id, old.id)
            new = old.rotated_to(self._verifier.seal(secret), grace_ms, caller.now)
            details = {"name": old.name, "grace": f"{grace_ms // 1000} s"}
            record = caller.record("permanent-token.rotated", "permanent-token", old.id, owner.id, details)
            self._tokens.replace(old, new, owner, compared, record)
            return OwnedToken(new, owner, secret)

        return until_current(attempt)

    def rotated(self, caller: Caller, user: str, token_id: str) -> OwnedToken:
        """What `rotate` made, without its secret. Raises Forbidden or NotFound."""
        id, operation = _rotating(caller, token_id)
        owner = self._accounts.find(caller, user, operation)
        return OwnedToken(self._existing(owner, id), owner)

    def delete(self, caller: Caller, user: str, token_id: str) -> None:
        """The token is refused from now on. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner = self._accounts.find(caller, user, Operation.DELETE_TOKEN)
            token = self._existing(owner, token_id)
            details = {"name": token.name}
            record = caller.record("permanent-token.deleted", "permanent-token", token.id, owner.id, details)
            self._tokens.delete(token, record)

        until_current(attempt)

    def _existing(self, owner: User, token_id: str) -> PermanentToken:
        token = self._tokens.get(owner.id, token_id) if names.may_refer(token_id) else None
        if token is None:
            raise NotFound("permanent token", token_id)
        return token

    def _visible(self, caller: Caller, references: Sequence[str], already: Sequence[str] = ()) -> tuple[str, ...]:
        """The ids of the services that `references` name, without repetition, in the order given.

        A service that the token is `already` good for needs no new permission.
        """
        if not 1 <= len(references) <= MAX_SCOPE:
            raise Invalid("scope", f"must name 1 to {MAX_SCOPE} services.")
        found = self._services.resolve(references)
        ids: dict[str, None] = {}
        for reference in references:
            service = found.get(reference)
            if service is None or not (service.id in already or self._services.sees(caller, service)):
                raise Invalid("scope", f"there is no service {reference!r} that you may see.")
            ids[service.id] = None
        return tuple(ids)


def _rotating(caller: Caller, token_id: str) -> tuple[str, Operation]:
    """The token's id, and what rotating it is: the caller may present that very token."""
    id = caller.credential_id if token_id == CURRENT else token_id
    return id, Operation.ROTATE_CURRENT_TOKEN if id == caller.credential_id else Operation.ROTATE_TOKEN


def _difference(old: PermanentToken, new: PermanentToken) -> dict[str, str]:
    details = changes(old, new, "name", "expires")
    if old.scope != new.scope:
        details["scope"] = f"{' '.join(old.scope)} -> {' '.join(new.scope)}"
    return details
