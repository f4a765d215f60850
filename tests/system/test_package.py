"""What ships to Lambda has everything that it imports: packaged by Chalice, run without any installed package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deployment.packaging import SERVICES, package
from embedded.layout import PROJECT
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
import botocore.session
for service in ("dynamodb", "events", "sns", "ssm"):
    botocore.session.get_session().create_client(service, region_name="us-east-1")
import argon2, boto3, cryptography, pyotp, segno  # what other routes import
for name, module in sys.modules.items():
    assert "site-packages" not in (getattr(module, "__file__", None) or ""), name
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked deployment package."""
    folder = tmp_path_factory.mktemp("package")
    for name in SHIPPED:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        copy(PROJECT / name, folder / name)
    package("prod", folder / "out", folder)
    with zipfile.ZipFile(folder / "out" / "deployment.zip") as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_every_locked_package_is_in_it(unpacked: Path) -> None:
    lines = [line for line in (PROJECT / "requirements.txt").read_text().splitlines() if "==" in line]
    locked = {line.partition("==")[0].replace("-", "_") for line in lines}
    shipped = {path.name.partition("-")[0].lower() for path in unpacked.glob("*.dist-info")}
    assert len(locked) > 15
    assert locked <= shipped


def test_it_is_small(unpacked: Path) -> None:
    assert (unpacked.parent / "out" / "deployment.zip").stat().st_size < 12e6
    described = {path.name for path in (unpacked / "botocore" / "data").iterdir() if path.is_dir()}
    assert described == SERVICES


def test_it_answers_by_itself(unpacked: Path) -> None:
    environment = {
        "KEYTURN_TAG_KEYS": TAG_KEYS,
        "KEYTURN_ADDRESS": "https://keyturn.example.com",
        "HOME": str(unpacked),
    }
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, str(unpacked)],
        env={**environment, **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
