# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Speaks the REST contract of JetBrains Hub, with Keyturn or a Hub at the other end."""

from __future__ import annotations

import json
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote, urlencode

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.urls import open_url

PAGE = 100
ATTEMPTS = 4
LONGEST_WAIT = 30
BUSY = (429, 503)  # the server says that it did nothing
GATEWAY = (502, 504)  # something in between says that it does not know

CONNECTION_ARGUMENTS = {
    "url": {"type": "str", "required": True, "fallback": (env_fallback, ["KEYTURN_URL"])},
    "token": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["KEYTURN_TOKEN"])},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["KEYTURN_CA_PATH"])},
    "timeout": {"type": "int", "default": 30},
}


class RequestRefused(Exception):
    """The server's refusal, or the lack of an answer; `status` is 0 where there was none."""

    def __init__(self, status, message, field=None):
        super().__init__(message)
        self.status = status
        self.field = field


class Client:
    """One account's view of one server."""

    def __init__(self, url, token, validate_certs=True, ca_path=None, timeout=30, sleep=time.sleep):
        self._root = url.rstrip("/") + "/api/rest"
        self._headers = {"Authorization": "Bearer " + token, "Accept": "application/json"}
        self._options = {"validate_certs": validate_certs, "ca_path": ca_path, "timeout": timeout}
        self._sleep = sleep

    @classmethod
    def from_parameters(cls, parameters):
        """A client from the options in `CONNECTION_ARGUMENTS`."""
        return cls(**{name: parameters[name] for name in CONNECTION_ARGUMENTS})

    def get(self, *path, **query):
        """One thing, or None if there is no such thing."""
        try:
            return self._request("GET", path, query)
        except RequestRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    def get_all(self, collection, *path, **query):
        """All members of a collection, page by page."""
        members = []
        while True:
            page = self._request("GET", path, {**query, "$skip": len(members), "$top": PAGE})
            members.extend(page[collection])
            if not page[collection] or len(members) >= page.get("total", len(members)):
                return members

    def post(self, body, *path, **query):
        """Create or update; what the server answers."""
        return self._request("POST", path, query, body)

    def delete(self, *path):
        """Remove; what is gone already is as it should be."""
        try:
            self._request("DELETE", path, {})
        except RequestRefused as refusal:
            if refusal.status != 404:
                raise

    def _request(self, method, path, query, body=None):
        url = "/".join([self._root] + [quote(part, safe="") for part in path])
        if query:
            url += "?" + urlencode(query, safe="$(),")
        data, headers = None, self._headers
        if body is not None:
            data = json.dumps(body).encode()
            headers = dict(headers, **{"Content-Type": "application/json"})
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._send(method, url, data, headers)
            except _Passing as passing:
                # A change whose fate is unknown is not repeated: that is for a person to decide.
                if attempt == ATTEMPTS or not (passing.nothing_done or method == "GET"):
                    raise passing.refusal from None
                self._sleep(min(passing.wait or 2 ** (attempt - 1), LONGEST_WAIT))
        raise AssertionError("unreachable")

    def _send(self, method, url, data, headers):
        place = url.split("?")[0]
        try:
            with open_url(
                url, method=method, data=data, headers=headers, http_agent="keyturn.hub", **self._options
            ) as answer:
                text = answer.read()
        except HTTPError as error:
            refusal = _refusal(error)
            if error.code in BUSY + GATEWAY:
                raise _Passing(refusal, error.code in BUSY, _seconds(error.headers.get("Retry-After"))) from None
            raise refusal from None
        except (OSError, HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", error)
            refusal = RequestRefused(
                0, f"{place} does not answer: {reason}. Check the options url, ca_path and timeout."
            )
            raise _Passing(refusal, isinstance(reason, ConnectionRefusedError), None) from None
        try:
            return json.loads(text) if text else {}
        except ValueError:
            raise RequestRefused(0, f"{place} answers, but not with JSON. Is the option url right?") from None


class _Passing(Exception):
    """Something that may be over soon."""

    def __init__(self, refusal, nothing_done, wait):
        super().__init__(str(refusal))
        self.refusal = refusal
        self.nothing_done = nothing_done
        self.wait = wait


def _refusal(error):
    try:
        body = json.loads(error.read())
        message, field = body["error_description"], body.get("error_field")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, field = f"the server answers {error.code} {error.reason}", None
    if error.code == 401:
        message += " Check the option token."
    return RequestRefused(error.code, message, field)


def _seconds(retry_after):
    return int(retry_after) if retry_after and retry_after.isdigit() else None
