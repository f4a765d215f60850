# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How requests travel: by Ansible's `open_url`, or over connections that are kept open."""

from __future__ import annotations

import threading
from collections import namedtuple
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ansible.module_utils.urls import make_context, open_url

AGENT = "keyturn.hub"

# `headers` is something with `get`; `body` is bytes.
Answer = namedtuple("Answer", ["status", "headers", "body"])


class Unreachable(Exception):
    """No answer came. `nothing_done`: the request cannot have arrived."""

    def __init__(self, reason, nothing_done):
        super().__init__(str(reason))
        self.nothing_done = nothing_done


class OneByOne:
    """A connection for each request, with all that `open_url` knows of proxies and certificates."""

    def __init__(self, **options):
        self._options = options

    def send(self, method, url, body, headers):
        """One request; its `Answer`, also a refusal. Raises Unreachable."""
        try:
            with open_url(url, method=method, data=body, headers=headers, http_agent=AGENT, **self._options) as answer:
                return Answer(answer.getcode(), answer.headers, answer.read())
        except HTTPError as error:
            try:
                return Answer(error.code, error.headers, error.read())
            except (OSError, HTTPException):
                return Answer(error.code, error.headers, b"")
        except (OSError, HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", error)
            raise Unreachable(reason, isinstance(reason, ConnectionRefusedError)) from None


class KeptAlive:
    """One connection for each thread, kept open from one request to the next."""

    def __init__(self, url, validate_certs=True, ca_path=None, timeout=30, client_cert=None, client_key=None):
        self._place = urlsplit(url)
        self._timeout = timeout
        self._tls = None
        if self._place.scheme == "https":
            self._tls = make_context(
                cafile=ca_path, validate_certs=validate_certs, client_cert=client_cert, client_key=client_key
            )
        self._local = threading.local()

    def send(self, method, url, body, headers):
        """One request; its `Answer`, also a refusal. Raises Unreachable."""
        connection = self._connection()
        target = url[url.index(self._place.netloc) + len(self._place.netloc) :]
        try:
            connection.request(method, target, body=body, headers=dict(headers, **{"User-Agent": AGENT}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unreachable(str(error) or type(error).__name__, isinstance(error, ConnectionRefusedError)) from None

    def _connection(self):
        if not hasattr(self._local, "connection"):
            place, port = self._place.hostname, self._place.port
            self._local.connection = (
                HTTPSConnection(place, port, timeout=self._timeout, context=self._tls)
                if self._tls
                else HTTPConnection(place, port, timeout=self._timeout)
            )
        return self._local.connection


def needs_proxy(url):
    """Whether the environment sends requests for this address through a proxy."""
    place = urlsplit(url)
    return place.scheme in getproxies() and not proxy_bypass(place.hostname or "")
