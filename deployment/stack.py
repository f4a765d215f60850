"""One installation as a CloudFormation stack: made, changed and removed.

Source: the CloudFormation user guide, "Updating stacks using change sets"; a template with a transform can be deployed
by a change set alone.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boto3.session import Session

    from deployment.packaging import Package

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
PAUSE_SECONDS = 2.0
GONE = "DELETE_COMPLETE"


class DeploymentError(Exception):
    """CloudFormation refused or failed; the message says what."""


@dataclass(frozen=True)
class Change:
    """What will become of one resource."""

    action: str
    name: str
    type: str
    replacement: bool


class Stack:
    """The stack of this name in the session's region."""

    def __init__(self, session: Session, name: str, bucket: str) -> None:
        self.name = name
        self._bucket = bucket
        self._cloudformation: Any = session.client("cloudformation")
        self._s3: Any = session.client("s3")

    def upload(self, package: Package) -> str:
        """Put code and template into the bucket, under names that their content gives; where the template is."""
        code = package.archive.read_bytes()
        key = f"keyturn/{hashlib.sha256(code).hexdigest()}.zip"
        template = package.template_with(self._bucket, key).encode()
        place = f"keyturn/{hashlib.sha256(template).hexdigest()}.json"
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=code)
            self._s3.put_object(Bucket=self._bucket, Key=place, Body=template)
        except ClientError as error:
            raise DeploymentError(f"The bucket {self._bucket} cannot be written to: {_said(error)}") from None
        url: str = self._s3.generate_presigned_url("get_object", Params={"Bucket": self._bucket, "Key": place})
        return url.partition("?")[0]

    def status(self) -> str | None:
        """None if there is no such stack."""
        stack = self._described()
        return stack["StackStatus"] if stack else None

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever carried out: a change set that was only looked at leaves an empty stack."""
        return self.status() in (None, "REVIEW_IN_PROGRESS")

    def outputs(self) -> dict[str, str]:
        """What the stack tells."""
        stack = self._described() or {}
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """What the stack was last deployed with."""
        stack = self._described() or {}
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}

    def prepare(self, template_url: str, parameters: Mapping[str, str]) -> list[Change]:
        """Make a change set: what would change. Raises DeploymentError."""
        name = f"keyturn-{time.time_ns()}"
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())]
        try:
            made = self._cloudformation.create_change_set(
                StackName=self.name,
                ChangeSetName=name,
                ChangeSetType="CREATE" if self.is_new else "UPDATE",
                TemplateURL=template_url,
                Parameters=given,
                Capabilities=CAPABILITIES,
            )
        except ClientError as error:
            raise DeploymentError(_said(error)) from None
        self._change_set = made["Id"]
        described = self._when_made()
        return list(_changes(described))

    def carry_out(self) -> None:
        """Carry out the change set that was prepared, and wait. Raises DeploymentError."""
        self._cloudformation.execute_change_set(ChangeSetName=self._change_set)
        self._settled()

    def remove(self) -> None:
        """Delete the stack, and wait; table, key and logs stay. Raises DeploymentError."""
        described = self._described()
        if described is None:
            return
        self._cloudformation.delete_stack(StackName=self.name)
        self._settled(described["StackId"])

    def _described(self, name: str | None = None) -> dict[str, Any] | None:
        try:
            stacks = self._cloudformation.describe_stacks(StackName=name or self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in _said(error):
                return None
            raise DeploymentError(_said(error)) from None
        found: dict[str, Any] | None = stacks[0] if stacks and (name or stacks[0]["StackStatus"] != GONE) else None
        return found

    def _when_made(self) -> dict[str, Any]:
        while True:
            described: dict[str, Any] = self._cloudformation.describe_change_set(ChangeSetName=self._change_set)
            status, reason = described["Status"], described.get("StatusReason", "")
            if status == "CREATE_COMPLETE":
                return described
            if status == "FAILED":
                self._cloudformation.delete_change_set(ChangeSetName=self._change_set)
                if "didn't contain changes" in reason or "No updates" in reason:
                    return {"Changes": []}
                raise DeploymentError(reason)
            time.sleep(PAUSE_SECONDS)

    def _settled(self, id: str | None = None) -> None:
        while True:
            stack = self._described(id)
            status = stack["StackStatus"] if stack else GONE
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(PAUSE_SECONDS)
        if "ROLLBACK" in status or status.endswith("_FAILED"):
            raise DeploymentError(f"{self.name}: {status}. {'; '.join(self._reasons(id))}")

    def _reasons(self, id: str | None) -> list[str]:
        events = self._cloudformation.describe_stack_events(StackName=id or self.name)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
        return [f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed[:5]]


def _changes(described: Mapping[str, Any]) -> Iterator[Change]:
    for each in described["Changes"]:
        change = each["ResourceChange"]
        replaced = change.get("Replacement") == "True"
        yield Change(change["Action"], change["LogicalResourceId"], change["ResourceType"], replaced)


def _said(error: ClientError) -> str:
    return str(error.response["Error"].get("Message") or error.response["Error"]["Code"])
