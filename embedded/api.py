"""A client of the REST API, as short as the local run needs it."""

from collections.abc import Mapping
from typing import Any

import requests

TIMEOUT_SECONDS = 30


class Api:
    """Calls with an administrator's token."""

    def __init__(self, url: str, token: str) -> None:
        self._root = f"{url}/api/rest"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One request; the answer may be a refusal."""
        return self._session.request(method, self._root + path, json=body, timeout=TIMEOUT_SECONDS)

    def get(self, path: str) -> Any:
        """The JSON answer. Raises requests.HTTPError for a refusal."""
        return _checked(self.call("GET", path))

    def post(self, path: str, body: Mapping[str, Any] | None) -> Any:
        """The JSON answer. Raises requests.HTTPError for a refusal."""
        return _checked(self.call("POST", path, body))


def introspect(url: str, service: str, secret: str, token: str) -> Any:
    """What a service is told of a token (RFC 7662)."""
    answer = requests.post(
        f"{url}/api/rest/oauth2/introspect", auth=(service, secret), data={"token": token}, timeout=TIMEOUT_SECONDS
    )
    return _checked(answer)


def _checked(answer: requests.Response) -> Any:
    answer.raise_for_status()
    return answer.json()
