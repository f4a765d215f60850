"""What an installation needs besides its stack: keys, which no template can hold, and an administrator."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.outbound.parameters import Parameter
from chalicelib.settings import Settings
from deployment.export_signature import Signer
from deployment.packaging import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG_KEY_BYTES = 32


class CommandFailed(Exception):
    """One of the product's own commands failed; the message is what it said."""


@dataclass(frozen=True)
class Installation:
    """One stage in one region; the names are those of `.chalice/config.json`."""

    stage: str
    region: str

    @property
    def name(self) -> str:
        """Of the stack, the table and the key."""
        return f"keyturn-{self.stage}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings with which the product's commands reach it."""
        return {
            "AWS_REGION": self.region,
            "KEYTURN_TABLE": self.name,
            "KEYTURN_TAG_KEYS_PARAMETER": f"/{self.name}/tag-keys",
            "KEYTURN_SIGNING_KEYS_PARAMETER": f"/{self.name}/signing-keys",
            "KEYTURN_PARAMETERS_KEY": f"alias/{self.name}",
        }

    def signers(self) -> list[Signer]:
        """Who signs exports in its name: the first one today, the others by keys that it still has. Raises
        SettingsError if its tag keys are not to be had."""
        settings = Settings.from_environment({**os.environ, **self.environment})
        return [Signer(key) for key in settings.tag_keys.values()]

    def ensure_keys(self) -> None:
        """There are tag keys and signing keys. Those that exist are left as they are: tokens hang on them."""
        parameter = Parameter(f"/{self.name}/tag-keys", self.region, f"alias/{self.name}")
        parameter.begin("k1:" + base64.b64encode(secrets.token_bytes(TAG_KEY_BYTES)).decode())
        self._run("chalicelib.signing", "ensure")

    def administrator(self, login: str) -> str:
        """A token of this administrator, who is made where missing."""
        return self._run("chalicelib.bootstrap", "--login", login)

    def migrate(self) -> str:
        """What was done to bring the table into today's form."""
        return self._run("chalicelib.migrate")

    def _run(self, module: str, *arguments: str) -> str:
        finished = subprocess.run(  # noqa: S603 - our own arguments
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise CommandFailed(f"{module}: {finished.stderr.strip()}")
        return finished.stdout.strip()
