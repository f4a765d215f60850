"""Rotation: a token gets a new secret, and those before go on until their ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.access.permissions import ROTATE_SELF
from chalicelib.core.access.role import REGISTERED_USER
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Changed, Conflict, Forbidden, InsufficientScope, Invalid, NotFound
from chalicelib.core.common.paging import Window
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.previous_secrets import LONGEST_GRACE_MS, MAX_PREVIOUS
from chalicelib.core.tokens.token import PermanentToken
from tests.conftest import Scene, now, origin
from tests.people import person

MINUTE = 60_000
BROUGHT = "8sVtPk2LdZx0YbQn5WmRc7HfJg3TuEa1oKi9XwMzNqB"


def rotate(scene: Scene, grace_ms: int = MINUTE) -> str:
    token = scene.token.token
    return scene.product.rotation.rotate(scene.caller(), scene.bot.id, token.id, grace_ms).secret or ""


def is_good(scene: Scene, secret: str, at: int) -> bool:
    return scene.product.introspection.introspect("ci", scene.ci.secret, secret, at) is not None


def test_the_token_stays_and_both_secrets_are_good_until_the_grace_ends(scene: Scene) -> None:
    old = scene.token
    made = scene.product.rotation.rotate(scene.caller(), scene.bot.id, old.token.id, MINUTE)
    for same in ("id", "name", "scope", "author_id", "created"):
        assert getattr(made.token, same) == getattr(old.token, same)
    assert made.secret != old.secret
    begun = made.token.rotated or 0
    for later, expected in ((0, True), (MINUTE - 1, True), (MINUTE, False), (100 * MINUTE, False)):
        assert is_good(scene, old.secret or "", begun + later) is expected
        assert is_good(scene, made.secret or "", begun + later)


def test_without_grace_every_earlier_secret_ends_at_once(scene: Scene) -> None:
    second = rotate(scene)
    third = rotate(scene, 0)
    assert [is_good(scene, secret, now()) for secret in (scene.token.secret or "", second, third)] == [
        False,
        False,
        True,
    ]


def test_of_many_who_saw_the_same_secret_one_rotates(scene: Scene) -> None:
    """Whoever decides by the age of a secret says which one; what is repeated with the same secret is no second one."""
    token, first, second = scene.token.token, "Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB", BROUGHT
    ask = scene.caller(), scene.bot.id, token.id, MINUTE
    made = scene.product.rotation.rotate(*ask, first, seen=token.created)
    assert scene.product.rotation.rotate(*ask, first, seen=token.created).token == made.token
    with pytest.raises(Changed):
        scene.product.rotation.rotate(*ask, second, seen=token.created)
    with pytest.raises(Changed):
        scene.product.rotation.rotate(*ask, seen=token.created)
    assert scene.is_good(made.secret)
    again = scene.product.rotation.rotate(*ask, second, seen=made.token.rotated)
    assert scene.is_good(again.secret)


def test_labels_are_set_with_the_secret_or_neither_is(scene: Scene) -> None:
    token, rotation = scene.token.token, scene.product.rotation
    made = rotation.rotate(scene.caller(), scene.bot.id, token.id, MINUTE, labels=["a", "b"])
    assert made.token.labels == ("a", "b")
    assert scene.product.permanent_tokens.labelled(scene.caller(), "b", None, 9).items[0].token.id == token.id
    assert rotate(scene)
    for labels, seen, refusal in ((["not ok"], None, Invalid), (["c"], token.created, Changed)):
        with pytest.raises(refusal):
            rotation.rotate(scene.caller(), scene.bot.id, token.id, MINUTE, seen=seen, labels=labels)
    kept = scene.product.permanent_tokens.get(scene.caller(), scene.bot.id, token.id).token
    assert kept.labels == ("a", "b")


def test_a_token_that_may_only_rotate_itself_sets_no_labels(scene: Scene) -> None:
    caller = scene.product.authentication.caller_any_scope(scene.token.secret or "", origin())
    with pytest.raises((Forbidden, InsufficientScope)):
        scene.product.rotation.rotate(caller, "me", "current", 0, labels=["a"])
    assert scene.product.rotation.rotate(caller, "me", "current", 0).secret


def test_answers_that_are_lost_lock_nobody_out(scene: Scene) -> None:
    """A client that rotates again and again without ever seeing an answer keeps the secret that it has."""
    for _ in range(MAX_PREVIOUS):
        rotate(scene)
        assert scene.is_good(scene.token.secret)
    with pytest.raises(Conflict, match="This token has 10 valid secrets"):
        rotate(scene)
    assert scene.is_good(scene.token.secret)
    last = rotate(scene, 0)
    assert (scene.is_good(scene.token.secret), scene.is_good(last)) == (False, True)


def test_secrets_whose_end_has_come_make_room_and_are_forgotten() -> None:
    token = PermanentToken("t", "u", "n", ("a",), "u", "U", 0, hashed(0))
    for number in range(1, 50):
        token = token.rotated_to(hashed(number), 5, now=number)
        assert len(token.previous_secrets) <= 5


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=12), st.integers(0, 300))
def test_a_secret_is_good_exactly_as_long_as_the_model_says(steps: list[tuple[int, int]], at: int) -> None:
    """The model: a list of secrets with their ends, in which a rotation without grace ends all."""
    token, clock, model = PermanentToken("t", "u", "n", ("a",), "u", "U", 0, hashed(0)), 0, [[0, None]]
    for number, (pause, grace) in enumerate(steps, 1):
        clock += pause
        for each in model:
            if each[1] is None:
                each[1] = clock + grace
            elif grace == 0:
                each[1] = min(each[1], clock)
        model.append([number, None])
        token = token.rotated_to(hashed(number), grace, clock)
    moment = clock + at
    good = {each.stored.argon2id for each in token.valid_previous(moment)} | {token.secret.argon2id}
    assert good == {str(number) for number, end in model if end is None or moment < end}


def hashed(number: int) -> HashedSecret:
    return HashedSecret(str(number), b"", "")


@pytest.mark.parametrize("grace", [-1, LONGEST_GRACE_MS + 1])
def test_a_grace_has_its_bounds(scene: Scene, grace: int) -> None:
    with pytest.raises(Invalid, match="grace: must be from 0 to 90 days"):
        rotate(scene, grace)


def test_it_needs_what_creating_needs_since_it_gives_a_secret_of_the_owner(scene: Scene) -> None:
    jo = person(scene)
    with pytest.raises(Forbidden, match="Update User"):
        scene.product.rotation.rotate(jo.log_in(), scene.bot.id, scene.token.token.id, 0)
    own = scene.product.permanent_tokens.create(jo.log_in(), "me", "own", ["keyturn"])
    renewed = scene.product.rotation.rotate(jo.log_in(), "me", own.token.id, 0)
    assert scene.caller(renewed.secret).user.id == jo.user.id
    with pytest.raises(NotFound):
        scene.product.rotation.rotate(scene.caller(), "me", "nothing", 0)


def test_a_deleted_token_takes_all_its_secrets_along(scene: Scene) -> None:
    second = rotate(scene)
    scene.product.permanent_tokens.delete(scene.caller(), scene.bot.id, scene.token.token.id)
    assert not scene.is_good(scene.token.secret)
    assert not scene.is_good(second)


def test_it_leaves_a_record_without_a_secret(scene: Scene) -> None:
    secret = rotate(scene)
    query = AuditQuery(target_id=scene.bot.id, kind="permanent-token.rotated")
    (record,) = scene.product.audit_trail.page(scene.caller(), query, 10).records
    assert record.details == {"name": "build", "grace": "60 s"}
    assert secret not in repr(record)


class TestRotatingItself:
    """With the token itself, whatever its scope (permission *Rotate Self*)."""

    def rotate(self, scene: Scene, secret: str | None, grace_ms: int = MINUTE) -> str:
        holder = scene.product.authentication.caller_any_scope(secret or "", origin())
        return scene.product.rotation.rotate(holder, "me", "current", grace_ms).secret or ""

    def test_a_token_for_one_service_renews_itself_night_after_night(self, scene: Scene) -> None:
        secret = scene.token.secret or ""
        for _ in range(5):
            renewed = self.rotate(scene, secret)
            assert scene.is_good(secret)
            assert scene.is_good(renewed)
            secret = renewed

    def test_with_a_secret_that_was_superseded_too_since_the_answer_may_be_lost(self, scene: Scene) -> None:
        lost = self.rotate(scene, scene.token.secret)
        renewed = self.rotate(scene, scene.token.secret)
        assert [scene.is_good(each) for each in (scene.token.secret, lost, renewed)] == [True, True, True]

    def test_it_is_good_for_nothing_else_at_keyturn(self, scene: Scene) -> None:
        with pytest.raises(InsufficientScope):
            scene.caller(scene.token.secret)
        holder = scene.product.authentication.caller_any_scope(scene.token.secret or "", origin())
        other = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "other", ["ci"]).token
        for attempt in (
            lambda: scene.product.rotation.rotate(holder, "me", other.id, 0),
            lambda: scene.product.rotation.rotate(holder, "admin", "current", 0),
            lambda: scene.product.permanent_tokens.page(holder, "me", Window()),
            lambda: scene.product.permanent_tokens.create(holder, "me", "more", ["ci"]),
            lambda: scene.product.permanent_tokens.delete(holder, "me", scene.token.token.id),
        ):
            with pytest.raises(Forbidden):
                attempt()

    def test_an_administrators_token_for_one_service_has_no_powers_here_either(self, scene: Scene) -> None:
        narrow = scene.product.permanent_tokens.create(scene.caller(), "me", "narrow", ["ci"])
        holder = scene.product.authentication.caller_any_scope(narrow.secret or "", origin())
        assert {operation for operation in Operation if holder.is_allowed(operation, holder.user.id)} == {
            Operation.READ_CURRENT_TOKEN,
            Operation.ROTATE_CURRENT_TOKEN,
        }
        assert not any(holder.is_allowed(operation, "another") for operation in Operation)

    def test_without_the_permission_it_cannot(self, scene: Scene) -> None:
        scene.product.roles.revoke(scene.caller(), scene.bot.id, "registered-user.0")
        with pytest.raises(Forbidden, match="Rotate Self"):
            self.rotate(scene, scene.token.secret)

    def test_a_session_is_no_token(self, scene: Scene) -> None:
        with pytest.raises(NotFound):
            scene.product.rotation.rotate(person(scene).log_in(), "me", "current", 0)

    def test_an_installation_that_began_before_there_was_the_permission_has_it(self, scene: Scene) -> None:
        """Everybody's role is what the program says, whatever was stored at the beginning."""
        roles, record = (
            scene.product.stores.roles,
            scene.caller().require(Operation.DELETE_TOKEN).record("role.updated", "role", REGISTERED_USER),
        )
        (stored,) = roles.get_many([REGISTERED_USER]).values()
        without = replace(stored, permissions=stored.permissions - {ROTATE_SELF}, revision=stored.revision + 1)
        roles.replace(stored, without, record)
        assert scene.is_good(self.rotate(scene, scene.token.secret))
        assert ROTATE_SELF in scene.product.roles.get(scene.caller(), REGISTERED_USER).permissions
