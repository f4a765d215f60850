"""One request with its parameters, as the OAuth 2.0 endpoints and the pages read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.composition.keyturn import keyturn
from chalicelib.core.common.errors import Invalid
from chalicelib.web.headers import REPEATED, form_pairs, origin_of

if TYPE_CHECKING:
    from chalice.app import Request

    from chalicelib.composition.keyturn import Keyturn
    from chalicelib.composition.oauth import OAuth
    from chalicelib.core.common.origin import Origin

MAX_FIELDS = 300  # as many permissions as a role can have, and more

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FormRequest:
    """`pairs` are the parameters that the method carries: the form's of a POST, else the query's."""

    http: Request
    origin: Origin
    keyturn: Keyturn
    pairs: Pairs
    headers: dict[str, str] = field(default_factory=dict)  # of the answer, besides those that every answer has

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
            raise Invalid(name, REPEATED)
        return values[0] if values else None

    def asked(self, name: str) -> str | None:
        """A parameter of the address; None for a form, which changes something and shows the beginning of what it
        changed. Raises Invalid."""
        return self.value(name) if self.http.method == "GET" else None

    def values(self, name: str) -> list[str]:
        """A parameter that may come several times."""
        return [text for key, text in self.pairs if key == name and text]


def read(request: Request) -> FormRequest:
    """The request. Raises Invalid, UnsupportedMediaType or BodyTooLarge."""
    pairs = _form(request) if request.method == "POST" else _query(request)
    return FormRequest(request, origin_of(request), keyturn(), pairs)


def _query(request: Request) -> Pairs:
    parameters = request.query_params
    return [(name, text) for name in parameters for text in parameters.getlist(name)] if parameters else []


def _form(request: Request) -> Pairs:
    # Browsers send every line end of a text area so (WHATWG HTML, "constructing the entry list").
    return [(name, text.replace("\r\n", "\n")) for name, text in form_pairs(request, MAX_FIELDS)]


def lines(text: str) -> list[str]:
    """What is said one to a line; empty lines say nothing."""
    return [line.strip() for line in text.splitlines() if line.strip()]
