# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Speaks the REST contract of JetBrains Hub, with Keyturn or a Hub at the other end."""

from __future__ import annotations

import json
import random
import time
from urllib.parse import quote, urlencode

from ansible.module_utils.basic import env_fallback
from ansible_collections.keyturn.hub.plugins.module_utils.transport import KeptAlive, OneByOne, Unreachable, needs_proxy

PAGE = 100
LONGEST_WAIT = 30
BUSY = (429, 503)  # the server says that it did nothing
GATEWAY = (502, 504)  # something in between says that it does not know

CONNECTION_ARGUMENTS = {
    "url": {"type": "str", "required": True, "fallback": (env_fallback, ["KEYTURN_URL"])},
    "token": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["KEYTURN_TOKEN"])},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["KEYTURN_CA_PATH"])},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "use_proxy": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 30},
    "retries": {"type": "int", "default": 3},
}
TLS_ARGUMENTS = ("validate_certs", "ca_path", "client_cert", "client_key", "timeout")


class RequestRefused(Exception):
    """The server's refusal, or the lack of an answer; `status` is 0 where there was none.

    `unknown`: nobody can say whether the change was made.
    """

    def __init__(self, status, message, field=None, unknown=False):
        super().__init__(message)
        self.status = status
        self.field = field
        self.unknown = unknown


class Client:
    """One account's view of one server. `send` is a transport's."""

    def __init__(self, url, token, send, retries=3, sleep=time.sleep):
        self._root = url.rstrip("/") + "/api/rest"
        self._headers = {"Authorization": "Bearer " + token, "Accept": "application/json"}
        self._send = send
        self._retries = retries
        self._sleep = sleep

    @classmethod
    def from_parameters(cls, parameters, kept_alive=False):
        """A client from the options in `CONNECTION_ARGUMENTS`; a proxy is spoken to by `open_url` alone."""
        url, tls = parameters["url"], {name: parameters[name] for name in TLS_ARGUMENTS}
        use_proxy = parameters["use_proxy"]
        if kept_alive and not (use_proxy and needs_proxy(url)):
            transport = KeptAlive(url, **tls)
        else:
            transport = OneByOne(use_proxy=use_proxy, **tls)
        return cls(url, parameters["token"], transport.send, parameters["retries"])

    def get(self, *path, **query):
        """One thing, or None if there is no such thing."""
        try:
            return self._request("GET", path, query, repeat=True)
        except RequestRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    def get_all(self, collection, *path, **query):
        """All members of a collection, page by page."""
        members = []
        while True:
            page = self._request("GET", path, {**query, "$skip": len(members), "$top": PAGE}, repeat=True)
            members.extend(page[collection])
            if not page[collection] or len(members) >= page.get("total", len(members)):
                return members

    def trail(self, collection, *path, **query):
        """All members of a collection that is read by its `after`."""
        members, after = [], None
        while True:
            more = {"after": after} if after else {}
            page = self._request("GET", path, {**query, **more, "$top": PAGE}, repeat=True)
            members.extend(page[collection])
            after = page.get("after")
            if not after:
                return members

    def set(self, body, *path, **query):
        """Change something to what `body` says, which may be said twice; what the server answers."""
        return self._request("POST", path, query, body, repeat=True)

    def create(self, body, *path, **query):
        """Make something, once; what the server answers. Raises RequestRefused, perhaps `unknown`."""
        return self._request("POST", path, query, body)

    def made(self, find, body, *path, **query):
        """Make something that `find()` finds, or None: whatever is there after an answer that was lost was made."""
        for wait in self._waits():
            try:
                return self.create(body, *path, **query)
            except RequestRefused as refusal:
                found = find() if refusal.unknown else None
                if found:
                    return found
                if not refusal.unknown or wait is None:
                    raise
                self._sleep(wait)
        raise AssertionError("unreachable")

    def delete(self, *path):
        """Remove; what is gone already is as it should be."""
        try:
            self._request("DELETE", path, {}, repeat=True)
        except RequestRefused as refusal:
            if refusal.status != 404:
                raise

    def _waits(self):
        """How long to wait after each attempt, in seconds; None after the last."""
        return [2**attempt * random.uniform(0.5, 1) for attempt in range(self._retries)] + [None]

    def _request(self, method, path, query, body=None, repeat=False):
        url = "/".join([self._root] + [quote(part, safe="") for part in path])
        if query:
            url += "?" + urlencode(query, safe="$(),")
        data, headers = None, self._headers
        if body is not None:
            data = json.dumps(body).encode()
            headers = dict(headers, **{"Content-Type": "application/json"})
        for wait in self._waits():
            try:
                return self._once(method, url, data, headers)
            except _Passing as passing:
                # A change whose fate is unknown is repeated only where that does no harm.
                if wait is None or (passing.refusal.unknown and not repeat):
                    raise passing.refusal from None
                self._sleep(min(passing.wait or wait, LONGEST_WAIT))
        raise AssertionError("unreachable")

    def _once(self, method, url, data, headers):
        place = url.split("?")[0]
        try:
            answer = self._send(method, url, data, headers)
        except Unreachable as lost:
            message = f"{place} does not answer: {lost}. Check the options url, ca_path, use_proxy and timeout."
            raise _Passing(RequestRefused(0, message, unknown=not lost.nothing_done), None) from None
        if answer.status >= 300:
            refusal = _refusal(answer)
            if answer.status in BUSY + GATEWAY:
                raise _Passing(refusal, _seconds(answer.headers.get("Retry-After")))
            raise refusal
        try:
            return json.loads(answer.body) if answer.body else {}
        except ValueError:
            raise RequestRefused(0, f"{place} answers, but not with JSON. Is the option url right?") from None


NO_SUCH_PATH = "no_such_path"


class _Passing(Exception):
    """Something that may be over soon."""

    def __init__(self, refusal, wait):
        super().__init__(str(refusal))
        self.refusal = refusal
        self.wait = wait


def _refusal(answer):
    try:
        body = json.loads(answer.body)
        message, field = body["error_description"], body.get("error_field")
        if body.get("error") == NO_SUCH_PATH:  # not the thing is missing, but the API
            return RequestRefused(0, message + " Check the option url.")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, field = f"the server answers {answer.status}.", None
    if answer.status == 401:
        message += " Check the option token."
    return RequestRefused(answer.status, message, field, unknown=answer.status in GATEWAY)


def _seconds(retry_after):
    return int(retry_after) if retry_after and retry_after.isdigit() else None
