"""What a credential makes is no broader than it is: it ends no later, and is good from no wider networks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.common.errors import Forbidden, Invalid
from chalicelib.core.common.identifiers import KEYTURN, new_id
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.access_tokens import LIFETIME_MS, Source, SourceKind
from chalicelib.core.oauth.manage_trust_rules import RuleDescription
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import TokenDetails
from chalicelib.core.webhooks.manage import WebhookChange
from tests.conftest import Scene, now, origin
from tests.core.tokens.test_rotation import is_good
from tests.people import HOME, PASSWORD, Person, person

HOUR = 3_600_000
INSIDE = ["192.0.2.0/24"]  # where tests come from
HALF, OUTSIDE, WIDER = ["192.0.2.0/25"], ["198.51.100.0/24"], ["192.0.2.0/23"]


def manager(scene: Scene, ends: bool = True, networks: bool = False) -> OwnedToken:
    """A token of the administrator that manages, but not for ever or not from everywhere."""
    details = TokenDetails(networks=INSIDE if networks else None)
    end = now() + HOUR if ends else None
    return scene.product.permanent_tokens.create(scene.caller(), "me", "manager", ["keyturn", "ci"], end, details)


def by_itself(scene: Scene, made: OwnedToken) -> Caller:
    return scene.caller(made.secret)


def exchanged(scene: Scene, made: OwnedToken) -> Caller:
    """By an access token that came from it."""
    issued = scene.product.oauth.token_exchange.exchange(Exchange(made.secret or "", audience=["keyturn"]), origin())
    return scene.caller(issued.access_token)


@pytest.fixture(params=[by_itself, exchanged])
def present(request: pytest.FixtureRequest) -> Callable[[Scene, OwnedToken], Caller]:
    """How the token is presented."""
    found: Callable[[Scene, OwnedToken], Caller] = request.param
    return found


class TestMakingATokenWithOneThatEnds:
    @pytest.mark.parametrize("user", ["me", "build-bot"])
    def test_it_ends_no_later(self, scene: Scene, present: Callable[[Scene, OwnedToken], Caller], user: str) -> None:
        caller, tokens = present(scene, manager(scene)), scene.product.permanent_tokens
        end = caller.ends or 0
        with pytest.raises(
            Invalid, match=r"expiresOn: must not be later than .*, when the token that you present expires"
        ):
            tokens.create(caller, user, "later", ["ci"], end + 1)
        assert tokens.create(caller, user, "sooner", ["ci"], end - 1).token.expires == end - 1
        inherited = tokens.create(caller, user, "with it", ["ci"])
        assert inherited.token.expires == end
        assert not is_good(scene, inherited.secret or "", end)

    def test_it_has_no_wider_networks(self, scene: Scene, present: Callable[[Scene, OwnedToken], Caller]) -> None:
        made, tokens = manager(scene, ends=False, networks=True), scene.product.permanent_tokens
        caller = present(scene, made)
        for networks in (WIDER, OUTSIDE, [*INSIDE, *OUTSIDE], ["::/0"], ["0.0.0.0/0"]):
            with pytest.raises(Invalid, match=r"networks: must be within those of the token .*: 192.0.2.0/24"):
                tokens.create(caller, "me", "wider", ["ci"], None, TokenDetails(networks=networks))
        assert tokens.create(caller, "me", "narrower", ["ci"], None, TokenDetails(networks=HALF)).token.networks == (
            *HALF,
        )
        for name, none in (("nothing said", None), ("none said", [])):
            made = tokens.create(caller, "me", name, ["ci"], None, TokenDetails(networks=none))
            assert made.token.networks == (*INSIDE,)

    def test_a_policys_end_counts(self, scene: Scene) -> None:
        made = manager(scene, ends=False)
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "keyturn", Policy(longest_life_days=30))
        inherited = scene.product.permanent_tokens.create(by_itself(scene, made), "me", "with it", ["ci"])
        assert inherited.token.expires == made.token.created + 30 * DAY_MS

    def test_an_end_that_was_not_named_is_not_held_against_a_policy(self, scene: Scene) -> None:
        scene.product.lifecycle.policies.set_for_service(scene.caller(), "ci", Policy(longest_life_days=1))
        end = now() + 10 * DAY_MS
        by = scene.product.permanent_tokens.create(scene.caller(), "me", "by", ["keyturn"], end)
        made = scene.product.permanent_tokens.create(scene.caller(by.secret), "me", "made", ["ci"])
        assert made.token.expires == end
        assert not is_good(scene, made.secret or "", made.token.created + DAY_MS)

    def test_what_it_made_makes_nothing_broader_either(self, scene: Scene) -> None:
        made = manager(scene, networks=True)
        for number in range(3):
            made = scene.product.permanent_tokens.create(scene.caller(made.secret), "me", f"n{number}", ["keyturn"])
        assert made.token.expires
        assert made.token.networks == (*INSIDE,)


class TestChangingATokenWithOneThatEnds:
    @pytest.mark.parametrize("which", ["itself", "another"])
    def test_it_gets_nothing_that_is_broader(
        self, scene: Scene, present: Callable[[Scene, OwnedToken], Caller], which: str
    ) -> None:
        made, tokens = manager(scene, networks=True), scene.product.permanent_tokens
        caller = present(scene, made)
        end, details = caller.ends or 0, TokenDetails(networks=INSIDE)
        other = tokens.create(scene.caller(), "me", "other", ["ci"], end - 5, details)
        id = (made if which == "itself" else other).token.id
        for expires in (None, (made.token.expires or 0) + 1):
            with pytest.raises(Invalid, match="expiresOn: must not be later"):
                tokens.update(caller, "me", id, None, None, expires)
        for networks in ([], WIDER, OUTSIDE):
            with pytest.raises(Invalid, match="networks: must be within"):
                tokens.update(caller, "me", id, None, None, details=TokenDetails(networks=networks))
        narrowed = tokens.update(
            caller, "me", id, "renamed", ["ci", "keyturn", "deploy"], end - 9, TokenDetails(networks=HALF)
        )
        assert (narrowed.token.expires, narrowed.token.networks) == (end - 9, (*HALF,))

    def test_one_that_is_broader_already_can_only_be_narrowed(self, scene: Scene) -> None:
        made, tokens = manager(scene, networks=True), scene.product.permanent_tokens
        broad = tokens.create(scene.caller(), "me", "broad", ["ci"]).token.id
        caller, later = scene.caller(made.secret), now() + 9 * DAY_MS
        assert (
            tokens.update(caller, "me", broad, "renamed", None, later, TokenDetails(networks=WIDER)).token.expires
            == later
        )
        with pytest.raises(Forbidden, match="expires later than the one that you present"):
            tokens.update(caller, "me", broad, None, ["ci", "deploy"])
        tokens.update(caller, "me", broad, None, None, details=TokenDetails(networks=HALF))
        with pytest.raises(Forbidden, match="expires later than the one that you present"):
            tokens.update(caller, "me", broad, None, None, details=TokenDetails(networks=INSIDE))
        with pytest.raises(Invalid, match="expiresOn"):
            tokens.update(caller, "me", broad, None, None, later + 1)

    def test_no_secret_of_a_broader_one_is_given_out(
        self, scene: Scene, present: Callable[[Scene, OwnedToken], Caller]
    ) -> None:
        caller, rotation = present(scene, manager(scene)), scene.product.rotation
        with pytest.raises(Forbidden, match="expires later than the one that you present"):
            rotation.rotate(caller, scene.bot.id, scene.token.token.id, HOUR)
        rotation.rotate(scene.caller(), scene.bot.id, scene.token.token.id, HOUR)
        with pytest.raises(Forbidden, match="expires later than the one that you present"):
            rotation.roll_back(caller, scene.bot.id, scene.token.token.id, scene.token.secret or "")
        narrow = scene.product.permanent_tokens.create(caller, scene.bot.id, "narrow", ["ci"])
        assert rotation.rotate(caller, scene.bot.id, narrow.token.id, HOUR).token.expires == narrow.token.expires

    def test_nor_of_one_that_is_good_from_more_networks(
        self, scene: Scene, present: Callable[[Scene, OwnedToken], Caller]
    ) -> None:
        caller, tokens = present(scene, manager(scene, ends=False, networks=True)), scene.product.permanent_tokens
        ending = tokens.create(scene.caller(), scene.bot.id, "ending", ["ci"], now() + 60_000).token.id
        with pytest.raises(Forbidden, match="allows more networks than the one that you present"):
            scene.product.rotation.rotate(caller, scene.bot.id, ending, HOUR)

    def test_it_renews_itself_with_the_end_that_it_has(self, scene: Scene) -> None:
        made = manager(scene, networks=True)
        renewed = scene.product.rotation.rotate(scene.caller(made.secret), "me", "current", HOUR)
        assert (renewed.token.expires, renewed.token.networks) == (made.token.expires, (*INSIDE,))

    def test_nothing_is_given_a_longer_life_by_policy(self, scene: Scene) -> None:
        product, admin = scene.product, scene.caller()
        group = product.groups.create(admin, GroupDescription("Bounded"))
        product.groups.add_member(admin, group.id, "admin")
        policies, life = product.lifecycle.policies, Policy(longest_life_days=30)
        policies.set_for_group(admin, group.id, life)
        policies.set_for_service(admin, "ci", life)
        caller = scene.caller(manager(scene, ends=False).secret)
        assert caller.ends
        for attempt in (
            lambda: policies.set_for_group(caller, group.id, None),
            lambda: policies.set_for_group(caller, group.id, Policy(longest_life_days=31)),
            lambda: policies.set_for_service(caller, "ci", Policy(unused_days=3)),
            lambda: product.groups.remove_member(caller, group.id, "me"),
            lambda: product.groups.delete(caller, group.id),
        ):
            with pytest.raises(Forbidden, match="Log in to allow longer lifetimes"):
                attempt()
        stricter = Policy(longest_life_days=29, unused_days=3)
        assert policies.set_for_service(caller, "ci", stricter).policy == stricter


def webhook_id(scene: Scene) -> str:
    """That of a webhook of the administrator."""
    return scene.product.lifecycle.webhooks.create(scene.caller(), new_id(), "https://example.com/", []).webhook.id


LASTING: dict[str, Callable[[Scene, Caller], object]] = {
    "a password": lambda scene, by: scene.product.passwords.set(by, "jo", PASSWORD + "!", None),
    "a password without a second factor": lambda scene, by: scene.product.second_factors.turn_off(by, "jo"),
    "a service's secret": lambda scene, by: scene.product.services.register(by, ServiceDescription("x", "X")),
    "a service's new secret": lambda scene, by: scene.product.service_secrets.renew(by, "ci"),
    "a service without one": lambda scene, by: scene.product.services.update(by, "ci", ServiceDescription(public=True)),
    "a webhook": lambda scene, by: scene.product.lifecycle.webhooks.create(by, "x", "https://example.com/", []),
    "another address for a webhook": lambda scene, by: scene.product.lifecycle.webhooks.update(
        by, webhook_id(scene), WebhookChange(url="https://elsewhere.example.com/")
    ),
    "a webhook's new secret": lambda scene, by: scene.product.lifecycle.webhook_renewal.renew(by, webhook_id(scene), 0),
    "a trust rule": lambda scene, by: scene.product.oauth.trust_rules.create(
        by, "build-bot", RuleDescription("r", "https://issuer.example.com", "keyturn", {"sub": ["x"]}, ["ci"])
    ),
}


class TestMakingWhatHasNeitherEndNorNetworks:
    @pytest.mark.parametrize("what", LASTING)
    def test_it_is_not_made_by_what_has_one(self, scene: Scene, what: str) -> None:
        person(scene)
        attempt, made = LASTING[what], manager(scene)
        with pytest.raises(Forbidden, match="does not expire, but the token that you present does, at"):
            attempt(scene, scene.caller(made.secret))
        scene.product.permanent_tokens.update(
            scene.caller(), "me", made.token.id, None, None, None, TokenDetails(networks=INSIDE)
        )
        with pytest.raises(Forbidden, match="is not limited to networks, but the token that you present is"):
            attempt(scene, scene.caller(made.secret))
        scene.product.permanent_tokens.update(
            scene.caller(), "me", made.token.id, None, None, details=TokenDetails(networks=[])
        )
        attempt(scene, scene.caller(made.secret))

    def test_an_application_password_neither(self, scene: Scene) -> None:
        boss, passwords = protected(scene), scene.product.application_passwords
        made = scene.product.permanent_tokens.create(boss.log_in(), "me", "ending", ["keyturn"], boss.clock + HOUR)
        with pytest.raises(Forbidden, match="An application password does not expire"):
            passwords.create(scene.caller(made.secret), "me", "mail")
        lasting = scene.product.permanent_tokens.create(boss.log_in(), "me", "lasting", ["keyturn"])
        assert passwords.create(scene.caller(lasting.secret), "me", "mail").secret


def protected(scene: Scene) -> Person:
    """Somebody with 2FA."""
    boss = person(scene, "boss")
    boss.turn_on_2fa()
    return boss


class TestAnApplicationPassword:
    """It ends when 2FA is turned off, and what it made or gave would not."""

    def test_it_makes_and_changes_no_credential(self, scene: Scene) -> None:
        product, boss = scene.product, protected(scene)
        product.roles.grant(scene.caller(), boss.user.id, "system-admin")
        person(scene)
        password = product.application_passwords.create(boss.log_in(), "me", "mail")
        caller = product.authentication.caller_by_password("boss", password.secret or "", origin())
        bot = product.accounts.create(caller, "bot", "Bot", AccountType.BOT)
        id = scene.token.token.id
        for attempt in (
            lambda: product.permanent_tokens.create(caller, "me", "lasting", ["keyturn"]),
            lambda: product.permanent_tokens.create(caller, bot.id, "lasting", ["ci"]),
            lambda: product.permanent_tokens.update(caller, scene.bot.id, id, None, ["ci", "deploy"]),
            lambda: product.rotation.rotate(caller, scene.bot.id, id, HOUR),
            lambda: product.application_passwords.create(caller, "me", "second"),
            *(lambda what=what: LASTING[what](scene, caller) for what in LASTING),
        ):
            with pytest.raises(Forbidden, match="An application password cannot create or change credentials"):
                attempt()
        product.permanent_tokens.delete(caller, scene.bot.id, id)

    def test_it_gives_no_powers_and_takes_them_away(self, scene: Scene) -> None:
        product, boss, by = scene.product, protected(scene), scene.caller()
        product.roles.grant(by, boss.user.id, "system-admin")
        granted, _ = product.roles.grant(by, scene.bot.id, "system-admin")
        product.groups.create(by, GroupDescription("Staff", requires_two_factor=True))
        password = product.application_passwords.create(boss.log_in(), "me", "mail")
        caller = product.authentication.caller_by_password("boss", password.secret or "", origin())
        for attempt in (
            lambda: product.roles.grant(caller, scene.bot.id, "system-admin", "ci"),
            lambda: product.services.update(caller, "ci", ServiceDescription(trusted=True)),
            lambda: product.groups.add_member(caller, "Staff", "build-bot"),
            lambda: product.groups.update(caller, "Staff", GroupDescription(requires_two_factor=False)),
            lambda: product.accounts.update(caller, "me", AccountChange(name="Somebody else")),
            lambda: product.lifecycle.policies.set_for_service(caller, "ci", Policy()),
        ):
            with pytest.raises(Forbidden, match=r"An application password cannot .* grant permissions"):
                attempt()
        product.roles.revoke(caller, scene.bot.id, granted.id)
        product.accounts.update(caller, "build-bot", AccountChange(banned=True))


def by_a_trust_rule(scene: Scene) -> Caller:
    """A pipeline of a bot that may do everything. It got its access token by a trust rule, which has no end."""
    product, admin = scene.product, scene.caller()
    product.roles.grant(admin, scene.bot.id, SYSTEM_ADMIN)
    rule = RuleDescription("r", "https://issuer.example.com", "keyturn", {"sub": ["x"]}, ["keyturn"])
    source = Source(SourceKind.TRUST_RULE, product.oauth.trust_rules.create(admin, scene.bot.id, rule).rule.id)
    issued = product.oauth.federation._issuance.issue(scene.bot.id, KEYTURN, (KEYTURN,), source, now())
    return scene.caller(issued.access_token)


def by_narrowing(scene: Scene) -> Caller:
    """What somebody narrowed from a token that has neither end nor networks."""
    return exchanged(scene, manager(scene, ends=False))


@pytest.mark.parametrize("narrow", [by_a_trust_rule, by_narrowing])
class TestAnAccessToken:
    """It lives for five minutes, whatever it came from, and so does what it makes."""

    def test_what_it_makes_ends_with_it(self, scene: Scene, narrow: Callable[[Scene], Caller]) -> None:
        caller, tokens = narrow(scene), scene.product.permanent_tokens
        made = tokens.create(caller, "me", "made", ["keyturn"])
        assert made.token.expires == caller.ends
        assert made.token.expires <= caller.now + LIFETIME_MS
        assert tokens.create(scene.caller(made.secret), "me", "again", ["keyturn"]).token.expires == caller.ends
        with pytest.raises(Invalid, match="expiresOn: must not be later"):
            tokens.create(caller, "me", "later", ["keyturn"], (caller.ends or 0) + 1)

    @pytest.mark.parametrize("what", LASTING)
    def test_it_makes_nothing_that_lasts(self, scene: Scene, narrow: Callable[[Scene], Caller], what: str) -> None:
        person(scene)
        with pytest.raises(Forbidden, match="does not expire, but the token that you present does, at"):
            LASTING[what](scene, narrow(scene))

    def test_no_token_that_ends_later_grows_or_is_renewed(
        self, scene: Scene, narrow: Callable[[Scene], Caller]
    ) -> None:
        caller, tokens = narrow(scene), scene.product.permanent_tokens
        owner = caller.user.id
        guarded = tokens.create(
            scene.caller(), owner, "guarded", ["keyturn"], now() + HOUR, TokenDetails(networks=INSIDE)
        )
        id = guarded.token.id
        with pytest.raises(Invalid, match="expiresOn: must not be later"):
            tokens.update(caller, "me", id, None, None, None)
        with pytest.raises(Forbidden, match="expires later than the one that you present"):
            tokens.update(caller, "me", id, None, None, details=TokenDetails(networks=[]))
        with pytest.raises(Forbidden, match="expires later than the one that you present"):
            scene.product.rotation.rotate(caller, "me", id, 0)
        tokens.delete(caller, "me", id)


def test_a_service_that_acts_by_an_exchange_makes_no_credentials(scene: Scene) -> None:
    """Its access token ends in minutes, and what it made would go on as long as the user's own token."""
    made = manager(scene, ends=False)
    asked = Exchange(made.secret or "", audience=["keyturn"], client=scene.ci.service)
    caller = scene.caller(scene.product.oauth.token_exchange.exchange(asked, origin()).access_token)
    with pytest.raises(Forbidden, match="A connected service cannot do this on behalf of an account"):
        scene.product.permanent_tokens.create(caller, "me", "lasting", ["keyturn"])
    for attempt in (LASTING["a service's secret"], LASTING["a webhook"]):
        with pytest.raises(Forbidden):
            attempt(scene, caller)


def test_whoever_has_just_logged_in_widens(scene: Scene) -> None:
    made, tokens = manager(scene, networks=True), scene.product.permanent_tokens
    jo = person(scene)
    scene.product.roles.grant(scene.caller(), jo.user.id, "system-admin")
    caller = jo.log_in()
    assert (caller.ends, caller.networks, caller.address) == (None, (), HOME)
    widened = tokens.update(caller, "admin", made.token.id, None, None, None, TokenDetails(networks=[])).token
    assert (widened.expires, widened.networks) == (None, ())
    assert tokens.create(caller, "me", "lasting", ["keyturn"]).token.expires is None
