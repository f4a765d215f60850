"""Every declaring module: what check mode says happens, it happens once, and what dies in between is mended."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded.stack import ADMINISTRATOR, Stack
from tests.budgets import budget
from tests.collection import faults
from tests.collection.faults import Died, Fault, Line, arguments, client_on, without_ids

from ansible_collections.keyturn.hub.plugins.module_utils import (  # isort: skip
    accounts,
    application_passwords,
    groups,
    marks,
    policies,
    roles,
    services,
    tokens,
    trust_rules,
    webhooks,
)

NUMBERS = itertools.count()
NAMES = st.sampled_from(["One", " Two ", "Zwo\u0308"])
SECRETS = ["Fw7Yq2LkRz9TbVx4NsMd0PcJh6GeUa3KoBi8XtWnQ1Z", "Hc5Xm8PvTj2RzNy7KqSd1WbLg4EfUo0AiMt9VkBnGx3"]
STATES = st.sampled_from(["present", "present", "present", "absent"])
SCOPES = st.lists(st.sampled_from(["ci", "deploy", "keyturn"]), min_size=1, max_size=4)
ROLES = st.lists(
    st.sampled_from([{"role": "system-admin"}, {"role": "system-admin", "service": "ci"}]), max_size=2, unique_by=str
)

# RFC 7517 appendix A.1, and a member that the server does not keep.
PUBLIC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "x5t": "of its certificate",
}


def optional(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=options)


def present(required: dict[str, st.SearchStrategy[Any]], **options: st.SearchStrategy[Any]) -> Any:
    return st.fixed_dictionaries({**required, "state": STATES}, optional=options)


KINDS: dict[str, tuple[Any, Any]] = {
    "user": (
        accounts,
        present(
            {"name": NAMES, "type": st.just("bot")},
            banned=st.booleans(),
            ban_reason=st.just("a test"),
            description=st.sampled_from(["", "for a test"]),
            email=st.sampled_from(["", "it@example.com"]),
            owner=st.sampled_from(["", "admin"]),
            groups=st.lists(st.sampled_from(["model a", "model b"]), max_size=3),
            roles=ROLES,
        ),
    ),
    "group": (
        groups,
        present(
            {},
            required_two_factor=st.booleans(),
            parent=st.sampled_from(["", "model a", "model b"]),
            members=st.lists(st.sampled_from(["model-bot", "admin"]), max_size=3),
            roles=ROLES,
        ),
    ),
    "role": (
        roles,
        present(
            {
                "name": NAMES,
                "permissions": st.lists(
                    st.sampled_from(["0-0-0-0-0:read-user", "0-0-0-0-0:read-self", "0-0-0-0-0:read-role"]),
                    min_size=1,
                    max_size=4,
                ),
            }
        ),
    ),
    "service": (
        services,
        present(
            {"name": NAMES},
            vendor=st.just("Us"),
            home_url=st.just("https://it.example.com"),
            base_urls=st.lists(st.sampled_from(["https://a.example.com", "https://b.example.com"]), max_size=3),
            grant_types=st.lists(st.sampled_from(services.GRANT_TYPES), min_size=1, max_size=3),
            trusted=st.booleans(),
            secret=st.sampled_from(SECRETS),
            grace=st.sampled_from(["0", "1h"]),
            default_roles=st.lists(st.sampled_from(["system-admin", "registered-user"]), max_size=2),
            visible_to=st.lists(st.sampled_from(["model a", "model b"]), max_size=3),
            permissions=st.lists(
                st.sampled_from([{"key": "run"}, {"key": "run", "name": "Run"}, {"key": "stop"}]),
                max_size=2,
                unique_by=lambda each: each["key"],
            ),
        ),
    ),
    "permanent_token": (
        tokens,
        present(
            {"scope": SCOPES, "user": st.just("model-bot")},
            description=st.sampled_from(["", " for a test "]),
            contact=st.sampled_from(["", "#it"]),
            labels=st.lists(st.sampled_from(["a", "b", "c=d"]), max_size=4),
            networks=st.lists(st.sampled_from(["0.0.0.0/0", "192.0.2.1", "2001:DB8::/32"]), max_size=3),
            expires_on=st.sampled_from(["never", "2029-01-01", "2030-01-01T00:00:00Z"]),
            rotate_when=st.sampled_from(["a", ["b"], {"c": 1}]),
        ),
    ),
    "policy": (
        policies,
        present(
            {"service": st.just("deploy")},
            longest_life_days=st.integers(1, 99),
            rotation_due_days=st.integers(1, 99),
            unused_days=st.integers(1, 99),
            unused=st.sampled_from(policies.CONSEQUENCES["unused"]),
            reused=st.sampled_from(policies.CONSEQUENCES["reused"]),
            leaked=st.sampled_from(policies.CONSEQUENCES["leaked"]),
        ),
    ),
    "trust_rule": (
        trust_rules,
        present(
            {
                "user": st.just("model-bot"),
                "issuer": st.sampled_from(["https://a.example.com", "https://b.example.com/x"]),
                "audience": st.just("keyturn"),
                "conditions": st.sampled_from([{"sub": "a"}, {"sub": ["a", "b"]}, {"sub": ["b", "a"], "ref": "main"}]),
                "scope": SCOPES,
            },
            keys=st.sampled_from([[], [PUBLIC_KEY]]),
            lasting=st.booleans(),
        ),
    ),
    "webhook": (
        webhooks,
        present(
            {"address": st.sampled_from(["https://a.example.com/", "https://b.example.com/x"])},
            events=st.lists(st.sampled_from(webhooks.EVENTS), max_size=3),
            secret=st.just("whsec_Zk3uP1sVh9QyT7rXcB0aLwN5mEoGdJ2fK8iR4tU6xYM="),
            grace=st.sampled_from(["0", "1h"]),
        ),
    ),
}
IDENTITY = {
    "user": "login",
    "group": "name",
    "role": "key",
    "service": "key",
    "permanent_token": "name",
    "trust_rule": "name",
    "webhook": "name",
}
MANY = settings(
    max_examples=budget(gate=2, long=20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def world(stack: Stack) -> tuple[Line, Any]:
    """A line to a server that has what the modules refer to."""
    line = Line(stack.url)
    client = client_on(line, stack.url, stack.secrets.read(ADMINISTRATOR) or "")
    for name in ("model a", "model b"):
        groups.ensure(client, arguments(groups.ARGUMENTS, name=name), False)
    accounts.ensure(client, arguments(accounts.ARGUMENTS, login="model-bot", name="Bot", type="bot"), False)
    return line, client


def task(kind: str, identity: str, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a task about one thing."""
    module, _ = KINDS[kind]
    own = {IDENTITY[kind]: identity} if kind in IDENTITY else {}
    return arguments(module.ARGUMENTS, **own, **options)


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(data=st.data())
def test_check_mode_foretells_what_happens_and_it_happens_once(
    kind: str, world: tuple[Line, Any], data: st.DataObject
) -> None:
    module, options = KINDS[kind]
    line, client = world
    identity = f"model-{next(NUMBERS)}"
    for stage in ("what there is", "what there is to be"):
        parameters = task(kind, identity, data.draw(options, label=stage))
        line.begin()
        foretold = module.ensure(client, parameters, True)
        assert line.changes == 0
        happened = module.ensure(client, parameters, False)
        assert bool(line.changes) is happened["changed"] is foretold["changed"]
        assert without_ids(foretold["diff"]) == without_ids(happened["diff"])
        assert without_ids(foretold.get(kind)) == without_ids(happened.get(kind))
        for check_mode in (True, False):
            line.begin()
            again = module.ensure(client, parameters, check_mode)
            assert not again["changed"], again["diff"]
            assert line.changes == 0
            assert again.get(kind) == happened.get(kind)
    _make_room(kind, client, parameters)


@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(data=st.data())
def test_whatever_is_lost_or_dies_another_run_mends(kind: str, world: tuple[Line, Any], data: st.DataObject) -> None:
    module, options = KINDS[kind]
    line, client = world
    identity = f"model-{next(NUMBERS)}"
    line.begin()
    module.ensure(client, task(kind, identity, data.draw(options, label="what there is")), False)
    parameters = task(kind, identity, data.draw(options, label="what there is to be"))
    ends = st.dictionaries(st.integers(0, 9), st.sampled_from(Fault), max_size=3)
    handed_over = None
    with faults.runs_that_take_no_time():
        for _ in range(3):
            line.begin(data.draw(ends, label="faults"))
            try:
                handed_over = module.ensure(client, parameters, False).get("secret") or handed_over
            except Died:
                continue
        line.begin()
        last = module.ensure(client, parameters, False)
        assert not module.ensure(client, parameters, True)["changed"]
        if kind == "service" and parameters["state"] == "present" and parameters["secret"] is not None:
            assert client.set({"secret": parameters["secret"]}, "services", identity, "secret", "comparison")["current"]
        _make_room(kind, client, parameters)
        if kind == "permanent_token" and parameters["state"] == "present":
            _somebody_has_the_secret(client, last.get("secret") or handed_over, last["permanent_token"])


def _make_room(kind: str, client: Any, parameters: dict[str, Any]) -> None:
    """There may be few webhooks."""
    if kind == "webhook":
        webhooks.ensure(client, dict(parameters, state="absent"), False)


def _somebody_has_the_secret(client: Any, secret: str | None, token: dict[str, Any]) -> None:
    """If any of these runs made the secret, one of them returned it."""
    made = client.get("users", "model-bot", "permanenttokens", token["id"], fields="id,labels")
    assert not marks.of(made["labels"])
    if secret:
        assert faults.is_current(client, "model-bot", token["id"], secret)


@pytest.mark.parametrize("state", ["present", "rotated"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED])
def test_an_answer_that_is_lost_costs_nothing(world: tuple[Line, Any], state: str, fault: Fault) -> None:
    """Each request that changes something in turn: the secret is made here, so one token with one new secret comes of
    it."""
    line, client = world
    for request in range(3, 6):
        name = f"lost-{next(NUMBERS)}"
        parameters = arguments(tokens.ARGUMENTS, user="model-bot", name=name, scope=["ci"], grace="1h", state=state)
        line.begin()
        if state == "rotated":
            tokens.ensure(client, dict(parameters, state="present"), False)
        line.begin({request: fault})
        made = tokens.ensure(client, parameters, False)
        line.begin()
        held = client.get_all("permanenttokens", "users", "model-bot", "permanenttokens", fields="id,name")
        held = [token for token in held if token["name"] == name]
        assert [token["id"] for token in held] == [made["permanent_token"]["id"]]
        _somebody_has_the_secret(client, made["secret"], made["permanent_token"])
        token = client.get("users", "model-bot", "permanenttokens", held[-1]["id"], fields="id,secrets(endsOn)")
        assert len(token["secrets"]) == (2 if state == "rotated" else 1)


@pytest.mark.parametrize("renew", [False, True])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED])
def test_an_answer_about_a_service_that_is_lost_costs_nothing(
    world: tuple[Line, Any], renew: bool, fault: Fault
) -> None:
    """Its secret is made here as well, so that it is renewed once, and the one before goes on for a day."""
    line, client = world
    key = f"lost-{next(NUMBERS)}"
    parameters = arguments(services.ARGUMENTS, key=key, name=key)
    line.begin()
    if renew:
        services.ensure(client, parameters, False)
    line.begin({2: fault})
    result = services.ensure(client, dict(parameters, renew_secret=renew), False)
    line.begin()
    middle = result["secret"][len("kts_") + 12 : -6]
    assert client.set({"secret": middle}, "services", key, "secret", "comparison")["current"]
    service = client.get("services", key, fields="id,secrets(endsOn)")
    assert service["id"] == result["service"]["id"]
    assert len(service["secrets"]) == (2 if renew else 1)
    for secret in service["secrets"][:-1]:
        assert 23 * 3600 < secret["endsOn"] / 1000 - time.time() < 25 * 3600


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED])
def test_an_application_password_whose_answer_is_lost_is_made_anew_and_is_the_only_one(
    stack: Stack, second_factor_token: str, fault: Fault
) -> None:
    line, name = Line(stack.url), f"lost-{next(NUMBERS)}"
    client = client_on(line, stack.url, second_factor_token)
    line.begin({2: fault})
    made = application_passwords.ensure(client, arguments(application_passwords.ARGUMENTS, name=name), False)
    line.begin()
    held = client.get_all("applicationpasswords", "users", "me", "applicationpasswords", fields="id,name")
    assert [each["id"] for each in held if each["name"] == name] == [made["application_password"]["id"]]
    assert made["secret"]
