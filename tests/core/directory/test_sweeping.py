"""What a process that died left of deleted accounts and groups: the next run clears it away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import AuditQuery, AuditRecord
from chalicelib.core.common.errors import Unavailable
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.directory.accounts import Accounts
from chalicelib.core.directory.sweeping import SETTLED_MS
from tests.conftest import Scene, now
from tests.memory.accounts import MemorySweeps
from tests.people import person


def test_an_owner_of_many_bots_goes_in_bounded_pieces(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    product, caller = scene.product, scene.caller()
    monkeypatch.setattr("chalicelib.core.directory.accounts.RELEASED_AT_ONCE", 2)
    owner = person(scene).user
    bots = [product.accounts.create(caller, f"bot-{n}", "Bot", AccountType.BOT, owner="jo") for n in range(5)]
    product.accounts.delete(caller, "jo")

    def owned() -> int:
        return sum(product.accounts.find(caller, bot.id, Operation.READ_USER).owner is not None for bot in bots)

    assert owned() == 3
    assert [(product.lifecycle.sweeping.run(now() + SETTLED_MS), owned()) for _ in range(3)] == [(0, 1), (1, 0), (0, 0)]
    assert product.stores.accounts.get(owner.id) is None


def test_what_cannot_be_swept_now_holds_up_nothing_else(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    product, caller = scene.product, scene.caller()
    monkeypatch.setattr(MemorySweeps, "sweep", lambda self, leftover: False)
    ids = [person(scene, login).user.id for login in ("jo", "kim")]
    for id in ids:
        product.accounts.delete(caller, id)
    monkeypatch.undo()
    first = product.stores.sweeps.waiting(now() + SETTLED_MS, 10)[0].id
    release = Accounts.release_bots_of

    def unavailable(self: Accounts, owner_id: str, record: Callable[[User], AuditRecord]) -> bool:
        if owner_id == first:
            raise Unavailable("Not now.")
        return release(self, owner_id, record)

    monkeypatch.setattr(Accounts, "release_bots_of", unavailable)
    assert product.lifecycle.sweeping.run(now() + SETTLED_MS) == 1
    assert [left.id for left in product.stores.sweeps.waiting(now() + SETTLED_MS, 10)] == [first]


def test_an_account_and_its_bots(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    product, caller = scene.product, scene.caller()
    owner = person(scene).user
    bot = product.accounts.create(caller, "a-bot", "Bot", AccountType.BOT, owner="jo")
    token = product.permanent_tokens.create(caller, "jo", "token", ["ci"])

    def dies(self: object, *arguments: object) -> bool:
        raise Unavailable("The process was killed.")

    with monkeypatch.context() as killed:
        killed.setattr(MemorySweeps, "sweep", lambda self, leftover: False)
        killed.setattr(Accounts, "release_bots_of", dies)
        product.accounts.delete(caller, "jo")
    assert not scene.is_good(token.secret)
    assert product.stores.tokens.list(owner.id) == [token.token]
    assert product.lifecycle.sweeping.run(now()) == 0  # an index may not show everything yet
    assert product.lifecycle.sweeping.run(now() + SETTLED_MS) == 1
    assert product.stores.tokens.list(owner.id) == []
    assert product.accounts.find(caller, "a-bot", Operation.READ_USER).owner is None
    (left, *_) = product.stores.audit.page(AuditQuery(target_id=bot.id), 10).records
    assert (left.kind, left.actor_id, left.details) == ("user.owner-left", KEYTURN, {"owner": owner.id})
    assert product.lifecycle.sweeping.run(now() + SETTLED_MS) == 0
