"""What no view is asked about is answered the same by every front, and nothing of the request is repeated."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest

from tests.conftest import Scene
from tests.web.fronts import FRONTS, Front, through_the_application

SECRET = "ktp_SENT-BY-SOMEBODY"
SENT = {"authorization": f"Bearer {SECRET}"}


@pytest.fixture(params=list(FRONTS))
def front(request: pytest.FixtureRequest) -> Front:
    return FRONTS[request.param]


@pytest.fixture(autouse=True)
def _told_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> Any:
    yield
    output = capsys.readouterr()
    assert SECRET not in output.out + output.err


@pytest.mark.parametrize("path", [f"/{SECRET}", f"/api/rest/nowhere/{SECRET}?token={SECRET}", "/api/rest", "//["])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD", SECRET])
def test_a_program_that_asks_for_nothing_is_told_so(front: Front, method: str, path: str) -> None:
    answer = front(method, path, SENT)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert (answer.json["error"], answer.json["error_code"]) == ("no_such_path", 404)
    assert SECRET not in answer.text


def test_who_mistypes_a_page_sees_a_page(front: Front) -> None:
    answer = front("GET", f"/usres/{SECRET}", {**SENT, "accept": "text/html,*/*"})
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in answer.text
    assert SECRET not in answer.text


def test_a_browser_that_asks_the_api_is_a_program(front: Front) -> None:
    answer = front("GET", "/api/rest/nowhere", {"accept": "text/html"})
    assert answer.json["error"] == "no_such_path"


def test_a_method_that_a_path_lacks_is_refused(front: Front) -> None:
    for method in ("DELETE", SECRET):
        answer = front(method, "/api/rest/roles", SENT)
        assert (answer.status, answer.json["error"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert SECRET not in answer.text


def test_options_names_the_methods(front: Front) -> None:
    answer = front("OPTIONS", "/login", SENT)
    assert (answer.status, answer.text) == (HTTPStatus.NO_CONTENT, "")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert front("OPTIONS", "/logout").headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("path", ["/health", "/api/rest/openapi.json", "/api/rest/users/me"])
def test_head_is_get_without_a_body(front: Front, path: str) -> None:
    got, head = front("GET", path), front("HEAD", path)
    assert (head.status, head.text) == (got.status, "")
    assert int(head.headers.pop("content-length")) == len(got.text.encode())
    assert head.headers == got.headers


def test_head_is_refused_where_there_is_no_get(front: Front) -> None:
    assert front("HEAD", "/logout").status == 405


def test_head_is_told_as_such(front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    front("HEAD", "/health")
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["method"], json.loads(line)["route"]) == ("HEAD", "/health")


def test_parameters_of_a_path_are_decoded_once(scene: Scene) -> None:
    headers = {"authorization": f"Bearer {scene.administrator.secret}", "content-type": "application/json"}
    name = "50%25 / more"
    created = through_the_application("POST", "/api/rest/usergroups", headers, json.dumps({"name": name}))
    assert created.status == 200, created.text
    found = through_the_application("GET", "/api/rest/usergroups/50%2525%20%2F%20more", headers)
    assert found.json["id"] == created.json["id"]


def test_a_request_is_told_with_its_id_and_address(capsys: pytest.CaptureFixture[str]) -> None:
    through_the_application("GET", "/health")
    line = json.loads(capsys.readouterr().out)
    assert (line["request"], line["address"]) == ("request-1", "192.0.2.7")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/rest/users?$top=1&$top=2", "$top"),
        ("/api/rest/users?$top=1&$top=1", "$top"),
        ("/api/rest/users?fields=id&fields=", "fields"),
        ("/api/rest/users?query=&query=bot", "query"),
        ("/api/rest/audit?from=a&from=b", "from"),
    ],
)
def test_a_parameter_that_comes_twice_is_refused_by_name(front: Front, scene: Scene, path: str, field: str) -> None:
    answer = front("GET", path, {"authorization": f"Bearer {scene.administrator.secret}"})
    assert (answer.status, answer.json.get("error_field")) == (400, field)


def test_more_parameters_than_anybody_needs_are_refused() -> None:
    answer = through_the_application("GET", "/health?" + "&".join(f"a{number}=1" for number in range(301)))
    assert (answer.status, answer.json["error_field"]) == (400, "query")


def test_a_view_that_cannot_be_loaded_is_a_defect_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.web.routing.load", lambda *_: 1 / 0)
    answer = through_the_application("GET", "/health")
    assert (answer.status, answer.json["error"]) == (500, "internal_error")
