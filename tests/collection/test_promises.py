"""What the collection promises, in plays as operators run them: each of these failed before it was mended."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import ansible
import pytest

from chalicelib.core.tokens.event import EventKind
from embedded import playbook
from embedded.api import introspect
from embedded.playbook import environment
from embedded.stack import ADMINISTRATOR, Stack
from tests.budgets import only_long
from tests.collection import environments
from tests.collection.conftest import Play, bot, token, user
from tests.collection.performing import returned, returned_at_once

HOSTS = 8


def messages(run: Any) -> list[str]:
    return [result.get("msg", "") for result in run.results]


def is_good(stack: Stack, secret: str, service: str = "ci") -> bool:
    return bool(introspect(stack.url, service, stack.secrets.read(f"service-{service}") or "", secret)["active"])


def tokens_of(stack: Stack, login: str, fields: str = "id,name,labels,rotationTime,secrets(endsOn)") -> list[Any]:
    found: list[Any] = stack.administrator().get(f"/users/{login}/permanenttokens?fields={fields}")["permanenttokens"]
    return found


# Nothing is printed or written.


@pytest.mark.parametrize("poll", [0, 5])
def test_async_is_refused_before_anything_is_written(play: Play, stack: Stack, tmp_path: Path, poll: int) -> None:
    login = f"async-{poll}"
    stack.administrator().post("/users", {"login": login, "name": login, "type": "bot"})
    variables = environment(
        stack.url, stack.secrets.read(ADMINISTRATOR) or "", {"ANSIBLE_ASYNC_DIR": str(tmp_path / "async")}
    )
    run = play(token(login, "t", ["ci"]) | {"async": 60, "poll": poll}, environment=variables, arguments=("-v",))
    assert run.results[0]["failed"]
    assert "async is refused" in run.results[0]["msg"]
    assert tokens_of(stack, login) == []
    assert not (tmp_path / "async").exists()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"ANSIBLE_KEEP_REMOTE_FILES": "true"}, "ANSIBLE_KEEP_REMOTE_FILES is refused"),
        ({"ANSIBLE_DEBUG": "true"}, "ANSIBLE_DEBUG is refused"),
        ({"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true"}, "ANSIBLE_DISPLAY_ARGS_TO_STDOUT is refused"),
    ],
)
def test_settings_that_would_print_or_keep_secrets_are_refused(
    play: Play, stack: Stack, more: dict[str, str], why: str
) -> None:
    acting = stack.secrets.read(ADMINISTRATOR) or ""
    run = play(
        {
            "keyturn.hub.user": {
                "login": "kept",
                "name": "Kept",
                "type": "bot",
                "token": "{{ lookup('env', 'KEYTURN_TOKEN') }}",
            }
        },
        environment=environment(stack.url, acting, more),
        strategy="free",
    )
    assert why in messages(run)[0]
    assert acting not in run.output
    assert stack.administrator().call("GET", "/users/kept").status_code == 404


def test_a_line_end_behind_the_token_does_no_harm_and_no_failure_tells_a_token(play: Play, stack: Stack) -> None:
    acting = stack.secrets.read(ADMINISTRATOR) or ""
    tasks = [
        bot("lined"),
        user("lined", token=f"{acting}\n"),
        user("lined", token=f"{acting}\nmore"),
        user("lined", token=f"{acting[:30]}\u0119{acting[30:]}"),
        {"keyturn.hub.current_token_info": {"token": f" {acting}\r\n"}},
        {"ansible.builtin.set_fact": {"it": "{{ lookup('keyturn.hub.access_token', 'keyturn', token=lined) }}"}},
        {
            "ansible.builtin.set_fact": {
                "it": "{{ lookup('keyturn.hub.access_token', 'keyturn', token=lined ~ 'x y') }}"
            }
        },
    ]
    run = play(*tasks, environment=environment(stack.url, acting + "\n"), vars={"lined": acting + "\n"})
    assert [bool(result.get("failed")) for result in run.results] == [False, False, True, True, False, False, True]
    for failed in (2, 3):
        assert messages(run)[failed] == "Option token: is empty, or holds characters that no token has."
    for part in (acting, acting[30:], acting[:30]):
        assert part not in run.output


def test_what_a_module_does_not_know_is_told_without_what_it_says(perform: Play, monkeypatch: Any) -> None:
    from ansible_collections.keyturn.hub.plugins.module_utils import accounts

    def fails(*_: object) -> None:
        raise ValueError("Invalid header value b'Bearer ktp_secret'")

    monkeypatch.setattr(accounts, "ensure", fails)
    result = perform(user("x")).results[0]
    assert re.match(r"An error that this module does not know: ValueError in \w+\.py, line \d+", result["msg"])
    assert "ktp_secret" not in str(result)


def test_a_file_of_bots_that_is_no_yaml_is_not_quoted(play: Play, tmp_path: Path) -> None:
    source = tmp_path / "bots.yml"
    source.write_text("- login: x\n  tokens:\n    - {name: t, secret: Qm3Tz8KpW1xVb6Ns\n  : [\n")
    run = play({"keyturn.hub.bots": {"src": str(source)}}, arguments=("-vvvv",))
    assert "is no valid YAML" in messages(run)[0]
    assert "Qm3Tz8KpW1xVb6Ns" not in run.output


SECRETS = ["Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB", "8sVtPk2LdZx0YbQn5WmRc7HfJg3TuEa1oKi9XwMzNqB"]


def test_a_loop_tells_which_is_which_and_no_item_with_a_secret(play: Play, stack: Stack) -> None:
    items = [{"name": "one", "secret": SECRETS[0]}, {"name": "two", "secret": SECRETS[1]}]
    looped = {"loop": "{{ these }}", "register": "r1", "ignore_errors": True}
    fails = token("looped", "{{ item.name }}", ["nothing"], secret="{{ item.secret }}")
    run = play(
        bot("looped"),
        token("looped", "{{ item.name }}", ["ci"], secret="{{ item.secret }}") | looped,
        fails | {**looped, "register": "r2"},
        arguments=("-v",),
        vars={"these": items},
    )
    assert [result["changed"] for result in run.results[1]["results"]] == [True, True]
    assert "changed: looped / one" in run.output
    assert "changed: looped / two" in run.output
    assert "looped / two: Option scope: there is no service nothing" in run.output
    for secret in SECRETS:
        assert secret not in run.output


# Nothing is lost.


RULE = {
    "user": "trusted",
    "name": "GitHub",
    "issuer": "https://token.actions.githubusercontent.com",
    "audience": "keyturn",
    "conditions": {"repository": "acme/shop"},
    "scope": ["ci"],
}


def test_a_rule_with_a_mistake_leaves_the_one_that_works(perform: Play, stack: Stack) -> None:
    def rule(**changed: Any) -> dict[str, Any]:
        return {"keyturn.hub.trust_rule": {**RULE, **changed}}

    run = perform(bot("trusted"), rule(), rule(conditions={"ref": "main"}), rule(issuer="http://x"))
    assert [bool(result.get("failed")) for result in run.results] == [False, False, True, True]
    left = stack.administrator().get("/users/trusted/trustrules?fields=id,conditions")["trustrules"]
    assert [each["conditions"] for each in left] == [{"repository": ["acme/shop"]}]
    assert left[0]["id"] == run.results[1]["trust_rule"]["id"]


def test_a_rotation_that_is_refused_leaves_nothing_behind(perform: Play, stack: Stack) -> None:
    run = perform(
        bot("refused"),
        token("refused", "t", ["ci"]),
        token("refused", "t", state="rotated", grace="a while"),
        token("refused", "t", state="rotated", grace="100d"),
        token("refused", "t", ["ci"]),
    )
    assert [bool(result.get("failed")) for result in run.results] == [False, False, True, True, False]
    assert not run.results[4]["changed"]
    assert tokens_of(stack, "refused")[0]["labels"] == []
    assert is_good(stack, run.results[1]["secret"])


def ended(stack: Stack, login: str, name: str) -> None:
    """Make a token that ends at once."""
    body = {"name": name, "scope": [{"key": "ci"}], "networks": ["192.0.2.0/24"], "labels": ["nightly"]}
    end = int(time.time() * 1000) + 1_500
    stack.administrator().post(f"/users/{login}/permanenttokens", {**body, "expiresOn": end})
    time.sleep(1.6)


def test_a_token_that_has_ended_is_none(perform: Play, stack: Stack) -> None:
    perform(bot("lapsed"))
    ended(stack, "lapsed", "t")
    run = perform(
        token("lapsed", "t", ["ci"], expires_on="2020-01-01"),
        token("lapsed", "t", lifetime="90d"),
        token("lapsed", "t", lifetime="90d"),
    )
    assert run.changed == [False, True, False]
    assert "The token t ended as declared." in str(run.results[0]["warnings"])
    (made,) = tokens_of(stack, "lapsed", "id,scope(key),networks,labels,endsOn")
    assert made["id"] == run.results[1]["permanent_token"]["id"]
    assert made["networks"] == ["192.0.2.0/24"]
    assert made["labels"] == ["nightly"]
    assert run.results[1]["secret"].startswith("ktp_")


# Names are compared as the server does.


def test_a_name_as_yaml_writes_it_is_the_same_name(perform: Play, stack: Stack) -> None:
    composed, decomposed = "M\u00fcnchen", "Mu\u0308nchen"
    group = "keyturn.hub.group"
    run = perform(
        {group: {"name": f"{decomposed}\n"}},
        {group: {"name": composed.upper()}},
        bot("named\n", groups=[f"{composed.lower()}\n"]),
        user("Named", groups=[decomposed]),
        token("named\n", f"{decomposed}\n", ["CI\n".lower()]),
        token("NAMED", composed, ["ci"]),
        {"keyturn.hub.group_info": {"name": f"{decomposed.upper()}\n"}},
        {"keyturn.hub.permanent_token_info": {"user": "named", "name": f"{decomposed}\n"}},
        {"keyturn.hub.bots": {"bots": [{"login": "NAMED\n", "tokens": [{"name": f"{decomposed} "}]}]}},
        {"keyturn.hub.policy": {"group": f"{decomposed}\n", "unused_days": 9}},
        {"keyturn.hub.policy": {"group": composed.lower(), "unused_days": 9}},
        {"keyturn.hub.trust_rule": {**RULE, "user": "named", "name": decomposed}},
        {"keyturn.hub.trust_rule": {**RULE, "user": "named", "name": f"{composed}\n"}},
    )
    assert run.changed == [
        *(True, False, True, False, True, False, False, False, False),
        *(True, False, True, False),
    ]
    assert [each["name"] for each in run.results[6]["groups"]] == [composed]
    assert len(run.results[7]["permanent_tokens"]) == 1


def test_declared_secrets_of_many_bots_come_back_whole_whatever_their_names_look_like(play: Play) -> None:
    tokens = [{"name": "zwo\u0308lf\n", "scope": ["ci"], "secret": SECRETS[0] + "\n"}]
    run = play({"keyturn.hub.bots": {"bots": [{"login": "Whole\n", "name": "Whole", "tokens": tokens}]}})
    assert not run.results[0].get("failed"), messages(run)
    assert SECRETS[0] in run.results[0]["tokens"][0]["secret"]


# Many at once.


def at_once(stack: Stack, module: str, options: dict[str, Any]) -> list[dict[str, Any]]:
    """What the same task returns on many hosts that begin it at the same moment."""
    given = {"url": stack.url, "token": stack.secrets.read(ADMINISTRATOR), "_ansible_check_mode": False, **options}
    return returned_at_once(HOSTS, module, given)


MODULES = playbook.collections() / "ansible_collections/keyturn/hub/plugins/modules"
WITH_SECRETS = {"service", "webhook", "application_password", "permanent_token", "bots"}
PERMISSIONS = ["0-0-0-0-0:read-user"]
TASKS: dict[str, dict[str, Any]] = {
    "user": {"login": "crowd-user", "name": "Crowd", "type": "bot", "groups": ["crowd"], "roles": []},
    "group": {"name": "Crowded", "members": ["crowd"]},
    "role": {"key": "crowd-role", "name": "Crowd", "permissions": PERMISSIONS},
    "service": {"key": "crowd-service", "name": "Crowd"},
    "policy": {"group": "crowd", "unused_days": 9},
    "trust_rule": {**RULE, "user": "crowd", "name": "crowd"},
    "webhook": {"name": "Crowd", "address": "https://hooks.example.com/"},
    "application_password": {"name": "crowd"},
    "permanent_token": {"user": "crowd", "name": "made", "scope": ["ci"]},
    "bots": {"bots": [{"login": "crowd-bot", "name": "Crowd", "tokens": [{"name": "t", "scope": ["ci"]}]}]},
}


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> None:
    api = stack.administrator()
    api.post("/users", {"login": "crowd", "name": "Crowd", "type": "bot"})
    api.post("/usergroups", {"name": "crowd"})


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("module", TASKS)
def test_on_many_hosts_at_once_one_makes_it_and_none_fails(stack: Stack, second_factor_token: str, module: str) -> None:
    owns = second_factor_token if module == "application_password" else stack.secrets.read(ADMINISTRATOR)
    task = {"token": owns, **TASKS[module]}
    results = at_once(stack, module, task)
    assert [each["msg"] for each in results if each.get("failed")] == []
    made = [each for each in results if each.get("secret") or each.get("tokens")]
    if module in WITH_SECRETS:
        (secret,) = [each.get("secret") or each["tokens"][0]["secret"] for each in made]
        assert module not in ("permanent_token", "bots") or is_good(stack, secret)
    assert returned(module, {"url": stack.url, **task})["changed"] is False


def test_every_module_that_declares_runs_on_many_hosts_at_once() -> None:
    declaring = {path.stem for path in MODULES.glob("*.py") if not path.stem.endswith("_info")}
    assert declaring == set(TASKS)


@pytest.mark.usefixtures("crowd")
def test_a_secret_that_many_hosts_find_due_at_once_is_renewed_once(perform: Play, stack: Stack) -> None:
    task = {"user": "crowd", "name": "due", "scope": ["ci"]}
    first = perform(token("crowd", "due", ["ci"], rotate_when="before")).results[0]["secret"]
    results = at_once(stack, "permanent_token", {**task, "rotate_when": "after"})
    assert [each["msg"] for each in results if each.get("failed")] == []
    (renewed,) = [each["secret"] for each in results if each.get("secret")]
    (held,) = [each for each in tokens_of(stack, "crowd") if each["name"] == "due"]
    assert len(held["secrets"]) == 2
    assert not [label for label in held["labels"] if "undelivered" in label]
    assert is_good(stack, first)
    assert is_good(stack, renewed)


def test_what_a_run_that_is_under_way_is_about_to_hand_over_is_left_alone(perform: Play, stack: Stack) -> None:
    from ansible_collections.keyturn.hub.plugins.module_utils import marks

    perform(bot("beside"), token("beside", "t", ["ci"]))
    (there,) = tokens_of(stack, "beside", "id,creationTime")
    path = f"/users/beside/permanenttokens/{there['id']}"
    now = int(time.time() * 1000)
    alive = marks.new(now)
    stack.administrator().post(path, {"labels": [alive]})
    run = perform(token("beside", "t", ["ci"]), token("beside", "t", ["ci"], description="said"))
    assert run.changed == [False, True]
    assert "Another run has made the secret" in str(run.results[0]["warnings"])
    assert tokens_of(stack, "beside")[0]["labels"] == [alive]

    dead = marks.new(now - 1_000_000)
    stack.administrator().post(path, {"labels": [dead]})
    run = perform(token("beside", "t", ["ci"]), token("beside", "t", ["ci"]))
    assert run.changed == [True, False]
    assert is_good(stack, run.results[0]["secret"])
    assert tokens_of(stack, "beside")[0]["labels"] == []


# What makes no sense is said, before anything is changed.


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (user(""), "Option login: must not be empty."),
        (user("\n"), "Option login: must not be empty."),
        (token("", "t", ["ci"]), "Option user: must not be empty."),
        ({"keyturn.hub.group": {"name": " "}}, "Option name: must not be empty."),
        ({"keyturn.hub.role": {"key": "", "state": "absent"}}, "Option key: must not be empty."),
        ({"keyturn.hub.group": {"name": "g", "members": [""]}}, "Option members: must not hold an empty login."),
        ({"keyturn.hub.user_info": {"login": ""}}, "a login, id or key is empty."),
        ({"keyturn.hub.bots": {"bots": [{"login": ""}]}}, "Option bots: bots[0].login must not be empty."),
        (user("x", url="tokens.example.com"), "Option url: must be an address such as https://"),
        (user("x", url="https://a:b"), "Option url: must be an address such as https://"),
        (user("x", ca_path="/nowhere/ca.pem"), "Option ca_path: the file /nowhere/ca.pem cannot be read: No such file"),
        (user("x", client_cert="/nowhere/c.pem"), "Option client_cert: the file /nowhere/c.pem cannot be read"),
        (user("x", timeout=0), "Option timeout: must be 1 at least."),
    ],
)
def test_what_makes_no_sense_names_its_option(perform: Play, task: dict[str, Any], message: str) -> None:
    result = perform(task).results[0]
    assert result["failed"]
    assert result["msg"].startswith(message)


def test_the_path_of_the_api_does_no_harm(perform: Play, stack: Stack) -> None:
    run = perform(bot("pathed", url=f"{stack.url}/api/rest/"), bot("pathed", url=f" {stack.url}/\n"))
    assert run.changed == [True, False]


def test_a_webhook_can_be_told_of_all_that_there_is_to_tell() -> None:
    from ansible_collections.keyturn.hub.plugins.module_utils import webhooks

    assert [kind.value for kind in EventKind] == webhooks.EVENTS


def test_no_policy_of_a_service_that_is_not_there_is_as_it_should_be(perform: Play) -> None:
    policy = "keyturn.hub.policy"
    run = perform({policy: {"service": "missing", "state": "absent"}}, {policy: {"group": "no", "state": "absent"}})
    assert run.changed == [False, False]


def test_the_order_of_what_a_secret_depends_on_is_no_change(perform: Play) -> None:
    def told(team: list[str]) -> dict[str, Any]:
        return token("teamed", "t", ["ci"], rotate_when={"team": team})

    run = perform(bot("teamed"), told(["jo", "al"]), told(["al", "jo"]), told(["al"]))
    assert run.changed == [True, True, False, True]


def test_a_purge_removes_no_more_than_it_may(perform: Play, stack: Stack) -> None:
    def purge(*logins: str, **options: Any) -> dict[str, Any]:
        declared = [{"login": login, "name": login, "tokens": []} for login in logins]
        return {"keyturn.hub.bots": {"bots": declared, "boundary": {"owner": "owns"}, "purge": True, **options}}

    few = [f"owned-{number}" for number in range(4)]
    run = perform(
        user("owns", name="Owner"),
        purge(*few, max_removals="0"),
        purge(*few[:2]),
        purge(max_removals="100%"),
        purge(*few[:2], max_removals="1"),
        purge(*few[:2], max_removals="40%"),
        purge(*few[:2], max_removals="2"),
        purge(max_removals="100%", allow_empty=True),
    )
    assert [bool(result.get("failed")) for result in run.results] == [*(False, False), *(True,) * 4, False, False]
    assert messages(run)[2].startswith("Option max_removals: is required with purge")
    assert messages(run)[3].startswith("Option bots: nothing is declared")
    assert messages(run)[4].startswith("Option max_removals: 2 of 4 bots and tokens would be removed")
    assert stack.administrator().call("GET", "/users/owned-0").status_code == 404


# What is supported.


@pytest.mark.parametrize("version", ["3.8", *(pytest.param(version, marks=only_long) for version in ("3.9", "3.10"))])
def test_a_target_with_an_older_python_runs_every_kind_of_module(
    play: Play, stack: Stack, tmp_path: Path, version: str
) -> None:
    python = environments.interpreters().get(version)
    if not python:
        pytest.skip(f"this machine has no Python {version}")
    login = f"old-{version.replace('.', '')}"
    file = tmp_path / "token"
    role = {
        "ansible.builtin.include_role": {"name": "keyturn.hub.rotate"},
        "vars": {"rotate_user": login, "rotate_name": "t", "rotate_file": str(file)},
    }
    declared = [{"login": login, "tokens": [{"name": "t", "scope": ["ci"], "expires_on": "2030-01-31T12:00:00Z"}]}]
    run = play(
        bot(login),
        token(login, "t", ["ci"], expires_on="2030-01-31T12:00:00Z", max_age="30d"),
        {"keyturn.hub.bots": {"bots": declared}},
        {"keyturn.hub.token_health_info": {}},
        {"block": [role]},
        arguments=("--extra-vars", f"ansible_python_interpreter={python}"),
    )
    assert run.changed == [True, True, False, False]
    assert is_good(stack, file.read_text().strip())


def test_every_module_is_imported_by_every_python_of_this_machine() -> None:
    modules = sorted((playbook.collections() / "ansible_collections/keyturn/hub/plugins").glob("module*/*.py"))
    names = [f"ansible_collections.keyturn.hub.plugins.{path.parent.name}.{path.stem}" for path in modules]
    library = Path(ansible.__file__).parent.parent
    program = f"import sys; sys.path.insert(0, {str(playbook.collections())!r})\n" + "\n".join(
        f"import {name}" for name in names
    )
    for version, python in environments.interpreters().items():
        # Of the controller's packages, a target has what Ansible sends along.
        program_of = f"import sys; sys.path.append({str(library)!r})\n{program}"
        finished = subprocess.run([python, "-c", program_of], capture_output=True, text=True, env={"PATH": os.defpath})
        assert finished.returncode == 0, (version, finished.stderr[-2_000:])
