"""A service that asks Keyturn about every token (Flask and Authlib), and answers nginx's `auth_request`.

    KEYTURN=https://keyturn.example.com SERVICE_ID=… SERVICE_SECRET=kts_… flask --app flask_introspection run

Takes permanent tokens as well as access tokens, and knows at once when one was revoked.
"""

from __future__ import annotations

import os
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from flask import Flask, Response

KEYTURN = os.environ["KEYTURN"]
SERVICE = os.environ["SERVICE_ID"], os.environ["SERVICE_SECRET"]


class KeyturnTokens(IntrospectTokenValidator):  # type: ignore[misc]
    """One question for each request, over a connection that is kept."""

    session = requests.Session()

    def introspect_token(self, token_string: str) -> dict[str, Any]:
        """What Keyturn says of the token."""
        answer = self.session.post(
            f"{KEYTURN}/api/rest/oauth2/introspect", data={"token": token_string}, auth=SERVICE, timeout=5
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


app = Flask(__name__)
protected = ResourceProtector()
protected.register_token_validator(KeyturnTokens())


@app.get("/jobs")
@protected()
def jobs() -> dict[str, str]:
    """Only for who has a token for this service."""
    # Know callers by `sub`: a login can be changed, and can come to mean somebody else.
    return {"asked_by": current_token["sub"]}


@app.get("/check")
@protected()
def check() -> Response:
    """For nginx: 204 lets the request through, 401 does not; who asks goes along."""
    return Response(status=204, headers={"X-Account": current_token["sub"]})
