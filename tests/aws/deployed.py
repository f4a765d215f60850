"""A plugin of pytest: every installation that a test starts is deployed to an account of its own, from the package, and
asked through API Gateway. What its functions ask of AWS is written to the file that KEYTURN_CALLS names.

    python -m pytest -p tests.aws.deployed tests/cli …
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import embedded.stack
from deployment.installation import Installation
from embedded.stack import ADMINISTRATOR, Stack
from tests.aws.account import BUCKET, REGION, Account
from tests.aws.calls import needs
from tests.cutting import CuttingProxy

STAGE = "prod"
FUNCTIONS = {"APIHandler": "api_handler", "TellEvents": "tell_events", "EveryMinute": "every_minute"}
PACKAGE = "KEYTURN_PACKAGE"  # the folder with the package, made once for all installations
CALLS = "KEYTURN_CALLS"


class Gateway:
    """The deployed API, in place of a server of ours."""

    def __init__(self, account: Account, api: str) -> None:
        self.url = f"{account.url}/restapis/{api}/api/_user_request_"
        self.address = self.url.replace("127.0.0.1", "localhost")

    def stop(self) -> None:
        """It ends with its account."""


class DeployedStack(Stack):
    """What `Stack` offers, on an account of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.account = Account(folder / "account")
        self._recorders = contextlib.ExitStack()
        self._writing = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """With which the product's own commands reach it."""
        return {**self.account.environment, **Installation(STAGE, REGION).environment}

    def start(self, port: int | None = None) -> None:
        """Deploy it, and have its functions speak to AWS where we hear it."""
        self.account.start()
        done = self.account.run("deploy", "--stage", STAGE, "--bucket", BUCKET, "--package", os.environ[PACKAGE], "--yes")
        assert done.returncode == 0, done.stderr
        self.secrets.write(ADMINISTRATOR, done.stdout.strip())
        gateway = Gateway(self.account, self._resource("RestAPI"))
        for name, function in FUNCTIONS.items():
            recorder = CuttingProxy(self.account.url, seen=lambda request, of=function: self._record(of, request))
            self._recorders.enter_context(recorder)
            self._set(name, {"AWS_ENDPOINT_URL": recorder.url, "KEYTURN_ADDRESS": gateway.address})
        self.server = gateway  # type: ignore[assignment]

    def start_worker(self, schedule_seconds: float = 60.0) -> None:
        """The table's stream and the schedule are there already."""

    def stop(self) -> None:
        """End the account, and with it everything."""
        self.account.stop()
        self._recorders.close()

    def _resource(self, name: str) -> str:
        cloudformation = self.account.client("cloudformation")
        described = cloudformation.describe_stack_resource(StackName=f"keyturn-{STAGE}", LogicalResourceId=name)
        found: str = described["StackResourceDetail"]["PhysicalResourceId"]
        return found

    def _set(self, name: str, more: Mapping[str, str]) -> None:
        functions, real = self.account.client("lambda"), self._resource(name)
        known = functions.get_function_configuration(FunctionName=real)["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName=real, Environment={"Variables": {**known, **more}})

    def _record(self, function: str, request: bytes) -> None:
        lines = [json.dumps([function, each.action, each.resource]) for each in sorted(needs(request))]
        with self._writing, Path(os.environ[CALLS]).open("a") as file:
            file.write("\n".join(lines) + "\n")


embedded.stack.Stack = DeployedStack  # type: ignore[misc]
