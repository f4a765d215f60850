"""Devices without a browser: they show a code, which their user types in elsewhere (RFC 8628)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid, InvalidGrant, NotFound
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict
from chalicelib.core.common.rate_limits import Typed, device_starts, network
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.oauth.delegations import (
    DEVICE_INTERVAL_MS,
    DEVICE_LIFETIME_MS,
    USER_CODE_ALPHABET,
    USER_CODE_LENGTH,
    DeviceAuthorization,
    DeviceStatus,
    needs_no_consent,
    normal_user_code,
)
from chalicelib.core.oauth.manage_delegations import DelegationRequest
from chalicelib.core.secrets.digests import digest, is_digest_of
from chalicelib.core.secrets.token_format import DEVICE_CODE

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.service import Service
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.oauth.approved_scopes import ApprovedScopes
    from chalicelib.core.oauth.issuance import Issued
    from chalicelib.core.oauth.manage_delegations import Delegations
    from chalicelib.core.oauth.ports import DelegationStore, DeviceStore
    from chalicelib.core.oauth.scopes import RequestedScope, Scopes

REFUSED = "The device code is not valid."


class AuthorizationPending(InvalidGrant):
    """The user has not decided yet (RFC 8628 section 3.5)."""


class SlowDown(InvalidGrant):
    """The device asks too often, and from now on waits five seconds longer (RFC 8628 section 3.5)."""


class AccessDenied(InvalidGrant):
    """The user said no."""


class ExpiredDeviceCode(InvalidGrant):
    """Nobody decided in time."""


@dataclass(frozen=True, slots=True)
class StartedDevice:
    """A device's two codes, in the only answer that holds the first."""

    device: DeviceAuthorization
    device_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WaitingDevice:
    """A device that waits for the caller's word, and what it asks for."""

    device: DeviceAuthorization
    client: Service
    scope: RequestedScope

    @property
    def offline(self) -> bool:
        """Whether it gets a refresh token."""
        return GrantType.REFRESH_TOKEN in self.client.grant_types


class Devices:
    """Starts, asks the user, and answers the device."""

    def __init__(
        self,
        devices: DeviceStore,
        delegation_store: DelegationStore,
        accounts: Accounts,
        approved: ApprovedScopes,
        scopes: Scopes,
        delegations: Delegations,
        attempt_limiter: AttemptLimiter,
    ) -> None:
        self._devices = devices
        self._delegation_store = delegation_store
        self._accounts = accounts
        self._approved = approved
        self._scopes = scopes
        self._delegations = delegations
        self._attempt_limiter = attempt_limiter

    def start(self, client: Service, scope: str | None, origin: Origin) -> StartedDevice:
        """A device code, and the code that the user types in. Raises Invalid (`scope`) or Throttled.

        Whoever names a public client may start one, so it leaves nothing that stays until somebody decides.
        """
        requested = self._scopes.requested(scope, (client.id,))
        self._attempt_limiter.spend(device_starts(client.id, network(origin.address)), origin.now)

        def attempt() -> StartedDevice:
            id = new_id()
            secret = DEVICE_CODE.issue(id)
            device = DeviceAuthorization(
                id=id,
                client_id=client.id,
                scope=requested.values,
                user_code="".join(secrets.choice(USER_CODE_ALPHABET) for _ in range(USER_CODE_LENGTH)),
                expires=origin.now + DEVICE_LIFETIME_MS,
                digest=digest(secret),
            )
            self._devices.create(device)
            return StartedDevice(device, secret)

        return retry_on_conflict(attempt)

    def waiting(self, caller: Caller, typed: str) -> WaitingDevice:
        """The device whose code the caller typed. Raises NotFound, Throttled, Forbidden or Invalid (`scope`).

        A wrong code counts as a guess (RFC 8628 section 5.1).
        """
        caller.check(Operation.APPROVE_SERVICE, caller.user.id)
        with self._attempt_limiter.typed(Typed.USER_CODE, caller):
            device = self._devices.find_by_user_code(normal_user_code(typed))
            if device is None or device.status is not DeviceStatus.PENDING or caller.now >= device.expires:
                raise NotFound("device with the code", typed[:20])
        client = self._scopes.service(device.client_id)
        if client is None:
            raise NotFound("device with the code", typed[:20])
        requested = self._scopes.stored(device.scope)
        if not self._scopes.are_visible(caller, client, requested):
            raise Invalid("scope", "the device requests a service that does not exist, or that you may not see.")
        return WaitingDevice(device, client, requested)

    def decide(self, caller: Caller, waiting: WaitingDevice, approved: bool) -> None:
        """The caller's word. Raises Forbidden, or NotFound if the device no longer waits, and then approves nothing."""
        client, offline = waiting.client, waiting.offline

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, caller.user.id, Operation.APPROVE_SERVICE)
            old = self._devices.get(waiting.device.id)
            if old is None or old.status is not DeviceStatus.PENDING or caller.now >= old.expires:
                raise NotFound("device with the code", waiting.device.user_code)
            approving = None
            if approved and not needs_no_consent(client, old.scope):
                approving = self._approved.approving(owner, permit, client, old.scope, offline, shown=False)
            new = replace(
                old,
                status=DeviceStatus.APPROVED if approved else DeviceStatus.DENIED,
                user_id=owner.id,
                approval_id=approving.new.id if approving else None,
                authenticated=caller.logged_in_at or caller.now,
                offline=offline,
                revision=old.revision + 1,
            )
            details = {"client": old.client_id, "scope": " ".join(old.scope)}
            record = permit.record(f"device.{new.status.value}", "device", old.id, owner.id, details)
            self._devices.decide(old, new, approving, record)

        retry_on_conflict(attempt)

    def redeem(self, client: Service, presented: str, offline: bool, origin: Origin) -> Issued:
        """What the device gets once its user has approved; a refresh token, if `offline` and its user was told so.

        Raises InvalidGrant, or AuthorizationPending, SlowDown, AccessDenied or ExpiredDeviceCode.
        """
        ids = DEVICE_CODE.parse(presented)
        if ids is None:
            raise InvalidGrant(REFUSED)

        def attempt() -> Issued:
            device = self._devices.get(*ids)
            if device is None or device.client_id != client.id or not is_digest_of(device.digest, presented):
                raise InvalidGrant(REFUSED)
            if origin.now >= device.expires:
                raise ExpiredDeviceCode("The device code has expired. Start again.")
            if device.status is DeviceStatus.DENIED:
                raise AccessDenied("The user has denied the request.")
            if device.status is DeviceStatus.PENDING:
                self._wait(device, origin)
            return self._redeemed(client, device, offline, origin)

        return retry_on_conflict(attempt)

    def _wait(self, device: DeviceAuthorization, origin: Origin) -> None:
        """Raises AuthorizationPending or SlowDown."""
        hurried = device.last_poll is not None and origin.now - device.last_poll < device.interval
        interval = device.interval + (DEVICE_INTERVAL_MS if hurried else 0)
        new = replace(device, last_poll=origin.now, interval=interval, revision=device.revision + 1)
        self._devices.poll(device, new)
        if hurried:
            raise SlowDown(f"Poll every {interval // 1000} seconds at most.")
        raise AuthorizationPending("The user has not decided yet.")

    def _redeemed(self, client: Service, device: DeviceAuthorization, offline: bool, origin: Origin) -> Issued:
        assert device.user_id
        found = self._delegation_store.find(device.user_id, device.id, client.id)
        request = DelegationRequest(
            kind="device.redeemed",
            id=device.id,
            client_id=client.id,
            scope=device.scope,
            approval_id=device.approval_id,
            authenticated=device.authenticated,
            offline=offline and device.offline,
        )
        issued = self._delegations.begin(found, client, request, origin)
        self._devices.redeem(device, issued.delegation, issued.evicted, issued.record)
        return issued.issued
