"""Access tokens: their form, who believes them, and how they end before their time."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as jose
from joserfc.jwk import ECKey, JWKRegistry
from joserfc.jws import JWSRegistry

from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.oauth.access_tokens import LIFETIME_MS, AccessToken, Source, SourceKind
from chalicelib.core.oauth.jwt import JwtFormat, generate_key
from chalicelib.core.oauth.signing_keys import Algorithm
from tests.conftest import ADDRESS, now
from tests.oauth.calling import call, claims_of
from tests.oauth.conformance import covers
from tests.oauth.conftest import Stage
from tests.rest.calling import Client, basic

KEYS, USER_INFO, REVOKE = "/api/rest/oauth2/keys", "/api/rest/oauth2/userinfo", "/api/rest/oauth2/revoke"
INTROSPECT = "/api/rest/oauth2/introspect"


def header_of(token: str) -> dict[str, Any]:
    encoded = token.split(".")[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return header


@covers("9068-2.1-signed", "9068-2.1-typ", "9068-2.2-claims", "9068-2.2.3-scope", "9068-3-audience", "9068-4-keys")
def test_pyjwt_verifies_one_with_the_published_keys(stage: Stage) -> None:
    token = stage.connect(scope="api web")["access_token"]
    keys = jwt.PyJWKSet.from_dict(call("GET", KEYS).json)
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    key = next(key for key in keys.keys if key.key_id == header["kid"])
    required = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"]
    claims = jwt.decode(
        token, key, algorithms=["ES256"], audience=stage.api.service.id, issuer=ADDRESS, options={"require": required}
    )
    assert set(claims["aud"]) == {stage.api.service.id, stage.web.service.id}
    assert claims["sub"] == stage.person.user.id
    assert claims["client_id"] == stage.web.service.id
    assert claims["exp"] - claims["iat"] == LIFETIME_MS // 1000
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["ES256"], audience=stage.scene.ci.service.id)


def test_no_private_key_is_published(stage: Stage) -> None:
    for key in call("GET", KEYS).json["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


@covers("6749-10.3-short-scope", "7662-2.2-checks")
def test_nothing_that_was_tampered_with_is_believed(stage: Stage) -> None:
    token = stage.connect()["access_token"]
    assert stage.is_active(token)
    head, body, signature = token.split(".")
    claims = claims_of(token)
    public = call("GET", KEYS).json["keys"][0]
    own = ECKey.generate_key("P-256", {"kid": header_of(token)["kid"]})
    pem = JWKRegistry.import_key(public).as_pem(private=False)
    hostile = [
        f"{_encoded({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        f"{_encoded({'alg': 'none', 'typ': 'at+jwt', 'kid': public['kid']})}.{body}.",
        f"{_encoded({'alg': 'NONE', 'typ': 'at+jwt', 'kid': public['kid']})}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{_encoded({**claims, 'sub': 'somebody'})}.{signature}",
        _signed_with_hmac(claims, pem, public["kid"]),
        _signed_with_hmac(claims, json.dumps(public).encode(), public["kid"]),
        jose.encode({"alg": "ES256", "typ": "at+jwt", "kid": public["kid"]}, claims, own, algorithms=["ES256"]),
        jose.encode(
            {"alg": "ES256", "typ": "at+jwt", "jwk": own.as_dict(private=False), "kid": "x"},
            claims,
            own,
            algorithms=["ES256"],
            registry=_anything(),
        ),
        token + "A",
        "eyJ" + "A" * 20_000,
        "eyJ.eyJ.eyJ",
        f"{_encoded({'alg': 'ES256', 'kid': ['a']})}.{body}.{signature}",
        f"{_encoded({'alg': None, 'kid': public['kid']})}.{body}.{signature}",
        base64.urlsafe_b64encode(b'{"a":' + b"[" * 9_000).decode().rstrip("=") + f".{body}.{signature}",
        "eyJ\u00fc",
    ]
    for each in hostile:
        assert stage.introspect(each) == {"active": False}, each
        assert call("GET", USER_INFO, {"authorization": f"Bearer {each}"}).status == 401
        assert Client(each).get("/users/me").status == 401


def test_an_id_token_is_no_access_token(stage: Stage) -> None:
    tokens = stage.connect(scope="api openid")
    assert stage.introspect(tokens["id_token"], stage.web) == {"active": False}
    assert call("GET", USER_INFO, {"authorization": f"Bearer {tokens['id_token']}"}).status == 401


def test_one_of_another_installation_is_not_believed(stage: Stage) -> None:
    """Even if it were signed by the same key: the issuer has to be this one."""
    oauth = stage.scene.product.oauth
    issued = oauth.jwt.read_access_token(stage.connect()["access_token"], now())
    assert issued
    foreign = JwtFormat("https://other.example.com", oauth.signing_keys).sign_access_token(issued)
    assert stage.introspect(foreign) == {"active": False}


def test_one_that_has_expired_is_refused(stage: Stage) -> None:
    tokens = stage.connect()
    check = stage.scene.product.oauth.access_token_check
    assert check.verify(tokens["access_token"], now())
    assert check.verify(tokens["access_token"], now() + LIFETIME_MS + 1000) is None


@covers("7662-2.1-protected", "7662-2.3-unauthenticated")
def test_introspection_is_for_services(stage: Stage) -> None:
    token = stage.connect()["access_token"]
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": basic("api", "wrong")}):
        answer = call("POST", INTROSPECT, headers, {"token": token})
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    crossed = {"authorization": basic("web", stage.api.secret)}
    assert call("POST", INTROSPECT, crossed, {"token": token}).status == 401
    assert call("POST", INTROSPECT, {"authorization": basic("api", stage.api.secret)}, {"token": "eyJ"}).status == 200


@covers("7662-2.2-active", "7662-4-no-scanning")
def test_a_service_for_which_it_is_not_learns_nothing(stage: Stage) -> None:
    token = stage.connect()["access_token"]
    assert stage.introspect(token)["username"] == stage.person.user.login
    assert stage.introspect(token, stage.web) == {"active": False}
    assert stage.introspect("nothing at all") == {"active": False}


@covers("7009-2.1-refresh", "7009-2.1-at-once", "7009-2.1-client")
def test_a_client_gives_back_a_refresh_token(stage: Stage) -> None:
    tokens = stage.connect()
    other = call("POST", REVOKE, {}, {"token": tokens["refresh_token"], "client_id": "program"})
    assert other.status == 200  # as if it were unknown
    assert stage.is_active(tokens["access_token"])
    bad = call("POST", REVOKE, {"authorization": basic("web", "wrong")}, {"token": tokens["refresh_token"]})
    assert bad.status == 401
    assert _revoke(stage, tokens["refresh_token"]).status == 200
    assert not stage.is_active(tokens["access_token"])
    assert stage.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


@covers("7009-2.1-at-once", "7009-2.1-client")
def test_a_client_gives_back_an_access_token_and_keeps_the_rest(stage: Stage) -> None:
    tokens = stage.connect()
    assert call("POST", REVOKE, {}, {"token": tokens["access_token"], "client_id": "program"}).status == 200
    assert stage.is_active(tokens["access_token"])
    assert _revoke(stage, tokens["access_token"]).status == 200
    assert not stage.is_active(tokens["access_token"])
    again = stage.refresh(tokens["refresh_token"])
    assert stage.is_active(again.json["access_token"])


@covers("7009-2.2-unknown", "7009-2.2-hint")
def test_what_is_unknown_is_as_good_as_revoked(stage: Stage) -> None:
    tokens = stage.connect()
    for token in ("nothing", "eyJ.eyJ.x", "ktr_" + "a" * 95):
        assert _revoke(stage, token).status == 200
    assert _revoke(stage, "").json["error"] == "invalid_request"
    assert _revoke(stage, tokens["refresh_token"], token_type_hint="access_token").status == 200
    assert stage.refresh(tokens["refresh_token"]).status == 400
    assert _revoke(stage, tokens["access_token"], token_type_hint="nonsense").status == 200


def test_a_permanent_token_is_not_revoked_by_a_client(stage: Stage) -> None:
    answer = _revoke(stage, stage.scene.token.secret or "")
    assert (answer.status, answer.json["error"]) == (400, "unsupported_token_type")
    assert stage.scene.is_good(stage.scene.token.secret)


def test_the_user_is_described_as_far_as_the_scope_says(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    product.accounts.update(caller, stage.person.user.id, AccountChange(email="jo@example.com"))
    introspected = []
    for scope in ("api openid", "api openid profile", "api openid email"):
        token = stage.connect(scope=scope)["access_token"]
        introspected.append(call("GET", USER_INFO, {"authorization": f"Bearer {token}"}).json)
    assert introspected[0] == {"sub": stage.person.user.id}
    assert introspected[1]["preferred_username"] == stage.person.user.login
    assert introspected[2] == {"sub": stage.person.user.id, "email": "jo@example.com", "email_verified": False}
    token = stage.connect()["access_token"]
    refused = call("POST", USER_INFO, {"authorization": f"Bearer {token}"}, {})
    assert (refused.status, refused.json["error"]) == (403, "insufficient_scope")
    assert call("GET", USER_INFO).headers["www-authenticate"].startswith("Bearer")


def test_the_id_token_carries_the_nonce(stage: Stage) -> None:
    tokens = stage.connect(scope="openid profile", nonce="n-1")
    claims = claims_of(tokens["id_token"])
    assert (claims["nonce"], claims["aud"], claims["iss"]) == ("n-1", stage.web.service.id, ADDRESS)
    assert claims["sub"] == stage.person.user.id
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]


@given(text=st.text(alphabet=st.characters(codec="ascii"), max_size=200))
def test_whatever_looks_a_little_like_one_is_refused(module_stage: Stage, text: str) -> None:
    check = module_stage.scene.product.oauth.access_token_check
    assert check.verify("eyJ" + text, now()) is None
    assert check.verify(text, now()) is None


def test_both_algorithms_sign() -> None:
    class Keys:
        def __init__(self, algorithm: Algorithm) -> None:
            self.key = generate_key(algorithm, 0)

        def all(self, now: int) -> list[Any]:
            return [self.key]

    source = Source(SourceKind.DELEGATION, "d", "c")
    token = AccessToken(
        "j", "s", "c", ("a",), ("a",), source, 1000, 301_000, ("x", "y"), 1000, ("k", "l"), "repo:acme/shop"
    )
    for algorithm in Algorithm:
        jwt_format = JwtFormat(ADDRESS, Keys(algorithm))
        signed = jwt_format.sign_access_token(token)
        assert jwt_format.read_access_token(signed, 2000) == token
        assert header_of(signed)["alg"] == algorithm.value
        assert "d" not in jwt_format.public_keys(0)[0]
        assert claims_of(signed)["act"] == {"sub": "x", "act": {"sub": "y"}}


def _revoke(stage: Stage, token: str, **form: str) -> Any:
    return call("POST", REVOKE, {"authorization": basic(*stage.client)}, {"token": token, **form})


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signed_with_hmac(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    """Key confusion: the public key as if it were a secret that both sides share."""
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'at+jwt', 'kid': kid})}.{_encoded(claims)}"
    digest = hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _anything() -> Any:
    return JWSRegistry(algorithms=["ES256"], strict_check_header=False)
