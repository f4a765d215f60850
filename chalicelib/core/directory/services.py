"""Connected services: list, look up, register, change, delete."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.references import called
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import changes
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Invalid, NotFound
from chalicelib.core.common.identifiers import KEYTURN, new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_persistently
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import EVERYTHING, Search
from chalicelib.core.directory.service import (
    MAX_SERVICES,
    DeclaredPermission,
    Service,
    keyturn_service,
)
from chalicelib.core.directory.service_descriptions import ServiceDescriptions
from chalicelib.core.secrets.client_supplied import validate_client_supplied_secret
from chalicelib.core.secrets.token_format import SERVICE_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.access.ports import GroupStore, RoleStore
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.directory.ports import ServiceStore
    from chalicelib.core.directory.service_descriptions import ServiceDescription
    from chalicelib.core.secrets.verifier import SecretVerifier


# What became of these is in the audit record of a change; a service's permissions are many, and lead nowhere.
RECORDED = ("name", "home_url", "redirect_uris", "grant_types", "public", "trusted", "groups")


@dataclass(frozen=True, slots=True)
class RegisteredService:
    """A service with its new secret, in the only answer that ever holds it."""

    service: Service
    secret: str = field(repr=False)


class Services:
    """The service directory. `reference` is an id or a key."""

    def __init__(self, services: ServiceStore, groups: GroupStore, roles: RoleStore, verifier: SecretVerifier) -> None:
        self._services = services
        self._descriptions = ServiceDescriptions(groups, roles)
        self._verifier = verifier

    def sees(self, caller: Caller, service: Service) -> bool:
        """Whether the caller may see this service: by permission, or as a member of one of its groups.

        Keyturn itself is seen by everybody who can sign in. Source: Hub's page "Manage Permanent
        Tokens" (the service's Access setting, or Read Service).
        """
        if service.id == KEYTURN or not caller.groups.isdisjoint(service.groups):
            return True
        return caller.is_allowed(Operation.READ_SERVICE, scope_id=service.id)

    def resolve(self, references: Iterable[str]) -> Mapping[str, Service]:
        """Services by the id or key that names them; unknown references are left out."""
        wanted = {reference for reference in references if validation.could_be_identifier(reference)}
        found = {id: _current(service) for id, service in self._services.get_many(wanted).items()}
        for reference in wanted - found.keys():
            service = called(reference, self._services.find_by_key, lambda each: each.key)
            if service:
                found[reference] = _current(service)
        return found

    def seen(self, caller: Caller, references: Iterable[str]) -> Mapping[str, Service]:
        """As `resolve`, without those that the caller may not see: to them they are as if they did not exist."""
        found = self.resolve(references)
        return {reference: service for reference, service in found.items() if self.sees(caller, service)}

    def shown(
        self, caller: Caller, services: Mapping[str, Service], owner_id: str | None = None
    ) -> Mapping[str, Service]:
        """Those of these, by id, of which the caller may know more than the id: that they may see, and whatever
        their own credentials are for. `owner_id` is whose the thing is that names the services."""
        if owner_id == caller.user.id:
            return services
        return {id: service for id, service in services.items() if self.sees(caller, service)}

    def permissions(self, caller: Caller) -> list[tuple[DeclaredPermission, Service]]:
        """All permissions that roles can be made of, by service and key: of the services that the caller sees."""
        services = self.page(caller, Window(0, MAX_SERVICES)).items
        return [(permission, service) for service in services for permission in service.permissions]

    def get(self, caller: Caller, reference: str) -> Service:
        """One service. Raises Forbidden or NotFound."""
        return self.find(caller, reference)

    def page(self, caller: Caller, window: Window, search: Search = EVERYTHING) -> Page[Service]:
        """A part of the services that are wanted and that the caller may see, sorted by key unless `search`
        says otherwise; without any right, Keyturn alone. Raises Invalid."""
        if caller.is_allowed(Operation.READ_SERVICE):
            page = self._services.page(window, search)
            return Page([_current(service) for service in page.items], page.total)
        everything = self._services.page(Window(0, MAX_SERVICES), search).items
        visible = [_current(service) for service in everything if self.sees(caller, service)]
        return Page(visible[window.skip : window.skip + window.top], len(visible))

    def register(self, caller: Caller, description: ServiceDescription, secret: str | None = None) -> RegisteredService:
        """A new service, with the `secret` that is supplied, if one is (`core.secrets.client_supplied`).

        Raises Invalid, Forbidden or Conflict (the key is taken).
        """
        supplied = None if secret is None else validate_client_supplied_secret(secret)
        permit = caller.require(Operation.CREATE_SERVICE)
        id = new_id()
        for required in ("key", "name"):
            if getattr(description, required) is None:
                raise Invalid(required, "is required.")
        shown = new_secret(supplied, id)
        blank = Service(id=id, key="", name="", created=caller.now, secret=self._verifier.hash_secret(shown))
        service = replace(self._descriptions.applied(caller, blank, description), revision=1)
        _require_besides(caller, blank, service)
        self._services.create(service, service_record(permit, "service.created", service, {"key": service.key}))
        return RegisteredService(service, shown)

    def update(
        self, caller: Caller, reference: str, description: ServiceDescription, seen: int | None = None
    ) -> Service:
        """The service, changed. Raises Invalid, Forbidden, NotFound or Conflict; Changed unless it has still the
        revision `seen`, if one is given."""

        def attempt() -> Service:
            old, permit = self.changeable(caller, reference, Operation.UPDATE_SERVICE)
            require_seen(seen, old.revision)
            new = self._descriptions.applied(caller, old, description)
            if replace(new, revision=old.revision) == old:
                return old
            _require_besides(caller, old, new)
            if _gets_codes_elsewhere(old, new):
                new = replace(new, redirects_changed=caller.now)
            details = {"key": new.key, **changes(old, new, *RECORDED)}
            self._services.replace(old, new, service_record(permit, "service.updated", new, details))
            return new

        return retry_persistently(attempt)

    def delete(self, caller: Caller, reference: str) -> None:
        """The service is gone: it can ask about no token any more. Raises Forbidden, NotFound or Conflict."""

        def attempt() -> None:
            service, permit = self.changeable(caller, reference, Operation.DELETE_SERVICE)
            self._services.delete(service, service_record(permit, "service.deleted", service, {"key": service.key}))

        retry_persistently(attempt)

    def changeable(self, caller: Caller, reference: str, operation: Operation) -> tuple[Service, Permit]:
        """As `permitted`, of a service that is not built in. Raises also Conflict."""
        service, permit = self.permitted(caller, reference, operation)
        if service.id == KEYTURN:
            raise Conflict("Keyturn's own service is built in and cannot be changed or deleted.")
        return service, permit

    def find(self, caller: Caller, reference: str) -> Service:
        """The service, for a caller who may see it.

        Raises Forbidden or NotFound. Whoever may not see it gets Forbidden whether it exists or not.
        """
        service = self.seen(caller, [reference]).get(reference)
        if service is None:
            caller.check(Operation.READ_SERVICE)
            raise NotFound("service", reference)
        return service

    def permitted(self, caller: Caller, reference: str, operation: Operation) -> tuple[Service, Permit]:
        """The service, and that the caller may do this to it. Raises as `find`."""
        service = self.find(caller, reference)
        return service, caller.require(operation, scope_id=service.id)


def new_secret(supplied: str | None, id: str) -> str:
    """A new secret for this service, as it is shown: made of the one that is supplied, or of a random one."""
    return SERVICE_SECRET.issue(id) if supplied is None else SERVICE_SECRET.assemble(supplied, id)


def _current(service: Service) -> Service:
    """Keyturn's own permissions are those of the program that runs, not of the one that began."""
    return replace(service, permissions=keyturn_service(0).permissions) if service.id == KEYTURN else service


def _require_besides(caller: Caller, old: Service, new: Service) -> None:
    """What a change needs besides the row of its own. Raises Forbidden."""
    if new.public and not old.public:
        caller.require(Operation.OPEN_SERVICE, scope_id=old.id)
    if new.trusted != old.trusted or (old.trusted and _gets_codes_elsewhere(old, new)):
        caller.require(Operation.TRUST_SERVICE)


def _gets_codes_elsewhere(old: Service, new: Service) -> bool:
    """Whether somebody else may get its codes now."""
    return any(getattr(old, name) != getattr(new, name) for name in ("redirect_uris", "grant_types", "public"))


def service_record(permit: Permit, kind: str, service: Service, details: dict[str, str]) -> AuditRecord:
    """The audit record of a change of the service."""
    return permit.record(kind, "service", service.id, details=details)
