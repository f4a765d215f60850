"""Whatever is sent to the OAuth 2.0 endpoints, the answer is one of ours: never a defect, never a secret in the log."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.directory.grant_types import GrantType
from chalicelib.oauth.grants import JWT_BEARER
from chalicelib.oauth.routes import ROUTES
from tests.conftest import ADDRESS
from tests.oauth.calling import Pkce, call
from tests.oauth.conftest import CALLBACK, Stage
from tests.rest.calling import basic

NAMES = """
    grant_type code redirect_uri client_id client_secret code_verifier refresh_token scope device_code subject_token
    subject_token_type audience assertion account token token_type_hint user_code response_type state code_challenge
    code_challenge_method nonce prompt request_credentials access_type login password next asked proof decision
""".split()  # noqa: SIM905 - to be read
WORDS = [
    *(each.value for each in GrantType),
    JWT_BEARER,
    "code",
    "web",
    "program",
    "api",
    "api openid",
    "S256",
    CALLBACK,
    Pkce().challenge,
    "urn:ietf:params:oauth:token-type:access_token",
    "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",  # pragma: allowlist secret
    "auth?client_id=web",
    "approve",
]
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(max_size=50))
FORMS = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=12)
ENDPOINTS = [(method, path) for path, methods in ROUTES.items() for method in methods]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@settings(max_examples=40)
@given(form=FORMS, authorization=st.one_of(st.none(), st.text(alphabet=st.characters(codec="ascii"), max_size=30)))
def test_nothing_is_a_defect(
    module_stage: Stage, method: str, path: str, form: list[tuple[str, str]], authorization: str | None
) -> None:
    headers = {"origin": ADDRESS}
    if authorization is not None:
        headers["authorization"] = authorization
    client = module_stage.client
    for given_headers in (headers, {**headers, "authorization": basic(*client)}):
        if method == "GET":
            answer = call("GET", f"{path}?{urlencode(form)}", given_headers)
        else:
            answer = call("POST", path, given_headers, urlencode(form))
        assert answer.status < 500, answer.text


def test_no_secret_is_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pkce = Pkce()
    browser = stage.browser()
    code = stage.code(pkce, browser, scope="api openid")
    tokens = stage.redeem(code, pkce).json
    newer = stage.refresh(tokens["refresh_token"]).json
    stage.introspect(newer["access_token"])
    stage.redeem(code, pkce)
    assert caplog.text
    cookie = browser.cookie.partition("=")[2]
    secrets = [code, pkce.verifier, cookie, stage.web.secret, tokens["id_token"], tokens["access_token"]]
    for secret in [*secrets, tokens["refresh_token"], newer["access_token"], newer["refresh_token"]]:
        assert secret not in caplog.text
