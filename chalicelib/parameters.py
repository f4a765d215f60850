"""Secrets in AWS Systems Manager's Parameter Store, encrypted by KMS (SecureString)."""

from __future__ import annotations

from typing import Any


class Parameter:
    """One parameter. Every call is a request to AWS."""

    def __init__(self, name: str, region: str) -> None:
        """No network is used yet."""
        from botocore.session import get_session

        self._name = name
        self._client: Any = get_session().create_client("ssm", region_name=region)

    def read(self) -> str | None:
        """Its value, or None if there is no such parameter."""
        try:
            value: str = self._client.get_parameter(Name=self._name, WithDecryption=True)["Parameter"]["Value"]
        except self._client.exceptions.ParameterNotFound:
            return None
        return value

    def write(self, value: str) -> None:
        """Store this value, encrypted with the account's key for the Parameter Store."""
        self._client.put_parameter(Name=self._name, Value=value, Type="SecureString", Overwrite=True)
