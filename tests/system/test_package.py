"""What ships to Lambda has everything that it imports: packaged by Chalice, run without any installed package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from embedded.layout import BIN, PROJECT
from tests.conftest import TAG_KEYS

SHIPPED = ("app.py", "chalicelib", ".chalice", "requirements.txt")
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from app import app
for method, path in (("POST", "login/passkey"), ("GET", "reference"), ("GET", "openapi.json")):
    path = "/api/rest/" + path
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": path, "path": path, "identity": {}},
        "headers": {}, "multiValueQueryStringParameters": None, "pathParameters": None, "stageVariables": None,
        "body": None, "isBase64Encoded": False,
    }
    assert app(event, None)["statusCode"] == 200, path
import argon2, boto3, cryptography, pyotp, segno, zxcvbn  # what other routes import
for name, module in sys.modules.items():
    assert "site-packages" not in (getattr(module, "__file__", None) or ""), name
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked deployment package."""
    folder = tmp_path_factory.mktemp("package")
    for name in SHIPPED:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        copy(PROJECT / name, folder / name)
    packaged = subprocess.run(
        [BIN / "chalice", "package", "--stage", "prod", "out"],
        cwd=folder,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Could not install" not in packaged.stdout + packaged.stderr
    with zipfile.ZipFile(folder / "out" / "deployment.zip") as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_every_locked_package_is_in_it(package: Path) -> None:
    lines = [line for line in (PROJECT / "requirements.txt").read_text().splitlines() if "==" in line]
    locked = {line.partition("==")[0].replace("-", "_") for line in lines}
    shipped = {path.name.partition("-")[0].lower() for path in package.glob("*.dist-info")}
    assert len(locked) > 15
    assert locked <= shipped


def test_it_answers_by_itself(package: Path) -> None:
    environment = {"KEYTURN_TAG_KEYS": TAG_KEYS, "KEYTURN_ADDRESS": "https://keyturn.example.com", "HOME": str(package)}
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, str(package)],
        env={**environment, **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
