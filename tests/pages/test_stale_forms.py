"""A form never puts back what was changed since it was shown, and never touches what it does not show.

In memory, by requests: what a page shows is in the form that it answers with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch

import pytest
from joserfc.jwk import ECKey

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import (
    READ_GROUP,
    READ_ROLE,
    READ_SERVICE,
    READ_USER,
    UPDATE_ROLE,
    UPDATE_SERVICE,
)
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.rules import Operation
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.common import optimistic_retry
from chalicelib.core.common.paging import Page
from chalicelib.core.common.paging import Window as Paging
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from chalicelib.core.oauth.manage_trust_rules import RuleChange, RuleDescription
from chalicelib.core.oauth.trust_rules import TrustRule
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.webhooks.manage import WebhookChange
from chalicelib.pages.directory import groups as group_pages
from chalicelib.pages.directory import services as service_pages
from chalicelib.pages.frame import editing
from chalicelib.pages.oauth.trust_rule_templates import TEMPLATES
from chalicelib.pages.routes import ROUTES
from tests.conftest import ADDRESS, Install, Scene, set_scene
from tests.oauth.calling import call
from tests.people import Person, person
from tests.rest.calling import Answer

CHANGED = "This was changed in the meantime. Reload it and try again."


class Fields(HTMLParser):
    """All that a browser sends of the last form of a page, as it was shown; buttons apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self._area = self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.values = []
        if tag == "input" and given.get("name") and (given.get("type") != "checkbox" or "checked" in given):
            self.values.append((str(given["name"]), given.get("value") or ""))
        if tag == "textarea":
            self._area = str(given["name"])
        if tag == "select":
            self._select = str(given["name"])
        if tag == "option" and "selected" in given:
            self.values.append((self._select, given.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values.append((self._area, data.removeprefix("\n")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""


@dataclass
class Window:
    """A browser without scripts, in which somebody is logged in."""

    cookie: str

    def get(self, path: str) -> list[tuple[str, str]]:
        """The form that this page shows."""
        answer = self._call("GET", path)
        assert answer.status == 200, answer.text
        return Fields(answer.text).values

    def send(self, path: str, form: list[tuple[str, str]], **other: str | list[str]) -> Answer:
        """The form, with some fields filled in otherwise."""
        kept = [pair for pair in form if pair[0] not in other]
        values: dict[str, list[str]] = {}
        for name, text in kept:
            values.setdefault(name, []).append(text)
        for name, given in other.items():
            values[name] = [given] if isinstance(given, str) else given
        return self._call("POST", path, values)

    def _call(self, method: str, path: str, form: dict[str, Any] | None = None) -> Answer:
        headers = {"cookie": self.cookie, "origin": ADDRESS}
        return call(method, path, headers, form, _route(path))


def _route(address: str) -> tuple[str, dict[str, str]]:
    fitting, path = [], address.partition("?")[0]
    for route in ROUTES:
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route), path)
        if found:
            fitting.append((route.count("{"), route, found.groupdict()))
    return min(fitting, key=lambda each: each[0])[1:]


@pytest.fixture
def product(install_in_memory: Install, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    yield from install_in_memory(monkeypatch)


@pytest.fixture
def scene(product: Keyturn) -> Scene:
    scene = set_scene(product)
    by = scene.caller()
    product.groups.create(by, GroupDescription("readers"))
    product.groups.create(by, GroupDescription("outer"))
    product.services.update(
        by,
        "ci",
        ServiceDescription(
            trusted=True,
            redirect_uris=["https://evil.example/"],
            groups=[product.groups.get(by, "readers").id],
            permissions=[PermissionDeclaration("run", "Run")],
        ),
    )
    product.roles.create(by, "worker", "Worker", [f"{scene.ci.service.id}:run", READ_USER])
    product.lifecycle.webhooks.create(by, "ops", "https://evil.example/", [])
    person(scene, "victim")
    return scene


def window_of(who: Person) -> Window:
    return Window(f"__Host-keyturn={who.attempt().secret}")


@pytest.fixture
def administrator(scene: Scene) -> Window:
    boss = person(scene, "boss")
    scene.product.roles.grant(scene.caller(), boss.user.id, SYSTEM_ADMIN)
    return window_of(boss)


def with_role(scene: Scene, scope_id: str, *permissions: str) -> Window:
    """The window of somebody with these permissions there."""
    who, by = person(scene, "keeper"), scene.caller()
    scene.product.roles.create(by, "keeper", "Keeper", list(permissions))
    scene.product.roles.grant(by, who.user.id, "keeper", scope_id)
    return window_of(who)


def victim(scene: Scene) -> Any:
    return scene.product.accounts.find(scene.caller(), "victim", Operation.READ_USER)


def trust_rule(scene: Scene) -> TrustRule:
    """The one of the bot."""
    rules = scene.product.oauth.trust_rules
    for owned in rules.page(scene.caller(), scene.bot.id, Paging()).items:
        return owned.rule
    described = RuleDescription("own", "https://ci.example.com", "keyturn", {"sub": ["repo:acme/shop:main"]}, ["ci"])
    return rules.create(scene.caller(), scene.bot.id, described).rule


@dataclass(frozen=True)
class Case:
    """Where a form is, what somebody else changes meanwhile, and what is then there, and has to stay."""

    path: Callable[[Scene], str]
    meanwhile: Callable[[Scene, Caller], object]
    there: Callable[[Scene, Caller], object]
    form: Callable[[list[tuple[str, str]]], dict[str, str]] = lambda form: {}


def ci_path(scene: Scene, rest: str) -> str:
    return f"/services/{scene.ci.service.id}/{rest}"


def group_path(scene: Scene, rest: str) -> str:
    return f"/groups/{scene.product.groups.get(scene.caller(), 'readers').id}/{rest}"


def webhook_id(scene: Scene) -> str:
    return scene.product.lifecycle.webhooks.all(scene.caller())[0].id


CASES = {
    "a service": Case(
        lambda scene: ci_path(scene, "edit"),
        lambda scene, by: scene.product.services.update(
            by, "ci", ServiceDescription(trusted=False, redirect_uris=["https://ci.example/"])
        ),
        lambda scene, by: scene.product.services.get(by, "ci"),
        lambda form: {"name": "New name"},
    ),
    "a group": Case(
        lambda scene: group_path(scene, "edit"),
        lambda scene, by: scene.product.groups.update(by, "readers", GroupDescription(requires_two_factor=True)),
        lambda scene, by: scene.product.groups.get(by, "readers"),
        lambda form: {"name": "readers"},
    ),
    "a role": Case(
        lambda scene: f"/roles/{scene.product.roles.get(scene.caller(), 'worker').id}/edit",
        lambda scene, by: scene.product.roles.update(by, "worker", None, None, [READ_USER]),
        lambda scene, by: scene.product.roles.get(by, "worker"),
        lambda form: {"name": "New name"},
    ),
    "an account": Case(
        lambda scene: f"/users/{victim(scene).id}/edit",
        lambda scene, by: scene.product.accounts.update(by, "victim", AccountChange(email="safe@example.com")),
        lambda scene, by: victim(scene),
        lambda form: {"name": "New name"},
    ),
    "a token": Case(
        lambda scene: f"/users/{scene.bot.id}/security/tokens/{scene.token.token.id}/edit",
        lambda scene, by: scene.product.permanent_tokens.update(
            by, scene.bot.id, scene.token.token.id, None, ["deploy"]
        ),
        lambda scene, by: scene.product.permanent_tokens.get(by, scene.bot.id, scene.token.token.id),
        lambda form: {"name": "New name"},
    ),
    "a webhook": Case(
        lambda scene: f"/webhooks/{webhook_id(scene)}/edit",
        lambda scene, by: scene.product.lifecycle.webhooks.update(
            by, webhook_id(scene), WebhookChange(url="https://safe.example/", kinds=[EventKind.LEAKED])
        ),
        lambda scene, by: scene.product.lifecycle.webhooks.get(by, webhook_id(scene)),
        lambda form: {"name": "New name"},
    ),
    "a trust rule": Case(
        lambda scene: f"/users/{scene.bot.id}/security/trust-rules/{trust_rule(scene).id}/edit",
        lambda scene, by: scene.product.oauth.trust_rules.update(
            by, scene.bot.id, trust_rule(scene).id, RuleChange(conditions={"sub": ["repo:acme/less:main"]})
        ),
        lambda scene, by: trust_rule(scene),
        lambda form: {"name": "New name"},
    ),
    "a service's policy": Case(
        lambda scene: ci_path(scene, "policy"),
        lambda scene, by: scene.product.lifecycle.policies.set_for_service(by, "ci", Policy(longest_life_days=1)),
        lambda scene, by: scene.product.services.get(by, "ci"),
        lambda form: {"longestLifeDays": "300", "step": "confirm"},
    ),
    "a group's policy": Case(
        lambda scene: group_path(scene, "policy"),
        lambda scene, by: scene.product.lifecycle.policies.set_for_group(by, "readers", Policy(longest_life_days=1)),
        lambda scene, by: scene.product.groups.get(by, "readers"),
        lambda form: {"longestLifeDays": "300", "step": "confirm"},
    ),
    "no policy": Case(
        lambda scene: ci_path(scene, "policy"),
        lambda scene, by: scene.product.lifecycle.policies.set_for_service(by, "ci", Policy(longest_life_days=1)),
        lambda scene, by: scene.product.services.get(by, "ci"),
        lambda form: {"step": "remove"},
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_what_was_changed_meanwhile_stays(scene: Scene, administrator: Window, what: str) -> None:
    case, by = CASES[what], scene.caller()
    form = administrator.get(case.path(scene))
    case.meanwhile(scene, by)
    now = case.there(scene, by)
    answer = administrator.send(case.path(scene), form, **case.form(form))
    assert (answer.status, CHANGED in answer.text) == (409, True)
    assert case.there(scene, by) == now
    # What is shown again is what is there now, and can be sent.
    again = Fields(answer.text).values
    assert again == administrator.get(case.path(scene))
    assert administrator.send(case.path(scene), again, **case.form(again)).status in (200, 303)


@pytest.mark.parametrize("what", CASES)
def test_nothing_is_written_either_if_it_changes_while_the_form_is_looked_at(
    scene: Scene, administrator: Window, what: str
) -> None:
    """Between the look at what is there, and the write."""
    case, by = CASES[what], scene.caller()
    form = administrator.get(case.path(scene))
    real, seen = editing.require_version, []

    def overtaken(*asked: Any) -> None:
        real(*asked)
        case.meanwhile(scene, by)
        seen.append(case.there(scene, by))

    with patch.object(editing, "require_version", overtaken):
        answer = administrator.send(case.path(scene), form, **case.form(form))
    assert (answer.status, CHANGED in answer.text) == (409, True)
    assert [case.there(scene, by)] == seen


@pytest.mark.parametrize("what", CASES)
def test_a_form_that_does_not_say_what_it_showed_changes_nothing(
    scene: Scene, administrator: Window, what: str
) -> None:
    case, by = CASES[what], scene.caller()
    form, before = administrator.get(case.path(scene)), case.there(scene, by)
    sent = [pair for pair in form if pair[0] != "version"]
    assert administrator.send(case.path(scene), sent, **case.form(form)).status == 409
    assert case.there(scene, by) == before


def test_a_use_of_a_token_is_no_change_of_what_its_form_shows(scene: Scene, administrator: Window) -> None:
    case = CASES["a token"]
    form = administrator.get(case.path(scene))
    assert scene.is_good(scene.token.secret)
    assert administrator.send(case.path(scene), form, name="New name").status == 303


@pytest.mark.parametrize("often", [1, 20])
def test_a_ban_is_done_however_often_something_else_is_changed_meanwhile(
    scene: Scene, administrator: Window, often: int
) -> None:
    """Only another ban, or its end, makes the form another one."""
    account, path = victim(scene), f"/users/{victim(scene).id}/ban"
    form, real, left = administrator.get(path), editing.require_version, iter(range(often))

    def overtaken(*asked: Any) -> None:
        real(*asked)
        if (number := next(left, None)) is not None:
            scene.product.accounts.update(scene.caller(), account.id, AccountChange(name=f"Renamed {number}"))

    with (
        patch.object(editing, "require_version", overtaken),
        patch.object(optimistic_retry, "pause", lambda seconds: None),
    ):
        assert administrator.send(path, form, banReason="leaked").status == 303
    assert next(left, None) is None
    assert victim(scene).banned


def test_a_ban_that_is_sent_twice_stays_a_ban(scene: Scene, administrator: Window) -> None:
    path = f"/users/{victim(scene).id}/ban"
    form = administrator.get(path)
    for _ in range(2):
        assert administrator.send(path, form, banReason="leaked").status == 303
        assert (victim(scene).banned, victim(scene).ban_reason) == (True, "leaked")


def test_a_ban_that_somebody_else_was_faster_with_stays_theirs(scene: Scene, administrator: Window) -> None:
    path = f"/users/{victim(scene).id}/ban"
    form = administrator.get(path)
    scene.product.accounts.update(scene.caller(), "victim", AccountChange(banned=True, ban_reason="stolen"))
    administrator.send(path, form, banReason="leaked")
    assert (victim(scene).banned, victim(scene).ban_reason) == (True, "stolen")


def test_the_end_of_a_ban_is_not_the_end_of_another(scene: Scene, administrator: Window) -> None:
    path, accounts, by = f"/users/{victim(scene).id}/ban", scene.product.accounts, scene.caller()
    accounts.update(by, "victim", AccountChange(banned=True, ban_reason="holidays"))
    form = administrator.get(path)
    accounts.update(by, "victim", AccountChange(banned=False))
    accounts.update(by, "victim", AccountChange(banned=True, ban_reason="stolen"))
    answer = administrator.send(path, form)
    assert (answer.status, CHANGED in answer.text, victim(scene).banned) == (409, True, True)
    assert administrator.send(path, Fields(answer.text).values).status == 303
    assert not victim(scene).banned


@pytest.mark.parametrize("wanted", ["", "other"])
def test_a_form_that_does_not_say_what_it_wants_bans_nobody_and_frees_nobody(
    scene: Scene, administrator: Window, wanted: str
) -> None:
    path = f"/users/{victim(scene).id}/ban"
    for banned in (False, True):
        scene.product.accounts.update(scene.caller(), "victim", AccountChange(banned=banned))
        assert administrator.send(path, administrator.get(path), wanted=wanted).status == 400
        assert victim(scene).banned is banned


def test_who_may_read_no_group_leaves_those_of_a_service(scene: Scene) -> None:
    keeper = with_role(scene, "ci", READ_SERVICE, UPDATE_SERVICE)
    path, before = ci_path(scene, "edit"), scene.product.services.get(scene.caller(), "ci")
    scene.product.services.update(scene.caller(), "ci", ServiceDescription(trusted=False))
    assert keeper.send(path, keeper.get(path), name="New name").status == 303
    after = scene.product.services.get(scene.caller(), "ci")
    assert (after.name, after.groups) == ("New name", before.groups)


def test_a_form_takes_away_no_group_that_its_editor_came_to_see_since(scene: Scene) -> None:
    keeper = with_role(scene, "ci", READ_SERVICE, UPDATE_SERVICE)
    path, by = ci_path(scene, "edit"), scene.caller()
    scene.product.services.update(by, "ci", ServiceDescription(trusted=False))
    form, before = keeper.get(path), scene.product.services.get(by, "ci").groups
    see_more(scene, READ_GROUP)
    answer = keeper.send(path, form, name="New name")
    assert (answer.status, CHANGED in answer.text) == (409, True)
    assert keeper.send(path, Fields(answer.text).values, name="New name").status == 303
    assert scene.product.services.get(by, "ci").groups == before != ()


def test_a_form_takes_away_no_permission_that_its_editor_came_to_see_since(scene: Scene) -> None:
    keeper = with_role(scene, "0", READ_ROLE, UPDATE_ROLE, READ_USER)
    by = scene.caller()
    worker = scene.product.roles.get(by, "worker")
    path = f"/roles/{worker.id}/edit"
    form = keeper.get(path)
    see_more(scene, READ_SERVICE, f"{scene.ci.service.id}:run")
    answer = keeper.send(path, form, name="New name")
    assert (answer.status, CHANGED in answer.text) == (409, True)
    assert keeper.send(path, Fields(answer.text).values, name="New name").status == 303
    assert scene.product.roles.get(by, "worker").permissions == worker.permissions


def seen_late(reads: int, real: Callable[..., Any], nothing: Any) -> Callable[..., Any]:
    """What finds nothing for so many reads, and then what there is."""
    left = iter(range(reads))
    return lambda *asked: nothing if next(left, None) is not None else real(*asked)


@pytest.mark.parametrize("reads", range(8))
def test_a_form_takes_away_nothing_that_comes_into_sight_while_it_is_made_or_looked_at(
    scene: Scene, administrator: Window, reads: int
) -> None:
    """After so many reads, also where the form was refused and is shown again."""
    product, by = scene.product, scene.caller()
    role, service = product.roles.get(by, "worker"), product.services.get(by, "ci")
    for kind, path, what, nothing in (
        (type(product.services), f"/roles/{role.id}/edit", "permissions", []),
        (type(product.groups), ci_path(scene, "edit"), "page", Page([], 0)),
    ):
        with patch.object(kind, what, seen_late(reads, getattr(kind, what), nothing)):
            form = administrator.get(path)
            refused = administrator.send(path, form, name="x" * 1000)
            assert refused.status in (400, 409)
            administrator.send(path, Fields(refused.text).values, name="New name")
    assert product.roles.get(by, "worker").permissions == role.permissions
    assert product.services.get(by, "ci").groups == service.groups != ()


def test_a_form_that_is_refused_vouches_for_no_more_than_it_has_shown(scene: Scene, administrator: Window) -> None:
    """What somebody changes after the refusal, and before the form is shown again, stays."""
    path, by = ci_path(scene, "edit"), scene.caller()
    form, real = administrator.get(path), service_pages.unless_refused

    def overtaken(do: Callable[[], Any], again: Callable[[Any], Any]) -> Any:
        def meanwhile(problem: Any) -> Any:
            scene.product.services.update(by, "ci", ServiceDescription(redirect_uris=["https://ci.example/"]))
            return again(problem)

        return real(do, meanwhile)

    with patch.object(editing, "unless_refused", overtaken):
        refused = administrator.send(path, form, name="x" * 1000)
    answer = administrator.send(path, Fields(refused.text).values, name="New name")
    assert (refused.status, answer.status, CHANGED in answer.text) == (400, 409, True)
    assert scene.product.services.get(by, "ci").redirect_uris == ("https://ci.example/",)


def see_more(scene: Scene, *permissions: str) -> None:
    """The keeper gets these permissions everywhere."""
    by = scene.caller()
    scene.product.roles.create(by, "seer", "Seer", list(permissions))
    scene.product.roles.grant(by, scene.product.accounts.find(by, "keeper", Operation.READ_USER).id, "seer", "0")


def test_groups_that_are_too_many_to_offer_stay(scene: Scene, administrator: Window) -> None:
    product, by, path = scene.product, scene.caller(), ci_path(scene, "edit")
    readers, outer = (product.groups.get(by, name).id for name in ("readers", "outer"))
    few = type(service_pages.OFFERED)(0, 1)  # by name: "outer" alone
    with patch.object(service_pages, "OFFERED", few):
        form = administrator.get(path)
        assert administrator.send(path, form, groups=[outer]).status == 303
    assert set(product.services.get(by, "ci").groups) == {readers, outer}


def test_a_group_stays_inside_of_one_that_is_not_offered(scene: Scene, administrator: Window) -> None:
    product, by = scene.product, scene.caller()
    product.groups.create(by, GroupDescription("inner", parent="readers"))
    inner = product.groups.get(by, "inner")
    with patch.object(group_pages, "OFFERED", type(group_pages.OFFERED)(0, 1)):
        path = f"/groups/{inner.id}/edit"
        assert administrator.send(path, administrator.get(path), name="innermost").status == 303
    assert product.groups.get(by, "innermost").parent_id == inner.parent_id


def test_permissions_of_hidden_services_stay_in_a_role(scene: Scene) -> None:
    hidden = f"{scene.ci.service.id}:run"  # which the keeper has, without seeing the service
    keeper = with_role(scene, "0", READ_ROLE, UPDATE_ROLE, READ_USER, READ_GROUP, hidden)
    role = scene.product.roles.get(scene.caller(), "worker")
    path = f"/roles/{role.id}/edit"
    form = keeper.get(path)
    assert ("permissions", hidden) not in form
    assert keeper.send(path, form, permissions=[READ_USER, READ_GROUP]).status == 303
    assert scene.product.roles.get(scene.caller(), "worker").permissions == role.permissions | {READ_GROUP}


def test_every_form_that_changes_what_is_there_is_tried_here(scene: Scene) -> None:
    routes = {route for route in ROUTES if route.endswith(("/edit", "/policy"))}
    assert routes == {_route(case.path(scene))[0] for case in CASES.values()}


ISSUER = "https://ci.example.com"


def test_a_trust_rule_is_made_changed_and_deleted_by_its_forms(scene: Scene, administrator: Window) -> None:
    tab = f"/users/{scene.bot.id}/security"
    new = f"{tab}/trust-rules/new"
    filled = {"name": "shop", "issuer": ISSUER, "conditions": "sub: repo:acme/*\nref:main\nref: next"}
    refused = administrator.send(new, administrator.get(new), **filled, scope=[scene.ci.service.id], keys="nonsense")
    assert (refused.status, "JSON Web Key Set" in refused.text) == (400, True)
    assert administrator.send(new, Fields(refused.text).values, keys="").status == 303
    made = trust_rule(scene)
    assert made.conditions == {"sub": ("repo:acme/*",), "ref": ("main", "next")}
    assert (made.scope, made.keys, made.lasting) == ((scene.ci.service.id,), (), False)

    edit = f"{tab}/trust-rules/{made.id}/edit"
    assert administrator.send(edit, administrator.get(edit)).status == 303
    assert trust_rule(scene) == made  # as it was shown, it is as it was
    key = ECKey.generate_key("P-256", {"kid": "k"}).as_dict(private=False)
    assert (
        administrator.send(edit, administrator.get(edit), keys=json.dumps({"keys": [key]}), lasting="1").status == 303
    )
    changed = trust_rule(scene)
    assert (changed.keys, changed.lasting, changed.conditions) == ((key,), True, made.conditions)
    assert administrator.send(edit, administrator.get(edit)).status == 303
    assert trust_rule(scene) == changed
    for wrong, told in (("sub", "one per line"), ("ref: main", "identify whose token it is")):
        answer = administrator.send(edit, administrator.get(edit), conditions=wrong)
        assert (answer.status, told in answer.text) == (400, True)
    delete = f"{tab}/trust-rules/{made.id}/delete"
    assert administrator.send(delete, administrator.get(delete)).status == 303
    assert trust_rule(scene).id != made.id


@pytest.mark.parametrize("platform", TEMPLATES)
def test_a_trust_rule_begins_with_what_a_platform_says_and_is_made_when_it_is_filled_in(
    scene: Scene, administrator: Window, platform: str
) -> None:
    new = f"/users/{scene.bot.id}/security/trust-rules/new?platform={platform}"
    begun = administrator.get(new)
    shown = dict(begun)
    assert (shown["issuer"], "<" in shown["issuer"] + shown["conditions"]) == (TEMPLATES[platform].issuer, True)
    filled = {name: re.sub("<[^>]*>", "123456789012", shown[name]) for name in ("issuer", "conditions")}
    named: dict[str, Any] = {"name": platform, "scope": [scene.ci.service.id]}
    for left in ({}, {"issuer": filled["issuer"]}):
        answer = administrator.send(new, begun, **{**named, **left})
        assert (answer.status, "Still has the placeholder &lt;" in answer.text) == (400, True)
    assert administrator.send(new, begun, **named, **filled).status == 303
    made = trust_rule(scene)
    assert (made.name, made.issuer, made.problem) == (platform, filled["issuer"], None)


def test_a_trust_rule_of_no_platform_begins_empty(scene: Scene, administrator: Window) -> None:
    for query in ("", "?platform=", "?platform=nowhere"):
        shown = dict(administrator.get(f"/users/{scene.bot.id}/security/trust-rules/new{query}"))
        assert (shown["issuer"], shown["conditions"]) == ("", "")
