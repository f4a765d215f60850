"""What only a thief would try leaves a record where it is refused: one for each account and quarter of an hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.core.access.caller import ESCALATION, PREVIOUS_SECRET, Caller
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.audit.records import ANYBODY, AuditQuery, AuditRecord
from chalicelib.core.common.errors import (
    LoginTooOld,
    Refusal,
    SecondFactorLocked,
    SecondFactorRequired,
    Unauthenticated,
)
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.rate_limits import APPLICATION_PASSWORDS, QUARTER_HOUR_MS
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.core.tokens.token import TokenDetails
from tests.conftest import Scene, now, origin
from tests.core.access.escalation.world import Kind, Profile, World, build
from tests.people import PASSWORD, Person, person

ELSEWHERE = "203.0.113.9"
Attempt = Callable[[World, Caller], object]


def records(scene: Scene, account_id: str, *kinds: str) -> list[AuditRecord]:
    """What stands in the account's log of these kinds, newest first."""
    query = AuditQuery(target_id=account_id, until=now() + 40 * DAY_MS)
    found = scene.product.audit_trail.page(scene.caller(), query, 100).records
    return [each for each in found if each.kind in kinds]


REFUSED: dict[str, tuple[Kind, Attempt]] = {
    "a token removes its own end": (
        Kind.BOUNDED_TOKEN,
        lambda world, by: world.product.permanent_tokens.update(by, "me", world.ids["bounded"], None, None, None),
    ),
    "a token removes its own networks": (
        Kind.BOUNDED_TOKEN,
        lambda world, by: world.product.permanent_tokens.update(
            by, "me", world.ids["bounded"], None, None, details=TokenDetails(networks=[])
        ),
    ),
    "a token makes one that ends later": (
        Kind.BOUNDED_TOKEN,
        lambda world, by: world.product.permanent_tokens.create(by, "me", "later", ["ci"], world.now + 9 * DAY_MS),
    ),
    "a token that ends makes what has no end": (
        Kind.BOUNDED_TOKEN,
        lambda world, by: world.product.application_passwords.create(by, "me", "lasting"),
    ),
    "a token gets a secret of a broader one": (
        Kind.BOUNDED_TOKEN,
        lambda world, by: world.product.rotation.rotate(by, "me", world.ids["own"], 0),
    ),
    "a token sets its owner's password": (
        Kind.TOKEN,
        lambda world, by: world.product.passwords.set(by, "me", "a new long pass phrase", PASSWORD),
    ),
    "a token pairs a second factor": (
        Kind.TOKEN,
        lambda world, by: world.product.second_factors.begin_pairing(by, "me"),
    ),
    "a connected service grants a role": (
        Kind.DELEGATED_TOKEN,
        lambda world, by: world.product.roles.grant(by, "bob", "harmless"),
    ),
    "a connected service makes a token": (
        Kind.DELEGATED_TOKEN,
        lambda world, by: world.product.permanent_tokens.create(by, "me", "mine", ["ci"]),
    ),
    "an application password makes a token": (
        Kind.APPLICATION_PASSWORD,
        lambda world, by: world.product.permanent_tokens.create(by, "me", "mine", ["ci"]),
    ),
    "an application password grants a role": (
        Kind.APPLICATION_PASSWORD,
        lambda world, by: world.product.roles.grant(by, "bob", "harmless"),
    ),
    "somebody grants what they have not": (
        Kind.FRESH_SESSION,
        lambda world, by: world.product.roles.grant(by, "me", SYSTEM_ADMIN),
    ),
    "somebody makes a service trusted": (
        Kind.FRESH_SESSION,
        lambda world, by: world.product.services.update(by, "ci", ServiceDescription(trusted=True)),
    ),
    "an earlier secret makes a token": (
        Kind.PREVIOUS_SECRET,
        lambda world, by: world.product.permanent_tokens.create(by, "me", "mine", ["ci"]),
    ),
}


@pytest.fixture
def world(scene: Scene) -> World:
    product = scene.product
    product.stores.database.things.clear()  # type: ignore[attr-defined]
    product.stores.database.records.clear()  # type: ignore[attr-defined]
    return build(product, Profile.TEAMS)


@pytest.mark.parametrize("what", REFUSED)
def test_what_opens_and_is_refused_is_counted_with_the_hand_that_tried_it(world: World, what: str) -> None:
    kind, attempt = REFUSED[what]
    caller = world.caller(kind)
    for _ in range(3):
        with pytest.raises(Refusal):
            attempt(world, caller)
    (record,) = records(world.scene, world.attacker.user.id, ESCALATION, PREVIOUS_SECRET)
    assert record.kind == (PREVIOUS_SECRET if kind is Kind.PREVIOUS_SECRET else ESCALATION)
    assert (record.actor_id, record.credential_id) == (caller.user.id, caller.source_id or caller.credential_id)
    assert record.hand == replace(caller.hand, previous_secret=kind is Kind.PREVIOUS_SECRET)
    assert record.details["times"] == "3"


def test_who_only_has_to_log_in_again_tried_nothing(world: World) -> None:
    caller = world.caller(Kind.STALE_SESSION)
    with pytest.raises(LoginTooOld):
        world.product.roles.grant(caller, "bob", "harmless")
    assert not records(world.scene, caller.user.id, ESCALATION)


def test_nor_did_who_may_not_look(world: World) -> None:
    kim = person(world.scene, "kim")
    with pytest.raises(Refusal):
        world.product.permanent_tokens.labelled(kim.log_in(), None, None, 1)
    assert not records(world.scene, kim.user.id, ESCALATION)


class TestAnEarlierSecretOfATokenInUse:
    """It is the clearest sign that somebody was rotated away, and has come back."""

    @pytest.fixture
    def thief(self, scene: Scene) -> Caller:
        """Presents a secret of the bot's token, a later one of which was used."""
        old = scene.token.secret or ""
        new = scene.product.rotation.rotate(scene.caller(), scene.bot.id, scene.token.token.id, DAY_MS)
        assert scene.is_good(new.secret)
        return scene.product.authentication.caller_any_scope(old, origin())

    def test_neither_renews_the_token_nor_takes_it_back_unnoticed(self, scene: Scene, thief: Caller) -> None:
        rotation = scene.product.rotation
        with pytest.raises(Refusal, match="A newer secret of this token is in use"):
            rotation.rotate(thief, "me", "current", 0)
        with pytest.raises(Refusal, match="Present the current secret"):
            rotation.roll_back(thief, "me", "current", scene.token.secret or "")
        (record,) = records(scene, scene.bot.id, PREVIOUS_SECRET)
        assert (record.credential_id, record.hand.previous_secret) == (scene.token.token.id, True)
        assert (record.address, record.details["times"]) == (thief.address, "2")


def test_a_group_of_too_many_to_compare_keeps_its_demands_and_that_is_noted(world: World) -> None:
    product, by = world.product, world.caller(Kind.FRESH_SESSION)
    product.groups.create(by, GroupDescription("outside", requires_two_factor=True))
    product.groups.create(by, GroupDescription("below", "outside"))
    with pytest.raises(Refusal, match="too many to compare"):
        product.groups.update(by, "outside", GroupDescription(requires_two_factor=False))
    assert records(world.scene, by.user.id, ESCALATION)


class TestLogins:
    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        jo = person(scene)
        jo.turn_on_2fa()
        jo.clock = jo.clock // QUARTER_HOUR_MS * QUARTER_HOUR_MS + QUARTER_HOUR_MS
        return jo

    def test_a_right_password_without_a_code(self, jo: Person) -> None:
        for _ in range(2):
            with pytest.raises(SecondFactorRequired):
                jo.attempt(ELSEWHERE)
        (record,) = records(jo.scene, jo.user.id, "second-factor.missing")
        assert (record.address, record.actor_id, record.details) == (ELSEWHERE, ANYBODY, {"times": "2"})

    def test_a_right_password_and_code_of_a_banned_account(self, jo: Person) -> None:
        jo.scene.product.accounts.update(jo.scene.caller(), jo.user.id, AccountChange(banned=True))
        for _ in range(2):
            with pytest.raises(Refusal, match="banned"):
                jo.attempt(ELSEWHERE, code=jo.code())
        (record,) = records(jo.scene, jo.user.id, "login.banned")
        assert (record.address, record.actor_id, record.details) == (ELSEWHERE, ANYBODY, {"times": "2"})

    def test_a_right_password_and_a_code_of_a_locked_app(self, jo: Person) -> None:
        stored = jo.scene.product.stores.authenticators
        for _ in range(50):
            old = stored.get(jo.user.id)
            stored.count_wrong_code(old, old.with_wrong_code(), None)
        with pytest.raises(SecondFactorLocked):
            jo.attempt(ELSEWHERE, code=jo.code())
        (record,) = records(jo.scene, jo.user.id, "second-factor.failed")
        assert (record.address, record.details) == (ELSEWHERE, {"times": "1"})


def told(done: list[str], name: str, act: Callable[..., object]) -> Callable[..., object]:
    """What does the same, and tells that it was done."""

    def telling(*given: object) -> object:
        done.append(name)
        return act(*given)

    return telling


class TestApplicationPasswords:
    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        jo = person(scene)
        jo.turn_on_2fa()
        return jo

    def made(self, jo: Person) -> tuple[ApplicationPassword, str]:
        made = jo.scene.product.application_passwords.create(jo.log_in(), "me", "mail")
        return made.password, made.secret or ""

    def refused(self, jo: Person, login: str, secret: str, address: str = ELSEWHERE) -> None:
        with pytest.raises(Unauthenticated, match="The login or the application password is not valid"):
            jo.scene.product.authentication.caller_by_password(login, secret, Origin(jo.clock, address))

    def test_a_wrong_one_and_a_good_one_with_another_login_are_counted(self, jo: Person) -> None:
        password, secret = self.made(jo)
        self.refused(jo, "jo", CredentialKind.APPLICATION_PASSWORD.issue(jo.user.id, password.id))
        self.refused(jo, "admin", secret)
        (record,) = records(jo.scene, jo.user.id, "application-password.failed")
        assert (record.address, record.actor_id, record.details) == (ELSEWHERE, ANYBODY, {"times": "2"})
        assert password.last_used is None

    def test_one_of_nobody_is_counted_at_the_network(self, jo: Person) -> None:
        self.refused(jo, "jo", CredentialKind.APPLICATION_PASSWORD.issue(new_id(), new_id()), "2001:db8::7")
        (record,) = records(jo.scene, "2001:db8::/64", "application-password.failed")
        assert (record.target_kind, record.owner_id) == ("network", None)

    def test_who_exists_is_not_told_by_what_is_done(self, jo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        password, _ = self.made(jo)
        done: list[str] = []
        stores = jo.scene.product.stores
        for store, name in ((stores.audit, "count"), (stores.login_attempts, "add"), (stores.credentials, "find")):
            monkeypatch.setattr(store, name, told(done, name, getattr(store, name)))
        whose = ((jo.user.id, password.id), (jo.user.id, new_id()), (new_id(), new_id()))
        for user_id, id in whose:
            self.refused(jo, "jo", CredentialKind.APPLICATION_PASSWORD.issue(user_id, id))
        assert done == ["find", "add", "count"] * len(whose)

    def test_strangers_cannot_keep_the_log_busy(self, jo: Person) -> None:
        jo.clock = jo.clock // QUARTER_HOUR_MS * QUARTER_HOUR_MS
        invented = CredentialKind.APPLICATION_PASSWORD.issue(jo.user.id, new_id())
        for _ in range(APPLICATION_PASSWORDS + 5):
            self.refused(jo, "jo", invented)
        (record,) = records(jo.scene, jo.user.id, "application-password.failed")
        assert record.details["times"] == str(APPLICATION_PASSWORDS)


class TestATokenOutsideOfItsNetworks:
    """Its secret is right, so somebody has it."""

    @pytest.fixture
    def secret(self, scene: Scene) -> str:
        details = TokenDetails(networks=["192.0.2.0/24"])
        tokens, scope = scene.product.permanent_tokens, ["ci", "keyturn"]
        return tokens.create(scene.caller(), scene.bot.id, "bound", scope, None, details).secret or ""

    def test_is_counted_in_its_owners_log(self, scene: Scene, secret: str) -> None:
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                scene.product.authentication.caller(secret, Origin(now(), ELSEWHERE))
        ask = scene.product.introspection.introspect
        assert ask(scene.ci.service.id, scene.ci.secret, secret, now(), ELSEWHERE) is None
        (record,) = records(scene, scene.bot.id, "permanent-token.refused-elsewhere")
        assert (record.address, record.actor_id, record.target_id) == (ELSEWHERE, ANYBODY, record.credential_id)
        assert record.details == {"times": "3"}

    def test_a_service_that_does_not_say_where_it_came_from_accuses_nobody(self, scene: Scene, secret: str) -> None:
        assert not scene.is_good(secret)
        assert not records(scene, scene.bot.id, "permanent-token.refused-elsewhere")


class TestGivingAnAccessTokenBack:
    def exchanged(self, scene: Scene, by_service: bool) -> str:
        client = scene.ci.service if by_service else None
        asked = Exchange(scene.token.secret or "", audience=["ci"], client=client)
        return scene.product.oauth.token_exchange.exchange(asked, origin()).access_token

    @pytest.mark.parametrize("by_service", [True, False])
    def test_is_recorded_once_with_who_gave_it_back(self, scene: Scene, by_service: bool) -> None:
        presented, ci = self.exchanged(scene, by_service), scene.ci.service.id
        check = scene.product.oauth.access_token_check
        for _ in range(3):
            check.revoke(ci if by_service else "0-0-0-0-0", presented, origin())
        assert check.verify(presented, now()) is None
        (record,) = records(scene, scene.bot.id, "access-token.revoked")
        assert record.actor_id == (ci if by_service else scene.bot.id)
        assert (record.credential_id, record.hand.kind) == (scene.token.token.id, "permanent-token")
        assert (record.hand.access_token_id, record.hand.services) == (record.target_id, (ci,) if by_service else ())
