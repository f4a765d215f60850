# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How requests travel: by Ansible's `open_url`, or over connections that are kept open."""

from __future__ import annotations

import threading
import time
from collections import namedtuple
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import SSLError
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


class Misconfigured(Exception):
    """An option of the connection makes no sense; `option` names it."""

    def __init__(self, option, message):
        super().__init__(message)
        self.option = option


API = "/api/rest"


def root(url):
    """The address below which the API is, of what a task says: with or without the API's own path. Raises
    Misconfigured."""
    text = url.strip().rstrip("/")
    if text.endswith(API):
        text = text[: -len(API)].rstrip("/")
    try:
        place = urlsplit(text)
        known = place.scheme.lower() in ("http", "https") and place.hostname and (place.port is None or place.port > 0)
    except ValueError:  # a port that is no number, brackets that are no IPv6 address
        known, place = False, None
    if not known or any(ord(character) <= 32 for character in text):
        raise Misconfigured("url", "must be an address such as https://tokens.example.com.")
    if "@" in place.netloc:
        raise Misconfigured("url", "must not hold a user name or password.")
    if place.query or place.fragment:
        raise Misconfigured("url", "must not have anything after its path.")
    return text + API


def require_files(**options):
    """That the files which options name can be read. Raises Misconfigured."""
    for option, path in options.items():
        if path is None:
            continue
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Misconfigured(option, f"the file {path} cannot be read: {reason}.") from None


def _context(validate_certs, ca_path, client_cert, client_key):
    """What TLS is spoken with. Raises Misconfigured."""
    try:
        return make_context(
            cafile=ca_path, validate_certs=validate_certs, client_cert=client_cert, client_key=client_key
        )
    except (SSLError, ValueError, OSError):
        option = "ca_path" if client_cert is None else "client_cert"
        raise Misconfigured(option, "the file is no PEM file with what is wanted there.") from None


class OneByOne:
    """A connection for each request, with all that `open_url` knows of proxies and certificates.

    The credential goes to the address that the task names, and to no other: redirects are not followed, and `.netrc`
    does not put another credential in its place.
    """

    def __init__(self, **options):
        self._options = dict(options, follow_redirects="none", use_netrc=False)
        tls = {name: options.get(name) for name in ("ca_path", "client_cert", "client_key")}
        require_files(**tls)
        if any(tls.values()):
            _context(options.get("validate_certs", True), **tls)

    def send(self, method, url, body, headers, timeout=None):
        """One request; its `Answer`, also a refusal. `timeout`: seconds, in place of the option. Raises Unreachable."""
        options = self._options if timeout is None else dict(self._options, timeout=timeout)
        try:
            with open_url(url, method=method, data=body, headers=headers, http_agent=AGENT, **options) as answer:
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
        require_files(ca_path=ca_path, client_cert=client_cert, client_key=client_key)
        if self._place.scheme.lower() == "https":
            self._tls = _context(validate_certs, ca_path, client_cert, client_key)
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


def wait_of(answer):
    """How many seconds to wait, by its header Retry-After: seconds, or a date (RFC 9110 section 10.2.3). None if it
    does not say."""
    text = (answer.headers.get("Retry-After") or "").strip()
    if text.isdigit():
        return int(text)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max(0, moment - time.time())
