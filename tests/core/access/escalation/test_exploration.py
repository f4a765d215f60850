"""Nobody ends with more than they had: every operation of the table, by every kind of credential, in a small world.

Each cell of the table is then weakened by itself, and the exploration has to find what that opens.
"""

from __future__ import annotations

import pickle
import traceback
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import READ_SELF
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Refusal
from tests.budgets import LONG, only_long
from tests.core.access.escalation.actions import Action, actions
from tests.core.access.escalation.verdicts import Before, violations
from tests.core.access.escalation.world import Kind, Profile, World, build

# These make nothing and read nothing that could be looked at here.
NOT_TRIED = {Operation.TEST_WEBHOOK, Operation.END_SESSION}


class Exploration:
    """Tries actions in a world; `used` are the operations that each asked the table about."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.stored = world.snapshot()
        self.before = Before.of(world, pickle.loads(self.stored))
        self.actions = actions(world)
        self.used: dict[str, set[Operation]] = defaultdict(set)
        self.states = 0
        self._now = ""
        original = Caller.is_allowed_after_relogin

        def is_allowed_after_relogin(caller: Caller, operation: Operation, *more: object, **others: object) -> bool:
            self.used[self._now].add(operation)
            return original(caller, operation, *more, **others)  # type: ignore[arg-type]

        patch.setattr(Caller, "is_allowed_after_relogin", is_allowed_after_relogin)

    def step(self, name: str, action: Action, kind: Kind, stored: bytes, before: Before) -> tuple[bool, list[str]]:
        """Whether it was done, and what is wrong with that."""
        self.world.restore(stored)
        self._now = name
        try:
            answer = action(self.world.caller(kind))
        except Refusal:
            return False, []
        except Exception as fault:  # so that it hides nothing that is found elsewhere
            where = traceback.extract_tb(fault.__traceback__)[-1]
            return False, [f"{kind.value}: {name}: {fault!r} at {where.filename}:{where.lineno}"]
        self.states += 1
        return True, violations(self.world, kind, name, answer, before)

    def run(self, kinds: tuple[Kind, ...] = tuple(Kind), names: set[str] | None = None, depth: int = 1) -> list[str]:
        """What was found; at a depth of two, also by what comes after what was done."""
        found = []
        for kind in kinds:
            for name, action in self.actions.items():
                if names is not None and name not in names:
                    continue
                done, wrong = self.step(name, action, kind, self.stored, self.before)
                found += wrong
                if done and depth > 1:
                    found += self._after(name, kind)
        return found

    def _after(self, first: str, kind: Kind) -> Iterator[str]:
        stored = self.world.snapshot()
        between = Before.of(self.world, pickle.loads(stored))
        between.permissions[self.world.attacker.user.id] = self.before.permissions[self.world.attacker.user.id]
        for name, action in self.actions.items():
            _, wrong = self.step(name, action, kind, stored, between)
            yield from (f"after {first}: {each}" for each in wrong)


@pytest.fixture
def exploring(product: Keyturn, monkeypatch: pytest.MonkeyPatch) -> Exploration:
    return Exploration(build(product, Profile.TEAMS), monkeypatch)


BY_LOGIN_AND_TOKEN = (Kind.FRESH_SESSION, Kind.TOKEN)
KINDS = {
    Profile.NOTHING: BY_LOGIN_AND_TOKEN,
    Profile.ONE_SERVICE: BY_LOGIN_AND_TOKEN,
    Profile.TEAMS: tuple(Kind),
    Profile.EVERYTHING: tuple(kind for kind in Kind if kind not in BY_LOGIN_AND_TOKEN),
}


@pytest.mark.parametrize("profile", Profile)
def test_nobody_ends_with_more_than_they_had(
    product: Keyturn, monkeypatch: pytest.MonkeyPatch, profile: Profile
) -> None:
    exploration = Exploration(build(product, profile), monkeypatch)
    assert "\n".join(exploration.run(tuple(Kind) if LONG else KINDS[profile])) == ""


@only_long
@pytest.mark.parametrize("kind", Kind)
def test_nor_by_two_steps(exploring: Exploration, kind: Kind) -> None:
    assert "\n".join(exploring.run((kind,), depth=2)) == ""


WEAKER = {
    "permission": READ_SELF,
    "everywhere": False,
    "includes": None,
    "logged_in": False,
    "not_delegated": False,
    "fresh": False,
    "lasting": None,
}


def cells() -> Iterator[tuple[Operation, str]]:
    """The cells of the table that demand something."""
    for operation in Operation:
        for name, weaker in WEAKER.items():
            if getattr(operation.rule, name) not in (weaker, None):
                yield operation, name


# What would be open without these is shut by something else that the same action needs.
GUARDED_TWICE = {
    # The access token of a connected service ends, and what these make does not.
    "ADD_SECOND_FACTOR.not_delegated",  # which only somebody who has logged in can do, too
    "CREATE_APPLICATION_PASSWORD.not_delegated",
    "CREATE_SERVICE.not_delegated",
    "CREATE_TRUST_RULE.not_delegated",
    "CREATE_WEBHOOK.not_delegated",
    "OPEN_SERVICE.not_delegated",
    "REMOVE_SECOND_FACTORS.not_delegated",
    "RENEW_SERVICE_SECRET.not_delegated",
    "RENEW_WEBHOOK_SECRET.not_delegated",
    "ROTATE_TOKEN.not_delegated",
    "SET_PASSWORD.not_delegated",
    "UPDATE_TOKEN.not_delegated",
    "UPDATE_WEBHOOK.not_delegated",
    "UPDATE_TRUST_RULE.not_delegated",
    # They need a session that has proven a second factor, and a token has none.
    "ADD_SECOND_FACTOR.logged_in",
    "REMOVE_SECOND_FACTORS.logged_in",
    # They are asked beside another row of the same action.
    "ALLOW_LASTING.not_delegated",
    "ALLOW_LASTING.fresh",
    "ALLOW_LASTING.includes",
    "ALLOW_LASTING.lasting",
    "ALLOW_LASTING.logged_in",  # of bots, as which nobody acts here
    "ALLOW_LASTING.permission",
    "CHANGE_DEMANDS.permission",
    "CHANGE_DEMANDS_ON_MEMBER.permission",
    "MOVE_GROUP.not_delegated",
    "MOVE_GROUP.permission",
    "MOVE_GROUP_OUT.not_delegated",
    "MOVE_GROUP_OUT.permission",
    "OPEN_SERVICE.fresh",
    "OPEN_SERVICE.permission",
    "RENAME_GROUP.not_delegated",
    "RENAME_GROUP.permission",
    "REUSE_LOGIN.everywhere",
    "REUSE_LOGIN.not_delegated",
    "SET_GROUP_POLICY.not_delegated",
    "SET_GROUP_POLICY.fresh",
    "SET_GROUP_POLICY.includes",
    "SET_GROUP_POLICY.permission",
    "TRUST_SERVICE.everywhere",
    "TRUST_SERVICE.not_delegated",
    "TRUST_SERVICE.fresh",
    "UPDATE_GROUP.not_delegated",
    "UPDATE_GROUP.permission",
    # Who has no permission at all cannot see what it is about.
    "CHANGE_OWNER.permission",
    "RENEW_SERVICE_SECRET.permission",
    "REVOKE_ROLE.permission",
    # They are asked about the one service that nobody administers alone.
    "SET_KEYTURN_POLICY.everywhere",
    # They change nothing that could be looked at here.
    "TEST_WEBHOOK.not_delegated",
    "TEST_WEBHOOK.permission",
    "TRY_TRUST_RULES.permission",
}


@only_long
def test_every_cell_of_the_table_is_needed(product: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = product.stores
    unneeded = set(cells())
    for profile in Profile:
        exploration = Exploration(build(Keyturn(product.settings, type(stores)()), profile), monkeypatch)
        exploration.run(KINDS[profile])
        by_operation = defaultdict(set)
        for name, operations in exploration.used.items():
            for operation in operations:
                by_operation[operation].add(name)
        for operation, cell in sorted(unneeded, key=str):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(operation, "_value_", replace(operation.rule, **{cell: WEAKER[cell]}))
                if exploration.run(tuple(Kind), by_operation[operation]):
                    unneeded.discard((operation, cell))
    assert {f"{operation.name}.{cell}" for operation, cell in unneeded} == GUARDED_TWICE


def test_every_operation_of_the_table_is_tried(exploring: Exploration) -> None:
    exploring.run((Kind.FRESH_SESSION, Kind.TOKEN))
    tried = set().union(*exploring.used.values())
    assert set(Operation) - tried - NOT_TRIED == set()
