"""Attenuation: what a credential makes is no broader than the credential.

It ends no later, and may be used from no wider networks; or else a token that was stolen would have no end after all.
Scope is not compared, since Keyturn's scope is the power to manage (ADR 5). Whoever has logged in has neither end nor
networks here, and is who widens: how fresh a login has to be, says the table of rules (`core.access.rules`), and that
an application password opens nothing. What is refused here is recorded (`Caller.recorded`). `Caller.check` itself
refuses what has no end at all to a credential that has one. The name is that of object capabilities and macaroons
(Birgisson et al., NDSS 2014).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chalicelib.core.common.errors import Forbidden, Invalid
from chalicelib.core.common.time import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.token_policy import Policy


class Bounded(Protocol):
    """What is compared of a credential: what it is good for, until when, and from where."""

    @property
    def id(self) -> str: ...
    @property
    def scope(self) -> Sequence[str]: ...
    @property
    def expires(self) -> int | None:
        """None: not at all."""

    @property
    def networks(self) -> Sequence[str]:
        """From which alone; without any, from everywhere."""


def end_of_new(caller: Caller, named: int | None) -> int | None:
    """When a new credential ends: as named, and otherwise with the one that is presented. Raises Invalid."""
    if named is None:
        return caller.ends
    _require_no_later(caller, named)
    return named


def networks_of_new(caller: Caller, named: Sequence[str]) -> tuple[str, ...]:
    """From where a new credential may be used: as named, and otherwise as the one that is presented. Raises Invalid."""
    if not named:
        return caller.networks
    _require_no_wider(caller, named)
    return tuple(named)


def grows(old: Bounded, new: Bounded) -> bool:
    """Whether the token becomes good for more services, for longer, or from more networks."""
    return (
        _is_later(new.expires, old.expires)
        or not _are_within(new.networks, old.networks)
        or not set(new.scope) <= set(old.scope)
    )


def require_no_wider(caller: Caller, old: Bounded, new: Bounded) -> None:
    """Raises Invalid or Forbidden if the token gets more than the one that is presented has: a later end, more
    networks; or anything at all, where it ends later, or has more networks, already. What narrows it is always
    allowed."""
    if _is_later(new.expires, old.expires):
        _require_no_later(caller, new.expires)
    if not _are_within(new.networks, old.networks):
        _require_no_wider(caller, new.networks)
    if grows(old, new) and new.id != caller.credential_id:
        require_within(caller, new)


def require_within(caller: Caller, token: Bounded) -> None:
    """Raises Forbidden if the token, of which the caller is to get a secret, is broader than what is presented."""
    if caller.ends is not None and _is_later(token.expires, caller.ends):
        raise caller.recorded(
            Forbidden(f"This token expires later than the one that you present ({rfc3339(caller.ends)}). Log in first.")
        )
    if not _are_within(token.networks, caller.networks):
        raise caller.recorded(Forbidden("This token allows more networks than the one that you present. Log in first."))


def require_no_longer_life(caller: Caller, old: Policy | None, new: Policy | None) -> None:
    """Raises Forbidden where a credential that ends, maybe by this very policy, would give tokens a longer life."""
    before, after = (policy.longest_life_days if policy else None for policy in (old, new))
    if caller.ends is not None and _is_later(after, before):
        raise caller.recorded(
            Forbidden(
                f"The token that you present expires at {rfc3339(caller.ends)}. Log in to allow longer lifetimes."
            )
        )


def _require_no_later(caller: Caller, end: int | None) -> None:
    if caller.ends is not None and _is_later(end, caller.ends):
        rule = f"must not be later than {rfc3339(caller.ends)}, when the token that you present expires."
        raise caller.recorded(Invalid("expiresOn", rule))


def _require_no_wider(caller: Caller, networks: Sequence[str]) -> None:
    if not _are_within(networks, caller.networks):
        allowed = ", ".join(caller.networks)
        raise caller.recorded(Invalid("networks", f"must be within those of the token that you present: {allowed}."))


def _is_later(end: int | None, other: int | None) -> bool:
    """None is later than every end."""
    return other is not None and (end is None or end > other)


def _are_within(networks: Sequence[str], others: Sequence[str]) -> bool:
    """None are all networks."""
    if not others:
        return True
    from chalicelib.core.common.networks import are_inside  # only where a token has some

    return bool(networks) and are_inside(networks, others)
