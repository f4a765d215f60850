"""AWS's signature of a request to DynamoDB (Signature Version 4), for the one call that is made most.

Source: "Create a signed AWS API request" in AWS's Identity and Access Management User Guide. botocore signs any request
of any service, and takes several times as long; a test holds both equal.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.credentials import ReadOnlyCredentials

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "dynamodb"


class Signer:
    """Signs requests to one host of one region. Keeps the day's key, which takes four HMACs to make."""

    def __init__(self, region: str, host: str) -> None:
        self._region = region
        self._host = host
        self._made_for: tuple[str | None, str] | None = None
        self._key = b""

    def headers(
        self, credentials: ReadOnlyCredentials, path: str, headers: dict[str, str], body: bytes, now: datetime
    ) -> dict[str, str]:
        """All headers of a POST of `body` to `path`. `headers` are those that are to be signed besides, with names in
        lower case; `now` is in UTC."""
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        signed = {**headers, "host": self._host, "x-amz-date": stamp}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        request = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/{SERVICE}/aws4_request"
        text = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = _mac(self._key_of(credentials.secret_key, stamp[:8]), text).hex()
        credential = f"{ALGORITHM} Credential={credentials.access_key}/{scope}"
        signed["authorization"] = f"{credential}, SignedHeaders={names}, Signature={signature}"
        return signed

    def _key_of(self, secret: str | None, day: str) -> bytes:
        if self._made_for != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, SERVICE, "aws4_request"):
                key = _mac(key, part)
            self._key, self._made_for = key, (secret, day)  # in this order: another thread may look in between
        return self._key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
