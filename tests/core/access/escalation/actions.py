"""Everything that the attacker can try: every operation of the table, on every kind of thing in the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS, READ_SELF
from chalicelib.core.access.role import REGISTERED_USER, SYSTEM_ADMIN
from chalicelib.core.access.rules import Operation
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import NotFound
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.authorization_codes import AuthorizationRequest
from chalicelib.core.oauth.manage_trust_rules import RuleChange, RuleDescription
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.tokens.token import TokenDetails
from chalicelib.core.webhooks.manage import WebhookChange
from chalicelib.core.webhooks.webhook import new_secret
from tests.core.access.escalation.world import FORMER_LOGIN, World
from tests.people import PASSWORD

Action = Callable[[Caller], Any]
STRONG = "another long passphrase of mine!"
BROUGHT = "Vx2Lq9TzB4mKdW7sYc0RfNp5hJeGgE3uAo8iXwMnZ1Q"
ISSUER = "https://token.actions.githubusercontent.com"
OPEN = ServiceDescription(public=True)
PORTAL_ELSEWHERE = ServiceDescription(redirect_uris=["https://mallory.example/"])


def actions(world: World) -> dict[str, Action]:
    """By what each is, in words."""
    found: dict[str, Action] = {}
    for make in (_accounts, _tokens, _logins, _oauth, _services, _groups, _roles, _rest):
        found.update(make(world))
    return found


def _accounts(world: World) -> Iterator[tuple[str, Action]]:
    accounts = world.product.accounts
    for who, id in _everybody(world):
        yield f"rename {who}", lambda by, id=id: accounts.update(by, id, AccountChange(name="Administrator"))
        yield f"change the e-mail of {who}", lambda by, id=id: accounts.update(by, id, AccountChange(email="m@x.org"))
        yield f"describe {who}", lambda by, id=id: accounts.update(by, id, AccountChange(description="x"))
        yield f"give {who} a new login", lambda by, id=id: accounts.update(by, id, AccountChange(login="free"))
        yield f"give {who} a former login", lambda by, id=id: accounts.update(by, id, AccountChange(login=FORMER_LOGIN))
        yield f"ban {who}", lambda by, id=id: accounts.update(by, id, AccountChange(banned=True))
        yield f"delete {who}", lambda by, id=id: accounts.delete(by, id)
        yield f"read {who}", lambda by, id=id: accounts.find(by, id, Operation.READ_USER)
    for login in ("carl", "dave"):
        yield f"lift the ban of {login}", lambda by, who=login: accounts.update(by, who, AccountChange(banned=False))
    yield "own the robot", lambda by: accounts.update(by, world.robot.id, AccountChange(owner="bob"))
    yield "own a stronger bot", lambda by: accounts.update(by, world.scene.bot.id, AccountChange(owner="mallory"))
    yield "create a bot", lambda by: accounts.create(by, "made", "Made", AccountType.BOT)
    yield "create a person", lambda by: accounts.create(by, "person", "Person", AccountType.USER)
    yield "create an account of a former login", lambda by: accounts.create(by, FORMER_LOGIN, "O", AccountType.USER)
    yield "list accounts", lambda by: accounts.page(by, Window())


def _tokens(world: World) -> Iterator[tuple[str, Action]]:
    tokens, rotation, ids = world.product.permanent_tokens, world.product.rotation, world.ids
    for who, id in _everybody(world):
        yield f"create a token of {who}", lambda by, id=id: tokens.create(by, id, "new", ["keyturn"])
        yield f"list tokens of {who}", lambda by, id=id: tokens.page(by, id, Window())
    for whose, owner, name in (
        ("my own", "me", "own"),
        ("my bounded", "me", "bounded"),
        ("bob's", "bob", "lesser's token"),
        ("alice's", "alice", "boss's token"),
    ):
        id = ids[name]
        yield f"describe {whose} token", lambda by, o=owner, id=id: tokens.update(by, o, id, "renamed", None)
        yield f"widen {whose} token", lambda by, o=owner, id=id: tokens.update(by, o, id, None, ["keyturn", "ci"])
        yield f"unbind {whose} token", lambda by, o=owner, id=id: tokens.update(by, o, id, None, None, None)
        yield (
            f"free {whose} token of its networks",
            lambda by, o=owner, id=id: tokens.update(by, o, id, None, None, details=TokenDetails(networks=())),
        )
        yield f"rotate {whose} token", lambda by, o=owner, id=id: rotation.rotate(by, o, id, 0)
        yield f"delete {whose} token", lambda by, o=owner, id=id: tokens.delete(by, o, id)
    yield "rotate what I present", lambda by: rotation.rotate(by, "me", "current", 0)
    yield "read what I present", lambda by: tokens.get(by, "me", "current")
    yield "list all tokens", lambda by: tokens.labelled(by, None, None, 10)


def _logins(world: World) -> Iterator[tuple[str, Action]]:
    product = world.product
    for who, id in _everybody(world):
        yield f"set the password of {who}", lambda by, id=id: product.passwords.set(by, id, STRONG, _current(by, id))
        yield f"turn off 2FA of {who}", lambda by, id=id: product.second_factors.turn_off(by, id)
        yield f"see the second factors of {who}", lambda by, id=id: product.second_factors.status(by, id)
        yield f"list sessions of {who}", lambda by, id=id: product.sessions.page(by, id, Window())
        yield f"end all sessions of {who}", lambda by, id=id: product.sessions.end_all(by, id)
        yield (
            f"list application passwords of {who}",
            lambda by, id=id: product.application_passwords.page(by, id, Window()),
        )
    yield "renew my recovery codes", lambda by: product.second_factors.renew_recovery_codes(by, "me")
    yield "create an application password", lambda by: product.application_passwords.create(by, "me", "more")
    yield (
        "delete my application password",
        lambda by: product.application_passwords.delete(by, "me", world.ids["application password"]),
    )


def _current(by: Caller, id: str) -> str | None:
    return PASSWORD if by.user.id == id else None


def _oauth(world: World) -> Iterator[tuple[str, Action]]:
    oauth = world.product.oauth
    deploy, portal = (world.product.services.resolve([key])[key] for key in ("deploy", "portal"))
    rule = RuleDescription("r", ISSUER, "keyturn", {"repository_owner": ["mallory"]}, ["keyturn"])
    lasting = replace(rule, name="l", lasting=True)
    yield "approve a service", lambda by: oauth.approved_scopes.approve(by, deploy, (deploy.id,))
    yield "be asked by a trusted service about Keyturn", lambda by: _code_unasked(world, by, portal, "keyturn")
    for who, id in _everybody(world):
        yield f"list approvals of {who}", lambda by, id=id: oauth.approved_scopes.page(by, id, Window())
        yield f"list refresh tokens of {who}", lambda by, id=id: oauth.delegations.page(by, id, Window())
    yield "withdraw my approval", lambda by: _withdraw(world, by)
    yield "delete my refresh token", lambda by: _delete_delegation(world, by)
    for who, id in (("the robot", world.robot.id), ("a stronger bot", world.scene.bot.id)):
        yield f"make a trust rule of {who}", lambda by, id=id: oauth.trust_rules.create(by, id, rule)
        yield f"make a lasting trust rule of {who}", lambda by, id=id: oauth.trust_rules.create(by, id, lasting)
        yield f"list trust rules of {who}", lambda by, id=id: oauth.trust_rules.page(by, id, Window())
        yield f"try the trust rules of {who}", lambda by, id=id: oauth.trust_rules.try_out(by, id, "a.b.c")
    rule_id = world.ids["trust rule"]
    for what, change in (
        ("let more in by", RuleChange(conditions={"repository_owner": ["acme", "mallory"]})),
        ("open more by", RuleChange(scope=["keyturn", "ci"])),
        ("rename", RuleChange(name="renamed")),
        ("allow what lasts by", RuleChange(lasting=True)),
    ):
        yield f"{what} a trust rule", lambda by, c=change: oauth.trust_rules.update(by, world.robot.id, rule_id, c)
        yield (
            f"{what} a trust rule of a stronger bot",
            lambda by, c=change: oauth.trust_rules.update(by, world.scene.bot.id, world.ids["stronger rule"], c),
        )
    yield "delete a trust rule", lambda by: oauth.trust_rules.delete(by, world.robot.id, rule_id)


def _code_unasked(world: World, by: Caller, client: Any, scope: str) -> str:
    oauth = world.product.oauth
    request = AuthorizationRequest(client, oauth.scopes.requested(scope, ()), None, "c" * 43, None, offline=False)
    if oauth.authorization_codes.needs_consent(by, request):
        return "asked"
    return oauth.authorization_codes.issue(by, request)


def _withdraw(world: World, by: Caller) -> None:
    oauth = world.product.oauth
    for approval in world.product.stores.approved_scopes.list(by.user.id):
        oauth.approved_scopes.delete(by, "me", approval.id)


def _delete_delegation(world: World, by: Caller) -> None:
    for delegation in world.product.stores.delegations.list(by.user.id):
        world.product.oauth.delegations.delete(by, "me", delegation.id)


def _services(world: World) -> Iterator[tuple[str, Action]]:
    services, policies = world.product.services, world.product.lifecycle.policies
    secrets = world.product.service_secrets
    trusted = ServiceDescription(key="mine", name="Mine", trusted=True)
    yield "create a service", lambda by: services.register(by, ServiceDescription(key="mine", name="Mine"))
    yield "create a trusted service", lambda by: services.register(by, trusted)
    for key in ("ci", "portal"):
        yield f"read {key}", lambda by, key=key: services.get(by, key)
        yield f"rename {key}", lambda by, key=key: services.update(by, key, ServiceDescription(name="New"))
        yield f"trust or distrust {key}", lambda by, key=key: _turn_trust(world, by, key)
        yield f"send the codes of {key} elsewhere", lambda by, key=key: services.update(by, key, PORTAL_ELSEWHERE)
        yield (
            f"open {key} without a secret",
            lambda by, key=key: services.update(by, key, OPEN),
        )
        yield f"renew the secret of {key}", lambda by, key=key: secrets.renew(by, key)
        yield f"bring a secret of {key}", lambda by, key=key: secrets.renew(by, key, 60_000, BROUGHT)
        yield f"compare a secret of {key}", lambda by, key=key: secrets.has_current(by, key, BROUGHT)
        kept = world.ids[f"earlier secret of {key}"]
        yield f"take a renewal of {key} back", lambda by, key=key, kept=kept: secrets.roll_back(by, key, kept)
        yield f"delete {key}", lambda by, key=key: services.delete(by, key)
        yield f"set a policy of {key}", lambda by, key=key: policies.set_for_service(by, key, Policy(unused_days=9))
    yield "set a policy of Keyturn", lambda by: policies.set_for_service(by, "keyturn", Policy(unused_days=9))


def _turn_trust(world: World, by: Caller, key: str) -> None:
    services = world.product.services
    services.update(by, key, ServiceDescription(trusted=not services.find(by, key).trusted))


def _groups(world: World) -> Iterator[tuple[str, Action]]:
    groups, policies = world.product.groups, world.product.lifecycle.policies
    yield "create a group", lambda by: groups.create(by, GroupDescription(name="mine"))
    yield "create a group inside of a powerful one", lambda by: groups.create(by, GroupDescription("mine", "admins"))
    for name in ("admins", "staff", "plain", "nested", "loose", "vacant"):
        described = partial(groups.update, reference=name)
        yield f"read {name}", lambda by, name=name: groups.get(by, name)
        yield f"rename {name}", lambda by, d=described: d(by, description=GroupDescription("renamed"))
        yield (
            f"drop the second factor of {name}",
            lambda by, d=described: d(by, description=GroupDescription(requires_two_factor=False)),
        )
        yield (
            f"demand a second factor of {name}",
            lambda by, d=described: d(by, description=GroupDescription(requires_two_factor=True)),
        )
        yield f"take the policy from {name}", lambda by, name=name: policies.set_for_group(by, name, None)
        yield f"give {name} a policy", lambda by, name=name: policies.set_for_group(by, name, Policy(unused_days=9))
        yield f"delete {name}", lambda by, name=name: groups.delete(by, name)
        for who, id in _everybody(world):
            yield f"put {who} into {name}", lambda by, name=name, id=id: groups.add_member(by, name, id)
            yield f"take {who} out of {name}", lambda by, name=name, id=id: groups.remove_member(by, name, id)
    yield "move a group into a powerful one", lambda by: groups.update(by, "plain", GroupDescription(parent="admins"))
    yield "move a group into another", lambda by: groups.update(by, "plain", GroupDescription(parent="staff"))
    yield "move a group out", lambda by: groups.update(by, "inside", GroupDescription(parent=OUTERMOST))
    out = GroupDescription(parent=OUTERMOST)
    yield "move a group out of a powerful one", lambda by: groups.update(by, "nested", out)
    yield "move a group out of a plain one", lambda by: groups.update(by, "leaf", out)
    yield "move a stronger member's group", lambda by: groups.update(by, "loose", GroupDescription(parent="staff"))
    yield "move a group with subgroups", lambda by: groups.update(by, "tree", GroupDescription(parent="plain"))


def _roles(world: World) -> Iterator[tuple[str, Action]]:
    roles, run = world.product.roles, world.ids["run"]
    readable, bot = world.scene.administrator.owner.id, world.scene.bot.id
    yield "create a role of what I lack", lambda by: roles.create(by, "mine", "Mine", [run])
    yield "create a role", lambda by: roles.create(by, "mine", "Mine", list(KEYTURN_PERMISSIONS)[:1])
    yield "put what I lack into a role", lambda by: roles.update(by, "harmless", None, None, [READ_SELF, run])
    yield (
        "put something into a role",
        lambda by: roles.update(by, "harmless", None, None, list(KEYTURN_PERMISSIONS)[:2]),
    )
    yield "take what I lack out of a role", lambda by: roles.update(by, "deployer", None, None, [READ_SELF])
    yield "give a role of what I lack another key", lambda by: roles.update(by, "deployer", "other", None, None)
    yield "delete a role", lambda by: roles.delete(by, "harmless")
    yield "delete a role of what I lack", lambda by: roles.delete(by, "deployer")
    yield "list roles", lambda by: roles.page(by, Window())
    for role in ("deployer", SYSTEM_ADMIN, "harmless"):
        for who, id in _everybody(world):
            yield f"grant {role} to {who}", lambda by, role=role, id=id: roles.grant(by, id, role)
        yield f"grant {role} to a group", lambda by, role=role: roles.grant_to_group(by, "plain", role)
    yield "revoke a role of the administrator", lambda by: roles.revoke(by, readable, _grant_of(world, readable))
    yield "revoke a role of a stronger bot", lambda by: roles.revoke(by, bot, _grant_of(world, bot))
    yield "revoke a role of a group", lambda by: roles.revoke_from_group(by, "admins", _group_grant(world))
    yield "list grants of the administrator", lambda by: roles.grants(by, readable)
    yield "explain what the administrator may do", lambda by: world.product.permissions.explain(by, readable)


def _grant_of(world: World, id: str) -> str:
    """One that is not the administrator's last, and, where there are several, not what everybody has."""
    grants = [g for g in world.product.stores.access.direct_grants(id).grants if g.role_id != SYSTEM_ADMIN]
    if not grants:  # the first step took them
        raise NotFound("grant", id)
    return max(grants, key=lambda grant: grant.role_id != REGISTERED_USER).id


def _group_grant(world: World) -> str:
    group = world.product.groups.existing("admins")
    if not group.grants:
        raise NotFound("grant", group.id)
    role_id, scope_id = next(iter(group.grants))
    return f"{role_id}.{scope_id}"


def _rest(world: World) -> Iterator[tuple[str, Action]]:
    webhooks = world.product.lifecycle.webhooks
    kinds = [EventKind.CREATED]
    yield "create a webhook", lambda by: webhooks.create(by, "w", "https://mallory.example/", kinds)
    moved, given = WebhookChange(url="https://mallory.example/"), new_secret()
    yield "move a webhook", lambda by: webhooks.update(by, world.ids["webhook"], moved)
    renewal = world.product.lifecycle.webhook_renewal
    yield "renew a webhook's secret", lambda by: renewal.renew(by, world.ids["webhook"], 0)
    yield "give a webhook a secret", lambda by: renewal.renew(by, world.ids["webhook"], 0, given)
    kept = world.ids["earlier secret of the webhook"]
    yield "take a webhook's renewal back", lambda by: renewal.roll_back(by, world.ids["webhook"], kept)
    yield "compare a webhook's secret", lambda by: renewal.has_current(by, world.ids["webhook"], kept)
    yield "list webhooks", lambda by: webhooks.all(by)
    yield "delete a webhook", lambda by: webhooks.delete(by, world.ids["webhook"])
    yield "read all of the audit log", lambda by: world.product.audit_trail.page(by, AuditQuery(), 1)


def _everybody(world: World) -> list[tuple[str, str]]:
    return [
        ("myself", world.attacker.user.id),
        ("bob", world.lesser.user.id),
        ("alice", world.boss.user.id),
        ("the administrator", world.scene.administrator.owner.id),
        ("the robot", world.robot.id),
    ]
