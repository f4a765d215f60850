"""`/oauth2/introspect` (RFC 7662)."""

import pytest

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.token_format import CredentialKind
from tests.conftest import Scene
from tests.rest.calling import REST, Client, basic, introspect, send

FORM = "application/x-www-form-urlencoded"


def test_a_good_token_is_described(scene: Scene) -> None:
    answer = introspect("ci", scene.ci.secret, scene.token.secret or "")
    assert answer.status == 200
    assert answer.json == {
        "active": True,
        "token_type": "Bearer",
        "scope": scene.ci.service.id,
        "aud": scene.ci.service.id,
        "sub": scene.bot.id,
        "username": "build-bot",
        "name": "Build bot",
        "account_type": "bot",
        "jti": scene.token.token.id,
        "iat": scene.token.token.created // 1000,
    }


def test_a_service_learns_nothing_of_the_rest_of_the_scope(scene: Scene, administrator: Client) -> None:
    place = f"/users/build-bot/permanenttokens/{scene.token.token.id}"
    administrator.post(place, {"scope": [{"key": "ci"}, {"key": "deploy"}]})
    answer = introspect("ci", scene.ci.secret, scene.token.secret or "")
    assert answer.json["active"]
    assert scene.deploy.service.id not in answer.text


def test_a_service_that_the_scope_leaves_out_is_told_nothing(scene: Scene) -> None:
    """Section 2.2: not more than that it is inactive, and the same for every reason."""
    out_of_scope = introspect("deploy", scene.deploy.secret, scene.token.secret or "")
    forged = CredentialKind.PERMANENT_TOKEN.issue(scene.bot.id, scene.token.token.id)
    others = [
        introspect("ci", scene.ci.secret, token)
        for token in ("x", "ktp_", CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id()), forged, scene.ci.secret)
    ]
    assert {answer.text for answer in (out_of_scope, *others)} == {'{"active":false}'}


@pytest.mark.parametrize(
    "header", [None, "", "Basic", "Basic !!!", "Basic eA==", "Bearer x", basic("ci", "x"), basic("", ""), "Basic /w=="]
)
def test_a_service_has_to_authenticate(scene: Scene, header: str | None) -> None:
    """Section 2.1, and RFC 6749 section 5.2."""
    headers = {"content-type": FORM, **({} if header is None else {"authorization": header})}
    answer = send("POST", f"{REST}/oauth2/introspect", headers, f"token={scene.token.secret}")
    assert answer.status == 401
    assert answer.json["error"] == "invalid_client"
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("media_type", "body", "status", "field"),
    [
        ("application/json", '{"token": "x"}', 415, None),
        (FORM, "", 400, "token"),
        (FORM, "token=a&token=b", 400, "token"),
        (FORM, "&".join(f"x{n}=1" for n in range(50)), 400, "body"),
        (FORM, b"\xff\xfe", 400, "body"),
        (FORM, "token=" + "x" * 70_000, 413, None),
    ],
)
def test_bad_questions_are_refused(
    scene: Scene, media_type: str, body: str | bytes, status: int, field: str | None
) -> None:
    headers = {"authorization": basic("ci", scene.ci.secret), "content-type": media_type}
    answer = send("POST", f"{REST}/oauth2/introspect", headers, body)
    assert answer.status == status
    assert answer.json.get("error_field") == field


def test_a_users_token_does_not_introspect(scene: Scene) -> None:
    headers = {"authorization": f"Bearer {scene.administrator.secret}", "content-type": FORM}
    assert send("POST", f"{REST}/oauth2/introspect", headers, f"token={scene.token.secret}").status == 401


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ("token=a&token=b", "token"),
        ("token=a&client_address=192.0.2.1&client_address=192.0.2.2", "client_address"),
        ("token=a&user_agent=x&user_agent=", "user_agent"),
        ("token=a&token_type_hint=x&token_type_hint=x", "token_type_hint"),
        ("token=a&ktp_SECRET&ktp_SECRET", "body"),
    ],
)
def test_no_parameter_may_come_more_than_once(scene: Scene, form: str, field: str) -> None:
    """RFC 6749 section 3.2."""
    headers = {"content-type": FORM, "authorization": basic("ci", scene.ci.secret)}
    answer = send("POST", f"{REST}/oauth2/introspect", headers, form)
    assert (answer.status, answer.json["error_field"]) == (400, field)
    assert answer.json["error_description"] == f"{field}: must not be repeated."
