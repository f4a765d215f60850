"""The tab *Groups and roles*: what an account may do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Operation
from chalicelib.core.identifiers import EVERYWHERE
from chalicelib.core.permissions import EVERY_PERMISSION
from chalicelib.pages.account import account_page, read
from chalicelib.pages.security import services_in
from chalicelib.pages.views import for_users

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalice.app import Response

    from chalicelib.core.accounts import User
    from chalicelib.core.caller import Caller
    from chalicelib.core.errors import Refusal
    from chalicelib.core.permissions import Power
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
        wanted = (wanted | set(places)) - {EVERYWHERE, EVERY_PERMISSION}
        self._services = services_in(message, caller, owner_id, [wanted])
        self._permissions = {each.id: each.name for service in self._services.values() for each in service.permissions}

    def permission(self, power: Power) -> str:
        """The permission as people call it."""
        _, _, key = power.permission.partition(":")
        return self._permissions.get(power.permission, key) or "Every permission"

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
