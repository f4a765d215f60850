"""Every operation on things that have as much as they can have, and more than they can have today: nothing that takes
something away is ever refused for it, and nothing that makes something fails otherwise than by naming a rule.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.access.effective import DirectGrants
from chalicelib.core.access.group import MAX_DEPTH, MAX_MEMBERSHIPS, Group
from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS, READ_USER
from chalicelib.core.access.role import MAX_GRANTS, Grant, Role
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.identifiers import KEYTURN, new_id
from chalicelib.core.login.application_password import MAX_APPLICATION_PASSWORDS, ApplicationPassword
from chalicelib.core.login.authenticators import MAX_PASSKEYS, Passkey
from chalicelib.core.oauth.trust_rules import MAX_TRUST_RULES
from chalicelib.core.secrets.previous_secrets import MAX_PREVIOUS, PreviousSecret
from chalicelib.core.tokens.token import MAX_LABELS, PermanentToken
from chalicelib.rest.routes import ROUTES
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import ApplicationPasswordItem, DelegationItem
from tests.conftest import Scene, now
from tests.people import PASSWORD, Person, person
from tests.rest.calling import REST, Answer, Client, send
from tests.storage.contract import making
from tests.storage.contract.making import newer, record, token_record

LOGINS = 105  # under one approved scope: more than a transaction has steps
GRANTS = 120  # of a group from before there was a bound
LABELS = [f"label-{number}" for number in range(MAX_LABELS)]
OTHERS = [f"other-{number}" for number in range(MAX_LABELS)]
KEYTURN_SCOPE = [{"id": KEYTURN}]


class World:
    """Jo, a bot, groups and a service with all that they can have; and a manager with all of Keyturn's permissions, who
    is still less than an administrator, to whom every permission is given."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.stores = scene, scene.product.stores
        self.administrator = Client(scene.administrator.secret or "")
        self.jo: Person = person(scene)
        self.roles = [self.role(f"role-{number}") for number in range(MAX_GRANTS)]
        self.groups = self.nested(MAX_DEPTH)
        self.groups += [self.group() for _ in range(MAX_MEMBERSHIPS - 1)]
        self.fill_groups()
        self.jo.turn_on_2fa()
        self.fill_account()
        self.manager = self.manager_client()

    @property
    def owner(self) -> Any:
        return self.stores.accounts.get(self.jo.user.id)

    def role(self, key: str, permissions: frozenset[str] = frozenset({READ_USER})) -> Role:
        made = making.role(key=key, permissions=permissions)
        self.stores.roles.create(made, record())
        return made

    def group(self, **values: Any) -> Group:
        return making.stored_group(self.stores, **values)

    def nested(self, depth: int) -> list[Group]:
        parent, found = None, []
        for _ in range(depth):
            found.append(self.group(parent_id=parent))
            parent = found[-1].id
        return [self.current(found[-1])]

    def current(self, group: Group) -> Group:
        stored = self.stores.groups.get(group.id)
        assert stored
        return stored

    def fill_groups(self) -> None:
        for group in self.groups:
            self.stores.groups.add_member(group, self.owner, making.access_by(), record())
        roles = itertools.cycle(self.roles)
        pairs = [(next(roles).id, f"place-{number}") for number in range(GRANTS)]
        for count in (GRANTS // 2, GRANTS):
            full = self.current(self.groups[0])
            self.stores.groups.replace(full, newer(full, grants=frozenset(pairs[:count])), None, record())

    def fill_account(self) -> None:
        for role in self.roles[1:]:
            self.stores.roles.grant(self.owner, Grant(self.jo.user.id, role.id), role, record())
        known = self.stores.authenticators.get(self.jo.user.id)
        keys = tuple(Passkey(new_id(), "Key", now(), new_id(), b"key") for _ in range(MAX_PASSKEYS))
        full = newer(known, passkeys=keys)
        self.stores.authenticators.replace(self.owner, known, full, None, False, record())
        passwords = [making.password(self.owner, name=f"mail {number}") for number in range(MAX_APPLICATION_PASSWORDS)]
        self.approval = making.approval(self.owner, client_id=self.scene.ci.service.id, expires=now() + 10**9)
        self.stores.approved_scopes.approve(None, self.approval, self.owner, record())
        delegations = [self.delegation() for _ in range(LOGINS)]
        with Item.batch_write() as batch:  # as each of them would be written by itself
            for item in (*map(ApplicationPasswordItem.of, passwords), *map(DelegationItem.of, delegations)):
                batch.save(item)
        for _ in range(MAX_TRUST_RULES - 5):
            self.stores.trust_rules.create(making.trust_rule(self.scene.bot), self.bot, None, record())

    @property
    def bot(self) -> Any:
        return self.stores.accounts.get(self.scene.bot.id)

    def delegation(self) -> Any:
        client, approval = self.approval.client_id, self.approval.id
        return making.delegation(self.owner, client_id=client, approval_id=approval, expires=now() + 10**9)

    def stored_delegation(self) -> str:
        code, made = making.code(self.owner), self.delegation()
        self.stores.codes.create(code, self.owner, record())
        self.stores.codes.redeem(code, made, [], record())
        return made.id

    def token(self) -> PermanentToken:
        previous_secrets = tuple(PreviousSecret(making.hashed(), now(), now() + 10**9) for _ in range(MAX_PREVIOUS - 1))
        return making.stored_token(
            self.stores, self.owner, labels=tuple(LABELS), previous_secrets=previous_secrets, scope=(KEYTURN,)
        )

    def manager_client(self) -> Client:
        manager = person(self.scene, "manager")
        role = self.role("all-of-keyturn", frozenset(KEYTURN_PERMISSIONS))
        self.stores.roles.grant(manager.user, Grant(manager.user.id, role.id), role, record())
        tokens = self.scene.product.permanent_tokens
        return Client(tokens.create(self.scene.caller(), "manager", "own", ["keyturn"]).secret or "")

    def member(self) -> str:
        """Somebody who is in a group of many grants and many members."""
        user = making.stored_user(self.stores)
        self.stores.groups.add_member(self.current(self.groups[0]), user, making.access_by(), record())
        return user.id


def _path(user: str, *rest: str) -> str:
    return "/".join(("/users", user, *rest))


def _group_with_everything(world: World) -> Group:
    """A subgroup with many grants, many members and a policy."""
    group = world.group(parent_id=world.current(world.groups[1]).id)
    grants = frozenset((world.roles[number % MAX_GRANTS].id, f"place-{number}") for number in range(60))
    for part in (frozenset(list(grants)[:30]), grants):
        stored = world.current(group)
        world.stores.groups.replace(stored, newer(stored, grants=part), None, record())
    for _ in range(30):
        user = making.stored_user(world.stores)
        world.stores.groups.add_member(world.current(group), user, making.access_by(), record())
    assert world.administrator.post(f"/usergroups/{group.id}/policy", {"unusedDays": 10}).status == 200
    return world.current(group)


def _leaked(world: World) -> Answer:
    tokens = world.scene.product.permanent_tokens
    made = tokens.create(world.scene.caller(), "jo", making.name(), ["keyturn"])
    labelled = newer(made.token, labels=tuple(LABELS))
    world.stores.tokens.replace(made.token, labelled, world.owner, None, token_record(target_id=made.token.id))
    answer = world.manager.post("/leaks", {"found": [{"text": made.secret, "place": "a log"}]})
    assert world.stores.tokens.get(made.token.user_id, made.token.id) is None
    return answer


def _service(world: World) -> str:
    service = making.service(groups=tuple(group.id for group in world.groups))
    world.stores.services.create(service, record())
    assert world.administrator.post(f"/services/{service.id}/policy", {"unusedDays": 10}).status == 200
    return service.id


def _grant(world: World, holder: str) -> str:
    return Grant(holder, world.roles[5].id).key


def _webhook(world: World) -> str:
    made = making.webhook()
    world.stores.webhooks.create(made, record())
    return made.id


def _rule(world: World) -> str:
    made = making.trust_rule(world.scene.bot)
    world.stores.trust_rules.create(made, world.bot, None, record())
    return made.id


def _session(world: World) -> str:
    return world.jo.log_in().credential_id


def _passkey(world: World) -> str:
    return world.stores.authenticators.get(world.jo.user.id).passkeys[0].id


def _password(world: World) -> str:
    return world.stores.account_credentials.list(ApplicationPassword, world.jo.user.id)[0].id


def _group_policy(world: World) -> str:
    group = world.current(world.groups[0]).id
    assert world.administrator.post(f"/usergroups/{group}/policy", {"unusedDays": 10}).status == 200
    return group


def _owners_grant(world: World) -> str:
    return Grant(world.jo.user.id, world.roles[6].id).id


def _group_grant(world: World) -> str:
    group = world.current(world.groups[0])
    role_id, scope_id = next(iter(group.grants))
    return Grant(group.id, role_id, scope_id).key


def _shut_out(world: World) -> Answer:
    return world.manager.post("/users/jo", {"banned": True, "banReason": "gone", "description": "Left on Friday"})


Act = Callable[[World], Answer]


# What ends or takes away something, by the view; in this order, since what ends Jo comes last.
TAKING: dict[str, Act] = {
    "tokens.permanent_tokens.delete_token": lambda w: w.manager.delete(_path("jo", "permanenttokens", w.token().id)),
    "tokens.leaks.report": _leaked,
    "tokens.policies.remove_service_policy": lambda w: w.manager.delete(f"/services/{_service(w)}/policy"),
    "tokens.policies.remove_group_policy": lambda w: w.manager.delete(f"/usergroups/{_group_policy(w)}/policy"),
    "webhooks.webhooks.delete_webhook": lambda w: w.manager.delete(f"/webhooks/{_webhook(w)}"),
    "login.application_passwords.delete_password": lambda w: w.manager.delete(
        _path("jo", "applicationpasswords", _password(w))
    ),
    "oauth.delegations.delete_refresh_token": lambda w: w.manager.delete(
        _path("jo", "refreshtokens", w.stored_delegation())
    ),
    "oauth.delegations.delete_approved_scope": lambda w: w.manager.delete(_path("jo", "approvedscopes", w.approval.id)),
    "oauth.trust_rules.delete_rule": lambda w: w.manager.delete(_path(w.scene.bot.id, "trustrules", _rule(w))),
    "login.sessions.end_session": lambda w: w.manager.delete(_path("jo", "sessions", _session(w))),
    "login.second_factors.remove_passkey": lambda w: w.manager.delete(_path("jo", "passkeys", _passkey(w))),
    "login.second_factors.turn_off": lambda w: w.manager.delete(_path("jo", "twoFactorAuthentication")),
    "directory.roles.revoke_role": lambda w: w.manager.delete(_path("jo", "projectroles", _grant(w, w.jo.user.id))),
    "directory.roles.revoke_role_from_owner": lambda w: w.manager.delete(f"/projectroles/{_owners_grant(w)}"),
    "directory.roles.revoke_role_from_group": lambda w: w.manager.delete(
        f"/usergroups/{w.groups[0].id}/projectroles/{_group_grant(w)}"
    ),
    "directory.roles.delete_role": lambda w: w.manager.delete(f"/roles/{w.roles[0].id}"),
    "directory.groups.remove_member": lambda w: w.manager.delete(f"/usergroups/{w.groups[0].id}/users/{w.member()}"),
    "directory.groups.delete_group": lambda w: w.manager.delete(f"/usergroups/{_group_with_everything(w).id}"),
    "directory.services.delete_service": lambda w: w.manager.delete(f"/services/{_service(w)}"),
    "directory.users.update_user": _shut_out,
    "directory.users.delete_user": lambda w: w.manager.delete(_path(w.jo.user.id)),
}


def _post(client: Client, path: str, body: object) -> Answer:
    """With a client's key, where one is taken."""
    headers = {**client._headers, "content-type": "application/json", "idempotency-key": making.name()}
    return send("POST", REST + path, headers, json.dumps(body))


def _token_body(labels: list[str]) -> dict[str, Any]:
    return {"name": making.name(), "scope": KEYTURN_SCOPE, "labels": labels}


def _trust_rule() -> dict[str, Any]:
    issuer, conditions = "https://ci.example.com", {"sub": ["repo:team/app:main"]}
    return {
        "name": making.name(),
        "issuer": issuer,
        "audience": "keyturn",
        "conditions": conditions,
        "scope": KEYTURN_SCOPE,
    }


def _moved(world: World, client: Client) -> Answer:
    """A group that is renamed and moved from one place to a deep one at once."""
    outer = world.group()
    inner = world.group(parent_id=outer.id)
    deep = world.nested(MAX_DEPTH - 1)[0]
    return client.post(f"/usergroups/{inner.id}", {"name": making.name("Moved"), "parent": {"id": deep.id}})


def _restored(world: World, client: Client) -> Answer:
    tokens, caller = world.scene.product.permanent_tokens, world.scene.caller()
    made = tokens.create(caller, "jo", making.name(), ["keyturn"])
    path = _path("jo", "permanenttokens", made.token.id)
    assert world.administrator.post(f"{path}/rotate", {"grace": 1_000}).status == 200
    return client.post(f"{path}/takeback", {"keep": made.secret})


def _renamed(world: World, client: Client) -> Answer:
    """An account with another login and name, which stand in all its memberships."""
    path = _path(world.jo.user.id)
    answer = client.post(path, {"name": making.name("Joanna"), "login": "joanna"})
    assert world.administrator.post(path, {"login": "jo"}).status == 200
    return answer


Make = Callable[[World, Client], Answer]

# What is made or grows, and how much it takes depends on what else there is.
MAKING: dict[str, Make] = {
    "tokens.permanent_tokens.create_token": lambda w, c: _post(c, "/users/jo/permanenttokens", _token_body(LABELS)),
    "tokens.permanent_tokens.update_token": lambda w, c: c.post(
        f"/users/jo/permanenttokens/{w.token().id}",
        {**_token_body(OTHERS), "scope": [*KEYTURN_SCOPE, {"id": w.scene.ci.service.id}]},
    ),
    "tokens.permanent_tokens.rotate_token": lambda w, c: _post(
        c, f"/users/jo/permanenttokens/{w.token().id}/rotate", {"grace": 1_000}
    ),
    "tokens.permanent_tokens.take_back_rotation": _restored,
    "login.login.set_password": lambda w, c: c.post("/users/jo/password", {"password": PASSWORD}),
    "directory.users.update_user": _renamed,
    "directory.groups.update_group": _moved,
    "directory.groups.create_group": lambda w, c: _post(
        c, "/usergroups", {"name": making.name("New"), "parent": {"id": w.nested(MAX_DEPTH - 1)[0].id}}
    ),
    "directory.groups.add_member": lambda w, c: _post(
        c, f"/usergroups/{w.groups[0].id}/users", {"id": making.stored_user(w.stores).id}
    ),
    "oauth.trust_rules.update_rule": lambda w, c: c.post(
        _path(w.scene.bot.id, "trustrules", _rule(w)), {"name": making.name(), "scope": KEYTURN_SCOPE}
    ),
    "oauth.trust_rules.create_rule": lambda w, c: _post(c, _path(w.scene.bot.id, "trustrules"), _trust_rule()),
}
# For whoever is compared.
TOO_MUCH = {
    name for name in MAKING if name.startswith(("tokens.permanent_tokens.", "login.login.", "directory.users."))
}

# These write nothing, or take the same steps whatever there is: `storage/contract/test_every_writer.py` counts them.
FIXED = {
    "login.application_passwords.create_password",
    "batch.change_many",  # as each of its changes
    "oauth.introspection.introspect",
    "tokens.leaks.report_by_github",  # as `leaks.report`
    "login.login.begin_passkey_login",
    "login.login.log_in",
    "tokens.permanent_tokens.compare_secret",
    "tokens.policies.preview_group_policy",
    "tokens.policies.preview_service_policy",
    "tokens.policies.set_group_policy",
    "tokens.policies.set_service_policy",
    "directory.roles.create_role",
    "directory.roles.grant_role",
    "directory.roles.grant_role_to_group",
    "directory.roles.grant_role_to_owner",
    "directory.roles.update_role",
    "login.second_factors.add_passkey",
    "login.second_factors.pair",
    "login.second_factors.renew_recovery_codes",
    "directory.services.register_service",
    "directory.services.compare_service_secret",
    "directory.services.renew_service_secret",
    "directory.services.take_back_service_secret",
    "directory.services.update_service",
    "oauth.trust_rules.try_out",
    "directory.users.create_user",
    "webhooks.webhooks.compare_webhook_secret",
    "webhooks.webhooks.create_webhook",
    "webhooks.webhooks.renew_webhook_secret",
    "webhooks.webhooks.take_back_webhook_secret",
    "webhooks.webhooks.test_webhook",
    "webhooks.webhooks.update_webhook",
}


@pytest.fixture
def world(scene: Scene) -> World:
    return World(scene)


def test_nothing_is_left_out() -> None:
    views = [(method, view) for route in ROUTES.values() for method, view in route.items() if method != "GET"]
    assert {view for method, view in views if method == "DELETE"} <= TAKING.keys()
    assert {view for _, view in views} == TAKING.keys() | MAKING.keys() | FIXED
    taking = {each.name for each in Operation if each.name.partition("_")[0] in ("DELETE", "REMOVE", "REVOKE", "END")}
    assert len(taking) <= len(TAKING)


def test_what_is_made_fails_only_by_a_rule_that_it_names_and_what_is_taken_away_never(world: World) -> None:
    """Nothing at all is compared for whoever has every permission; others learn what is too much. Taking away is for
    everybody who may, however much there is."""
    done = {view: make(world, world.administrator).status for view, make in MAKING.items()}
    assert done == dict.fromkeys(MAKING, 200)
    refused = {view: make(world, world.manager) for view, make in MAKING.items()}
    assert {view for view, answer in refused.items() if answer.status != 200} == TOO_MUCH
    for view in TOO_MUCH:
        assert refused[view].status == 409, view
        assert "cannot be compared safely" in refused[view].json["error_description"]

    assert {view: act(world).status for view, act in TAKING.items()} == dict.fromkeys(TAKING, 200)
    left, id = world.stores, world.jo.user.id
    assert (
        left.account_credentials.list(ApplicationPassword, id)
        == left.delegations.list(id)
        == left.tokens.list(id)
        == []
    )
    assert left.access.direct_grants(id) == DirectGrants()
