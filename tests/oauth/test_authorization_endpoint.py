"""`/oauth2/auth`: what a service may ask for, and where the browser is sent."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.core.common.errors import Invalid
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.login.authenticators import MAX_WRONG_CODES
from chalicelib.oauth.routes import AUTHORIZATION
from tests.conftest import ADDRESS
from tests.oauth.calling import Browser, Forms, Pkce, authorization_path, call, sent_back
from tests.oauth.conformance import covers
from tests.oauth.conftest import CALLBACK, Stage
from tests.people import PASSWORD


@covers("6749-3.1-resource-owner", "6749-3.1-get", "8628-3.3-user")
def test_a_user_logs_in_is_asked_and_goes_back_with_a_code(stage: Stage) -> None:
    browser = Browser()
    page = browser.get(stage.request(Pkce()))
    assert "<title>Log in" in page.text
    assert "Web" in page.text
    page = browser.log_in(page, stage.person.user.login, PASSWORD)
    assert "Web requests access" in page.text
    assert "Api" in page.text
    assert sent_back(browser.submit(page, decision="approve"))["code"].startswith("ktc_")


def test_a_wrong_password_is_told_on_the_page_and_the_request_is_not_lost(stage: Stage) -> None:
    browser = Browser()
    page = browser.log_in(browser.get(stage.request(Pkce())), stage.person.user.login, "wrong")
    assert page.status == 401
    assert "Incorrect login, password or second factor" in page.text
    page = browser.log_in(page, stage.person.user.login, PASSWORD)
    assert "Web requests access" in page.text


def test_a_second_factor_is_asked_for(stage: Stage) -> None:
    stage.person.turn_on_2fa()
    browser = Browser()
    page = browser.log_in(browser.get(stage.request(Pkce())), stage.person.user.login, PASSWORD)
    assert page.status == 401
    assert "Two-factor authentication" in page.text
    assert PASSWORD not in page.text
    page = browser.submit(page, code=stage.person.recovery_codes[0])
    assert "Web requests access" in page.text


def test_a_locked_app_is_told_and_another_factor_asked_for(stage: Stage) -> None:
    stage.person.turn_on_2fa()
    stored = stage.scene.product.stores.authenticators
    old, browser = stored.get(stage.person.user.id), Browser()
    page = browser.log_in(browser.get(stage.request(Pkce())), stage.person.user.login, PASSWORD)
    stored.count_wrong_code(old, replace(old, wrong_codes=MAX_WRONG_CODES, revision=old.revision + 1), None)
    page = browser.submit(page, code="000000")
    assert page.status == 401
    assert "the authenticator app is locked" in page.text
    assert "One of your recovery codes." in page.text
    page = browser.submit(page, code=stage.person.recovery_codes[0])
    assert "Web requests access" in page.text


def test_what_was_changed_after_the_page_was_shown_is_not_approved(stage: Stage) -> None:
    """Nor does it count as shown: the new address would get codes unasked."""
    browser, product, caller = stage.browser(), stage.scene.product, stage.scene.caller()
    addresses = ["https://changed.example.com/cb"]
    product.services.register(caller, ServiceDescription(key="changed", name="Changed", redirect_uris=addresses))
    request = stage.request(Pkce(), client_id="changed", redirect_uri=addresses[0], scope="profile")
    page = browser.get(request)
    addresses.append("https://elsewhere.example/cb")
    product.services.update(caller, "changed", ServiceDescription(redirect_uris=addresses))
    answer = browser.submit(page, decision="approve")
    assert (answer.status, "was changed after you were asked" in answer.text) == (403, True)
    assert browser.get(request).status == 200  # asked


@covers("6749-4.1.2.1-denied", "9207-2-iss", "6749-4.1.2-state", "9700-4.4-mix-up")
def test_a_denial_goes_back_with_the_state_and_the_issuer(stage: Stage) -> None:
    browser = stage.browser()
    back = sent_back(browser.submit(browser.get(stage.request(Pkce(), state="a b&c=ü")), decision="deny"))
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "a b&c=ü", ADDRESS)
    assert "code" not in back


@covers("9207-2-iss", "9700-4.4-mix-up", "6749-4.1.2-state")
def test_the_code_comes_with_the_state_and_the_issuer(stage: Stage) -> None:
    browser = stage.browser()
    back = sent_back(browser.submit(browser.get(stage.request(Pkce())), decision="approve"))
    assert (back["iss"], back["state"]) == (ADDRESS, "a state")


@covers("6749-3.1.2-query-kept")
def test_a_query_of_the_registered_address_is_kept(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    uri = "https://query.example.com/cb?tenant=1"
    product.services.register(caller, ServiceDescription(key="query", name="Query", redirect_uris=[uri], trusted=True))
    back = stage.browser().get(stage.request(Pkce(), client_id="query", redirect_uri=uri, scope=None))
    assert parse_qs(urlsplit(back.headers["location"]).query)["tenant"] == ["1"]
    assert sent_back(back)["code"]


@covers("9700-4.12-303")
def test_a_browser_is_sent_on_by_303(stage: Stage) -> None:
    browser = stage.browser()
    assert browser.submit(browser.get(stage.request(Pkce())), decision="approve").status == 303


@covers("6749-3.1.2.4-no-redirect", "9700-2.1-exact", "9700-2.1-open-redirect", "6749-10.6-redirect-match")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "https://app.example.com/callback/",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback#x",
        "https://app.example.com:443/callback",
        "https://app.example.com:8443/callback",
        "https://app.example.com/other/../callback",
        "https://app.example.com/callback%2f..",
        "https://user@app.example.com/callback",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com.evil.example/callback",
        "https://evil.example/callback",
        "http://app.example.com/callback",
        "//app.example.com/callback",
        "javascript:alert(1)",
        "https://app.example.com/callback\r\nSet-Cookie: a=b",
        "https://app.example.com\\@evil.example/callback",
        'https://evil.example/"><script>',
    ],
)
def test_only_exactly_a_registered_address_gets_the_browser(stage: Stage, uri: str) -> None:
    answer = stage.browser().get(stage.request(Pkce(), redirect_uri=uri))
    assert answer.status == 400
    assert "location" not in answer.headers
    assert "redirect_uri" in answer.text
    assert "evil" not in answer.text


@covers("6749-3.1.2.4-no-redirect")
@pytest.mark.parametrize("client", [None, "nobody", "../web", '"><script>'])
def test_an_unknown_service_gets_no_browser(stage: Stage, client: str | None) -> None:
    answer = stage.browser().get(stage.request(Pkce(), client_id=client))
    assert answer.status == 400
    assert "location" not in answer.headers


@covers("6749-3.1.2.3-choose")
def test_with_several_addresses_the_request_names_one(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    uris = ["https://two.example.com/a", "https://two.example.com/b"]
    product.services.register(caller, ServiceDescription(key="two", name="Two", redirect_uris=uris))
    answer = stage.browser().get(stage.request(Pkce(), client_id="two", redirect_uri=None))
    assert answer.status == 400
    one = stage.browser().get(stage.request(Pkce(), redirect_uri=None))
    assert "Web requests access" in one.text


@covers("9700-2.1-exact")
@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("http://127.0.0.1:49152/callback", True),
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:49152/other", False),
        ("http://localhost:49152/callback", False),
        ("http://127.0.0.1.evil.example:80/callback", False),
        ("http://127.0.0.1:80@evil.example/callback", False),
    ],
)
def test_a_program_chooses_its_port_on_the_loopback_address(stage: Stage, uri: str, good: bool) -> None:
    answer = stage.browser().get(stage.request(Pkce(), client_id="program", redirect_uri=uri))
    assert answer.status == (200 if good else 400)


def test_a_confidential_client_does_not_choose_its_port(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    description = ServiceDescription(key="fixed", name="Fixed", redirect_uris=["http://127.0.0.1:8000/cb"])
    product.services.register(caller, description)
    asked = stage.request(Pkce(), client_id="fixed", redirect_uri="http://127.0.0.1:8001/cb")
    assert stage.browser().get(asked).status == 400


ERRORS = [
    ({"response_type": None}, "unsupported_response_type"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": ["a" * 43, "b" * 43]}, "invalid_request"),
    ({"scope": "api nowhere"}, "invalid_scope"),
    ({"scope": ["api", "web"]}, "invalid_request"),
    ({"state": ["one", "two"]}, "invalid_request"),
    ({"request_credentials": "sometimes"}, "invalid_request"),
    ({"access_type": "forever"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
]


@covers(
    "6749-3.1.1-response-type",
    "6749-3.1-repeated",
    "6749-3.3-scope",
    "7636-4.4.1-error",
    "9700-2.1.1-pkce",
    "9207-2-iss",
)
@pytest.mark.parametrize(("change", "error"), ERRORS)
def test_a_bad_request_is_told_to_the_service(stage: Stage, change: dict[str, object], error: str) -> None:
    answer = stage.browser().get(stage.request(Pkce(), **change))
    if "location" not in answer.headers:  # a repeated parameter is refused before it is known where to go
        assert answer.status == 400
        assert any(isinstance(value, list) for value in change.values())
        return
    back = sent_back(answer)
    assert (back["error"], back["iss"]) == (error, ADDRESS)
    assert answer.headers["location"].startswith(CALLBACK)


def test_the_implicit_grant_says_what_to_use_instead(stage: Stage) -> None:
    back = sent_back(stage.browser().get(stage.request(Pkce(), response_type="token")))
    assert "response_type=code" in back["error_description"]


@covers("6749-3.1-empty", "6749-3.1-unknown")
def test_empty_parameters_are_as_if_left_out_and_unknown_ones_ignored(stage: Stage) -> None:
    answer = stage.browser().get(stage.request(Pkce(), prompt="", nonce="", response_mode="", colour="blue"))
    assert "Web requests access" in answer.text


def test_a_service_that_the_user_may_not_see_is_out_of_scope(stage: Stage) -> None:
    back = sent_back(stage.browser().get(stage.request(Pkce(), scope="deploy")))
    assert back["error"] == "invalid_scope"


@pytest.mark.parametrize("parameter", [{"request_credentials": "silent"}, {"prompt": "none"}])
def test_silently_nobody_is_asked_for_anything(stage: Stage, parameter: dict[str, str]) -> None:
    asked = stage.request(Pkce(), **parameter)
    assert sent_back(Browser().get(asked))["error"] == "login_required"
    assert sent_back(stage.browser().get(asked))["error"] == "consent_required"
    stage.code(Pkce())
    assert sent_back(stage.browser().get(asked))["code"]


@pytest.mark.parametrize("parameter", [{"request_credentials": "required"}, {"prompt": "login"}])
def test_a_login_can_be_required_of_who_is_logged_in(stage: Stage, parameter: dict[str, str]) -> None:
    browser = stage.browser()
    page = browser.get(stage.request(Pkce(), **parameter))
    assert "<title>Log in" in page.text
    assert "Web requests access" in browser.log_in(page, stage.person.user.login, PASSWORD).text


@pytest.mark.parametrize("mode", ["skip", "default"])
def test_hubs_other_modes_ask_for_a_login_where_it_is_needed(stage: Stage, mode: str) -> None:
    asked = stage.request(Pkce(), request_credentials=mode)
    assert "<title>Log in" in Browser().get(asked).text
    assert "Web requests access" in stage.browser().get(asked).text


def test_online_access_has_no_refresh_token(stage: Stage) -> None:
    assert "refresh_token" not in stage.connect(access_type="online")
    assert "refresh_token" not in stage.connect(access_type=None)
    assert "refresh_token" in stage.connect(access_type="offline")
    assert "refresh_token" in stage.connect(access_type=None, scope="api offline_access")


@covers("6749-10.12-csrf")
def test_consent_cannot_be_given_from_elsewhere(stage: Stage) -> None:
    browser = stage.browser()
    page = browser.get(stage.request(Pkce()))
    fields = {**Forms(page.text).fields, "decision": "approve"}
    cookie = {"cookie": browser.cookie}
    for headers in (
        {},
        {"origin": "https://["},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/"},
    ):
        assert call("POST", AUTHORIZATION, {**cookie, **headers}, fields).status == 403
    own = {**cookie, "origin": ADDRESS}
    assert call("POST", AUTHORIZATION, own, {**fields, "proof": "AAAA"}).status == 403
    assert call("POST", AUTHORIZATION, own, {**fields, "proof": ""}).status == 403
    more = fields["asked"].replace("scope=api", "scope=api+openid")
    assert call("POST", AUTHORIZATION, own, {**fields, "asked": more}).status == 403
    assert call("POST", AUTHORIZATION, {"origin": ADDRESS}, fields).status == 403
    assert call("POST", AUTHORIZATION, own, fields).status == 303


@covers("6749-10.12-csrf")
def test_the_proof_of_one_persons_page_does_not_serve_another(stage: Stage) -> None:
    page = stage.browser().get(stage.request(Pkce()))
    other = stage.browser()  # another session, even of the same person
    headers = {"cookie": other.cookie, "origin": ADDRESS}
    assert call("POST", AUTHORIZATION, headers, {**Forms(page.text).fields, "decision": "approve"}).status == 403


def test_a_login_form_from_elsewhere_is_refused(stage: Stage) -> None:
    page = Browser().get(stage.request(Pkce()))
    form = Forms(page.text)
    values = {**form.fields, "login": stage.person.user.login, "password": PASSWORD}
    answer = call("POST", form.action.removeprefix(ADDRESS), {"origin": "https://evil.example"}, values)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "auth", "../x", "auth?\r\nx: y", ""])
def test_a_login_leads_only_to_our_own_pages(stage: Stage, next: str) -> None:
    values = {"login": stage.person.user.login, "password": PASSWORD, "next": next}
    answer = call("POST", "/api/rest/oauth2/login", {"origin": ADDRESS}, values)
    assert answer.headers.get("location", ADDRESS).startswith(ADDRESS)
    assert "\r" not in answer.headers.get("location", "")


@covers("9700-4.16-frames", "9700-4.2.4-referrer")
def test_pages_cannot_be_framed_and_load_nothing(stage: Stage) -> None:
    pages = [
        Browser().get(stage.request(Pkce())),
        stage.browser().get(stage.request(Pkce())),
        stage.browser().get(stage.request(Pkce(), client_id="nobody")),
        stage.browser().get("/api/rest/oauth2/device"),
    ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        assert re.findall(r"<script[^>]*>", page.text) == re.findall(
            r'<script type="module" src="/assets/[^"]+">', page.text
        )
        assert "http" not in page.text.replace(ADDRESS, "").split("<body>")[0]


def test_what_services_are_called_is_shown_as_text(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    description = ServiceDescription(
        key="hostile", name='<script>alert("1")</script>', redirect_uris=["https://h.example/cb"]
    )
    product.services.register(caller, description)
    asked = stage.request(Pkce(), client_id="hostile", redirect_uri="https://h.example/cb", scope=None)
    for browser in (Browser(), stage.browser()):
        page = browser.get(asked).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


@covers("9700-2.6-https", "6749-3.1.2-absolute")
@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example.com/cb",
        "https://app.example.com/cb#x",
        "app://callback",
        "/cb",
        "http://127.0.0.1.x/",
        "https://[::::]/cb",
    ],
)
def test_an_address_that_is_not_safe_cannot_be_registered(stage: Stage, uri: str) -> None:
    with pytest.raises(Invalid) as refused:
        stage.scene.product.services.update(stage.scene.caller(), "web", ServiceDescription(redirect_uris=[uri]))
    assert refused.value.field == "redirectUris[0]"


def test_a_member_without_the_demanded_second_factor_cannot_approve(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    strict = product.groups.create(
        caller, GroupDescription(f"Strict {stage.person.user.login}", requires_two_factor=True)
    )
    product.groups.add_member(caller, strict.id, stage.person.user.login)
    answer = stage.browser().get(stage.request(Pkce()))
    assert answer.status == 403
    assert "second factor" in answer.text


def test_the_body_of_a_form_is_a_form(stage: Stage) -> None:
    answer = call("POST", AUTHORIZATION, {"content-type": "application/json", "origin": ADDRESS}, "{}")
    assert answer.status == 415
    assert call("POST", AUTHORIZATION, {"origin": ADDRESS}, "&".join(f"a{i}=1" for i in range(400))).status == 400
    assert call("GET", authorization_path()).status == 400
