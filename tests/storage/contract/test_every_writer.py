"""What the ports promise of all methods that write: the audit record goes with the change, or neither is written,
and a client's key is good for one change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.role import Grant
from chalicelib.core.access.transaction_limits import MAX_FIXED
from chalicelib.core.audit.idempotency import IdempotencyKey, Replayed, StoredResult
from chalicelib.core.audit.records import AuditQuery, AuditRecord, failure
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.login.authenticators import Authenticators
from chalicelib.core.oauth.ports import Approving
from chalicelib.core.stores import Stores
from chalicelib.core.tokens.ports import Displaced
from chalicelib.storage.transaction import Transaction
from tests.engine import OwnDatabase
from tests.memory.database import Change
from tests.memory.stores import MemoryStores
from tests.storage.contract import making
from tests.storage.contract.conftest import everything, implementation, refused
from tests.storage.contract.making import newer, record, stored_group, stored_role, stored_token, stored_user

Write = Callable[[AuditRecord], Any]


@dataclass
class Scene:
    """Stores with an account, and what else a writer may need, made when it is asked for."""

    stores: Stores
    user: User

    def service(self) -> Any:
        made = making.service()
        self.stores.services.create(made, record())
        return made

    def member(self) -> tuple[Any, User]:
        group = stored_group(self.stores)
        self.stores.groups.add_member(group, self.user, making.access_by(), record())
        return group, newer(self.user, groups=frozenset({group.id}))

    def granted(self) -> tuple[User, Grant]:
        role = stored_role(self.stores)
        self.stores.roles.grant(self.user, Grant(self.user.id, role.id), role, record())
        return newer(self.user), Grant(self.user.id, role.id)

    def session(self) -> Any:
        made, nothing = making.session(self.user), Authenticators(self.user.id)
        self.stores.authenticators.open_session(made, self.user, nothing, newer(nothing), None, record())
        return made

    def password(self) -> Any:
        made = making.password(self.user)
        self.stores.account_credentials.create(made, self.user, making.with_2fa(self.stores, self.user), record())
        return made

    def code(self) -> Any:
        made = making.code(self.user)
        self.stores.codes.create(made, self.user, record())
        return made

    def delegation(self) -> Any:
        made = making.delegation(self.user)
        self.stores.codes.redeem(self.code(), made, [], record())
        return made

    def approval(self) -> Any:
        made = making.approval(self.user)
        self.stores.approved_scopes.approve(None, made, self.user, record())
        return made

    def device(self) -> Any:
        made = making.device()
        self.stores.devices.create(made)
        return made

    def rule(self) -> Any:
        made = making.trust_rule(self.user)
        self.stores.trust_rules.create(made, self.user, None, record())
        return made

    def webhook(self) -> Any:
        made = making.webhook()
        self.stores.webhooks.create(made, record())
        return made


def changing(store: str, make: Callable[[Scene], Any], *more: Any) -> Callable[[Scene], Write]:
    """A writer that replaces what is stored."""

    def prepare(scene: Scene) -> Write:
        thing = make(scene)
        return lambda audit: getattr(scene.stores, store).replace(thing, newer(thing), *more, audit)

    return prepare


def deleting(store: str, make: Callable[[Scene], Any], *more: Any) -> Callable[[Scene], Write]:
    """A writer that deletes what is stored."""

    def prepare(scene: Scene) -> Write:
        thing = make(scene)
        return lambda audit: getattr(scene.stores, store).delete(thing, *more, audit)

    return prepare


def token_writer(method: str) -> Callable[[Scene], Write]:
    def prepare(scene: Scene) -> Write:
        tokens, owner = scene.stores.tokens, scene.user
        token, new = stored_token(scene.stores, owner, name="n"), making.token(owner)
        other, named = stored_token(scene.stores, owner), making.token(owner, name="n")
        gone = Displaced(token, record("permanent-token.deleted"))
        writers: dict[str, Write] = {
            "create": lambda audit: tokens.create(new, owner, None, audit),
            "replace": lambda audit: tokens.replace(token, newer(token), owner, None, audit),
            "create, displacing": lambda audit: tokens.create(named, owner, None, audit, gone),
            "replace, displacing": lambda audit: tokens.replace(
                other, newer(other, name="n"), owner, None, audit, gone
            ),
            "delete": lambda audit: tokens.delete(token, audit),
            "update_system_fields": lambda audit: tokens.update_system_fields(token, newer(token), audit, due=7),
        }
        return writers[method]

    return prepare


def authenticators_replace(scene: Scene) -> Write:
    old = Authenticators(scene.user.id)
    return lambda audit: scene.stores.authenticators.replace(scene.user, old, newer(old), None, False, audit)


def open_session(scene: Scene) -> Write:
    old, session = Authenticators(scene.user.id), making.session(scene.user)
    return lambda audit: scene.stores.authenticators.open_session(session, scene.user, old, newer(old), None, audit)


def password_create(scene: Scene) -> Write:
    known, password = making.with_2fa(scene.stores, scene.user), making.password(scene.user)
    return lambda audit: scene.stores.account_credentials.create(password, scene.user, known, audit)


def grant(scene: Scene) -> Write:
    role = stored_role(scene.stores)
    return lambda audit: scene.stores.roles.grant(scene.user, Grant(scene.user.id, role.id), role, audit)


def revoke(scene: Scene) -> Write:
    owner, held = scene.granted()
    return lambda audit: scene.stores.roles.revoke(owner, held, audit)


def add_member(scene: Scene) -> Write:
    group = stored_group(scene.stores)
    return lambda audit: scene.stores.groups.add_member(group, scene.user, making.access_by(group), audit)


def remove_member(scene: Scene) -> Write:
    group, member = scene.member()
    return lambda audit: scene.stores.groups.remove_member(group, member, audit)


def redeem_code(scene: Scene) -> Write:
    code, evicted, begun = scene.code(), scene.delegation(), making.delegation(scene.user)
    return lambda audit: scene.stores.codes.redeem(code, begun, [evicted], audit)


def redeem_device(scene: Scene) -> Write:
    device, evicted, begun = scene.device(), scene.delegation(), making.delegation(scene.user)
    return lambda audit: scene.stores.devices.redeem(device, begun, [evicted], audit)


def decide(scene: Scene) -> Write:
    device, approval = scene.device(), making.approval(scene.user)
    approving = Approving(None, approval, scene.user, record())
    return lambda audit: scene.stores.devices.decide(device, newer(device, user_id="u"), approving, audit)


def reapprove(scene: Scene) -> Write:
    old = scene.approval()
    return lambda audit: scene.stores.approved_scopes.approve(old, newer(old), scene.user, audit)


def withdraw(scene: Scene) -> Write:
    approval = scene.approval()
    return lambda audit: scene.stores.approved_scopes.delete(approval, audit)


def count_wrong_code(scene: Scene) -> Write:
    old = making.with_2fa(scene.stores, scene.user)
    return lambda audit: scene.stores.authenticators.count_wrong_code(old, old.with_wrong_code(), audit)


def rule_replace(scene: Scene) -> Write:
    old = scene.rule()
    return lambda audit: scene.stores.trust_rules.replace(old, newer(old), scene.user, None, audit)


TOKEN_WRITERS = ("create", "create, displacing", "replace", "replace, displacing", "delete", "update_system_fields")
WRITERS: dict[str, Callable[[Scene], Write]] = {
    "accounts.create": lambda scene: lambda audit: scene.stores.accounts.create(making.user(), [], audit),
    "accounts.replace": changing("accounts", lambda scene: scene.user, False),
    "accounts.delete": deleting("accounts", lambda scene: scene.user),
    **{f"tokens.{method}": token_writer(method) for method in TOKEN_WRITERS},
    "authenticators.replace": authenticators_replace,
    "authenticators.open_session": open_session,
    "authenticators.count_wrong_code": count_wrong_code,
    "account_credentials.create": password_create,
    "account_credentials.delete": deleting("account_credentials", Scene.password),
    "account_credentials.delete, a session": deleting("account_credentials", Scene.session),
    "services.create": lambda scene: lambda audit: scene.stores.services.create(making.service(), audit),
    "services.replace": changing("services", Scene.service),
    "services.delete": deleting("services", Scene.service),
    "groups.create": lambda scene: lambda audit: scene.stores.groups.create(making.group(), None, audit),
    "groups.replace": changing("groups", lambda scene: stored_group(scene.stores), None),
    "groups.delete": deleting("groups", lambda scene: scene.member()[0]),
    "groups.add_member": add_member,
    "groups.remove_member": remove_member,
    "roles.create": lambda scene: lambda audit: scene.stores.roles.create(making.role(), audit),
    "roles.replace": changing("roles", lambda scene: stored_role(scene.stores)),
    "roles.delete": deleting("roles", lambda scene: stored_role(scene.stores)),
    "roles.grant": grant,
    "roles.revoke": revoke,
    "audit.append": lambda scene: lambda audit: scene.stores.audit.append(audit),
    "codes.create": lambda scene: lambda audit: scene.stores.codes.create(making.code(scene.user), scene.user, audit),
    "codes.redeem": redeem_code,
    "delegations.replace": changing("delegations", Scene.delegation),
    "delegations.delete": deleting("delegations", Scene.delegation),
    "approved_scopes.approve": reapprove,
    "approved_scopes.delete": withdraw,
    "devices.decide": decide,
    "devices.redeem": redeem_device,
    "trust_rules.create": lambda scene: (
        lambda audit: scene.stores.trust_rules.create(making.trust_rule(scene.user), scene.user, None, audit)
    ),
    "trust_rules.replace": rule_replace,
    "trust_rules.delete": deleting("trust_rules", Scene.rule),
    "access_tokens.revoke": lambda scene: (
        lambda audit: scene.stores.access_tokens.revoke(making.access_token(scene.user), audit)
    ),
    "webhooks.create": lambda scene: lambda audit: scene.stores.webhooks.create(making.webhook(), audit),
    "webhooks.replace": changing("webhooks", Scene.webhook),
    "webhooks.delete": deleting("webhooks", Scene.webhook),
}


def audit_of(writer: str, **values: Any) -> AuditRecord:
    """Of somebody who has done nothing else. A token's record has to be of a kind that is told as an event."""
    kinds = {"tokens.create": "permanent-token.created", "tokens.delete": "permanent-token.deleted"}
    kind = kinds.get(writer.partition(",")[0], "permanent-token.updated")
    return record(kind, **{"actor_id": making.new_id(), "details": {"name": "Größe"}, **values})


@pytest.mark.parametrize("writer", WRITERS)
def test_the_record_goes_with_the_change_and_a_key_is_good_for_one(stores: Stores, writer: str) -> None:
    write = WRITERS[writer](Scene(stores, stored_user(stores)))
    idempotency_key = IdempotencyKey(making.name(), "fingerprint")
    used = record(idempotency_key=idempotency_key)
    stores.roles.create(making.role(), used)
    with refused(stores, Replayed):
        write(audit_of(writer, idempotency_key=idempotency_key, actor_id=used.actor_id))
    fresh = IdempotencyKey(making.name(), "another")
    audit = audit_of(writer, idempotency_key=fresh)
    write(audit)
    assert stores.idempotency.find(audit.actor_id, fresh.key) == StoredResult("another", audit.target_id)
    for query in (
        AuditQuery(actor_id=audit.actor_id),
        AuditQuery(target_id=audit.target_id),
        AuditQuery(since=audit.at, until=audit.at),
    ):
        found = list(stores.audit.page(query, 10).records)
        assert [(each.id, each.details, each.kind) for each in found] == [(audit.id, audit.details, audit.kind)]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_dry_run_is_refused_as_the_write_would_be_and_writes_nothing(stores: Stores, writer: str) -> None:
    write = WRITERS[writer](Scene(stores, stored_user(stores)))
    idempotency_key = IdempotencyKey(making.name(), "fingerprint")
    used = record(idempotency_key=idempotency_key)
    stores.roles.create(making.role(), used)
    with refused(stores, Replayed), stores.dry_run(True):
        write(audit_of(writer, idempotency_key=idempotency_key, actor_id=used.actor_id))
    before, audit = everything(stores), audit_of(writer, idempotency_key=IdempotencyKey(making.name(), "another"))
    with stores.dry_run(True):
        write(audit)
    assert everything(stores) == before
    with stores.dry_run(True), stores.dry_run(False):
        write(audit)
    assert stores.audit.page(AuditQuery(actor_id=audit.actor_id), 10).records


def test_whatever_would_be_refused_is_so_in_a_dry_run(stores: Stores) -> None:
    """Each kind of condition: a check, a deletion, what is stored anew or over something, and a part of something."""
    scene = Scene(stores, stored_user(stores))
    old, token, group = scene.user, stored_token(stores, scene.user), stored_group(stores)
    taken = making.token(old, name=token.name)
    stale = newer(token)
    refusals: list[tuple[type[Exception], Callable[[], Any]]] = [
        (Conflict, lambda: stores.tokens.create(taken, old, None, audit_of("tokens.create"))),
        (StaleWrite, lambda: stores.tokens.create(making.token(old), newer(old), None, audit_of("tokens.create"))),
        (StaleWrite, lambda: stores.tokens.delete(stale, audit_of("tokens.delete"))),
        (StaleWrite, lambda: stores.tokens.replace(stale, stale, old, None, audit_of("tokens.replace"))),
        (StaleWrite, lambda: stores.groups.add_member(group, newer(old), making.access_by(group), record())),
    ]
    for error, write in refusals:
        for dry in (True, False):
            with refused(stores, error), stores.dry_run(dry):
                write()


def test_what_hangs_on_what_a_dry_run_would_delete_is_not_swept_away(stores: Stores) -> None:
    scene = Scene(stores, stored_user(stores))
    approval, code = scene.approval(), scene.code()
    hanging = making.delegation(scene.user, approval_id=approval.id, client_id=approval.client_id)
    stores.codes.redeem(code, hanging, [], record())
    password = scene.password()
    group, user = scene.member()
    before = everything(stores)
    with stores.dry_run(True):
        stores.delegations.sweep(approval)
        stores.account_credentials.sweep([password])
        stores.groups.delete(group, record())
        stores.accounts.delete(user, record())
    assert everything(stores) == before


def test_what_is_only_counted_or_noted_is_so_in_a_dry_run_too(stores: Stores) -> None:
    scene = Scene(stores, stored_user(stores))
    rule, actor = scene.rule(), making.new_id()
    with stores.dry_run(True):
        stores.trust_rules.mark_used(rule, 7)
        stores.audit.count(failure("login.failed", making.NOW, "192.0.2.1", ("user", actor), actor, actor))
    assert stores.trust_rules.list(scene.user.id)[0].last_used == 7
    assert stores.audit.page(AuditQuery(actor_id=actor), 10).records


def steps_of(stores: Stores, writer: str) -> int:
    """How many steps the transaction of this writer takes, with a client's key."""
    taken: list[int] = []
    counted: Any = Change if isinstance(stores, MemoryStores) else Transaction
    carry_out = counted.commit

    def commit(self: Any) -> None:
        taken.append(self.steps if isinstance(self, Change) else len(self))
        carry_out(self)

    write = WRITERS[writer](Scene(stores, stored_user(stores, type=AccountType.BOT)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(counted, "commit", commit)
        write(audit_of(writer, idempotency_key=IdempotencyKey(making.name(), "fingerprint")))
    return taken[0]  # others sweep afterwards


def test_memory_takes_as_many_steps_as_the_database(database: OwnDatabase) -> None:
    """So rules that are tested in memory cannot need more than a transaction holds. Without labels, and access that was
    compared, which the rules count, none of them needs more than is left for it."""
    with implementation("dynamodb", lambda: database) as (stores, _):
        on_the_database = {writer: steps_of(stores, writer) for writer in WRITERS}
    assert {writer: steps_of(MemoryStores(), writer) for writer in WRITERS} == on_the_database
    assert {writer for writer, steps in on_the_database.items() if steps > MAX_FIXED} <= {"accounts.create"}


def test_no_writer_is_left_out() -> None:
    """Whoever takes an audit record is in the table above."""
    import ast
    import inspect
    from importlib import import_module

    from chalicelib.core import stores as protocols

    by_port = {
        annotation: name
        for name, member in vars(protocols.Stores).items()
        if isinstance(member, property) and member.fget
        for annotation in [member.fget.__annotations__["return"]]
    }
    found = {
        alias.name: getattr(import_module(statement.module or ""), alias.name)
        for statement in ast.walk(ast.parse(inspect.getsource(protocols)))
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.name in by_port
    }
    assert found.keys() == by_port.keys()
    writers = {
        f"{by_port[port_name]}.{name}"
        for port_name, port in found.items()
        for name, method in inspect.getmembers(port, inspect.isfunction)
        if {"audit", "record"} & set(inspect.signature(method).parameters)
    }
    assert writers == {writer.partition(",")[0] for writer in WRITERS}
