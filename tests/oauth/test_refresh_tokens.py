"""Refresh tokens: rotated at each use, ended by replay, listed and deleted on the account."""

from __future__ import annotations

from collections import Counter

import pytest

from chalicelib.core.common.errors import InvalidGrant
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.delegations import IDLE_LIFETIME_MS, MAX_DELEGATIONS, MAX_SECRETS, REFRESH_LEEWAY_MS
from chalicelib.core.secrets.token_format import REFRESH_TOKEN
from chalicelib.storage.engine.table import Item
from tests.conftest import now
from tests.oauth.calling import Pkce, claims_of, sent_back, token_request
from tests.oauth.conformance import covers
from tests.oauth.conftest import Stage
from tests.rest.calling import Client


def later(stage: Stage, token: str, milliseconds: int) -> str:
    """The refresh token that this one brings some time later."""
    origin = Origin(now() + milliseconds, "192.0.2.1")
    issued = stage.scene.product.oauth.delegations.refresh(stage.web.service, token, None, origin)
    assert issued.refresh_token
    return issued.refresh_token


@covers("9700-2.2.2-rotation", "6749-6-same-scope")
def test_each_use_brings_another(stage: Stage) -> None:
    first = stage.connect()
    second = stage.refresh(first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    third = stage.refresh(second["refresh_token"])
    assert third.status == 200
    assert stage.is_active(third.json["access_token"])


@covers("9700-4.14.2-replay")
def test_a_replay_after_the_leeway_ends_everything(stage: Stage) -> None:
    tokens = stage.connect()
    newer = stage.refresh(tokens["refresh_token"]).json
    with pytest.raises(InvalidGrant):
        later(stage, tokens["refresh_token"], REFRESH_LEEWAY_MS + 1000)
    assert stage.refresh(newer["refresh_token"]).json["error"] == "invalid_grant"
    assert not stage.is_active(newer["access_token"])
    kinds = [record["kind"] for record in _audit(stage)]
    assert "refresh-token.reused" in kinds


def test_a_lost_answer_locks_nobody_out(stage: Stage) -> None:
    first = stage.connect()["refresh_token"]
    lost = stage.refresh(first).json["refresh_token"]
    again = stage.refresh(first)
    assert again.status == 200
    other = stage.refresh(again.json["refresh_token"])
    assert other.status == 200
    assert stage.refresh(lost).status == 200  # within the leeway, whichever of the two arrived goes on


def test_a_repetition_is_answered_with_the_newest_and_changes_nothing(stage: Stage) -> None:
    first = stage.connect()["refresh_token"]
    second = stage.refresh(first).json["refresh_token"]
    assert [stage.refresh(first).json["refresh_token"] for _ in range(20)] == [second] * 20
    third = stage.refresh(second).json["refresh_token"]
    assert stage.refresh(first).json["refresh_token"] == stage.refresh(second).json["refresh_token"] == third
    narrow = stage.refresh(first, scope="api").json
    assert claims_of(narrow["access_token"])["scope"] == stage.api.service.id
    assert stage.is_active(narrow["access_token"])
    kinds = Counter(record["kind"] for record in _audit(stage))
    assert (kinds["refresh-token.rotated"], kinds["refresh-token.reused"]) == (2, 0)
    (repeated,) = [record for record in _audit(stage) if record["kind"] == "refresh-token.repeated"]
    assert repeated["details"] == {"client": stage.web.service.id, "times": "23"}
    assert later(stage, third, REFRESH_LEEWAY_MS + 1000)


def test_what_there_was_no_room_for_is_no_replay_within_its_leeway(stage: Stage) -> None:
    """A client that refreshes all the time."""
    tokens = [stage.connect()["refresh_token"]]
    for number in range(MAX_SECRETS + 2):
        tokens.append(later(stage, tokens[-1], number))
    with pytest.raises(InvalidGrant):
        later(stage, tokens[0], REFRESH_LEEWAY_MS - 5_000)
    tokens.append(later(stage, tokens[-1], REFRESH_LEEWAY_MS - 5_000))
    with pytest.raises(InvalidGrant):
        later(stage, tokens[0], 2 * REFRESH_LEEWAY_MS)
    with pytest.raises(InvalidGrant):  # that one was a replay
        later(stage, tokens[-1], 2 * REFRESH_LEEWAY_MS)


def test_a_lost_answer_locks_nobody_out_under_another_key_either(stage: Stage) -> None:
    """What comes next is then another one, and both of them stay until one is used."""
    first = stage.connect()["refresh_token"]
    lost = stage.refresh(first).json["refresh_token"]
    settings = stage.scene.product.settings
    keys = {**settings.tag_keys, "new": b"n" * 32}
    product = stage.scene.restarted(tag_keys=keys, current_tag_key="new").product
    refresh = product.oauth.delegations.refresh
    again = refresh(stage.web.service, first, None, Origin(now(), "")).refresh_token or ""
    assert again not in (first, lost)
    assert refresh(stage.web.service, lost, None, Origin(now() + 2 * REFRESH_LEEWAY_MS, ""))


def test_a_thief_who_uses_the_leeway_is_found_out(stage: Stage) -> None:
    first = stage.connect()["refresh_token"]
    owner = stage.refresh(first).json["refresh_token"]
    thief = stage.refresh(first).json["refresh_token"]
    owner = stage.refresh(owner).json["refresh_token"]
    with pytest.raises(InvalidGrant):  # what both had ended when the owner went on
        later(stage, thief, REFRESH_LEEWAY_MS + 1000)
    assert stage.refresh(owner).json["error"] == "invalid_grant"


@covers("6749-10.4-confidential", "6749-10.10-entropy")
def test_an_invented_token_ends_nothing(stage: Stage) -> None:
    token = stage.connect()["refresh_token"]
    ids = REFRESH_TOKEN.parse(token)
    assert ids
    assert stage.refresh(REFRESH_TOKEN.issue(*ids)).json["error"] == "invalid_grant"
    assert stage.refresh(token).status == 200
    for wrong in ("", "x", "ktr_", token[:-1], token + "0", token.swapcase(), "0" * 9000):
        assert stage.refresh(wrong).status == 400


@covers("6749-6-bound", "9700-4.14.2-bound")
def test_another_client_cannot_use_it(stage: Stage) -> None:
    token = stage.connect()["refresh_token"]
    public = token_request(None, grant_type="refresh_token", client_id="program", refresh_token=token)
    assert public.json["error"] == "invalid_grant"
    product = stage.scene.product
    other = product.services.register(
        stage.scene.caller(), ServiceDescription(key=f"o-{stage.person.user.login}", name="O")
    )
    client = (other.service.id, other.secret)
    stolen = token_request(client, grant_type="refresh_token", refresh_token=token)
    assert stolen.json["error"] == "invalid_grant"
    assert stage.refresh(token).status == 200


@covers("6749-6-scope", "9700-4.14.2-bound")
def test_scope_shrinks_and_never_grows(stage: Stage) -> None:
    tokens = stage.connect(scope="api web openid")
    narrow = stage.refresh(tokens["refresh_token"], scope="api").json
    assert claims_of(narrow["access_token"])["scope"] == stage.api.service.id
    assert claims_of(narrow["access_token"])["aud"] == stage.api.service.id
    for more in ("api deploy", "profile", "0-0-0-0-0", "nowhere"):
        answer = stage.refresh(narrow["refresh_token"], scope=more)
        assert (answer.status, answer.json["error"]) == (400, "invalid_scope")
    whole = stage.refresh(narrow["refresh_token"]).json
    assert set(whole["scope"].split()) == {stage.api.service.id, stage.web.service.id, "openid"}


def test_one_that_nobody_uses_ends(stage: Stage) -> None:
    with pytest.raises(InvalidGrant):
        later(stage, stage.connect()["refresh_token"], IDLE_LIFETIME_MS + 1000)


def test_the_oldest_makes_room(stage: Stage) -> None:
    first = stage.connect()["refresh_token"]
    for _ in range(MAX_DELEGATIONS):
        last = stage.connect()["refresh_token"]
    assert stage.refresh(first).json["error"] == "invalid_grant"
    assert stage.refresh(last).status == 200
    owner = Client(stage.browser().cookie.partition("=")[2])
    assert owner.get("/users/me/refreshtokens").json["total"] == MAX_DELEGATIONS


def test_the_owner_sees_and_ends_them(stage: Stage) -> None:
    tokens = stage.connect(scope="api openid")
    owner = Client(stage.browser().cookie.partition("=")[2])
    listed = owner.get("/users/me/refreshtokens", fields="id,client(key),scope(key),claims,user(login),lastAccessTime")
    (one,) = listed.json["refreshtokens"]
    assert (one["client"], one["scope"], one["claims"]) == ({"key": "web"}, [{"key": "api"}], ["openid"])
    assert one["user"] == {"login": stage.person.user.login}
    assert one["lastAccessTime"] is None
    assert owner.get(f"/users/me/refreshtokens/{one['id']}").status == 200
    assert owner.get("/users/me", fields="refreshTokens(id)").json["refreshTokens"] == [{"id": one["id"]}]
    assert tokens["refresh_token"] not in listed.text
    assert owner.delete(f"/users/me/refreshtokens/{one['id']}").status == 200
    assert stage.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert not stage.is_active(tokens["access_token"])
    assert owner.delete(f"/users/me/refreshtokens/{one['id']}").status == 404


def test_an_administrator_ends_them_and_others_see_nothing(stage: Stage) -> None:
    tokens = stage.connect()
    login = stage.person.user.login
    administrator = Client(stage.scene.administrator.secret or "")
    stranger = Client(stage.scene.token.secret or "")
    (one,) = administrator.get(f"/users/{login}/refreshtokens").json["refreshtokens"]
    assert stranger.get(f"/users/{login}/refreshtokens").status == 403
    assert stranger.delete(f"/users/{login}/refreshtokens/{one['id']}").status == 403
    assert administrator.delete(f"/users/{login}/refreshtokens/{one['id']}").status == 200
    assert not stage.is_active(tokens["access_token"])


def test_a_public_client_refreshes_by_its_id(stage: Stage) -> None:
    pkce, uri = Pkce(), "http://127.0.0.1:50000/callback"
    browser = stage.browser()
    page = browser.get(stage.request(pkce, client_id="program", redirect_uri=uri))
    code = sent_back(browser.submit(page, decision="approve"))["code"]
    form = {"client_id": "program", "code": code, "redirect_uri": uri, "code_verifier": pkce.verifier}
    tokens = token_request(None, grant_type="authorization_code", **form).json
    again = token_request(None, grant_type="refresh_token", client_id="program", refresh_token=tokens["refresh_token"])
    assert again.status == 200
    assert again.json["refresh_token"] != tokens["refresh_token"]


def test_the_stored_record_holds_no_secret(stage: Stage) -> None:
    tokens = stage.connect()
    for item in Item.scan():
        assert tokens["refresh_token"] not in str(item.serialize())
        assert tokens["access_token"] not in str(item.serialize())


def _audit(stage: Stage) -> list[dict[str, str]]:
    administrator = Client(stage.scene.administrator.secret or "")
    until = now() + 60_000
    records: list[dict[str, str]] = administrator.get("/audit", target=stage.person.user.id, to=until).json["audit"]
    return records


def test_a_use_counts_as_one_of_the_account(stage: Stage) -> None:
    token = stage.connect()["refresh_token"]
    at = now() + 5_000
    stage.scene.product.oauth.delegations.refresh(stage.web.service, token, None, Origin(at, ""))
    administrator = Client(stage.scene.administrator.secret or "")
    account = administrator.get(f"/users/{stage.person.user.login}", fields="lastAccessTime").json
    assert account == {"lastAccessTime": at}
