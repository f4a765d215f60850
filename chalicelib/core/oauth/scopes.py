"""What `scope` and `audience` mean: services by id or key, and what OpenID Connect puts beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.validation import could_be_identifier
from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES
from chalicelib.core.tokens.token import MAX_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.service import Service
    from chalicelib.core.directory.services import Services

OFFLINE_ACCESS = "offline_access"  # OpenID Connect Core section 11: asks for a refresh token
WORDS = CLAIM_SCOPES | {OFFLINE_ACCESS, ""}  # what may stand in a scope and is no service


@dataclass(frozen=True, slots=True)
class RequestedScope:
    """`values` are service ids and claim scopes, each once, in the order given; `services` by id.

    What led to no service is among the values as it was written: whether there is one is told only to who may see it
    (`Scopes.require_visible`). `written` has what the client wrote, by value.
    """

    values: tuple[str, ...]
    services: Mapping[str, Service]
    written: Mapping[str, str]
    offline: bool = False


class Scopes:
    """Turns what clients write into ids."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def requested(self, text: str | None, default: Sequence[str]) -> RequestedScope:
        """The scope that `text` asks for; where it names no service, also the `default` ones.

        Raises Invalid for `scope` (RFC 6749 section 3.3) if it names what could be no service at all.
        """
        references = _references(text, default)
        named = [each for each in references if each not in WORDS]
        for reference in named:
            if not could_be_identifier(reference):
                raise Invalid("scope", f"there is no service {reference[:100]!r}.")
        found = self._services.resolve(named)
        written: dict[str, str] = {}
        for reference in references:
            if reference not in (OFFLINE_ACCESS, ""):
                written.setdefault(found[reference].id if reference in found else reference, reference)
        services = {service.id: service for service in found.values()}
        return RequestedScope(tuple(written), services, written, OFFLINE_ACCESS in references)

    def stored(self, values: Sequence[str]) -> RequestedScope:
        """A scope that was asked for before."""
        services = {service.id: service for service in self.known(values)}
        return RequestedScope(tuple(values), services, {value: value for value in values})

    def narrowed(self, text: str, default: Sequence[str], allowed: Sequence[str]) -> Mapping[str, str]:
        """As `within`, of the references in `text`; where it names no service, also the `default` ones."""
        references = [each for each in _references(text, default) if each not in (OFFLINE_ACCESS, "")]
        return self.within(references, allowed, "scope")

    def within(self, references: Sequence[str], allowed: Sequence[str], field: str) -> Mapping[str, str]:
        """What was written, by the `allowed` value that it names by id or key, in the order given: nothing ever grows.

        Raises Invalid for `field`. Only what is allowed is looked up: the answer is the same whether there is such a
        service elsewhere or not.
        """
        if len(references) > MAX_SCOPE:
            raise Invalid(field, f"may name at most {MAX_SCOPE} services.")
        keys: Mapping[str, str] = {}
        if any(reference not in allowed for reference in references):
            keys = {service.key: service.id for service in self.known(allowed)}
        written: dict[str, str] = {}
        for reference in references:
            value = reference if reference in allowed else keys.get(reference)
            if value is None:
                raise Invalid(field, f"{reference[:100]!r} is not in the granted scope.")
            written.setdefault(value, reference)
        return written

    def known(self, ids: Sequence[str]) -> list[Service]:
        """Those of these services that exist."""
        found = self._services.resolve([id for id in ids if id not in WORDS])
        return [found[id] for id in ids if id in found and found[id].id == id]

    def service(self, reference: str) -> Service | None:
        """The service that this id or key names."""
        return self._services.resolve([reference]).get(reference)

    def sees(self, caller: Caller, service: Service) -> bool:
        """Whether the caller may see this service."""
        return self._services.sees(caller, service)

    def require_visible(self, caller: Caller, client: Service, requested: RequestedScope) -> None:
        """Raises Invalid unless every service exists and the caller may see it, except for the client, which the
        caller came from."""
        hidden = self._hidden(caller, client, requested)
        if hidden is not None:
            raise Invalid("scope", f"there is no service {requested.written[hidden]!r} that you may see.")

    def are_visible(self, caller: Caller, client: Service, requested: RequestedScope) -> bool:
        """The same, for a scope of which the caller has not been told."""
        return self._hidden(caller, client, requested) is None

    def _hidden(self, caller: Caller, client: Service, requested: RequestedScope) -> str | None:
        for value in requested.values:
            service = requested.services.get(value)
            if value in CLAIM_SCOPES or value == client.id:
                continue
            if service is None or not self.sees(caller, service):
                return value
        return None


def _references(text: str | None, default: Sequence[str]) -> list[str]:
    references = text.split(" ") if text else []
    if len(references) > MAX_SCOPE:
        raise Invalid("scope", f"may name at most {MAX_SCOPE} services.")
    return [*default, *references] if all(reference in WORDS for reference in references) else references
