"""A read that costs little, and falls back on the general client whenever something is not as usual."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from pynamodb.models import Model

from chalicelib.core.common.identifiers import new_id
from chalicelib.storage.collection import read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.batch_get import BatchGetClient
from chalicelib.storage.engine.http_connections import Answer, ConnectionPool
from chalicelib.storage.engine.table import Item, connect
from tests.conftest import Scene
from tests.cutting import Cut, CuttingProxy


def item_keys(scene: Scene) -> list[keys.Key]:
    token = scene.token.token
    return [keys.user(token.user_id), keys.token(token.user_id, token.id), keys.service(scene.ci.service.id)]


def by_the_general_client(wanted: list[keys.Key]) -> dict[keys.Key, dict[str, Any]]:
    with patch.object(BatchGetClient, "items", return_value=None):
        return values(wanted)


def values(wanted: list[keys.Key]) -> dict[keys.Key, dict[str, Any]]:
    return {item_key: {"kind": type(item), **item.attribute_values} for item_key, item in read(Item, wanted).items()}


def in_order(raw: Any) -> Any:
    """A set is written in whatever order."""
    if isinstance(raw, dict):
        return {name: sorted(value) if name in ("SS", "NS") else in_order(value) for name, value in raw.items()}
    return raw


def test_it_reads_what_the_general_client_reads(scene: Scene) -> None:
    scene.product.rotation.rotate(scene.caller(), "build-bot", scene.token.token.id, 60_000)  # a list of maps
    for item in Item.scan():  # every kind that there is, with all that is in it
        wanted = [(item.pk, item.sk)]
        assert values(wanted) == by_the_general_client(wanted)
    missing = keys.token(new_id(), new_id())
    assert values([*item_keys(scene), missing]) == by_the_general_client([*item_keys(scene), missing])
    assert values([missing]) == {}


def test_items_are_made_as_pynamodb_makes_them(scene: Scene) -> None:
    scene.product.rotation.rotate(scene.caller(), "build-bot", scene.token.token.id, 60_000)
    for item in Item.scan():
        raw = item.serialize()
        made, usual = Item.from_raw_data(raw), Model.from_raw_data.__func__(Item, raw)  # type: ignore[attr-defined]
        assert type(made) is type(usual) is type(item)
        assert in_order(made.serialize()) == in_order(usual.serialize()) == in_order(raw)


def test_an_item_of_another_kind_is_refused(scene: Scene) -> None:
    token = next(iter(read(Item, item_keys(scene)[1:2]).values()))
    wrong = type(next(iter(read(Item, item_keys(scene)[:1]).values())))
    with pytest.raises(ValueError, match="Found a TokenItem where a UserItem was expected"):
        wrong.from_raw_data(token.serialize())


def test_it_takes_one_request_and_not_the_general_client(scene: Scene, proxy: CuttingProxy) -> None:
    with patch.object(Item, "batch_get", side_effect=AssertionError("asked the general client")):
        assert len(read(Item, item_keys(scene))) == 3
    assert proxy.number == 1


@pytest.mark.parametrize("cut", Cut)
def test_a_cut_is_followed_by_the_general_client(scene: Scene, proxy: CuttingProxy, cut: Cut) -> None:
    expected = by_the_general_client(item_keys(scene))
    proxy.begin({0: cut})
    assert values(item_keys(scene)) == expected
    assert proxy.number == 2


def changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Answer], Answer]:
    def applied(answer: Answer) -> Answer:
        told = json.loads(answer.content)
        change(told)
        headers = {name: value for name, value in answer.headers.items() if name != "x-amz-crc32"}
        return Answer(headers, json.dumps(told).encode())

    return applied


ODD: dict[str, Callable[[Answer], Answer | None]] = {
    "not all of it": changed(lambda told: told.update(UnprocessedKeys={"keyturn": {"Keys": [{}]}}, Responses={})),
    "a wrong checksum": lambda answer: Answer({**answer.headers, "x-amz-crc32": "1"}, answer.content),
    "a checksum that is none": lambda answer: Answer({**answer.headers, "x-amz-crc32": "x"}, answer.content),
    "nothing in it": lambda answer: Answer({}, b""),
    "none": lambda answer: None,
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_is_not_used(scene: Scene, odd: str) -> None:
    expected, post = by_the_general_client(item_keys(scene)), ConnectionPool.post

    def answered(*arguments: Any) -> Answer | None:
        answer = post(*arguments)
        assert answer
        return ODD[odd](answer)

    with patch.object(ConnectionPool, "post", answered):
        assert values(item_keys(scene)) == expected


def test_more_than_one_call_can_ask_for_is_left_to_the_general_client(scene: Scene) -> None:
    many = [keys.token(new_id(), new_id()) for _ in range(150)]
    assert values([*many, *item_keys(scene)]) == by_the_general_client(item_keys(scene))


def test_behind_a_proxy_the_general_client_asks(
    scene: Scene, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", proxy.url)
    connect(scene.product.settings.table)
    with patch.object(ConnectionPool, "post", side_effect=AssertionError("went past the proxy")):
        assert BatchGetClient(Item._get_connection().connection, 1, 1).items("keyturn", item_keys(scene)) is None


def test_without_credentials_the_general_client_says_so(scene: Scene) -> None:
    reader = BatchGetClient(Item._get_connection().connection, 1, 1)
    with patch.object(type(reader.connection.session), "get_credentials", return_value=None):
        assert reader.items("keyturn", item_keys(scene)) is None
