"""Python clients that we did not write complete the flows against the running server."""

from __future__ import annotations

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from joserfc import jwt
from joserfc.jwk import KeySet
from oauthlib.oauth2 import AccessDeniedError
from requests_oauthlib import OAuth2Session as OauthlibSession

from tests.oauth.running import CALLBACK, Running

TOKEN, AUTH = "/api/rest/oauth2/token", "/api/rest/oauth2/auth"


@pytest.fixture(autouse=True)
def http_on_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """These clients insist on https unless told that this is a test."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # scopes come back as ids


def authlib_session(running: Running, **more: object) -> AuthlibSession:
    return AuthlibSession(
        running.ids["web"],
        running.secrets["web"],
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=running.issuer + TOKEN,
        **more,
    )


def test_authlib_code_with_pkce_refresh_and_revocation(running: Running) -> None:
    session = authlib_session(running, scope="api openid profile")
    verifier = "v" * 60
    url, state = session.create_authorization_url(running.issuer + AUTH, code_verifier=verifier, access_type="offline")
    back = running.browse(url)
    token = session.fetch_token(authorization_response=back, code_verifier=verifier, state=state)
    assert running.introspect(token["access_token"])["username"] == "jo"
    introspected = session.get(f"{running.issuer}/api/rest/oauth2/userinfo").json()
    assert introspected["preferred_username"] == "jo"
    keys = requests.get(f"{running.issuer}/api/rest/oauth2/keys", timeout=10).json()
    claims = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=["ES256"]).claims
    assert (claims["iss"], claims["aud"]) == (running.issuer, running.ids["web"])
    newer = session.refresh_token(running.issuer + TOKEN, refresh_token=token["refresh_token"])
    assert newer["refresh_token"] != token["refresh_token"]
    session.revoke_token(f"{running.issuer}/api/rest/oauth2/revoke", newer["refresh_token"])
    assert running.introspect(newer["access_token"]) == {"active": False}


def test_authlib_client_credentials_and_exchange(running: Running) -> None:
    session = authlib_session(running)
    own = session.fetch_token(running.issuer + TOKEN, grant_type="client_credentials", scope="api")
    assert running.introspect(own["access_token"])["account_type"] == "service"
    exchanged = session.fetch_token(
        running.issuer + TOKEN,
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=running.bot_token,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        audience="api",
    )
    introspected = running.introspect(exchanged["access_token"])
    assert (introspected["username"], introspected["act"]) == ("robot", {"sub": running.ids["web"]})
    session.introspect_token(f"{running.issuer}/api/rest/oauth2/introspect", exchanged["access_token"])


def test_authlib_device_code(running: Running) -> None:
    started = requests.post(
        f"{running.issuer}/api/rest/oauth2/device_authorization",
        data={"client_id": "program", "scope": "api"},
        timeout=10,
    ).json()
    page = running.browse(started["verification_uri_complete"])
    assert "Approved" in page
    session = AuthlibSession("program", token_endpoint_auth_method="none")
    token = session.fetch_token(
        running.issuer + TOKEN,
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=started["device_code"],
    )
    assert running.introspect(token["access_token"])["username"] == "jo"


def test_requests_oauthlib_code_with_pkce_and_refresh(running: Running) -> None:
    session = OauthlibSession(running.ids["web"], redirect_uri=CALLBACK, scope=["api"], pkce="S256")
    url, _ = session.authorization_url(running.issuer + AUTH, access_type="offline")
    back = running.browse(url)
    token = session.fetch_token(
        running.issuer + TOKEN, authorization_response=back, client_secret=running.secrets["web"]
    )
    assert running.introspect(token["access_token"])["username"] == "jo"
    newer = session.refresh_token(running.issuer + TOKEN, auth=(running.ids["web"], running.secrets["web"]))
    assert newer["refresh_token"] != token["refresh_token"]
    assert running.introspect(newer["access_token"])["active"]


def test_a_denial_reaches_the_client(running: Running) -> None:
    session = OauthlibSession(running.ids["web"], redirect_uri=CALLBACK, scope=["api", "email"], pkce="S256")
    url, _ = session.authorization_url(running.issuer + AUTH)
    back = running.browse(url, decision="deny")
    with pytest.raises(AccessDeniedError):
        session.fetch_token(running.issuer + TOKEN, authorization_response=back, client_secret=running.secrets["web"])


def test_authlib_trades_an_identity_token(running: Running) -> None:
    """A pipeline with nothing but the identity token that its platform gave it."""
    session = AuthlibSession(token_endpoint_auth_method="none")
    token = session.fetch_token(
        running.issuer + TOKEN,
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion=running.outside.token(),
        account="robot",
        scope="api",
    )
    assert running.introspect(token["access_token"])["username"] == "robot"
