"""A small installation with somebody in it who wants more than they have, and every kind of credential of theirs."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.caller import FRESH_MS, Caller
from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS, PermissionSet
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.common.identifiers import EVERYWHERE, KEYTURN
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES, Source, SourceKind
from chalicelib.core.oauth.authorization_codes import AuthorizationRequest
from chalicelib.core.oauth.manage_trust_rules import RuleDescription
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.tokens.token import TokenDetails
from tests.conftest import Scene, set_scene
from tests.people import Person, person
from tests.storage.contract import making
from tests.storage.contract.making import record

ADDRESS = "192.0.2.10"
NETWORKS = ("192.0.2.0/24",)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FORMER_LOGIN = "olga"
Things = dict[tuple[str, ...], Any]


class Kind(Enum):
    """With what the attacker acts."""

    FRESH_SESSION = "a session of a login from just now"
    STALE_SESSION = "a session of a login that is long ago"
    TOKEN = "a permanent token"
    BOUNDED_TOKEN = "a permanent token that ends and has networks"
    EXCHANGED_TOKEN = "an access token that it was exchanged for"
    NARROWED_TOKEN = "an access token that was narrowed from a token without end"
    PREVIOUS_SECRET = "a secret of a token that has a newer one"
    APPLICATION_PASSWORD = "an application password"
    DELEGATED_TOKEN = "an access token of a connected service"
    RULE_TOKEN = "an access token by a trust rule"
    LASTING_TOKEN = "an access token by a trust rule that allows what it makes to last"


class Profile(Enum):
    """What the attacker's account may do."""

    NOTHING = "what everybody may"
    TEAMS = "every named permission of Keyturn, and no more"
    ONE_SERVICE = "everything for two services, and to read the rest"
    EVERYTHING = "every permission everywhere"


@dataclass
class World:
    """`attacker` has less than `boss` and the administrator, and with Profile.TEAMS more than `lesser`."""

    scene: Scene
    profile: Profile
    attacker: Person
    lesser: Person
    boss: Person
    robot: User
    now: int
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[Kind, str] = field(default_factory=dict)

    @property
    def product(self) -> Keyturn:
        return self.scene.product

    @property
    def things(self) -> Things:
        things: Things = self.product.stores.database.things  # type: ignore[attr-defined]
        return things

    def snapshot(self) -> bytes:
        """All that is stored."""
        return pickle.dumps(self.things)

    def restore(self, stored: bytes) -> None:
        """It is so again."""
        self.things.clear()
        self.things.update(pickle.loads(stored))

    def caller(self, kind: Kind) -> Caller:
        """The attacker, by this credential."""
        authentication, origin = self.product.authentication, Origin(self.now, ADDRESS)
        secret = self.secrets[kind]
        if kind is Kind.APPLICATION_PASSWORD:
            return authentication.caller_by_password(self.attacker.user.login, secret, origin)
        return authentication.caller(secret, origin)

    def permissions(self, user_id: str) -> PermissionSet:
        """What an account may do."""
        return self.product.access.of(user_id).permissions


def build(product: Keyturn, profile: Profile) -> World:
    """The world as it is before anything happens."""
    scene = set_scene(product)
    by = scene.caller()
    attacker, lesser, boss = (person(scene, login) for login in ("mallory", "bob", "alice"))
    robot = product.accounts.create(by, "robot", "Robot", AccountType.BOT, attacker.user.login)
    world = World(scene, profile, attacker, lesser, boss, robot, attacker.clock)
    _furnish(world, by)
    _grant(world, by)
    _arm(world)
    return world


def _furnish(world: World, by: Caller) -> None:
    product, ids = world.product, world.ids
    gone = product.accounts.create(by, FORMER_LOGIN, "Olga", AccountType.USER)
    product.accounts.delete(by, gone.id)
    run = [PermissionDeclaration("run", "Run")]
    product.services.update(by, "deploy", ServiceDescription(permissions=run))
    ids["run"] = f"{world.scene.deploy.service.id}:run"
    product.roles.create(by, "deployer", "Deployer", [ids["run"]])
    product.roles.create(by, "harmless", "Harmless", list(KEYTURN_PERMISSIONS)[:1])
    portal = ServiceDescription(key="portal", name="Portal", trusted=True, redirect_uris=["https://portal.example/"])
    ids["earlier secret of portal"] = product.services.register(by, portal).secret
    ids["earlier secret of ci"] = world.scene.ci.secret
    for key in ("ci", "portal"):
        product.service_secrets.renew(by, key, 10 * DAY_MS)
    ways = [GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN]
    client = ServiceDescription(redirect_uris=["https://ci.example/back"], grant_types=ways)
    product.services.update(by, "ci", client)
    for name, parent in (("admins", None), ("staff", None), ("inside", "staff"), ("plain", None)):
        product.groups.create(by, GroupDescription(name=name, parent=parent))
    product.groups.update(by, "admins", GroupDescription(requires_two_factor=True))
    product.groups.update(by, "staff", GroupDescription(requires_two_factor=True))
    product.roles.grant_to_group(by, "admins", "deployer")
    product.lifecycle.policies.set_for_group(by, "admins", Policy(longest_life_days=90))
    # These demand nothing: "nested" gives what "runners" is granted, "vacant" the same to nobody, "loose" nothing.
    for name, parent in (
        ("runners", None),
        ("nested", "runners"),
        ("vacant", None),
        ("loose", None),
        ("tree", None),
        ("leaf", "tree"),
    ):
        product.groups.create(by, GroupDescription(name=name, parent=parent))
    for name in ("runners", "vacant"):
        product.roles.grant_to_group(by, name, "deployer")
    for name in ("nested", "loose"):
        product.groups.add_member(by, name, world.boss.user.id)
    product.groups.add_member(by, "admins", world.boss.user.id)
    product.groups.add_member(by, "staff", world.boss.user.id)
    product.groups.add_member(by, "staff", world.lesser.user.id)
    for each in (world.lesser, world.boss):
        each.turn_on_2fa()
    product.roles.grant(by, world.scene.bot.id, "deployer")
    for login, role in (("carl", "deployer"), ("dave", "harmless")):
        banned = product.accounts.create(by, login, login.title(), AccountType.USER)
        product.roles.grant(by, banned.id, role)
        product.accounts.update(by, banned.id, AccountChange(banned=True))
    product.permanent_tokens.create(by, world.boss.user.id, "boss", ["ci"])
    issuer = "https://token.actions.githubusercontent.com"
    rule = RuleDescription("theirs", issuer, "keyturn", {"repository_owner": ["acme"]}, ["keyturn"])
    ids["trust rule"] = product.oauth.trust_rules.create(by, world.robot.id, rule).rule.id
    ids["stronger rule"] = product.oauth.trust_rules.create(by, world.scene.bot.id, rule).rule.id
    webhook = product.lifecycle.webhooks.create(by, "w", "https://example.org/", [EventKind.CREATED])
    ids["webhook"], ids["earlier secret of the webhook"] = webhook.webhook.id, webhook.secret or ""
    product.lifecycle.webhook_renewal.renew(by, ids["webhook"], 10 * DAY_MS)
    bounded = product.permanent_tokens.create(by, world.lesser.user.id, "lesser", ["ci"], by.now + DAY_MS)
    ids["lesser's token"] = bounded.token.id
    ids["boss's token"] = product.stores.tokens.list(world.boss.user.id)[0].id


def _grant(world: World, by: Caller) -> None:
    product, id = world.product, world.attacker.user.id
    if world.profile is Profile.TEAMS:
        product.roles.create(by, "teams", "Teams", list(KEYTURN_PERMISSIONS))
        product.roles.grant(by, id, "teams", EVERYWHERE)
    if world.profile is Profile.EVERYTHING:
        product.roles.grant(by, id, SYSTEM_ADMIN)
    if world.profile is Profile.ONE_SERVICE:
        product.roles.grant(by, id, SYSTEM_ADMIN, "ci")
        product.roles.grant(by, id, SYSTEM_ADMIN, "portal")
        product.roles.create(by, "reader", "Reader", [id for id in KEYTURN_PERMISSIONS if ":read-" in id])
        product.roles.grant(by, id, "reader")


def _arm(world: World) -> None:
    """Every kind of credential, made by the attacker."""
    product, mallory = world.product, world.attacker
    mallory.turn_on_2fa()
    stale = mallory.attempt(code=_next_code(mallory))
    mallory.wait(FRESH_MS + HOUR_MS)
    fresh = mallory.log_in()
    opened = mallory.attempt(code=_next_code(mallory))
    world.secrets = {Kind.STALE_SESSION: stale.secret, Kind.FRESH_SESSION: opened.secret}
    tokens, scope = product.permanent_tokens, ["keyturn"]

    def token(name: str, expires: int | None = None, networks: tuple[str, ...] = ()) -> str:
        made = tokens.create(fresh, "me", name, scope, expires, TokenDetails(networks=networks))
        world.ids[name] = made.token.id
        return made.secret or ""

    world.secrets[Kind.TOKEN] = token("own")
    bounded = token("bounded", mallory.clock + DAY_MS, NETWORKS)
    world.secrets[Kind.BOUNDED_TOKEN] = bounded
    world.secrets[Kind.PREVIOUS_SECRET] = token("rotated")
    product.rotation.rotate(fresh, "me", world.ids["rotated"], DAY_MS)
    made = product.application_passwords.create(fresh, "me", "mail")
    world.secrets[Kind.APPLICATION_PASSWORD] = made.secret or ""
    world.ids["application password"] = made.password.id
    world.now = mallory.clock
    origin = Origin(world.now, ADDRESS)
    exchanged = product.oauth.token_exchange.exchange(Exchange(bounded, audience=["keyturn"]), origin)
    world.secrets[Kind.EXCHANGED_TOKEN] = exchanged.access_token
    narrowed = product.oauth.token_exchange.exchange(Exchange(world.secrets[Kind.TOKEN], audience=["keyturn"]), origin)
    world.secrets[Kind.NARROWED_TOKEN] = narrowed.access_token
    world.secrets[Kind.DELEGATED_TOKEN] = _delegated(world, fresh, origin)
    for kind in (Kind.RULE_TOKEN, Kind.LASTING_TOKEN):
        world.secrets[kind] = _by_rule(world, lasting=kind is Kind.LASTING_TOKEN)


def _by_rule(world: World, lasting: bool) -> str:
    """As if the attacker were a bot: people have no trust rules."""
    product, user_id = world.product, world.attacker.user.id
    owner = product.stores.accounts.get(user_id)
    assert owner
    rule = making.trust_rule(owner, scope=(KEYTURN,), lasting=lasting)
    product.stores.trust_rules.create(rule, owner, None, record())
    source = Source(SourceKind.TRUST_RULE, rule.id)
    return product.oauth.federation._issuance.issue(user_id, KEYTURN, (KEYTURN,), source, world.now).access_token


def _next_code(who: Person) -> str:
    who.wait(30_000)
    return who.code()


def _delegated(world: World, fresh: Caller, origin: Origin) -> str:
    oauth, ci = world.product.oauth, world.product.services.resolve(["ci"])["ci"]
    scope = oauth.scopes.requested("keyturn", ())
    assert not CLAIM_SCOPES & set(scope.values)
    oauth.approved_scopes.approve(fresh, ci, scope.values, offline=True)
    request = AuthorizationRequest(ci, scope, "https://ci.example/back", "c" * 43, None, offline=True)
    code = oauth.authorization_codes.recognise(ci, oauth.authorization_codes.issue(fresh, request), origin)
    assert code
    return oauth.authorization_codes.redeem(ci, code, origin).access_token
