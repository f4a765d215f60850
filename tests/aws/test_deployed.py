"""What AWS would run, run: the package, deployed by our own command as its template says, behind API Gateway, with IAM
enforced. It passes the suites that the local server passes, and its policies allow what that needs, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded.layout import PROJECT
from embedded.main_job import register_services
from tests.aws.calls import Need
from tests.aws.deployed_stack import CALLS, PACKAGE, STAGE, DeployedStack
from tests.receiver import Receiver

BLACK_BOX = (
    "tests/cli",
    "tests/oauth/test_python_clients.py",
    "tests/oauth/test_javascript_clients.py",
    "tests/examples/test_rotation.py",
    "tests/collection/test_targets.py::test_a_target[bots]",
    "tests/pages/test_procedures.py",
)
# RFC 8414 wants an issuer's metadata at the root of its host, which a stage of API Gateway is not (docs/deployment.md).
AT_THE_ROOT = "not oauth4webapi"
# Lambda does these itself, in the function's name: the developer guide's pages "Process DynamoDB records with Lambda"
# and "Sending Lambda function logs to CloudWatch Logs" have the lists.
BY_LAMBDA = {
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Made once, by the command that `make package` has."""
    folder = tmp_path_factory.mktemp("package")
    done = subprocess.run(
        [sys.executable, "-m", "deployment", "package", "--stage", STAGE, str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(PACKAGE, str(folder))
        monkeypatch.setenv(CALLS, str(folder / "calls"))
        yield folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    with DeployedStack(tmp_path_factory.mktemp("stack")) as stack:
        stack.settings["KEYTURN_INTERNAL_RECEIVERS"] = "127.0.0.1"
        stack.configure()
        register_services(stack, stack.administrator())
        yield stack


def test_it_passes_the_suites_of_the_local_server() -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.aws.plugin",
            "-k",
            AT_THE_ROOT,
            *BLACK_BOX,
        ],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:]
    assert "skipped" not in ran.stdout.splitlines()[-1]


def test_events_are_told_by_the_stream_and_again_by_the_schedule(stack: DeployedStack) -> None:
    receiver = Receiver(lambda number: "fail" if number == 0 else "take")
    api = stack.administrator()
    receiver.secret = api.post("/webhooks", {"name": "all", "url": receiver.url})["secret"]
    for login in ("robot", "leaver"):
        api.post("/users", {"login": login, "name": login, "type": "bot"})
    ends = int(time.time() * 1000) + 3_000
    for login, name, more in (("robot", "one", {"expiresOn": ends}), ("robot", "two", {}), ("leaver", "three", {})):
        api.post(f"/users/{login}/permanenttokens", {"name": name, "scope": [{"key": "ci"}], **more})
    assert api.call("DELETE", "/users/leaver").status_code == 200
    told = {f"permanent-token.{what}" for what in ("created", "expired", "revoked")}
    within(60, lambda: told <= {message["type"] for message in receiver.got}, stack.minute)
    assert len({message["data"]["token"]["id"] for message in receiver.got}) == 3


def test_what_is_seldom_asked_is_allowed_too(stack: DeployedStack) -> None:
    api = stack.administrator()
    member = api.post("/users", {"login": "member", "name": "Member"})["id"]
    group = api.post("/usergroups", {"name": "Short-lived"})["id"]
    api.post(f"/usergroups/{group}/users", {"id": member})
    assert api.call("DELETE", f"/usergroups/{group}").status_code == 200  # with who is in it
    assert api.get(f"/audit?target={member}")["audit"]


def test_what_no_policy_allows_is_refused(stack: DeployedStack) -> None:
    """Or the others would say nothing."""
    with stack.forbidden("APIHandler", "dynamodb:PutItem"):
        answer = stack.administrator().call("POST", "/services", {"key": "more", "name": "More"})
        assert answer.status_code == 503
        assert "The database refuses this here." in answer.text
    assert stack.administrator().call("POST", "/services", {"key": "more", "name": "More"}).status_code == 200


def test_a_table_is_brought_into_form_once(stack: DeployedStack) -> None:
    said = [stack.account.run("migrate", "--stage", STAGE) for _ in range(2)]
    assert [done.returncode for done in said] == [0, 0], said
    assert [done.stderr.strip() for done in said] == ["0 items were changed.", "Nothing is waiting."]


def test_deploying_again_makes_nobody_new_and_what_is_removed_keeps_its_data(stack: DeployedStack) -> None:
    again = stack.deploy()
    assert again.returncode == 0, again.stderr
    assert again.stdout == ""  # no second administrator's token
    removed = stack.account.run("remove", "--stage", STAGE, "--yes")
    assert removed.returncode == 0, removed.stderr
    assert stack.account.client("dynamodb").describe_table(TableName=f"keyturn-{STAGE}")["Table"]["ItemCount"] > 0
    assert stack.account.client("lambda").list_functions()["Functions"] == []


@pytest.fixture(scope="module")
def needed(package: Path) -> set[tuple[str, Need]]:
    """What the functions asked of AWS in the tests above."""
    lines = [json.loads(line) for line in (package / "calls").read_text().splitlines()]
    return {(function, Need(action, resource)) for function, action, resource in lines}


@pytest.mark.parametrize("function", ["api_handler", "tell_events", "every_minute"])
def test_policies_allow_what_was_asked_and_nothing_else(function: str, needed: set[tuple[str, Need]]) -> None:
    asked = {need for of, need in needed if of == function}
    allowed = {(action, resource) for action, resource in grants(STAGE, function) if action not in BY_LAMBDA}
    assert allowed == {(need.action, generic(need.resource)) for need in asked}


@pytest.mark.parametrize("function", ["api_handler", "tell_events", "every_minute"])
def test_both_stages_have_the_same_policies_on_their_own_things(function: str) -> None:
    assert policy("dev", function).replace("keyturn-dev", "keyturn-prod") == policy("prod", function)


def policy(stage: str, function: str) -> str:
    return (PROJECT / ".chalice" / "policies" / stage / f"{function}.json").read_text()


def grants(stage: str, function: str) -> Iterator[tuple[str, str]]:
    """Each action with each resource."""
    for statement in json.loads(policy(stage, function))["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, resource


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def generic(resource: str) -> str:
    """As the policies name it: in whatever region and account."""
    kind, _, rest = resource.removeprefix("arn:aws:").partition(":us-east-1:000000000000:")
    return f"arn:aws:{kind}:*:*:{'key/*' if kind == 'kms' else rest}"


def within(seconds: float, condition: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
    """It must become so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        meanwhile()
        time.sleep(1)
