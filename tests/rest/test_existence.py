"""Whoever may not see a thing gets the same answer whether it exists or not: in paths, bodies and queries.

For each permission alone, and for none, every route of the table is called with references to things that the caller
may not see, and with references of the same form that lead nowhere. The routes, and the places for references in
bodies and queries, are taken from the product itself, so that a new one is walked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import (
    DELETE_GROUP,
    DELETE_ROLE,
    DELETE_USER,
    KEYTURN_PERMISSIONS,
    LOW_LEVEL_ADMIN,
    READ_AUDIT,
    READ_GROUP,
    READ_ROLE,
    READ_SERVICE,
    READ_USER,
    UPDATE_GROUP,
    UPDATE_ROLE,
    UPDATE_USER,
)
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from chalicelib.core.oauth.manage_trust_rules import RuleDescription
from chalicelib.core.tokens.event import EventKind
from chalicelib.rest import openapi
from chalicelib.rest.contract import bodies
from chalicelib.rest.contract.contracts import Contract
from chalicelib.rest.routes import ROOT, ROUTES
from chalicelib.web.routing import load
from tests.conftest import Install, origin
from tests.rest.calling import Answer, Client

# By these the caller may see things of the kind, or do something to every one of them, and so may know which there are.
REACHES = {
    "user": {READ_USER, UPDATE_USER, DELETE_USER},
    "service": {READ_SERVICE},
    "group": {READ_GROUP, UPDATE_GROUP, DELETE_GROUP},
    "role": {READ_ROLE, UPDATE_ROLE, DELETE_ROLE},
    "webhook": {LOW_LEVEL_ADMIN},
}
# Part of an account: whoever reaches accounts reaches it below them.
PARTS = ("token", "password", "approval", "rule", "session", "passkey", "grant")
NOWHERE, NOTHING = "zzNoWhere000", "zzNothing111"  # of the form of ids

# A good body for each kind that refers to something, with the reference in the place where X stands; by field.
BODIES: dict[str, dict[str, Any]] = {
    "NewUser": {"owner": {"login": "new-bot", "name": "New", "type": "bot", "owner": "X"}},
    "UserChange": {"owner": {"owner": "X"}},
    "NewToken": {"scope": {"name": "new", "scope": ["X"]}},
    "TokenChange": {"scope": {"scope": ["X"]}},
    "NewTrustRule": {
        "scope": {
            "name": "new",
            "issuer": "https://ci.example.com",
            "audience": "k",
            "conditions": {"sub": ["whole"]},
            "scope": ["X"],
        }
    },
    "TrustRuleChange": {"scope": {"scope": ["X"]}},
    "NewService": {
        "defaultRoles": {"key": "new", "name": "New", "defaultRoles": ["X"]},
        "groups": {"key": "new", "name": "New", "groups": ["X"]},
    },
    "ServiceChange": {"defaultRoles": {"defaultRoles": ["X"]}, "groups": {"groups": ["X"]}},
    "NewGroup": {"parent": {"name": "New", "parent": "X"}},
    "GroupChange": {"parent": {"parent": "X"}},
    "NewRole": {"permissions": {"key": "new", "name": "New", "permissions": ["X"]}},
    "RoleChange": {"permissions": {"permissions": ["X"]}},
    "NewProjectRole": {"role": {"role": "X"}, "project": {"role": "registered-user", "project": "X"}},
    "NewOwnedProjectRole": {
        "owner": {"owner": "X", "role": "registered-user"},
        "role": {"owner": "me", "role": "X"},
        "project": {"owner": "me", "role": "registered-user", "project": "X"},
    },
    "Reference": {"id": "X"},
}
KIND_OF_FIELD = {
    "owner": ("user", "group"),
    "scope": ("service",),
    "project": ("service",),
    "defaultRoles": ("role",),
    "role": ("role",),
    "groups": ("group",),
    "parent": ("group",),
    "permissions": ("permission",),
    "id": ("user",),
}
KIND_OF_TERM = {
    "user": ("user",),
    "group": ("group",),
    "role": ("role",),
    "owner": ("user", "group"),
    "actor": ("user",),
    "target": ("user", "group", "role", "service"),
}
PLAIN = {  # what is sent where nothing refers to anything
    "NewUser": {"login": "new", "name": "New"},
    "BatchBody": {"changes": [{"method": "DELETE", "path": "/users/none"}]},
    "Rotation": {"grace": 0},
    "WebhookSecretComparison": {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    "SecretComparison": {"secret": "a1B2" * 10 + "c3D"},
    "RotationRollback": {"keep": "x"},
    "TrialBody": {"assertion": "x"},
    "NewPassword": {"password": "correct horse battery staple"},
    "NewApplicationPassword": {"name": "new"},
}


@dataclass(frozen=True)
class World:
    """What is there, and, by kind, how it can be named: each pair leads to something hidden, and to nothing."""

    product: Keyturn
    administrator: Caller
    pairs: dict[str, list[tuple[str, str]]]

    def caller(self, number: int, permissions: list[str]) -> Walker:
        """A bot that may do this and nothing else, besides seeing one service as a member of a group."""
        login = f"caller-{number}"
        bot = self.product.accounts.create(self.administrator, login, login, AccountType.BOT)
        if permissions:
            self.product.roles.create(self.administrator, login, login, permissions)
            self.product.roles.grant(self.administrator, bot.id, login)
        self.product.groups.add_member(self.administrator, "Open group", bot.id)
        token = self.product.permanent_tokens.create(self.administrator, bot.id, "own", ["keyturn"])
        described = RuleDescription("own", "https://ci.example.com", "k", {"sub": ["whole"]}, ["keyturn"])
        rule = self.product.oauth.trust_rules.create(self.administrator, bot.id, described).rule
        return Walker(Client(token.secret or ""), {"token": token.token.id, "rule": rule.id})


@dataclass(frozen=True)
class Walker:
    """Who calls, and what they may name."""

    client: Client
    own: Mapping[str, str]  # ids of what hangs on the caller's account

    def filled(self, route: str) -> str:
        """The path with what the caller may name in every place that is still open."""
        known = {"user": "me", "service": "open", "group": "Open%20group", "role": "open-role", **self.own}
        return re.sub(r"{(\w+)}", lambda found: known.get(found[1], NOWHERE), route)


@pytest.fixture(scope="module")
def world(install_in_memory: Install) -> Iterator[World]:
    """In memory: the rules are those of the core, and there are thousands of calls."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for product in install_in_memory(monkeypatch):
            yield build(product)


def build(product: Keyturn) -> World:
    issued = product.first_administrator.issue("admin", origin())
    caller = product.authentication.caller(issued.secret or "", origin())
    service = product.services.register(caller, ServiceDescription(key="hidden", name="Hidden")).service
    product.services.update(caller, "hidden", ServiceDescription(permissions=[PermissionDeclaration("run", "run")]))
    group = product.groups.create(caller, GroupDescription("Hidden group"))
    seen = product.groups.create(caller, GroupDescription("Open group"))
    product.services.register(caller, ServiceDescription(key="open", name="Open", groups=[seen.id]))
    product.roles.create(caller, "open-role", "Open role", [READ_USER])
    role = product.roles.create(caller, "hidden-role", "Hidden role", [READ_USER])
    product.roles.grant_to_group(caller, group.id, "hidden-role")
    product.lifecycle.policies.set_for_service(caller, service.id, Policy(longest_life_days=9))
    user = product.accounts.create(caller, "hidden-jo", "Hidden Jo", AccountType.USER)
    product.groups.add_member(caller, group.id, user.id)
    token = product.permanent_tokens.create(caller, user.id, "hidden", ["hidden"]).token
    webhook = product.lifecycle.webhooks.create(caller, "hook", "https://hook.example.com/", list(EventKind)).webhook
    pairs = {
        "user": [(user.id, NOWHERE), ("hidden-jo", "nobody-jo")],
        "service": [(service.id, NOWHERE), ("hidden", "nohere")],
        "group": [(group.id, NOWHERE), ("Hidden group", "Nobody group")],
        "role": [(role.id, NOWHERE), ("hidden-role", "nobody-role")],
        "webhook": [(webhook.id, NOWHERE)],
        "token": [(token.id, NOWHERE)],
        "grant": [(f"{user.id}.{role.id}.0", f"{NOWHERE}.{NOWHERE}.0")],
        "permission": [(f"{service.id}:run", f"{NOWHERE}:run")],
    }
    return World(product, caller, pairs)


LONE = [None, *KEYTURN_PERMISSIONS]


@pytest.mark.parametrize("permission", LONE, ids=lambda each: each.partition(":")[2] if each else "none")
def test_what_may_not_be_seen_is_as_if_it_were_not_there(world: World, permission: str | None) -> None:
    walker = world.caller(LONE.index(permission), [permission] if permission else [])
    walked = 0
    for call in calls(world, permission, walker):
        hidden, missing = call.answers(walker.client)
        assert same(hidden, call.hidden) == same(missing, call.missing), f"{call}\n{hidden.text}\n{missing.text}"
        walked += 1
    assert walked > 50


@dataclass(frozen=True)
class Twice:
    """One request, with a reference to something hidden and with one to nothing."""

    method: str
    path: str
    body: Any
    hidden: str
    missing: str

    def answers(self, client: Client) -> tuple[Answer, Answer]:
        return self._answer(client, self.hidden), self._answer(client, self.missing)

    def _answer(self, client: Client, reference: str) -> Answer:
        path = self.path.replace("X", reference.replace(" ", "%20")).removeprefix(ROOT)
        if self.method == "GET":
            return client.get(path)
        if self.method == "DELETE":
            return client.delete(path)
        return client.post(path, put(self.body, reference))


def put(body: Any, reference: str) -> Any:
    """The body with the reference in its place; fields that refer take an object."""
    if body == "X":
        return {"id": reference}
    if isinstance(body, list):
        return [put(each, reference) for each in body]
    if isinstance(body, dict):
        found = {name: put(each, reference) for name, each in body.items()}
        return {**found, "id": reference} if body.get("id") == "X" else named(found)
    return body


def named(body: dict[str, Any]) -> dict[str, Any]:
    refer = {name: {"id": body[name]} for name in ("owner", "role") if isinstance(body.get(name), str)}
    return {**body, **refer}


def same(answer: Answer, reference: str) -> tuple[int, str, str]:
    """What is compared: all but what the caller typed."""
    return answer.status, answer.text.replace(reference, "<typed>"), answer.headers.get("retry-after", "")


def calls(world: World, permission: str | None, walker: Walker) -> Iterator[Twice]:
    for route, methods in ROUTES.items():
        if not route.startswith(ROOT):
            continue
        for method, view in methods.items():
            contract = openapi._contract(load("chalicelib.rest", view))
            yield from in_paths(world, permission, walker, route, method, contract)
            yield from in_bodies(world, permission, walker, route, method, contract)
            yield from in_queries(world, permission, walker, route, method, contract)


def in_paths(
    world: World, permission: str | None, walker: Walker, route: str, method: str, contract: Contract
) -> Iterator[Twice]:
    for name in re.findall(r"{(\w+)}", route):
        for hidden, missing in hidden_from(world, permission, name):
            path = walker.filled(route.replace(f"{{{name}}}", "X"))
            yield Twice(method, path, plain(contract.body), hidden, missing)


def in_bodies(
    world: World, permission: str | None, walker: Walker, route: str, method: str, contract: Contract
) -> Iterator[Twice]:
    if contract.body is None:
        return
    for field in referring(contract.body):
        body = BODIES[contract.body.__name__][field]
        for kind in KIND_OF_FIELD[field]:
            for hidden, missing in hidden_from(world, permission, kind):
                yield Twice(method, walker.filled(route), {"id": "X"} if body == "X" else body, hidden, missing)


def in_queries(
    world: World, permission: str | None, walker: Walker, route: str, method: str, contract: Contract
) -> Iterator[Twice]:
    if permission == READ_AUDIT and route == f"{ROOT}/audit":
        return  # who may read what was done learns from it what there is
    terms = [f"query={name}:%20{{X}}" for name in contract.search.fields if name in KIND_OF_TERM]
    terms += [f"{name}=X" for name in contract.query if name in KIND_OF_TERM]
    for term in terms:
        for kind in KIND_OF_TERM[re.split(r"[=:]", term.removeprefix("query="))[0]]:
            for hidden, missing in hidden_from(world, permission, kind):
                if " " not in hidden or "query" in term:
                    yield Twice(method, f"{walker.filled(route)}?{term}", None, hidden, missing)


def hidden_from(world: World, permission: str | None, kind: str) -> list[tuple[str, str]]:
    """The pairs of this kind, unless the caller may know what there is. Parts are those of a hidden account."""
    reached = REACHES["service" if kind == "permission" else kind] if kind not in PARTS else REACHES["user"]
    if permission in reached:
        return []
    return world.pairs.get(kind, [(NOTHING, NOWHERE)])


def plain(body: type | None) -> Any:
    if body is None:
        return {}
    fields = BODIES.get(body.__name__, {})
    first = next(iter(fields.values()), None)
    if body.__name__ in PLAIN:
        return PLAIN[body.__name__]
    return {"id": "me"} if first == "X" else replaced(first or {})


def replaced(body: Any) -> Any:
    """The body with Keyturn's own service, which everybody may see, where something is referred to."""
    if body == "X":
        return {"id": "0-0-0-0-0"}
    if isinstance(body, list):
        return [replaced(each) for each in body]
    return {name: replaced(each) for name, each in body.items()} if isinstance(body, dict) else body


def referring(body: type) -> list[str]:
    """The fields of a body by which it refers to other things; a body may be a reference itself."""
    if body is bodies.Reference:
        return ["id"]
    described = msgspec.inspect.type_info(body)
    fields = getattr(described, "fields", ())
    return [field.encode_name for field in fields if refers(field.type)]


def refers(described: Any) -> bool:
    inner = [getattr(described, "item_type", None), getattr(described, "type", None), *getattr(described, "types", ())]
    return getattr(described, "cls", None) is bodies.Reference or any(refers(each) for each in inner if each)


def test_every_body_that_refers_to_something_is_walked() -> None:
    for methods in ROUTES.values():
        for view in methods.values():
            body = openapi._contract(load("chalicelib.rest", view)).body
            if body is not None:
                assert set(referring(body)) <= set(BODIES.get(body.__name__, {})), body


def test_what_may_not_be_seen_stands_in_answers_as_if_it_were_gone(world: World) -> None:
    """By its id alone; but what one's own token is for may be known."""
    reader = world.caller(100, [READ_USER]).client
    tokens = reader.get("/users/hidden-jo/permanenttokens", fields="scope(id,key,name)").json["permanenttokens"]
    service_id = world.pairs["service"][0][0]
    assert tokens[0]["scope"] == [{"id": service_id, "key": None, "name": None}]
    world.product.permanent_tokens.create(world.administrator, "caller-100", "second", ["hidden"])
    own = reader.get("/users/me/permanenttokens", fields="name,scope(key)").json["permanenttokens"]
    assert {"name": "second", "scope": [{"key": "hidden"}]} in own


def test_a_bot_is_owned_by_whom_the_reader_may_see(world: World) -> None:
    hidden = world.pairs["group"][0][0]
    world.product.accounts.create(world.administrator, "owned", "Owned", AccountType.BOT, owner=hidden)
    reader = world.caller(101, [READ_USER]).client
    shown = reader.get("/users/owned", fields="owner(id,name),ownerless").json
    assert (shown["owner"], shown["ownerless"]) == ({"id": hidden, "name": None}, False)


def test_a_refusal_names_no_permission_of_a_hidden_service(world: World) -> None:
    world.product.roles.create(world.administrator, "runner", "Runner", [world.pairs["permission"][0][0], READ_ROLE])
    world.product.accounts.create(world.administrator, "running", "Running", AccountType.BOT)
    world.product.roles.grant(world.administrator, "running", "runner")
    actor = world.caller(102, [UPDATE_USER]).client
    refused = actor.post("/users/running/permanenttokens", {"name": "new", "scope": [{"key": "keyturn"}]})
    said = "This account has permissions that you lack: Read Role and more."
    assert (refused.status, refused.json["error_description"]) == (403, said)
