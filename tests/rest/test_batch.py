"""`POST /batch`: many changes of bots and their tokens in one request, each as it would be alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.access.permissions import READ_USER, UPDATE_USER
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.rest import batch
from chalicelib.rest.routes import ROUTES
from tests.conftest import Scene
from tests.rest.calling import Answer, Client, introspect
from tests.storage.test_login_round_trips import recorded

SCOPE = [{"key": "ci"}]
TOKENS = "/users/build-bot/permanenttokens"
BROUGHT = "a1B2c3D4e5F6g7H8i9J0" * 2 + "k1L"


def change(path: str, body: Any = None, method: str = "POST", **more: Any) -> dict[str, Any]:
    return {"method": method, "path": path, **({} if body is None else {"body": body}), **more}


def sent(client: Client, *changes: dict[str, Any], **query: Any) -> Answer:
    return client.post("/batch", {"changes": list(changes)}, **query)


def answers(client: Client, *changes: dict[str, Any], **query: Any) -> list[tuple[int, Any]]:
    answer = sent(client, *changes, **query)
    assert answer.status == 200, answer.text
    assert answer.json["tried"] == len(changes)
    return [(each["status"], each["body"]) for each in answer.json["answers"]]


def test_a_bot_gets_its_account_and_its_tokens_in_one_request(scene: Scene, administrator: Client) -> None:
    made = answers(
        administrator,
        change("/users", {"login": "robot", "name": "Robot", "type": "bot"}, fields="id,login"),
        change("/users/robot/permanenttokens", {"name": "one", "scope": SCOPE, "secret": BROUGHT}),
        change("/users/robot/permanenttokens", {"name": "two", "scope": SCOPE, "labels": ["x"]}, fields="token"),
        change("/users/robot", {"description": "Builds"}, fields="description"),
    )
    assert [status for status, _ in made] == [200] * 4
    assert made[0][1].keys() == {"id", "login"}
    assert BROUGHT in made[1][1]["token"]
    for token in (made[1][1]["token"], made[2][1]["token"]):
        assert introspect("ci", scene.ci.secret, token).json["active"]
    one = f"/users/robot/permanenttokens/{made[1][1]['id']}"
    after = answers(
        administrator,
        change(f"{one}/rotate", {"grace": 60}, fields="token"),
        change(one, {"name": "renamed"}),
        change(one, method="DELETE"),
        change("/users/robot", method="DELETE"),
    )
    assert [status for status, _ in after] == [200] * 4
    assert administrator.get("/users/robot").status == 404


def test_each_is_answered_as_it_would_be_alone_and_none_stops_the_next(scene: Scene, administrator: Client) -> None:
    asked = [
        (TOKENS, {"name": "", "scope": SCOPE}),
        (TOKENS, {"name": "n", "scope": [{"key": "nowhere"}]}),
        ("/users/nobody/permanenttokens", {"name": "n", "scope": SCOPE}),
        ("/users", {"login": "build-bot", "name": "Taken"}),
        ("/users", {"login": "x", "name": "X", "unknown": 1}),
        ("/users", None),
        ("/users", {"login": "new", "name": "New"}),
    ]
    alone = [administrator.post(path, body) for path, body in asked[:-2]]
    found = answers(administrator, *(change(path, body) for path, body in asked))
    assert found[:-2] == [(answer.status, answer.json) for answer in alone]
    assert [status for status, _ in found] == [400, 400, 404, 409, 400, 415, 200]


def test_each_is_recorded_with_who_did_it(scene: Scene, administrator: Client) -> None:
    answers(
        administrator,
        change(TOKENS, {"name": "one", "scope": SCOPE}),
        change(TOKENS, {"name": "two", "scope": SCOPE}),
    )
    records = administrator.get("/audit", kind="permanent-token.created").json["audit"][:2]
    assert {each["details"]["name"] for each in records} == {"one", "two"}
    assert all(each["actor"] == administrator.get("/users/me").json["id"] for each in records)
    assert all(each["address"] == "192.0.2.7" for each in records)


def keeper(scene: Scene) -> tuple[str, Client]:
    """The id of an account that may describe others, and what it says."""
    product, by = scene.product, scene.caller()
    product.roles.create(by, "keeper", "Keeper", [UPDATE_USER])
    made = product.accounts.create(by, "keeper", "Keeper", scene.bot.type)
    product.roles.grant(by, made.id, "keeper")
    return made.id, Client(product.permanent_tokens.create(by, made.id, "own", ["keyturn"]).secret or "")


def test_who_may_not_is_refused_change_by_change(scene: Scene, administrator: Client) -> None:
    id, client = keeper(scene)
    found = answers(
        client,
        change("/users/admin/permanenttokens", {"name": "more", "scope": [{"id": "0-0-0-0-0"}]}),
        change("/users", {"login": "new", "name": "New"}),
        change("/users/build-bot", {"description": "mine"}),
    )
    assert [status for status, _ in found] == [403, 403, 200]
    assert administrator.get("/audit", kind="escalation.refused", actor=id).json["audit"]
    assert sent(Client("nonsense"), change("/users", {})).status == 401
    assert sent(Client(scene.token.secret or ""), change("/users", {})).status == 403  # it is for ci alone


def test_what_ends_the_caller_in_the_middle_ends_the_rest(scene: Scene, administrator: Client) -> None:
    own = administrator.get("/users/me/permanenttokens/current").json["id"]
    found = answers(
        administrator,
        change(f"/users/me/permanenttokens/{own}", method="DELETE"),
        change("/users", {"login": "late", "name": "Late"}),
    )
    assert [status for status, _ in found] == [200, 401]


MEANWHILE: dict[str, tuple[Callable[[Scene, str], object], int]] = {
    "its token is deleted": (
        lambda scene, id: scene.product.permanent_tokens.delete(scene.caller(), id, own(scene)),
        401,
    ),
    "it is banned": (
        lambda scene, id: scene.product.accounts.update(scene.caller(), id, AccountChange(banned=True)),
        401,
    ),
    "it loses its role": (lambda scene, id: scene.product.roles.revoke(scene.caller(), id, grant_of(scene)), 403),
    "its role is narrowed": (
        lambda scene, id: scene.product.roles.update(scene.caller(), "keeper", None, None, [READ_USER]),
        403,
    ),
    "its role is deleted": (lambda scene, id: scene.product.roles.delete(scene.caller(), "keeper"), 403),
}


def grant_of(scene: Scene) -> str:
    """The id of the grant by which the keeper may do something."""
    return next(
        grant.id for grant, role in scene.product.roles.grants(scene.caller(), "keeper") if role.key == "keeper"
    )


def own(scene: Scene) -> str:
    """The id of the keeper's token."""
    (found,) = scene.product.permanent_tokens.page(scene.caller(), "keeper", Window(0, 9)).items
    return found.token.id


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_is_taken_from_the_caller_meanwhile_is_missed_by_the_next_change(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    id, client = keeper(scene)
    take, status = MEANWHILE[what]
    looked = iter(range(9))

    def clock() -> float:
        """It is looked at before the first change, and before each."""
        if next(looked) == 2:
            take(scene, id)
        return 0.0

    monkeypatch.setattr(batch, "clock", clock)
    asked = change("/users/build-bot", {"description": "mine"})
    assert [status for status, _ in answers(client, asked, asked, asked)] == [200, status, status]


def test_what_is_given_to_the_caller_meanwhile_counts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    id, client = keeper(scene)
    scene.product.roles.revoke(scene.caller(), id, grant_of(scene))
    looked = iter(range(9))

    def clock() -> float:
        if next(looked) == 2:
            scene.product.roles.grant(scene.caller(), id, "keeper")
        return 0.0

    monkeypatch.setattr(batch, "clock", clock)
    asked = change("/users/build-bot", {"description": "mine"})
    assert [status for status, _ in answers(client, asked, asked)] == [403, 200]


def test_what_the_caller_holds_is_asked_once(administrator: Client) -> None:
    """It costs the database the most, and each revision of the account says whether it is the same."""
    with recorded() as trips:
        found = answers(administrator, *(change(TOKENS, {"name": str(number), "scope": SCOPE}) for number in range(3)))
    assert [status for status, _ in found] == [200] * 3
    assert trips.count("Query") == 1


def test_each_has_its_own_key_and_may_come_again_in_any_batch_or_alone(scene: Scene, administrator: Client) -> None:
    first = change(TOKENS, {"name": "one", "scope": SCOPE}, idempotencyKey="key-1")
    second = change(TOKENS, {"name": "two", "scope": SCOPE}, idempotencyKey="key-2")
    ((_, made),) = answers(administrator, first)
    (again, new) = answers(administrator, first, second)
    assert (again[0], again[1]["id"], again[1]["token"]) == (200, made["id"], None)
    assert (new[0], bool(new[1]["token"])) == (200, True)
    ((status, _),) = answers(administrator, {**first, "body": {"name": "other", "scope": SCOPE}})
    assert status == 422


def test_what_there_is_no_time_for_is_not_tried_and_the_answer_says_so(
    scene: Scene, administrator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 1.0, batch.SECONDS - 0.1, batch.SECONDS + 0.1, batch.SECONDS + 1])
    monkeypatch.setattr(batch, "clock", lambda: next(ticks))
    changes = [change("/users", {"login": f"bot-{number}", "name": "Bot"}) for number in range(4)]
    answer = sent(administrator, *changes).json
    assert answer["tried"] == 2
    assert [(each["tried"], each["status"]) for each in answer["answers"]] == [
        *[(True, 200)] * 2,
        *[(False, None)] * 2,
    ]
    assert administrator.get("/users/bot-1").status == 200
    assert administrator.get("/users/bot-2").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/services",
        "/users/x/trustrules",
        "/batch",
        "/users/x?fields=id",
        "users",
        "/users/a/b/c",
        "/api/rest/users",
        "/users/x/password",
        "//users",
    ],
)
def test_nothing_is_done_of_a_batch_that_holds_anything_else(administrator: Client, path: str) -> None:
    refused = sent(administrator, change("/users", {"login": "first", "name": "First"}), change(path, {}))
    assert (refused.status, refused.json["error_field"]) == (400, "changes[1].path")
    assert administrator.get("/users/first").status == 404


def test_it_is_bounded_in_number_and_size(administrator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "clock", lambda: 0.0)
    one = change("/users/nobody", method="DELETE")
    assert sent(administrator, *[one] * 101).status == sent(administrator).status == 400
    assert [status for status, _ in answers(administrator, *[one] * 100)] == [404] * 100
    large = change("/users/nobody", {"description": "x" * 70_000})
    assert [status for status, _ in answers(administrator, large)] == [413]  # as alone
    assert sent(administrator, *[large] * 20).status == 413


def test_a_name_in_the_path_is_encoded_as_in_any_path(administrator: Client) -> None:
    assert administrator.post("/users", {"login": "a@x", "name": "N"}).status == 200
    found = answers(administrator, change("/users/a%40x", {"name": "Other"}, fields="name"))
    assert found == [(200, {"name": "Other"})]


def test_a_dry_run_of_a_batch_is_one_of_each(scene: Scene, administrator: Client) -> None:
    found = answers(
        administrator,
        change(TOKENS, {"name": "planned", "scope": SCOPE}),
        change("/users", {"login": "build-bot", "name": "Taken"}),
        dryRun="true",
    )
    assert [status for status, _ in found] == [200, 409]
    assert not {"token", "id"} & found[0][1].keys()
    assert administrator.get(TOKENS, query="name: planned").json["total"] == 0


def test_what_a_batch_may_hold_is_in_the_table_of_routes() -> None:
    views = {view for methods in ROUTES.values() for view in methods.values()}
    assert views >= batch.VIEWS
