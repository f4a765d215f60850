"""Requests to addresses that somebody else chose, without being led into our own network.

Source: OWASP's page on Server-Side Request Forgery. The name is resolved once, every address that it has must
be a public one, and the connection goes to the address that was looked at; redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 16 * 1024


class Unreachable(Exception):
    """There was no answer that could be used; the message says why, in words that may be shown."""


class GuardedClient:
    """`internal`: names of hosts that an operator expects inside the network. `seconds` are for a whole answer, of
    which at most `most` bytes are read."""

    def __init__(self, internal: frozenset[str], seconds: float, most: int) -> None:
        self._internal = internal
        self._seconds = seconds
        self._most = most
        self._tls = ssl.create_default_context()

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer from this https address (or http, of an internal host). Raises Unreachable."""
        ends = time.monotonic() + self._seconds
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)
        except ValueError:  # a host or port that is none
            raise Unreachable(f"{url[:200]} is not an address") from None
        plain = parts.scheme == "http" and host in self._internal
        if not (plain or parts.scheme == "https") or not host or parts.username is not None or parts.fragment:
            raise Unreachable(f"{url[:200]} is not a plain https address")
        address = self._address(host, port)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        pool = self._pool(host, address, port, plain)
        try:
            response = pool.request(
                method,
                path,
                body=body,
                headers={"Host": host if parts.port is None else f"{host}:{port}", **headers},
                timeout=urllib3.Timeout(total=max(0.1, ends - time.monotonic())),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            return response.status, self._body(response, host, ends)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{host} could not be reached: {type(error).__name__}") from None
        finally:
            pool.close()

    def _pool(self, host: str, address: str, port: int, plain: bool) -> urllib3.HTTPConnectionPool:
        if plain:
            return urllib3.HTTPConnectionPool(address, port, maxsize=1)
        return urllib3.HTTPSConnectionPool(
            address, port, ssl_context=self._tls, server_hostname=host, assert_hostname=host, maxsize=1
        )

    def _address(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unreachable(f"the host {host[:100]} cannot be resolved") from None
        addresses = [str(info[4][0]) for info in found]
        if host not in self._internal and not all(map(is_public, addresses)):
            raise Unreachable(f"the host {host[:100]} is in a private network")
        return addresses[0]

    def _body(self, response: urllib3.BaseHTTPResponse, host: str, ends: float) -> bytes:
        """All of it, within the limits: a slow drip is cut off too. Compression could hide its size, and is not
        read."""
        body = b""
        while chunk := response.read1(CHUNK, decode_content=False):
            body += chunk
            if len(body) > self._most:
                raise Unreachable(f"{host} answered with more than {self._most} bytes")
            if time.monotonic() > ends:
                raise Unreachable(f"{host} took longer than {self._seconds:g} seconds")
        return body


# IPv6 addresses that end with an IPv4 address: NAT64 (RFC 6052), and IPv4-translated ones (RFC 2765 section 2.1).
EMBEDDING = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::ffff:0:0:0/96")))
# Not on the internet, though not every version of Python says so: NAT64 inside of a network (RFC 8215), site-local
# addresses (RFC 3879), and IPv4-compatible ones (RFC 4291 section 2.5.5.1), which nobody should use any more.
LOCAL = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "fec0::/10", "::/96")))


def is_public(address: str) -> bool:
    """Whether this address is out on the internet, also behind the ways to write an IPv4 address as IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if any(parsed in network for network in EMBEDDING):
            return is_public(str(ipaddress.IPv4Address(parsed.packed[-4:])))
        if any(parsed in network for network in LOCAL):
            return False
    return parsed.is_global and not parsed.is_multicast
