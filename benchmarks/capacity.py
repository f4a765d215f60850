"""What each operation costs on DynamoDB: round trips, read units as reported, and items written.

A transaction costs two write units for every item of up to 1 KB (and one more for an entry of the
index); DynamoDB Local does not report that the way AWS bills it, so items are counted instead.

    python -m benchmarks.capacity

Prints the table of docs/reference/capacity.md, which a test compares with what is measured.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pyotp

from benchmarks.installation import Installation, fresh_database, install
from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import READ_GROUP, READ_USER
from chalicelib.core.access.role import Grant
from chalicelib.core.access.rules import Operation
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import LoginRefused
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import parse
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.login.application_passwords import OwnedApplicationPassword
from chalicelib.core.login.log_in import LoginAttempt, OpenedSession
from chalicelib.core.login.totp import STEP_MS
from chalicelib.core.oauth.authorization_codes import AuthorizationRequest
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.storage.engine.batch_get import BatchGetClient
from chalicelib.storage.engine.table import connection

POLICY = Policy(longest_life_days=365, rotation_due_days=90)
READ = Operation.READ_USER
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

    def counted_batch_get(reader: BatchGetClient, request: dict[str, Any]) -> dict[str, Any] | None:
        answer = call(reader, request)
        if answer is not None:
            cost.trips += 1
            cost.read += sum(each["CapacityUnits"] for each in answer["ConsumedCapacity"])
            cost.read += _missed(request, answer)
        return answer

    call = BatchGetClient.call
    events = connection().client.meta.events
    writes = ("TransactWriteItems", "UpdateItem", "PutItem")
    handlers = [("after-call.dynamodb", answered)]
    handlers += [(f"before-parameter-build.dynamodb.{write}", asked) for write in writes]
    for event, handler in handlers:
        events.register(event, handler)
    try:
        with patch.object(BatchGetClient, "call", counted_batch_get):
            yield cost
    finally:
        for event, handler in handlers:
            events.unregister(event, handler)


def _missed(request: dict[str, Any], answer: dict[str, Any]) -> int:
    """Read units of the keys that have no item: AWS takes one for each, and DynamoDB Local does not report it."""
    wanted = sum(len(each["Keys"]) for each in request["RequestItems"].values())
    return wanted - sum(len(found) for found in answer["Responses"].values())


def operations(installation: Installation, origin: Origin) -> Iterator[tuple[str, Cost]]:
    """Each operation with its cost, in an order in which they can follow one another."""
    product = installation.keyturn
    secret = installation.administrator.secret or ""
    caller = product.authentication.caller(secret, origin)
    by_login = parse("login: bench-b*", "", ("login",), (), ())
    opened: list[OpenedSession] = []

    def log_in(password: str = PASSWORD) -> None:
        opened.append(product.login.log_in(LoginAttempt("admin", password), origin))

    acts = AuditQuery(actor_id=caller.user.id, until=origin.now + 1)
    person = _Person(installation, opened, origin)
    another = product.first_administrator.issue("second", origin).secret or ""
    second = product.authentication.caller(another, origin)
    introspect, service, token = product.introspection.introspect, installation.service, installation.token.secret or ""
    steps: list[tuple[str, Callable[[], object]]] = [
        ("introspect a token, with a record of its use", lambda: introspect("ci", service.secret, token, origin.now)),
        ("introspect a token", lambda: introspect("ci", service.secret, token, origin.now)),
        ("introspect an unknown token", lambda: introspect("ci", service.secret, _unknown(), origin.now)),
        ("authenticate a caller of the API", lambda: product.authentication.caller(secret, origin)),
        (
            "look up an account by id",
            lambda: product.accounts.find(caller, installation.token.owner.id, READ),
        ),
        ("look up an account by login", lambda: product.accounts.find(caller, "bench-bot", READ)),
        ("list accounts (3 of 3)", lambda: product.accounts.page(caller, Window())),
        ("find an account by a login's prefix (1)", lambda: product.accounts.page(caller, Window(), by_login)),
        ("count accounts", lambda: product.accounts.page(caller, Window(0, 0))),
        ("create an account", lambda: product.accounts.create(caller, "new", "New", AccountType.BOT)),
        ("rename an account", lambda: product.accounts.update(caller, "new", AccountChange(name="Newer"))),
        ("change a login", lambda: product.accounts.update(caller, "new", AccountChange(login="newer"))),
        ("list an account's tokens (1)", lambda: product.permanent_tokens.page(caller, "bench-bot", Window())),
        ("create a token", lambda: product.permanent_tokens.create(caller, "newer", "t", ["ci"])),
        ("re-scope a token", lambda: _update_token(installation, caller, scope=["keyturn", "ci"])),
        ("rotate a token", lambda: _rotate_token(installation, caller)),
        (
            "preview a policy (3 tokens)",
            lambda: product.lifecycle.policies.preview_for_service(caller, "ci", POLICY, None),
        ),
        ("set a policy", lambda: product.lifecycle.policies.set_for_service(caller, "ci", POLICY)),
        ("process 3 tokens that are due", lambda: product.lifecycle.expiry_notices.run(origin.now)),
        ("check whether any token is due", lambda: product.lifecycle.expiry_notices.run(origin.now)),
        ("list tokens with a label (0)", lambda: product.permanent_tokens.labelled(caller, "nightly", None, 100)),
        ("rename a token", lambda: _update_token(installation, caller, name="renamed")),
        ("grant a role", lambda: product.roles.grant(caller, "newer", "system-admin")),
        ("delete a token", lambda: product.permanent_tokens.delete(caller, "bench-bot", installation.token.token.id)),
        ("set a password", lambda: product.passwords.set(second, "admin", PASSWORD, None)),
        ("log in", log_in),
        ("log in from a known network", log_in),
        ("refuse a login", lambda: _refused(log_in, password="wrong")),
        ("authenticate by a session", person.caller),
        ("start to pair an authenticator app", person.begin),
        ("finish to pair it", person.pair),
        ("create an application password", person.create),
        ("authenticate by an application password", person.call),
        ("delete an application password", person.delete),
        ("turn off 2FA", lambda: product.second_factors.turn_off(person.caller(), "me")),
        ("show an account's second factors", lambda: product.second_factors.status(caller, "admin")),
        ("list an account's application passwords", lambda: product.application_passwords.page(caller, "me", Window())),
        ("list an account's sessions (2)", lambda: product.sessions.page(caller, "admin", Window())),
        ("end a session", lambda: product.sessions.end(caller, "admin", opened[0].session.id)),
        *_of_oauth(installation, person, origin),
        *_of_groups_and_roles(product, caller),
        ("delete an account with 1 token and 2 grants", lambda: product.accounts.delete(caller, "newer")),
        ("register a service", lambda: product.services.register(caller, ServiceDescription("new", "New"))),
        ("look up a service by key", lambda: product.services.get(caller, "new")),
        ("list services (3)", lambda: product.services.page(caller, Window())),
        ("change a service", lambda: product.services.update(caller, "new", ServiceDescription(name="Newer"))),
        ("rotate a service's secret", lambda: product.service_secrets.renew(caller, "new")),
        ("delete a service", lambda: product.services.delete(caller, "new")),
        ("list an actor's latest audit records", lambda: product.audit_trail.page(caller, acts, 100)),
    ]
    for name, step in steps:
        with measured() as cost:
            step()
        yield name, cost


def _of_oauth(installation: Installation, person: _Person, origin: Origin) -> list[tuple[str, Callable[[], object]]]:
    """A service that a person connects, a device, and tokens that get narrower. Steps leave things for the next."""
    product, service = installation.keyturn, installation.service.service
    oauth, kept = product.oauth, {}
    codes, delegations, devices = oauth.authorization_codes, oauth.delegations, oauth.devices

    def request() -> AuthorizationRequest:
        return AuthorizationRequest(service, oauth.scopes.requested("ci", ()), None, "c" * 43, None, offline=True)

    def keep(name: str, step: Callable[[], Any]) -> Callable[[], None]:
        return lambda: kept.update({name: step()})

    def approved() -> object:
        return oauth.approved_scopes.page(person.caller(), "me", Window()).items[0].approval

    return [
        (
            "approve a service's scope",
            lambda: oauth.approved_scopes.approve(person.caller(), service, (service.id,), True),
        ),
        ("issue an authorization code", keep("code", lambda: codes.issue(person.caller(), request()))),
        ("look up an authorization code", keep("found", lambda: codes.recognise(service, kept["code"], origin))),
        ("redeem an authorization code", keep("issued", lambda: codes.redeem(service, kept["found"], origin))),
        (
            "refresh an access token",
            keep("issued", lambda: delegations.refresh(service, kept["issued"].refresh_token, None, origin)),
        ),
        (
            "introspect an access token",
            lambda: product.introspection.introspect(
                "ci", installation.service.secret, kept["issued"].access_token, origin.now
            ),
        ),
        ("exchange an access token", lambda: oauth.token_exchange.exchange(_exchange(kept, service.id), origin)),
        (
            "revoke an access token",
            lambda: oauth.access_token_check.revoke(service.id, kept["issued"].access_token, origin),
        ),
        ("start a device authorization", keep("device", lambda: devices.start(service, "ci", origin))),
        (
            "show a device's user code",
            keep("waiting", lambda: devices.waiting(person.caller(), kept["device"].device.user_code)),
        ),
        ("approve a device", lambda: devices.decide(person.caller(), kept["waiting"], approved=True)),
        ("redeem a device code", lambda: devices.redeem(service, kept["device"].device_code, True, origin)),
        ("list an account's refresh tokens (2)", lambda: delegations.page(person.caller(), "me", Window())),
        (
            "delete an approved scope with 2 refresh tokens",
            lambda: oauth.approved_scopes.delete(person.caller(), "me", approved().id),  # type: ignore[attr-defined]
        ),
    ]


def _exchange(kept: dict[str, Any], audience: str) -> Exchange:
    return Exchange(kept["issued"].access_token, audience=[audience])


def _of_groups_and_roles(product: Keyturn, caller: Caller) -> list[tuple[str, Callable[[], object]]]:
    groups, roles, bot = product.groups, product.roles, "bench-bot"
    key = Grant("", "registered-user").key
    given: list[str] = []

    def grant_to_group() -> None:
        given.append(roles.grant_to_group(caller, "outer", "reader")[0].id)

    def create_token() -> None:
        product.permanent_tokens.create(caller, bot, "n", ["ci"])

    return [
        ("create a group", lambda: groups.create(caller, GroupDescription("outer"))),
        ("create a subgroup", lambda: groups.create(caller, GroupDescription("inner", "outer"))),
        ("look up a group by name", lambda: groups.get(caller, "inner")),
        ("list groups (2)", lambda: groups.page(caller, Window())),
        ("rename a group", lambda: groups.update(caller, "inner", GroupDescription("inside"))),
        ("add a member to a nested group", lambda: groups.add_member(caller, "inside", bot)),
        ("list members (1)", lambda: groups.members(caller, "inside", Window())),
        ("create a role", lambda: roles.create(caller, "reader", "Reader", [READ_USER])),
        ("look up a role by key", lambda: roles.get(caller, "reader")),
        ("list roles (3)", lambda: roles.page(caller, Window())),
        ("change a role", lambda: roles.update(caller, "reader", None, None, [READ_USER, READ_GROUP])),
        ("grant a role to a group", grant_to_group),
        ("list an account's grants", lambda: roles.grants(caller, bot)),
        ("list all grants", lambda: product.all_grants.page(caller, Window())),
        ("list all permissions", lambda: product.services.permissions(caller)),
        ("explain an account's permissions", lambda: product.permissions.explain(caller, bot)),
        (
            "create a token for an account in nested groups",
            lambda: product.permanent_tokens.create(caller, bot, "n", ["ci"]),
        ),
        ("revoke a role", lambda: roles.revoke(caller, bot, key)),
        (
            "revoke a role from a group",
            lambda: roles.revoke_from_group(caller, "outer", given[0]),
        ),
        ("remove a member", lambda: groups.remove_member(caller, "inside", bot)),
        ("delete a group", lambda: groups.delete(caller, "inside")),
        ("delete a role", lambda: roles.delete(caller, "reader")),
    ]


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
        self._caller = replace(self.caller(), second_factor=True)  # as the next call of the session is

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


def _rotate_token(installation: Installation, caller: Any) -> object:
    token = installation.token.token
    return installation.keyturn.rotation.rotate(caller, token.user_id, token.id, 60_000)


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
