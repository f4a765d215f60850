"""`/services`: what tokens are good for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from chalicelib.rest.contract.contracts import Searchable
from chalicelib.rest.contract.durations import milliseconds
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.directory.service_bodies import NewService, SecretRenewal, ServiceChange
from chalicelib.rest.directory.service_shapes import CREATED_SERVICE, SERVICE, SERVICE_SECRET_COMPARISON, ServiceView
from chalicelib.rest.tokens.token_bodies import RotationRollback, SecretComparison
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.directory.services import RegisteredService
    from chalicelib.rest.contract.bodies import Reference


@operation(SERVICE, collection="services", search=Searchable(("key", "name", "applicationName"), (), ("key", "name")))
def list_services(call: Call) -> Response:
    window, search = call.window(), call.search()
    page = call.keyturn.services.page(call.caller(), window, search)
    return call.many(map(ServiceView, page.items), window, page.total)


@operation(CREATED_SERVICE, body=NewService, creates=True)
def register_service(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewService)
    description = _description(body)
    return call.create(
        caller,
        lambda by: _with_secret(call.keyturn.services.register(by, description, body.secret)),
        lambda id: ServiceView(*call.keyturn.service_secrets.made(caller, id, body.secret)),
    )


@operation(SERVICE)
def get_service(call: Call, service: str) -> Response:
    return call.one(ServiceView(call.keyturn.services.get(call.caller(), service)))


@operation(SERVICE, body=ServiceChange)
def update_service(call: Call, service: str) -> Response:
    caller = call.caller()
    return call.one(ServiceView(call.keyturn.services.update(caller, service, _description(call.body(ServiceChange)))))


@operation(CREATED_SERVICE, body=SecretRenewal, creates=True, bare=True)
def renew_service_secret(call: Call, service: str) -> Response:
    caller = call.caller()
    body = call.body(SecretRenewal)
    secrets, grace_ms = call.keyturn.service_secrets, milliseconds(body.grace, "grace")
    return call.create(
        caller,
        lambda by: _with_secret(secrets.renew(by, service, grace_ms, body.secret)),
        lambda id: ServiceView(*secrets.made(caller, id, body.secret)),
    )


@operation(SERVICE_SECRET_COMPARISON, body=SecretComparison, dry_run=False)
def compare_service_secret(call: Call, service: str) -> Response:
    """Whether a secret that could be supplied is the service's already, so that nothing needs to change."""
    caller = call.caller()
    return call.one(call.keyturn.service_secrets.has_current(caller, service, call.body(SecretComparison).secret))


@operation(SERVICE, body=RotationRollback)
def take_back_service_secret(call: Call, service: str) -> Response:
    caller = call.caller()
    return call.one(
        ServiceView(call.keyturn.service_secrets.roll_back(caller, service, call.body(RotationRollback).keep))
    )


@operation()
def delete_service(call: Call, service: str) -> Response:
    call.keyturn.services.delete(call.caller(), service)
    return answer({})


def _with_secret(registered: RegisteredService) -> ServiceView:
    return ServiceView(registered.service, registered.secret)


def _description(body: NewService | ServiceChange) -> ServiceDescription:
    permissions = None
    if body.permissions is not None:
        permissions = [PermissionDeclaration(declared.key, declared.name) for declared in body.permissions]
    return ServiceDescription(
        key=body.key,
        name=body.name,
        application_name=body.application_name,
        vendor=body.vendor,
        version=body.version,
        home_url=body.home_url,
        base_urls=body.base_urls,
        redirect_uris=body.redirect_uris,
        grant_types=body.grant_types,
        public=body.public,
        icon_url=body.icon_url,
        trusted=body.trusted,
        default_roles=_references("defaultRoles", body.default_roles),
        permissions=permissions,
        groups=_references("groups", body.groups),
    )


def _references(field: str, references: Sequence[Reference] | None) -> list[str] | None:
    return None if references is None else [each.text(f"{field}[{i}]") for i, each in enumerate(references)]
