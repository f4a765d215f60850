"""What AWS would run, run: the package, deployed by our own command as its template says, behind API Gateway, with IAM
enforced. It passes the suites that the local server passes, and its policies allow what that needs, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from embedded.layout import PROJECT
from embedded.main_job import check_token, declare_bots, register_services
from embedded.stack import ADMINISTRATOR
from tests.aws.calls import Need
from tests.aws.deployed_stack import CALLS, PACKAGE, STAGE, DeployedStack
from tests.budgets import LONG
from tests.cli import test_tokens
from tests.cli.conftest import Terminal
from tests.receiver import Receiver

# What runs on a stack of its own; the command line and the main job run on the one of this module.
BLACK_BOX = (
    "tests/oauth/test_python_clients.py",
    "tests/pages/test_procedures.py::test_an_administrator_generates_a_token_for_a_bot_and_deletes_it",
    *(
        (
            "tests/cli/test_tokens.py",
            "tests/cli/test_logins.py",
            "tests/cli/test_hub_import.py",
            "tests/cli/test_hub_moving.py",
            "tests/collection/test_targets.py::test_a_target[bots]",
            "tests/oauth/test_javascript_clients.py",
            "tests/examples/test_rotation.py",
            "tests/pages/test_procedures.py::test_the_same_with_the_keyboard_alone",
        )
        if LONG
        else ()
    ),
)
# RFC 8414 wants an issuer's metadata at the root of its host, which a stage of API Gateway is not
# (docs/how-to/deploy.md).
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


# What the functions are asked for is asked once, by fixtures: each test looks at what came of one of them, and the
# tests of the policies at what all of them needed.


@pytest.fixture(scope="module")
def suites(package: Path) -> subprocess.CompletedProcess[str]:
    """The suites of the local server, run on deployed ones."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.aws.plugin", "-k", AT_THE_ROOT, *BLACK_BOX],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_passes_the_suites_of_the_local_server(suites: subprocess.CompletedProcess[str]) -> None:
    assert suites.returncode == 0, suites.stdout[-20_000:]
    assert "skipped" not in suites.stdout.splitlines()[-1]


ROTATING = test_tokens.TestRotate()


@pytest.mark.parametrize(
    "does",
    [
        pytest.param(each, id=each.__name__.removeprefix("test_"))
        for each in (
            test_tokens.test_a_login_is_kept_for_its_owner_alone_and_forgotten,
            test_tokens.test_a_token_is_made_listed_and_revoked,
            ROTATING.test_a_token_renews_itself_in_its_file,
            ROTATING.test_a_command_gets_it_on_its_input_and_in_its_environment_alone,
            ROTATING.test_if_the_command_fails_the_rotation_is_taken_back,
        )
    ],
)
def test_the_command_line_does_on_it_what_it_does_elsewhere(
    stack: DeployedStack, tmp_path: Path, does: Callable[..., None]
) -> None:
    terminal = Terminal(stack, tmp_path, stack.secrets.read(ADMINISTRATOR))
    given = {"terminal": terminal, "tmp_path": tmp_path, "failing": "exit 7"}
    does(**{name: value for name, value in given.items() if name in signature(does).parameters})


def test_the_main_job_is_done_on_it_once(stack: DeployedStack) -> None:
    """By a playbook, as `make run` does it on the local server."""
    api = stack.administrator()
    assert declare_bots(stack, api) == 3
    assert declare_bots(stack, api) == 0
    check_token(stack)


@pytest.fixture(scope="module")
def told(stack: DeployedStack) -> list[dict[str, Any]]:
    """Events as a webhook got them: one that failed first, one at a token's end, and those of a deleted account."""
    receiver = Receiver(lambda number: "fail twice" if number == 0 else "take")
    api = stack.administrator()
    webhook = api.post("/webhooks", {"name": "all", "url": receiver.url})
    receiver.secret = webhook["secret"]
    for login in ("robot", "leaver"):
        api.post("/users", {"login": login, "name": login, "type": "bot"})
    # The first event fails, and five seconds later again. It is its token's only one, so nothing but the schedule can
    # tell it once more, which need not be minutes later when it is known that the receiver answers.
    api.post("/users/robot/permanenttokens", {"name": "one", "scope": [{"key": "ci"}]})
    within(60, lambda: len(receiver.moments) >= 2, lambda: None)
    api.post(f"/webhooks/{webhook['id']}/test", {})
    within(60, lambda: len(receiver.got) >= 2, stack.minute)
    ends = int(time.time() * 1000) + 10_000
    for login, name, more in (("robot", "two", {"expiresOn": ends}), ("leaver", "three", {})):
        api.post(f"/users/{login}/permanenttokens", {"name": name, "scope": [{"key": "ci"}], **more})
    assert api.call("DELETE", "/users/leaver").status_code == 200
    within(60, lambda: {message["type"] for message in receiver.got} >= TOLD, stack.minute)
    return [message for message in receiver.got if message["data"]["token"]["name"] != "test"]


TOLD = {f"permanent-token.{what}" for what in ("created", "expired", "revoked")}


def test_events_are_told_by_the_stream_and_again_by_the_schedule(told: list[dict[str, Any]]) -> None:
    assert len({message["data"]["token"]["id"] for message in told}) == 3


@pytest.fixture(scope="module")
def of_a_short_lived_group(stack: DeployedStack) -> list[dict[str, Any]]:
    """The records of somebody who was in a group that is deleted."""
    api = stack.administrator()
    member = api.post("/users", {"login": "member", "name": "Member"})["id"]
    group = api.post("/usergroups", {"name": "Short-lived"})["id"]
    api.post(f"/usergroups/{group}/users", {"id": member})
    assert api.call("DELETE", f"/usergroups/{group}").status_code == 200  # with who is in it
    records: list[dict[str, Any]] = api.get(f"/audit?target={member}")["audit"]
    return records


@pytest.fixture(scope="module")
def swept(stack: DeployedStack, of_a_short_lived_group: object) -> list[dict[str, Any]]:
    """The marks of what deletions have left, after the schedule has looked some time later."""
    client = stack.account.client("dynamodb")

    def marks() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.query(
            TableName=f"keyturn-{STAGE}",
            IndexName="by_collection",
            KeyConditionExpression="#collection = :sweeps",
            ExpressionAttributeNames={"#collection": "collection"},
            ExpressionAttributeValues={":sweeps": {"S": "SWEEPS"}},
        )["Items"]
        return found

    within(120, lambda: not marks(), stack.minute)
    return marks()


def test_what_is_seldom_asked_is_allowed_too(of_a_short_lived_group: list[dict[str, Any]], swept: list[Any]) -> None:
    assert of_a_short_lived_group
    assert swept == []


@pytest.fixture(scope="module")
def migrations(stack: DeployedStack) -> list[subprocess.CompletedProcess[str]]:
    """Of a table, twice."""
    return [stack.account.run("migrate", "--stage", STAGE) for _ in range(2)]


def test_a_table_is_brought_into_form_once(migrations: list[subprocess.CompletedProcess[str]]) -> None:
    assert [done.returncode for done in migrations] == [0, 0], migrations
    assert [done.stderr.strip() for done in migrations] == ["0 items were changed.", "Nothing is waiting."]


def test_what_no_policy_allows_is_refused(stack: DeployedStack) -> None:
    """Or the others would say nothing."""
    with stack.forbidden("APIHandler", "dynamodb:PutItem"):
        answer = stack.administrator().call("POST", "/services", {"key": "more", "name": "More"})
        assert answer.status_code == 503
        assert "This region is read-only: the database refuses changes." in answer.text
    assert stack.administrator().call("POST", "/services", {"key": "more", "name": "More"}).status_code == 200


def test_whoever_only_looks_leaves_it_new_deploying_again_makes_nobody_new_and_removing_keeps_the_data(
    tmp_path: Path,
) -> None:
    stack = DeployedStack(tmp_path)
    stack.looked_at_first = True  # and an administrator is made nevertheless
    with stack:
        again = stack.deploy()
        assert again.returncode == 0, again.stderr
        assert again.stdout == ""  # no second administrator's token
        removed = stack.account.run("remove", "--stage", STAGE, "--yes")
        assert removed.returncode == 0, removed.stderr
        assert stack.account.client("dynamodb").describe_table(TableName=f"keyturn-{STAGE}")["Table"]["ItemCount"] > 0
        assert stack.account.client("lambda").list_functions()["Functions"] == []


@pytest.fixture(scope="module")
def needed(
    package: Path, suites: object, told: object, of_a_short_lived_group: object, swept: object, migrations: object
) -> set[tuple[str, Need]]:
    """What the functions asked of AWS for all of that."""
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
