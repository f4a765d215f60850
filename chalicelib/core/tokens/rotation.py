"""Rotation: a permanent token gets a new secret, and those before it go on until their ends.

ADR 17 has the reasons.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access import attenuation
from chalicelib.core.access.caller import PREVIOUS_SECRET
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid
from chalicelib.core.common.optimistic_retry import require_seen, retry_persistently
from chalicelib.core.secrets.client_supplied import new_secret, shown_if_current, validate_client_supplied_secret
from chalicelib.core.secrets.previous_secrets import require_grace
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.core.tokens.descriptions import details_difference
from chalicelib.core.tokens.expired_tokens import require_not_ended
from chalicelib.core.tokens.manage import CURRENT, OwnedToken, existing
from chalicelib.core.tokens.token import TokenDetails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import PreviousSecret
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.tokens.ports import TokenStore
    from chalicelib.core.tokens.token import PermanentToken


class Rotation:
    """`user` is the owner's id, login or `me`; `token_id` may be CURRENT: the token that the caller presents."""

    def __init__(self, tokens: TokenStore, accounts: Accounts, verifier: SecretVerifier) -> None:
        self._tokens = tokens
        self._accounts = accounts
        self._verifier = verifier

    def rotate(
        self,
        caller: Caller,
        user: str,
        token_id: str,
        grace_ms: int,
        secret: str | None = None,
        seen: int | None = None,
        labels: Sequence[str] | None = None,
    ) -> OwnedToken:
        """The token with a new secret, in the only answer that ever holds it; what it is good for stays.

        The secret before is good for `grace_ms` milliseconds more; without grace, every earlier one ends at once.
        Rotating again, such as after an answer that was lost, therefore locks nobody out. A `secret` that is supplied
        and is the current one already changes nothing, and one that was the token's before is refused: it may be in
        other hands.

        An earlier secret renews its token only while no later one was used, and ends none of these
        (`PermanentToken.renewed_by`). `seen` is when the current secret was made, in milliseconds since the epoch, as
        somebody saw it who decided by its age: of many who decide at the same time, one rotates. `labels` are what the
        token has from then on, such as word of who has the new secret: both are so, or neither.

        Raises Invalid (`grace`, `secret`, `labels`), Forbidden, NotFound, Changed (it is not the secret that was
        `seen`), or Conflict (the token has ended; too many secrets are good at the same time).
        """
        supplied = None if secret is None else validate_client_supplied_secret(secret)
        require_grace(grace_ms)
        change = TokenDetails(labels=labels).valid()
        id, operation = _rotating(caller, token_id)
        hash_secret = functools.cache(self._verifier.hash_secret)  # which takes long: not at each attempt
        make_secret = functools.cache(functools.partial(new_secret, supplied))

        def attempt() -> OwnedToken:
            owner, permit = self._accounts.permitted(caller, user, operation)
            if labels is not None:
                self._accounts.permitted(caller, user, Operation.DESCRIBE_TOKEN)
            old = existing(self._tokens, owner, id)
            require_not_ended(old, caller.now)
            if operation is Operation.ROTATE_TOKEN:
                attenuation.require_within(caller, old)
            shown = make_secret(owner.id, old.id)
            if supplied and self._verifier.verify(shown, old.secret, caller.now):
                return OwnedToken(old, owner, shown)
            require_seen(seen, old.secret_created_at)
            if supplied and self._was_before(shown, old, caller.now):
                raise Invalid("secret", "was a secret of this token before. Supply a new one.")
            presented = _presented(caller, old) if operation is Operation.ROTATE_CURRENT_TOKEN else None
            new = _rotated(old, presented, hash_secret(shown), grace_ms, caller.now)
            new = replace(new, details=new.details.changed_by(change))
            recorded = {"name": old.name, "grace": f"{grace_ms // 1000} s", **details_difference(old, new)}
            if presented:
                recorded["presented"] = "a previous secret"
            record = permit.record("permanent-token.rotated", "permanent-token", old.id, owner.id, recorded)
            changed = len({*old.labels} ^ {*new.labels})
            self._tokens.replace(old, new, owner, permit.insisting(changed), record)
            return OwnedToken(new, owner, shown)

        return retry_persistently(attempt)

    def has_current(self, caller: Caller, user: str, token_id: str, secret: str) -> tuple[OwnedToken, bool]:
        """The token, and whether the `secret` that is supplied is its current one, for whoever could make it so.

        Raises Invalid (`secret`), Forbidden, NotFound, Conflict (the token has ended) or Throttled.
        """
        id, operation = _rotating(caller, token_id)
        supplied = validate_client_supplied_secret(secret)
        owner = self._accounts.find(caller, user, operation)
        token = existing(self._tokens, owner, id)
        require_not_ended(token, caller.now)
        shown = CredentialKind.PERMANENT_TOKEN.assemble(supplied, owner.id, token.id)
        return OwnedToken(token, owner), self._verifier.verify(shown, token.secret, caller.now)

    def _was_before(self, shown: str, token: PermanentToken, now: int) -> bool:
        return any(self._verifier.verify(shown, each.stored, now) for each in token.secrets.past)

    def rotated(self, caller: Caller, user: str, token_id: str, secret: str | None = None) -> OwnedToken:
        """What `rotate` made: with its secret only if that was supplied, and is the current one. Raises Forbidden or
        NotFound."""
        id, operation = _rotating(caller, token_id)
        owner = self._accounts.find(caller, user, operation)
        token = existing(self._tokens, owner, id)
        shown = shown_if_current(self._verifier, token.secret, secret, owner.id, token.id, caller.now)
        return OwnedToken(token, owner, shown)

    def roll_back(self, caller: Caller, user: str, token_id: str, kept: str) -> OwnedToken:
        """The token with the earlier secret `kept` as the current one again, without end, for whoever could not put a
        newer one where it belongs; all that are newer end at once.

        A token that takes its own rotation back has to present its current secret: who has only an earlier one, such
        as a thief for whose sake it was rotated, cannot. Raises Forbidden, NotFound, Conflict, or Invalid (`keep` is
        no earlier secret that is still good).
        """
        id, operation = _rotating(caller, token_id)

        def attempt() -> OwnedToken:
            owner, permit = self._accounts.permitted(caller, user, operation)
            old = existing(self._tokens, owner, id)
            require_not_ended(old, caller.now)
            if operation is Operation.ROTATE_TOKEN:
                attenuation.require_within(caller, old)
            elif caller.secret_since != old.secret_created_at:
                refusal = Conflict("Present the current secret of the token to roll it back.")
                raise caller.recorded(refusal, PREVIOUS_SECRET)
            if self._verifier.verify(kept, old.secret, caller.now):
                return OwnedToken(old, owner)
            valid_secrets = old.valid_previous(caller.now)
            previous = next(
                (each for each in valid_secrets if self._verifier.verify(kept, each.stored, caller.now)), None
            )
            if previous is None:
                raise Invalid("keep", "must be a previous secret of this token that is still valid.")
            new = old.rolled_back_to(previous, caller.now)
            record = permit.record(
                "permanent-token.rotation-taken-back", "permanent-token", old.id, owner.id, {"name": old.name}
            )
            self._tokens.replace(old, new, owner, permit.insisting(), record)
            return OwnedToken(new, owner)

        return retry_persistently(attempt)


def _rotating(caller: Caller, token_id: str) -> tuple[str, Operation]:
    """The token's id, and what rotating it is: the caller may present that very token."""
    id = caller.credential_id if token_id == CURRENT else token_id
    return id, Operation.ROTATE_CURRENT_TOKEN if id == caller.credential_id else Operation.ROTATE_TOKEN


def _presented(caller: Caller, token: PermanentToken) -> PreviousSecret[HashedSecret] | None:
    """The earlier secret by which the token is to renew itself; None: it is the current one. Raises Forbidden."""
    if caller.secret_since == token.secret_created_at:
        return None
    previous = token.previous(caller.secret_since, caller.now)
    if previous is None:
        refusal = Forbidden("The secret that you present has ended. Present the current secret.")
        raise caller.recorded(refusal, PREVIOUS_SECRET)
    if token.is_settled_after(previous):
        raise caller.recorded(
            Forbidden("A newer secret of this token is in use. Present the newer one."), PREVIOUS_SECRET
        )
    return previous


def _rotated(
    old: PermanentToken, presented: PreviousSecret[HashedSecret] | None, hashed: HashedSecret, grace_ms: int, now: int
) -> PermanentToken:
    """Raises Conflict if too many secrets would be good at the same time."""
    new = old.renewed_by(presented, hashed, grace_ms, now) if presented else old.rotated_to(hashed, grace_ms, now)
    # An earlier secret ends no later one.
    new.secrets.require_room("token", otherwise="" if presented else ", or rotate without a grace period")
    return new
