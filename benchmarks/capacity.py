"""What each operation costs on DynamoDB: round trips, read units as reported, and items written.

A transaction costs two write units for every item of up to 1 KB (and one more for an entry of the
index); DynamoDB Local does not report that the way AWS bills it, so items are counted instead.

    python -m benchmarks.capacity

Prints the table of docs/data-model.md, which a test compares with what is measured.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyotp

from benchmarks.installation import Installation, fresh_database, install
from chalicelib.core.accounts import AccountType
from chalicelib.core.authorization import Caller
from chalicelib.core.credentials.one_time_codes import STEP_MS
from chalicelib.core.credentials.wire_format import CredentialKind
from chalicelib.core.errors import LoginRefused
from chalicelib.core.identifiers import new_id
from chalicelib.core.operations.accounts import AccountChange
from chalicelib.core.operations.application_passwords import OwnedApplicationPassword
from chalicelib.core.operations.login import LoginAttempt, OpenedSession
from chalicelib.core.operations.services import ServiceDescription
from chalicelib.core.origin import Origin
from chalicelib.core.paging import Window
from chalicelib.core.search import parse
from chalicelib.storage.table import connection

PASSWORD = "correct horse battery staple"
READS = {"BatchGetItem", "GetItem", "Query"}


@dataclass
class Cost:
    """Round trips, read capacity units, and items written (with what transactions check)."""

    trips: int = 0
    read: float = 0
    written: int = 0


@contextmanager
def measured() -> Iterator[Cost]:
    """The cost of what happens inside."""
    cost = Cost()

    def answered(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        reported = parsed.get("ConsumedCapacity", [])
        cost.trips += 1
        if model.name in READS:
            cost.read += sum(each["CapacityUnits"] for each in (reported if isinstance(reported, list) else [reported]))

    def asked(params: dict[str, Any], **_: Any) -> None:
        cost.written += len(params.get("TransactItems", [params]))

    events = connection().client.meta.events
    writes = ("TransactWriteItems", "UpdateItem", "PutItem")
    handlers = [("after-call.dynamodb", answered)]
    handlers += [(f"before-parameter-build.dynamodb.{write}", asked) for write in writes]
    for event, handler in handlers:
        events.register(event, handler)
    try:
        yield cost
    finally:
        for event, handler in handlers:
            events.unregister(event, handler)


def operations(installation: Installation, origin: Origin) -> Iterator[tuple[str, Cost]]:
    """Each operation with its cost, in an order in which they can follow one another."""
    product = installation.keyturn
    secret = installation.administrator.secret or ""
    caller = product.authentication.caller(secret, origin)
    by_login = parse("login: bench-b", "", ("login",), (), ())
    opened: list[OpenedSession] = []

    def log_in(password: str = PASSWORD) -> None:
        opened.append(product.login.log_in(LoginAttempt("admin", password), origin))

    person = _Person(installation, opened, origin)
    ask, service, token = product.introspection.ask, installation.service, installation.token.secret or ""
    steps: list[tuple[str, Callable[[], object]]] = [
        ("introspect a token, used first in 5 minutes", lambda: ask("ci", service.secret, token, origin.now)),
        ("introspect a token", lambda: ask("ci", service.secret, token, origin.now)),
        ("introspect an unknown token", lambda: ask("ci", service.secret, _unknown(), origin.now)),
        ("authenticate a caller of the API", lambda: product.authentication.caller(secret, origin)),
        ("look up an account by id", lambda: product.accounts.find(caller, installation.token.owner.id)),
        ("look up an account by login", lambda: product.accounts.find(caller, "bench-bot")),
        ("list accounts (2 of 2)", lambda: product.accounts.page(caller, Window())),
        ("find an account by a login's beginning (1)", lambda: product.accounts.page(caller, Window(), by_login)),
        ("count accounts", lambda: product.accounts.page(caller, Window(0, 0))),
        ("create an account", lambda: product.accounts.create(caller, "new", "New", AccountType.BOT)),
        ("rename an account", lambda: product.accounts.update(caller, "new", AccountChange(name="Newer"))),
        ("change a login", lambda: product.accounts.update(caller, "new", AccountChange(login="newer"))),
        ("list an account's tokens (1)", lambda: product.permanent_tokens.page(caller, "bench-bot", Window())),
        ("create a token", lambda: product.permanent_tokens.create(caller, "newer", "t", ["ci"])),
        ("re-scope a token", lambda: _update_token(installation, caller, scope=["keyturn", "ci"])),
        ("rename a token", lambda: _update_token(installation, caller, name="renamed")),
        ("grant a role", lambda: product.roles.grant(caller, "newer", "system-admin")),
        ("delete a token", lambda: product.permanent_tokens.delete(caller, "bench-bot", installation.token.token.id)),
        ("set a password", lambda: product.passwords.set(caller, "admin", PASSWORD, None)),
        ("log in", log_in),
        ("log in where one did before", log_in),
        ("refuse a login", lambda: _refused(log_in, password="wrong")),
        ("call with a session", person.caller),
        ("begin to pair an app", person.begin),
        ("pair it", person.pair),
        ("create an application password", person.create),
        ("call with an application password", person.call),
        ("delete an application password", person.delete),
        ("turn 2FA off", lambda: product.second_factors.turn_off(person.caller(), "me")),
        ("delete an account with 1 token and 2 grants", lambda: product.accounts.delete(caller, "newer")),
        ("register a service", lambda: product.services.register(caller, ServiceDescription("new", "New"))),
        ("delete a service", lambda: product.services.delete(caller, "new")),
    ]
    for name, step in steps:
        with measured() as cost:
            step()
        yield name, cost


@dataclass
class _Person:
    """The administrator, logged in; what one step makes, the next uses."""

    installation: Installation
    opened: list[OpenedSession]
    origin: Origin
    _caller: Caller | None = None
    _totp: str = ""
    _made: OwnedApplicationPassword | None = None

    def caller(self) -> Caller:
        """Without what it costs to find out: that is a row of its own."""
        if self._caller is None:
            product = self.installation.keyturn
            self._caller = product.authentication.caller(self.opened[-1].secret, self.origin)
        return self._caller

    def begin(self) -> None:
        self._totp = self.installation.keyturn.second_factors.begin_pairing(self.caller(), "me").secret

    def pair(self) -> None:
        code = pyotp.HOTP(self._totp).at(self.origin.now // STEP_MS)
        self.installation.keyturn.second_factors.confirm_pairing(self.caller(), "me", code)

    def create(self) -> None:
        self._made = self.installation.keyturn.application_passwords.create(self.caller(), "me", "mail")

    def call(self) -> None:
        assert self._made
        self.installation.keyturn.authentication.caller_by_password("admin", self._made.secret or "", self.origin)

    def delete(self) -> None:
        assert self._made
        self.installation.keyturn.application_passwords.delete(self.caller(), "me", self._made.password.id)


def table(installation: Installation, origin: Origin) -> list[str]:
    """The rows of the table in Markdown."""
    return [
        f"| {name} | {cost.trips} | {cost.read:g} | {cost.written} |" for name, cost in operations(installation, origin)
    ]


def _update_token(installation: Installation, caller: Any, name: str | None = None, scope: Any = None) -> object:
    token = installation.token.token
    return installation.keyturn.permanent_tokens.update(caller, token.user_id, token.id, name, scope)


def _refused(log_in: Callable[..., None], password: str) -> None:
    with contextlib.suppress(LoginRefused):
        log_in(password)


def _unknown() -> str:
    return CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id())


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        print("| operation | round trips | read units | items written |\n|---|---|---|---|")
        print("\n".join(table(installation, Origin(time.time_ns() // 1_000_000, "127.0.0.1"))))


if __name__ == "__main__":
    main()
