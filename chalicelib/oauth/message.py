"""One request to an endpoint, as Authlib and the pages read it."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

from chalicelib.composition import keyturn
from chalicelib.core.errors import Invalid
from chalicelib.core.origin import Origin
from chalicelib.rest.endpoint import basic_pair, raw_body

if TYPE_CHECKING:
    from chalice.app import Request

    from chalicelib.composition import Keyturn
    from chalicelib.composition_oauth import OAuth

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    """`pairs` are the parameters that the method carries: the form's of a POST, else the query's."""

    request: Request
    origin: Origin
    keyturn: Keyturn
    pairs: Pairs

    @property
    def oauth(self) -> OAuth:
        """The operations. Raises Conflict if this installation is not set up for them."""
        return self.keyturn.oauth

    def value(self, name: str) -> str | None:
        """A parameter, which may come once. RFC 6749 section 3.1: an empty one is as if it were left out.

        Raises Invalid.
        """
        values = [text for key, text in self.pairs if key == name and text]
        if len(values) > 1:
            raise Invalid(name, "must not come more than once.")
        return values[0] if values else None

    def values(self, name: str) -> list[str]:
        """A parameter that may come several times."""
        return [text for key, text in self.pairs if key == name and text]


def read(request: Request) -> Message:
    """The request. Raises Invalid, UnsupportedMediaType or BodyTooLarge."""
    address = request.context.get("identity", {}).get("sourceIp") or "unknown"
    origin = Origin(time.time_ns() // 1_000_000, address)
    pairs = _form(request) if request.method == "POST" else _query(request)
    return Message(request, origin, keyturn(), pairs)


def _query(request: Request) -> Pairs:
    parameters = request.query_params
    return [(name, text) for name in parameters for text in parameters.getlist(name)] if parameters else []


def _form(request: Request) -> Pairs:
    try:
        return parse_qsl(raw_body(request, FORM).decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except (UnicodeDecodeError, ValueError):
        raise Invalid("body", f"must be a form with at most {MAX_FIELDS} fields in UTF-8.") from None


class Payload(OAuth2Payload):  # type: ignore[misc]
    """The parameters, as Authlib asks for them; empty ones are left out (RFC 6749 section 3.1)."""

    def __init__(self, pairs: Pairs) -> None:
        self._lists: defaultdict[str, list[str]] = defaultdict(list)
        for name, text in pairs:
            if text:
                self._lists[name].append(text)

    @property
    def data(self) -> dict[str, str]:
        return {name: texts[0] for name, texts in self._lists.items()}

    @property
    def response_type(self) -> str | None:
        """Authlib repeats an unknown one in its error, which may not hold every character."""
        asked: str | None = super().response_type
        return ascii_text(asked) if asked else None

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._lists


class ProtocolRequest(OAuth2Request):  # type: ignore[misc]
    """What Authlib works on; `message` is ours."""

    def __init__(self, message: Message) -> None:
        path = message.request.context.get("path", message.request.path)
        super().__init__(message.request.method, message.oauth.issuer + str(path), headers=_headers(message.request))
        self.message = message
        self.payload = Payload(message.pairs)

    @property
    def args(self) -> dict[str, str]:
        data: dict[str, str] = self.payload.data
        return data

    @property
    def form(self) -> dict[str, str]:
        data: dict[str, str] = self.payload.data
        return data


def _headers(request: Request) -> dict[str, Any]:
    """As Authlib asks for them; without a malformed Basic, which it does not expect."""
    headers = {name.title(): text for name, text in request.headers.items()}
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic" and basic_pair(encoded) is None:
        del headers["Authorization"]
    return headers


def ascii_text(text: str) -> str:
    """What may stand in `error_description` (RFC 6749 section 5.2): printable ASCII without quote and backslash."""
    plain = text.replace('"', "'").replace("\\", "/")
    return "".join(character if " " <= character <= "~" else "?" for character in plain)
