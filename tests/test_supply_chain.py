"""What we ship and build with: pinned, without known holes, and a repository without secrets."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.core.scan import get_plugins
from detect_secrets.settings import transient_settings

from embedded.layout import PROJECT
from tests.advisories import SNAPSHOT, known_holes

LOCKS = [
    PROJECT / "requirements.txt",
    PROJECT / "requirements-dev.txt",
    PROJECT / "requirements-server.txt",
    PROJECT / "embedded" / "requirements-npm.txt",
    *sorted((PROJECT / "tests").rglob("requirements/*.txt")),
    PROJECT / "tests" / "aws" / "ministack.txt",
]
# Those that know a secret by its form. What only looks random, or stands behind a word such as "password", is in every
# test of ours.
DETECTORS = (
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "StripeDetector",
)
OURS = {"name": "KeyturnDetector", "path": f"file://{PROJECT / 'examples' / 'scanning' / 'keyturn_detector.py'}"}


def pinned(lock: Path) -> dict[str, str]:
    """Versions by name."""
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.+!]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_with_its_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    packages = [entry for entry in entries if not entry.startswith(("#", "-"))]
    assert packages
    for entry in packages:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_shipped_package_has_a_known_hole(lock: Path) -> None:
    """By a snapshot of the Python Packaging Advisory Database; `make audit` asks the service that is up to date."""
    assert known_holes(pinned(lock)) == []


def test_a_hole_would_be_found() -> None:
    assert known_holes({"requests": "2.5.0"}) != []
    assert len(json.loads(SNAPSHOT.read_text())["advisories"]) > 10


def found(*paths: Path) -> list[str]:
    secrets = SecretsCollection()
    with transient_settings({"plugins_used": [*({"name": name} for name in DETECTORS), OURS]}):
        for path in paths:
            if may_hold_one(path):
                secrets.scan_file(str(path))
    return [f"{name}:{secret.line_number}: {secret.type}" for name, secret in secrets]


def may_hold_one(path: Path) -> bool:
    """Whether a detector's form is anywhere in the file. Only then is it worth a look at line after line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(form.search(text) for detector in get_plugins() for form in detector.denylist)


def test_there_is_no_secret_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True)
    files = [PROJECT / name for name in listed.stdout.split("\0") if name]
    assert len(files) > 500
    assert found(*filter(Path.is_file, files)) == []


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.write_text("AWS key: AKIA" + "QYLPMN5HHHFPZAM2\n-----BEGIN RSA " + "PRIVATE KEY-----\n")
    assert len(found(planted)) == 2
