"""Many writers at once, on the real engine: one winner, nothing lost, nothing half-written."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.group import Group
from chalicelib.core.access.role import SYSTEM_ADMIN, Grant
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, LoginRefused, NotFound, Refusal, StaleWrite, Throttled
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import parse
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.login.log_in import OpenedSession
from chalicelib.core.login.totp import STEP_MS
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import AuditItem
from chalicelib.storage.permanent_tokens import DynamoTokens
from tests.conftest import Scene
from tests.people import person

WRITERS = 20


def at_once(work: Callable[[int], object], writers: int = WRITERS) -> list[object]:
    """What each of many threads that start together gets: a result, or a refusal."""
    barrier = threading.Barrier(writers)

    def one(number: int) -> object:
        barrier.wait()
        try:
            return work(number)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(writers) as pool:
        return list(pool.map(one, range(writers)))


def audit_records(kind: str) -> list[AuditItem]:
    return [item for item in Item.scan(consistent_read=True) if isinstance(item, AuditItem) and item.audit_kind == kind]


def test_a_login_has_one_winner(scene: Scene) -> None:
    caller = scene.caller()
    results = at_once(lambda n: scene.product.accounts.create(caller, "wanted", f"Writer {n}", AccountType.BOT))
    winners = [result for result in results if isinstance(result, User)]
    assert len(winners) == 1
    assert sum(isinstance(result, Conflict) for result in results) == WRITERS - 1
    assert scene.product.accounts.find(caller, "wanted", Operation.READ_USER) == winners[0]
    assert len(audit_records("user.created")) == 3
    assert scene.product.accounts.page(caller, Window()).total == 3


def test_a_token_name_has_one_winner_and_its_secret_works(scene: Scene) -> None:
    caller = scene.caller()
    results = at_once(lambda n: scene.product.permanent_tokens.create(caller, scene.bot.id, "wanted", ["ci"]))
    winners = [result for result in results if not isinstance(result, Refusal)]
    assert len(winners) == 1
    assert scene.is_good(winners[0].secret)
    assert len(scene.product.permanent_tokens.page(caller, scene.bot.id, Window()).items) == 2


def test_every_one_of_many_new_accounts_is_counted(scene: Scene) -> None:
    caller = scene.caller()
    results = at_once(lambda n: scene.product.accounts.create(caller, f"bot-{n}", f"Bot {n}", AccountType.BOT))
    assert all(isinstance(result, User) for result in results)
    assert scene.product.accounts.page(caller, Window()).total == 2 + WRITERS


def test_a_token_is_deleted_once(scene: Scene) -> None:
    caller = scene.caller()
    token_id = scene.token.token.id
    results = at_once(lambda n: scene.product.permanent_tokens.delete(caller, scene.bot.id, token_id))
    assert results.count(None) == 1
    assert sum(isinstance(result, NotFound) for result in results) == WRITERS - 1
    assert len(audit_records("permanent-token.deleted")) == 1


def test_no_update_of_one_account_is_lost(scene: Scene) -> None:
    caller = scene.caller()
    writers = 8
    changes = [AccountChange(name=f"Name {n}") for n in range(writers)]
    results = at_once(lambda n: scene.product.accounts.update(caller, scene.bot.id, changes[n]), writers)
    updated = [result for result in results if isinstance(result, User)]
    assert len(updated) == writers
    assert len(audit_records("user.updated")) == writers
    assert (
        scene.product.accounts.find(caller, scene.bot.id, Operation.READ_USER).revision == scene.bot.revision + writers
    )


def test_administrators_who_remove_each_other_leave_one(scene: Scene) -> None:
    caller = scene.caller()
    others = [scene.product.accounts.create(caller, f"admin-{n}", "Admin", AccountType.USER) for n in range(5)]
    for other in others:
        scene.product.roles.grant(caller, other.id, SYSTEM_ADMIN)
    everybody = ["admin", *(other.id for other in others)]
    grant_id = Grant("", SYSTEM_ADMIN).key
    removals: list[Callable[[str], object]] = [
        lambda user: scene.product.accounts.delete(caller, user),
        lambda user: scene.product.accounts.update(caller, user, AccountChange(banned=True)),
        lambda user: scene.product.roles.revoke(caller, user, grant_id),
    ]
    results = at_once(lambda n: removals[n % 3](everybody[n]), len(everybody))
    refused = [result for result in results if isinstance(result, Conflict)]
    assert len(refused) == 1
    left = [user for user in scene.product.accounts.page(caller, Window()).items if not user.banned]
    administrators = [
        user
        for user in left
        if any(grant.makes_administrator for grant, _ in scene.product.roles.grants(caller, user.id))
    ]
    assert len(administrators) == 1


def test_a_token_is_not_created_on_permissions_that_have_changed(scene: Scene) -> None:
    """Between the comparison and the write, the owner is granted more: the write must not happen."""
    caller = scene.caller()
    stale = scene.product.accounts.find(caller, scene.bot.id, Operation.READ_USER)
    scene.product.roles.grant(caller, scene.bot.id, SYSTEM_ADMIN)
    record = caller.require(Operation.DELETE_TOKEN).record("permanent-token.created", "permanent-token", "x")
    try:
        DynamoTokens().create(scene.token.token, stale, None, record)
    except StaleWrite:
        return
    raise AssertionError("written on stale permissions")


def test_groups_that_enter_each_other_at_once_make_no_circle(scene: Scene) -> None:
    caller, groups = scene.caller(), scene.product.groups
    for round in range(5):
        for side in ("left", "right"):
            groups.create(caller, GroupDescription(f"{side} {round}"))
            groups.create(caller, GroupDescription(f"inside {side} {round}", f"{side} {round}"))
        moves = [(f"left {round}", f"inside right {round}"), (f"right {round}", f"inside left {round}")]
        results = at_once(
            lambda n, moves=moves: groups.update(caller, moves[n][0], GroupDescription(parent=moves[n][1])), 2
        )
        assert sum(isinstance(result, Group) for result in results) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 1


def test_a_member_is_added_once(scene: Scene) -> None:
    caller, groups = scene.caller(), scene.product.groups
    group = groups.create(caller, GroupDescription("team"))
    results = at_once(lambda n: groups.add_member(caller, group.id, scene.bot.id))
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == WRITERS - 1
    assert groups.members(caller, group.id, Window()).total == 1


def test_a_group_that_gets_a_subgroup_is_not_deleted_with_it(scene: Scene) -> None:
    caller, groups = scene.caller(), scene.product.groups
    for round in range(5):
        outer = groups.create(caller, GroupDescription(f"outer {round}")).id
        work: list[Callable[[], object]] = [
            lambda outer=outer: groups.delete(caller, outer),
            lambda outer=outer, round=round: groups.create(caller, GroupDescription(f"inner {round}", outer)),
        ]
        deleted, created = at_once(lambda n, work=work: work[n](), 2)
        assert isinstance(deleted, Refusal) != isinstance(created, Refusal)


def test_a_code_opens_one_session(scene: Scene) -> None:
    jo = person(scene)
    jo.turn_on_2fa()
    jo.wait(STEP_MS)
    code = jo.code()
    jo.attempt(code=jo.recovery_codes[0])  # from here on the network is known
    results = at_once(lambda n: jo.attempt(code=code), 8)
    assert sum(isinstance(result, OpenedSession) for result in results) == 1
    assert sum(isinstance(result, LoginRefused) for result in results) == 7


def test_a_recovery_code_opens_one_session(scene: Scene) -> None:
    jo = person(scene)
    jo.turn_on_2fa()
    results = at_once(lambda n: jo.attempt(code=jo.recovery_codes[5]), 8)
    assert sum(isinstance(result, OpenedSession) for result in results) == 1


def test_no_application_password_survives_2fa_that_is_turned_off_meanwhile(scene: Scene) -> None:
    for round in range(4):
        jo = person(scene, f"jo-{round}")
        jo.turn_on_2fa()
        caller = jo.log_in()
        work: list[Callable[[], object]] = [
            lambda caller=caller: scene.product.application_passwords.create(caller, "me", "mail"),
            lambda caller=caller: scene.product.second_factors.turn_off(caller, "me"),
        ]
        created, _ = at_once(lambda n, work=work: work[n](), 2)
        assert scene.product.application_passwords.page(caller, "me", Window()).total == 0
        if not isinstance(created, Refusal):
            assert not scene.is_good(created.secret)


def test_guesses_at_once_are_all_counted(scene: Scene) -> None:
    jo = person(scene)
    results = at_once(lambda n: jo.attempt("203.0.113.9", password="wrong horse"))
    assert sum(isinstance(result, LoginRefused) for result in results) == 10
    assert sum(isinstance(result, Throttled) for result in results) == WRITERS - 10


def test_accounts_that_many_change_are_found_where_they_ended_up(scene: Scene) -> None:
    caller, accounts = scene.caller(), scene.product.accounts
    changes = [AccountChange(name=f"Name {n}", banned=bool(n % 2)) for n in range(8)]
    at_once(lambda n: accounts.update(caller, scene.bot.id, changes[n]), 8)
    ended = accounts.find(caller, scene.bot.id, Operation.READ_USER)
    for query, expected in ((f"name: {{{ended.name}}}", 1), ("name: Name*", 1), ("is: banned", int(ended.banned))):
        search = parse(query, "", ("name",), ("banned",), ())
        assert accounts.page(caller, Window(), search).total == expected
