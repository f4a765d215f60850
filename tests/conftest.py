"""What tests share: one real DynamoDB engine, and a fresh table of it for every test that wants one."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from chalicelib.composition import Keyturn, keyturn
from chalicelib.core.accounts import AccountType, User
from chalicelib.core.authorization import Caller
from chalicelib.core.operations.permanent_tokens import OwnedToken
from chalicelib.core.operations.services import RegisteredService, ServiceDescription
from chalicelib.core.origin import Origin
from chalicelib.signing.__main__ import main as signing
from chalicelib.storage.table import TableAddress, connect, create_table
from embedded.dynamodb import DynamoDBLocal
from tests.cutting import CuttingProxy

settings.register_profile(
    "keyturn",
    deadline=None,
    derandomize=True,  # the gate must give the same answer twice
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("keyturn")

ADDRESS = "https://keyturn.example.com"
TAG_KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()
_table_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoDBLocal]:
    """Amazon's engine on a real file."""
    with DynamoDBLocal(tmp_path_factory.mktemp("database")) as running:
        yield running


@pytest.fixture
def product(database: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    """Keyturn on an empty table; `app` in this process uses it too."""
    yield from installed(database, monkeypatch)


def installed(database: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    """Set this process up for a new table, and undo it."""
    table = f"keyturn-{next(_table_numbers)}"
    environment = {
        **database.environment,
        "KEYTURN_TABLE": table,
        "KEYTURN_TAG_KEYS": TAG_KEYS,
        "KEYTURN_ADDRESS": ADDRESS,
        "KEYTURN_SIGNING_KEYS_FILE": str(database.folder / "signing-keys.json"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    keyturn.cache_clear()
    product = keyturn()
    create_table(stream=False)  # which costs the engine a thread for each table
    signing(["ensure"])
    yield product
    keyturn.cache_clear()


def now() -> int:
    """The time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def origin() -> Origin:
    """A request that comes now."""
    return Origin(now(), "192.0.2.1")


@dataclass(frozen=True)
class Scene:
    """An installation with an administrator, two services, and a bot with a token for the first."""

    product: Keyturn
    administrator: OwnedToken
    ci: RegisteredService
    deploy: RegisteredService
    bot: User
    token: OwnedToken

    def caller(self, secret: str | None = None) -> Caller:
        """Who presents this token; the administrator by default."""
        return self.product.authentication.caller(secret or self.administrator.secret or "", origin())

    def is_good(self, secret: str | None, service: RegisteredService | None = None) -> bool:
        """Whether a service accepts the token; `ci` by default."""
        asking = service or self.ci
        return self.product.introspection.ask(asking.service.id, asking.secret, secret or "", now()) is not None


@pytest.fixture
def scene(product: Keyturn) -> Scene:
    """A small installation to act in."""
    return set_scene(product)


def set_scene(product: Keyturn) -> Scene:
    """Make the scene's things."""
    administrator = product.first_administrator.issue("admin", origin())
    caller = product.authentication.caller(administrator.secret or "", origin())
    ci = product.services.register(caller, ServiceDescription(key="ci", name="Build server"))
    deploy = product.services.register(caller, ServiceDescription(key="deploy", name="Deployment"))
    bot = product.accounts.create(caller, "build-bot", "Build bot", AccountType.BOT)
    token = product.permanent_tokens.create(caller, bot.id, "build", ["ci"])
    return Scene(product, administrator, ci, deploy, bot, token)


@pytest.fixture
def proxy(scene: Scene, database: DynamoDBLocal) -> Iterator[CuttingProxy]:
    """Between the scene's Keyturn and the database."""
    address = scene.product.settings.table
    with CuttingProxy(database.url) as proxy:
        connect(TableAddress(address.name, address.region, proxy.url))
        yield proxy
        connect(address)


def files_below(*folders: Path) -> list[Path]:
    """Every file in these folders."""
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
