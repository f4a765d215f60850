"""`/users/{id}/permanenttokens` by Hub's contract."""

import json
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from chalicelib.core.common.identifiers import random_text
from chalicelib.core.tokens.token import TokenDetails
from tests.conftest import Scene, now
from tests.rest.calling import REST, Answer, Client, introspect, send

TOKENS = "/users/build-bot/permanenttokens"


def test_a_created_token_has_hubs_fields_and_works(scene: Scene, administrator: Client) -> None:
    body = {"name": "nightly", "scope": [{"key": "ci"}, {"id": scene.deploy.service.id}]}
    created = administrator.post(TOKENS, body).json
    assert created["name"] == "nightly"
    assert created["scope"] == [
        {"id": scene.ci.service.id, "name": "Build server", "type": "service"},
        {"id": scene.deploy.service.id, "name": "Deployment", "type": "service"},
    ]
    assert created["user"] == {"id": scene.bot.id, "name": "Build bot", "type": "bot"}
    assert created["author"]["name"] == "Administrator"
    assert isinstance(created["creationTime"], int)
    assert introspect("ci", scene.ci.secret, created["token"]).json["active"]


def test_the_secret_is_in_no_later_answer(scene: Scene, administrator: Client) -> None:
    for answer in (administrator.get(TOKENS), administrator.get(f"{TOKENS}/{scene.token.token.id}")):
        assert answer.status == 200
        assert '"token":' not in answer.text
        assert str(scene.token.secret) not in answer.text
    assert administrator.get(TOKENS, fields="id,token").status == 400


@pytest.mark.parametrize("fields", ["colour", "id,scope(colour)", "token(id)"])
def test_bad_fields_create_nothing(administrator: Client, fields: str) -> None:
    answer = administrator.post(TOKENS, {"name": "nightly", "scope": [{"key": "ci"}]}, fields=fields)
    assert (answer.status, answer.json["error_field"]) == (400, "fields")
    assert administrator.get(TOKENS).json["total"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": [{"key": "ci"}]}, "name"),
        ({"name": "x"}, "scope"),
        ({"name": "x", "scope": []}, "scope"),
        ({"name": "x", "scope": "ci"}, "scope"),
        ({"name": "x", "scope": [{}]}, "scope[0]"),
        ({"name": "x", "scope": ["ci"]}, "scope[0]"),
        ({"name": "x", "scope": [{"key": "ci"}, {"key": "nothing"}]}, "scope"),
        ({"name": "\u202e", "scope": [{"key": "ci"}]}, "name"),
        ({"name": "x" * 201, "scope": [{"key": "ci"}]}, "name"),
        ({"name": "x", "scope": [{"key": "ci"}], "expires": 1}, "expires"),
    ],
)
def test_bad_bodies_are_refused_by_name(administrator: Client, body: object, field: str) -> None:
    answer = administrator.post(TOKENS, body)
    assert (answer.status, answer.json["error_field"]) == (400, field)


def test_what_clients_of_hub_send_along_is_ignored(scene: Scene, administrator: Client) -> None:
    body = {
        "name": "from hub",
        "scope": [{"id": scene.ci.service.id, "key": "x", "name": "x", "label": "x", "data": {"id": "x"}}],
        "user": {"id": "somebody else"},
        "author": {"id": "somebody else"},
        "token": "chosen",
        "type": "permanentToken",
    }
    created = administrator.post(TOKENS, body).json
    assert created["user"]["id"] == scene.bot.id
    assert created["author"]["id"] == scene.administrator.owner.id
    assert created["token"] != "chosen"


def test_a_token_is_renamed_and_rescoped_in_place(scene: Scene, administrator: Client) -> None:
    place = f"{TOKENS}/{scene.token.token.id}"
    assert administrator.post(place, {"name": "renamed"}, fields="name").json == {"name": "renamed"}
    changed = administrator.post(place, {"scope": [{"key": "deploy"}]}, fields="id,name,scope(key)").json
    assert changed == {"id": scene.token.token.id, "name": "renamed", "scope": [{"key": "deploy"}]}
    assert introspect("deploy", scene.deploy.secret, scene.token.secret or "").json["active"]
    assert administrator.post(place, {}).status == 200


def test_a_deleted_service_stays_visible_in_the_scope_by_its_id(scene: Scene, administrator: Client) -> None:
    administrator.delete("/services/ci")
    scope = administrator.get(f"{TOKENS}/{scene.token.token.id}").json["scope"]
    assert scope == [{"id": scene.ci.service.id, "name": None, "type": "service"}]


def test_after_deletion_the_next_question_is_answered_with_no(scene: Scene, administrator: Client) -> None:
    assert introspect("ci", scene.ci.secret, scene.token.secret or "").json["active"]
    place = f"{TOKENS}/{scene.token.token.id}"
    assert administrator.delete(place).status == 200
    assert introspect("ci", scene.ci.secret, scene.token.secret or "").json == {"active": False}
    assert administrator.delete(place).status == 404
    assert administrator.get(place).status == 404


def test_a_rotated_token_has_a_new_secret_and_the_old_one_goes_on(scene: Scene, administrator: Client) -> None:
    path = f"/users/{scene.bot.id}/permanenttokens/{scene.token.token.id}"
    answer = administrator.post(f"{path}/rotate", {"grace": "PT1H"})
    assert answer.status == 200
    assert (answer.json["id"], answer.json["name"]) == (scene.token.token.id, "build")
    for secret in (answer.json["token"], scene.token.secret):
        assert introspect("ci", scene.ci.secret, secret).json["active"]
    assert administrator.get(path, fields="rotationTime").json["rotationTime"] > scene.token.token.created
    assert administrator.post(f"{path}/rotate", {"grace": 0}).status == 200
    for secret in (answer.json["token"], scene.token.secret):
        assert introspect("ci", scene.ci.secret, secret).json == {"active": False}


@pytest.mark.parametrize("grace", [-1, "soon", "P1M", 10**9, None, 1.5])
def test_a_grace_that_is_none_is_refused_by_name(scene: Scene, administrator: Client, grace: object) -> None:
    path = f"/users/{scene.bot.id}/permanenttokens/{scene.token.token.id}/rotate"
    answer = administrator.post(path, {"grace": grace})
    assert (answer.status, answer.json["error_field"]) == (400, "grace")
    assert scene.is_good(scene.token.secret)


def test_a_token_expires_when_somebody_says_so(scene: Scene, administrator: Client) -> None:
    path, end = f"/users/{scene.bot.id}/permanenttokens", now() + 3_600_000
    made = administrator.post(path, {"name": "ending", "scope": [{"key": "ci"}], "expiresOn": end}).json
    assert made["expiresOn"] == end
    assert introspect("ci", scene.ci.secret, made["token"]).json["exp"] == end // 1000
    assert "exp" not in introspect("ci", scene.ci.secret, scene.token.secret).json
    changed = administrator.post(f"{path}/{made['id']}", {"name": "renamed"}).json
    assert changed["expiresOn"] == end
    assert administrator.post(f"{path}/{made['id']}", {"expiresOn": None}).json["expiresOn"] is None


def test_what_a_token_makes_has_its_end_and_networks_and_what_names_more_is_refused(
    scene: Scene, administrator: Client
) -> None:
    end, networks = now() + 3_600_000, ["192.0.2.0/24"]
    bounds = {"expiresOn": end, "networks": networks}
    scope = {"scope": [{"key": "keyturn"}]}
    own = Client(administrator.post("/users/me/permanenttokens", {"name": "ending", **scope, **bounds}).json["token"])
    made = own.post("/users/me/permanenttokens?fields=id,expiresOn,networks", {"name": "made", **scope}).json
    assert (made["expiresOn"], made["networks"]) == (end, networks)
    for field, value in (("expiresOn", end + 1), ("networks", ["0.0.0.0/0"])):
        for path in ("/users/me/permanenttokens", f"/users/me/permanenttokens/{made['id']}"):
            answer = own.post(path, {"name": "broader", **scope, field: value})
            assert (answer.status, answer.json["error_field"]) == (400, field)
    assert own.post("/services", {"key": "x", "name": "X"}).status == 403


@pytest.mark.parametrize("end", [0, 1, 10**14 + 1, "tomorrow", -1, 1.5])
def test_an_end_that_is_none_is_refused_by_name(scene: Scene, administrator: Client, end: object) -> None:
    path = f"/users/{scene.bot.id}/permanenttokens"
    answer = administrator.post(path, {"name": "ending", "scope": [{"key": "ci"}], "expiresOn": end})
    assert (answer.status, answer.json["error_field"]) == (400, "expiresOn")
    assert administrator.get(path).json["total"] == 1


def test_a_token_that_is_not_for_keyturn_rotates_itself_and_does_nothing_else(scene: Scene) -> None:
    own = Client(scene.token.secret or "")
    answer = own.post("/users/me/permanenttokens/current/rotate", {"grace": 60})
    assert answer.status == 200
    assert introspect("ci", scene.ci.secret, answer.json["token"]).json["active"]
    assert "exp" in introspect("ci", scene.ci.secret, scene.token.secret).json
    refused = own.get("/users/me/permanenttokens")
    assert (refused.status, refused.json["error"]) == (403, "insufficient_scope")
    other = own.post(f"/users/{scene.administrator.owner.id}/permanenttokens/current/rotate", {"grace": 60})
    assert other.status == 403


def test_whoever_still_uses_an_earlier_secret_is_told_when_it_ends(scene: Scene, administrator: Client) -> None:
    path = f"/users/me/permanenttokens/{scene.administrator.token.id}"
    assert "sunset" not in administrator.get("/users/me").headers
    renewed = administrator.post(f"{path}/rotate", {"grace": 3600})
    until = (
        scene.product.permanent_tokens.get(scene.caller(), "me", scene.administrator.token.id)
        .token.previous_secrets[0]
        .until
    )
    told = administrator.get("/users/me").headers["sunset"]
    assert parsedate_to_datetime(told).timestamp() == until // 1000
    assert "sunset" not in Client(renewed.json["token"]).get("/users/me").headers


def test_a_secret_can_be_brought_and_compared(scene: Scene, administrator: Client) -> None:
    path, secret = f"/users/{scene.bot.id}/permanenttokens", random_text(43)
    made = administrator.post(path, {"name": "brought", "scope": [{"key": "ci"}], "secret": secret})
    assert secret in made.json["token"]
    token = f"{path}/{made.json['id']}"
    assert administrator.post(f"{token}/comparison", {"secret": secret}).json == {
        "id": made.json["id"],
        "type": "tokenComparison",
        "current": True,
    }
    other = random_text(43)
    assert administrator.post(f"{token}/comparison", {"secret": other}).json["current"] is False
    assert other in administrator.post(f"{token}/rotate", {"grace": 60, "secret": other}).json["token"]
    assert secret not in administrator.get(f"{token}?fields=id,secrets(creationTime)").text


def test_a_weak_secret_is_refused_by_the_rule_and_not_repeated(scene: Scene, administrator: Client) -> None:
    path = f"/users/{scene.bot.id}/permanenttokens"
    refused = administrator.post(path, {"name": "weak", "scope": [{"key": "ci"}], "secret": "abc" * 14 + "a"})
    assert (refused.status, refused.json["error_field"]) == (400, "secret")
    assert "abcabc" not in refused.text


def test_a_token_that_is_not_for_keyturn_can_look_at_itself_alone(scene: Scene) -> None:
    own = Client(scene.token.secret or "")
    assert own.get("/users/me/permanenttokens/current?fields=id,name").json == {
        "id": scene.token.token.id,
        "name": scene.token.token.name,
    }
    assert own.get(f"/users/me/permanenttokens/{scene.token.token.id}").status == 403
    assert own.get("/users/me/permanenttokens").status == 403


def test_who_created_it_can_be_told_from_others_of_the_name(scene: Scene, administrator: Client) -> None:
    administrator.post("/users/admin", {"name": "Somebody Else"})
    token = f"/users/{scene.bot.id}/permanenttokens/{scene.token.token.id}"
    shown = administrator.get(f"{token}?fields=author(name),authorLogin").json
    assert shown == {"author": {"name": "Administrator"}, "authorLogin": "admin"}
    assert "authorLogin" not in administrator.get(token).json  # Hub has no such field


def ended(scene: Scene, name: str) -> tuple[str, str, int]:
    """A token of the bot that ended an hour ago: its path, its secret and its end."""
    caller, hour = scene.caller(), 3_600_000
    end = now() - hour
    made = scene.product.permanent_tokens.create(
        replace(caller, now=end - hour), scene.bot.id, name, ["ci"], end, TokenDetails(labels=["a"])
    )
    return f"{TOKENS}/{made.token.id}", made.secret or "", end


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rotate", {"grace": 60}),
        ("/takeback", {"keep": "any"}),
        ("/comparison", {"secret": random_text(43)}),
        ("", {"scope": [{"key": "deploy"}]}),
        ("", {"expiresOn": None}),
    ],
)
def test_a_token_that_has_ended_is_not_changed(
    scene: Scene, administrator: Client, path: str, body: dict[str, object]
) -> None:
    token, _, end = ended(scene, "over")
    refused = administrator.post(token + path, body)
    assert (refused.status, refused.json["error"]) == (409, "conflict")
    assert refused.json["error_description"].endswith("cannot be changed. Create a new token: the name is free.")
    assert administrator.get(f"{token}?fields=expiresOn,secrets(endsOn)").json == {
        "expiresOn": end,
        "secrets": [{"endsOn": end}],
    }


def test_its_name_is_free_and_its_own_key_and_secret_bring_it_nowhere(scene: Scene, administrator: Client) -> None:
    token, secret, _ = ended(scene, "nightly")
    assert Client(secret).post("/users/me/permanenttokens/current/rotate", {"grace": 0}).status == 401
    made = administrator.post(TOKENS, {"name": "nightly", "scope": [{"key": "ci"}], "labels": ["a"]})
    assert made.status == 200
    assert administrator.get(token).status == 404
    assert administrator.get(TOKENS).json["total"] == 2
    assert administrator.post(TOKENS, {"name": "nightly", "scope": [{"key": "ci"}]}).status == 409


def test_no_secret_is_said_to_outlive_its_token(scene: Scene, administrator: Client) -> None:
    end = now() + 60_000
    made = administrator.post(TOKENS, {"name": "short", "scope": [{"key": "keyturn"}], "expiresOn": end}).json
    shown = administrator.post(f"{TOKENS}/{made['id']}/rotate", {"grace": "P1D"}, fields="secrets(endsOn)").json
    assert shown["secrets"] == [{"endsOn": end}, {"endsOn": end}]
    told = Client(made["token"]).get("/users/me").headers["sunset"]
    assert parsedate_to_datetime(told).timestamp() == end // 1000


class TestSentAgain:
    """With a secret that the client brings, and after an answer that was lost."""

    CURRENT = "/users/me/permanenttokens/current"
    ASKED = "id,token,notice,secrets(creationTime,endsOn)"

    def post(self, scene: Scene, path: str, body: object, key: str | None) -> Answer:
        """By the administrator, with this Idempotency-Key."""
        headers = {"authorization": f"Bearer {scene.administrator.secret}", "content-type": "application/json"}
        keyed = {**headers, "idempotency-key": key} if key else headers
        return send("POST", f"{REST}{path}?fields={self.ASKED}", keyed, json.dumps(body))

    @pytest.mark.parametrize("grace", [0, 3600])
    def test_a_rotation_changes_nothing_and_raises_nothing(
        self, scene: Scene, administrator: Client, grace: int
    ) -> None:
        administrator.post("/services/ci/policy", {"reused": "revoke"})
        old, body = scene.token.secret or "", {"grace": grace, "secret": random_text(43)}
        rotate = f"{self.CURRENT}/rotate"
        first = Client(old).post(rotate, body, fields=self.ASKED)
        assert first.status == 200
        new = first.json["token"]
        assert [each["endsOn"] is None for each in first.json["secrets"]] == [*[False] * (grace > 0), True]
        for _ in range(2):
            by_the_old = Client(old).post(rotate, body, fields=self.ASKED)
            assert (by_the_old.status, by_the_old.json == first.json) == ((200, True) if grace else (401, False))
            again = Client(new).post(rotate, body, fields=self.ASKED)  # from now on it is in use
            assert (again.status, again.json) == (200, first.json)
        assert introspect("ci", scene.ci.secret, new).json["active"]
        shown = administrator.get(f"{TOKENS}/{scene.token.token.id}?fields=flags").json
        assert shown == {"flags": []}

    def test_what_cannot_be_read_is_refused_after_who_asks_is(self, scene: Scene) -> None:
        rotate, wrong = f"{self.CURRENT}/rotate", {"grace": 0, "secret": 7}
        assert Client("nobody").post(rotate, wrong).status == 401
        refused = Client(scene.token.secret or "").post(rotate, wrong)
        assert (refused.status, refused.json["error_field"]) == (400, "secret")

    @pytest.mark.parametrize("key", ["key", None])
    def test_a_creation_makes_nothing_and_is_answered_alike(
        self, administrator: Client, scene: Scene, key: str | None
    ) -> None:
        body = {"name": "brought", "scope": [{"key": "ci"}], "secret": random_text(43), "description": "d"}
        first, again = self.post(scene, TOKENS, body, key), self.post(scene, TOKENS, body, key)
        assert (first.status, again.status) == (200, 200)
        assert str(body["secret"]) in first.json["token"]
        assert again.json == first.json
        assert administrator.get(TOKENS).json["total"] == 2

    def test_a_rotation_with_a_key_is_answered_alike_too(self, administrator: Client, scene: Scene) -> None:
        path, body = f"{TOKENS}/{scene.token.token.id}/rotate", {"grace": 60, "secret": random_text(43)}
        first = self.post(scene, path, body, "key")
        assert first.json["notice"] is None
        assert self.post(scene, path, body, "key").json == first.json
        administrator.post(path, {"grace": 60})
        replayed = self.post(scene, path, body, "key").json
        assert replayed["token"] is None
        assert "in that answer only" in replayed["notice"]
