"""Connected services: what tokens are good for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS, permission_id
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.directory import grant_types
from chalicelib.core.secrets.previous_secrets import PreviousSecret, RetiredSecret, Secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.directory.grant_types import GrantType
    from chalicelib.core.secrets.hashing import HashedSecret

MAX_PERMISSIONS = 100
MAX_GROUPS = 50
MAX_SERVICES = 1_000  # that somebody without Read Service has searched for what a group lets them see
MAX_URL = 500
MAX_ADDRESSES = 50
MAX_DEFAULT_ROLES = 50
LOOPBACK_FORM = r"http://(?P<host>127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(?P<rest>/[\x21\x22\x24-\x7e]*)?"
REDIRECT_FORM = (
    r"(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1|\[::1\]))"
    r"(:[0-9]{1,5})?([/?][\x21\x22\x24-\x7e]*)?"
)
URL_FORM = r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][\x21-\x7e]*)?"


@dataclass(frozen=True, slots=True)
class DeclaredPermission:
    """A permission that a service declares; `id` is what roles refer to."""

    id: str
    key: str
    name: str

    @classmethod
    def of(cls, service_id: str, key: str, name: str) -> DeclaredPermission:
        """The permission `key` of the service."""
        return cls(permission_id(service_id, key), key, name)


@dataclass(frozen=True, slots=True)
class Service:
    """A service that asks about tokens. Keyturn itself has no secret: it asks nobody."""

    id: str
    key: str
    name: str
    created: int
    application_name: str | None = None  # what kind of service it is: several may be of one kind
    vendor: str | None = None
    version: str | None = None
    home_url: str | None = None
    base_urls: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()  # where OAuth 2.0 may send a browser back to
    grant_types: tuple[GrantType, ...] = grant_types.DEFAULT
    public: bool = False  # it runs where it cannot keep a secret: in a browser, or on its user's machine
    icon_url: str | None = None
    trusted: bool = False  # users are not asked whether it may act for them
    default_roles: tuple[str, ...] = ()  # ids of roles that come with it, to be granted by administrators
    permissions: tuple[DeclaredPermission, ...] = ()
    groups: tuple[str, ...] = ()  # whose members may see it without the permission Read Service
    secret: HashedSecret | None = None
    secret_renewed: int | None = None  # when the current one was made, if it is not the first
    previous_secrets: tuple[PreviousSecret[HashedSecret], ...] = ()  # oldest first
    retired_secrets: tuple[RetiredSecret[HashedSecret], ...] = ()  # that have ended; the last MAX_RETIRED
    policy: Policy | None = None  # for the tokens that are for this service
    redirects_changed: int = 0  # when it was last said, in milliseconds, who gets its codes, and by which grants
    revision: int = 1

    @property
    def secrets(self) -> Secrets[HashedSecret] | None:
        """All its secrets; None for Keyturn itself."""
        if self.secret is None:
            return None
        since = self.created if self.secret_renewed is None else self.secret_renewed
        return Secrets(self.secret, since, self.previous_secrets, self.retired_secrets)

    def with_secrets(self, secrets: Secrets[HashedSecret]) -> Service:
        """With these, as its next revision."""
        return replace(
            self,
            secret=secrets.current,
            secret_renewed=None if secrets.since == self.created else secrets.since,
            previous_secrets=secrets.previous_secrets,
            retired_secrets=secrets.retired_secrets,
            revision=self.revision + 1,
        )

    def redirects_to(self, uri: str) -> bool:
        """Whether a browser may be sent there: exactly an address that is registered (RFC 9700 section 4.1.3).

        Only a program on its user's own machine may choose the port, where it listens on a loopback address
        (RFC 8252 section 7.3).
        """
        if uri in self.redirect_uris:
            return True
        loopback = re.fullmatch(LOOPBACK_FORM, uri, re.ASCII) if self.public else None
        if loopback is None:
            return False
        registered = (re.fullmatch(LOOPBACK_FORM, each, re.ASCII) for each in self.redirect_uris)
        return any(each.group("host", "rest") == loopback.group("host", "rest") for each in registered if each)


def keyturn_service(now: int) -> Service:
    """Keyturn as one of its own services: a token needs it in its scope to use this API."""
    declared = (
        DeclaredPermission.of(KEYTURN, id.removeprefix(f"{KEYTURN}:"), name) for id, name in KEYTURN_PERMISSIONS.items()
    )
    return Service(id=KEYTURN, key="keyturn", name="Keyturn", created=now, permissions=tuple(declared))


def addresses(values: Sequence[str], field: str) -> tuple[str, ...]:
    """Valid http(s) addresses, each once, in the order given. Raises Invalid."""
    if len(values) > MAX_ADDRESSES:
        raise Invalid(field, f"may have at most {MAX_ADDRESSES} entries.")
    return tuple(dict.fromkeys(address(value, f"{field}[{index}]") for index, value in enumerate(values)))


def redirect_uris(values: Sequence[str], field: str = "redirectUris") -> tuple[str, ...]:
    """Valid addresses to send a browser to. Raises Invalid. Sources: RFC 6749 section 3.1.2 (no fragment), RFC 9700
    section 2.6 (https, but for loopback addresses)."""
    for index, value in enumerate(addresses(values, field)):
        if not re.fullmatch(REDIRECT_FORM, value, re.ASCII):
            raise Invalid(f"{field}[{index}]", "must be an https address (or http on localhost) without a fragment.")
    return tuple(dict.fromkeys(values))


def address(value: str, field: str) -> str:
    """A valid http(s) address, as given. Raises Invalid."""
    if len(value) > MAX_URL or not re.fullmatch(URL_FORM, value, re.ASCII):
        raise Invalid(field, f"must be an http or https address of at most {MAX_URL} ASCII characters.")
    return value
