"""What tests share: one real DynamoDB engine, and a fresh table of it for every test that wants one."""

from __future__ import annotations

import base64
import functools
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from chalicelib.composition.keyturn import Keyturn, keyturn
from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.caller import Caller
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.directory.services import RegisteredService
from chalicelib.core.secrets.hashing import Argon2Parameters
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.rest.contract import endpoint
from chalicelib.signing.__main__ import main as signing
from chalicelib.storage.engine.table import TableAddress, connect
from chalicelib.web import headers
from chalicelib.web import request as web_request
from embedded.stack import Stack
from tests import tables
from tests.budgets import LONG, only_long
from tests.cutting import CuttingProxy
from tests.engine import JAVA_OPTIONS, OwnDatabase, SharedEngine
from tests.memory.stores import MemoryStores
from tests.pages.chromium import FLAGS, executable

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile(
    "keyturn",
    deadline=None,
    derandomize=True,  # the gate must give the same answer twice
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("keyturn")

os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_OPTIONS)  # of every engine that a test starts, by whatever way

ADDRESS = "https://keyturn.example.com"
TAG_KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()
_table_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    tables.share_sessions()


# Folders, and files that take long by themselves; what is short fills the end.
LONGEST_FIRST = ("aws", "test_schemathesis.py", "collection", "system", "embedded", "pages", "server", "cli")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The gate leaves out what only the long run does. What takes long begins."""
    items.sort(key=_rank)
    left_out = {item for item in items if not LONG and item.get_closest_marker(only_long.name)}
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return min(LONGEST_FIRST.index(name) if name in LONGEST_FIRST else 99 for name in (folder, item.path.name))


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


def pytest_unconfigure(config: pytest.Config) -> None:
    """The engine ends with the process that directs the workers."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is not None and not hasattr(config, "workerinput"):
        SharedEngine(factory.getbasetemp()).stop()


@pytest.fixture(scope="session")
def engine(shared_folder: Path) -> SharedEngine:
    """Amazon's engine, for all workers."""
    return SharedEngine(shared_folder)


@pytest.fixture(scope="session")
def database(engine: SharedEngine) -> OwnDatabase:
    """This worker's part of it."""
    return OwnDatabase(engine)


NewStack = Callable[[str], Stack]


@pytest.fixture(scope="session")
def new_stack(engine: SharedEngine, tmp_path_factory: pytest.TempPathFactory) -> NewStack:
    """Makes installations with a server of their own, and a database of their own in the shared engine."""
    return lambda name: Stack(tmp_path_factory.mktemp(name), OwnDatabase(engine))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser without a screen; one for all tests of a worker."""
    from playwright.sync_api import sync_playwright  # most workers' tests need none

    program = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the keys that sign access tokens."""
    path = tmp_path_factory.mktemp("keys") / "signing-keys.json"
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("KEYTURN_SIGNING_KEYS_FILE", str(path))
        monkeypatch.setenv("KEYTURN_TAG_KEYS", TAG_KEYS)
        assert signing(["ensure"]) == 0
    return path


Install = Callable[[pytest.MonkeyPatch], Iterator[Keyturn]]


@pytest.fixture(scope="session")
def install(database: OwnDatabase, signing_keys: Path) -> Install:
    """Sets this process up for a new table, and undoes it."""
    return functools.partial(installed, database, signing_keys)


@pytest.fixture
def product(install: Install, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    """Keyturn on an empty table; `app` in this process uses it too."""
    yield from install(monkeypatch)


def installed(database: OwnDatabase, signing_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    """Set this process up for a new table, and undo it."""
    configure(signing_keys, monkeypatch)
    for name, value in {**database.environment, "KEYTURN_TABLE": f"keyturn-{next(_table_numbers)}"}.items():
        monkeypatch.setenv(name, value)
    keyturn.cache_clear()
    product = keyturn()
    tables.create()
    yield product
    tables.remove(product.settings.table.name)
    keyturn.cache_clear()


@pytest.fixture(scope="session")
def install_in_memory(signing_keys: Path) -> Install:
    """As `install`, without a database: requests are answered from stores in this process's memory."""
    return functools.partial(installed_in_memory, signing_keys)


def installed_in_memory(signing_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    """Set this process up for stores in its memory, and undo it."""
    configure(signing_keys, monkeypatch)
    monkeypatch.setenv("KEYTURN_TABLE", "none")
    keyturn.cache_clear()
    product = Keyturn(keyturn().settings, MemoryStores())
    for module in (web_request, endpoint, headers):
        monkeypatch.setattr(module, "keyturn", lambda: product)
    yield product
    keyturn.cache_clear()


def configure(signing_keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of an installation in this process. Its hashes are Argon2id at the least that there is: what a hash
    has to cost is tested by itself (`core/secrets/test_hashing.py`), and every server that a test starts pays it.
    """
    monkeypatch.setattr(Argon2Parameters, "__post_init__", lambda parameters: None)
    monkeypatch.setattr(Argon2Parameters.__init__, "__defaults__", (8, 1, 1))
    for name, value in {
        "KEYTURN_TAG_KEYS": TAG_KEYS,
        "KEYTURN_ADDRESS": ADDRESS,
        "KEYTURN_SIGNING_KEYS_FILE": str(signing_keys),
    }.items():
        monkeypatch.setenv(name, value)


_last_moment = 0
_one_at_a_time = threading.Lock()


def now() -> int:
    """The time in milliseconds since the epoch, and never the same twice: what a test makes later is younger."""
    global _last_moment
    with _one_at_a_time:
        _last_moment = max(_last_moment + 1, time.time_ns() // 1_000_000)
        return _last_moment


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

    def restarted(self, **settings: Any) -> Scene:
        """The same installation in another process, with some settings changed."""
        return replace(self, product=Keyturn(replace(self.product.settings, **settings), self.product.stores))

    def is_good(self, secret: str | None, service: RegisteredService | None = None) -> bool:
        """Whether a service accepts the token; `ci` by default."""
        asking = service or self.ci
        return self.product.introspection.introspect(asking.service.id, asking.secret, secret or "", now()) is not None


@pytest.fixture(scope="session")
def first_scene() -> list[tuple[Scene, list[dict[str, Any]]]]:
    """The first scene of this worker with what it stored: later ones are copies, which take one write."""
    return []


@pytest.fixture
def scene(product: Keyturn, first_scene: list[tuple[Scene, list[dict[str, Any]]]]) -> Scene:
    """A small installation to act in."""
    if not first_scene:
        first_scene.append((set_scene(product), tables.copy()))
        return first_scene[0][0]
    scene, stored = first_scene[0]
    tables.fill(stored)
    return replace(scene, product=product)


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
def proxy(scene: Scene, database: OwnDatabase) -> Iterator[CuttingProxy]:
    """Between the scene's Keyturn and the database."""
    address = scene.product.settings.table
    with CuttingProxy(database.url) as proxy:
        connect(TableAddress(address.name, address.region, proxy.url))
        yield proxy
        connect(address)


def files_below(*folders: Path) -> list[Path]:
    """Every file in these folders."""
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
