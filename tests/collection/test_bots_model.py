"""Many bots at once: from any state to any state, as foretold, once, and whatever is lost or dies in between."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded.stack import ADMINISTRATOR, Stack
from tests.budgets import budget
from tests.collection.faults import Died, Fault, Line, arguments, client_on, is_current, runs_that_take_no_time

from ansible_collections.keyturn.hub.plugins.module_utils import accounts, bots, groups  # isort: skip

NUMBERS = itertools.count()
SECRETS = ["Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB", "8sVtPk2LdZx0YbQn5WmRc7HfJg3TuEa1oKi9XwMzNqB"]
TOKENS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["a", "b", "c"]),
            "scope": st.lists(st.sampled_from(["ci", "deploy"]), min_size=1, max_size=2),
        },
        optional={
            "description": st.sampled_from(["", "for a test"]),
            "labels": st.lists(st.sampled_from(["x", "y=z"]), max_size=2),
            "rotate_when": st.sampled_from(["one", "two"]),
        },
    ),
    max_size=3,
    unique_by=lambda token: token["name"],
)
UNLIMITED = {"max_removals": "100%", "allow_empty": True}
BOTS = st.lists(
    st.fixed_dictionaries(
        {"login": st.sampled_from(["p", "q", "r"]), "name": st.sampled_from(["One", "Two"]), "tokens": TOKENS},
        optional={
            "banned": st.booleans(),
            "groups": st.lists(st.sampled_from(["bots model"]), max_size=1),
            "roles": st.lists(st.just({"role": "system-admin"}), max_size=1),
        },
    ),
    max_size=3,
    unique_by=lambda bot: bot["login"],
)
MANY = settings(
    max_examples=budget(gate=3, long=30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def world(stack: Stack) -> tuple[Line, Any]:
    """A line to a server."""
    line = Line(stack.url)
    client = client_on(line, stack.url, stack.secrets.read(ADMINISTRATOR) or "")
    groups.ensure(client, arguments(groups.ARGUMENTS, name="bots model"), False)
    return line, client


@pytest.fixture
def owners(world: tuple[Line, Any]) -> Any:
    """Owners of their own, whose logins begin like those of their bots."""

    def make() -> str:
        login = f"owner-{next(NUMBERS)}"
        accounts.ensure(world[1], arguments(accounts.ARGUMENTS, login=login, name=login), False)
        return login

    return make


def state(owner: str, wanted: list[dict[str, Any]], purge: bool = True) -> dict[str, Any]:
    """The task's arguments; of an owner, everything else goes."""
    named = [{**bot, "login": f"{owner}-{bot['login']}"} for bot in wanted]
    boundary = {"owner": owner, "label": f"of={owner}"}
    return arguments(bots.ARGUMENTS, bots=named, boundary=boundary, purge=purge, parallel=4, **UNLIMITED)


def there(client: Any, owner: str) -> dict[str, Any]:
    """What the server has, in the form of what is declared."""
    fields = "login,name,permanentTokens(id,name,scope(key),labels)"
    found = client.get_all("users", "users", query=f"owner: {owner}", fields=fields)
    return {
        bot["login"].removeprefix(f"{owner}-"): {
            "name": bot["name"],
            "tokens": {
                token["name"]: {
                    "scope": sorted(service["key"] for service in token["scope"]),
                    "labels": sorted(label for label in token["labels"] if not label.startswith("keyturn.hub/")),
                }
                for token in bot["permanentTokens"]
            },
        }
        for bot in found
    }


def agrees(owner: str, found: dict[str, Any], wanted: list[dict[str, Any]]) -> bool:
    """Whether the server has what is declared, and nothing else; labels only where they are."""
    if found.keys() != {bot["login"] for bot in wanted}:
        return False
    for bot in wanted:
        has = found[bot["login"]]
        if has["name"] != bot["name"] or has["tokens"].keys() != {token["name"] for token in bot["tokens"]}:
            return False
        for token in bot["tokens"]:
            held = has["tokens"][token["name"]]
            if held["scope"] != sorted(set(token["scope"])) or f"of={owner}" not in held["labels"]:
                return False
            if "labels" in token and held["labels"] != sorted({*token["labels"], f"of={owner}"}):
                return False
    return True


@MANY
@given(first=BOTS, second=BOTS)
def test_from_any_state_to_any_state_as_foretold_and_once(
    world: tuple[Line, Any], owners: Any, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    line, client = world
    owner = owners()
    for wanted in (first, second):
        parameters = state(owner, wanted)
        line.begin()
        foretold = bots.ensure(client, parameters, True)
        assert line.changes == 0
        happened = bots.ensure(client, parameters, False)
        assert not happened.get("failed"), happened
        assert foretold["plan"] == happened["plan"]
        assert foretold["changed"] is happened["changed"] is bool(line.changes)
        assert agrees(owner, there(client, owner), wanted)
        line.begin()
        again = bots.ensure(client, parameters, False)
        assert again["plan"] == []
        assert not again["changed"]
        assert line.changes == 0


FAULTS = st.lists(
    st.dictionaries(st.integers(0, 30), st.sampled_from(Fault), min_size=1, max_size=4), min_size=1, max_size=3
)


@MANY
@given(first=BOTS, second=BOTS, faults=FAULTS)
def test_whatever_is_lost_or_dies_another_run_mends_and_every_secret_is_handed_over(
    world: tuple[Line, Any],
    owners: Any,
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
    faults: list[dict[int, Fault]],
) -> None:
    line, client = world
    owner = owners()
    held: dict[tuple[str, str], str] = {}

    def run(parameters: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = bots.ensure(client, parameters, False)
        if not result.get("failed"):
            held.update({(told["user"], told["name"]): told["secret"] for told in result["tokens"]})
        return result

    line.begin()
    line.died_handing_over = False
    parameters = state(owner, second)
    with runs_that_take_no_time():
        run(state(owner, first))
        for each in faults:
            line.begin(each)
            try:
                run(parameters)
            except Died:
                continue
        line.begin()
        assert not run(parameters).get("failed")
    assert agrees(owner, there(client, owner), second)
    assert not bots.ensure(client, parameters, True)["changed"]
    if line.died_handing_over:
        return  # the last act of a run: from outside, it cannot be told from one that lives
    for bot in client.get_all("users", "users", query=f"owner: {owner}", fields="login,permanentTokens(id,name)"):
        for token in bot["permanentTokens"]:
            assert is_current(client, bot["login"], token["id"], held[bot["login"], token["name"]])


def test_a_secret_that_is_declared_is_there_after_every_run(world: tuple[Line, Any], owners: Any) -> None:
    line, client = world
    owner = owners()
    line.begin()
    for secret in (SECRETS[0], SECRETS[0], SECRETS[1]):
        tokens = [{"name": "a", "scope": ["ci"], "secret": secret, "grace": "0"}]
        made = bots.ensure(client, state(owner, [{"login": "p", "name": "P", "tokens": tokens}]), False)
        ids = made["tokens"][0]["token_ids"]
        assert client.set({"secret": secret}, "users", ids["user"], "permanenttokens", ids["token"], "comparison")[
            "current"
        ]


def test_nothing_is_changed_unless_all_of_it_can_be_planned(world: tuple[Line, Any], owners: Any) -> None:
    line, client = world
    owner = owners()
    wanted = [
        {"login": "p", "name": "P", "tokens": []},
        {"login": "q", "name": "Q", "tokens": [{"name": "a", "scope": ["nothing"]}]},
        {"login": "r", "tokens": []},
    ]
    line.begin()
    refused = bots.ensure(client, state(owner, wanted), False)
    assert refused["failed"]
    assert line.changes == 0
    assert [failure.partition(": ")[0] for failure in refused["failures"]] == [f"{owner}-q", f"{owner}-r"]
    assert "option scope: there is no service nothing" in refused["msg"]
    assert "option name: is required" in refused["msg"]


def test_what_acts_is_never_removed(world: tuple[Line, Any], stack: Stack, owners: Any) -> None:
    line, client = world
    owner = owners()
    line.begin()
    bot = {"login": "p", "name": "P", "roles": [{"role": "system-admin"}]}
    token = {"name": "acts", "scope": ["keyturn"]}
    made = bots.ensure(client, state(owner, [{**bot, "tokens": [token]}]), False)
    acting = client_on(line, stack.url, made["tokens"][0]["secret"])
    for wanted in ([], [{**bot, "tokens": []}]):
        with pytest.raises(bots.RequestRefused, match="acts is inside the boundary"):
            bots.ensure(acting, state(owner, wanted), False)
    assert agrees(owner, there(client, owner), [{**bot, "tokens": [token]}])


@pytest.mark.parametrize("boundary", ["owner", "label"])
def test_a_bot_that_says_nothing_of_tokens_keeps_them(world: tuple[Line, Any], owners: Any, boundary: str) -> None:
    line, client = world
    owner = owners()
    line.begin()
    bot = {"login": "p", "name": "P"}
    bots.ensure(client, state(owner, [{**bot, "tokens": [{"name": "a", "scope": ["ci"]}]}]), False)
    silent = state(owner, [bot])
    silent["boundary"] = {"owner": None, "label": None, boundary: silent["boundary"][boundary]}
    assert bots.ensure(client, silent, True)["plan"] == []
    assert bots.ensure(client, {**silent, "bots": state(owner, [{**bot, "tokens": []}])["bots"]}, True)["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"purge": True, "bots": []}, "needs a boundary"),
        ({"purge": True, "bots": [], "boundary": {"label": "x"}}, "is required with purge"),
        ({"bots": [{"login": "a"}, {"login": "A"}]}, "a is declared more than once"),
        ({"bots": [{"login": "a", "tokens": [{"name": "t"}, {"name": " t "}]}]}, "declares the token t more than once"),
        ({"bots": [{"login": "a", "owner": "x"}], "boundary": {"owner": "y"}}, "outside the boundary of y"),
        ({"bots": [], "boundary": {"owner": "nobody-here"}}, "there is no account nobody-here"),
    ],
)
def test_what_makes_no_sense_is_refused(world: tuple[Line, Any], options: dict[str, Any], message: str) -> None:
    world[0].begin()
    with pytest.raises(bots.RequestRefused, match=message):
        bots.ensure(world[1], arguments(bots.ARGUMENTS, **options), False)
    assert world[0].changes == 0


def test_more_bots_than_a_page_holds_are_read_and_made(world: tuple[Line, Any], owners: Any) -> None:
    line, client = world
    owner = owners()
    line.begin()
    many = [{"login": str(number), "name": "Many", "tokens": []} for number in range(130)]
    assert len(bots.ensure(client, state(owner, many), False)["plan"]) == 130
    assert not bots.ensure(client, state(owner, many), True)["changed"]
    assert len(bots.ensure(client, state(owner, many[:10]), True)["plan"]) == 120
