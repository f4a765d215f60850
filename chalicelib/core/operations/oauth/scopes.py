"""What `scope` and `audience` mean: services by id or key, and what OpenID Connect puts beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access_tokens import CLAIM_SCOPES
from chalicelib.core.errors import Invalid
from chalicelib.core.permanent_tokens import MAX_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.authorization import Caller
    from chalicelib.core.operations.services import Services
    from chalicelib.core.services import Service

OFFLINE_ACCESS = "offline_access"  # OpenID Connect Core section 11: asks for a refresh token


@dataclass(frozen=True, slots=True)
class RequestedScope:
    """`values` are service ids and claim scopes, each once, in the order given; `services` by id."""

    values: tuple[str, ...]
    services: Mapping[str, Service]
    offline: bool = False


class Scopes:
    """Turns what clients write into ids."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def requested(self, text: str | None, default: Sequence[str], known: Sequence[str] = ()) -> RequestedScope:
        """The scope that `text` asks for; where it names no service, also the `default` ones.

        Ids that are `known` are not looked up. Raises Invalid for `scope` (RFC 6749 section 3.3).
        """
        references = (text or "").split(" ") if text else []
        if len(references) > MAX_SCOPE:
            raise Invalid("scope", f"may name at most {MAX_SCOPE} services.")
        if all(reference in CLAIM_SCOPES | {OFFLINE_ACCESS, ""} for reference in references):
            references = [*default, *references]
        named = [each for each in references if each not in CLAIM_SCOPES | {OFFLINE_ACCESS, ""}]
        found = self._found(named, "scope", known)
        values = dict.fromkeys(found[each].id if each in found else each for each in references)
        for word in (OFFLINE_ACCESS, ""):
            values.pop(word, None)
        return RequestedScope(
            tuple(values), {service.id: service for service in found.values()}, OFFLINE_ACCESS in references
        )

    def audience(self, references: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
        """The ids of these services; those that are `known` are not looked up.

        Raises Invalid for `audience` (RFC 8693 section 2.2.2, invalid_target).
        """
        if len(references) > MAX_SCOPE:
            raise Invalid("audience", f"may name at most {MAX_SCOPE} services.")
        found = self._found(references, "audience", known)
        return tuple(dict.fromkeys(found[each].id if each in found else each for each in references))

    def known(self, ids: Sequence[str]) -> list[Service]:
        """Those of these services that exist."""
        found = self._services.resolve(ids)
        return [found[id] for id in ids if id in found]

    def service(self, reference: str) -> Service | None:
        """The service that this id or key names."""
        return self._services.resolve([reference]).get(reference)

    def sees(self, caller: Caller, service: Service) -> bool:
        """Whether the caller may see this service."""
        return self._services.sees(caller, service)

    def require_visible(self, caller: Caller, client: Service, requested: RequestedScope) -> None:
        """Raises Invalid unless the caller may see every service but the client, which the caller came from."""
        for service in requested.services.values():
            if service.id != client.id and not self.sees(caller, service):
                raise Invalid("scope", f"there is no service {service.id!r} that you may see.")

    def _found(self, references: Sequence[str], field: str, known: Sequence[str]) -> dict[str, Service]:
        unknown = [reference for reference in references if reference not in known]
        found = dict(self._services.resolve(unknown))
        for reference in unknown:
            if reference not in found:
                raise Invalid(field, f"there is no service {reference[:100]!r}.")
        return found


def within(values: Sequence[str], allowed: Sequence[str], field: str) -> None:
    """Raises Invalid if there is more in `values` than in `allowed`: nothing ever grows."""
    beyond = [value for value in values if value not in allowed]
    if beyond:
        raise Invalid(field, f"{beyond[0]!r} is more than what this was granted for.")
