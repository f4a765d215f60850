"""The module `keyturn.hub.permanent_token`: in real plays where they matter, else by itself."""

import re
import time
from typing import Any

import pytest

from embedded.api import introspect
from embedded.playbook import environment
from embedded.stack import ADMINISTRATOR, Stack
from tests.collection.conftest import Play, bot, token
from tests.token_details import NAMES, examples


def is_good(stack: Stack, secret: str, service: str = "ci") -> bool:
    answer = introspect(stack.url, service, stack.secrets.read(f"service-{service}") or "", secret)
    return bool(answer["active"])


def test_a_token_is_created_once_and_its_secret_returned_once(play: Play, stack: Stack) -> None:
    run = play(bot("one"), token("one", "t", ["ci"]), token("one", "t", ["ci"]))
    assert run.changed == [True, True, False]
    assert is_good(stack, run.results[1]["secret"])
    assert "secret" not in run.results[2]
    assert run.results[1]["permanent_token"] == run.results[2]["permanent_token"]
    assert "token" not in run.results[1]["permanent_token"]


def test_another_scope_is_set_in_place(perform: Play, stack: Stack) -> None:
    run = perform(
        bot("two"),
        token("two", "t", ["ci"]),
        token("two", "t", ["deploy", "ci"]),
        token("two", "t", ["ci", "deploy"]),
        token("two", "t", ["Deployment service"]),
        arguments=("--diff",),
    )
    assert run.changed == [True, True, True, False, True]
    assert "secret" not in run.results[2]
    assert run.results[4]["permanent_token"]["id"] == run.results[1]["permanent_token"]["id"]
    assert is_good(stack, run.results[1]["secret"], "deploy")
    assert not is_good(stack, run.results[1]["secret"], "ci")
    assert [service["key"] for service in run.results[4]["diff"]["before"]["scope"]] == ["deploy", "ci"]
    assert [service["key"] for service in run.results[4]["diff"]["after"]["scope"]] == ["deploy"]


def test_absent_twice_is_fine_and_the_token_is_dead(perform: Play, stack: Stack) -> None:
    run = perform(
        bot("three"),
        token("three", "t", ["ci"]),
        token("three", "t", state="absent"),
        token("three", "t", state="absent"),
        token("nobody", "t", state="absent"),
    )
    assert run.changed == [True, True, True, False, False]
    assert not is_good(stack, run.results[1]["secret"])


def test_check_mode_tells_the_truth_and_changes_nothing(perform: Play, stack: Stack) -> None:
    tasks = [bot("four"), token("four", "t", ["ci"]), token("four", "gone", state="absent")]
    checked = perform(*tasks, arguments=("--check", "--diff"))
    assert checked.changed == [True, True, False]
    assert "secret" not in checked.results[1]
    assert checked.results[1]["diff"]["after"]["name"] == "t"
    assert stack.administrator().call("GET", "/users/four").status_code == 404

    done = perform(*tasks)
    assert done.changed == checked.changed
    after = done.results[1]["permanent_token"]
    assert {name: after[name] for name in ("name", "scope")} == checked.results[1]["permanent_token"]

    again = perform(*tasks, token("four", "t", ["deploy"]), token("four", "t", state="absent"), arguments=("--check",))
    assert again.changed == [False, False, False, True, True]
    assert is_good(stack, done.results[1]["secret"])


def ended(stack: Stack, login: str, name: str) -> dict[str, Any]:
    """A token whose end has come."""
    by = stack.administrator()
    body = {"name": name, "scope": [{"key": "ci"}], "labels": ["kept"], "expiresOn": int(time.time() * 1000) + 1_000}
    made: dict[str, Any] = by.post(f"/users/{login}/permanenttokens", body)
    while "expired" not in by.get(f"/users/{login}/permanenttokens/{made['id']}?fields=flags")["flags"]:
        time.sleep(0.1)
    return made


def test_a_token_that_has_ended_is_made_anew(perform: Play, stack: Stack) -> None:
    perform(bot("over"))
    old = ended(stack, "over", "t")
    task = token("over", "t", lifetime="90d", description="new", rotate_before="30d")
    checked = perform(task, arguments=("--check", "--diff"))
    assert checked.changed == [True]
    diff = checked.results[0]["diff"]
    assert (diff["before"]["secret"], diff["after"]["secret"]) == ("has ended", "of a new token")
    run = perform(task, task)
    assert run.changed == [True, False]
    made = run.results[0]["permanent_token"]
    assert made["id"] != old["id"]
    assert is_good(stack, run.results[0]["secret"])  # its scope is the one that it had
    by = stack.administrator()
    (there,) = by.get("/users/over/permanenttokens?fields=id,labels,description")["permanenttokens"]
    assert there == {"id": made["id"], "labels": ["kept"], "description": "new"}


def test_bots_make_it_anew_too_and_their_plan_says_so(perform: Play, stack: Stack) -> None:
    perform(bot("over-bots"))
    ended(stack, "over-bots", "t")
    wanted = [{"login": "over-bots", "name": "over-bots", "tokens": [{"name": "t", "scope": ["deploy"]}]}]
    task = {"keyturn.hub.bots": {"bots": wanted}}
    checked = perform(task, arguments=("--check",))
    assert any("token t" in line and "secret of a new token" in line for line in checked.results[0]["plan"])
    run = perform(task, task)
    assert run.changed == [True, False]
    (made,) = run.results[0]["tokens"]
    assert is_good(stack, made["secret"], "deploy")


def test_what_ended_as_declared_stays_so(perform: Play, stack: Stack) -> None:
    perform(bot("past"))
    made = ended(stack, "past", "t")
    run = perform(token("past", "t", ["ci"], expires_on="2026-01-01"), token("past", "t", state="absent"))
    assert run.changed == [False, True]
    assert run.results[0]["permanent_token"]["id"] == made["id"]
    assert "The token t ended as declared. Declare a later end for a new one." in str(run.results[0]["warnings"])


def test_a_secret_is_never_printed_and_every_item_of_a_loop_keeps_its_own(play: Play, stack: Stack) -> None:
    looped = token("five", "{{ item }}", ["ci"]) | {"loop": ["a", "b"]}
    run = play(bot("five"), looped, {"ansible.builtin.debug": {"msg": "after"}}, arguments=("-vvvv", "--diff"))
    secrets = [item["secret"] for item in run.results[1]["results"]]
    assert len(set(secrets)) == 2
    for secret in secrets:
        assert is_good(stack, secret)
        assert secret not in run.output
    assert "the output has been hidden" in run.output


def test_the_connection_comes_from_module_defaults_too(play: Play, stack: Stack) -> None:
    bare = environment(stack.url, "x")
    del bare["KEYTURN_URL"], bare["KEYTURN_TOKEN"]
    options = {"url": stack.url, "token": stack.secrets.read(ADMINISTRATOR)}
    run = play(
        bot("six"),
        token("six", "t", ["ci"]),
        environment=bare,
        module_defaults={"group/keyturn.hub.all": options},
        arguments=("-vvvv",),
    )
    assert run.changed == [True, True]
    assert options["token"] not in run.output


def test_errors_name_the_option_and_the_remedy(perform: Play, stack: Stack) -> None:
    run = perform(
        token("nobody", "t", ["ci"]),
        bot("seven"),
        token("seven", "t", ["nothing"]),
        token("seven", "t"),
        token("seven", "t", ["ci"], token="ktp_wrong"),
        token("seven", "t", ["ci"], url="http://127.0.0.1:1"),
        token("seven", "t", ["ci"], url=f"{stack.url}/nowhere"),
        token("seven", "\u202e", ["ci"]),
    )
    messages = [result.get("msg", "") for result in run.results]
    assert messages[0] == "Option user: there is no account nobody."
    assert messages[2] == "Option scope: there is no service nothing that this account may see."
    assert "scope" in messages[3]
    assert "Check the option token" in messages[4]
    assert "http://127.0.0.1:1/api/rest" in messages[5]
    assert "Check the options url" in messages[5]
    assert "Check the option url" in messages[6]
    assert messages[7].startswith("Option name: ")
    assert all(result.get("failed") for number, result in enumerate(run.results) if number != 1)


def test_it_speaks_hubs_contract_alone(perform: Play, stack: Stack) -> None:
    """Every request of both modules, as the server's log shows them, is in Hub's documentation."""
    log = stack.folder / "server.log"
    before = log.stat().st_size
    perform(bot("eight"), token("eight", "t", ["ci"]), token("eight", "t", state="absent"))
    asked = re.findall(r'"method":"([A-Z]+)","route":"/api/rest/([^"]+)"', log.read_bytes()[before:].decode())
    collections = ("users", "permanenttokens", "services")
    kinds = {" ".join([method, *(part for part in path.split("/") if part in collections)]) for method, path in asked}
    assert kinds <= {
        "GET users",
        "POST users",
        "GET users permanenttokens",
        "POST users permanenttokens",
        "DELETE users permanenttokens",
        "GET services",
    }
    assert len(kinds) == 6


SAID = {
    "description": " Builds the product. ",
    "contact": "#build",
    "labels": ["nightly", "team=build"],
    "networks": ["192.0.2.7", "2001:DB8::/32"],
}
KEPT = {
    "description": "Builds the product.",
    "contact": "#build",
    "labels": ["nightly", "team=build"],
    "networks": ["192.0.2.7/32", "2001:db8::/32"],
}


def test_what_is_said_of_a_token_is_declared_and_what_is_left_out_stays(perform: Play, stack: Stack) -> None:
    reordered = {**SAID, "labels": ["team=build", "nightly"], "networks": list(reversed(KEPT["networks"]))}
    emptied = {"description": "", "contact": "", "labels": [], "networks": []}
    tasks = [
        bot("said"),
        token("said", "t", ["ci"], **SAID),
        token("said", "t", ["ci"], **SAID),
        token("said", "t", ["ci"], **reordered),
        token("said", "t", ["ci"]),
        token("said", "t", ["ci"], labels=["daily"]),
        token("said", "t", ["ci"], **emptied),
        token("said", "t", ["ci"], **emptied),
    ]
    run = perform(*tasks)
    assert run.changed == [True, True, False, False, False, True, True, False]
    assert {name: run.results[1]["permanent_token"][name] for name in KEPT} == KEPT
    assert run.results[5]["permanent_token"]["labels"] == ["daily"]
    assert run.results[7]["permanent_token"]["labels"] == []
    assert run.results[7]["permanent_token"]["contact"] is None


@pytest.mark.parametrize("name", NAMES)
def test_each_detail_is_declared_changed_and_taken_away(perform: Play, stack: Stack, name: str) -> None:
    first, second = examples(name)
    values = [first, first, second, None, second[:0]]
    login = f"details-{name}"
    run = perform(bot(login), *(token(login, "t", ["ci"], **{name: value}) for value in values))
    assert run.changed[1:] == [True, False, True, False, True]
    told = [result["permanent_token"].get(name, "not told") for result in run.results[1:]]
    assert told == [first, first, second, "not told", [] if isinstance(first, list) else None]


def test_check_mode_says_what_applying_does_to_what_is_said(perform: Play, stack: Stack) -> None:
    perform(bot("foretold"), token("foretold", "old", ["ci"], labels=["a"]))
    tasks = [token("foretold", "new", ["ci"], **SAID), token("foretold", "old", ["ci"], labels=["b"], contact="")]
    checked, done = perform(*tasks, arguments=("--check",)), perform(*tasks)
    assert checked.changed == done.changed == [True, True]
    for foretold, happened in zip(checked.results, done.results, strict=True):
        told = foretold["permanent_token"]
        assert told == {name: happened["permanent_token"][name] for name in told}


def test_a_wrong_label_names_the_option(perform: Play) -> None:
    run = perform(bot("wrong"), token("wrong", "t", ["ci"], labels=["not ok"]))
    assert run.results[1]["failed"]
    assert "Option labels: labels[0]: " in run.results[1]["msg"]
