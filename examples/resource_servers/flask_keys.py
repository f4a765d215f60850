"""A service that verifies Keyturn's access tokens by itself, with the published keys (Flask and Authlib).

    KEYTURN=https://keyturn.example.com SERVICE_ID=<this service's id> flask --app flask_keys run

Fast, and independent of Keyturn while it runs; a token that was revoked is good for up to five minutes more.
"""

from __future__ import annotations

import os
import time
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from flask import Flask

KEYTURN, SERVICE_ID = os.environ["KEYTURN"], os.environ["SERVICE_ID"]
KEYS_SECONDS = 900  # as Keyturn's Cache-Control says


class KeyturnTokens(JWTBearerTokenValidator):  # type: ignore[misc]
    """Checks signature, issuer, audience and expiry."""

    _keys: dict[str, Any] | None = None
    _fetched = 0.0

    def get_jwks(self) -> dict[str, Any]:
        """The published keys, remembered for a while."""
        if self._keys is None or time.monotonic() - self._fetched > KEYS_SECONDS:
            metadata = requests.get(f"{KEYTURN}/.well-known/oauth-authorization-server", timeout=5).json()
            self._keys = requests.get(metadata["jwks_uri"], timeout=5).json()
            self._fetched = time.monotonic()
        return self._keys


app = Flask(__name__)
protected = ResourceProtector()
protected.register_token_validator(KeyturnTokens(issuer=KEYTURN, resource_server=SERVICE_ID))


@app.get("/jobs")
@protected()
def jobs() -> dict[str, str]:
    """Only for who has a token for this service."""
    return {"asked_by": current_token["sub"]}
