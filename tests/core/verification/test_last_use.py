"""When a credential was used last: noted, but not with a write for each request."""

from unittest.mock import patch

import pytest

from chalicelib.core.common.errors import Unavailable
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.verification.last_use import LAST_USED_WINDOW_MS
from tests.conftest import Scene, now
from tests.people import HOME, person


def last_used(scene: Scene) -> int | None:
    (owned,) = scene.product.permanent_tokens.page(scene.caller(), scene.bot.id, Window()).items
    return owned.token.last_used


def ask(scene: Scene, at: int) -> None:
    assert scene.product.introspection.introspect("ci", scene.ci.secret, scene.token.secret or "", at)


def test_a_token_that_was_never_used_says_so(scene: Scene) -> None:
    assert last_used(scene) is None
    assert not scene.is_good(scene.token.secret, scene.deploy)
    assert last_used(scene) is None


def test_uses_are_noted_once_in_a_window(scene: Scene) -> None:
    start = now()
    credentials = scene.product.stores.credentials
    with patch.object(credentials, "mark_used", wraps=credentials.mark_used) as marked:
        for later in (0, 1, LAST_USED_WINDOW_MS - 1):
            ask(scene, start + later)
        assert (marked.call_count, last_used(scene)) == (1, start)
        ask(scene, start + LAST_USED_WINDOW_MS)
        assert marked.call_count == 2
    assert last_used(scene) == start + LAST_USED_WINDOW_MS


def test_a_token_is_good_though_its_use_could_not_be_recorded(scene: Scene) -> None:
    with patch.object(scene.product.stores.credentials, "mark_used", side_effect=Unavailable("down")) as attempted:
        assert scene.is_good(scene.token.secret)
    assert attempted.called


def test_a_note_brings_no_deleted_token_back(scene: Scene) -> None:
    by = scene.caller()
    find = scene.product.stores.credentials.find

    def found_just_before_it_was_deleted(*arguments: object) -> object:
        found = find(*arguments)  # type: ignore[arg-type]
        scene.product.permanent_tokens.delete(by, scene.bot.id, scene.token.token.id)
        return found

    with patch.object(scene.product.stores.credentials, "find", side_effect=found_just_before_it_was_deleted):
        scene.is_good(scene.token.secret)
    assert not scene.is_good(scene.token.secret)
    assert scene.product.permanent_tokens.page(by, scene.bot.id, Window()).total == 0


def test_a_use_is_no_change_of_the_token(scene: Scene) -> None:
    """An update that is under way does not fail for it."""
    scene.is_good(scene.token.secret)
    updated = scene.product.permanent_tokens.update(scene.caller(), scene.bot.id, scene.token.token.id, "renamed", None)
    assert updated.token.revision == scene.token.token.revision + 1
    assert last_used(scene) == updated.token.last_used is not None


@pytest.mark.parametrize("later", [1, LAST_USED_WINDOW_MS + 1])
def test_a_session_notes_its_use_too(scene: Scene, later: int) -> None:
    jo = person(scene)
    opened = jo.attempt()
    jo.caller(opened)
    jo.wait(later)
    caller = scene.product.authentication.caller(opened.secret, Origin(jo.clock, HOME))
    (session,) = scene.product.sessions.page(caller, "me", Window()).items
    assert session.last_used == jo.clock - (later if later == 1 else 0)


def used_at(scene: Scene) -> frozenset[str]:
    return scene.product.permanent_tokens.get(scene.caller(), scene.bot.id, scene.token.token.id).token.used_at


def test_each_service_where_a_token_is_used_is_noted_with_the_next_write(scene: Scene) -> None:
    """Never a second write in one window, and none is forgotten for that."""
    by, ci, deploy = scene.caller(), scene.ci.service.id, scene.deploy.service.id
    scene.product.permanent_tokens.update(by, scene.bot.id, scene.token.token.id, None, [ci, deploy])
    assert used_at(scene) == set()
    credentials = scene.product.stores.credentials
    with patch.object(credentials, "mark_used", wraps=credentials.mark_used) as marked:
        for _ in range(3):
            assert scene.is_good(scene.token.secret)
        assert (marked.call_count, used_at(scene)) == (1, {ci})
        for _ in range(3):
            assert scene.is_good(scene.token.secret, scene.deploy)
        assert (marked.call_count, used_at(scene)) == (1, {ci})
        ask(scene, now() + LAST_USED_WINDOW_MS)
        assert (marked.call_count, used_at(scene)) == (2, {ci, deploy})


def test_a_refused_use_is_none(scene: Scene) -> None:
    assert not scene.is_good(scene.token.secret, scene.deploy)
    assert used_at(scene) == set()


def test_using_keyturn_itself_and_an_exchange_are_uses(scene: Scene) -> None:
    by = scene.caller()
    scene.product.permanent_tokens.update(by, scene.bot.id, scene.token.token.id, None, ["ci", "deploy", "keyturn"])
    scene.caller(scene.token.secret)
    assert used_at(scene) == {KEYTURN}
    asked = Exchange(scene.token.secret or "", audience=["deploy"])
    scene.product.oauth.token_exchange.exchange(asked, Origin(now() + LAST_USED_WINDOW_MS, HOME))
    assert used_at(scene) == {KEYTURN, scene.deploy.service.id}


def test_a_renamed_token_keeps_where_it_was_used(scene: Scene) -> None:
    assert scene.is_good(scene.token.secret)
    scene.product.permanent_tokens.update(scene.caller(), scene.bot.id, scene.token.token.id, "renamed", None)
    assert used_at(scene) == {scene.ci.service.id}
