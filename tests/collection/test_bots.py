"""The module `keyturn.hub.bots`, in real plays: what only a play shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.collection.conftest import Play

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
