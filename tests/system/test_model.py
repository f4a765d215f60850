"""A machine does whatever an administrator can do, and after every step compares who may do what.

The model beside it is as simple as can be: dictionaries, and rules spelled out by enumeration.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import READ_SELF, READ_SERVICE, READ_USER, ROTATE_SELF, UPDATE_SELF, UPDATE_USER
from chalicelib.core.access.role import REGISTERED_USER, Grant
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, Refusal, Unauthenticated
from chalicelib.core.common.identifiers import EVERYWHERE
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from tests.budgets import budget
from tests.conftest import Install, Scene, origin, set_scene
from tests.people import PASSWORD, Person

STEPS = 30
PERMISSIONS = [READ_USER, UPDATE_USER, READ_SERVICE]
SERVICES = ["ci", "deploy"]
SOME = st.integers(0, 10**6)  # picks one of what there is at the moment


@dataclass
class ModelGroup:
    parent: str | None
    grants: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class ModelUser:
    secret: str  # of a token for Keyturn's API
    login: str
    person: Person
    two_factor: bool = False
    application_passwords: dict[str, str] = field(default_factory=dict)  # secrets, by id
    banned: bool = False
    grants: set[tuple[str, str]] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)


@dataclass
class ModelToken:
    owner: str
    scope: set[str]
    secret: str


class Machine(RuleBasedStateMachine):
    install: ClassVar[Install]

    @initialize()
    def begin(self) -> None:
        self.monkeypatch = pytest.MonkeyPatch()
        self.installation: Iterator[Any] = type(self).install(self.monkeypatch)
        self.product = next(self.installation)
        self.scene: Scene = set_scene(self.product)
        self.by = self.scene.caller()
        self.service_ids = {"ci": self.scene.ci.service.id, "deploy": self.scene.deploy.service.id}
        self.users: dict[str, ModelUser] = {}
        self.groups: dict[str, ModelGroup] = {}
        self.roles: dict[str, set[str]] = {}
        self.tokens: dict[str, ModelToken] = {}
        self.ended: list[tuple[str, str]] = []  # logins and application passwords that were good once
        self.count = itertools.count()

    def teardown(self) -> None:
        if hasattr(self, "installation"):
            next(self.installation, None)
            self.monkeypatch.undo()

    # What the model says.

    def chain(self, group: str | None) -> list[str]:
        found: list[str] = []
        while group in self.groups and group not in found:
            found.append(group)
            group = self.groups[group].parent
        return found

    def scoped_permissions(self, user: str) -> set[tuple[str, str]]:
        model = self.users[user]
        grants = set(model.grants)
        for group in model.groups:
            for outer in self.chain(group):
                grants |= self.groups[outer].grants
        scoped_permissions = {
            (permission, scope_id) for role, scope_id in grants for permission in self.roles.get(role, ())
        }
        return scoped_permissions | {(each, EVERYWHERE) for each in (READ_SELF, UPDATE_SELF, ROTATE_SELF)}

    def has(self, user: str, permission: str, scope_id: str) -> bool:
        return bool({(permission, scope_id), (permission, EVERYWHERE)} & self.scoped_permissions(user))

    def may_create(self, actor: str, owner: str, service: str) -> bool:
        sees = self.has(actor, READ_SERVICE, self.service_ids[service])
        if actor == owner:
            return sees
        covers = all(self.has(actor, permission, scope_id) for permission, scope_id in self.scoped_permissions(owner))
        return sees and covers and self.has(actor, UPDATE_USER, EVERYWHERE)

    def good(self, token: ModelToken, service: str) -> bool:
        return token.owner in self.users and not self.users[token.owner].banned and service in token.scope

    def pick(self, things: dict[str, Any], number: int) -> str:
        return list(things)[number % len(things)]  # in order of creation: ids are random

    def new_name(self, kind: str) -> str:
        return f"{kind}-{next(self.count)}"

    # What an administrator does.

    @rule()
    def create_user(self) -> None:
        user = self.product.accounts.create(self.by, self.new_name("user"), "User", AccountType.USER)
        own = self.product.permanent_tokens.create(self.by, user.id, "own", ["keyturn"])
        self.product.passwords.set(self.by, user.id, PASSWORD, None)
        self.users[user.id] = ModelUser(own.secret or "", user.login, Person(self.scene, user))

    @precondition(lambda self: self.users)
    @rule(user=SOME)
    def delete_user(self, user: int) -> None:
        id = self.pick(self.users, user)
        self.product.accounts.delete(self.by, id)
        self.end_application_passwords(id)
        del self.users[id]

    @precondition(lambda self: self.users)
    @rule(user=SOME, banned=st.booleans())
    def ban_or_unban(self, user: int, banned: bool) -> None:
        id = self.pick(self.users, user)
        self.product.accounts.update(self.by, id, AccountChange(banned=banned))
        self.users[id].banned = banned

    @rule(parent=st.none() | SOME)
    def create_group(self, parent: int | None) -> None:
        inside = self.pick(self.groups, parent) if parent is not None and self.groups else None
        try:
            group = self.product.groups.create(self.by, GroupDescription(self.new_name("group"), inside))
        except Conflict:
            assert len(self.chain(inside)) >= 8
        else:
            self.groups[group.id] = ModelGroup(inside)

    @precondition(lambda self: self.groups)
    @rule(group=SOME, parent=st.none() | SOME)
    def move_group(self, group: int, parent: int | None) -> None:
        id = self.pick(self.groups, group)
        inside = None if parent is None else self.pick(self.groups, parent)
        try:
            self.product.groups.update(self.by, id, GroupDescription(parent=inside or OUTERMOST))
        except Conflict:
            assert id in self.chain(inside) or len(self.chain(inside)) >= 8
        else:
            assert id not in self.chain(inside)
            self.groups[id].parent = inside

    @precondition(lambda self: self.groups)
    @rule(group=SOME)
    def delete_group(self, group: int) -> None:
        id = self.pick(self.groups, group)
        has_subgroups = any(other.parent == id for other in self.groups.values())
        try:
            self.product.groups.delete(self.by, id)
        except Conflict:
            assert has_subgroups
        else:
            assert not has_subgroups
            del self.groups[id]

    @precondition(lambda self: self.groups and self.users)
    @rule(group=SOME, user=SOME)
    def join_or_leave(self, group: int, user: int) -> None:
        group_id, user_id = self.pick(self.groups, group), self.pick(self.users, user)
        if group_id in self.users[user_id].groups:
            self.product.groups.remove_member(self.by, group_id, user_id)
        else:
            self.product.groups.add_member(self.by, group_id, user_id)
        self.users[user_id].groups ^= {group_id}

    @rule(permissions=st.sets(st.sampled_from(PERMISSIONS), min_size=1))
    def create_role(self, permissions: set[str]) -> None:
        name = self.new_name("role")
        role = self.product.roles.create(self.by, name, name, sorted(permissions))
        self.roles[role.id] = permissions

    @precondition(lambda self: self.roles)
    @rule(role=SOME, permissions=st.sets(st.sampled_from(PERMISSIONS)))
    def change_or_delete_role(self, role: int, permissions: set[str]) -> None:
        id = self.pick(self.roles, role)
        if permissions:
            self.product.roles.update(self.by, id, None, None, sorted(permissions))
            self.roles[id] = permissions
        else:
            self.product.roles.delete(self.by, id)
            del self.roles[id]

    @precondition(lambda self: self.roles and self.users)
    @rule(role=SOME, user=SOME, scope_id=st.sampled_from([EVERYWHERE, *SERVICES]))
    def grant_or_revoke(self, role: int, user: int, scope_id: str) -> None:
        role_id, user_id = self.pick(self.roles, role), self.pick(self.users, user)
        pair = role_id, self.service_ids.get(scope_id, scope_id)
        if pair in self.users[user_id].grants:
            self.product.roles.revoke(self.by, user_id, Grant(user_id, *pair).id)
        else:
            self.product.roles.grant(self.by, user_id, role_id, scope_id)
        self.users[user_id].grants ^= {pair}

    @precondition(lambda self: self.roles and self.groups)
    @rule(role=SOME, group=SOME, scope_id=st.sampled_from([EVERYWHERE, *SERVICES]))
    def grant_to_or_revoke_from_group(self, role: int, group: int, scope_id: str) -> None:
        role_id, group_id = self.pick(self.roles, role), self.pick(self.groups, group)
        pair = role_id, self.service_ids.get(scope_id, scope_id)
        if pair in self.groups[group_id].grants:
            self.product.roles.revoke_from_group(self.by, group_id, Grant(group_id, *pair).id)
        else:
            self.product.roles.grant_to_group(self.by, group_id, role_id, scope_id)
        self.groups[group_id].grants ^= {pair}

    @precondition(lambda self: self.users)
    @rule(user=SOME, scope=st.sets(st.sampled_from(SERVICES), min_size=1))
    def create_token(self, user: int, scope: set[str]) -> None:
        owner = self.pick(self.users, user)
        name = self.new_name("token")
        created = self.product.permanent_tokens.create(self.by, owner, name, sorted(scope))
        self.tokens[created.token.id] = ModelToken(owner, scope, created.secret or "")

    def alive(self) -> dict[str, ModelToken]:
        """The tokens that are still there: a deleted one is good for nothing, and stays to be checked."""
        return {id: token for id, token in self.tokens.items() if token.owner in self.users and token.scope}

    @precondition(lambda self: self.alive())
    @rule(token=SOME, scope=st.sets(st.sampled_from(SERVICES)))
    def rescope_or_delete_token(self, token: int, scope: set[str]) -> None:
        alive = self.alive()
        id = self.pick(alive, token)
        if scope:
            self.product.permanent_tokens.update(self.by, alive[id].owner, id, None, sorted(scope))
        else:
            self.product.permanent_tokens.delete(self.by, alive[id].owner, id)
        self.tokens[id].scope = scope

    @precondition(lambda self: self.users)
    @rule(actor=SOME, owner=SOME, service=st.sampled_from(SERVICES))
    def act_for_another(self, actor: int, owner: int, service: str) -> None:
        actor_id, owner_id = self.pick(self.users, actor), self.pick(self.users, owner)
        try:
            caller = self.scene.caller(self.users[actor_id].secret)
        except Refusal:
            assert self.users[actor_id].banned
            return
        assert not self.users[actor_id].banned
        try:
            created = self.product.permanent_tokens.create(caller, owner_id, self.new_name("token"), [service])
        except (Forbidden, Invalid):
            assert not self.may_create(actor_id, owner_id, service)
        else:
            assert self.may_create(actor_id, owner_id, service)
            self.tokens[created.token.id] = ModelToken(owner_id, {service}, created.secret or "")

    def end_application_passwords(self, user: str) -> None:
        model = self.users[user]
        self.ended += [(model.login, secret) for secret in model.application_passwords.values()]
        model.application_passwords.clear()

    def log_in(self, user: str) -> Caller | None:
        """The caller that the user is, unless banned; the model and the product must agree."""
        try:
            caller = self.users[user].person.log_in()
        except Forbidden:
            assert self.users[user].banned
            return None
        assert not self.users[user].banned
        return caller

    @precondition(lambda self: self.users)
    @rule(user=SOME)
    def turn_2fa_on_or_off(self, user: int) -> None:
        id = self.pick(self.users, user)
        model = self.users[id]
        if model.two_factor:
            self.product.second_factors.turn_off(self.by, id)
            model.person.totp_secret = ""
            self.end_application_passwords(id)
        elif self.log_in(id):
            model.person.turn_on_2fa()
        else:
            return
        model.two_factor = not model.two_factor

    @precondition(lambda self: self.users)
    @rule(user=SOME)
    def create_application_password(self, user: int) -> None:
        id = self.pick(self.users, user)
        caller = self.log_in(id)
        if caller is None:
            return
        model = self.users[id]
        try:
            created = self.product.application_passwords.create(caller, "me", self.new_name("mail"))
        except Conflict:
            assert not model.two_factor
        else:
            assert model.two_factor
            model.application_passwords[created.password.id] = created.secret or ""

    @precondition(lambda self: any(model.application_passwords for model in self.users.values()))
    @rule(user=SOME)
    def delete_application_password(self, user: int) -> None:
        having = {id: model for id, model in self.users.items() if model.application_passwords}
        id = self.pick(having, user)
        password_id, secret = next(iter(having[id].application_passwords.items()))
        self.product.application_passwords.delete(self.by, id, password_id)
        del having[id].application_passwords[password_id]
        self.ended.append((having[id].login, secret))

    # What must hold after every step.

    @invariant()
    def every_application_password_is_good_while_it_should_be(self) -> None:
        for id, model in getattr(self, "users", {}).items():
            for secret in model.application_passwords.values():
                assert self.accepts(model.login, secret) == (None if model.banned else id)
                assert self.scene.is_good(secret) != model.banned
        for login, secret in getattr(self, "ended", []):
            assert self.accepts(login, secret) is None
            assert not self.scene.is_good(secret)

    def accepts(self, login: str, secret: str) -> str | None:
        try:
            return self.product.authentication.caller_by_password(login, secret, origin()).user.id
        except Unauthenticated:
            return None

    @invariant()
    def everybody_may_do_what_the_model_says(self) -> None:
        for user in getattr(self, "users", {}):
            explained = {
                (scoped_permission.permission, scoped_permission.scope_id)
                for scoped_permission, _ in self.product.permissions.explain(self.by, user)
            }
            assert explained == self.scoped_permissions(user)

    @invariant()
    def every_token_is_good_where_the_model_says(self) -> None:
        for token, service in itertools.product(getattr(self, "tokens", {}).values(), SERVICES):
            asking = self.scene.ci if service == "ci" else self.scene.deploy
            assert self.scene.is_good(token.secret, asking) == self.good(token, service)

    @invariant()
    def everything_is_counted(self) -> None:
        if hasattr(self, "users"):
            assert self.product.accounts.page(self.by, Window(0, 0)).total == len(self.users) + 2
            assert self.product.groups.page(self.by, Window(0, 0)).total == len(self.groups)
            for group in self.groups:
                members = self.product.groups.members(self.by, group, Window())
                expected = {user for user, model in self.users.items() if group in model.groups}
                assert ({user.id for user in members.items}, members.total) == (expected, len(expected))


@pytest.mark.parametrize(
    ("where", "examples"), [("install", budget(gate=2, long=30)), ("install_in_memory", budget(gate=8, long=150))]
)
def test_the_product_behaves_like_the_model(where: str, examples: int, request: pytest.FixtureRequest) -> None:
    assert REGISTERED_USER  # every account has it, which the model counts on
    Machine.install = staticmethod(request.getfixturevalue(where))
    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=STEPS))
