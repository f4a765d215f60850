"""Fetches a JSON document from an address that somebody else chose, without being led into our own network.

Source: OWASP's page on Server-Side Request Forgery. The name is resolved once, every address that it has must
be a public one, and the connection goes to the address that was looked at; redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import urllib3

from chalicelib.core.oauth_ports import IssuerUnreachable

SECONDS = 3.0  # for the whole of one document
MAX_BYTES = 256 * 1024
CHUNK = 16 * 1024


class Fetcher:
    """`internal`: the host names of issuers that an operator expects inside the network."""

    def __init__(self, internal: frozenset[str] = frozenset()) -> None:
        self._internal = internal
        self._tls = ssl.create_default_context()

    def json(self, url: str) -> dict[str, Any]:
        """The JSON object at this https address. Raises IssuerUnreachable."""
        ends = time.monotonic() + SECONDS
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 443
        except ValueError:  # a host or port that is none
            raise IssuerUnreachable(f"{url[:200]} is not an address") from None
        if parts.scheme != "https" or not host or parts.username is not None or parts.fragment:
            raise IssuerUnreachable(f"{url[:200]} is not a plain https address")
        address = self._address(host, port)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        document = self._read(host, address, port, path, ends)
        if not isinstance(document, dict):
            raise IssuerUnreachable(f"{url[:200]} holds no JSON object")
        return document

    def _address(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise IssuerUnreachable(f"the host {host[:100]} is not known") from None
        addresses = [str(info[4][0]) for info in found]
        if host not in self._internal and not all(map(is_public, addresses)):
            raise IssuerUnreachable(f"the host {host[:100]} is inside the network")
        return addresses[0]

    def _read(self, host: str, address: str, port: int, path: str, ends: float) -> object:
        pool = urllib3.HTTPSConnectionPool(
            address, port, ssl_context=self._tls, server_hostname=host, assert_hostname=host, maxsize=1
        )
        headers = {"Host": host if port == 443 else f"{host}:{port}", "Accept": "application/json"}
        try:
            response = pool.request(
                "GET",
                path,
                headers=headers,
                timeout=urllib3.Timeout(total=max(0.1, ends - time.monotonic())),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            if response.status != 200:
                raise IssuerUnreachable(f"{host} answered with {response.status}")
            return json.loads(_body(response, host, ends))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise IssuerUnreachable(f"{host} could not be reached: {type(error).__name__}") from None
        except (ValueError, RecursionError):
            raise IssuerUnreachable(f"{host} did not answer with JSON") from None
        finally:
            pool.close()


def _body(response: urllib3.BaseHTTPResponse, host: str, ends: float) -> bytes:
    """All of it, within the limits: a slow drip is cut off too. Compression could hide its size, and is not read."""
    body = b""
    while chunk := response.read1(CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_BYTES:
            raise IssuerUnreachable(f"{host} answered with more than {MAX_BYTES} bytes")
        if time.monotonic() > ends:
            raise IssuerUnreachable(f"{host} took longer than {SECONDS:g} seconds")
    return body


def is_public(address: str) -> bool:
    """Whether this address is out on the internet, also behind the ways to write an IPv4 address as IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if parsed in ipaddress.ip_network("64:ff9b::/96"):  # NAT64 (RFC 6052)
            return is_public(str(ipaddress.IPv4Address(parsed.packed[-4:])))
    return parsed.is_global and not parsed.is_multicast
