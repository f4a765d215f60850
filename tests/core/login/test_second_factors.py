"""Pairing an app, passkeys, recovery codes, and turning it all off."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.caller import Caller
from chalicelib.core.common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LoginRefused,
    LoginTooOld,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.log_in import LoginAttempt
from chalicelib.core.login.passkeys import CHALLENGE_LIFETIME_MS
from chalicelib.core.login.session import Session
from chalicelib.core.login.totp import STEP_MS
from chalicelib.core.verification.leaks import Found
from tests.authenticator import SoftwarePasskey
from tests.conftest import Scene
from tests.memory.tokens import MemoryAccountCredentials
from tests.people import HOME, Person, person


@pytest.fixture
def jo(scene: Scene) -> Person:
    return person(scene)


def test_an_app_counts_only_once_a_code_has_confirmed_it(jo: Person) -> None:
    factors, caller = jo.scene.product.second_factors, jo.log_in()
    jo.totp_secret = factors.begin_pairing(caller, "me").secret
    assert not factors.status(caller, "me").authenticators.two_factor
    with pytest.raises(Invalid) as refused:
        factors.confirm_pairing(caller, "me", "000000")
    assert refused.value.field == "code"
    assert jo.attempt()
    confirmed = factors.confirm_pairing(caller, "me", jo.code())
    assert confirmed.authenticators.two_factor
    assert len(confirmed.recovery_codes) == 10
    with pytest.raises(Conflict):
        factors.begin_pairing(jo.log_in(), "me")


def test_nothing_is_confirmed_that_was_not_begun(jo: Person) -> None:
    with pytest.raises(Conflict):
        jo.scene.product.second_factors.confirm_pairing(jo.log_in(), "me", "123456")


def test_new_recovery_codes_replace_the_old(jo: Person) -> None:
    jo.turn_on_2fa()
    renewed = jo.scene.product.second_factors.renew_recovery_codes(jo.log_in(), "me").recovery_codes
    with pytest.raises(LoginRefused):
        jo.attempt(code=jo.recovery_codes[0])
    assert jo.attempt(code=renewed[0])


def test_a_token_cannot_touch_what_its_owner_logs_in_with(jo: Person) -> None:
    factors = jo.scene.product.second_factors
    jo.turn_on_2fa()
    token = jo.scene.product.permanent_tokens.create(jo.log_in(), "me", "api", ["keyturn"])
    caller = jo.scene.caller(token.secret)
    for forbidden in (
        lambda: factors.begin_pairing(caller, "me"),
        lambda: factors.turn_off(caller, "me"),
        lambda: factors.renew_recovery_codes(caller, "me"),
        lambda: factors.passkey_options(caller, "me"),
    ):
        with pytest.raises(Forbidden, match="Log in"):
            forbidden()


def test_nobody_pairs_for_another(jo: Person) -> None:
    with pytest.raises(Forbidden):
        jo.scene.product.second_factors.begin_pairing(jo.scene.caller(), jo.user.id)


def test_turning_it_off_removes_the_application_passwords(jo: Person) -> None:
    product = jo.scene.product
    jo.turn_on_2fa()
    caller = jo.log_in()
    secrets = [product.application_passwords.create(caller, "me", f"mail {n}").secret or "" for n in range(3)]
    product.second_factors.turn_off(caller, "me")
    assert product.application_passwords.page(caller, "me", Window()).total == 0
    for secret in secrets:
        with pytest.raises(Unauthenticated):
            product.authentication.caller_by_password("jo", secret, Origin(jo.clock, HOME))
    assert jo.attempt()
    jo.totp_secret = ""
    jo.turn_on_2fa()
    assert product.application_passwords.create(jo.log_in(), "me", "mail 0")


def test_they_have_ended_also_if_none_of_them_is_removed(jo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the next one removes them; data from before there were epochs are of the first."""
    product, scene = jo.scene.product, jo.scene
    jo.turn_on_2fa()
    caller = jo.log_in()
    made = [product.application_passwords.create(caller, "me", f"mail {number}") for number in range(3)]
    assert scene.is_good(made[0].secret)

    def fails(self: object, ended: object) -> None:
        raise Unavailable("The database does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryAccountCredentials, "sweep", fails)
        product.second_factors.turn_off(caller, "me")
    jo.totp_secret = ""
    jo.turn_on_2fa()
    caller = jo.log_in()
    assert len(product.stores.account_credentials.list(ApplicationPassword, jo.user.id)) == 3
    for each in made:
        assert not scene.is_good(each.secret)
        with pytest.raises(Unauthenticated):
            product.authentication.caller_by_password("jo", each.secret or "", Origin(jo.clock, HOME))
        with pytest.raises(NotFound):
            product.application_passwords.get(caller, "me", each.password.id)
        with pytest.raises(NotFound):
            product.application_passwords.delete(caller, "me", each.password.id)
        product.lifecycle.leaks.report([Found(each.secret or "")], Origin(jo.clock, HOME))
    assert product.application_passwords.page(caller, "me", Window()).total == 0
    again = product.application_passwords.create(caller, "me", "mail 1")
    assert scene.is_good(again.secret)
    assert [each.id for each in product.stores.account_credentials.list(ApplicationPassword, jo.user.id)] == [
        again.password.id
    ]


def test_an_administrator_resets_it_and_ends_the_sessions(jo: Person) -> None:
    jo.turn_on_2fa()
    opened = jo.attempt(code=jo.recovery_codes[0])
    jo.scene.product.second_factors.turn_off(jo.scene.caller(), "jo")
    jo.wait(STEP_MS)
    with pytest.raises(Unauthenticated):
        jo.caller(opened)
    assert jo.attempt()


class TestPasskeys:
    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        return person(scene.restarted(address="https://keyturn.example.com/base"))

    def add(self, jo: Person, passkey: SoftwarePasskey) -> None:
        factors, caller = jo.scene.product.second_factors, jo.log_in()
        made = passkey.create(factors.passkey_options(caller, "me"))
        jo.recovery_codes = factors.add_passkey(caller, "me", "Phone", made).recovery_codes

    def options(self, jo: Person) -> dict[str, object]:
        return jo.scene.product.login.passkey_options(jo.clock)

    def with_passkey_alone(self, jo: Person, credential: object, login: str | None = None) -> object:
        attempt = LoginAttempt(login=login, passkey=credential)  # type: ignore[arg-type]
        return jo.scene.product.login.log_in(attempt, Origin(jo.clock, HOME))

    def test_a_passkey_that_knows_its_user_is_enough(self, jo: Person) -> None:
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        opened = self.with_passkey_alone(jo, passkey.get(self.options(jo)))
        assert opened.owner.id == jo.user.id  # type: ignore[attr-defined]
        assert opened.session.second_factor  # type: ignore[attr-defined]

    def test_nobody_can_use_up_the_logins_with_a_passkey(self, jo: Person) -> None:
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        for _ in range(10):
            with pytest.raises(LoginRefused):
                jo.attempt(password="wrong horse")
        with pytest.raises(Throttled):
            jo.attempt()
        assert self.with_passkey_alone(jo, passkey.get(self.options(jo)))

    def test_a_security_key_without_pin_is_a_second_factor_only(self, jo: Person) -> None:
        key = SoftwarePasskey(verifies_user=False)
        self.add(jo, key)
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, key.get(self.options(jo)))
        assert jo.attempt(passkey=key.get(self.options(jo))).session.second_factor
        with pytest.raises(LoginRefused):
            jo.attempt(password="wrong horse", passkey=key.get(self.options(jo)))

    def test_an_answer_is_good_once(self, jo: Person) -> None:
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        answer = passkey.get(self.options(jo))
        assert self.with_passkey_alone(jo, answer)
        with pytest.raises((LoginRefused, Conflict)):
            self.with_passkey_alone(jo, answer)

    def test_an_answer_to_an_old_or_foreign_challenge_is_refused(self, jo: Person) -> None:
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        old = self.options(jo)
        jo.wait(CHALLENGE_LIFETIME_MS + 1)
        registration = jo.scene.product.second_factors.passkey_options(jo.log_in_with(passkey), "me")
        for challenge in (old["challenge"], registration["challenge"], "AAAA", ""):
            with pytest.raises(LoginRefused):
                self.with_passkey_alone(jo, passkey.get({**self.options(jo), "challenge": challenge}))

    def test_another_site_cannot_use_it(self, jo: Person) -> None:
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        passkey.origin = "https://keyturn.example.com.evil.example"
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, passkey.get(self.options(jo)))

    def test_somebody_elses_passkey_is_refused(self, jo: Person) -> None:
        mine, theirs = SoftwarePasskey(), SoftwarePasskey()
        self.add(jo, mine)
        other = person(jo.scene, "kim")
        self.add(other, theirs)
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, theirs.get(self.options(jo)), login="jo")

    def test_a_cloned_passkey_is_noticed_by_its_counter(self, jo: Person) -> None:
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        assert self.with_passkey_alone(jo, passkey.get(self.options(jo)))
        passkey._uses = 0
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, passkey.get(self.options(jo)))

    @pytest.mark.parametrize(
        "credential",
        [
            {},
            {"id": "x"},
            {"id": 5, "response": {"clientDataJSON": "e30"}},
            {"response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOjV9", "userHandle": 5}},  # a challenge that is a number
            {"response": {"clientDataJSON": None, "userHandle": None}},
            {"response": []},
        ],
    )
    def test_nonsense_is_refused(self, jo: Person, credential: dict[str, object]) -> None:
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, credential)
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, credential, login="jo")
        with pytest.raises(Invalid):
            jo.scene.product.second_factors.add_passkey(jo.log_in(), "me", "Phone", credential)

    @pytest.mark.parametrize("garbage", ["", "AA", "oA", "_____w", "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA", 5, None])
    @pytest.mark.parametrize("part", ["attestationObject", "authenticatorData", "signature", "clientDataJSON"])
    def test_garbage_under_a_good_challenge_is_refused(self, jo: Person, part: str, garbage: object) -> None:
        passkey, factors, opened = SoftwarePasskey(), jo.scene.product.second_factors, jo.attempt()
        made = passkey.create(factors.passkey_options(jo.caller(opened), "me"))
        factors.add_passkey(jo.caller(opened), "me", "Phone", made)
        caller = jo.caller(opened)
        again = SoftwarePasskey().create(factors.passkey_options(caller, "me"))
        answer = passkey.get(self.options(jo))
        if part in again["response"]:
            again["response"][part] = garbage
            with pytest.raises(Invalid):
                factors.add_passkey(caller, "me", "Other", again)
        if part in answer["response"]:
            answer["response"][part] = garbage
            with pytest.raises(LoginRefused):
                self.with_passkey_alone(jo, answer, login="jo")

    def test_removing_the_last_one_turns_2fa_off(self, jo: Person) -> None:
        factors = jo.scene.product.second_factors
        passkey = SoftwarePasskey()
        self.add(jo, passkey)
        caller = jo.log_in_with(passkey)
        assert jo.scene.product.application_passwords.create(caller, "me", "mail")
        (stored,) = factors.status(caller, "me").authenticators.passkeys
        with pytest.raises(NotFound):
            factors.remove_passkey(caller, "me", "nothing")
        factors.remove_passkey(caller, "me", stored.id)
        assert not factors.status(caller, "me").authenticators.two_factor
        assert jo.scene.product.application_passwords.page(caller, "me", Window()).total == 0
        with pytest.raises(LoginRefused):
            self.with_passkey_alone(jo, passkey.get(self.options(jo)))
        assert jo.attempt()

    def test_somebody_else_who_removes_the_last_one_ends_the_sessions(self, jo: Person) -> None:
        """As a reset of 2FA does: whoever asked for it has lost the factor, or it is in other hands."""
        factors, passkey = jo.scene.product.second_factors, SoftwarePasskey()
        self.add(jo, passkey)
        opened = jo.log_in_with(passkey)
        (stored,) = factors.status(opened, "me").authenticators.passkeys
        factors.remove_passkey(jo.scene.caller(), "jo", stored.id)
        assert jo.scene.product.sessions.page(jo.scene.caller(), "jo", Window()).total == 0

    def test_without_an_address_there_are_none(self, scene: Scene) -> None:
        with pytest.raises(Conflict, match="KEYTURN_ADDRESS"):
            Keyturn(replace(scene.product.settings, address=None)).login.passkey_options(0)


class TestTheFirstOne:
    """Whoever is logged in elsewhere has proven the password alone, which may have been stolen."""

    def with_an_app(self, jo: Person, caller: Caller) -> None:
        factors = jo.scene.product.second_factors
        jo.totp_secret = factors.begin_pairing(caller, "me").secret
        factors.confirm_pairing(caller, "me", jo.code())

    def with_a_passkey(self, jo: Person, caller: Caller) -> None:
        factors = jo.scene.product.second_factors
        made = SoftwarePasskey().create(factors.passkey_options(caller, "me"))
        factors.add_passkey(caller, "me", "Phone", made)

    @pytest.fixture(params=[with_an_app, with_a_passkey])
    def add(self, request: pytest.FixtureRequest) -> Callable[[Person, Caller], None]:
        return functools.partial(request.param, self)

    def test_it_ends_all_sessions_but_its_own(self, jo: Person, add: Callable[[Person, Caller], None]) -> None:
        factors, thief, opened = jo.scene.product.second_factors, jo.attempt(), jo.attempt()
        add(jo, jo.caller(opened))
        with pytest.raises(Unauthenticated, match="has ended"):
            jo.caller(thief)
        listed = jo.scene.product.sessions.page(jo.scene.caller(), jo.user.id, Window())
        assert [(each.id, each.second_factor) for each in listed.items] == [(opened.session.id, True)]
        factors.turn_off(jo.caller(opened), "me")
        with pytest.raises(Unauthenticated):
            jo.caller(thief)
        assert jo.caller(opened)

    def test_a_request_that_had_begun_cannot_take_it_off_again(
        self, jo: Person, add: Callable[[Person, Caller], None]
    ) -> None:
        """Nor change it: the session has ended before it writes."""
        factors, thief = jo.scene.product.second_factors, jo.log_in()
        mine = jo.log_in()
        add(jo, mine)
        (*passkeys,) = factors.status(jo.scene.caller(), jo.user.id).authenticators.passkeys
        for attempt in (
            lambda: factors.turn_off(thief, "me"),
            lambda: factors.remove_passkey(thief, "me", passkeys[0].id if passkeys else "none"),
            lambda: factors.renew_recovery_codes(thief, "me"),
            lambda: factors.begin_pairing(thief, "me"),
            lambda: factors.passkey_options(thief, "me"),
        ):
            with pytest.raises(LoginTooOld, match="a login with a second factor"):
                attempt()
        assert factors.status(jo.scene.caller(), jo.user.id).authenticators.two_factor

    def test_a_session_from_before_this_was_so_has_ended(self, jo: Person) -> None:
        """One that was opened by the password alone, while 2FA was turned on without ending it."""
        opened = jo.attempt()
        jo.turn_on_2fa()
        session = jo.scene.product.stores.account_credentials.get(Session, jo.user.id, opened.session.id)
        stored = jo.scene.product.stores.authenticators.get(jo.user.id)
        assert session
        second_factor_missing = replace(session, epoch=stored.session_epoch)
        assert second_factor_missing.has_ended(jo.clock, jo.user, stored)
        assert not replace(second_factor_missing, second_factor=True).has_ended(jo.clock, jo.user, stored)
        assert not second_factor_missing.has_ended(jo.clock, jo.user, stored.without_second_factors())

    def test_a_second_one_ends_none(self, jo: Person) -> None:
        jo.turn_on_2fa()
        first = jo.attempt(code=jo.recovery_codes[0])
        second = jo.attempt(code=jo.recovery_codes[1])
        self.with_a_passkey(jo, jo.caller(second))
        assert jo.caller(first)
        assert jo.caller(second)

    def test_nothing_is_added_in_a_session_that_was_ended_meanwhile(self, jo: Person) -> None:
        factors, caller = jo.scene.product.second_factors, jo.log_in()
        jo.totp_secret = factors.begin_pairing(caller, "me").secret
        jo.scene.product.sessions.end(jo.scene.caller(), jo.user.id, caller.credential_id)
        with pytest.raises(Unavailable):
            factors.confirm_pairing(caller, "me", jo.code())
        assert not factors.status(jo.scene.caller(), jo.user.id).authenticators.two_factor
