"""The template of an installation: valid by CloudFormation's own schemas, and the same in all that is said twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.rest.routes import ROUTES
from chalicelib.storage.engine.table import create_table
from deployment.packaging import PROJECT, STAGES, Package, package, packaging_lock
from embedded.alone import alone
from tests import tables
from tests.engine import OwnDatabase
from tests.programs import installed

RESOURCES: dict[str, Any] = json.loads((PROJECT / ".chalice" / "resources.json").read_text())["Resources"]
MOST_RESOURCES = 300  # of one API of API Gateway, without asking AWS for more
FUNCTIONS = {"APIHandler", "TellEvents", "EveryMinute"}


class Chalice:
    """Runs it, and counts how many ran at the same time."""

    def __init__(self) -> None:
        self._run, self._lock, self._running, self.most = subprocess.run, threading.Lock(), 0, 0

    def __call__(self, *words: Any, **options: Any) -> Any:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        try:
            return self._run(*words, **options)
        finally:
            with self._lock:
                self._running -= 1


@pytest.fixture(scope="module")
def chalice() -> Chalice:
    return Chalice()


@pytest.fixture(scope="module")
def packages(chalice: Chalice, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    """One of each stage, asked for at once."""
    with patch.object(subprocess, "run", chalice), ThreadPoolExecutor(len(STAGES)) as pool:
        made = pool.map(lambda stage: package(stage, tmp_path_factory.mktemp(stage)), STAGES)
        return dict(zip(STAGES, made, strict=True))


@pytest.fixture(scope="module", params=STAGES)
def packaged(request: pytest.FixtureRequest, packages: dict[str, Package]) -> Package:
    return packages[request.param]


def test_packages_that_are_made_at_once_are_whole_and_each_stages_own(
    packages: dict[str, Package], chalice: Chalice
) -> None:
    assert chalice.most == 1  # two spoil each other's archive, but not every time
    for stage, each in packages.items():
        with zipfile.ZipFile(each.archive) as archive:
            assert archive.testzip() is None
            assert {"app.py", "chalicelib/composition/keyturn.py", "pynamodb/models.py"} <= {*archive.namelist()}
        assert f"keyturn-{stage}" in json.dumps(each.template)
        assert f"keyturn-{(set(STAGES) - {stage}).pop()}" not in json.dumps(each.template)


def test_cfn_lint_has_nothing_to_say(packages: dict[str, Package], tmp_path: Path) -> None:
    linter = installed(Path(__file__).parent / "ministack.txt") / "cfn-lint"
    paths = [tmp_path / f"{stage}.json" for stage in packages]
    for path, each in zip(paths, packages.values(), strict=True):
        path.write_text(each.template_with("a-bucket", "a-key.zip"))
    said = subprocess.run([linter, "--region", "eu-central-1", "--", *paths], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, ""), said.stdout


def test_every_function_has_a_role_of_its_own(packaged: Package) -> None:
    resources = packaged.template["Resources"]
    functions = {name: each["Properties"] for name, each in resources.items() if "Function" in each["Type"]}
    assert functions.keys() == FUNCTIONS
    assert len({json.dumps(each["Role"]) for each in functions.values()}) == len(FUNCTIONS)


def test_the_stream_is_that_of_the_table(packaged: Package) -> None:
    ((_, event),) = packaged.template["Resources"]["TellEvents"]["Properties"]["Events"].items()
    assert event["Properties"]["Stream"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert event["Properties"]["StartingPosition"] == "TRIM_HORIZON"


def test_api_gateway_takes_so_many_paths(packaged: Package) -> None:
    paths = packaged.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    assert paths.keys() >= ROUTES.keys()
    parts = {path[:end] for path in paths for end in range(1, len(path) + 1) if path[end : end + 1] in ("/", "")}
    assert len(parts) <= MOST_RESOURCES


@pytest.mark.usefixtures("product")
def test_the_table_is_the_one_that_the_code_makes(product: Keyturn, database: OwnDatabase) -> None:
    tables.remove(product.settings.table.name)
    create_table(stream=False)
    client = boto3.Session().client("dynamodb", endpoint_url=database.url, region_name="us-east-1")
    made = client.describe_table(TableName=product.settings.table.name)["Table"]
    told = RESOURCES["Table"]["Properties"]
    assert by_name(told["AttributeDefinitions"], "AttributeName") == by_name(
        made["AttributeDefinitions"], "AttributeName"
    )
    assert told["KeySchema"] == made["KeySchema"]
    kept = ("IndexName", "KeySchema", "Projection")
    indexes = [{name: index[name] for name in kept} for index in made["GlobalSecondaryIndexes"]]
    assert by_name(told["GlobalSecondaryIndexes"], "IndexName") == by_name(indexes, "IndexName")
    lives = client.describe_time_to_live(TableName=product.settings.table.name)["TimeToLiveDescription"]
    assert told["TimeToLiveSpecification"]["AttributeName"] == lives["AttributeName"]


def test_what_holds_data_and_keys_outlives_the_stack() -> None:
    for name in ("Table", "Key", "KeyAlias"):
        assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_alarm_is_explained() -> None:
    explained = (PROJECT / "docs" / "how-to" / "operate.md").read_text()
    alarms = [each["Properties"] for each in RESOURCES.values() if each.get("Type") == "AWS::CloudWatch::Alarm"]
    assert len(alarms) > 10
    for alarm in alarms:
        assert f"| {alarm['AlarmName']['Fn::Sub'].removeprefix('keyturn-${Stage} ')} |" in explained


def test_terraform_gets_the_same_functions_with_the_same_policies(tmp_path: Path) -> None:
    """By Chalice itself: `chalice package --pkg-format terraform`."""
    chalice = Path(sys.executable).with_name("chalice")
    command = [str(chalice), "package", "--stage", "prod", "--pkg-format", "terraform", str(tmp_path)]
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""}
    with alone(packaging_lock(PROJECT)):
        subprocess.run(command, cwd=PROJECT, capture_output=True, check=True, env=variables)
    resources = json.loads((tmp_path / "chalice.tf.json").read_text())["resource"]
    assert resources["aws_lambda_function"].keys() == {"api_handler", "tell_events", "every_minute"}
    for role, written in resources["aws_iam_role_policy"].items():
        name = f"{role.removesuffix('_role')}.json"
        policy = json.loads((PROJECT / ".chalice" / "policies" / "prod" / name).read_text())
        assert json.loads(written["policy"]) == policy


def by_name(things: list[Any], name: str) -> list[Any]:
    return sorted(things, key=lambda each: each[name])
