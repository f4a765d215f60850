"""`/services`: what tokens are good for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.operations.services import PermissionDeclaration, RegisteredService, ServiceDescription
from chalicelib.rest.bodies import NewService, ServiceChange
from chalicelib.rest.endpoint import Call, Searchable, operation
from chalicelib.rest.refusals import answer
from chalicelib.rest.shapes import CREATED_SERVICE, SERVICE, ServiceView

if TYPE_CHECKING:
    from chalice.app import Response


@operation(SERVICE, collection="services", search=Searchable(("key", "name", "applicationName"), (), ("key", "name")))
def list_services(call: Call) -> Response:
    window, search = call.window(), call.search()
    page = call.keyturn.services.page(call.caller(), window, search)
    return call.many(map(ServiceView, page.items), window, page.total)


@operation(CREATED_SERVICE, body=NewService, creates=True)
def register_service(call: Call) -> Response:
    caller = call.caller()
    description = _description(call.body(NewService))
    return call.create(
        caller,
        lambda by: _with_secret(call.keyturn.services.register(by, description)),
        lambda id: ServiceView(call.keyturn.services.get(caller, id)),
    )


@operation(SERVICE)
def get_service(call: Call, service: str) -> Response:
    return call.one(ServiceView(call.keyturn.services.get(call.caller(), service)))


@operation(SERVICE, body=ServiceChange)
def update_service(call: Call, service: str) -> Response:
    caller = call.caller()
    return call.one(ServiceView(call.keyturn.services.update(caller, service, _description(call.body(ServiceChange)))))


@operation(CREATED_SERVICE)
def renew_service_secret(call: Call, service: str) -> Response:
    return call.one(_with_secret(call.keyturn.services.renew_secret(call.caller(), service)))


@operation()
def delete_service(call: Call, service: str) -> Response:
    call.keyturn.services.delete(call.caller(), service)
    return answer({})


def _with_secret(registered: RegisteredService) -> ServiceView:
    return ServiceView(registered.service, registered.secret)


def _description(body: ServiceChange) -> ServiceDescription:
    permissions = None
    if body.permissions is not None:
        permissions = [PermissionDeclaration(declared.key, declared.name) for declared in body.permissions]
    groups = None if body.groups is None else [each.text(f"groups[{i}]") for i, each in enumerate(body.groups)]
    return ServiceDescription(body.key, body.name, body.home_url, permissions, groups)
