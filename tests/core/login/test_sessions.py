"""Ending sessions, one by one or all together."""

from __future__ import annotations

import pytest

from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Forbidden, Unauthenticated
from chalicelib.core.common.paging import Window
from tests.conftest import Scene
from tests.people import person


def test_all_sessions_end_together_and_new_ones_begin(scene: Scene) -> None:
    jo = person(scene)
    first, second = jo.attempt(), jo.attempt()
    scene.product.sessions.end_all(jo.caller(first), "me")
    for opened in (first, second):
        with pytest.raises(Unauthenticated, match="has ended"):
            jo.caller(opened)
    caller = jo.log_in()
    assert scene.product.sessions.page(caller, "me", Window()).total == 1


def test_it_leaves_a_record_and_no_token_ends(scene: Scene) -> None:
    jo = person(scene)
    token = scene.product.permanent_tokens.create(scene.caller(), jo.user.id, "script", ["keyturn"])
    scene.product.sessions.end_all(scene.caller(), jo.user.id)
    assert scene.caller(token.secret).user.id == jo.user.id
    records = scene.product.audit_trail.page(scene.caller(), AuditQuery(target_id=jo.user.id), 10).records
    assert "session.all-ended" in {record.kind for record in records}


def test_nobody_ends_those_of_others_without_the_permission(scene: Scene) -> None:
    jo, other = person(scene), person(scene, "other")
    with pytest.raises(Forbidden, match="Update User"):
        scene.product.sessions.end_all(jo.log_in(), other.user.id)
    other.log_in()


def test_they_are_listed_newest_first(scene: Scene) -> None:
    jo = person(scene)
    for _ in range(2):
        jo.attempt()
        jo.wait(1_000)
    caller = jo.log_in()
    created = [session.created for session in scene.product.sessions.page(caller, "me", Window()).items]
    assert created == sorted(created, reverse=True)
    assert len(set(created)) == 3
