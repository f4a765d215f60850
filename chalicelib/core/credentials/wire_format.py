"""What a secret looks like on the wire.

    ktp_ <user id: 12> <token id: 12> <secret: 43> <checksum: 6>      a permanent token
    kta_ <user id: 12> <password id: 12> <secret: 43> <checksum: 6>   an application password
    kss_ <user id: 12> <session id: 12> <secret: 43> <checksum: 6>    a session
    kts_ <service id: 12> <secret: 43> <checksum: 6>                  a service's secret

Prefix and checksum let a scanner recognise a leaked secret without false alarms and let the server
refuse a mistyped one without asking the database. The ids are where the record is found, in one
read. The 43 characters of base 62 are 256 bits. Nothing but letters and digits follows the prefix,
so that a double-click selects the whole. ADR 2 has the reasons.
"""

import re
import zlib
from dataclasses import dataclass
from enum import Enum

from chalicelib.core.identifiers import ID_LENGTH, base62, random_text

SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6  # 62**6 > 2**32


def _checksum(text: str) -> str:
    return base62(zlib.crc32(text.encode("ascii")), CHECKSUM_LENGTH)


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One kind of secret: its prefix, and how many ids stand between prefix and secret."""

    prefix: str
    ids: int

    @property
    def pattern(self) -> str:
        """A regular expression for scanners; a match still has to pass the checksum."""
        length = self.ids * ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH
        return f"{self.prefix}[0-9A-Za-z]{{{length}}}"

    def issue(self, *ids: str) -> str:
        """A new secret for the record found under `ids`."""
        body = self.prefix + "".join(ids) + random_text(SECRET_LENGTH)
        return body + _checksum(body)

    def parse(self, presented: str) -> tuple[str, ...] | None:
        """The ids in `presented`, or None if it is not such a secret (wrong shape or checksum)."""
        if not re.fullmatch(self.pattern, presented, re.ASCII):
            return None
        if _checksum(presented[:-CHECKSUM_LENGTH]) != presented[-CHECKSUM_LENGTH:]:
            return None
        start = len(self.prefix)
        return tuple(presented[start + i * ID_LENGTH : start + (i + 1) * ID_LENGTH] for i in range(self.ids))


SERVICE_SECRET = WireFormat(prefix="kts_", ids=1)


class CredentialKind(Enum):
    """What an account can hold and present by itself."""

    PERMANENT_TOKEN = WireFormat(prefix="ktp_", ids=2)
    APPLICATION_PASSWORD = WireFormat(prefix="kta_", ids=2)
    SESSION = WireFormat(prefix="kss_", ids=2)

    def issue(self, user_id: str, id: str) -> str:
        """A new secret for this credential."""
        wire_format: WireFormat = self.value
        return wire_format.issue(user_id, id)


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
