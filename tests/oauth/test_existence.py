"""Strangers, users and clients do not learn from refusals which services there are."""

from __future__ import annotations

import pytest

from chalicelib.oauth.routes import DEVICE_AUTHORIZATION
from tests.oauth.calling import Browser, Pkce, call, sent_back, token_request
from tests.oauth.conftest import Stage
from tests.rest.calling import Answer, basic


def test_a_sender_that_is_not_registered_is_told_in_one_text(stage: Stage) -> None:
    pages = [
        Browser().get(stage.request(Pkce(), **changes))
        for changes in (
            {"client_id": "nowhere"},
            {"client_id": "deploy"},  # there is such a service, at no address
            {"redirect_uri": "https://evil.example/"},
            {"client_id": "nowhere", "redirect_uri": None},
            {"client_id": "deploy", "redirect_uri": None},
        )
    ]
    assert {page.status for page in pages} == {400}
    assert len({page.text for page in pages}) == 1


def test_strangers_are_asked_to_log_in_whatever_the_scope(stage: Stage) -> None:
    for scope in ("nowhere", "deploy", "api"):
        page = Browser().get(stage.request(Pkce(), scope=scope))
        assert (page.status, 'name="password"' in page.text) == (200, True)
        silent = sent_back(Browser().get(stage.request(Pkce(), scope=scope, prompt="none")))
        assert silent["error"] == "login_required"


def test_users_are_told_of_a_scope_as_the_service_wrote_it(stage: Stage) -> None:
    hidden = stage.scene.deploy.service
    for scope in ("nowhere", hidden.key, hidden.id):
        answer = sent_back(stage.browser().get(stage.request(Pkce(), scope=f"api {scope}")))
        assert answer["error"] == "invalid_scope"
        assert answer["error_description"] == f"scope: there is no service '{scope}' that you may see."


def test_clients_that_are_not_authenticated_are_told_in_one_text(stage: Stage) -> None:
    web, program = stage.web.service.id, stage.program.service.id
    tried: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"client_id": "nowhere"}, {}),
        ({"client_id": web}, {}),
        ({"client_id": "nowhere", "client_secret": "x"}, {}),
        ({"client_id": web, "client_secret": "x"}, {}),
        ({"client_id": program, "client_secret": "x"}, {}),
        ({}, {"authorization": basic("nowhere", "x")}),
        ({}, {"authorization": basic(web, "x")}),
        ({}, {"authorization": basic(web, stage.api.secret)}),
    ]
    for path, form in ((DEVICE_AUTHORIZATION, {}), ("/api/rest/oauth2/token", {"grant_type": "refresh_token"})):
        answers = [call("POST", path, headers, {**form, **client}) for client, headers in tried]
        assert {(answer.status, answer.text) for answer in answers} == {(401, answers[0].text)}
        assert answers[0].json["error"] == "invalid_client"


@pytest.mark.parametrize("way", ["refresh", "exchange scope", "exchange audience"])
def test_what_was_not_granted_is_refused_in_one_text(stage: Stage, way: str) -> None:
    hidden = stage.scene.deploy.service
    permanent = stage.scene.token.secret or ""

    def asked(scope: str) -> Answer:
        if way == "refresh":
            return stage.refresh(stage.connect()["refresh_token"], scope=scope)
        name = way.partition(" ")[2]
        kind = "urn:ietf:params:oauth:token-type:access_token"
        grant = "urn:ietf:params:oauth:grant-type:token-exchange"
        form = {"subject_token": permanent, "subject_token_type": kind, name: scope}
        return token_request(None, grant_type=grant, **form)

    for scope in ("nowhere", hidden.key, hidden.id):
        answer = asked(scope)
        assert answer.status == 400
        assert answer.json["error_description"].endswith(f"'{scope}' is not in the granted scope.")
