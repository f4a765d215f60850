"""An installation on an account of its own, deployed from the package and asked through API Gateway."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from deployment.installation import Installation
from embedded.stack import ADMINISTRATOR, Stack
from embedded.worker import SCHEDULED
from tests.aws.account import BUCKET, REGION, Account
from tests.aws.calls import needs
from tests.cutting import CuttingProxy

STAGE = "prod"
FUNCTIONS = {"APIHandler": "api_handler", "TellEvents": "tell_events", "EveryMinute": "every_minute"}
ROLES = {"APIHandler": "ApiHandlerRole"}
PACKAGE = "KEYTURN_PACKAGE"  # the folder with the package, made once for all installations
CALLS = "KEYTURN_CALLS"  # the file that is told what functions ask of AWS


class Gateway:
    """The deployed API, in place of a server of ours."""

    def __init__(self, account: Account, api: str) -> None:
        self.url = f"{account.url}/restapis/{api}/api/_user_request_"
        self.address = self.url.replace("127.0.0.1", "localhost")

    def stop(self) -> None:
        """It ends with its account."""


class DeployedStack(Stack):
    """What `Stack` offers, on an account of its own."""

    def __init__(self, folder: Path, database: object = None) -> None:
        """`database` is for other stacks: this one's is in its account."""
        super().__init__(folder)
        self.account = Account(folder / "account")
        self.settings: dict[str, str] = {}  # of the functions, besides what the template says
        self.looked_at_first = False  # declined once, before it is deployed
        self._recorders = contextlib.ExitStack()
        self._addresses: dict[str, str] = {}
        self._writing = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """With which the product's own commands reach it."""
        return {**self.account.environment, **Installation(STAGE, REGION).environment}

    def start(self, port: int | None = None) -> None:
        """Deploy it, and have its functions speak to AWS where we hear it."""
        self.account.start()
        if self.looked_at_first:
            looked = self.deploy(typed="n\n")
            assert "Aborted" in looked.stderr, looked.stderr
        done = self.deploy()
        assert done.returncode == 0, done.stderr
        self.secrets.write(ADMINISTRATOR, done.stdout.strip())
        gateway = Gateway(self.account, self._resource("RestAPI"))
        self.settings["KEYTURN_ADDRESS"] = gateway.address
        for name, function in FUNCTIONS.items():
            recorder = CuttingProxy(self.account.url, seen=lambda request, of=function: self._record(of, request))
            self._recorders.enter_context(recorder)
            self._addresses[name] = recorder.url
        self.configure()
        self.server = gateway  # type: ignore[assignment]

    def deploy(self, typed: str = "") -> subprocess.CompletedProcess[str]:
        """As an operator does it, with the package that was made before. Nothing is asked if nothing is typed."""
        package = os.environ[PACKAGE]
        options = ("--stage", STAGE, "--bucket", BUCKET, "--package", package, *(() if typed else ("--yes",)))
        return self.account.run("deploy", *options, typed=typed)

    def configure(self) -> None:
        """Give the functions their settings."""
        functions = self.account.client("lambda")
        for name, address in self._addresses.items():
            real = self._resource(name)
            known = functions.get_function_configuration(FunctionName=real)["Environment"]["Variables"]
            variables = {**known, **self.settings, "AWS_ENDPOINT_URL": address}
            functions.update_function_configuration(FunctionName=real, Environment={"Variables": variables})

    def minute(self) -> None:
        """What the schedule does every minute."""
        functions, name = self.account.client("lambda"), self._resource("EveryMinute")
        done = functions.invoke(FunctionName=name, Payload=json.dumps(SCHEDULED))
        assert "FunctionError" not in done, done["Payload"].read()

    @contextlib.contextmanager
    def forbidden(self, name: str, action: str) -> Iterator[None]:
        """A function may not do this meanwhile."""
        iam, role = self.account.client("iam"), self._resource(ROLES[name])
        document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": action, "Resource": "*"}}
        iam.put_role_policy(RoleName=role, PolicyName="forbidden", PolicyDocument=json.dumps(document))
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="forbidden")

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

    def _record(self, function: str, request: bytes) -> None:
        lines = [json.dumps([function, each.action, each.resource]) for each in sorted(needs(request))]
        with self._writing, Path(os.environ[CALLS]).open("a") as file:
            file.write("\n".join(lines) + "\n")
