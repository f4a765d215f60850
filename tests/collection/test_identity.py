"""Plays that have no token at all: they act by the identity of their job, for as long as they run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from embedded import playbook
from embedded.api import Api
from embedded.main_job import register_services
from embedded.stack import ADMINISTRATOR, Stack
from tests.budgets import only_long
from tests.collection.conftest import Play
from tests.collection.identities import SUBJECT, Observer, Platform
from tests.collection.watching import Files, Watched, core, syslog, watch  # noqa: F401 - fixtures
from tests.conftest import NewStack

BOT = "playbooks"
VARIABLE = "JOB_TOKEN"
IDENTITY = {"source": "variable", "variable": VARIABLE, "account": BOT, "audience": "keyturn"}
ALL = "group/keyturn.hub.all"
MANY = 5_000  # bots
BUSY = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
SOON = 60  # seconds, on a machine under load


@pytest.fixture(scope="module")
def rule() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def platform(stack: Stack, rule: dict[str, Any]) -> Platform:
    platform = Platform()
    rule.update(platform.trusted(stack, BOT))
    return platform


@pytest.fixture
def observer(stack: Stack) -> Iterator[Observer]:
    with Observer(stack.url) as observer:
        yield observer


def is_refused(stack: Stack, token: str) -> bool:
    return Api(stack.url, token).call("GET", "/users/me").status_code == 401


def until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where plays put what is temporary: no other worker's agents are there, and sockets' paths are short enough."""
    with tempfile.TemporaryDirectory(prefix="plays-") as folder:
        yield Path(folder)


def agents(temporary: Path) -> list[Path]:
    return list(temporary.glob("keyturn-*/agent"))


def environment(observer: Observer, platform: Platform, **more: str) -> dict[str, str]:
    """Of a job that has no token of Keyturn."""
    variables = playbook.environment(observer.url, "", {VARIABLE: platform.token("keyturn")})
    del variables["KEYTURN_TOKEN"]
    return {**variables, **more}


def test_a_play_without_a_token_leaves_none_and_its_session_ends_with_it(
    watch: Any,  # noqa: F811
    stack: Stack,
    platform: Platform,
    rule: dict[str, Any],
    observer: Observer,
    temporary: Path,
) -> None:
    job_token = platform.token("keyturn")
    by = {"url": observer.url, "identity": IDENTITY}
    token = {**by, "user": "made-by-job", "name": "t", "scope": ["ci"]}
    lookup = "{{ lookup('keyturn.hub.access_token', 'ci', url=by.url, identity=by.identity) }}"
    tasks = [
        {"keyturn.hub.user": {**by, "login": "made-by-job", "name": "N", "type": "bot"}, "register": "r0"},
        {"keyturn.hub.permanent_token": token, "register": "r1"},
        {"ansible.builtin.set_fact": {"r2": lookup}, "vars": {"by": by}, "no_log": True},
        {"keyturn.hub.user_info": {**by, "login": "nobody at all"}, "register": "r3", "ignore_errors": True},
    ]
    told, watched = watch(tasks, **{VARIABLE: job_token, "TMPDIR": str(temporary)})
    assert told["r1"]["changed"], watched.seen["terminal"].decode()
    session, for_service = observer.issued
    assert told["r2"] == for_service
    assert observer.revoked == [session]
    assert is_refused(stack, session)
    assert agents(temporary) == []
    for secret in (job_token, session, for_service, told["r1"]["secret"]):
        assert watched.holds(secret) == []
    owner = told["r0"]["user"]["id"]
    records = stack.administrator().get(f"/audit?target={owner}")["audit"]
    assert {record["kind"] for record in records} >= {"user.created", "permanent-token.created"}
    by_job = {(record["actor"], record["credential"], record["workload"]) for record in records}
    assert by_job == {(rule["user"]["id"], rule["id"], SUBJECT)}
    made = stack.administrator().get(f"/users/{owner}/permanenttokens?fields=expiresOn")["permanenttokens"]
    assert made == [{"expiresOn": None}]  # it goes on, since the rule is lasting


def test_a_session_is_renewed_in_the_middle_of_a_task_and_failures_and_repetitions_show_no_secret(
    watch: Any,  # noqa: F811
    stack: Stack,
    platform: Platform,
    observer: Observer,
) -> None:
    """Access tokens are said to be near their end as soon as they are there, and one ends between two requests."""
    job_token = platform.token("keyturn")
    ended: list[str] = []
    busy = [BUSY]

    def meanwhile(request: bytes) -> bytes | None:
        if request.startswith(b"POST /api/rest/users") and not ended:
            ended.append(observer.issued[-1])
            requests.post(f"{stack.url}/api/rest/oauth2/revoke", data={"token": ended[0]}, timeout=SOON)
        return busy.pop() if busy and b"/permanenttokens" in request.partition(b"\r\n")[0] else None

    observer.lives, observer.meanwhile = 60, meanwhile
    by = {"url": observer.url, "identity": IDENTITY}
    token = {**by, "user": "made-meanwhile", "scope": ["ci"]}
    again = {"register": "r1", "until": "r1 is not failed", "retries": 1, "delay": 0}
    tasks = [
        {"keyturn.hub.user": {**by, "login": "made-meanwhile", "name": "N", "type": "bot"}, "register": "r0"},
        {"keyturn.hub.permanent_token": {**token, "name": "t", "retries": 0}, **again},
        {
            "keyturn.hub.permanent_token": {**token, "name": "u", "scope": ["none"]},
            **{"register": "r2", "ignore_errors": True},
        },
    ]
    told, watched = watch(tasks, **{VARIABLE: job_token})
    assert told["r0"]["changed"], watched.seen["terminal"].decode()
    assert (told["r1"]["attempts"], told["r1"]["changed"], told["r2"]["failed"]) == (2, True, True)
    assert len(ended) == 1
    assert len(observer.issued) >= 6  # at the start, once in each task and attempt, and once more in the first task
    assert observer.revoked == observer.issued[::-1]
    for secret in (job_token, *observer.issued, told["r1"]["secret"]):
        assert watched.holds(secret) == []


def test_many_hosts_log_in_once_and_their_tasks_run_on_the_controller(
    platform: Platform, observer: Observer, tmp_path: Path
) -> None:
    """The hosts can be reached by nobody."""
    path = tmp_path / "play.yml"
    hosts = [f"h{number}.invalid" for number in range(8)]
    tasks = [
        {"keyturn.hub.user": {"login": "{{ inventory_hostname_short }}", "name": "H", "type": "bot"}},
        {"keyturn.hub.user_info": {"login": "{{ inventory_hostname_short }}"}},
    ]
    play = {
        "hosts": ",".join(hosts),
        "gather_facts": False,
        "strategy": "free",
        "become": True,
        "vars": {"ansible_connection": "ssh", "ansible_python_interpreter": "/nowhere/python"},
        "module_defaults": {ALL: {"identity": IDENTITY}},
        "tasks": tasks,
    }
    path.write_text(yaml.safe_dump([play]))
    command = [str(playbook.BIN / "ansible-playbook"), "-i", f"{','.join(hosts)},", "--forks", "8", str(path)]
    finished = subprocess.run(command, env=environment(observer, platform), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.count("changed=1 ") == len(hosts)
    assert (len(observer.issued), observer.revoked) == (1, observer.issued)


def test_a_play_that_is_killed_leaves_no_session(
    stack: Stack, platform: Platform, observer: Observer, tmp_path: Path, temporary: Path
) -> None:
    path = tmp_path / "play.yml"
    tasks = [{"keyturn.hub.user_info": {"login": BOT}}, {"ansible.builtin.pause": {"seconds": 600}}]
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    names = {"KEYTURN_AS": BOT, "KEYTURN_IDENTITY_SOURCE": "file", "KEYTURN_AUDIENCE": "keyturn"}
    (tmp_path / "injected").write_text(platform.token("keyturn"))
    folder = {"TMPDIR": str(temporary)}
    variables = environment(observer, platform, **folder, KEYTURN_ID_TOKEN_FILE=str(tmp_path / "injected"), **names)
    with subprocess.Popen(
        playbook.command(path), env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as running:
        until(lambda: observer.requests > 1)
        assert not is_refused(stack, observer.issued[0])
        assert len(agents(temporary)) == 1
        running.kill()
        assert running.stdout
        running.stdout.read()  # nothing holds it open
        until(lambda: is_refused(stack, observer.issued[0]))
    until(lambda: agents(temporary) == [])
    end_workers(variables)


def end_workers(variables: dict[str, str]) -> None:
    """End what a killed `ansible-playbook` leaves: its workers wait for ever for somebody to read their results."""
    mark = f"{VARIABLE}={variables[VARIABLE]}".encode()
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in place.read_bytes().split(b"\0"):
                os.kill(int(place.parent.name), signal.SIGKILL)


def reading(**options: Any) -> dict[str, Any]:
    return {"keyturn.hub.user_info": {"login": BOT, **options}}


def test_what_is_wrong_with_an_identity_is_said_and_no_token_is_shown(
    play: Play, platform: Platform, observer: Observer
) -> None:
    ended, stranger = platform.token("keyturn", seconds=-90), platform.token("keyturn", sub="somebody:else")
    cases = [
        ({**IDENTITY, "variable": "NO_SUCH"}, "source variable: the environment variable NO_SUCH is not set."),
        ({"source": "gitlab", "variable": "ENDED", "account": BOT}, "GitLab gives a job one token"),
        ({**IDENTITY, "variable": "STRANGER"}, "No trust rule of this account accepts the assertion."),
        ({"source": "github", "account": BOT}, "Give the job 'permissions: id-token: write'"),
        ({"source": "github"}, "account is missing. Set it, or KEYTURN_AS."),
        ({**IDENTITY, "file": "/x"}, "file means nothing for the source variable."),
        ({**IDENTITY, "source": "carrier pigeon"}, "value of source must be one of: aap, aws, file, github"),
    ]
    tasks = [reading(identity=identity) for identity, _said in cases]
    both = [reading(identity=IDENTITY, token="x" * 40), {**reading(identity=IDENTITY), "async": 10}]
    secrets = {"ENDED": ended, "STRANGER": stranger, VARIABLE: platform.token("keyturn")}
    run = play(*tasks, *both, arguments=("-vvvv",), environment=environment(observer, platform, **secrets))
    for result, (_identity, said) in zip(run.results, cases, strict=False):
        assert result["failed"]
        assert result["msg"].startswith("Option identity: ")
        assert said in result["msg"]
    assert "cannot be given together with token" in run.results[-2]["msg"]
    assert "async is refused" in run.results[-1]["msg"]
    assert not [name for name, secret in secrets.items() if secret in run.output]
    assert observer.issued == []


def test_what_is_given_goes_before_what_the_environment_says_and_roles_hand_it_on(
    play: Play, platform: Platform, observer: Observer, stack: Stack, tmp_path: Path
) -> None:
    administrator = stack.secrets.read("administrator")
    me = {"keyturn.hub.current_token_info": {"token": administrator, "identity": None}}
    api, kept = stack.administrator(), tmp_path / "kept"
    kept.write_text(api.post(f"/users/{BOT}/permanenttokens", {"name": "n", "scope": [{"key": "ci"}]})["token"])
    before = kept.read_text()
    role = {
        "ansible.builtin.include_role": {"name": "keyturn.hub.rotate"},
        "vars": {"rotate_user": BOT, "rotate_name": "n", "rotate_file": str(kept), "rotate_identity": IDENTITY},
    }
    variables = environment(observer, platform, KEYTURN_TOKEN="ktp_no_good", KEYTURN_AS=BOT)
    defaults = {ALL: {"identity": IDENTITY}, "keyturn.hub.user_info": {"login": BOT}}
    run = play({"keyturn.hub.user_info": {}}, me, {"block": [role]}, environment=variables, module_defaults=defaults)
    assert run.changed == [False, False]
    assert run.results[0]["users"][0]["login"] == BOT
    assert kept.read_text().strip() != before
    assert (len(observer.issued), observer.revoked) == (1, observer.issued)
    refused = play(reading(), environment=variables)
    assert "KEYTURN_TOKEN and KEYTURN_AS are both set" in refused.results[0]["msg"]


def _run(play: Path, variables: dict[str, str], ends: Callable[[], bool] = lambda: False) -> tuple[int, bytes]:
    """Run a play, which is killed once it `ends`; what became of it, and all that it printed."""
    command = playbook.command(play)
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        printed: list[bytes] = []
        assert running.stdout
        reader = threading.Thread(target=lambda read=running.stdout.read: printed.append(read()))
        reader.start()
        while running.poll() is None:
            if ends():
                running.kill()
            time.sleep(0.2)
        reader.join()
    return running.returncode, printed[0]


@only_long
def test_thousands_of_bots_by_an_identity_and_a_run_that_is_killed_in_the_middle(
    new_stack: NewStack, tmp_path: Path
) -> None:
    """Access tokens are said to live for a little more than a minute, so that each run renews its session often."""
    bots = [{"login": f"b{n}", "name": f"Bot {n}", "tokens": [{"name": "t", "scope": ["ci"]}]} for n in range(MANY)]
    temporary, path, source = tmp_path / "temporary", tmp_path / "play.yml", tmp_path / "bots.yml"
    temporary.mkdir()
    source.write_text(yaml.safe_dump(bots))
    task = {"keyturn.hub.bots": {"src": str(source), "identity": IDENTITY}}
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    with new_stack("many") as stack, Observer(stack.url, lives=70) as observer, Files(temporary) as files:
        register_services(stack, stack.administrator())
        platform, administrator = Platform(), stack.administrator()
        platform.trusted(stack, BOT)
        folders = {name: str(temporary) for name in ("ANSIBLE_LOCAL_TEMP", "ANSIBLE_REMOTE_TEMP")}
        log = {"ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"), "ANSIBLE_VERBOSITY": "4"}
        variables = environment(observer, platform, **folders, **log)

        def made() -> int:
            total: int = administrator.get("/users?fields=id&$top=1")["total"]
            return total

        begun, moments, runs = time.monotonic(), [], []
        for ends in (lambda: made() > MANY // 2, lambda: False, lambda: False):
            runs.append(_run(path, variables, ends))
            moments.append(f"{time.monotonic() - begun:.0f} s, {made()} accounts, {len(observer.issued)} logins")
            until(lambda: is_refused(stack, observer.issued[-1]))
        end_workers(variables)
        print(*moments, f"{observer.requests} requests", sep="; ")
        assert [code for code, _printed in runs] == [-signal.SIGKILL, 0, 0], runs[1][1][-4_000:]
        assert b"changed=0 " in runs[2][1]
        assert len(observer.issued) >= len(runs) + 4
        seen = {**files.contents, "log": (tmp_path / "ansible.log").read_bytes()}
        seen.update({f"output {number}": printed for number, (_code, printed) in enumerate(runs)})
        for secret in (stack.secrets.read(ADMINISTRATOR) or "", variables[VARIABLE], *observer.issued):
            assert Watched(seen).holds(secret) == []
        assert administrator.get(f"/users/{BOT}/permanenttokens")["permanenttokens"] == []
