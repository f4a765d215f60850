"""Many at once: one wins what only one can have, and nobody's change is lost or half there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.audit.idempotency import IdempotencyKey, Replayed
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, StaleWrite, Unavailable
from chalicelib.core.common.optimistic_retry import retry_on_conflict
from chalicelib.core.common.paging import Window
from chalicelib.core.common.rate_limits import Budget
from chalicelib.core.common.search import EVERYTHING
from chalicelib.core.login.authenticators import Authenticators, UsedChallenge
from chalicelib.core.stores import Stores
from tests.storage.contract import making
from tests.storage.contract.making import newer, record, stored_group, stored_token, stored_user, token_record

WRITERS = 6
REFUSALS = (Conflict, StaleWrite, Replayed, Unavailable)


def at_once(write: Callable[[int], Any]) -> list[int]:
    """Let every writer write at the same moment; who was not refused?"""
    barrier = threading.Barrier(WRITERS)

    def one(number: int) -> bool:
        barrier.wait()
        try:
            write(number)
        except REFUSALS:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        return [number for number, won in enumerate(pool.map(one, range(WRITERS))) if won]


def insist(write: Callable[[], Any]) -> None:
    """Try again for as long as others win."""
    for _ in range(1_000):
        try:
            write()
        except (StaleWrite, Unavailable):
            continue
        return
    raise AssertionError("others win for ever")


def rivalry(stores: Stores, kind: str) -> Callable[[int], Any]:
    """What only one of the writers can have."""
    user, group = stored_user(stores), stored_group(stores)
    token, name = stored_token(stores, user), making.name().lower()
    code, device = making.code(user), making.device()
    stores.codes.create(code, user, record())
    stores.devices.create(device)
    known, idempotency_key, challenge = (
        making.with_2fa(stores, user),
        IdempotencyKey(making.name(), "f"),
        UsedChallenge(name, making.NOW),
    )
    queue, hooks = f"queue {name}", [making.webhook() for _ in range(WRITERS)]
    for hook in hooks:
        stores.webhooks.create(hook, record())

    def session(number: int) -> None:
        of = stored_user(stores)
        old = Authenticators(of.id)
        stores.authenticators.open_session(making.session(of), of, old, newer(old), challenge, record())

    rivalries: dict[str, Callable[[int], Any]] = {
        "a login": lambda _: stores.accounts.create(making.user(login=name), [], record()),
        "a change of an account": lambda _: stores.accounts.replace(user, newer(user), False, record()),
        "a membership": lambda _: stores.groups.add_member(group, user, making.access_by(), record()),
        "a group's name": lambda _: stores.groups.create(making.group(name=name), None, record()),
        "a webhook's name": lambda _: stores.webhooks.create(making.webhook(name=name), record()),
        "another name of a webhook": lambda number: stores.webhooks.replace(
            hooks[number], newer(hooks[number], name=name), record()
        ),
        "a token's name": lambda _: stores.tokens.create(
            making.token(user, name=name), user, None, token_record("created")
        ),
        "a change of a token": lambda number: stores.tokens.replace(
            token, newer(token, description=str(number)), user, None, token_record()
        ),
        "a deletion": lambda _: stores.tokens.delete(token, token_record("deleted")),
        "a code": lambda _: stores.codes.redeem(code, making.delegation(user), [], record()),
        "a device": lambda _: stores.devices.redeem(device, making.delegation(user), [], record()),
        "authenticators": lambda _: stores.authenticators.replace(user, known, newer(known), None, False, record()),
        "a challenge": session,
        "a client's key": lambda _: stores.accounts.create(making.user(), [], record(idempotency_key=idempotency_key)),
        "a queue": lambda number: _must(stores.queues.take("there", queue, str(number), 100, 200)),
    }
    return rivalries[kind]


def _must(taken: object) -> None:
    if taken is None:
        raise Conflict("somebody else has it")


@pytest.mark.parametrize(
    "kind",
    [
        "a login",
        "a change of an account",
        "a membership",
        "a group's name",
        "a webhook's name",
        "another name of a webhook",
        "a token's name",
        "a change of a token",
        "a deletion",
        "a code",
        "a device",
        "authenticators",
        "a challenge",
        "a client's key",
        "a queue",
    ],
)
def test_one_has_it(stores: Stores, kind: str) -> None:
    assert len(at_once(rivalry(stores, kind))) == 1


def test_no_change_is_lost_and_each_has_its_record_and_event(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(stores, owner)

    def label(number: int) -> None:
        def attempt() -> None:
            known = stores.tokens.get(owner.id, token.id)
            assert known
            changed = newer(known, labels=(*known.labels, f"l{number}"))
            stores.tokens.replace(known, changed, owner, None, token_record(target_id=token.id))

        retry_on_conflict(attempt)

    won = at_once(label)
    assert won
    stored = stores.tokens.get(owner.id, token.id)
    assert stored
    assert sorted(stored.labels) == [f"l{number}" for number in won]
    assert [each.sequence for each in stores.events.after(token.id, 0, 100)] == list(range(1, stored.revision + 1))
    assert len(stores.audit.page(AuditQuery(target_id=token.id), 100).records) == len(won)


def test_everything_is_counted(empty_stores: Stores) -> None:
    group, parent = stored_group(empty_stores), stored_group(empty_stores)
    budget = Budget("subject", 5, 1_000)

    def join(number: int) -> None:
        user = stored_user(empty_stores)
        empty_stores.login_attempts.add(budget, 1, 0)
        insist(lambda: empty_stores.groups.create(making.group(parent_id=parent.id), None, record()))
        insist(lambda: empty_stores.groups.add_member(group, user, making.access_by(), record()))

    assert at_once(join) == list(range(WRITERS))
    assert empty_stores.accounts.page(Window(0, 0), EVERYTHING, None, None).total == WRITERS
    assert empty_stores.accounts.page(Window(0, 0), EVERYTHING, group.id, None).total == WRITERS
    assert empty_stores.groups.page(Window(0, 0), EVERYTHING).total == WRITERS + 2
    stored = empty_stores.groups.get(parent.id)
    assert stored == replace(parent, subgroups=WRITERS, revision=parent.revision + WRITERS)
    assert empty_stores.login_attempts.add(budget, 0, 0) == WRITERS


def test_administrators_who_ban_each_other_leave_one(empty_stores: Stores) -> None:
    admins = [stored_user(empty_stores, SYSTEM_ADMIN) for _ in range(WRITERS)]

    def end(number: int) -> None:
        admin = admins[number]
        if number % 3 == 0:
            empty_stores.accounts.replace(admin, newer(admin, banned=True), True, record())
        elif number % 3 == 1:
            empty_stores.accounts.delete(admin, record())
        else:
            empty_stores.roles.revoke(admin, making.admin(admin), record())

    won = at_once(end)
    left = [admin for admin in admins if admins.index(admin) not in won]
    while len(left) > 1:  # those who lost by contention alone try again
        end(admins.index(left.pop()))
    with pytest.raises(Conflict):
        end(admins.index(left[0]))
