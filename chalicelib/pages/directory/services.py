"""Administration › Access Management › Services: what tokens are good for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Search
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.directory.service import Service
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from chalicelib.core.directory.service_secrets import check_renewable, could_renew
from chalicelib.pages.directory.policy_fields import filled_in
from chalicelib.pages.frame.charts import timeline
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.grace_periods import GRACES, chosen_grace
from chalicelib.pages.frame.paging import Pager, window
from chalicelib.pages.frame.render import Dialog, link, page, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused
from chalicelib.web.request import lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.directory.services import RegisteredService
    from chalicelib.web.request import FormRequest

OFFERED = Window(0, 500)  # groups to choose from
BLANK = Service(id="", key="", name="", created=0)


@for_users
def show_services(request: FormRequest, caller: Caller) -> Response:
    """All services that the caller may see."""
    return _services_page(request, caller)


@for_users
def ask_new(request: FormRequest, caller: Caller) -> Response:
    """The form of a new service."""
    caller.check(Operation.CREATE_SERVICE)
    return _services_page(request, caller, _form_dialog(request, None, _offered(request, caller), _stored(None)))


@form
def create(request: FormRequest, caller: Caller) -> Response:
    """The new service with its secret, shown this once."""

    def do() -> Response:
        made = request.keyturn.services.register(caller, _description(request))
        return service_page(request, caller, made.service, _secret_dialog(request, made))

    def again(problem: Refusal) -> Response:
        dialog = _form_dialog(request, None, _offered(request, caller), _sent(request))
        return _services_page(request, caller, dialog, problem)

    return unless_refused(do, again)


@for_users
def show_service(request: FormRequest, caller: Caller, service: str) -> Response:
    """What is known of it."""
    return service_page(request, caller, request.keyturn.services.get(caller, service))


@for_users
def ask_edit(request: FormRequest, caller: Caller, service: str) -> Response:
    """The form with what can be changed."""
    found = request.keyturn.services.get(caller, service)
    caller.check(Operation.UPDATE_SERVICE, scope_id=found.id)
    offered = _offered(request, caller)
    return service_page(request, caller, found, _form_dialog(request, found, offered, _shown(found, offered)))


@form
def edit(request: FormRequest, caller: Caller, service: str) -> Response:
    """Change it."""

    def write(read: tuple[Service, Sequence[Group]]) -> Response:
        found, offered = read
        # What has a home page cannot be without one again; the core says so.
        home_url = request.value("homeUrl") or ("" if found.home_url else None)
        ids = {group.id for group in offered}
        groups = [
            *(id for id in found.groups if id not in ids),
            *request.values("groups"),
        ]  # what was not offered stays
        description = replace(_description(request), home_url=home_url, groups=groups)
        request.keyturn.services.update(caller, found.id, description, found.revision)
        return redirect(request, "services", found.id, done="service-changed")

    return Edit(
        lambda: (request.keyturn.services.get(caller, service), _offered(request, caller)),
        lambda read: _shown(*read),
        _sent(request),
        write,
        lambda read, values, problem: service_page(
            request, caller, read[0], _form_dialog(request, *read, values), problem
        ),
    ).answer(request)


@for_users
def ask_secret(request: FormRequest, caller: Caller, service: str) -> Response:
    """The dialog that asks for the grace period of the current secret."""
    found = request.keyturn.services.get(caller, service)
    check_renewable(caller, found)
    return service_page(request, caller, found, _renewal_dialog(request, found))


@form
def renew_secret(request: FormRequest, caller: Caller, service: str) -> Response:
    """A new secret, shown this once."""
    found = request.keyturn.services.get(caller, service)

    def do() -> Response:
        grace_ms = chosen_grace(request)
        made = request.keyturn.service_secrets.renew(caller, found.id, grace_ms)
        return service_page(request, caller, made.service, _secret_dialog(request, made))

    return unless_refused(
        do, lambda problem: service_page(request, caller, found, _renewal_dialog(request, found), problem)
    )


@for_users
def ask_delete(request: FormRequest, caller: Caller, service: str) -> Response:
    """The confirmation."""
    found = request.keyturn.services.get(caller, service)
    caller.check(Operation.DELETE_SERVICE, scope_id=found.id)
    return service_page(request, caller, found, _dialog(request, found, "delete"))


@form
def delete(request: FormRequest, caller: Caller, service: str) -> Response:
    """It can ask about no token any more."""
    found = request.keyturn.services.get(caller, service)
    request.keyturn.services.delete(caller, found.id)
    return redirect(request, "services", done="service-deleted")


def _services_page(
    request: FormRequest, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    asked, q = window(request), request.asked("q") or ""
    search = Search(terms={"name": f"{q}*"}) if q else EVERYTHING
    found = request.keyturn.services.page(caller, asked, search)
    ending = _ending(request, caller, found.items)
    values = {"services": found.items, "ending": ending, "pager": Pager(asked, found.total), "q": q}
    return page(request, "services/list", values, caller=caller, dialog=dialog, problem=problem)


def _ending(request: FormRequest, caller: Caller, services: Sequence[Service]) -> dict[str, int]:
    """When the next of the earlier secrets ends, by service, of those that the caller may renew."""
    coming = {
        service.id: [each.until for each in service.secrets.valid_previous(request.origin.now)]
        for service in services
        if service.secrets and could_renew(caller, service)
    }
    return {id: min(ends) for id, ends in coming.items() if ends}


def service_page(
    request: FormRequest, caller: Caller, service: Service, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    groups = _offered(request, caller)
    renewable = could_renew(caller, service)
    values = {
        "service": service,
        "renewable": renewable,
        "timeline": timeline(service.secrets, request.origin.now) if renewable and service.secrets else None,
        "policy_version": version_of(filled_in(service.policy)),
        "built_in": service.id == KEYTURN,
        "groups": [group for group in groups if group.id in service.groups],
    }
    return page(request, "services/service", values, caller=caller, dialog=dialog, problem=problem)


def _dialog(request: FormRequest, service: Service, name: str) -> Dialog:
    return Dialog(f"services/{name}-dialog.html", link(request, "services", service.id))


def _renewal_dialog(request: FormRequest, service: Service) -> Dialog:
    back = link(request, "services", service.id)
    return Dialog("services/renew-secret-dialog.html", back, {"graces": GRACES})


def _secret_dialog(request: FormRequest, made: RegisteredService) -> Dialog:
    return Dialog("services/secret-shown.html", link(request, "services", made.service.id), {"made": made})


def _form_dialog(
    request: FormRequest, service: Service | None, offered: Sequence[Group], filled_in: Mapping[str, object]
) -> Dialog:
    values = {"found": service, "filled_in": filled_in, "offered_groups": offered, "ways": list(GrantType)}
    back = link(request, "services", *([service.id] if service else []))
    return Dialog("services/form-dialog.html", back, values, version_of(_shown(service, offered)) if service else "")


def _offered(request: FormRequest, caller: Caller) -> Sequence[Group]:
    """The groups to choose from, read once for a request: the list of the form, what of it is chosen, and its version
    are of one moment."""
    return (
        request.keyturn.groups.page(caller, OFFERED).items
        if caller.is_allowed_after_relogin(Operation.READ_GROUP)
        else ()
    )


def _shown(service: Service, offered: Sequence[Group]) -> dict[str, Any]:
    """What the form shows: of the groups, those that it offers. So a form of somebody who came to see more of them is
    another one, and takes away none that it did not show."""
    ids = {group.id for group in offered}
    return {**_stored(service), "groups": [id for id in service.groups if id in ids]}


def _stored(service: Service | None) -> dict[str, object]:
    described = service or BLANK
    return {
        "key": described.key,
        "name": described.name,
        "homeUrl": described.home_url or "",
        "redirectUris": "\n".join(described.redirect_uris),
        "permissions": "\n".join(f"{each.key} {each.name}" for each in described.permissions),
        "grantTypes": [each.value for each in described.grant_types],
        "groups": list(described.groups),
        "public": described.public,
        "trusted": described.trusted,
    }


def _sent(request: FormRequest) -> dict[str, object]:
    texts = {name: request.value(name) or "" for name in ("key", "name", "homeUrl", "redirectUris", "permissions")}
    flags = {name: request.value(name) is not None for name in ("public", "trusted")}
    return {**texts, **flags, **{name: request.values(name) for name in ("grantTypes", "groups")}}


def _description(request: FormRequest) -> ServiceDescription:
    """What the form says. Raises Invalid."""
    try:
        grant_types = [GrantType(value) for value in request.values("grantTypes")]
    except ValueError:
        raise Invalid("grantTypes", "contains an unknown grant type.") from None
    return ServiceDescription(
        key=request.value("key") or "",
        name=request.value("name") or "",
        home_url=request.value("homeUrl"),
        redirect_uris=_lines(request, "redirectUris"),
        grant_types=grant_types,
        public=request.value("public") is not None,
        trusted=request.value("trusted") is not None,
        permissions=[_permission(line) for line in _lines(request, "permissions")],
        groups=request.values("groups"),
    )


def _permission(line: str) -> PermissionDeclaration:
    key, _, name = line.partition(" ")
    return PermissionDeclaration(key, name.strip() or key)


def _lines(request: FormRequest, name: str) -> list[str]:
    return lines(request.value(name) or "")
