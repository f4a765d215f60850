"""What services and their permissions are called on pages, as far as whoever looks may know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.permissions import EVERY_PERMISSION
from chalicelib.core.common.identifiers import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.permissions import ScopedPermission
    from chalicelib.core.directory.service import Service
    from chalicelib.web.request import FormRequest


def services_in(
    request: FormRequest, caller: Caller, owner_id: str | None, scopes: Iterable[Iterable[str]]
) -> Mapping[str, Service]:
    """The services that these scopes name, by id, as far as they exist and the caller may know their names."""
    services = request.keyturn.services
    return services.shown(caller, services.resolve({id for scope in scopes for id in scope}), owner_id)


class Names:
    """What services and their permissions are called, as far as the caller may know it."""

    def __init__(
        self,
        request: FormRequest,
        caller: Caller,
        owner_id: str | None,
        scoped_permissions: Iterable[ScopedPermission],
        scope_ids: Iterable[str] = (),
    ) -> None:
        scoped_permissions = list(scoped_permissions)
        wanted = {scoped_permission.permission.partition(":")[0] for scoped_permission in scoped_permissions} | {
            scoped_permission.scope_id for scoped_permission in scoped_permissions
        }
        wanted = (wanted | set(scope_ids)) - {EVERYWHERE, EVERY_PERMISSION}
        self._services = services_in(request, caller, owner_id, [wanted])
        self._permissions = {each.id: each.name for service in self._services.values() for each in service.permissions}

    def permission(self, scoped_permission: ScopedPermission) -> str:
        """The permission as people call it."""
        _, _, key = scoped_permission.permission.partition(":")
        return self._permissions.get(scoped_permission.permission, key) or "Every permission"

    def service(self, scoped_permission: ScopedPermission) -> str:
        """The service that declares it."""
        service_id = scoped_permission.permission.partition(":")[0]
        service = self._services.get(service_id)
        return service.name if service else ""

    def scope_name(self, scope_id: str) -> str:
        """Where it holds."""
        if scope_id == EVERYWHERE:
            return "everywhere"
        service = self._services.get(scope_id)
        return service.name if service else scope_id
