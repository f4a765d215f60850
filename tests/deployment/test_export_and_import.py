"""An installation is moved to another table and works there; what was ended later does not come back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pyrage
import pytest

from chalicelib.composition import Keyturn, keyturn
from chalicelib.core.accounts import AccountType
from chalicelib.core.errors import Unauthenticated
from chalicelib.core.operations.accounts import AccountChange
from chalicelib.storage.table import create_table
from deployment.table_copy import ChangedMeanwhile, TableCopy
from embedded.dynamodb import DynamoDBLocal
from embedded.layout import PROJECT
from tests.conftest import Scene, now, set_scene


class Operator:
    """Runs `python -m deployment` against the local engine; `identity` is the file with the key."""

    def __init__(self, database: DynamoDBLocal, folder: Path) -> None:
        key = pyrage.x25519.Identity.generate()
        self.recipient = str(key.to_public())
        self.identity = folder / "key.txt"
        self.identity.write_text(f"# public key: {self.recipient}\n{key}\n")
        self._environment = {**os.environ, **database.environment, "AWS_ENDPOINT_URL_DYNAMODB": database.url}

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deployment", *map(str, arguments)],
            cwd=PROJECT,
            env={**self._environment, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    def export(self, file: Path) -> None:
        done = self.run("export", "--stage", "prod", file, "--recipient", self.recipient)
        assert done.returncode == 0, done.stderr

    def bring_in(self, file: Path, *more: object) -> subprocess.CompletedProcess[str]:
        return self.run("import", "--stage", "dev", file, "--identity", self.identity, *more)


@pytest.fixture
def tables(database: DynamoDBLocal, product: Keyturn, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process works on an empty keyturn-prod; there is an empty keyturn-dev."""
    for table in ("keyturn-dev", "keyturn-prod"):
        work_on(table, monkeypatch)
        create_table(stream=False)
    yield
    client = boto3.client("dynamodb", endpoint_url=database.url, region_name="us-east-1")
    for table in ("keyturn-dev", "keyturn-prod"):
        client.delete_table(TableName=table)


def work_on(table: str, monkeypatch: pytest.MonkeyPatch) -> Keyturn:
    monkeypatch.setenv("KEYTURN_TABLE", table)
    keyturn.cache_clear()
    return keyturn()


@pytest.fixture
def operator(database: DynamoDBLocal, tmp_path: Path) -> Operator:
    return Operator(database, tmp_path)


@pytest.mark.usefixtures("tables")
def test_everything_works_in_the_other_table(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = set_scene(keyturn())
    operator.export(tmp_path / "export")
    done = operator.bring_in(tmp_path / "export")
    assert done.returncode == 0, done.stderr
    assert "good again" in done.stderr

    moved = Scene(work_on("keyturn-dev", monkeypatch), *list(vars_of(scene))[1:])
    assert moved.is_good(scene.token.secret)
    caller = moved.caller()
    assert moved.product.accounts.find(caller, "build-bot").id == scene.bot.id
    made = moved.product.permanent_tokens.create(caller, scene.bot.id, "more", ["ci"])
    assert moved.is_good(made.secret)


def vars_of(scene: Scene) -> Iterator[object]:
    return (getattr(scene, name) for name in scene.__dataclass_fields__)


@pytest.mark.usefixtures("tables")
def test_what_was_ended_after_the_export_stays_ended(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = keyturn()
    scene = set_scene(product)
    caller, ids = scene.caller(), {}
    secrets = {}
    for name in ("kept", "deleted", "rotated"):
        made = product.permanent_tokens.create(caller, scene.bot.id, name, ["ci"])
        ids[name], secrets[name] = made.token.id, made.secret
    for login in ("banned", "gone"):
        owner = product.accounts.create(caller, login, login, AccountType.BOT)
        secrets[login] = product.permanent_tokens.create(caller, owner.id, "token", ["ci", "keyturn"]).secret
    operator.export(tmp_path / "before")
    product.permanent_tokens.delete(caller, scene.bot.id, ids["deleted"])
    product.rotation.rotate(caller, scene.bot.id, ids["rotated"], 0)
    product.accounts.update(caller, "banned", AccountChange(banned=True))
    product.accounts.delete(caller, "gone")
    product.accounts.update(caller, "build-bot", AccountChange(name="Renamed"))
    operator.export(tmp_path / "after")

    done = operator.bring_in(tmp_path / "before", "--later", tmp_path / "after")
    assert done.returncode == 0, done.stderr
    assert f"user.updated {scene.bot.id}" in done.stdout
    moved = Scene(work_on("keyturn-dev", monkeypatch), *list(vars_of(scene))[1:])
    assert {name: moved.is_good(secret) for name, secret in secrets.items()} == {
        "kept": True,
        "deleted": False,
        "rotated": False,
        "banned": False,
        "gone": False,
    }
    with pytest.raises(Unauthenticated):
        moved.caller(secrets["gone"])
    again = moved.product.permanent_tokens.create(moved.caller(), scene.bot.id, "deleted", ["ci"])
    assert moved.is_good(again.secret)  # the name is free


@pytest.mark.usefixtures("tables")
def test_an_import_goes_into_an_empty_table_alone(operator: Operator, tmp_path: Path) -> None:
    set_scene(keyturn())
    operator.export(tmp_path / "export")
    assert operator.bring_in(tmp_path / "export").returncode == 0
    again = operator.bring_in(tmp_path / "export")
    assert again.returncode == 1
    assert "is not empty" in again.stderr


def test_a_table_that_changes_while_it_is_read_gives_no_export(scene: Scene, database: DynamoDBLocal) -> None:
    client = boto3.client("dynamodb", endpoint_url=database.url, region_name="us-east-1")
    items = TableCopy(client, scene.product.settings.table.name).items(now())
    next(items)
    scene.product.permanent_tokens.delete(scene.caller(), scene.bot.id, scene.token.token.id)
    with pytest.raises(ChangedMeanwhile):
        list(items)


def test_what_aws_refuses_is_told_in_a_line(operator: Operator, tmp_path: Path) -> None:
    done = operator.run("export", "--stage", "prod", tmp_path / "export", "--recipient", operator.recipient)
    assert (done.returncode, list(tmp_path.glob("*export*"))) == (1, [])
    assert "ResourceNotFoundException" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_there_is_told_in_a_line(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "export"
    done = operator.run("export", "--stage", "prod", file, "--recipient", operator.recipient)
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_is_needed(operator: Operator, tmp_path: Path) -> None:
    done = operator.run("export", "--stage", "prod", tmp_path / "export")
    assert done.returncode == 2
    assert "age or one of KMS" in done.stderr
