"""Things to be stored, each valid, new, and under a name that nobody else has."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.effective import Access, GrantPath
from chalicelib.core.access.group import Group
from chalicelib.core.access.role import SYSTEM_ADMIN, Grant, Role
from chalicelib.core.audit.idempotency import IdempotencyKey
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.directory.service import Service
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.authenticators import Authenticators
from chalicelib.core.login.session import Session
from chalicelib.core.oauth.access_tokens import AccessToken, Source, SourceKind
from chalicelib.core.oauth.delegations import (
    ApprovedScope,
    AuthorizationCode,
    Delegation,
    DeviceAuthorization,
    RefreshSecret,
)
from chalicelib.core.oauth.trust_rules import TrustRule
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.stores import Stores
from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.tokens.token import DETAILS, PermanentToken, TokenDetails
from chalicelib.core.webhooks.webhook import Webhook

NOW = 1_800_000_000_000
_numbers = itertools.count(1)


def name(beginning: str = "thing") -> str:
    return f"{beginning}-{next(_numbers)}-{new_id()}"


def record(kind: str = "user.updated", idempotency_key: IdempotencyKey | None = None, **values: Any) -> AuditRecord:
    """What is written with a change; `values` replace those that it has."""
    made = AuditRecord(
        kind,
        NOW + next(_numbers),
        "actor",
        "credential",
        "192.0.2.1",
        "user",
        new_id(),
        idempotency_key=idempotency_key,
    )
    return replace(made, **values)


def token_record(kind: str = "updated", **values: Any) -> AuditRecord:
    """Of a permanent token, whose changes are told as events."""
    return record(f"permanent-token.{kind}", **values)


def hashed() -> HashedSecret:
    return HashedSecret(f"$argon2id${new_id()}", b"tag!", "key")


def user(**values: Any) -> User:
    return replace(User(new_id(), name("jo").lower(), "Jo Doe", AccountType.USER, NOW), **values)


def bot(**values: Any) -> User:
    return user(type=AccountType.BOT, **values)


def admin(user: User) -> Grant:
    return Grant(user.id, SYSTEM_ADMIN)


def group(**values: Any) -> Group:
    return replace(Group(new_id(), name("Group"), NOW), **values)


def role(**values: Any) -> Role:
    return replace(Role(new_id(), name("role"), "Role", frozenset({"0-0-0-0-0:read-user"}), NOW), **values)


def service(**values: Any) -> Service:
    return replace(Service(new_id(), name("service"), "Service", NOW, secret=hashed()), **values)


def token(owner: User, **values: Any) -> PermanentToken:
    """With `values`, among which the details may be by their own names."""
    made = PermanentToken(new_id(), owner.id, name("token"), ("ci",), "author", "Author", NOW, hashed())
    return replace(made, **_with_details(made, values))


def _with_details(token: PermanentToken, values: dict[str, Any]) -> dict[str, Any]:
    change = TokenDetails.of({name: value for name, value in values.items() if name in DETAILS})
    others = {name: value for name, value in values.items() if name not in DETAILS}
    return {"details": token.details.changed_by(change), **others}


def password(owner: User, **values: Any) -> ApplicationPassword:
    return replace(ApplicationPassword(new_id(), owner.id, name("mail"), NOW, hashed()), **values)


def session(owner: User, **values: Any) -> Session:
    return replace(Session(new_id(), owner.id, NOW, NOW + 1_000_000, "192.0.2.1", False, 0, hashed()), **values)


def approval(owner: User, **values: Any) -> ApprovedScope:
    return replace(ApprovedScope(new_id(), owner.id, new_id(), ("ci",), NOW, NOW + 1_000_000), **values)


def delegation(owner: User, **values: Any) -> Delegation:
    made = Delegation(
        new_id(), owner.id, new_id(), ("ci",), None, NOW, NOW, NOW + 1_000_000, (RefreshSecret(hashed()),)
    )
    return replace(made, **values)


def code(owner: User, **values: Any) -> AuthorizationCode:
    uri, challenge = "https://app.example.com/callback", "challenge"
    made = AuthorizationCode(
        new_id(), owner.id, new_id(), uri, ("ci",), challenge, None, True, None, NOW, NOW + 60_000, "0" * 64
    )
    return replace(made, **values)


def device(**values: Any) -> DeviceAuthorization:
    return replace(DeviceAuthorization(new_id(), new_id(), ("ci",), new_id(), NOW + 600_000, "0" * 64), **values)


def trust_rule(owner: User, **values: Any) -> TrustRule:
    conditions = {"sub": ("a", "b")}
    made = TrustRule(
        new_id(), owner.id, name("rule"), "https://ci.example.com", "keyturn", conditions, ("ci",), "a", "A", NOW
    )
    return replace(made, **values)


def access_token(owner: User, source: Source | None = None, **values: Any) -> AccessToken:
    source = source or Source(SourceKind.PERMANENT_TOKEN, new_id())
    return replace(AccessToken(new_id(), owner.id, "client", ("ci",), ("ci",), source, NOW, NOW + 300_000), **values)


def event(token_id: str, sequence: int, **values: Any) -> Event:
    made = Event(new_id(), EventKind.ROTATED, NOW, token_id, sequence, "owner", "actor", {"name": "x"}, {"a": "b"})
    return replace(made, **values)


def webhook(**values: Any) -> Webhook:
    url = "https://example.com/hook"
    return replace(Webhook(new_id(), name("hook"), url, (EventKind.ROTATED,), "encrypted", NOW), **values)


def stored_user(stores: Stores, *grants: str, **values: Any) -> User:
    """An account that is there, with these roles everywhere."""
    made = user(**values)
    stores.accounts.create(made, [Grant(made.id, role_id) for role_id in grants], record("user.created"))
    return made


def stored_group(stores: Stores, **values: Any) -> Group:
    made = group(**values)
    stores.groups.create(made, None, record("group.created"))
    return made


def stored_role(stores: Stores, **values: Any) -> Role:
    made = role(**values)
    stores.roles.create(made, record("role.created"))
    return made


def stored_token(stores: Stores, owner: User, **values: Any) -> PermanentToken:
    made = token(owner, **values)
    stores.tokens.create(made, owner, None, token_record("created"))
    return made


def with_2fa(stores: Stores, owner: User) -> Authenticators:
    """Authenticators that are stored."""
    old, new = Authenticators(owner.id), Authenticators(owner.id, password="hash", revision=1)
    stores.authenticators.replace(owner, old, new, None, False, record())
    return new


def access_by(*groups: Group, roles: tuple[Role, ...] = ()) -> Access:
    """Access that rests on these groups and roles."""
    return Access(tuple(GrantPath(each, "0") for each in roles), {each.id: each for each in groups})


def newer(thing: Any, **values: Any) -> Any:
    """Its next revision."""
    if isinstance(thing, PermanentToken):
        values = _with_details(thing, values)
    return replace(thing, revision=thing.revision + 1, **values)
