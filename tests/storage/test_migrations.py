"""What an older version stored is brought into today's form: once, and while everything goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from chalicelib.core.common.paging import Window
from chalicelib.core.secrets.previous_secrets import RetiredSecret
from chalicelib.storage import migrations
from chalicelib.storage.engine import keys
from chalicelib.storage.items import TOKENS, TokenItem
from chalicelib.storage.migrations import MIGRATIONS, run, waiting
from chalicelib.storage.permanent_tokens import DynamoTokens
from embedded.layout import PROJECT
from tests.conftest import Scene


def make_old(scene: Scene) -> TokenItem:
    """The scene's token as it was stored before there were lifecycles."""
    item = TokenItem.get(*keys.token(scene.token.token.user_id, scene.token.token.id))
    item.update([TokenItem.collection.remove(), TokenItem.position.remove()])
    return item


def in_the_index() -> set[str]:
    return {token.id for token in DynamoTokens().page(None, None, 100).tokens}


def migrate() -> int:
    return sum(run(waiting()))


def test_an_old_token_is_found_again(scene: Scene) -> None:
    make_old(scene)
    assert scene.token.token.id not in in_the_index()
    assert migrate() == 1
    assert scene.token.token.id in in_the_index()
    assert scene.is_good(scene.token.secret)


def test_it_is_all_that_changes(scene: Scene) -> None:
    before = make_old(scene).serialize()
    migrate()
    after = TokenItem.get(*keys.token(scene.token.token.user_id, scene.token.token.id)).serialize()
    assert after.pop("collection") == {"S": TOKENS}
    assert after.pop("position")
    for name in ("collection", "position"):
        before.pop(name, None)
    assert after == before


def test_secrets_that_ended_before_more_was_kept_of_them_are_read(scene: Scene) -> None:
    token = scene.token.token
    scene.product.rotation.rotate(scene.caller(), scene.bot.id, token.id, 0)
    item = TokenItem.get(*keys.token(token.user_id, token.id))
    item.update([TokenItem.retired.remove()])
    (retired_secrets,) = item.to_credential().retired_secrets
    assert retired_secrets == RetiredSecret(token.secret, since=0, rolled_back=False)


def test_what_was_done_is_not_done_again(scene: Scene) -> None:
    assert [each.number for each in waiting()] == [each.number for each in MIGRATIONS]
    migrate()
    assert waiting() == []
    make_old(scene)
    assert migrate() == 0


def test_one_that_was_interrupted_begins_anew(scene: Scene) -> None:
    make_old(scene)
    next(run(waiting()))
    assert waiting() == list(MIGRATIONS)
    migrate()
    assert scene.token.token.id in in_the_index()


def test_a_token_that_is_changed_meanwhile_keeps_the_change(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    make_old(scene)
    read = TokenItem.to_credential

    def read_and_rename(item: TokenItem) -> object:
        found = read(item)
        monkeypatch.setattr(TokenItem, "to_credential", read)
        scene.product.permanent_tokens.update(scene.caller(), "build-bot", found.id, "renamed", None)
        return found

    monkeypatch.setattr(TokenItem, "to_credential", read_and_rename)
    assert migrate() == 0
    assert scene.token.token.id in in_the_index()
    [held] = scene.product.permanent_tokens.page(scene.caller(), "build-bot", Window()).items
    assert held.token.name == "renamed"


def test_numbers_go_up_by_one() -> None:
    assert [each.number for each in migrations.MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_the_command(scene: Scene) -> None:
    make_old(scene)
    said = Counter[str]()
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "chalicelib.migrate"],
            cwd=PROJECT,
            env=os.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        said[done.stdout.strip()] += 1
    assert said == {"1 items were changed.": 1, "Nothing is waiting.": 1}


def test_the_command_says_what_is_wrong(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scene
    monkeypatch.setenv("KEYTURN_TABLE", "no-such-table")
    done = subprocess.run(
        [sys.executable, "-m", "chalicelib.migrate"],
        cwd=PROJECT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr
