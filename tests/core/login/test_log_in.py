"""Logging in, and what refuses it."""

from __future__ import annotations

import base64
from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.core.access.permissions import READ_USER, UPDATE_USER
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import ANYBODY, AuditQuery, AuditRecord
from chalicelib.core.common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LoginRefused,
    NotFound,
    SecondFactorLocked,
    SecondFactorRequired,
    StaleWrite,
    Throttled,
    Unauthenticated,
)
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.common.rate_limits import Budget
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.login.authenticators import MAX_WRONG_CODES
from chalicelib.core.login.log_in import LoginAttempt, OpenedSession
from chalicelib.core.login.session import LIFETIME_MS
from chalicelib.core.login.totp import STEP_MS
from chalicelib.core.secrets.hashing import Argon2Parameters
from tests.authenticator import SoftwarePasskey
from tests.conftest import Scene, now, origin
from tests.people import HOME, PASSWORD, Person, person

ELSEWHERE = "203.0.113.9"
QUARTER_HOUR_MS = 15 * 60_000


@pytest.fixture
def jo(scene: Scene) -> Person:
    return person(scene)


def test_a_password_opens_a_session_of_its_owner(jo: Person) -> None:
    caller = jo.log_in()
    assert caller.user == jo.scene.product.accounts.find(jo.scene.caller(), "jo", Operation.READ_USER)
    assert caller.logged_in
    assert not caller.second_factor_missing


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


def test_a_raised_cost_is_paid_at_the_next_login(jo: Person) -> None:
    dearer = jo.scene.restarted(argon2=Argon2Parameters(passes=3)).product
    hashes = []
    for _ in range(2):
        assert dearer.login.log_in(LoginAttempt(login="jo", password=PASSWORD), Origin(jo.clock, HOME))
        hashes.append(dearer.stores.authenticators.get(jo.user.id).password or "")
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


JUNK = {"id": "AAAA", "type": "public-key", "response": {"clientDataJSON": "e30", "userHandle": "AAAA"}}


class TestThrottlingOfPasskeys:
    """A passkey alone cannot be guessed, but whoever tries costs work, and leaves a record in somebody's log."""

    def junk(self, jo: Person, address: str, login: str | None = "jo") -> None:
        with pytest.raises(LoginRefused):
            jo.attempt(address, login=login, password=None, passkey=JUNK)

    def passkey(self, jo: Person) -> SoftwarePasskey:
        passkey, caller, factors = SoftwarePasskey(), jo.log_in(), jo.scene.product.second_factors
        factors.add_passkey(caller, "me", "Key", passkey.create(factors.passkey_options(caller, "me")))
        return passkey

    def log_in(self, jo: Person, passkey: SoftwarePasskey, address: str = HOME) -> OpenedSession:
        answer = passkey.get(jo.scene.product.login.passkey_options(jo.clock))
        return jo.attempt(address, login=None, password=None, passkey=answer)

    @pytest.mark.parametrize("login", ["jo", "nobody", None])
    def test_ten_from_one_place_are_enough(self, jo: Person, login: str | None) -> None:
        for _ in range(10):
            self.junk(jo, ELSEWHERE, login)
        with pytest.raises(Throttled) as refused:
            self.junk(jo, ELSEWHERE, login)
        assert 0 < refused.value.retry_after <= 15 * 60
        jo.wait(QUARTER_HOUR_MS)
        self.junk(jo, ELSEWHERE, login)

    def test_one_place_cannot_try_many_logins(self, jo: Person) -> None:
        jo.clock -= jo.clock % QUARTER_HOUR_MS
        for number in range(100):
            self.junk(jo, ELSEWHERE, f"user-{number}")
        with pytest.raises(Throttled):
            self.junk(jo, ELSEWHERE)

    def junk_of(self, jo: Person, id: str) -> None:
        handle = base64.urlsafe_b64encode(id.encode()).rstrip(b"=").decode()
        junk = {**JUNK, "response": {"clientDataJSON": "e30", "userHandle": handle}}
        with pytest.raises(LoginRefused):
            jo.attempt(ELSEWHERE, login=None, password=None, passkey=junk)

    def test_an_id_of_somebody_is_not_told_from_one_of_nobody(self, jo: Person) -> None:
        """Each that is given has its own budget, whether or not there is such an account."""
        for _ in range(10):
            self.junk_of(jo, new_id())
        for id in (jo.user.id, new_id()):
            for _ in range(10):
                self.junk_of(jo, id)
            with pytest.raises(Throttled):
                self.junk_of(jo, id)

    def test_nobody_uses_up_the_owners_passkey_from_elsewhere(self, jo: Person) -> None:
        passkey = self.passkey(jo)
        jo.clock += (60 - jo.clock // 60_000 % 60) * 60_000  # all within one hour
        for place in range(60):
            self.junk(jo, f"198.51.100.{place}")
        assert self.log_in(jo, passkey)
        assert self.log_in(jo, passkey, "203.0.113.77")

    def test_successful_logins_use_nothing_up_and_make_the_place_known(self, jo: Person) -> None:
        passkey = self.passkey(jo)
        for _ in range(12):
            assert self.log_in(jo, passkey, "203.0.113.77")
        assert jo.scene.product.stores.login_attempts.is_known("jo", "203.0.113.77", jo.clock)

    @pytest.mark.parametrize("login", ["jo", "nobody", "what can be no login " * 200])
    def test_an_unknown_login_is_tried_as_one_that_is_there(
        self, jo: Person, login: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps = []
        stores = jo.scene.product.stores
        for store, name in (
            (stores.login_attempts, "is_known"),
            (stores.login_attempts, "add"),
            (stores.authenticators, "find_by_login"),
            (stores.audit, "count"),
        ):
            do = getattr(type(store), name)
            monkeypatch.setattr(
                type(store),
                name,
                lambda *given, do=do, name=name: steps.append(name) or do(*given),  # type: ignore[func-returns-value]
            )
        self.junk(jo, ELSEWHERE, login)
        assert steps == ["is_known", "add", "add", "find_by_login", "count"]


class TestWhatIsNoLogin:
    """People type passwords where a login belongs, and strangers type anything."""

    @pytest.mark.parametrize("typed", ["", "my secret password", "x" * 60_000, "\u0301" * 60_000, "jo#192.0.2.10"])
    def test_it_is_refused_as_any_other(self, jo: Person, typed: str) -> None:
        with pytest.raises(LoginRefused):
            jo.attempt(login=typed)

    def test_a_password_that_nobody_has_chosen_is_refused_however_long(self, jo: Person) -> None:
        with pytest.raises(LoginRefused):
            jo.attempt(password="\u0301\u0323" * 30_000)

    def test_what_was_typed_is_not_stored(self, jo: Person) -> None:
        stored = set()

        def add(budget: Budget, *_: object) -> int:
            stored.add(budget.subject)
            return 1

        with (
            patch.object(type(jo.scene.product.stores.login_attempts), "add", side_effect=add),
            pytest.raises(LoginRefused),
        ):
            jo.attempt(login="hunter2-Hunter2", password="whatever")
        assert len(stored) == 3
        assert not any("hunter2" in subject.lower() for subject in stored)


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


class TestLock:
    """NIST SP 800-63B-4 section 3.2.2: after so many wrong codes in a row, no code is good any more."""

    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        jo = person(scene)
        jo.turn_on_2fa()
        return jo

    def wrong(self, jo: Person, times: int = 1, password: str = PASSWORD) -> None:
        for _ in range(times):
            jo.wait(2 * 60_000)  # so that nothing is throttled
            with pytest.raises(LoginRefused):
                jo.attempt(password=password, code="000000")

    def almost_lock(self, jo: Person) -> None:
        stored = jo.scene.product.stores.authenticators
        old = stored.get(jo.user.id)
        stored.count_wrong_code(old, replace(old, wrong_codes=MAX_WRONG_CODES - 1, revision=old.revision + 1), None)

    def lock(self, jo: Person) -> None:
        self.almost_lock(jo)
        self.wrong(jo)
        with pytest.raises(SecondFactorLocked, match="recovery code or a passkey, or ask an administrator"):
            jo.attempt(code=jo.code())

    def test_each_wrong_code_counts(self, jo: Person) -> None:
        self.wrong(jo, 3)
        assert jo.scene.product.stores.authenticators.get(jo.user.id).wrong_codes == 3

    def test_a_login_begins_the_count_anew(self, jo: Person) -> None:
        self.almost_lock(jo)
        assert jo.log_in()
        self.wrong(jo)
        assert jo.log_in()

    def test_who_does_not_know_the_password_locks_nothing(self, jo: Person) -> None:
        self.almost_lock(jo)
        self.wrong(jo, 3, password="wrong horse")
        assert jo.log_in()

    def test_a_wrong_recovery_code_locks_no_app(self, jo: Person) -> None:
        self.almost_lock(jo)
        with pytest.raises(LoginRefused):
            jo.attempt(code="AAAA-BBBB-CCCC")
        assert jo.log_in()

    def test_the_lock_is_in_the_audit_log(self, jo: Person) -> None:
        self.lock(jo)
        query = AuditQuery(target_id=jo.user.id, kind="second-factor.locked", until=jo.clock)
        (record,) = jo.scene.product.audit_trail.page(jo.scene.caller(), query, 10).records
        assert (record.address, record.actor_id) == (HOME, ANYBODY)

    def test_it_says_what_would_do(self, jo: Person) -> None:
        self.lock(jo)
        with pytest.raises(SecondFactorRequired) as asked:
            jo.attempt()
        assert asked.value.methods == ("recoveryCode",)

    def test_a_recovery_code_lifts_it(self, jo: Person) -> None:
        self.lock(jo)
        assert jo.attempt(code=jo.recovery_codes[0])
        assert jo.log_in()

    def test_a_passkey_lifts_it(self, jo: Person) -> None:
        passkey, caller, factors = SoftwarePasskey(), jo.log_in(), jo.scene.product.second_factors
        factors.add_passkey(caller, "me", "Key", passkey.create(factors.passkey_options(caller, "me")))
        self.lock(jo)
        assert jo.log_in_with(passkey)
        assert jo.log_in()

    def test_an_administrator_lifts_it(self, jo: Person) -> None:
        self.lock(jo)
        jo.scene.product.second_factors.turn_off(jo.scene.caller(), jo.user.id)
        jo.totp_secret = ""
        jo.turn_on_2fa()
        assert jo.log_in()

    def test_wrong_codes_at_once_are_all_counted(self, jo: Person) -> None:
        """A count that was read before another was written is no good."""
        stored = jo.scene.product.stores.authenticators
        old = stored.get(jo.user.id)
        stored.count_wrong_code(old, old.with_wrong_code(), None)
        with pytest.raises(StaleWrite):
            stored.count_wrong_code(old, old.with_wrong_code(), None)


class TestTraces:
    """What failed is in the audit log: one record for each account, or network, and quarter of an hour."""

    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        jo = person(scene)
        jo.clock = jo.clock // QUARTER_HOUR_MS * QUARTER_HOUR_MS + QUARTER_HOUR_MS
        return jo

    def records(self, jo: Person, target: str) -> list[AuditRecord]:
        query = AuditQuery(target_id=target, since=jo.clock - QUARTER_HOUR_MS, until=jo.clock + QUARTER_HOUR_MS)
        found = jo.scene.product.audit_trail.page(jo.scene.caller(), query, 100).records
        return [each for each in found if each.kind.endswith("failed")]

    def test_wrong_passwords_are_counted_with_where_they_came_from(self, jo: Person) -> None:
        for address in (ELSEWHERE, ELSEWHERE, HOME):
            with pytest.raises(LoginRefused):
                jo.attempt(address, password="wrong horse")
        (record,) = self.records(jo, jo.user.id)
        assert (record.kind, record.at, record.actor_id) == ("login.failed", jo.clock, ANYBODY)
        assert (record.target_kind, record.target_id, record.owner_id) == ("user", jo.user.id, jo.user.id)
        assert (record.address, record.details) == (ELSEWHERE, {"times": "3", "last address": HOME})
        jo.wait(QUARTER_HOUR_MS)
        with pytest.raises(LoginRefused):
            jo.attempt(password="wrong horse")
        assert [each.details for each in self.records(jo, jo.user.id)] == [{"times": "1"}, record.details]

    def test_of_unknown_logins_the_network_is_told_and_not_what_was_typed(self, jo: Person) -> None:
        for login in ("hunter2", "what is this", "x" * 5_000):
            with pytest.raises(LoginRefused):
                jo.attempt("2001:db8::7", login=login)
        (record,) = self.records(jo, "2001:db8::/64")
        assert (record.kind, record.target_kind, record.owner_id) == ("login.failed", "network", None)
        assert record.details == {"times": "3"}
        assert "hunter2" not in str(record)

    def test_right_logins_leave_none(self, jo: Person) -> None:
        jo.turn_on_2fa()
        with pytest.raises(SecondFactorRequired):
            jo.attempt()
        assert jo.log_in()
        assert not self.records(jo, jo.user.id)

    def test_wrong_codes_of_all_kinds(self, jo: Person) -> None:
        factors, caller = jo.scene.product.second_factors, jo.log_in()
        factors.begin_pairing(caller, "me")
        for _ in range(2):
            with pytest.raises(Invalid):
                factors.confirm_pairing(caller, "me", "000000")
        jo.turn_on_2fa()
        for code in ("000000", "AAAA-BBBB-CCCC"):
            with pytest.raises(LoginRefused):
                jo.attempt(code=code)
        with pytest.raises(Invalid):
            jo.scene.product.passwords.set(caller, "me", "another long passphrase!", "wrong horse")
        found = {each.kind: (each.actor_id, each.details["times"]) for each in self.records(jo, jo.user.id)}
        assert found == {
            "second-factor.pairing-failed": (jo.user.id, "2"),
            "second-factor.failed": (ANYBODY, "2"),
            "password.failed": (jo.user.id, "1"),
        }

    def test_a_passkey_that_proves_nothing(self, jo: Person) -> None:
        passkey, caller, factors = SoftwarePasskey(), jo.log_in(), jo.scene.product.second_factors
        factors.add_passkey(caller, "me", "Key", passkey.create(factors.passkey_options(caller, "me")))
        answer = passkey.get(jo.scene.product.login.passkey_options(jo.clock))
        answer["response"]["signature"] = answer["response"]["authenticatorData"]
        with pytest.raises(LoginRefused):
            jo.attempt(login=None, password=None, passkey=answer)
        assert [each.kind for each in self.records(jo, jo.user.id)] == ["login.failed"]


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
        assert caller.second_factor_missing
        with pytest.raises(Forbidden, match="second factor"):
            jo.scene.product.accounts.find(caller, "me", *AccountChange(name="x").operations)
        with pytest.raises(Forbidden):
            jo.scene.product.permanent_tokens.create(caller, "me", "loophole", ["keyturn"])
        jo.turn_on_2fa()
        assert jo.scene.product.permanent_tokens.create(jo.log_in(), "me", "allowed", ["keyturn"])

    def test_the_session_that_added_it_has_proven_it_and_others_have_ended(self, jo: Person) -> None:
        other, opened = jo.attempt(), jo.attempt()
        caller, factors = jo.caller(opened), jo.scene.product.second_factors
        jo.totp_secret = factors.begin_pairing(caller, "me").secret
        factors.confirm_pairing(caller, "me", jo.code())
        assert jo.scene.product.permanent_tokens.create(jo.caller(opened), "me", "allowed", ["keyturn"])
        with pytest.raises(Unauthenticated):
            jo.caller(other)

    def test_permanent_tokens_work(self, jo: Person) -> None:
        scene = jo.scene
        assert scene.is_good(scene.token.secret)
        own = scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, "api", ["keyturn"])
        assert not scene.caller(own.secret).second_factor_missing

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

    def test_a_token_is_never_enough_for_the_first_one_either(self, scene: Scene) -> None:
        with pytest.raises(Forbidden, match="Log in"):
            scene.product.passwords.set(scene.caller(), "me", PASSWORD, None)
        with pytest.raises(LoginRefused):
            scene.product.login.log_in(LoginAttempt(login="admin", password=PASSWORD), Origin(now() + 1, HOME))

    def test_an_operator_gives_an_administrator_the_first_one_or_one_that_replaces_it(self, scene: Scene) -> None:
        operator, login = scene.product.first_administrator, scene.product.login
        first = operator.set_password("admin", origin(), only_first=True)
        opened = login.log_in(LoginAttempt(login="admin", password=first), Origin(now() + 1, HOME))
        assert operator.set_password("admin", origin(), only_first=True) is None
        second = operator.set_password("admin", origin())
        with pytest.raises(Unauthenticated):
            scene.caller(opened.secret)
        assert login.log_in(LoginAttempt(login="admin", password=second), Origin(now() + 1, HOME))
        with pytest.raises(LoginRefused):
            login.log_in(LoginAttempt(login="admin", password=first), Origin(now() + 1, HOME))
