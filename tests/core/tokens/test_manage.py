"""A token's life: created, seen, renamed, re-scoped, deleted."""

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from tests.conftest import Scene


def test_a_created_token_is_good_for_its_scope_alone(scene: Scene) -> None:
    assert scene.is_good(scene.token.secret, scene.ci)
    assert not scene.is_good(scene.token.secret, scene.deploy)


def test_the_secret_is_in_the_first_answer_only(scene: Scene) -> None:
    caller = scene.caller()
    again = scene.product.permanent_tokens.get(caller, scene.bot.id, scene.token.token.id)
    listed = scene.product.permanent_tokens.page(caller, scene.bot.id, Window()).items
    assert again.secret is None
    assert [owned.secret for owned in listed] == [None]
    assert scene.token.secret not in repr(scene.token)


def test_the_creator_stays_on_record_under_the_name_of_that_time(scene: Scene) -> None:
    scene.product.accounts.update(scene.caller(), "admin", AccountChange(name="Somebody Else"))
    token = scene.product.permanent_tokens.get(scene.caller(), scene.bot.id, scene.token.token.id).token
    assert token.author_name == "Administrator"


def test_rescoping_keeps_secret_and_identity(scene: Scene) -> None:
    updated = scene.product.permanent_tokens.update(
        scene.caller(), scene.bot.login, scene.token.token.id, "renamed", ["deploy"]
    )
    assert (updated.token.id, updated.token.name) == (scene.token.token.id, "renamed")
    assert scene.is_good(scene.token.secret, scene.deploy)
    assert not scene.is_good(scene.token.secret, scene.ci)


def test_a_deleted_token_is_refused_and_gone(scene: Scene) -> None:
    scene.product.permanent_tokens.delete(scene.caller(), scene.bot.id, scene.token.token.id)
    assert not scene.is_good(scene.token.secret)
    with pytest.raises(NotFound):
        scene.product.permanent_tokens.delete(scene.caller(), scene.bot.id, scene.token.token.id)


def test_a_name_is_unique_in_one_account_and_free_again_after_deletion(scene: Scene) -> None:
    tokens = scene.product.permanent_tokens
    with pytest.raises(Conflict) as refusal:
        tokens.create(scene.caller(), scene.bot.id, " build ", ["ci"])
    assert refusal.value.field == "name"
    tokens.create(scene.caller(), "me", "build", ["ci"])
    tokens.delete(scene.caller(), scene.bot.id, scene.token.token.id)
    tokens.create(scene.caller(), scene.bot.id, "build", ["ci"])


def test_a_token_cannot_be_renamed_to_a_taken_name(scene: Scene) -> None:
    tokens = scene.product.permanent_tokens
    other = tokens.create(scene.caller(), scene.bot.id, "other", ["ci"])
    with pytest.raises(Conflict):
        tokens.update(scene.caller(), scene.bot.id, other.token.id, "build", None)
    assert tokens.get(scene.caller(), scene.bot.id, other.token.id).token.name == "other"


@pytest.mark.parametrize("scope", [[], ["nothing"], ["ci", "nothing"], ["ci"] * 101, ["x" * 3000], ["a/b"]])
def test_a_scope_names_services_that_exist(scene: Scene, scope: list[str]) -> None:
    with pytest.raises(Invalid) as refusal:
        scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "token", scope)
    assert refusal.value.field == "scope"


def test_a_service_named_twice_by_key_and_id_is_there_once(scene: Scene) -> None:
    scope = ["ci", scene.ci.service.id, "deploy"]
    created = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "token", scope)
    assert created.token.scope == (scene.ci.service.id, scene.deploy.service.id)


def test_users_manage_their_own_tokens_and_nobody_elses(scene: Scene) -> None:
    tokens = scene.product.permanent_tokens
    other = scene.product.accounts.create(scene.caller(), "other", "Other", AccountType.USER)
    own = tokens.create(scene.caller(), other.id, "own", ["keyturn"])
    caller = scene.caller(own.secret)
    created = tokens.create(caller, "me", "second", ["keyturn"])
    assert [owned.token.name for owned in tokens.page(caller, "other", Window()).items] == ["own", "second"]
    tokens.delete(caller, "me", created.token.id)
    for reference in (scene.bot.id, "build-bot", "nobody at all"):
        with pytest.raises(Forbidden):
            tokens.page(caller, reference, Window())
        with pytest.raises(Forbidden):
            tokens.create(caller, reference, "token", ["keyturn"])
        with pytest.raises(Forbidden):
            tokens.delete(caller, reference, scene.token.token.id)


def test_a_token_is_found_under_its_owner_only(scene: Scene) -> None:
    with pytest.raises(NotFound):
        scene.product.permanent_tokens.get(scene.caller(), "admin", scene.token.token.id)


def test_tokens_come_oldest_first_and_in_parts(scene: Scene) -> None:
    tokens = scene.product.permanent_tokens
    for number in range(5):
        tokens.create(scene.caller(), scene.bot.id, f"token {number}", ["ci"])
    page = tokens.page(scene.caller(), scene.bot.id, Window(skip=2, top=2))
    assert [owned.token.name for owned in page.items] == ["token 1", "token 2"]
    assert page.total == 6
