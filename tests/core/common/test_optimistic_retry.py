"""What takes something away wins against somebody who keeps changing the same thing so that it stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.core.access.caller import Caller
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.common import optimistic_retry
from chalicelib.core.common.errors import LoginRefused, StaleWrite, Unavailable
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.login.password_hashing import PasswordHasher
from chalicelib.core.oauth.manage_trust_rules import RuleChange, RuleDescription
from chalicelib.core.secrets.verifier import SecretVerifier
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import TokenDetails
from chalicelib.core.webhooks.manage import CreatedWebhook, WebhookChange
from tests.authenticator import SoftwarePasskey
from tests.conftest import Scene
from tests.people import Person, person

OFTEN = 50
ANOTHER = "an entirely different pass phrase"


@dataclass
class Attack:
    """Somebody who has broken into the account of `jo`, and changes something each time just before `store` writes."""

    scene: Scene
    jo: Person
    by: Caller  # as jo
    token: OwnedToken
    hook: CreatedWebhook  # it and the service "ci" have a newer secret than the one that is known
    left: int = 0
    done: int = 0
    _inside: bool = field(default=False)

    def rename(self) -> None:
        self.scene.product.accounts.update(self.by, "me", AccountChange(name=f"Jo the {self.done}th"))

    def log_in(self) -> None:
        self.jo.attempt()

    def describe(self) -> None:
        details = TokenDetails(description=f"number {self.done}")
        self.scene.product.permanent_tokens.update(self.by, "me", self.token.token.id, None, None, details=details)

    def change_group(self) -> None:
        self.scene.product.groups.update(self.scene.caller(), "team", GroupDescription(name=f"Team{self.done % 2}"))
        self.scene.product.groups.update(self.scene.caller(), f"Team{self.done % 2}", GroupDescription(name="team"))

    def before(self, store: str, write: str, change: Callable[[Attack], None], monkeypatch: pytest.MonkeyPatch) -> None:
        """`change` comes before each of the next `left` writes."""
        target = getattr(self.scene.product.stores, store)
        real = getattr(target, write)

        def overtaken(*args: Any, **named: Any) -> Any:
            if self.left and not self._inside:
                self.left, self.done, self._inside = self.left - 1, self.done + 1, True
                change(self)
                self._inside = False
            return real(*args, **named)

        monkeypatch.setattr(target, write, overtaken)


@pytest.fixture
def attack(scene: Scene) -> Attack:
    by, product, jo = scene.caller(), scene.product, person(scene)
    product.groups.create(by, GroupDescription("company"))
    product.groups.create(by, GroupDescription("team", parent="company"))
    product.groups.add_member(by, "team", "jo")
    product.roles.create(by, "reader", "Reader", ["0-0-0-0-0:read-user"])
    product.roles.grant(by, "jo", "reader")
    product.roles.grant_to_group(by, "team", "reader")
    caller = jo.log_in()
    token = product.permanent_tokens.create(caller, "me", "stolen", ["keyturn"])
    product.permanent_tokens.update(by, "jo", token.token.id, None, ["keyturn", "ci"])
    hook = product.lifecycle.webhooks.create(by, "ops", "https://hooks.example.com/", [])
    product.lifecycle.webhook_renewal.renew(by, hook.webhook.id, DAY_MS)
    product.service_secrets.renew(by, "ci", DAY_MS)
    return Attack(scene, jo, caller, token, hook)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long there would have been a wait, in seconds."""
    noted: list[float] = []
    monkeypatch.setattr(optimistic_retry, "pause", noted.append)
    return noted


def grant_of(scene: Scene) -> str:
    return next(grant.id for grant, role in scene.product.roles.grants(scene.caller(), "jo") if role.key == "reader")


def revoke_from_team(scene: Scene, by: Caller) -> None:
    team = scene.product.groups.get(by, "team").id
    scene.product.roles.revoke_from_group(by, team, scene.product.roles.grants_of_group(by, team)[0][0].id)


def trust_rule(it: Attack, by: Caller) -> str:
    issuer = "https://token.actions.githubusercontent.com"
    described = RuleDescription("deploy", issuer, "keyturn", {"repository": ["acme/app"]}, ["ci"])
    return it.scene.product.oauth.trust_rules.create(by, it.scene.bot.id, described).rule.id


def application_password(it: Attack) -> str:
    it.jo.turn_on_2fa()
    return it.scene.product.application_passwords.create(it.jo.log_in(), "me", "mail").password.id


def add_passkey(it: Attack) -> None:
    factors = it.scene.product.second_factors
    factors.add_passkey(it.by, "me", "Key", SoftwarePasskey().create(factors.passkey_options(it.by, "me")))


Taking = Callable[[Attack, Caller], object]
TAKING: dict[str, tuple[str, str, Callable[[Attack], None], Taking]] = {
    "a ban": (
        "accounts",
        "replace",
        Attack.rename,
        lambda it, by: it.scene.product.accounts.update(by, "jo", AccountChange(banned=True)),
    ),
    "a deletion": (
        "accounts",
        "delete",
        Attack.rename,
        lambda it, by: it.scene.product.accounts.delete(by, "jo"),
    ),
    "the end of all sessions": (
        "authenticators",
        "replace",
        Attack.log_in,
        lambda it, by: it.scene.product.sessions.end_all(by, "jo"),
    ),
    "another password": (
        "authenticators",
        "replace",
        Attack.log_in,
        lambda it, by: it.scene.product.passwords.set(by, "jo", ANOTHER, None),
    ),
    "another password, against other names": (
        "authenticators",
        "replace",
        Attack.rename,
        lambda it, by: it.scene.product.passwords.set(by, "jo", ANOTHER, None),
    ),
    "no second factor": (
        "authenticators",
        "replace",
        Attack.log_in,
        lambda it, by: it.scene.product.second_factors.turn_off(by, "jo"),
    ),
    "the first second factor": (
        "authenticators",
        "replace",
        Attack.log_in,
        lambda it, by: add_passkey(it),
    ),
    "a group out of another": (
        "groups",
        "replace",
        Attack.change_group,
        lambda it, by: it.scene.product.groups.update(
            by, it.scene.product.groups.get(by, "team").id, GroupDescription(parent=OUTERMOST)
        ),
    ),
    "a token's deletion": (
        "tokens",
        "delete",
        Attack.describe,
        lambda it, by: it.scene.product.permanent_tokens.delete(by, "jo", it.token.token.id),
    ),
    "a smaller scope": (
        "tokens",
        "replace",
        Attack.describe,
        lambda it, by: it.scene.product.permanent_tokens.update(by, "jo", it.token.token.id, None, ["ci"]),
    ),
    "another secret": (
        "tokens",
        "replace",
        Attack.describe,
        lambda it, by: it.scene.product.rotation.rotate(by, "jo", it.token.token.id, 0),
    ),
    "a revoked role": (
        "roles",
        "revoke",
        Attack.rename,
        lambda it, by: it.scene.product.roles.revoke(by, "jo", grant_of(it.scene)),
    ),
    "a group's revoked role": (
        "groups",
        "replace",
        Attack.change_group,
        lambda it, by: revoke_from_team(it.scene, by),
    ),
    "one member less": (
        "groups",
        "remove_member",
        Attack.rename,
        lambda it, by: it.scene.product.groups.remove_member(by, "team", "jo"),
    ),
    "a group's demands": (
        "groups",
        "replace",
        Attack.change_group,
        lambda it, by: it.scene.product.lifecycle.policies.set_for_group(
            by, it.scene.product.groups.get(by, "team").id, Policy(longest_life_days=1)
        ),
    ),
}


@pytest.mark.parametrize("what", TAKING)
def test_it_is_done_however_often_somebody_gets_in_between(
    attack: Attack, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write, change, take = TAKING[what]
    attack.before(store, write, change, monkeypatch)
    attack.left = OFTEN
    take(attack, attack.scene.caller())
    assert (attack.done, attack.left) == (OFTEN, 0)


OVERTAKEN: dict[str, tuple[str, str, Taking]] = {
    "a service's deletion": ("services", "delete", lambda it, by: it.scene.product.services.delete(by, "ci")),
    "another address of a service": (
        "services",
        "replace",
        lambda it, by: it.scene.product.services.update(
            by, "ci", ServiceDescription(redirect_uris=["https://ci.example.com/elsewhere"])
        ),
    ),
    "another secret of a service": (
        "services",
        "replace",
        lambda it, by: it.scene.product.service_secrets.renew(by, "ci", 0),
    ),
    "a service's earlier secret": (
        "services",
        "replace",
        lambda it, by: it.scene.product.service_secrets.roll_back(by, "ci", it.scene.ci.secret),
    ),
    "another address of a webhook": (
        "webhooks",
        "replace",
        lambda it, by: it.scene.product.lifecycle.webhooks.update(
            by, it.hook.webhook.id, WebhookChange(url="https://elsewhere.example.com/")
        ),
    ),
    "another secret of a webhook": (
        "webhooks",
        "replace",
        lambda it, by: it.scene.product.lifecycle.webhook_renewal.renew(by, it.hook.webhook.id, 0),
    ),
    "a webhook's earlier secret": (
        "webhooks",
        "replace",
        lambda it, by: it.scene.product.lifecycle.webhook_renewal.roll_back(
            by, it.hook.webhook.id, it.hook.secret or ""
        ),
    ),
    "a service's policy": (
        "services",
        "replace",
        lambda it, by: it.scene.product.lifecycle.policies.set_for_service(by, "ci", Policy(longest_life_days=1)),
    ),
    "a role's deletion": ("roles", "delete", lambda it, by: it.scene.product.roles.delete(by, "reader")),
    "a permission less in a role": (
        "roles",
        "replace",
        lambda it, by: it.scene.product.roles.update(by, "reader", None, None, ["0-0-0-0-0:read-group"]),
    ),
    "a trust rule that lets in less": (
        "trust_rules",
        "replace",
        lambda it, by: it.scene.product.oauth.trust_rules.update(
            by, it.scene.bot.id, trust_rule(it, by), RuleChange(conditions={"repository": ["acme/other"]})
        ),
    ),
    "a trust rule's deletion": (
        "trust_rules",
        "delete",
        lambda it, by: it.scene.product.oauth.trust_rules.delete(by, it.scene.bot.id, trust_rule(it, by)),
    ),
    "an application password's deletion": (
        "account_credentials",
        "delete",
        lambda it, by: it.scene.product.application_passwords.delete(by, "jo", application_password(it)),
    ),
}


@pytest.mark.parametrize("what", OVERTAKEN)
def test_so_is_what_meets_one_stale_write_after_the_other(
    attack: Attack, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write, take = OVERTAKEN[what]
    target = getattr(attack.scene.product.stores, store)
    done: list[str] = []
    monkeypatch.setattr(target, write, _noted(done, what, _stale(OFTEN, getattr(target, write))))
    take(attack, attack.scene.caller())
    assert len(done) == OFTEN + 1


def test_a_password_that_was_reset_meanwhile_is_the_only_one(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    attack.before("authenticators", "replace", Attack.log_in, monkeypatch)
    attack.left = OFTEN
    TAKING["another password"][3](attack, attack.scene.caller())
    with pytest.raises(LoginRefused):
        attack.log_in()
    attack.jo.attempt(password=ANOTHER)


def test_nothing_slow_is_done_at_each_attempt(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id takes tens of milliseconds: time enough for another login, each time."""
    slow: list[str] = []
    for kind, name in ((PasswordHasher, "hash"), (PasswordHasher, "matches"), (SecretVerifier, "hash_secret")):
        monkeypatch.setattr(kind, name, _noted(slow, name, getattr(kind, name)))
    product, by, stores = attack.scene.product, attack.scene.caller(), attack.scene.product.stores
    twice = {"replace": stores.authenticators, "open_session": stores.authenticators}
    for write, store in twice.items():
        monkeypatch.setattr(store, write, _stale_twice(getattr(store, write)))
    for write, store in (("replace", stores.tokens), ("create", stores.tokens), ("replace", stores.services)):
        monkeypatch.setattr(store, write, _stale_twice(getattr(store, write)))
    done: dict[str, list[str]] = {}
    for what, do in {
        "a password": lambda: product.passwords.set(by, "jo", ANOTHER, None),
        "one's own": lambda: product.passwords.set(attack.by, "me", "correct horses run away", ANOTHER),
        "a login": lambda: attack.jo.attempt(password="correct horses run away"),
        "a token": lambda: product.permanent_tokens.create(by, "jo", "new", ["ci"]),
        "another secret": lambda: product.rotation.rotate(by, "jo", attack.token.token.id, 0),
        "a service's secret": lambda: product.service_secrets.renew(by, "ci"),
    }.items():
        slow.clear()
        do()
        done[what] = [*slow]
    assert done == {
        "a password": ["hash"],
        "one's own": ["matches", "hash"],
        "a login": ["matches", "hash_secret"],
        "a token": ["hash_secret"],
        "another secret": ["hash_secret"],
        "a service's secret": ["hash_secret"],
    }


def test_recovery_codes_are_sealed_once(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    attack.jo.turn_on_2fa()
    hashed: list[str] = []
    monkeypatch.setattr(SecretVerifier, "hash_secret", _noted(hashed, "hash_secret", SecretVerifier.hash_secret))
    by, store = attack.jo.log_in(), attack.scene.product.stores.authenticators
    monkeypatch.setattr(store, "replace", _stale_twice(store.replace))
    hashed.clear()
    made = attack.scene.product.second_factors.renew_recovery_codes(by, "me").recovery_codes
    assert len(hashed) == len(made)


def test_the_pauses_grow_are_random_and_stay_below_five_seconds(pauses: list[float]) -> None:
    with pytest.raises(Unavailable):
        optimistic_retry.retry_persistently(_always_stale)
    assert len(set(pauses)) == len(pauses) == len(optimistic_retry.PAUSES)
    assert all(0 <= pause <= longest for pause, longest in zip(pauses, optimistic_retry.PAUSES, strict=True))
    assert [*optimistic_retry.PAUSES] == sorted(optimistic_retry.PAUSES)
    assert sum(optimistic_retry.PAUSES) < 5


def test_what_takes_nothing_away_gives_up_sooner_and_without_a_pause(pauses: list[float]) -> None:
    attempts: list[None] = []

    def attempt() -> None:
        attempts.append(None)
        raise StaleWrite

    with pytest.raises(Unavailable):
        optimistic_retry.retry_on_conflict(attempt)
    assert (len(attempts), pauses) == (optimistic_retry.ATTEMPTS, [])


def _always_stale() -> None:
    raise StaleWrite


def _noted(notes: list[str], name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*args: Any, **named: Any) -> Any:
        notes.append(name)
        return real(*args, **named)

    return noting


def _stale_twice(real: Callable[..., Any]) -> Callable[..., Any]:
    """Of three writes, the third is done."""
    return _stale(2, real)


def _stale(times: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """After so many writes that are stale, one is done; and so on."""
    count = iter(range(1, 1_000))

    def write(*args: Any, **named: Any) -> Any:
        if next(count) % (times + 1):
            raise StaleWrite
        return real(*args, **named)

    return write
