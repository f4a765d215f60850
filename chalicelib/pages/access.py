"""The tab *Groups and roles*: what an account may do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Operation
from chalicelib.core.permissions import EVERYWHERE
from chalicelib.pages.account import account_page, read
from chalicelib.pages.views import for_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalice.app import Response

    from chalicelib.core.accounts import User
    from chalicelib.core.caller import Caller
    from chalicelib.core.errors import Refusal
    from chalicelib.core.permissions import Power
    from chalicelib.core.services import Service
    from chalicelib.message import Message
    from chalicelib.pages.render import Dialog


@for_users
def show(message: Message, caller: Caller, user: str) -> Response:
    """The tab."""
    return access_page(message, caller, read(message, caller, user))


def access_page(
    message: Message, caller: Caller, user: User, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """The tab, or a dialog on it."""
    explained = message.keyturn.permissions.explain(caller, user.id)
    grants = message.keyturn.roles.grants(caller, user.id)
    access = message.keyturn.permissions.access(caller, user.id)
    places = (grant.place for grant, _ in grants)
    values = {
        "explained": explained,
        "grants": grants,
        "groups": [access.groups[id] for id in access.direct],
        "names": Names(message, caller, user.id, (power for power, _ in explained), places),
        "may_read_groups": caller.could(Operation.READ_GROUP),
    }
    return account_page(message, caller, user, "access", values, dialog, problem)


class Names:
    """What services and their permissions are called, as far as the caller may know it."""

    def __init__(
        self,
        message: Message,
        caller: Caller,
        owner_id: str | None,
        powers: Iterable[Power],
        places: Iterable[str] = (),
    ) -> None:
        powers = list(powers)
        wanted = {power.permission.partition(":")[0] for power in powers} | {power.place for power in powers}
        services = message.keyturn.services
        found = services.resolve((wanted | set(places)) - {EVERYWHERE, "*"})
        self._services: Mapping[str, Service] = services.shown(caller, found, owner_id)

    def permission(self, power: Power) -> str:
        """The permission as people call it."""
        service_id, _, key = power.permission.partition(":")
        if not key:
            return "Every permission"
        service = self._services.get(service_id)
        declared = service.permissions if service else ()
        return next((each.name for each in declared if each.id == power.permission), key)

    def service(self, power: Power) -> str:
        """The service that declares it."""
        service_id = power.permission.partition(":")[0]
        service = self._services.get(service_id)
        return service.name if service else ""

    def place(self, place: str) -> str:
        """Where it holds."""
        if place == EVERYWHERE:
            return "everywhere"
        service = self._services.get(place)
        return service.name if service else place
