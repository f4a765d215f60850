"""Permanent tokens: create for oneself or on behalf of another, list, change, delete.

Source of the rules: Hub's page "Manage Permanent Tokens", and design.md rule 4.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from chalicelib.core.access import attenuation
from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid, NameTaken, NotFound
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import EVERYTHING, Search, select
from chalicelib.core.common.time import earliest, rfc3339
from chalicelib.core.secrets.client_supplied import new_secret, shown_if_current, validate_client_supplied_secret
from chalicelib.core.tokens.descriptions import difference, is_same, told
from chalicelib.core.tokens.expired_tokens import labels_of, require_not_ended, taking_name
from chalicelib.core.tokens.health import token_flags
from chalicelib.core.tokens.token import MAX_SCOPE, NO_CHANGE, NO_DETAILS, PermanentToken, TokenDetails, expiry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.permissions import ScopedPermission
    from chalicelib.core.access.reader import EffectiveAccess
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.service import Service
    from chalicelib.core.directory.services import Services
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.tokens.health import TokenFlags
    from chalicelib.core.tokens.ports import Displaced, TokenStore


class Unchanged(Enum):
    """As an end: the one that there is. None is an end too, or rather that there is none."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
CURRENT = "current"  # in place of a token's id: the one that the caller presents


@dataclass(frozen=True, slots=True)
class OwnedToken:
    """A token with the account that it belongs to; `secret` only in the answer that creates it."""

    token: PermanentToken
    owner: User
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LabelledTokens:
    """A part of all accounts' tokens, and where to go on: None at the end."""

    items: Sequence[OwnedToken]
    after: str | None


class PermanentTokens:
    """`user` is the owner's id, login or `me`; `scope` holds ids or keys of services."""

    def __init__(
        self,
        tokens: TokenStore,
        accounts: Accounts,
        services: Services,
        access: EffectiveAccess,
        policies: EffectivePolicies,
        verifier: SecretVerifier,
    ) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self._services = services
        self._access = access
        self._policies = policies
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
        """One token; CURRENT is the one that the caller presents. Raises Forbidden or NotFound."""
        operation = Operation.READ_CURRENT_TOKEN if token_id == CURRENT else Operation.READ_TOKENS
        owner = self._accounts.find(caller, user, operation)
        id = caller.credential_id if token_id == CURRENT else token_id
        return OwnedToken(existing(self._tokens, owner, id), owner)

    def labelled(self, caller: Caller, label: str | None, after: str | None, top: int) -> LabelledTokens:
        """Tokens of all accounts: those with this label, or else those that something will happen to first.

        Raises Forbidden.
        """
        caller.check(Operation.LIST_TOKENS)
        page = self._tokens.page(label, after, top)
        owners = self._accounts.known(caller, {token.user_id for token in page.tokens})
        owned = [OwnedToken(token, owners[token.user_id]) for token in page.tokens if token.user_id in owners]
        return LabelledTokens(owned, page.after)

    def flags(self, owned: Sequence[OwnedToken], services: Mapping[str, Service], now: int) -> Mapping[str, TokenFlags]:
        """What deserves a look about these tokens, by id; `services`, by id, are those of their scopes."""
        bodies = self._policies.by_body([(each.token, each.owner) for each in owned], services)
        return {
            each.token.id: token_flags(each.token, [policy for policy in found.values() if policy], now)
            for each, found in zip(owned, bodies, strict=True)
        }

    def missing_permissions(self, caller: Caller, user: str) -> Sequence[ScopedPermission]:
        """The permissions that the caller lacks to create a token for this account. Raises Forbidden or NotFound."""
        owner = self._accounts.checked(caller, user, Operation.CREATE_TOKEN)
        if owner.id == caller.user.id:
            return ()
        return caller.permissions.missing(self._access.of(owner.id).permissions)

    def create(
        self,
        caller: Caller,
        user: str,
        name: str,
        scope: Sequence[str],
        expires: int | None = None,
        details: TokenDetails = NO_CHANGE,
        secret: str | None = None,
    ) -> OwnedToken:
        """A new token; the only answer that ever holds its secret. `expires` in milliseconds since the epoch; `secret`
        is supplied by the caller, and otherwise made here. What names no end or no networks has those of the credential
        that is presented (`core.access.attenuation`). A token of this name that has ended makes room. Where the owner
        has the very token that is described, with the `secret` that is supplied as its current one, it is the answer
        and nothing changes: the first one may have been lost.

        Raises Invalid, Forbidden, NotFound (no such user) or Conflict (the owner has another token of this name).
        """
        valid_name, named, wanted = validation.name(name), expiry(expires, caller.now), details.valid()
        supplied = None if secret is None else validate_client_supplied_secret(secret)
        token_id = new_id()
        hash_secret = functools.cache(self._verifier.hash_secret)  # which takes long: not at each attempt
        make_secret = functools.cache(lambda owner_id: new_secret(supplied, owner_id, token_id))

        def attempt() -> OwnedToken:
            owner, permit = self._accounts.permitted(caller, user, Operation.CREATE_TOKEN)
            ends = attenuation.end_of_new(caller, named)
            networks = attenuation.networks_of_new(caller, wanted.networks or ())
            visible = self._visible(caller, owner, scope)
            shown = make_secret(owner.id)
            token = PermanentToken(
                id=token_id,
                user_id=owner.id,
                name=valid_name,
                scope=tuple(visible),
                author_id=caller.user.id,
                author_name=caller.user.name,
                created=caller.now,
                secret=hash_secret(shown),
                expires=ends,
                details=NO_DETAILS.changed_by(replace(wanted, networks=networks)),
            )
            if named is not None:
                self._require_allowed_end(token, owner, {id: each for id, each in visible.items() if each})
            recorded = {"name": token.name, "scope": " ".join(token.scope), **told(token)}
            record = permit.record("permanent-token.created", "permanent-token", token_id, owner.id, recorded)

            def write(gone: Displaced | None) -> None:
                required_permissions = permit.insisting(len(token.labels) + labels_of(gone))
                self._tokens.create(token, owner, required_permissions, record, gone)

            try:
                taking_name(self._tokens, caller, owner, token.name, write)
            except NameTaken:
                there = self._made_before(owner, token, supplied, caller.now)
                if there is None:
                    raise
                return there
            return OwnedToken(token, owner, shown)

        return retry_on_conflict(attempt)

    def update(
        self,
        caller: Caller,
        user: str,
        token_id: str,
        name: str | None,
        scope: Sequence[str] | None,
        expires: int | Unchanged | None = UNCHANGED,
        details: TokenDetails = NO_CHANGE,
        seen: int | None = None,
    ) -> OwnedToken:
        """The token, renamed, re-scoped, or with another end or description; its secret stays. A credential that has an
        end or networks makes no token last longer, nor good from more networks (`core.access.attenuation`). A token of
        the new name that has ended makes room.

        Raises as `create`; NotFound also for the token; Conflict also if it has ended; Changed unless it has still the
        revision `seen`, if one is given.
        """
        change = details.valid()
        said: dict[str, Any] = {}
        if name is not None:
            said["name"] = validation.name(name)
        if not isinstance(expires, Unchanged):
            said["expires"] = expiry(expires, caller.now)
        reaches = scope is not None or "expires" in said or change.networks is not None
        operation = Operation.UPDATE_TOKEN if reaches else Operation.DESCRIBE_TOKEN

        def attempt() -> OwnedToken:
            owner, permit = self._accounts.permitted(caller, user, operation)
            old = existing(self._tokens, owner, token_id)
            require_not_ended(old, caller.now)
            require_seen(seen, old.revision)
            new = replace(old, **said, details=old.details.changed_by(change), revision=old.revision + 1)
            if scope is not None:
                new = replace(new, scope=tuple(self._visible(caller, owner, scope, already=old.scope)))
            attenuation.require_no_wider(caller, old, new)
            if new.expires != old.expires:
                self._require_allowed_end(new, owner, self._services.resolve(new.scope))
            recorded = difference(old, new)
            if not recorded:
                return OwnedToken(old, owner)
            record = permit.record("permanent-token.updated", "permanent-token", old.id, owner.id, recorded)

            def write(gone: Displaced | None) -> None:
                labels = len({*old.labels} ^ {*new.labels}) + labels_of(gone)
                required_permissions = permit.insisting(labels) if attenuation.grows(old, new) else None
                self._tokens.replace(old, new, owner, required_permissions, record, gone)

            taking_name(self._tokens, caller, owner, new.name, write)
            return OwnedToken(new, owner)

        return retry_persistently(attempt) if reaches else retry_on_conflict(attempt)  # it may be narrowed

    def created(self, caller: Caller, user: str, token_id: str, secret: str | None) -> OwnedToken:
        """What `create` made: with its secret only if that was supplied, and is the current one. Raises as `get`."""
        made = self.get(caller, user, token_id)
        return replace(made, secret=self._shown(made.token, secret, caller.now))

    def delete(self, caller: Caller, user: str, token_id: str) -> None:
        """The token is refused from now on. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.DELETE_TOKEN)
            token = existing(self._tokens, owner, token_id)
            details = {"name": token.name}
            record = permit.record("permanent-token.deleted", "permanent-token", token.id, owner.id, details)
            self._tokens.delete(token, record)

        retry_persistently(attempt)

    def _made_before(self, owner: User, wanted: PermanentToken, supplied: str | None, now: int) -> OwnedToken | None:
        """The token that has the name of the one that is `wanted`, if it is as that one would be, with the secret that
        is supplied as its current one."""
        there = self._tokens.named(owner.id, wanted.name) if supplied else None
        if there is None or not is_same(there, wanted):
            return None
        shown = self._shown(there, supplied, now)
        return OwnedToken(there, owner, shown) if shown else None

    def _shown(self, token: PermanentToken, supplied: str | None, now: int) -> str | None:
        return shown_if_current(self._verifier, token.secret, supplied, token.user_id, token.id, now)

    def _require_allowed_end(self, token: PermanentToken, owner: User, services: Mapping[str, Service]) -> None:
        """Raises Invalid where a policy lets no secret live so long. A token that names no end has the policy's."""
        if token.expires is None:
            return
        ends = earliest(policy.ends(token.secret_created_at) for policy in self._policies.on(token, owner, services))
        if ends is not None and token.expires > ends:
            raise Invalid("expiresOn", f"a policy ends this token at {rfc3339(ends)}. Name no later time, or none.")

    def _visible(
        self, caller: Caller, owner: User, references: Sequence[str], already: Sequence[str] = ()
    ) -> dict[str, Service | None]:
        """The services that `references` name, by id, without repetition, in the order given.

        A service that the token is `already` good for needs no new permission, and is not looked up by its id. To
        others than the owner, who may not know more of it, it is known by id alone.
        """
        if not 1 <= len(references) <= MAX_SCOPE:
            raise Invalid("scope", f"must name 1 to {MAX_SCOPE} services.")
        found = self._services.resolve([reference for reference in references if reference not in already])
        own = already if owner.id == caller.user.id else ()
        visible: dict[str, Service | None] = {}
        for reference in references:
            service = found.get(reference)
            if reference in already:
                visible[reference] = None
            elif service and (service.id in own or self._services.sees(caller, service)):
                visible[service.id] = service
            else:
                raise Invalid("scope", f"there is no service {reference!r} that you may see.")
        return visible


def existing(tokens: TokenStore, owner: User, token_id: str) -> PermanentToken:
    """The owner's token with this id. Raises NotFound."""
    token = tokens.get(owner.id, token_id) if validation.could_be_identifier(token_id) else None
    if token is None:
        raise NotFound("permanent token", token_id)
    return token
