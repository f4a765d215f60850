"""One request as Authlib reads it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

from chalicelib.web.headers import basic_pair

if TYPE_CHECKING:
    from chalice.app import Request

    from chalicelib.web.request import FormRequest, Pairs


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
    """What Authlib works on; `form_request` is ours."""

    def __init__(self, form_request: FormRequest) -> None:
        path = form_request.http.context.get("path", form_request.http.path)
        super().__init__(
            form_request.http.method, form_request.oauth.issuer + str(path), headers=_headers(form_request.http)
        )
        self.form_request = form_request
        self.payload = Payload(form_request.pairs)

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
