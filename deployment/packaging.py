"""The Lambda package, and the CloudFormation template with everything that belongs to an installation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from embedded.alone import alone

PROJECT = Path(__file__).parent.parent
RESOURCES = Path(".chalice") / "resources.json"
STAGES = ("dev", "prod")
# botocore describes each of AWS's services in a folder, which are two thirds of the package. These are used; sts is
# asked for credentials by some set-ups.
SERVICES = frozenset({"dynamodb", "events", "sns", "ssm", "sts"})
DESCRIPTIONS = ("botocore", "data")


class PackagingError(Exception):
    """Chalice could not package the app; the message is what it said."""


@dataclass(frozen=True)
class Package:
    """What is in `folder`: `deployment.zip` and `sam.json`."""

    folder: Path

    @property
    def archive(self) -> Path:
        """The code of all functions."""
        return self.folder / "deployment.zip"

    @property
    def template(self) -> dict[str, Any]:
        """As CloudFormation takes it, but for the place of the code."""
        loaded: dict[str, Any] = json.loads((self.folder / "sam.json").read_text())
        return loaded

    def template_with(self, bucket: str, key: str) -> str:
        """The template, for code that is at this place of S3."""
        template = self.template
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
        return json.dumps(template, separators=(",", ":"))


def package(stage: str, folder: Path, project: Path = PROJECT) -> Package:
    """Package the app for a stage. Raises PackagingError."""
    chalice = Path(sys.executable).with_name("chalice")
    merged = ("--merge-template", str(project / RESOURCES))
    with alone(packaging_lock(project)):
        finished = subprocess.run(  # noqa: S603 - our own arguments
            [str(chalice), "package", "--stage", stage, *merged, str(folder)],
            cwd=project,
            env={"AWS_DEFAULT_REGION": "us-east-1", **os.environ},
            capture_output=True,
            text=True,
            check=False,
        )
    said = finished.stdout + finished.stderr
    if finished.returncode or "Could not install" in said:
        raise PackagingError(said.strip())
    made = Package(folder)
    _leave_out_other_services(made.archive)
    return made


def packaging_lock(project: Path) -> Path:
    """Held by whoever packages this project, by us or by Chalice itself.

    Chalice keeps one archive in `.chalice/deployments` and writes each stage's code into it, before it copies it to
    where it is wanted: two at once would get a broken one, or each other's.
    """
    return project / ".chalice" / "deployments" / "lock"


def _leave_out_other_services(archive: Path) -> None:
    slim = archive.with_suffix(".slim")
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(slim, "w", zipfile.ZIP_DEFLATED) as needed:
        for entry in whole.infolist():
            parts = PurePosixPath(entry.filename).parts
            if len(parts) < 4 or parts[:2] != DESCRIPTIONS or parts[2] in SERVICES:
                needed.writestr(entry, whole.read(entry))
    slim.replace(archive)
