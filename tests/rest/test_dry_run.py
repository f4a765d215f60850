"""`?dryRun=true`: the answer that a change would have, or its refusal, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.core.common.origin import Origin
from chalicelib.rest import openapi
from chalicelib.rest.contract.fields import Shape
from chalicelib.rest.directory.groups import LISTED_GROUP
from chalicelib.rest.directory.users import ACCOUNT
from chalicelib.rest.routes import ROOT, ROUTES
from chalicelib.web.routing import load
from tests import tables
from tests.authenticator import SoftwarePasskey
from tests.conftest import ADDRESS, Install, Scene, now, set_scene
from tests.people import HOME, PASSWORD, Person, person
from tests.rest.calling import REST, Answer, Client, send
from tests.storage.contract import making
from tests.storage.contract.making import record

KEYTURN_SCOPE = [{"id": "0-0-0-0-0"}]
SECRETS = {"token", "secret", "password", "uri", "qrCode", "recoveryCodes"}
# What another answer has otherwise, though nothing else has happened.
VOLATILE = {
    "id",
    "passkeys",
    "creationTime",
    "rotationTime",
    "publicKey",
    "pairing",
    "lastAccessTime",
    "endsOn",
    "notice",
}


@dataclass
class World:
    """An installation, and somebody who has logged in."""

    scene: Scene
    jo: Person

    @property
    def stores(self) -> Any:
        return self.scene.product.stores

    @property
    def administrator(self) -> Client:
        return Client(self.scene.administrator.secret or "")

    def session(self, somebody: Person) -> Client:
        """A client that has logged in just now."""
        return Client(opened(somebody))

    def made(self, path: str, body: Any) -> Any:
        """What an administrator has made there."""
        answer = self.administrator.post(path, body)
        assert answer.status == 200, answer.text
        return answer.json

    def token(self) -> str:
        bot = self.scene.bot.id
        id = self.made(f"/users/{bot}/permanenttokens", {"name": making.name(), "scope": KEYTURN_SCOPE})["id"]
        return f"/users/{bot}/permanenttokens/{id}"

    def rule(self) -> str:
        path = f"/users/{self.scene.bot.id}/trustrules"
        return f"{path}/{self.made(path, _trust_rule())['id']}"

    def group(self) -> str:
        return f"/usergroups/{self.made('/usergroups', {'name': making.name('Group')})['id']}"

    def role(self) -> str:
        permissions = [{"id": "0-0-0-0-0:read-user"}]
        return str(self.made("/roles", {"key": making.name(), "name": "R", "permissions": permissions})["id"])

    def service(self) -> str:
        return f"/services/{self.made('/services', {'key': making.name(), 'name': 'S'})['id']}"

    def account(self) -> Any:
        return making.stored_user(self.stores)

    def current(self, user_id: str) -> Any:
        return self.stores.accounts.get(user_id)

    def webhook(self) -> str:
        return f"/webhooks/{self.made('/webhooks', _webhook())['id']}"

    def somebody(self, two_factor: bool = False) -> Person:
        found = person(self.scene, making.name().replace(" ", "-"))
        if two_factor:
            found.turn_on_2fa()
        return found


Act = tuple[Client, str, str, Any]
Prepare = Callable[[World], Act]


def opened(somebody: Person) -> str:
    somebody.clock = now()
    if not somebody.totp_secret:
        return somebody.attempt().secret
    return somebody.attempt(code=somebody.recovery_codes[0]).secret


def _trust_rule() -> dict[str, Any]:
    return {
        "name": making.name(),
        "issuer": "https://ci.example.com",
        "audience": "keyturn",
        "conditions": {"sub": ["repo:team/app:main"]},
        "scope": KEYTURN_SCOPE,
    }


def _webhook() -> dict[str, Any]:
    return {"name": making.name(), "url": "https://hook.example.com/", "kinds": ["permanent-token.created"]}


def _rotated(w: World) -> Act:
    bot = w.scene.bot.id
    made = w.made(f"/users/{bot}/permanenttokens", {"name": making.name(), "scope": KEYTURN_SCOPE})
    path = f"/users/{bot}/permanenttokens/{made['id']}"
    w.made(f"{path}/rotate", {"grace": 1_000})
    return w.administrator, "POST", f"{path}/takeback", {"keep": made["token"]}


def _secret_taken_back(w: World, path: str, thing: dict[str, Any]) -> Act:
    made = w.made(path, thing)
    w.made(f"{path}/{made['id']}/secret", {"grace": 1_000})
    return w.administrator, "POST", f"{path}/{made['id']}/secret/takeback", {"keep": made["secret"]}


def _member(w: World) -> Act:
    group, user = w.group(), w.account()
    w.made(f"{group}/users", {"id": user.id})
    return w.administrator, "DELETE", f"{group}/users/{user.id}", None


def _granted(w: World, holder: str, path: str) -> Act:
    role = w.role()
    grant = w.made(f"{holder}/projectroles", {"role": {"id": role}, "project": {"id": "0"}})["id"]
    return w.administrator, "DELETE", f"{path}/projectroles/{grant}", None


def _application_password(w: World) -> Act:
    jo = w.somebody(two_factor=True)
    return w.session(jo), "POST", "/users/me/applicationpasswords", {"name": "mail"}


def _application_password_gone(w: World) -> Act:
    user = w.account()
    password = making.password(user)
    w.stores.account_credentials.create(password, user, making.with_2fa(w.stores, user), record())
    return w.administrator, "DELETE", f"/users/{user.id}/applicationpasswords/{password.id}", None


def _approval_gone(w: World) -> Act:
    """With a refresh token under it."""
    user = w.account()
    approval = making.approval(user, expires=now() + 10**9)
    w.stores.approved_scopes.approve(None, approval, user, record())
    _delegation(w, user, approval_id=approval.id, client_id=approval.client_id)
    return w.administrator, "DELETE", f"/users/{user.id}/approvedscopes/{approval.id}", None


def _delegation(w: World, user: Any, **values: Any) -> str:
    code, made = making.code(user), making.delegation(user, expires=now() + 10**9, **values)
    w.stores.codes.create(code, user, record())
    w.stores.codes.redeem(code, made, [], record())
    return made.id


def _refresh_token_gone(w: World) -> Act:
    user = w.account()
    return w.administrator, "DELETE", f"/users/{user.id}/refreshtokens/{_delegation(w, user)}", None


def _account_gone(w: World) -> Act:
    """With tokens, and a bot that is then nobody's."""
    jo = w.somebody(two_factor=True)
    w.made(
        "/users", {"login": making.name().replace(" ", "-"), "name": "B", "type": "bot", "owner": {"id": jo.user.id}}
    )
    w.made(f"/users/{jo.user.id}/permanenttokens", {"name": "own", "scope": KEYTURN_SCOPE})
    return w.administrator, "DELETE", f"/users/{jo.user.id}", None


def _two_factor_off(w: World) -> Act:
    """Also of the application passwords."""
    jo = w.somebody(two_factor=True)
    known, owner = w.stores.authenticators.get(jo.user.id), w.current(jo.user.id)
    w.stores.account_credentials.create(making.password(owner, epoch=owner.password_epoch), owner, known, record())
    return w.administrator, "DELETE", f"/users/{jo.user.id}/twoFactorAuthentication", None


def _passkey(w: World) -> Act:
    jo = w.session(w.somebody())
    options = jo.post("/users/me/passkeys", {"name": "Key"}).json["publicKey"]
    return jo, "POST", "/users/me/passkeys", {"name": "Key", "credential": SoftwarePasskey(ADDRESS).create(options)}


def _passkey_gone(w: World) -> Act:
    jo = w.somebody(two_factor=True)
    caller, factors = jo.caller(jo.attempt(code=jo.recovery_codes[0])), w.scene.product.second_factors
    passkey = SoftwarePasskey(ADDRESS)
    factors.add_passkey(caller, "me", "Key", passkey.create(factors.passkey_options(caller, "me")))
    id = w.stores.authenticators.get(jo.user.id).passkeys[0].id
    return w.administrator, "DELETE", f"/users/{jo.user.id}/passkeys/{id}", None


def _session_gone(w: World) -> Act:
    jo = w.somebody()
    session = w.scene.product.authentication.caller(opened(jo), Origin(now(), HOME)).credential_id
    return w.administrator, "DELETE", f"/users/{jo.user.id}/sessions/{session}", None


def _with_policy(path: Callable[[World], str]) -> Prepare:
    def prepare(w: World) -> Act:
        found = path(w)
        w.made(f"{found}/policy", {"unusedDays": 9})
        return w.administrator, "DELETE", f"{found}/policy", None

    return prepare


ACTS: dict[str, Prepare] = {
    "directory.users.create_user": lambda w: (
        w.administrator,
        "POST",
        "/users",
        {"login": making.name().replace(" ", "-"), "name": "New", "type": "bot"},
    ),
    "directory.users.update_user": lambda w: (
        w.administrator,
        "POST",
        f"/users/{w.account().id}",
        {"login": making.name().replace(" ", "-"), "banned": True, "description": "gone"},
    ),
    "directory.users.delete_user": _account_gone,
    "tokens.permanent_tokens.create_token": lambda w: (
        w.administrator,
        "POST",
        f"/users/{w.scene.bot.id}/permanenttokens",
        {"name": making.name(), "scope": KEYTURN_SCOPE, "labels": ["a"]},
    ),
    "batch.change_many": lambda w: (
        w.administrator,
        "POST",
        "/batch",
        {"changes": [{"method": "DELETE", "path": w.token()}, {"method": "POST", "path": "/users", "body": {}}]},
    ),
    "tokens.permanent_tokens.update_token": lambda w: (
        w.administrator,
        "POST",
        w.token(),
        {"name": making.name(), "labels": ["b"], "scope": [{"key": "ci"}]},
    ),
    "tokens.permanent_tokens.delete_token": lambda w: (w.administrator, "DELETE", w.token(), None),
    "tokens.permanent_tokens.rotate_token": lambda w: (w.administrator, "POST", f"{w.token()}/rotate", {"grace": 60}),
    "tokens.permanent_tokens.take_back_rotation": _rotated,
    "tokens.policies.set_service_policy": lambda w: (
        w.administrator,
        "POST",
        f"{w.service()}/policy",
        {"unusedDays": 9},
    ),
    "tokens.policies.remove_service_policy": _with_policy(World.service),
    "tokens.policies.set_group_policy": lambda w: (w.administrator, "POST", f"{w.group()}/policy", {"unusedDays": 9}),
    "tokens.policies.remove_group_policy": _with_policy(World.group),
    "webhooks.webhooks.create_webhook": lambda w: (w.administrator, "POST", "/webhooks", _webhook()),
    "webhooks.webhooks.delete_webhook": lambda w: (w.administrator, "DELETE", w.webhook(), None),
    "login.application_passwords.create_password": _application_password,
    "login.application_passwords.delete_password": _application_password_gone,
    "oauth.delegations.delete_refresh_token": _refresh_token_gone,
    "oauth.delegations.delete_approved_scope": _approval_gone,
    "oauth.trust_rules.create_rule": lambda w: (
        w.administrator,
        "POST",
        f"/users/{w.scene.bot.id}/trustrules",
        _trust_rule(),
    ),
    "oauth.trust_rules.update_rule": lambda w: (
        w.administrator,
        "POST",
        w.rule(),
        {"name": making.name(), "conditions": {"sub": ["whole"]}},
    ),
    "oauth.trust_rules.delete_rule": lambda w: (w.administrator, "DELETE", w.rule(), None),
    "login.login.set_password": lambda w: (
        w.administrator,
        "POST",
        f"/users/{w.jo.user.id}/password",
        {"password": PASSWORD},
    ),
    "login.sessions.end_session": _session_gone,
    "login.second_factors.pair": lambda w: (w.session(w.somebody()), "POST", "/users/me/twoFactorAuthentication", {}),
    "login.second_factors.turn_off": _two_factor_off,
    "login.second_factors.renew_recovery_codes": lambda w: (
        w.session(w.somebody(two_factor=True)),
        "POST",
        "/users/me/twoFactorAuthentication/recoverycodes",
        {},
    ),
    "login.second_factors.add_passkey": _passkey,
    "login.second_factors.remove_passkey": _passkey_gone,
    "directory.roles.create_role": lambda w: (
        w.administrator,
        "POST",
        "/roles",
        {"key": making.name(), "name": "R", "permissions": [{"id": "0-0-0-0-0:read-user"}]},
    ),
    "directory.roles.update_role": lambda w: (w.administrator, "POST", f"/roles/{w.role()}", {"name": "Other"}),
    "directory.roles.delete_role": lambda w: (w.administrator, "DELETE", f"/roles/{w.role()}", None),
    "directory.roles.grant_role": lambda w: (
        w.administrator,
        "POST",
        f"/users/{w.account().id}/projectroles",
        {"role": {"id": w.role()}, "project": {"id": "0"}},
    ),
    "directory.roles.revoke_role": lambda w: _granted(w, path := f"/users/{w.account().id}", path),
    "directory.roles.grant_role_to_owner": lambda w: (
        w.administrator,
        "POST",
        "/projectroles",
        {"owner": {"id": w.account().id}, "role": {"id": w.role()}, "project": {"id": "0"}},
    ),
    "directory.roles.revoke_role_from_owner": lambda w: _granted(w, f"/users/{w.account().id}", ""),
    "directory.roles.grant_role_to_group": lambda w: (
        w.administrator,
        "POST",
        f"{w.group()}/projectroles",
        {"role": {"id": w.role()}, "project": {"id": "0"}},
    ),
    "directory.roles.revoke_role_from_group": lambda w: _granted(w, path := w.group(), path),
    "directory.groups.create_group": lambda w: (w.administrator, "POST", "/usergroups", {"name": making.name("Group")}),
    "directory.groups.update_group": lambda w: (w.administrator, "POST", w.group(), {"name": making.name("Group")}),
    "directory.groups.delete_group": lambda w: (w.administrator, "DELETE", _member(w)[2].partition("/users")[0], None),
    "directory.groups.add_member": lambda w: (w.administrator, "POST", f"{w.group()}/users", {"id": w.account().id}),
    "directory.groups.remove_member": _member,
    "directory.services.register_service": lambda w: (
        w.administrator,
        "POST",
        "/services",
        {"key": making.name(), "name": "New"},
    ),
    "directory.services.update_service": lambda w: (w.administrator, "POST", w.service(), {"name": "Other"}),
    "directory.services.delete_service": lambda w: (w.administrator, "DELETE", w.service(), None),
    "directory.services.renew_service_secret": lambda w: (w.administrator, "POST", f"{w.service()}/secret", {}),
    "directory.services.take_back_service_secret": lambda w: _secret_taken_back(
        w, "/services", {"key": making.name(), "name": "S"}
    ),
    "webhooks.webhooks.update_webhook": lambda w: (
        w.administrator,
        "POST",
        w.webhook(),
        {"url": "https://other.example.com/"},
    ),
    "webhooks.webhooks.renew_webhook_secret": lambda w: (
        w.administrator,
        "POST",
        f"{w.webhook()}/secret",
        {"grace": 60},
    ),
    "webhooks.webhooks.take_back_webhook_secret": lambda w: _secret_taken_back(w, "/webhooks", _webhook()),
}
# These change nothing of their own.
NOT_CHANGING = {
    "oauth.introspection.introspect",
    "tokens.permanent_tokens.compare_secret",
    "directory.services.compare_service_secret",
    "webhooks.webhooks.compare_webhook_secret",
    "tokens.policies.preview_group_policy",
    "tokens.policies.preview_service_policy",
    "login.login.begin_passkey_login",
    "oauth.trust_rules.try_out",
    "webhooks.webhooks.test_webhook",
}
# What strangers try has to leave its traces.
OF_STRANGERS = {"login.login.log_in", "tokens.leaks.report", "tokens.leaks.report_by_github"}


@pytest.fixture(scope="module")
def world(install: Install) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for product in install(monkeypatch):
            scene = set_scene(product)
            world = World(scene, person(scene))
            world.made("/users/build-bot/permanenttokens", {"name": "taken", "scope": KEYTURN_SCOPE})
            yield world


def stored() -> list[str]:
    return sorted(map(repr, tables.copy()))


def sent(act: Act, query: str = "", key: str | None = None) -> Answer:
    client, method, path, body = act
    headers = {**client._headers, **({"idempotency-key": key} if key else {})}
    if body is not None:
        headers["content-type"] = "application/json"
    return send(method, REST + path + query, headers, None if body is None else json.dumps(body))


def shown(answer: Answer) -> Any:
    return {name: value for name, value in answer.json.items() if name not in VOLATILE | SECRETS}


def test_nothing_is_left_out() -> None:
    views = {view for path, each in ROUTES.items() if path.startswith(ROOT) for m, view in each.items() if m != "GET"}
    assert views == ACTS.keys() | NOT_CHANGING | OF_STRANGERS
    for method_views in ROUTES.values():
        for method, view in method_views.items():
            taken = "dryRun" in openapi._contract(load("chalicelib.rest", view)).parameters(method)
            assert taken is (view in ACTS and method != "GET"), view


@pytest.mark.parametrize("view", ACTS)
def test_a_dry_run_answers_as_the_change_does_and_leaves_everything_as_it_was(world: World, view: str) -> None:
    act = ACTS[view](world)
    assert act[0].get("/users/me").status == 200  # when this credential was used is noted from here on
    before = stored()
    dry = sent(act, "?dryRun=true", "key-" + view)
    assert (dry.status, stored() == before) == (200, True), dry.text
    assert not SECRETS & dry.json.keys()
    done = sent(act, "?dryRun=false", "key-" + view)
    assert (done.status, stored() == before) == (200, False), done.text
    assert "idempotency-replayed" not in done.headers
    assert shown(dry) == shown(done)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/users", {"login": "build-bot", "name": "Taken"}, 409, "login"),
        ("/users", {"login": "new", "name": ""}, 400, "name"),
        ("/users/build-bot/permanenttokens", {"name": "taken", "scope": [{"key": "ci"}]}, 409, "name"),
        ("/users/build-bot/permanenttokens", {"name": "n", "scope": [{"key": "nowhere"}]}, 400, "scope"),
        ("/users/admin", {"banned": True}, 409, "banned"),
        ("/users/nobody", {"name": "N"}, 404, None),
        ("/services", {"key": "ci", "name": "Taken"}, 409, "key"),
        ("/users/admin/trustrules", _trust_rule(), 409, None),
    ],
)
def test_a_dry_run_is_refused_as_the_change_would_be(
    world: World, path: str, body: Any, status: int, field: str | None
) -> None:
    before = stored()
    act = world.administrator, "POST", path, body
    dry, real = sent(act, "?dryRun=true"), sent(act)
    assert (dry.status, dry.json.get("error_field")) == (status, field), dry.text
    assert dry.json == real.json
    assert stored() == before


@pytest.mark.parametrize(
    ("path", "body", "shape"),
    [("/users", {"login": "new", "name": "New"}, ACCOUNT), ("/usergroups", {"name": "new"}, LISTED_GROUP)],
)
def test_whatever_is_asked_of_what_would_be_made_is_answered(world: World, path: str, body: Any, shape: Shape) -> None:
    asked = "fields=" + ",".join(shape.fields)
    act = world.administrator, "POST", path, body
    dry, real = sent(act, f"?dryRun=true&{asked}"), sent(act, f"?{asked}")
    assert (dry.status, real.status) == (200, 200), dry.text
    assert body.items() <= dry.json.items()
    assert shown(dry).items() <= shown(real).items()
    assert not {"projectRoles", "users", "permanentTokens"} & dry.json.keys()  # nothing is there that could have them


def test_who_may_not_is_refused_and_what_would_be_more_is_noted(world: World) -> None:
    jo = world.session(world.somebody())
    assert jo.get("/users/me").status == 200
    tried = jo.post("/users/admin/permanenttokens", {"name": "x", "scope": KEYTURN_SCOPE}, dryRun="true")
    assert tried.status == 403
    me = jo.get("/users/me").json["id"]
    assert world.administrator.get("/audit", kind="escalation.refused", actor=me).json["audit"]


def test_what_was_done_with_a_key_is_answered_with_it(world: World) -> None:
    act = ACTS["tokens.permanent_tokens.create_token"](world)
    made = sent(act, key="once").json
    before = stored()
    again = sent(act, "?dryRun=true", "once")
    assert (again.status, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.json["name"] == made["name"]
    changed = (*act[:3], {**act[3], "name": "another"})
    assert sent(changed, "?dryRun=true", "once").status == 422
    assert stored() == before


def test_a_secret_that_is_brought_is_not_shown_either(world: World) -> None:
    act = ACTS["tokens.permanent_tokens.create_token"](world)
    supplied = (*act[:3], {**act[3], "secret": "a1B2c3D4e5F6g7H8i9J0" * 2 + "k1L"})
    before = stored()
    answer = sent(supplied, "?dryRun=true&fields=id,name,token,notice")
    assert answer.status == 200
    assert answer.json.keys() == {"name", "notice"}
    assert stored() == before


def test_what_has_no_dry_run_says_so(world: World) -> None:
    for path, value in (("/login", "true"), ("/users/me/trustruletrials", "true"), ("/users", "yes")):
        answer = world.administrator.post(path, {}, dryRun=value)
        assert (answer.status, answer.json["error_field"]) == (400, "dryRun")
    assert world.administrator.get("/users", dryRun="true").status == 400
