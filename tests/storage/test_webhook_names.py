"""Names of webhooks are unique, beside what versions have stored that knew nothing of that."""

from __future__ import annotations

import pytest

from chalicelib.core.common.errors import Conflict
from chalicelib.core.webhooks.manage import WebhookChange
from chalicelib.core.webhooks.webhook import Webhook
from chalicelib.storage.engine import keys
from chalicelib.storage.items import NameItem, WebhookItem
from tests.conftest import Scene

URL = "https://hooks.example.com/"


def made(scene: Scene, name: str) -> Webhook:
    return scene.product.lifecycle.webhooks.create(scene.caller(), name, URL, []).webhook


def renamed(scene: Scene, webhook: Webhook, name: str) -> Webhook:
    return scene.product.lifecycle.webhooks.update(scene.caller(), webhook.id, WebhookChange(name))


def stored_before(scene: Scene, name: str, first: str) -> Webhook:
    """One as it was stored before names were unique."""
    webhook = made(scene, first)
    NameItem(*keys.webhook_name(first)).delete()
    WebhookItem(*keys.webhook(webhook.id)).update([WebhookItem.name.set(name)])
    return scene.product.lifecycle.webhooks.get(scene.caller(), webhook.id)


def test_of_two_that_were_there_before_each_is_renamed_and_deleted(scene: Scene) -> None:
    first, second = (stored_before(scene, "twice", str(number)) for number in range(2))
    assert renamed(scene, first, "once").name == "once"
    scene.product.lifecycle.webhooks.delete(scene.caller(), second.id)
    made(scene, "twice")
    with pytest.raises(Conflict):
        made(scene, "once")


def test_one_that_was_there_before_takes_nobodys_mark_along(scene: Scene) -> None:
    """An older version has made it while the new one ran already."""
    holder = made(scene, "twice")
    renamed(scene, stored_before(scene, "twice", "first"), "once")
    scene.product.lifecycle.webhooks.delete(scene.caller(), stored_before(scene, "twice", "second").id)
    assert NameItem.get(*keys.webhook_name("twice")).holder_id == holder.id


@pytest.mark.parametrize("what", ["deleted", "renamed"])
def test_a_name_is_free_that_an_older_version_left_marked(scene: Scene, what: str) -> None:
    older = made(scene, "left")
    item = WebhookItem(*keys.webhook(older.id))
    if what == "deleted":
        item.delete()
    else:
        item.update([WebhookItem.name.set("elsewhere")])
    newer = made(scene, "left")
    assert NameItem.get(*keys.webhook_name("left")).holder_id == newer.id


def test_one_gets_its_name_back_that_an_older_version_left_marked(scene: Scene) -> None:
    webhook = made(scene, "left")
    WebhookItem(*keys.webhook(webhook.id)).update([WebhookItem.name.set("elsewhere")])
    assert renamed(scene, webhook, "left").name == "left"
