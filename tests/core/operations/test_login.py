"""Logging in, and what refuses it."""

from __future__ import annotations

from unittest.mock import patch

import argon2
import pytest

from chalicelib.composition import keyturn
from chalicelib.core.credentials.one_time_codes import STEP_MS
from chalicelib.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LoginRefused,
    NotFound,
    SecondFactorRequired,
    Throttled,
    Unauthenticated,
)
from chalicelib.core.operations.accounts import AccountChange
from chalicelib.core.operations.groups import GroupDescription
from chalicelib.core.operations.login import LoginAttempt
from chalicelib.core.origin import Origin
from chalicelib.core.paging import Window
from chalicelib.core.permissions import READ_USER, UPDATE_USER
from chalicelib.core.sessions import LIFETIME_MS
from chalicelib.storage.authenticators import DynamoAuthenticators
from chalicelib.storage.quick_read import QuickReader
from chalicelib.storage.table import connection
from tests.conftest import Scene, now, origin
from tests.people import HOME, PASSWORD, Person, person

ELSEWHERE = "203.0.113.9"
QUARTER_HOUR_MS = 15 * 60_000


@pytest.fixture
def jo(scene: Scene) -> Person:
    return person(scene)


def test_a_password_opens_a_session_of_its_owner(jo: Person) -> None:
    caller = jo.log_in()
    assert caller.user == jo.scene.product.accounts.find(jo.scene.caller(), "jo")
    assert caller.logged_in
    assert not caller.unproven


def test_letter_case_of_a_login_does_not_matter(jo: Person) -> None:
    assert jo.attempt(login="JO")


@pytest.mark.parametrize("given", [{"password": "wrong horse"}, {"login": "nobody"}, {"login": "build-bot"}])
def test_every_wrong_login_gets_the_same_answer(jo: Person, given: dict[str, str]) -> None:
    with pytest.raises(LoginRefused) as refused:
        jo.attempt(**given)
    assert str(refused.value) == str(LoginRefused())


@pytest.mark.parametrize(
    ("attempt", "field"),
    [(LoginAttempt(login="jo"), "password"), (LoginAttempt(password=PASSWORD), "login"), (LoginAttempt(), "password")],
)
def test_what_is_missing_is_named(scene: Scene, attempt: LoginAttempt, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        scene.product.login.log_in(attempt, origin())
    assert refused.value.field == field


@pytest.mark.parametrize("login", ["jo", "nobody"])
def test_an_unknown_login_costs_what_a_wrong_password_costs(jo: Person, login: str) -> None:
    """As many round trips to the database, and as much Argon2."""
    trips: list[str] = []

    def answered(model: object, **_: object) -> None:
        trips.append(model.name)  # type: ignore[attr-defined]

    def quickly(reader: QuickReader, request: object) -> object:
        trips.append("BatchGetItem")
        return ask(reader, request)

    events, ask = connection().client.meta.events, QuickReader.ask
    verify = argon2.PasswordHasher.verify
    with (
        patch.object(argon2.PasswordHasher, "verify", autospec=True, side_effect=verify) as computed,
        patch.object(QuickReader, "ask", quickly),
    ):
        events.register("after-call.dynamodb", answered)
        with pytest.raises(LoginRefused):
            jo.attempt(login=login, password="wrong horse")
        events.unregister("after-call.dynamodb", answered)
    assert trips == ["GetItem", "UpdateItem", "UpdateItem", "UpdateItem", "GetItem", "BatchGetItem"]
    assert computed.call_count == 1


def test_a_banned_user_learns_it_only_with_the_right_password(jo: Person) -> None:
    jo.scene.product.accounts.update(jo.scene.caller(), jo.user.id, AccountChange(banned=True))
    with pytest.raises(LoginRefused):
        jo.attempt(password="wrong horse")
    with pytest.raises(Forbidden):
        jo.attempt()


def test_a_ban_ends_the_session_at_once(jo: Person) -> None:
    opened = jo.attempt()
    jo.scene.product.accounts.update(jo.scene.caller(), jo.user.id, AccountChange(banned=True))
    with pytest.raises(Unauthenticated):
        jo.caller(opened)


def test_a_session_ends_after_its_lifetime(jo: Person) -> None:
    opened = jo.attempt()
    jo.wait(LIFETIME_MS - 1)
    assert jo.caller(opened)
    jo.wait(1)
    with pytest.raises(Unauthenticated):
        jo.caller(opened)


def test_sessions_are_listed_and_ended(jo: Person) -> None:
    sessions = jo.scene.product.sessions
    first, caller = jo.attempt(), jo.log_in()
    assert [each.id for each in sessions.page(caller, "me", Window()).items] == [
        caller.credential_id,
        first.session.id,
    ]
    sessions.end(caller, "me", first.session.id)
    with pytest.raises(Unauthenticated):
        jo.caller(first)
    sessions.end(caller, "me", "current")
    assert sessions.page(jo.scene.caller(), "jo", Window()).total == 0
    with pytest.raises(NotFound):
        sessions.end(jo.scene.caller(), "jo", first.session.id)


def test_a_raised_cost_is_paid_at_the_next_login(jo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_ARGON2_PASSES", "3")
    keyturn.cache_clear()
    hashes = []
    for _ in range(2):
        assert keyturn().login.log_in(LoginAttempt(login="jo", password=PASSWORD), Origin(jo.clock, HOME))
        hashes.append(DynamoAuthenticators().get(jo.user.id).password or "")
    assert ",t=3," in hashes[0]
    assert hashes[1] == hashes[0]


class TestThrottling:
    """Guessing is slow, from one place and from many, and locks nobody out."""

    def guess(self, jo: Person, address: str, login: str = "jo") -> None:
        with pytest.raises(LoginRefused):
            jo.attempt(address, login=login, password="wrong horse")

    @pytest.mark.parametrize("login", ["jo", "nobody"])
    def test_ten_guesses_from_one_place_are_enough(self, jo: Person, login: str) -> None:
        for _ in range(10):
            self.guess(jo, ELSEWHERE, login)
        with pytest.raises(Throttled) as refused:
            jo.attempt(ELSEWHERE, login=login)
        assert 0 < refused.value.retry_after <= 15 * 60
        jo.wait(QUARTER_HOUR_MS)
        self.guess(jo, ELSEWHERE, login)

    def test_guesses_from_many_places_are_counted_together(self, jo: Person) -> None:
        jo.clock -= jo.clock % (60 * 60_000)  # all within one hour
        for place in range(50):
            self.guess(jo, f"198.51.100.{place}")
        with pytest.raises(Throttled):
            jo.attempt("198.51.100.200")

    def test_they_do_not_lock_out_the_owner_where_the_owner_logged_in_before(self, jo: Person) -> None:
        assert jo.attempt(HOME)
        for place in range(50):
            self.guess(jo, f"198.51.100.{place}")
        assert jo.attempt(HOME)

    def test_one_place_cannot_try_many_logins(self, jo: Person) -> None:
        jo.clock -= jo.clock % QUARTER_HOUR_MS
        for number in range(100):
            self.guess(jo, ELSEWHERE, f"user-{number}")
        with pytest.raises(Throttled):
            jo.attempt(ELSEWHERE)
        assert jo.attempt(HOME)

    def test_what_neighbours_guess_does_not_lock_out_who_logged_in_there(self, jo: Person) -> None:
        jo.clock -= jo.clock % QUARTER_HOUR_MS
        assert jo.attempt(HOME)
        for number in range(100):
            self.guess(jo, HOME, f"user-{number}")
        with pytest.raises(Throttled):
            jo.attempt(HOME, login="user-100")
        assert jo.attempt(HOME)

    def test_successful_logins_use_nothing_up(self, jo: Person) -> None:
        for _ in range(12):
            assert jo.attempt(HOME)

    def test_the_current_password_cannot_be_guessed_with_a_stolen_session(self, jo: Person) -> None:
        caller, passwords = jo.log_in(), jo.scene.product.passwords
        for _ in range(10):
            with pytest.raises(Invalid):
                passwords.set(caller, "me", "another long passphrase!", "wrong horse")
        with pytest.raises(Throttled):
            passwords.set(caller, "me", "another long passphrase!", PASSWORD)


class TestSecondFactor:
    """With 2FA on, a password is not enough."""

    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        jo = person(scene)
        jo.turn_on_2fa()
        jo.wait(STEP_MS)
        return jo

    def test_a_missing_code_is_asked_for(self, jo: Person) -> None:
        with pytest.raises(SecondFactorRequired) as asked:
            jo.attempt()
        assert asked.value.methods == ("totp", "recoveryCode")

    def test_the_apps_code_is_good_once(self, jo: Person) -> None:
        code = jo.code()
        assert jo.attempt(code=code).session.second_factor
        with pytest.raises(LoginRefused):
            jo.attempt(code=code)
        jo.wait(STEP_MS)
        with pytest.raises(LoginRefused):
            jo.attempt(code=code)

    def test_the_code_that_paired_the_app_is_used_up(self, jo: Person) -> None:
        jo.wait(-STEP_MS)
        with pytest.raises(LoginRefused):
            jo.attempt(code=jo.code())

    def test_a_recovery_code_is_good_once(self, jo: Person) -> None:
        code = jo.recovery_codes[3]
        assert jo.attempt(code=code)
        with pytest.raises(LoginRefused):
            jo.attempt(code=code)
        assert jo.attempt(code=jo.recovery_codes[4])

    def test_a_code_without_the_password_is_nothing(self, jo: Person) -> None:
        with pytest.raises(LoginRefused):
            jo.attempt(password="wrong horse", code=jo.code())
        assert jo.attempt(code=jo.code())

    def test_codes_cannot_be_guessed(self, jo: Person) -> None:
        for _ in range(10):
            with pytest.raises(LoginRefused):
                jo.attempt(ELSEWHERE, code="000000")
        with pytest.raises(Throttled):
            jo.attempt(ELSEWHERE, code=jo.code())


class TestGroupThatRequiresIt:
    """Members of a group that requires 2FA for logins."""

    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        jo = person(scene)
        groups, by = scene.product.groups, scene.caller()
        groups.create(by, GroupDescription("everybody", requires_two_factor=True))
        groups.create(by, GroupDescription("developers", "everybody"))
        groups.add_member(by, "developers", jo.user.id)
        groups.add_member(by, "developers", scene.bot.id)
        return jo

    def test_without_a_second_factor_they_can_only_add_one(self, jo: Person) -> None:
        caller = jo.log_in()
        assert caller.unproven
        with pytest.raises(Forbidden, match="second factor"):
            jo.scene.product.accounts.find(caller, "me", *AccountChange(name="x").operations)
        with pytest.raises(Forbidden):
            jo.scene.product.permanent_tokens.create(caller, "me", "loophole", ["keyturn"])
        jo.turn_on_2fa()
        assert jo.scene.product.permanent_tokens.create(jo.log_in(), "me", "allowed", ["keyturn"])

    def test_the_session_that_added_it_stays_unproven(self, jo: Person) -> None:
        caller = jo.log_in()
        jo.turn_on_2fa()
        with pytest.raises(Forbidden):
            jo.scene.product.permanent_tokens.create(caller, "me", "loophole", ["keyturn"])

    def test_permanent_tokens_work(self, jo: Person) -> None:
        scene = jo.scene
        assert scene.is_good(scene.token.secret)
        own = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "api", ["keyturn"])
        assert not scene.caller(own.secret).unproven

    def test_a_bot_has_no_password_login_at_all(self, jo: Person) -> None:
        with pytest.raises(Conflict):
            jo.scene.product.passwords.set(jo.scene.caller(), "build-bot", PASSWORD, None)
        with pytest.raises(LoginRefused):
            jo.attempt(login="build-bot")


class TestChangingThePassword:
    def test_it_needs_the_current_one_and_ends_all_sessions(self, jo: Person) -> None:
        caller, passwords = jo.log_in(), jo.scene.product.passwords
        with pytest.raises(Invalid) as refused:
            passwords.set(caller, "me", "another long passphrase!", None)
        assert refused.value.field == "currentPassword"
        jo.wait(1)
        later = jo.log_in()
        passwords.set(later, "me", "another long passphrase!", PASSWORD)
        with pytest.raises(LoginRefused):
            jo.attempt()
        jo.wait(1)
        opened = jo.attempt(password="another long passphrase!")
        assert [each.id for each in jo.scene.product.sessions.page(jo.caller(opened), "me", Window()).items] == [
            opened.session.id
        ]

    def test_who_may_do_less_cannot_set_the_password_of_who_may_do_more(self, jo: Person, scene: Scene) -> None:
        scene.product.roles.create(scene.caller(), "helpdesk", "Helpdesk", [READ_USER, UPDATE_USER])
        scene.product.roles.grant(scene.caller(), jo.user.id, "helpdesk")
        helper = jo.log_in()
        other = person(scene, "kim")
        scene.product.passwords.set(helper, other.user.id, "another long passphrase!", None)
        with pytest.raises(Forbidden, match="you lack"):
            scene.product.passwords.set(helper, "admin", "another long passphrase!", None)

    def test_only_for_a_first_password_a_token_is_enough(self, scene: Scene) -> None:
        scene.product.passwords.set(scene.caller(), "me", PASSWORD, None)
        with pytest.raises(Invalid):
            scene.product.passwords.set(scene.caller(), "me", "another long passphrase!", None)
        assert scene.product.login.log_in(LoginAttempt(login="admin", password=PASSWORD), Origin(now() + 1, HOME))
