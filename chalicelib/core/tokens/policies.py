"""Policies of services and groups: switched on, looked up, taken away, and tried out before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.access.attenuation import require_no_longer_life
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import NotFound
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.optimistic_retry import require_seen, retry_persistently
from chalicelib.core.tokens.health import TokenFlags, token_flags
from chalicelib.core.tokens.manage import OwnedToken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.ports import AccountStore, GroupStore
    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.directory.groups import Groups
    from chalicelib.core.directory.ports import ServiceStore
    from chalicelib.core.directory.service import Service
    from chalicelib.core.directory.services import Services
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.tokens.ports import TokenStore
    from chalicelib.core.tokens.token import PermanentToken

B = TypeVar("B", "Service", "Group")

EXAMINED_AT_ONCE = 100
MAX_EXAMINED = 2_000  # tokens that one request looks at


@dataclass(frozen=True, slots=True)
class Affected:
    """A token that a policy would change something for: what there would be to know of it, and what there is now."""

    owned: OwnedToken
    now: TokenFlags
    then: TokenFlags


@dataclass(frozen=True, slots=True)
class Preview:
    """What a policy would do. `examined` tokens were looked at; `after` says where to go on, None at the end."""

    body_id: str  # of the service or group
    affected: Sequence[Affected]
    examined: int
    after: str | None


class Policies:
    """`reference` is a service's id or key, or a group's id or name."""

    def __init__(
        self,
        services: Services,
        groups: Groups,
        service_store: ServiceStore,
        group_store: GroupStore,
        accounts: AccountStore,
        tokens: TokenStore,
        effective_policies: EffectivePolicies,
    ) -> None:
        self._services = services
        self._groups = groups
        self._service_store = service_store
        self._group_store = group_store
        self._accounts = accounts
        self._tokens = tokens
        self._effective_policies = effective_policies

    def of_service(self, caller: Caller, reference: str) -> Service:
        """The service, which has a policy. Raises Forbidden, or NotFound (also if it has none)."""
        return _existing(self._services.find(caller, reference), reference)

    def of_group(self, caller: Caller, reference: str) -> Group:
        """Raises as `of_service`."""
        return _existing(self._groups.find(caller, reference, Operation.READ_GROUP), reference)

    def set_for_service(
        self, caller: Caller, reference: str, policy: Policy | None, seen: int | None = None
    ) -> Service:
        """The policy binds from now on, also tokens that there are; None: no policy does. Raises Forbidden or NotFound;
        Changed unless the service has still the revision `seen`, if one is given."""

        def attempt() -> Service:
            old, permit = self._service(caller, reference)
            require_seen(seen, old.revision)
            require_no_longer_life(caller, old.policy, policy)
            new = replace(old, policy=policy, revision=old.revision + 1)
            if new.policy != old.policy:
                details = _difference(old.policy, policy)
                self._service_store.replace(
                    old, new, permit.record("service.policy-changed", "service", old.id, details=details)
                )
            return new

        return retry_persistently(attempt)

    def set_for_group(self, caller: Caller, reference: str, policy: Policy | None, seen: int | None = None) -> Group:
        """As `set_for_service`; it may take a minute until it binds."""

        def attempt() -> Group:
            old, permit = self._groups.permitted_including(caller, reference, Operation.SET_GROUP_POLICY)
            require_seen(seen, old.revision)
            require_no_longer_life(caller, old.policy, policy)
            new = replace(old, policy=policy, revision=old.revision + 1)
            if new.policy != old.policy:
                self._groups.change_demands(caller, old)
                record = permit.record("group.policy-changed", "group", old.id, details=_difference(old.policy, policy))
                self._group_store.replace(old, new, permit.insisting(), record)
            return new

        return retry_persistently(attempt)

    def preview_for_service(self, caller: Caller, reference: str, policy: Policy, after: str | None) -> Preview:
        """Which tokens the policy would change something for. Nothing is switched on. Raises as `set_for_service`."""
        service, _ = self._service(caller, reference)
        return self._preview(caller, service.id, policy, after)

    def preview_for_group(self, caller: Caller, reference: str, policy: Policy, after: str | None) -> Preview:
        """As `preview_for_service`."""
        group, _ = self._groups.permitted_including(caller, reference, Operation.SET_GROUP_POLICY)
        return self._preview(caller, group.id, policy, after)

    def _service(self, caller: Caller, reference: str) -> tuple[Service, Permit]:
        """The service, and that the caller may set its policy. Raises Forbidden or NotFound."""
        service = self._services.find(caller, reference)
        return service, caller.require(setting_policy_of(service), scope_id=service.id)

    def _preview(self, caller: Caller, body_id: str, policy: Policy, after: str | None) -> Preview:
        caller.check(Operation.LIST_TOKENS)
        affected: list[Affected] = []
        examined = 0
        while examined < MAX_EXAMINED:
            page = self._tokens.page(None, after, EXAMINED_AT_ONCE)
            affected += self._affected(page.tokens, body_id, policy, caller.now)
            examined, after = examined + len(page.tokens), page.after
            if after is None:
                break
        return Preview(body_id, affected, examined, after)

    def _affected(self, tokens: Sequence[PermanentToken], body_id: str, policy: Policy, now: int) -> Iterator[Affected]:
        owners = self._accounts.get_many({token.user_id for token in tokens})
        held = [(token, owners[token.user_id]) for token in tokens if token.user_id in owners]
        services = self._services.resolve({id for token, _ in held for id in token.scope})
        for (token, owner), bodies in zip(held, self._effective_policies.by_body(held, services), strict=True):
            if body_id in bodies:
                before = token_flags(token, _said(bodies.values()), now)
                then = token_flags(token, _said({**bodies, body_id: policy}.values()), now)
                if before != then:
                    yield Affected(OwnedToken(token, owner), before, then)


def setting_policy_of(service: Service) -> Operation:
    """The operation that setting its policy is."""
    return Operation.SET_KEYTURN_POLICY if service.id == KEYTURN else Operation.SET_SERVICE_POLICY


def _said(policies: Iterable[Policy | None]) -> list[Policy]:
    return [policy for policy in policies if policy]


def _existing(body: B, reference: str) -> B:
    if body.policy is None:
        raise NotFound("policy of", reference)
    return body


def _difference(old: Policy | None, new: Policy | None) -> dict[str, str]:
    return {"policy": f"{_text(old)} -> {_text(new)}"}


def _text(policy: Policy | None) -> str:
    if policy is None:
        return "none"
    days = (
        ("longest life", policy.longest_life_days),
        ("rotation due", policy.rotation_due_days),
        ("unused", policy.unused_days),
    )
    said = [f"{name} {count} d" for name, count in days if count]
    follows = f"unused: {policy.unused.value}, reused: {policy.reused.value}, leaked: {policy.leaked.value}"
    return ", ".join([*said, follows])
