"""What is read from a request as such: where it comes from, its headers and its body; and what headers say in
answers."""

from __future__ import annotations

import base64
import binascii
import time
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from chalicelib.composition.keyturn import keyturn
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.origin import Origin, agent
from chalicelib.web import errors

if TYPE_CHECKING:
    from chalice.app import Request

MAX_BODY_BYTES = 64 * 1024
FORM = "application/x-www-form-urlencoded"
REPEATED = "must not be repeated."  # of a parameter that may come once (RFC 6749 section 3.1)


def sunset(secret_ends: int | None) -> dict[str, str]:
    """The header that tells whoever still uses an earlier secret when that ends (RFC 8594); in milliseconds since the
    epoch."""
    return {} if secret_ends is None else {"Sunset": formatdate(secret_ends / 1000, usegmt=True)}


def basic_pair(encoded: str) -> tuple[str, str] | None:
    """The two parts of HTTP Basic (RFC 7617 section 2), or None if it is none."""
    try:
        first, colon, second = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (first, second) if colon else None


def raw_body(request: Request, media_type: str, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body, if it has this media type. Raises UnsupportedMediaType or BodyTooLarge."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise errors.UnsupportedMediaType(f"Content-Type: must be {media_type}.")
    raw = request.raw_body
    raw = raw.encode() if isinstance(raw, str) else raw
    if len(raw) > max_bytes:
        raise errors.BodyTooLarge(f"body: may have at most {max_bytes} bytes.")
    return raw


def form_pairs(request: Request, most: int) -> list[tuple[str, str]]:
    """The fields of a form, at most so many, in their order. Raises Invalid, UnsupportedMediaType or BodyTooLarge."""
    try:
        return parse_qsl(raw_body(request, FORM).decode(), keep_blank_values=True, max_num_fields=most)
    except (UnicodeDecodeError, ValueError):
        raise Invalid("body", f"must be a form with at most {most} fields in UTF-8.") from None


def origin_of(request: Request) -> Origin:
    """When and where the request comes from: who asked the gateway or, if that is a trusted proxy, who asked the
    proxy. A header alone says nothing."""
    address = request.context.get("identity", {}).get("sourceIp") or "unknown"
    proxies = keyturn().settings.trusted_proxies
    if proxies:
        from chalicelib.core.common.networks import client_behind

        address = client_behind(address, request.headers.get("x-forwarded-for", ""), proxies)
    return Origin(time.time_ns() // 1_000_000, address, agent(request.headers.get("user-agent")))
