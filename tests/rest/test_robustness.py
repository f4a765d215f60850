"""Whatever is sent to whichever operation: an answer by the contract, and never a 500."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.composition.keyturn import keyturn
from chalicelib.rest.contract.contracts import Contract
from chalicelib.rest.routes import ROUTES
from chalicelib.web.routing import load
from tests.budgets import budget
from tests.conftest import Install, Scene, set_scene
from tests.rest.calling import basic, send

OPERATIONS = [(method, path) for path, views in ROUTES.items() for method in views]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
NAMES = [
    "login",
    "name",
    "type",
    "banned",
    "banReason",
    "scope",
    "key",
    "homeUrl",
    "permissions",
    "role",
    "project",
    "owner",
    "profile",
    "password",
    "code",
    "passkey",
    "credential",
    "redirectUris",
    "id",
]
OBJECTS = st.dictionaries(
    st.sampled_from(NAMES),
    JSON | st.lists(st.fixed_dictionaries({}, optional={"id": JSON, "key": JSON, "name": JSON}), max_size=3),
    max_size=6,
)
BODIES = (
    st.none()
    | st.binary(max_size=80)
    | st.text(max_size=80)
    | (JSON | OBJECTS).map(json.dumps)
    | OBJECTS.map(lambda body: "token=" + quote(json.dumps(body)))
    | st.sampled_from(["{", "[" * 50_000, '{"name": "\\ud800"}', "{}" * 40_000, '{"a":1,"a":2}', "\ufeff{}", "nul"])
)
MEDIA_TYPES = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", "", "/"]
)
SEGMENTS = st.sampled_from(["me", "ci", "build-bot", "keyturn", "0", "%00", "..%2f", "%F0%9F%98%80"]) | st.text(
    min_size=1, max_size=30
).map(lambda text: quote(text, safe=""))
QUERIES = st.dictionaries(
    st.sampled_from(["fields", "$skip", "$top", "query", "orderBy", "x"]),
    st.text(max_size=20)
    | st.sampled_from(
        ["id", "id,name", "scope(id)", "a(", "-1", "5", "99999999999", "name:desc", "is: bot", "group: {"]
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def module_scene(install: Install) -> Iterator[Scene]:
    """One installation for all examples: what they manage to create may stay."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for product in install(monkeypatch):
            yield set_scene(product)


@settings(max_examples=budget(gate=16, long=200))
@given(data=st.data())
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_anything(module_scene: Scene, method: str, path: str, data: st.DataObject) -> None:
    assert keyturn() is module_scene.product
    segments = [data.draw(SEGMENTS) if part.startswith("{") else part for part in path.split("/")]
    query = "&".join(f"{name}={quote(value)}" for name, value in data.draw(QUERIES).items())
    credentials = data.draw(
        st.sampled_from(
            [
                f"Bearer {module_scene.administrator.secret}",
                f"Bearer {module_scene.administrator.secret}",
                basic("ci", module_scene.ci.secret),
                "Bearer x",
            ]
        )
        | st.text(max_size=20)
    )
    headers = {"authorization": credentials, "content-type": data.draw(MEDIA_TYPES)}
    protected = {"DELETE /api/rest/services/ci", "DELETE /api/rest/users/build-bot"}
    target = "/".join(segments)
    if f"{method} {target}" in protected or target.endswith("/secret"):
        return
    answer = send(method, f"{target}?{query}" if query else target, headers, data.draw(BODIES))
    if not answer.headers["content-type"].startswith("text/html"):
        check(answer.status, answer.text)


def check(status: int, text: str) -> None:
    body = json.loads(text)
    if status == 200:
        return
    assert 400 <= status < 500, text
    assert body["error_code"] == status
    assert body["error"]
    assert body["error_description"]
    if status == 400:
        assert body["error_field"], text


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_method_that_a_path_lacks_is_refused_in_our_form(module_scene: Scene, method: str, path: str) -> None:
    answer = send("PATCH", path.replace("{", "").replace("}", ""))
    assert answer.status == 405
    assert answer.json["error"] == "method_not_allowed"
    assert method in answer.headers["allow"]


def needs_a_body(method: str, path: str) -> bool:
    contract = getattr(load("chalicelib.rest", ROUTES[path][method]), "contract", Contract())
    return contract.body is not None and not contract.bare


@pytest.mark.parametrize(("method", "path"), [each for each in OPERATIONS if needs_a_body(*each)])
def test_a_body_that_did_not_come_is_no_empty_object(module_scene: Scene, method: str, path: str) -> None:
    """Where every field may be left out, an empty object is a change: a whole policy that demands nothing."""
    target = path.replace("{user}", "me").replace("{service}", "ci").replace("{", "").replace("}", "")
    headers = {"authorization": f"Bearer {module_scene.administrator.secret}", "content-type": "application/json"}
    answer = send(method, target, headers, "")
    assert (answer.status, answer.json["error_field"]) == (400, "body")


@given(st.text(max_size=30))
@example("x" * 3_000)
def test_a_forwarded_address_is_not_believed(module_scene: Scene, forged: str) -> None:
    headers = {"authorization": f"Bearer {module_scene.administrator.secret}", "x-forwarded-for": forged}
    from chalicelib.rest.contract import endpoint

    seen = []
    original = endpoint.Call.caller
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(endpoint.Call, "caller", lambda call: seen.append(call.origin.address) or original(call))
        send("GET", "/api/rest/users/me", headers)
    assert seen == ["192.0.2.7"]


def test_a_defect_of_ours_tells_neither_caller_nor_log_what_was_sent(
    module_scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = module_scene.administrator.secret or ""

    def defect(*arguments: object) -> None:
        raise RuntimeError(f"cannot digest {arguments}")

    monkeypatch.setattr(type(module_scene.product.authentication), "caller", defect)
    with caplog.at_level(logging.DEBUG):
        answer = send("GET", "/api/rest/users/me", {"authorization": f"Bearer {secret}"})
    assert answer.status == 500
    assert "digest" not in answer.text
    assert "RuntimeError" in caplog.text
    assert secret not in caplog.text


def test_health_needs_no_token_and_no_database() -> None:
    answer = send("GET", "/health")
    assert (answer.status, answer.json["status"]) == (200, "ok")
