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

from chalicelib.composition.keyturn import Keyturn, keyturn
from chalicelib.core.access.account import AccountType
from chalicelib.core.access.permissions import CREATE_USER
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import LoginRefused, LoginRests, SecondFactorRequired, Unauthenticated
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.login.totp import STEP_MS
from chalicelib.storage.engine.table import create_table
from deployment.table_copy import ChangedMeanwhile, TableCopy
from embedded.layout import PROJECT
from tests.conftest import TAG_KEYS, Scene, now, origin, set_scene
from tests.engine import OwnDatabase
from tests.people import PASSWORD, Person


class Operator:
    """Runs `python -m deployment` against the local engine; `identity` is the file with the key."""

    def __init__(self, database: OwnDatabase, folder: Path) -> None:
        key = pyrage.x25519.Identity.generate()
        self.recipient = str(key.to_public())
        self.identity = folder / "key.txt"
        self.identity.write_text(f"# public key: {self.recipient}\n{key}\n")
        self._environment = {
            **{**os.environ, **database.environment, "AWS_ENDPOINT_URL_DYNAMODB": database.url},
            "KEYTURN_TAG_KEYS": TAG_KEYS,
        }

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deployment", *map(str, arguments)],
            cwd=PROJECT,
            env={**self._environment, "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def export(self, file: Path) -> str:
        """The key that is printed."""
        done = self.run("export", "--stage", "prod", file, "--recipient", self.recipient)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def bring_in(self, file: Path, *more: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("import", "--stage", "dev", file, "--identity", self.identity, *more, **environment)


@pytest.fixture
def tables(database: OwnDatabase, product: Keyturn, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process works on an empty keyturn-prod; there is an empty keyturn-dev."""
    for table in ("keyturn-dev", "keyturn-prod"):
        work_on(table, monkeypatch)
        create_table(stream=False)
    yield
    client = boto3.Session().client("dynamodb", endpoint_url=database.url, region_name="us-east-1")
    for table in ("keyturn-dev", "keyturn-prod"):
        client.delete_table(TableName=table)


def work_on(table: str, monkeypatch: pytest.MonkeyPatch) -> Keyturn:
    monkeypatch.setenv("KEYTURN_TABLE", table)
    keyturn.cache_clear()
    return keyturn()


@pytest.fixture
def operator(database: OwnDatabase, tmp_path: Path) -> Operator:
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
    assert "2 token" in done.stdout

    moved = Scene(work_on("keyturn-dev", monkeypatch), *list(vars_of(scene))[1:])
    assert moved.is_good(scene.token.secret)
    caller = moved.caller()
    assert moved.product.accounts.find(caller, "build-bot", Operation.READ_USER).id == scene.bot.id
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
def test_what_people_had_ended_stays_ended_and_the_rest_fits_together(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = keyturn()
    scene = set_scene(product)
    caller = scene.caller()
    people = {login: person(scene, login) for login in ("changed", "paired", "left")}
    left = people["left"]
    left.turn_on_2fa()
    left.wait(STEP_MS)
    opened = left.attempt(code=left.code())
    app_password = product.application_passwords.create(left.log_in(), "left", "mail")
    group = product.groups.create(caller, GroupDescription(name="Builders"))
    for reference in ("left", "changed"):
        product.groups.add_member(caller, group.id, reference)
    granted, _ = product.roles.grant(caller, "left", "system-admin")
    operator.export(tmp_path / "before")
    product.passwords.set(caller, "changed", "another long passphrase!", None)
    people["paired"].turn_on_2fa()
    product.sessions.end_all(left.log_in(), "left")
    product.application_passwords.delete(caller, "left", app_password.password.id)
    product.groups.remove_member(caller, group.id, "left")
    product.roles.revoke(caller, "left", granted.id)
    product.accounts.create(caller, "newcomer", "Newcomer", AccountType.USER)
    product.groups.add_member(caller, group.id, "newcomer")
    product.groups.create(caller, GroupDescription(name="Secure", requires_two_factor=True))
    product.groups.update(caller, group.id, GroupDescription(parent="Secure"))
    operator.export(tmp_path / "after")

    done = operator.bring_in(tmp_path / "before", "--later", tmp_path / "after")
    assert done.returncode == 0, done.stderr
    moved = Scene(work_on("keyturn-dev", monkeypatch), *list(vars_of(scene))[1:])
    caller = moved.caller()
    for login, refusal in (("changed", LoginRefused), ("paired", SecondFactorRequired)):
        with pytest.raises(refusal):
            Person(moved, people[login].user).attempt()
    changed = Person(moved, people["changed"].user)
    assert changed.caller(changed.attempt(password="another long passphrase!")).second_factor_missing
    with pytest.raises(Unauthenticated):
        moved.caller(opened.secret)
    with pytest.raises(Unauthenticated):
        moved.product.authentication.caller_by_password("left", app_password.secret or "", origin())
    members = moved.product.groups.members(caller, group.id, Window(0, 10))
    assert ([each.login for each in members.items], members.total) == (["changed"], 1)
    assert [grant.role_id for grant, _ in moved.product.roles.grants(caller, "left")] == ["registered-user"]
    assert moved.product.accounts.page(caller, Window(0, 0)).total == 5
    desk = person(moved, "desk")
    moved.product.roles.create(caller, "desk", "Desk", [CREATE_USER])
    moved.product.roles.grant(caller, "desk", "desk")
    with pytest.raises(LoginRests):
        moved.product.accounts.create(desk.log_in(), "newcomer", "Newcomer", AccountType.USER)
    moved.product.accounts.create(caller, "newcomer", "Newcomer", AccountType.USER)  # who may give it again


def person(scene: Scene, login: str) -> Person:
    user = scene.product.accounts.create(scene.caller(), login, login, AccountType.USER)
    scene.product.passwords.set(scene.caller(), login, PASSWORD, None)
    return Person(scene, user)


@pytest.mark.usefixtures("tables")
def test_without_a_later_export_no_session_comes_back(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = set_scene(keyturn())
    jo = person(scene, "jo")
    opened = jo.attempt()
    operator.export(tmp_path / "export")
    assert operator.bring_in(tmp_path / "export").returncode == 0
    moved = Scene(work_on("keyturn-dev", monkeypatch), *list(vars_of(scene))[1:])
    with pytest.raises(Unauthenticated):
        moved.caller(opened.secret)
    assert Person(moved, jo.user).attempt()


@pytest.mark.usefixtures("tables")
def test_only_what_a_trusted_installation_signed_comes_in(operator: Operator, tmp_path: Path) -> None:
    set_scene(keyturn())
    key = operator.export(tmp_path / "export")
    whole = (tmp_path / "export").read_bytes()
    (tmp_path / "changed").write_bytes(whole.replace(b'"begun": 1', b'"begun": 2'))
    elsewhere = {"KEYTURN_TAG_KEYS": "other:" + "A" * 43 + "="}
    for refused in (
        operator.bring_in(tmp_path / "changed"),
        operator.bring_in(tmp_path / "export", **elsewhere),
        operator.bring_in(tmp_path / "export", "--later", tmp_path / "changed"),
    ):
        assert refused.returncode == 1
        assert "was changed, or is of another installation" in refused.stderr
        assert "Traceback" not in refused.stderr
    same = operator.bring_in(tmp_path / "export", "--later", tmp_path / "export")
    assert (same.returncode, "begun after the other" in same.stderr) == (2, True)
    assert operator.bring_in(tmp_path / "export", "--trust", key, **elsewhere).returncode == 0


@pytest.mark.usefixtures("tables")
def test_an_import_goes_into_an_empty_table_alone(operator: Operator, tmp_path: Path) -> None:
    set_scene(keyturn())
    operator.export(tmp_path / "export")
    assert operator.bring_in(tmp_path / "export").returncode == 0
    again = operator.bring_in(tmp_path / "export")
    assert again.returncode == 1
    assert "is not empty" in again.stderr


def test_a_table_that_changes_while_it_is_read_gives_no_export(scene: Scene, database: OwnDatabase) -> None:
    client = boto3.Session().client("dynamodb", endpoint_url=database.url, region_name="us-east-1")
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
