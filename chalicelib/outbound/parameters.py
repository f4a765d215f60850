"""Secrets in AWS Systems Manager's Parameter Store, encrypted by KMS (SecureString)."""

from __future__ import annotations

import contextlib
from typing import Any


class Parameter:
    """One parameter. Every call is a request to AWS."""

    def __init__(self, name: str, region: str, key: str | None = None) -> None:
        """`key`: the KMS key that encrypts it, by id, ARN or alias; None for the account's. No network is used yet."""
        from botocore.session import get_session

        self._name = name
        self._key = {} if key is None else {"KeyId": key}
        self._client: Any = get_session().create_client("ssm", region_name=region)

    def read(self) -> str | None:
        """Its value, or None if there is no such parameter."""
        try:
            value: str = self._client.get_parameter(Name=self._name, WithDecryption=True)["Parameter"]["Value"]
        except self._client.exceptions.ParameterNotFound:
            return None
        return value

    def write(self, value: str) -> None:
        """Store this value, encrypted, in place of what is there."""
        self._put(value, overwrite=True)

    def begin(self, value: str) -> None:
        """Store this value, encrypted, unless there is one."""
        with contextlib.suppress(self._client.exceptions.ParameterAlreadyExists):
            self._put(value, overwrite=False)

    def _put(self, value: str, overwrite: bool) -> None:
        self._client.put_parameter(Name=self._name, Value=value, Type="SecureString", Overwrite=overwrite, **self._key)
