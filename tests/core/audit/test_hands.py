"""Audit records name the hand: what was presented, what that came from, and the services that acted."""

from __future__ import annotations

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import ESCALATION, Caller
from chalicelib.core.access.permissions import READ_USER, UPDATE_USER
from chalicelib.core.audit.records import AuditQuery, AuditRecord, Hand
from chalicelib.core.common.errors import Forbidden
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.service import Service
from chalicelib.core.oauth.token_exchange import Exchange
from tests.conftest import Scene, now, origin
from tests.people import person


def last_act(scene: Scene, caller: Caller) -> AuditRecord:
    """What stands in the audit log of a change by this caller."""
    account = scene.product.accounts.create(scene.caller(), f"made-{now()}", "Made", AccountType.BOT)
    scene.product.accounts.update(caller, account.id, AccountChange(banned=True))
    query = AuditQuery(actor_id=caller.user.id, kind="user.updated")
    return scene.product.audit_trail.page(scene.caller(), query, 1).records[0]


def exchanged(scene: Scene, client: Service | None = None) -> Caller:
    """With an access token that the administrator's token was exchanged for."""
    subject = scene.product.permanent_tokens.create(scene.caller(), "me", f"both {now()}", ["keyturn", "ci"])
    asked = Exchange(subject.secret or "", audience=["keyturn"], client=client)
    issued = scene.product.oauth.token_exchange.exchange(asked, origin())
    return scene.caller(issued.access_token)


def test_a_permanent_token_is_named(scene: Scene) -> None:
    record = last_act(scene, scene.caller())
    assert record.credential_id == scene.administrator.token.id
    assert record.hand == Hand("permanent-token")


def test_a_session_is_named(scene: Scene) -> None:
    jo = person(scene)
    scene.product.roles.grant(scene.caller(), jo.user.id, "system-admin")
    caller = jo.log_in()
    record = last_act(scene, caller)
    assert record.credential_id == caller.credential_id
    assert record.hand == Hand("session")


@pytest.mark.parametrize("by_service", [False, True])
def test_behind_an_access_token_stands_the_permanent_token_and_the_service_that_acts(
    scene: Scene, by_service: bool
) -> None:
    caller = exchanged(scene, scene.ci.service if by_service else None)
    record = last_act(scene, caller)
    tokens = scene.product.stores.tokens.list(caller.user.id)
    assert record.credential_id in {token.id for token in tokens}
    services = (scene.ci.service.id,) if by_service else ()
    assert record.hand == Hand("permanent-token", caller.credential_id, services)


def test_an_earlier_secret_is_told_from_the_current_one(scene: Scene) -> None:
    token = scene.token
    caller = scene.product.authentication.caller_any_scope(token.secret or "", origin())
    scene.product.rotation.rotate(caller, "me", "current", 3_600_000)
    earlier = scene.product.authentication.caller_any_scope(token.secret or "", origin())
    scene.product.rotation.rotate(earlier, "me", "current", 3_600_000)
    query = AuditQuery(target_id=token.owner.id, kind="permanent-token.rotated", until=now())
    records = scene.product.audit_trail.page(scene.caller(), query, 2).records
    assert [record.hand.previous_secret for record in records] == [True, False]


def test_a_refused_escalation_stands_in_the_log_of_who_tried_it_and_is_counted(scene: Scene) -> None:
    jo = person(scene)
    scene.product.roles.create(scene.caller(), "helpdesk", "Helpdesk", [READ_USER, UPDATE_USER])
    scene.product.roles.grant(scene.caller(), jo.user.id, "helpdesk")
    caller = jo.log_in()
    for _ in range(3):
        with pytest.raises(Forbidden):
            scene.product.accounts.update(caller, "admin", AccountChange(login="root"))
    query = AuditQuery(target_id=jo.user.id, kind=ESCALATION)
    (record,) = scene.product.audit_trail.page(scene.caller(), query, 10).records
    assert (record.actor_id, record.credential_id) == (jo.user.id, caller.credential_id)
    assert record.details["times"] == "3"
