"""A token that has ended: nothing changes it any more, and its name is free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.core.access.caller import Caller
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Changed, Conflict, NotFound
from chalicelib.core.common.identifiers import random_text
from chalicelib.core.common.paging import Window
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.secrets.token_format import SECRET_LENGTH
from chalicelib.core.tokens.expiry_projection import project_expiry
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import TokenDetails
from tests.conftest import Scene, now

HOUR = 3_600_000


def later(scene: Scene, milliseconds: int = 2 * HOUR) -> Caller:
    """The administrator, some time from now."""
    return replace(scene.caller(), now=now() + milliseconds)


def ending(scene: Scene, name: str = "nightly", **details: list[str]) -> OwnedToken:
    """A token that ends in an hour."""
    tokens = scene.product.permanent_tokens
    return tokens.create(scene.caller(), scene.bot.id, name, ["ci"], now() + HOUR, TokenDetails(**details))


def named(scene: Scene) -> dict[str, list[str]]:
    """The ids of the bot's tokens by name."""
    found: dict[str, list[str]] = {}
    for owned in scene.product.permanent_tokens.page(scene.caller(), scene.bot.id, Window()).items:
        found.setdefault(owned.token.name, []).append(owned.token.id)
    return found


CHANGES: dict[str, Callable[[Scene, Caller, str], object]] = {
    "rotate": lambda scene, by, id: scene.product.rotation.rotate(by, scene.bot.id, id, HOUR),
    "rotate to one that is supplied": lambda scene, by, id: scene.product.rotation.rotate(
        by, scene.bot.id, id, 0, random_text(SECRET_LENGTH)
    ),
    "compare": lambda scene, by, id: scene.product.rotation.has_current(
        by, scene.bot.id, id, random_text(SECRET_LENGTH)
    ),
    "roll back": lambda scene, by, id: scene.product.rotation.roll_back(by, scene.bot.id, id, "any"),
    "rename": lambda scene, by, id: scene.product.permanent_tokens.update(by, scene.bot.id, id, "new", None),
    "re-scope": lambda scene, by, id: scene.product.permanent_tokens.update(by, scene.bot.id, id, None, ["deploy"]),
    "describe": lambda scene, by, id: scene.product.permanent_tokens.update(
        by, scene.bot.id, id, None, None, details=TokenDetails(description="d")
    ),
    "prolong": lambda scene, by, id: scene.product.permanent_tokens.update(
        by, scene.bot.id, id, None, None, by.now + HOUR
    ),
    "give no end": lambda scene, by, id: scene.product.permanent_tokens.update(by, scene.bot.id, id, None, None, None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_changes_it_and_the_refusal_says_what_to_do(scene: Scene, change: str) -> None:
    made = ending(scene)
    with pytest.raises(Conflict, match=r"This token expired at 20.*Create a new token: the name is free\."):
        CHANGES[change](scene, later(scene), made.token.id)
    assert scene.product.permanent_tokens.get(scene.caller(), scene.bot.id, made.token.id).token == made.token


def test_what_somebody_saw_before_it_ended_makes_no_difference(scene: Scene) -> None:
    made = ending(scene)
    with pytest.raises(Conflict, match="This token expired") as refused:
        scene.product.permanent_tokens.update(
            later(scene), scene.bot.id, made.token.id, "new", None, seen=made.token.revision + 1
        )
    assert not isinstance(refused.value, Changed)


def test_it_can_be_looked_at_and_deleted(scene: Scene) -> None:
    made, by = ending(scene), later(scene)
    assert scene.product.permanent_tokens.get(by, scene.bot.id, made.token.id).token == made.token
    scene.product.permanent_tokens.delete(by, scene.bot.id, made.token.id)
    with pytest.raises(NotFound):
        scene.product.permanent_tokens.get(by, scene.bot.id, made.token.id)


@pytest.mark.parametrize("how", ["a new one", "one that is renamed"])
def test_its_name_is_free(scene: Scene, how: str) -> None:
    tokens, old, other = scene.product.permanent_tokens, ending(scene, labels=["a", "b"]), ending(scene, "other")
    other = tokens.update(scene.caller(), scene.bot.id, other.token.id, None, None, None)
    with pytest.raises(Conflict, match="has a permanent token named 'nightly' already"):
        _take(scene, scene.caller(), how, other)
    new = _take(scene, later(scene), how, other)
    assert named(scene)["nightly"] == [new.token.id]
    with pytest.raises(NotFound):
        tokens.get(scene.caller(), scene.bot.id, old.token.id)
    assert [owned.token.id for owned in tokens.labelled(scene.caller(), "a", None, 10).items] == []
    query = AuditQuery(target_id=scene.bot.id, kind="permanent-token.deleted")
    (record,) = scene.product.audit_trail.page(scene.caller(), query, 10).records
    assert (record.target_id, record.actor_id) == (old.token.id, scene.administrator.owner.id)
    assert record.details == {"name": "nightly", "reason": "it had expired, and its name was reused"}
    events = scene.product.lifecycle.events.after(old.token.id, 0, 10)
    assert [event.kind.value for event in events] == ["permanent-token.created", "permanent-token.revoked"]
    with pytest.raises(Conflict, match="has a permanent token named 'nightly' already"):
        ending(scene)


def _take(scene: Scene, by: Caller, how: str, other: OwnedToken) -> OwnedToken:
    tokens = scene.product.permanent_tokens
    if how == "a new one":
        return tokens.create(by, scene.bot.id, "nightly", ["ci"], details=TokenDetails(labels=["b"]))
    return tokens.update(by, scene.bot.id, other.token.id, "nightly", None)


def test_after_its_end_nothing_becomes_due(scene: Scene) -> None:
    """Nobody could do anything about it."""
    token = ending(scene).token
    soon, late = Policy(rotation_due_days=1, unused_days=1), Policy(rotation_due_days=30, unused_days=30)
    longer = replace(token, expires=token.created + 9 * DAY_MS)
    assert (
        project_expiry(longer, [soon]).rotation_due == project_expiry(longer, [soon]).unused == token.created + DAY_MS
    )
    projection = project_expiry(longer, [late])
    assert (projection.rotation_due, projection.unused, projection.ends) == (None, None, longer.expires)


class TestTheSameRequestAgain:
    """Its first answer may have been lost."""

    def create(self, scene: Scene, secret: str | None, name: str = "supplied", **more: object) -> OwnedToken:
        asked: dict[str, object] = {
            "scope": ["ci", "deploy"],
            "details": TokenDetails(description="d", labels=["a"]),
            **more,
        }
        create: Callable[..., OwnedToken] = scene.product.permanent_tokens.create
        return create(scene.caller(), scene.bot.id, name, secret=secret, **asked)

    def test_makes_nothing_and_is_answered_alike(self, scene: Scene) -> None:
        secret = random_text(SECRET_LENGTH)
        made = self.create(scene, secret)
        again = self.create(scene, secret, scope=["deploy", "ci"])
        assert (again.secret, again.token) == (made.secret, made.token)
        assert scene.is_good(again.secret)

    @pytest.mark.parametrize(
        "other",
        [
            {"secret": random_text(SECRET_LENGTH)},
            {"secret": None},
            {"scope": ["ci"]},
            {"expires": 10**13},
            {"details": TokenDetails(description="other")},
            {"details": TokenDetails(networks=["192.0.2.0/24"])},
        ],
    )
    def test_another_request_is_refused_as_ever(self, scene: Scene, other: dict[str, object]) -> None:
        secret = random_text(SECRET_LENGTH)
        self.create(scene, secret)
        if "expires" in other:
            other = {"expires": now() + HOUR}
        with pytest.raises(Conflict, match="has a permanent token named 'supplied' already"):
            self.create(scene, **{"secret": secret, **other})  # type: ignore[arg-type]

    def test_not_once_it_was_rotated_to_another(self, scene: Scene) -> None:
        secret = random_text(SECRET_LENGTH)
        made = self.create(scene, secret)
        scene.product.rotation.rotate(scene.caller(), scene.bot.id, made.token.id, HOUR)
        with pytest.raises(Conflict, match="already"):
            self.create(scene, secret)
