"""Secrets of connected services: a service gets a new one, and those before it go on until their ends.

ADR 17 has the reasons, for permanent tokens; what is supplied is the middle of a secret (ADR 20).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Invalid
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.optimistic_retry import retry_persistently
from chalicelib.core.directory.services import RegisteredService, new_secret, service_record
from chalicelib.core.secrets.client_supplied import validate_client_supplied_secret
from chalicelib.core.secrets.previous_secrets import RetiredSecret, Secrets, require_grace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.directory.ports import ServiceStore
    from chalicelib.core.directory.service import Service
    from chalicelib.core.directory.services import Services
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.verifier import SecretVerifier


def could_renew(caller: Caller, service: Service) -> bool:
    """Whether the caller may have a secret of the service, if need be after another login, and so see when those that
    there are end."""
    if service.id == KEYTURN or (service.trusted and not caller.is_allowed_after_relogin(Operation.TRUST_SERVICE)):
        return False
    return caller.is_allowed_after_relogin(Operation.RENEW_SERVICE_SECRET, scope_id=service.id)


def check_renewable(caller: Caller, service: Service) -> None:
    """That the caller may have a secret of the service. Raises Forbidden or LoginTooOld."""
    caller.check(Operation.RENEW_SERVICE_SECRET, scope_id=service.id)
    if service.trusted:
        caller.check(Operation.TRUST_SERVICE)


class ServiceSecrets:
    """`reference` is a service's id or key. All of it asks what renewing asks. Who has the secret of a trusted service
    acts for everybody, so that takes who could trust it, too."""

    def __init__(self, services: Services, store: ServiceStore, verifier: SecretVerifier) -> None:
        self._services = services
        self._store = store
        self._verifier = verifier

    def renew(self, caller: Caller, reference: str, grace_ms: int = 0, secret: str | None = None) -> RegisteredService:
        """The service with a new secret, in the only answer that ever holds it.

        The secret before is good for `grace_ms` milliseconds more; without grace, every earlier one ends at once. A
        `secret` that is supplied and is the current one already changes nothing, so that the request can be repeated;
        one that was the service's before is refused: it may be in other hands.

        Raises Invalid (`grace`, `secret`), Forbidden, NotFound, or Conflict (too many secrets are good at the same
        time, or the service is built in).
        """
        supplied = None if secret is None else validate_client_supplied_secret(secret)
        require_grace(grace_ms)
        hash_secret = functools.cache(self._verifier.hash_secret)  # which takes long: not at each attempt
        make_secret = functools.cache(functools.partial(new_secret, supplied))

        def attempt() -> RegisteredService:
            old, secrets, permit = self._permitted(caller, reference)
            shown = make_secret(old.id)
            if supplied and self._verifier.verify(shown, secrets.current, caller.now):
                return RegisteredService(old, shown)
            if supplied and self._is_one_of(secrets.past, shown, caller.now):
                raise Invalid("secret", "was a secret of this service before. Supply a new one.")
            renewed = secrets.rotated_to(hash_secret(shown), grace_ms, caller.now)
            renewed.require_room("service", otherwise=", or create one without a grace period")
            new = old.with_secrets(renewed)
            details = {"key": old.key, "grace": f"{grace_ms // 1000} s"}
            self._store.replace(old, new, service_record(permit, "service.secret-renewed", new, details))
            return RegisteredService(new, shown)

        return retry_persistently(attempt)

    def made(self, caller: Caller, reference: str, secret: str | None) -> tuple[Service, str | None]:
        """What `renew`, or registering the service, made: with its secret only if that was supplied, and is the current
        one. Raises Invalid (`secret`), Forbidden or NotFound."""
        service = self._services.get(caller, reference)
        if secret is None or service.secrets is None:
            return service, None
        shown = new_secret(validate_client_supplied_secret(secret), service.id)
        is_current = self._verifier.verify(shown, service.secrets.current, caller.now)
        return service, shown if is_current else None

    def has_current(self, caller: Caller, reference: str, secret: str) -> tuple[Service, bool]:
        """The service, and whether the `secret` that is supplied is its current one, for whoever could make it so.

        Raises Invalid (`secret`), Forbidden, NotFound, Conflict or Throttled.
        """
        supplied = validate_client_supplied_secret(secret)
        service, secrets, _ = self._permitted(caller, reference)
        return service, self._verifier.verify(new_secret(supplied, service.id), secrets.current, caller.now)

    def roll_back(self, caller: Caller, reference: str, kept: str) -> Service:
        """The service with the earlier secret `kept`, the whole of it, as the current one again, without end, for
        whoever could not put a newer one where it belongs; all that are newer end at once.

        Where it is the current one already, nothing changes, so that the request can be repeated. Raises Forbidden,
        NotFound, Conflict, or Invalid (`keep` is no secret of the service that is still good).
        """

        def attempt() -> Service:
            old, secrets, permit = self._permitted(caller, reference)
            if self._verifier.verify(kept, secrets.current, caller.now):
                return old
            valid_secrets = secrets.valid_previous(caller.now)
            previous = next(
                (each for each in valid_secrets if self._verifier.verify(kept, each.stored, caller.now)), None
            )
            if previous is None:
                raise Invalid("keep", "must be a previous secret of this service that is still valid.")
            new = old.with_secrets(secrets.rolled_back_to(previous, caller.now))
            record = service_record(permit, "service.secret-renewal-taken-back", new, {"key": old.key})
            self._store.replace(old, new, record)
            return new

        return retry_persistently(attempt)

    def _permitted(self, caller: Caller, reference: str) -> tuple[Service, Secrets[HashedSecret], Permit]:
        service, permit = self._services.changeable(caller, reference, Operation.RENEW_SERVICE_SECRET)
        check_renewable(caller, service)
        if service.secrets is None:
            raise Conflict("This service has no secret.")
        return service, service.secrets, permit

    def _is_one_of(self, past: Iterable[RetiredSecret[HashedSecret]], shown: str, now: int) -> bool:
        return any(self._verifier.verify(shown, each.stored, now) for each in past)
