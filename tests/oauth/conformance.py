"""What the standards demand of an authorization server, and which tests show that Keyturn does it.

    python -m tests.oauth.conformance      writes docs/reference/oauth-conformance.md anew

A test says `@covers("6749-4.1.2-once")`. `test_conformance` fails if a demand has no test, or if the table in the
documentation is not what the tests say.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import tests.oauth
from embedded.layout import PROJECT

PAGE = PROJECT / "docs" / "reference" / "oauth-conformance.md"
T = TypeVar("T", bound=Callable[..., Any])
covered: dict[str, list[str]] = {}


@dataclass(frozen=True)
class Demand:
    """A MUST or MUST NOT (or REQUIRED) that applies to an authorization server, in our own words."""

    rfc: int
    section: str
    name: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.rfc}-{self.section}-{self.name}"


def covers(*ids: str) -> Callable[[T], T]:
    """Marks a test as showing that these demands are kept."""

    def mark(test: T) -> T:
        for id in ids:
            assert id in BY_ID, f"there is no demand {id!r}"
            place = Path(inspect.getfile(test)).relative_to(PROJECT)
            entry = f"[`{test.__name__}`](../../{place})"
            if entry not in covered.setdefault(id, []):
                covered[id].append(entry)
        return test

    return mark


TITLES = {
    6749: "The OAuth 2.0 Authorization Framework",
    7636: "Proof Key for Code Exchange",
    7009: "Token Revocation",
    7662: "Token Introspection",
    8414: "Authorization Server Metadata",
    8628: "Device Authorization Grant",
    8693: "Token Exchange",
    9068: "JWT Profile for Access Tokens",
    9207: "Authorization Server Issuer Identification",
    9700: "Best Current Practice for OAuth 2.0 Security",
    7523: "JWT Profile for Authorization Grants",
}

_TEXTS: dict[int, list[tuple[str, str, str]]] = {
    6749: [
        ("2.3", "one-method", "Clients with a secret are authenticated, by one method per request."),
        ("2.3.1", "basic", "HTTP Basic is supported for clients that have a secret."),
        ("2.3.1", "brute-force", "A secret at an endpoint with passwords is protected from brute force."),
        ("3.1", "resource-owner", "The user's identity is verified first at the authorization endpoint."),
        ("3.1", "get", "The authorization endpoint supports GET."),
        ("3.1", "empty", "A parameter without a value counts as left out."),
        ("3.1", "unknown", "Parameters that are not known are ignored."),
        ("3.1", "repeated", "No parameter may come more than once at the authorization endpoint."),
        ("3.1.1", "response-type", "A missing or unknown response_type is an error."),
        ("3.1.2", "absolute", "A redirect URI is absolute and has no fragment."),
        ("3.1.2", "query-kept", "A query in the redirect URI is kept when parameters are added."),
        ("3.1.2.3", "choose", "With several registered addresses, the request must name one."),
        ("3.1.2.4", "no-redirect", "The browser is never sent to an address that is not valid for the client."),
        ("3.2", "post", "Tokens are issued to POST requests only."),
        ("3.2", "repeated", "No parameter may come more than once at the token endpoint."),
        ("3.2.1", "authenticate", "Confidential clients authenticate at the token endpoint."),
        (
            "3.3",
            "scope",
            "An unknown scope is refused; the answer names the scope if it differs from the requested one.",
        ),
        ("4.1.2", "short", "A code ends shortly after it was issued."),
        ("4.1.2", "once", "A code works once; used again, it is refused, and the tokens issued for it are revoked."),
        ("4.1.2", "bound", "A code is bound to its client and its redirect URI."),
        ("4.1.2", "state", "state comes back exactly as it was sent, also with errors."),
        ("4.1.2.1", "denied", "A denial comes back as access_denied."),
        ("4.1.3", "client", "A code is redeemed by the client that it was issued to."),
        ("4.1.3", "redirect", "The redirect URI of the token request equals that of the authorization request."),
        ("4.4", "confidential", "Client credentials are for confidential clients only."),
        ("5.1", "no-store", "An answer with tokens forbids caching."),
        ("5.1", "members", "It has access_token and token_type."),
        ("5.2", "errors", "Errors are JSON with the codes of the standard, status 400, or 401 for the client."),
        ("5.2", "challenge", "A client that failed by HTTP Basic gets 401 with WWW-Authenticate."),
        ("6", "bound", "A refresh token is bound to its client, and checked with it."),
        ("6", "scope", "Refreshing never gets more scope than was granted."),
        ("6", "same-scope", "A new refresh token has the scope of the old one."),
        ("10.3", "short-scope", "Access tokens cannot be forged, changed or guessed."),
        ("10.4", "confidential", "Refresh tokens cannot be forged, changed or guessed, and are stored as hashes."),
        ("10.5", "short-once", "Codes are short-lived and work once."),
        ("10.6", "redirect-match", "The redirect URIs of both requests are the same, and registered."),
        ("10.10", "entropy", "Secrets are too random to be guessed (2^-128 at most)."),
        ("10.12", "csrf", "Consent is protected from cross-site request forgery."),
    ],
    7636: [
        ("4.3", "s256", "S256 is supported."),
        ("4.4", "associated", "Challenge and method are kept with the code."),
        ("4.4.1", "error", "A request without a challenge is refused with invalid_request."),
        ("4.6", "verify", "A verifier that does not match is refused with invalid_grant."),
    ],
    7009: [
        ("2", "https", "The metadata name the endpoint, with an https address."),
        ("2.1", "client", "The client is authenticated first, and only its own tokens are revoked."),
        ("2.1", "at-once", "A revoked token is refused at once."),
        ("2.1", "refresh", "Refresh tokens can be revoked, and the access tokens of the same grant end too."),
        ("2.2", "unknown", "An unknown token is answered with 200."),
        ("2.2", "hint", "A wrong or unknown hint changes nothing."),
    ],
    7662: [
        ("2.1", "protected", "The endpoint requires the caller to authenticate."),
        ("2.2", "active", "The answer has active; an inactive token is described no further."),
        ("2.2", "checks", "Expiry, revocation, signature and audience are all checked."),
        ("2.3", "unauthenticated", "Wrong credentials of the caller get 401."),
        ("4", "no-scanning", "A token that is not for the caller looks as if it did not exist."),
    ],
    8414: [
        ("2", "issuer", "issuer is an https address without query and fragment."),
        ("2", "required", "The required members are there, and the methods of authentication."),
        ("3", "well-known", "The metadata are published under /.well-known, as application/json."),
        ("3.3", "same-issuer", "issuer is the address under which it was asked for."),
    ],
    8628: [
        ("3.1", "client", "The client is authenticated, or names itself if it is public."),
        ("3.2", "members", "The answer has device_code, user_code, verification_uri and expires_in."),
        ("3.3", "user", "The user has to log in and to agree."),
        ("3.5", "pending", "Until the user has decided, the answer is authorization_pending."),
        ("3.5", "slow-down", "A device that asks too often is told slow_down, and must wait five seconds longer."),
        ("3.5", "denied", "A denial is access_denied."),
        ("3.5", "expired", "After its end, the code is expired_token."),
        ("5.1", "brute-force", "Guessing user codes is limited."),
        ("5.2", "entropy", "A device code is too random to be guessed."),
    ],
    8693: [
        ("2.1", "subject", "subject_token and subject_token_type are required."),
        ("2.1", "actor-type", "actor_token_type without actor_token is refused."),
        ("2.2.1", "members", "The answer has access_token, issued_token_type and token_type."),
        ("2.2.2", "invalid", "An invalid subject token is refused."),
        ("2.2.2", "target", "An impossible target is invalid_target."),
        ("4.1", "act", "act names who acts now, and nests who acted before."),
    ],
    9068: [
        ("2.1", "signed", "Access tokens are signed, never with none, and by an asymmetric algorithm."),
        ("2.1", "typ", "typ is at+jwt."),
        ("2.2", "claims", "iss, exp, aud, sub, client_id, iat and jti are there."),
        ("2.2.3", "scope", "scope is there where it was asked for."),
        ("3", "audience", "aud names the services that the token is for."),
        ("4", "keys", "The metadata name the address of the keys."),
        ("5", "sub", "sub of a client that acts for itself is no user's."),
    ],
    9207: [
        ("2", "iss", "iss is in the authorization response, also with errors."),
        ("2.4", "metadata", "The metadata say so."),
    ],
    9700: [
        ("2.1", "exact", "Redirect URIs are compared exactly, but for the port of a loopback address."),
        ("2.1", "open-redirect", "The server is no open redirector."),
        ("2.1.1", "pkce", "PKCE is supported, and required of every client."),
        ("2.1.1", "downgrade", "A verifier is required whenever there was a challenge: no downgrade."),
        ("2.2.2", "rotation", "Refresh tokens of public clients are rotated."),
        ("2.4", "password", "The password grant is not offered."),
        ("2.6", "https", "No redirection to http, but for loopback addresses."),
        ("4.4", "mix-up", "Clients can tell from the answer which server it comes from."),
        ("4.12", "303", "Redirects after a form use 303, never 307."),
        ("4.14.2", "replay", "A refresh token that is used again ends the whole grant."),
        ("4.14.2", "bound", "Refresh tokens are bound to the scope and services that were agreed to."),
        ("4.16", "frames", "Pages cannot be framed."),
        ("4.2.4", "referrer", "Pages leak no address by Referer, and load nothing from elsewhere."),
        ("4.15.1", "sub", "A client cannot choose an id that looks like a user's."),
    ],
    7523: [
        ("3", "issuer", "iss is there, and trusted."),
        ("3", "subject", "sub, or another claim, ties the assertion to somebody."),
        ("3", "audience", "aud names whom the assertion is for."),
        ("3", "expiry", "exp is there, and in the future."),
        ("3", "begins", "nbf is respected."),
        ("3", "signature", "The signature is verified with a key of the issuer."),
        ("3.1", "error", "An invalid assertion is invalid_grant."),
    ],
}
DEMANDS = [Demand(rfc, *entry) for rfc, entries in _TEXTS.items() for entry in entries]
BY_ID = {demand.id: demand for demand in DEMANDS}


def load_tests() -> None:
    """Import every test module, which registers what it covers."""
    for module in pkgutil.iter_modules(tests.oauth.__path__):
        if module.name.startswith("test_"):
            importlib.import_module(f"tests.oauth.{module.name}")


def table() -> str:
    """The page of the documentation."""
    lines = [
        "# OAuth 2.0 conformance",
        "",
        "The requirements of the standards, and the tests that show that Keyturn meets them. Made from the tests by",
        "`python -m tests.oauth.conformance`; a test fails if this page is not up to date.",
        "",
        "Listed is every MUST, MUST NOT and REQUIRED that applies to an authorization server and to what Keyturn",
        "offers, in our own words. Keyturn does not offer: the implicit and the password grant, plain PKCE, `resource`",
        "and `actor_token` in a token exchange, request objects.",
    ]
    for rfc in _TEXTS:
        lines += ["", f"## RFC {rfc}: {TITLES[rfc]}", "", "| section | requirement | tests |", "|---|---|---|"]
        for demand in DEMANDS:
            if demand.rfc == rfc:
                shown = ", ".join(sorted(covered.get(demand.id, ["**nothing**"])))
                lines.append(f"| {demand.section} | {demand.text} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    # Not this module as it runs by itself, but the one that the tests know.
    from tests.oauth import conformance

    conformance.load_tests()
    PAGE.write_text(conformance.table())


if __name__ == "__main__":
    main()
