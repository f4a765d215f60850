"""Which policies speak of a token at this moment."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chalicelib.core.accounts import User
    from chalicelib.core.groups import Group
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.policies import Policy
    from chalicelib.core.services import Service

REMEMBERED_MS = 60_000
REMEMBERED = 10_000  # combinations of groups


class PoliciesInForce:
    """Reads groups' policies, and remembers them for a minute: they count in days, and no credential was revoked
    by one. In which groups an account is, is in the account itself, and so read anew at every use.
    """

    def __init__(self, with_outer: Callable[[Iterable[str]], Mapping[str, Group]]) -> None:
        self._with_outer = with_outer
        self._known: OrderedDict[frozenset[str], tuple[int, tuple[Policy, ...]]] = OrderedDict()

    def at_use(self, owner: User, service: Service | None, now: int) -> tuple[Policy, ...]:
        """Those that bind a token of `owner` when it is used at this service."""
        own = (service.policy,) if service and service.policy else ()
        return own + (self._of_groups(owner.groups, now) if owner.groups else ())

    def on(self, token: PermanentToken, owner: User, services: Mapping[str, Service]) -> tuple[Policy, ...]:
        """Those that bind the token anywhere, groups read at this moment; `services` by id, those in its scope."""
        named = (services.get(id) for id in token.scope)
        groups = self._with_outer(owner.groups).values() if owner.groups else ()
        return tuple(each.policy for each in (*named, *groups) if each and each.policy)

    def _of_groups(self, group_ids: frozenset[str], now: int) -> tuple[Policy, ...]:
        at, policies = self._known.get(group_ids, (0, ()))
        if not 0 <= now - at < REMEMBERED_MS:
            policies = tuple(each.policy for each in self._with_outer(group_ids).values() if each.policy)
            self._known[group_ids] = now, policies
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return policies
