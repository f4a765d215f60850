"""Which policies apply to a token at this moment."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from chalicelib.core.access.effective import chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.directory.service import Service
    from chalicelib.core.tokens.token import PermanentToken

REMEMBERED_MS = 60_000
REMEMBERED = 10_000  # combinations of groups


class EffectivePolicies:
    """Reads groups' policies, and remembers them for a minute: they count in days, and no credential is revoked
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
        return tuple(policy for policy in self.by_body([(token, owner)], services)[0].values() if policy)

    def by_body(
        self, held: Sequence[tuple[PermanentToken, User]], services: Mapping[str, Service]
    ) -> list[dict[str, Policy | None]]:
        """For each token with its owner: the ids of its services and of its owner's groups, each with its policy.
        One read for each level of nested groups, for all of them together."""
        groups = self._with_outer({id for _, owner in held for id in owner.groups})
        bodies = []
        for token, owner in held:
            named = {id: services[id].policy for id in token.scope if id in services}
            inside = {group.id: group.policy for id in owner.groups for group in chain(id, groups)}
            bodies.append(named | inside)
        return bodies

    def _of_groups(self, group_ids: frozenset[str], now: int) -> tuple[Policy, ...]:
        at, policies = self._known.get(group_ids, (0, ()))
        if not 0 <= now - at < REMEMBERED_MS:
            policies = tuple(each.policy for each in self._with_outer(group_ids).values() if each.policy)
            self._known[group_ids] = now, policies
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return policies
