"""A platform's identity token is traded for an access token of a bot (RFC 7523), and again before that ends."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import TOKEN, Api
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.patience import Patience

if TYPE_CHECKING:
    from keyturn_cli.identity import Source

REVOCATION = "/api/rest/oauth2/revoke"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KEYTURN = "0-0-0-0-0"  # as a service, in a scope
EARLY_SECONDS = 60  # before an access token ends, it is replaced
END_SECONDS = 3
LONGEST_CLAIM = 255


@dataclass
class Federation:
    """A bot at one installation, and how its pipeline proves who it is. Nothing is stored."""

    address: str
    account: str
    source: Source
    scope: str | None = KEYTURN
    _token: str = field(default="", repr=False)
    _ends: float = 0.0  # on the monotonic clock

    def token(self, patience: Patience) -> str:
        """The access token, a new one if the last is about to end: the source is asked anew, since an identity token
        seldom lives as long as a job. Raises Problem."""
        if time.monotonic() >= self._ends - EARLY_SECONDS:
            began = time.monotonic()
            answer = self.trade(patience)
            self._token, self._ends = answer["access_token"], began + answer["expires_in"]
        return self._token

    def end(self) -> None:
        """Give the access token back (RFC 7009). If that cannot be done at once, it ends by itself in minutes."""
        if self._token:
            with contextlib.suppress(Problem):
                Api(self.address, None, Patience(END_SECONDS)).form(REVOCATION, [("token", self._token)])
            self._token, self._ends = "", 0.0

    def trade(self, patience: Patience) -> dict[str, Any]:
        """What the token endpoint gives. Raises Problem."""
        api = Api(self.address, None, patience)
        assertion = self.source.token(patience)
        claims = _claims(assertion)
        if claims is None:
            raise Problem(f"What is there ({self.source.found()}) is no identity token.", ExitCode.NOT_LOGGED_IN)
        fields = [("grant_type", JWT_BEARER), ("assertion", assertion), ("account", self.account)]
        fields += [("scope", self.scope)] if self.scope else []
        status, answer = api.form(TOKEN, fields)
        if status >= 500 or status == 429:
            raise Problem(f"{self.address} cannot answer now ({status}). Try again.", ExitCode.UNREACHABLE)
        if status != 200 or not _is_whole(answer):
            told = answer.get("error_description") if isinstance(answer, dict) else None
            told = told if isinstance(told, str) else f"The server answered with {status}."
            raise Problem(f"{told} {self._described(claims)}", ExitCode.NOT_LOGGED_IN)
        return dict(answer)

    def _described(self, claims: dict[str, Any]) -> str:
        """What a trust rule has to say of such a token, or that it has ended; never the token."""
        ends = claims.get("exp")
        if isinstance(ends, int | float) and ends < time.time():
            late = round(time.time() - ends)
            return f"The identity token ({self.source.found()}) ended {late} s ago. {_NEW[self.source.found()]}"
        told = ", ".join(f"{name} {_line(claims.get(name))}" for name in ("iss", "aud", "sub"))
        return f"The identity token ({self.source.found()}) has {told}."


_AT_ITS_START = "The platform makes it when the job starts: trade it earlier, or let it live longer there."
_NEW = {
    "github": "Try again.",
    "aws": "Try again, and look at this machine's clock.",
    "kubernetes": "The kubelet replaces the file in time: look whether it still can.",
    "gitlab": _AT_ITS_START,
    "aap": _AT_ITS_START,
    "variable": _AT_ITS_START,
    "file": "Whoever writes the file has to replace it.",
}


def _is_whole(answer: Any) -> bool:
    return (
        isinstance(answer, dict)
        and isinstance(answer.get("access_token"), str)
        and isinstance(answer.get("expires_in"), int)
    )


def _claims(assertion: str) -> dict[str, Any] | None:
    """What the token says, unverified; None if it is none (RFC 7519 section 7.2)."""
    parts = assertion.split(".")
    if len(parts) != 3 or not all(parts) or not assertion.isascii():
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _line(value: object) -> str:
    text = "none" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)[:LONGEST_CLAIM]
