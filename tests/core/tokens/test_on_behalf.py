"""Tokens on behalf of others: allowed exactly when the actor's permissions include the owner's.

Exhaustive: every pair of sets over two permissions in two places, each held by a real account with
real roles and grants, on a real database.
"""

import itertools

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import READ_SERVICE, UPDATE_USER
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.common.errors import Forbidden, Refusal
from chalicelib.core.common.identifiers import EVERYWHERE, KEYTURN
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from tests.conftest import Scene, origin

PERMISSIONS = ("run", "stop")
# One permission held everywhere and for one service, one held for one service only, and nothing.
HOLDINGS = [(permission, scope_id) for permission in PERMISSIONS for scope_id in (EVERYWHERE, "ci")]
SETS = [frozenset(c) for size in range(len(HOLDINGS) + 1) for c in itertools.combinations(HOLDINGS, size)]


def deeds(holdings: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
    """What the holder may do at the two services of the scene, spelled out."""
    scope_ids = {EVERYWHERE: ("ci", "deploy"), "ci": ("ci",)}
    return {(permission, service) for permission, scope_id in holdings for service in scope_ids[scope_id]}


class World:
    """Accounts that hold exactly what a test wants them to hold."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.product: Keyturn = scene.product
        self.administrator = scene.caller()
        declared = [PermissionDeclaration(key, key) for key in PERMISSIONS]
        service = self.product.services.update(self.administrator, "ci", ServiceDescription(permissions=declared))
        for key in PERMISSIONS:
            self.product.roles.create(self.administrator, key, key, [f"{service.id}:{key}"])
        self.product.roles.create(self.administrator, "manager", "manager", [UPDATE_USER, READ_SERVICE])

    def account(self, login: str, holdings: frozenset[tuple[str, str]], manages: bool = False) -> User:
        user = self.product.accounts.create(self.administrator, login, login, AccountType.BOT)
        for role, scope_id in holdings:
            self.product.roles.grant(self.administrator, user.id, role, scope_id)
        if manages:
            self.product.roles.grant(self.administrator, user.id, "manager")
        return user

    def caller(self, user: User) -> Caller:
        token = self.product.permanent_tokens.create(self.administrator, user.id, "own", ["keyturn"])
        return self.product.authentication.caller(token.secret or "", origin())

    def may_create(self, actor: Caller, owner: User) -> bool:
        try:
            created = self.product.permanent_tokens.create(actor, owner.id, actor.user.login, ["ci"])
        except Forbidden:
            return False
        assert created.token.author_id == actor.user.id
        return True


@pytest.fixture
def world(scene: Scene) -> World:
    return World(scene)


def test_every_pair_of_permission_sets(world: World) -> None:
    owners = [world.account(f"owner{number}", holdings) for number, holdings in enumerate(SETS)]
    actors = [world.caller(world.account(f"actor{n}", holdings, manages=True)) for n, holdings in enumerate(SETS)]
    pairs = list(itertools.product(range(len(SETS)), repeat=2))
    assert len(pairs) == 16 * 16
    for actor, owner in pairs:
        allowed = deeds(SETS[actor]) >= deeds(SETS[owner])
        # "everywhere" also means services that are still to come, which "ci and deploy" does not
        allowed = allowed and {p for p, scope_id in SETS[owner] if scope_id == EVERYWHERE} <= {
            p for p, scope_id in SETS[actor] if scope_id == EVERYWHERE
        }
        assert world.may_create(actors[actor], owners[owner]) == allowed, (SETS[actor], SETS[owner])


def test_what_is_lacked_is_known_before_anything_is_tried(world: World) -> None:
    rich = world.account("rich", frozenset({("run", EVERYWHERE), ("stop", "ci")}))
    poor = world.account("poor", frozenset({("run", EVERYWHERE)}), manages=True)
    manager = world.caller(poor)
    (scoped_permission,) = world.product.permanent_tokens.missing_permissions(manager, rich.id)
    assert (scoped_permission.permission.rpartition(":")[2], scoped_permission.scope_id) == (
        "stop",
        world.scene.ci.service.id,
    )
    assert world.product.permanent_tokens.missing_permissions(world.administrator, rich.id) == []
    assert world.product.permanent_tokens.missing_permissions(manager, "me") == ()


def test_the_refusal_says_what_is_missing(world: World) -> None:
    owner = world.account("owner", frozenset({("run", "ci")}))
    actor = world.caller(world.account("actor", frozenset(), manages=True))
    with pytest.raises(Forbidden, match=r"This account has permissions that you lack: .*:run \(service "):
        world.product.permanent_tokens.create(actor, owner.id, "token", ["ci"])


def test_an_administrator_is_above_everybody_and_nobody_above_an_administrator(world: World) -> None:
    most = world.account("most", SETS[-1], manages=True)
    assert world.may_create(world.administrator, most)
    assert not world.may_create(world.caller(most), world.administrator.user)


def test_widening_a_scope_needs_the_same_as_creating(world: World) -> None:
    owner = world.account("owner", frozenset({("run", EVERYWHERE)}))
    token = world.product.permanent_tokens.create(world.administrator, owner.id, "token", ["ci"])
    actor = world.caller(world.account("actor", frozenset(), manages=True))
    with pytest.raises(Forbidden):
        world.product.permanent_tokens.update(actor, owner.id, token.token.id, None, ["ci", "deploy"])
    world.product.permanent_tokens.update(actor, owner.id, token.token.id, "renamed", None)


def test_what_is_granted_later_counts_at_the_next_request(world: World) -> None:
    owner = world.account("owner", frozenset())
    actor = world.caller(world.account("actor", frozenset(), manages=True))
    assert world.may_create(actor, owner)
    world.product.roles.grant(world.administrator, owner.id, SYSTEM_ADMIN)
    with pytest.raises(Forbidden, match="every permission"):
        world.product.permanent_tokens.create(actor, owner.id, "second", ["ci"])


def test_nobody_grants_or_bundles_what_they_lack(world: World) -> None:
    administrator_of_roles = frozenset({("run", "ci")})
    actor_user = world.account("actor", administrator_of_roles)
    needed = ["low-level-admin", "create-role", "read-role", "read-user", "read-service"]
    world.product.roles.create(world.administrator, "granter", "granter", [f"{KEYTURN}:{key}" for key in needed])
    world.product.roles.grant(world.administrator, actor_user.id, "granter")
    actor = world.caller(actor_user)
    other = world.account("other", frozenset())
    world.product.roles.grant(actor, other.id, "run", "ci")
    for role, scope_id in (("run", EVERYWHERE), ("stop", "ci"), (SYSTEM_ADMIN, EVERYWHERE)):
        with pytest.raises(Forbidden):
            world.product.roles.grant(actor, other.id, role, scope_id)
    stop = next(iter(world.product.roles.get(world.administrator, "stop").permissions))
    with pytest.raises(Forbidden):
        world.product.roles.create(actor, "new", "new", [stop])


def test_one_needs_to_see_a_service_to_put_it_on_a_token(world: World) -> None:
    user = world.account("user", frozenset())
    token = world.product.permanent_tokens.create(world.administrator, user.id, "own", ["keyturn"])
    caller = world.product.authentication.caller(token.secret or "", origin())
    with pytest.raises(Refusal, match="no service 'ci' that you may see"):
        world.product.permanent_tokens.create(caller, "me", "token", ["ci"])
    world.product.roles.create(world.administrator, "reader", "reader", [READ_SERVICE])
    world.product.roles.grant(world.administrator, user.id, "reader", "ci")
    caller = world.product.authentication.caller(token.secret or "", origin())
    created = world.product.permanent_tokens.create(caller, "me", "token", ["ci", "keyturn"])
    with pytest.raises(Refusal, match="no service 'deploy' that you may see"):
        world.product.permanent_tokens.update(caller, "me", created.token.id, None, ["ci", "deploy"])
