"""Secrets that are supplied, such as from a vault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid
from chalicelib.core.common.identifiers import random_text
from chalicelib.core.secrets.client_supplied import LEAST_DISTINCT, validate_client_supplied_secret
from chalicelib.core.secrets.token_format import CredentialKind
from tests.conftest import Scene, origin
from tests.people import person

MINUTE = 60_000
FIRST = "Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB"
SECOND = "8sVtPk2LdZx0YbQn5WmRc7HfJg3TuEa1oKi9XwMzNqB"
WEAK = ["", "short", FIRST[:-1], FIRST + "a", FIRST[:-1] + "-", "ä" * 43, "0123456789abcd" * 3 + "0"]


def create(scene: Scene, secret: str) -> str:
    made = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "supplied", ["ci"], secret=secret)
    assert made.secret == CredentialKind.PERMANENT_TOKEN.assemble(secret, scene.bot.id, made.token.id)
    return made.token.id


def shown(scene: Scene, secret: str, id: str) -> str:
    return CredentialKind.PERMANENT_TOKEN.assemble(secret, scene.bot.id, id)


def test_a_token_is_made_of_the_secret_that_was_supplied(scene: Scene) -> None:
    id = create(scene, FIRST)
    assert scene.is_good(shown(scene, FIRST, id))
    assert not scene.is_good(shown(scene, SECOND, id))


def test_bringing_the_current_one_again_changes_nothing(scene: Scene) -> None:
    id = create(scene, FIRST)
    again = scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, 0, FIRST)
    assert again.token.rotated is None
    assert again.secret == shown(scene, FIRST, id)


def test_another_one_rotates(scene: Scene) -> None:
    id = create(scene, FIRST)
    assert scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, MINUTE, SECOND).token.rotated
    assert scene.is_good(shown(scene, FIRST, id))
    assert scene.is_good(shown(scene, SECOND, id))


@pytest.mark.parametrize("grace", [0, MINUTE])
def test_one_that_was_superseded_is_refused_whether_it_is_good_yet_or_not(scene: Scene, grace: int) -> None:
    id = create(scene, FIRST)
    scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, grace, SECOND)
    with pytest.raises(Invalid, match="was a secret of this token before"):
        scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, 0, FIRST)


def test_whoever_could_bring_it_can_ask_whether_it_is_the_current_one(scene: Scene) -> None:
    id = create(scene, FIRST)
    rotation = scene.product.rotation
    assert rotation.has_current(scene.caller(), scene.bot.id, id, FIRST)[1]
    assert not rotation.has_current(scene.caller(), scene.bot.id, id, SECOND)[1]
    rotation.rotate(scene.caller(), scene.bot.id, id, MINUTE, SECOND)
    assert not rotation.has_current(scene.caller(), scene.bot.id, id, FIRST)[1]
    with pytest.raises(Forbidden):
        rotation.has_current(person(scene, "nobody").log_in(), scene.bot.id, id, SECOND)


@pytest.mark.parametrize(
    "weak", ["", "short", FIRST[:-1], FIRST + "a", FIRST[:-1] + "-", "ä" * 43, "0123456789abcde" * 3]
)
def test_what_is_weaker_than_the_format_demands_is_refused(scene: Scene, weak: str) -> None:
    for bring in (
        lambda: scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "weak", ["ci"], secret=weak),
        lambda: scene.product.rotation.rotate(scene.caller(), scene.bot.id, scene.token.token.id, 0, weak),
    ):
        with pytest.raises(Invalid) as refusal:
            bring()
        assert refusal.value.field == "secret"
        assert weak not in str(refusal.value) or len(weak) < 6


def test_the_name_of_a_token_still_counts(scene: Scene) -> None:
    create(scene, FIRST)
    with pytest.raises(Conflict):
        create(scene, SECOND)


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=43, max_size=43))
def test_only_a_text_of_few_characters_is_too_easily_guessed(text: str) -> None:
    if len(set(text)) < LEAST_DISTINCT:
        with pytest.raises(Invalid, match="too easy to guess"):
            validate_client_supplied_secret(text)
    else:
        assert validate_client_supplied_secret(text) == text


def test_one_that_is_made_here_could_be_supplied() -> None:
    for _ in range(1_000):
        assert validate_client_supplied_secret(random_text(43))


def test_a_token_can_be_looked_at_with_itself_whatever_its_scope(scene: Scene) -> None:
    own = scene.product.authentication.caller_any_scope(scene.token.secret or "", origin())
    assert scene.product.permanent_tokens.get(own, "me", "current").token.id == scene.token.token.id
    with pytest.raises(Forbidden):
        scene.product.permanent_tokens.get(own, scene.administrator.owner.id, "current")
    assert Operation.READ_CURRENT_TOKEN.rule.permission is None
