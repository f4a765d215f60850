"""A small installation to measure: a database, one service, one bot with one token."""

import base64
import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.account import AccountType
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.directory.services import RegisteredService
from chalicelib.core.oauth.signing_keys import Algorithm
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.settings import Settings
from chalicelib.signing.documents import KeyFile
from chalicelib.signing.keys import add_key
from chalicelib.storage.engine.table import create_table
from embedded.dynamodb import DynamoDBLocal
from embedded.stack import Database

NOWHERE = open(os.devnull, "w")  # noqa: SIM115 - as long as we live


@dataclass(frozen=True)
class Installation:
    """What a measurement needs to ask about one token."""

    keyturn: Keyturn
    administrator: OwnedToken
    service: RegisteredService
    token: OwnedToken
    environment: dict[str, str]

    def introspection_event(self, token: str) -> dict[str, object]:
        """API Gateway's event for `POST /api/rest/oauth2/introspect`."""
        basic = base64.b64encode(f"{self.service.service.id}:{self.service.secret}".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
        return self.event("/api/rest/oauth2/introspect", f"token={token}", headers)

    def event(self, path: str, body: str, headers: dict[str, str] | None = None) -> dict[str, object]:
        """API Gateway's event for a POST; of JSON, without other headers."""
        return {
            "requestContext": {
                "httpMethod": "POST",
                "resourcePath": path,
                "path": path,
                "identity": {"sourceIp": "127.0.0.1"},
            },
            "headers": headers or {"content-type": "application/json"},
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "body": body,
            "isBase64Encoded": False,
        }


def install(database: DynamoDBLocal | Database, keys: Path | None = None) -> Installation:
    """Create the installation; this process's environment is set so that `app` uses it. `keys`: the file with the keys
    that sign, by default beside the database."""
    keys = keys or database.folder / "signing-keys.json"
    environment = {
        **database.environment,
        "KEYTURN_TAG_KEYS": "bench:" + base64.b64encode(os.urandom(32)).decode(),
        "KEYTURN_ADDRESS": "https://keyturn.example.com",
        "KEYTURN_SIGNING_KEYS_FILE": str(keys),
    }
    os.environ.update(environment)
    ensure_key(keys)
    keyturn = Keyturn(Settings.from_environment(os.environ))
    create_table(stream=False)
    origin = Origin(time.time_ns() // 1_000_000, "127.0.0.1")
    administrator = keyturn.first_administrator.issue("admin", origin)
    caller = keyturn.authentication.caller(administrator.secret or "", origin)
    service = keyturn.services.register(caller, ServiceDescription(key="ci", name="CI"))
    bot = keyturn.accounts.create(caller, "bench-bot", "Bench bot", AccountType.BOT)
    token = keyturn.permanent_tokens.create(caller, bot.id, "bench", ["ci"])
    return Installation(keyturn, administrator, service, token, environment)


def answered(event: dict[str, object]) -> Any:
    """What the Lambda function answers. The line that each request prints goes nowhere."""
    from app import app

    with contextlib.redirect_stdout(NOWHERE):
        return app(event, None)


def ensure_key(path: Path) -> None:
    """There is a key to sign access tokens with."""
    document = KeyFile(str(path))
    if document.read() is None:
        add_key(document, Algorithm.ES256, 0)


def fresh_database(folder: str) -> DynamoDBLocal:
    """A database with nothing in it."""
    return DynamoDBLocal(Path(folder))
