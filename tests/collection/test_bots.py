"""The module `keyturn.hub.bots`, in real plays: what only a play shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from embedded.stack import Stack
from tests.collection.conftest import Play
from tests.cutting import CuttingProxy

WANTED = [{"login": "from-file", "name": "From a file", "tokens": [{"name": "t", "scope": ["ci"]}]}]


def bots(**options: Any) -> dict[str, Any]:
    return {"keyturn.hub.bots": options}


@pytest.mark.parametrize("encrypted", [False, True])
def test_they_come_from_a_file_that_may_be_encrypted(play: Play, tmp_path: Path, encrypted: bool) -> None:
    source, password = tmp_path / "bots.yml", tmp_path / "password"
    login = f"from-file-{encrypted}".lower()
    text = yaml.safe_dump({"bots": [{**WANTED[0], "login": login}]}).encode()
    password.write_text("password")
    source.write_bytes(VaultLib([("default", VaultSecret(b"password"))]).encrypt(text) if encrypted else text)
    run = play(bots(src=str(source)), bots(src=str(source)), arguments=("--vault-password-file", str(password)))
    assert run.changed == [True, False]
    assert [told["user"] for told in run.results[0]["tokens"]] == [login]
    assert "name From a file" in run.results[0]["plan"][0]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a: b", {}, "must hold a list of bots"),
        ("[]", {"bots": []}, "cannot be given together with bots"),
        ("[{name: x}]", {}, "login"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(
    play: Play, tmp_path: Path, content: str, options: dict[str, Any], message: str
) -> None:
    source = tmp_path / "bots.yml"
    source.write_text(content)
    run = play(bots(src=str(source), **options))
    assert run.results[0]["failed"]
    assert message in run.output


def test_check_mode_asks_of_many_bots_in_few_requests(perform: Play, stack: Stack) -> None:
    logins = [f"rehearsed-{number}" for number in range(24)]
    asked: list[bytes] = []
    with CuttingProxy(stack.url, seen=lambda request: asked.append(request.split(b" ", 2)[1])) as proxy:
        run = perform(
            bots(bots=[{"login": login, "name": login} for login in logins], url=proxy.url, parallel=1),
            arguments=("--check",),
        )
    assert run.changed == [True]
    assert len(run.results[0]["plan"]) == len(logins)
    dry_runs = [path for path in asked if b"dryRun=true" in path]
    assert 2 <= len(dry_runs) <= 6  # the first goes alone, and others while it is on its way
    assert b"/api/rest/batch?dryRun=true" in dry_runs
    assert [path for path in asked if b"batch" in path and b"dryRun" not in path] == []
    assert stack.administrator().call("GET", f"/users/{logins[-1]}").status_code == 404
