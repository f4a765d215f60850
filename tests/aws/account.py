"""An AWS account that is not Amazon's: MiniStack, which makes stacks of templates with SAM's transform, runs packages
as Lambda functions and enforces IAM, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from embedded.layout import HOST, PROJECT
from embedded.processes import PortProcess, free_port
from tests.programs import installed

START_SECONDS = 60.0
BUCKET = "keyturn-packages"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Account(PortProcess):
    """What it keeps is in `folder`; `enforced`: IAM lets through what policies allow, and nothing else."""

    def __init__(self, folder: Path, enforced: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "ministack.pid", folder / "ministack.log", "ministack")
        self.folder = folder
        self._enforced = enforced

    @property
    def environment(self) -> dict[str, str]:
        """With which AWS's own libraries reach it as the account's owner."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEYTURN_"))}
        return {**kept, **CREDENTIALS, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    def start(self) -> None:
        """Start it, with a bucket for packages."""
        port = free_port()
        program = installed(Path(__file__).parent / "ministack.txt") / "ministack"
        settings = {"GATEWAY_PORT": str(port), "BIND_HOST": HOST, "IOT_MTLS_ENABLED": "0"}
        settings |= {"HOME": str(self.folder), "TMPDIR": str(self.folder)}
        environment = {**os.environ, **CREDENTIALS, **settings, **({"AUTH": "true"} if self._enforced else {})}
        self.launch([str(program)], port, START_SECONDS, self.folder, environment)
        self.client("s3").create_bucket(Bucket=BUCKET)

    def client(self, service: str) -> Any:
        """One of AWS's clients, as the account's owner."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.Session().client(service, region_name=REGION, endpoint_url=self.url, **keys)  # type: ignore[call-overload]

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """`python -m deployment` with these arguments, by the owner."""
        return subprocess.run(
            [sys.executable, "-m", "deployment", *arguments],
            cwd=PROJECT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def __enter__(self) -> Account:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
