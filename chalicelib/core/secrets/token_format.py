"""What a secret looks like on the wire.

    ktp_ <user id: 12> <token id: 12> <secret: 43> <checksum: 6>      a permanent token
    kta_ <user id: 12> <password id: 12> <secret: 43> <checksum: 6>   an application password
    kss_ <user id: 12> <session id: 12> <secret: 43> <checksum: 6>    a session
    kts_ <service id: 12> <secret: 43> <checksum: 6>                  a service's secret
    ktc_ <user id: 12> <code id: 12> <secret: 43> <checksum: 6>       an authorization code
    ktd_ <device's id: 12> <secret: 43> <checksum: 6>                 a device code
    ktr_ <user id: 12> <delegation id: 12> <secret: 43> <signature: 22> <checksum: 6>   a refresh token

Prefix and checksum let a scanner recognise a leaked secret without false alarms and let the server
refuse a mistyped one without asking the database. The ids are where the record is found, in one
read. The 43 characters of base 62 are 256 bits. Nothing but letters and digits follows the prefix,
so that a double-click selects the whole. ADR 2 has the reasons. A refresh token also carries our signature,
by which a superseded one is told from an invented one (`core.oauth.refresh_token_format`).
"""

import re
import zlib
from dataclasses import dataclass
from enum import Enum

from chalicelib.core.common.identifiers import ID_LENGTH, base62, random_text

SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6  # 62**6 > 2**32


def _checksum(text: str) -> str:
    return base62(zlib.crc32(text.encode("ascii")), CHECKSUM_LENGTH)


@dataclass(frozen=True, slots=True)
class TokenFormat:
    """One kind of secret: its prefix, and how many ids stand between prefix and secret."""

    prefix: str
    ids: int
    secret_length: int = SECRET_LENGTH

    @property
    def pattern(self) -> str:
        """A regular expression for scanners; a match still has to pass the checksum."""
        length = self.ids * ID_LENGTH + self.secret_length + CHECKSUM_LENGTH
        return f"{self.prefix}[0-9A-Za-z]{{{length}}}"

    def issue(self, *ids: str) -> str:
        """A new secret for the record found under `ids`."""
        return self.assemble(random_text(self.secret_length), *ids)

    def assemble(self, secret: str, *ids: str) -> str:
        """This secret, for the record found under `ids`, as it is shown."""
        body = self.prefix + "".join(ids) + secret
        return body + _checksum(body)

    def parse(self, presented: str) -> tuple[str, ...] | None:
        """The ids in `presented`, or None if it is not such a secret (wrong shape or checksum)."""
        if not re.fullmatch(self.pattern, presented, re.ASCII):
            return None
        if _checksum(presented[:-CHECKSUM_LENGTH]) != presented[-CHECKSUM_LENGTH:]:
            return None
        start = len(self.prefix)
        return tuple(presented[start + i * ID_LENGTH : start + (i + 1) * ID_LENGTH] for i in range(self.ids))


SIGNATURE_LENGTH = 22  # 62**22 > 2**128

ACCESS_TOKEN_BEGINNING = "eyJ"  # an access token is a JWT, and that begins with a JSON object in base64url
SERVICE_SECRET = TokenFormat(prefix="kts_", ids=1)
AUTHORIZATION_CODE = TokenFormat(prefix="ktc_", ids=2)
DEVICE_CODE = TokenFormat(prefix="ktd_", ids=1)
REFRESH_TOKEN = TokenFormat(prefix="ktr_", ids=2, secret_length=SECRET_LENGTH + SIGNATURE_LENGTH)


BEARER = "Bearer"  # presented alone (RFC 6750)
BASIC = "Basic"  # presented with a login, in place of its password (RFC 7617)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialEntry(TokenFormat):
    """What the registry has of a kind of credential: its form, and what has to be known before a record is read. What
    depends on the record, the record's class says (`verification.ports.Credential`).

    `audit_name` is the kind in audit records, `title` in sentences. `scheme`: by which HTTP scheme it calls Keyturn's
    own API; `token_type`: what a service learns that it is (RFC 7662); each is None where it is not accepted.
    `is_login`: somebody logged in for it, and it ends as logins do. `rotates`: its secret can be rotated, so that
    earlier ones go on for a while, and token policies bind it.
    """

    audit_name: str
    title: str
    scheme: str | None
    token_type: str | None
    is_login: bool = False
    rotates: bool = False


class CredentialKind(Enum):
    """The registry: what an account can hold and present by itself."""

    PERMANENT_TOKEN = CredentialEntry(
        prefix="ktp_",
        ids=2,
        audit_name="permanent-token",
        title="permanent token",
        scheme=BEARER,
        token_type=BEARER,
        rotates=True,
    )
    APPLICATION_PASSWORD = CredentialEntry(
        prefix="kta_",
        ids=2,
        audit_name="application-password",
        title="application password",
        scheme=BASIC,
        token_type=BASIC,
    )
    SESSION = CredentialEntry(
        prefix="kss_", ids=2, audit_name="session", title="session", scheme=BEARER, token_type=None, is_login=True
    )

    def issue(self, user_id: str, id: str) -> str:
        """A new secret for this credential."""
        entry: CredentialEntry = self.value
        return entry.issue(user_id, id)

    def assemble(self, secret: str, user_id: str, id: str) -> str:
        """This secret, for this credential."""
        entry: CredentialEntry = self.value
        return entry.assemble(secret, user_id, id)


def by_scheme(scheme: str) -> tuple[CredentialKind, ...]:
    """The kinds that call Keyturn's own API by this HTTP scheme."""
    return tuple(kind for kind in CredentialKind if kind.value.scheme == scheme)


FOR_SERVICES = tuple(kind for kind in CredentialKind if kind.value.token_type)  # that connected services accept


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """Under what a presented credential is found."""

    kind: CredentialKind
    user_id: str
    id: str


def recognise(presented: str, *kinds: CredentialKind) -> CredentialKey | None:
    """The key in `presented`, or None if it is no credential of these kinds (wrong shape or checksum)."""
    for kind in kinds:
        ids = kind.value.parse(presented)
        if ids:
            return CredentialKey(kind, *ids)
    return None
