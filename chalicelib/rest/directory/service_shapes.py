"""How services look from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import (
    PERMISSION,
    REFERENCE,
    SECRET,
    SECRET_WAS_SHOWN,
    NamedReference,
    SecretView,
    secret_views,
)

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.service import Service


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service; `secret` only in the answer that creates it."""

    service: Service
    secret: str | None = field(default=None, repr=False)

    def secrets(self) -> list[SecretView]:
        """As `TokenView.secrets`."""
        return secret_views(self.service.secrets)


def _renews_service(caller: Caller, view: ServiceView) -> bool:
    from chalicelib.core.directory.service_secrets import could_renew  # only where it is asked for

    return could_renew(caller, view.service)


HUBS_OF_SERVICES = frozenset({"aliases", "viewers", "resources", "userUriPattern", "groupUriPattern", "verified"})


SERVICE = Shape(
    "service",
    {
        "id": Field(lambda view: view.service.id),
        "type": Field(lambda view: "service"),
        "key": Field(lambda view: view.service.key),
        "name": Field(lambda view: view.service.name),
        "applicationName": Field(lambda view: view.service.application_name, Kind.MAYBE_TEXT),
        "vendor": Field(lambda view: view.service.vendor, Kind.MAYBE_TEXT),
        "version": Field(lambda view: view.service.version, Kind.MAYBE_TEXT),
        "homeUrl": Field(lambda view: view.service.home_url, Kind.MAYBE_TEXT),
        "baseUrls": Field(lambda view: list(view.service.base_urls), Kind.LINES),
        "redirectUris": Field(lambda view: list(view.service.redirect_uris), Kind.LINES),
        "grantTypes": Field(lambda view: [each.value for each in view.service.grant_types], Kind.LINES),
        "public": Field(lambda view: view.service.public, Kind.FLAG),
        "iconUrl": Field(lambda view: view.service.icon_url, Kind.MAYBE_TEXT),
        "trusted": Field(lambda view: view.service.trusted, Kind.FLAG),
        "defaultRoles": Field(
            lambda view: [NamedReference(id, None, "role") for id in view.service.default_roles], Kind.MANY, REFERENCE
        ),
        "permissions": Field(lambda view: list(view.service.permissions), Kind.MANY, PERMISSION),
        "groups": Field(
            lambda view: [NamedReference(id, None, "userGroup") for id in view.service.groups], Kind.MANY, REFERENCE
        ),
        "creationTime": Field(lambda view: view.service.created, Kind.TIME),
        # Hub has none: an answer holds it only if it is asked for.
        "secrets": Field(lambda view: view.secrets(), Kind.MANY, SECRET, in_default=False, readable=_renews_service),
    },
    HUBS_OF_SERVICES,
)


CREATED_SERVICE = Shape(
    "createdservice",
    {
        **SERVICE.fields,
        "secret": Field(lambda view: view.secret, Kind.MAYBE_TEXT, secret=True),
        "notice": Field(
            lambda view: (
                None if view.secret else SECRET_WAS_SHOWN.format(remedy="POST to the service's /secret for a new one")
            ),
            Kind.MAYBE_TEXT,
        ),
    },
)


SERVICE_SECRET_COMPARISON = Shape(
    "servicesecretcomparison",
    {
        "id": Field(lambda compared: compared[0].id),
        "type": Field(lambda compared: "serviceSecretComparison"),
        "current": Field(lambda compared: compared[1], Kind.FLAG),
    },
)
