"""What a user was asked about is what is good unasked: no refresh token, no other address, nothing that was refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.common.errors import InvalidGrant, NotFound, Unauthenticated
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.directory.service import Service
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.authorization_codes import AuthorizationRequest
from chalicelib.core.oauth.delegations import APPROVAL_LIFETIME_MS, CODE_LIFETIME_MS, DEVICE_LIFETIME_MS, ApprovedScope
from chalicelib.core.oauth.devices import StartedDevice
from tests.conftest import Scene
from tests.people import HOME, Person, person

OLD, CHANGED = "https://ci.example/back", "https://elsewhere.example/back"
WAYS = [GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE]
SCOPE, MORE = ("openid",), ("openid", "profile")


@pytest.fixture
def jo(scene: Scene) -> Person:
    """Somebody whom ci may ask."""
    scene.product.services.update(scene.caller(), "ci", ServiceDescription(redirect_uris=[OLD], grant_types=WAYS))
    jo = person(scene)
    jo.wait(60_000)
    return jo


def ci(jo: Person) -> Service:
    return jo.scene.product.services.resolve(["ci"])["ci"]


def asked(jo: Person, *scope: str, offline: bool = False) -> AuthorizationRequest:
    """What the service asks through the browser."""
    requested = jo.scene.product.oauth.scopes.requested(" ".join(scope), ())
    return AuthorizationRequest(ci(jo), requested, None, "c" * 43, None, offline)


def is_asked(jo: Person, *scope: str, offline: bool = False) -> bool:
    """Whether jo has to be asked; if so, there is no code either."""
    codes, caller, request = jo.scene.product.oauth.authorization_codes, jo.log_in(), asked(jo, *scope, offline=offline)
    if not codes.needs_consent(caller, request):
        return False
    with pytest.raises(InvalidGrant, match="not approved"):
        codes.issue(caller, request)
    return True


def approve(jo: Person, *scope: str, offline: bool = False) -> ApprovedScope:
    """As the authorization endpoint does it, which shows the address."""
    return jo.scene.product.oauth.approved_scopes.approve(jo.log_in(), ci(jo), scope, offline)


def send_codes_elsewhere(jo: Person) -> None:
    """Somebody changes where the service gets its codes."""
    jo.wait(60_000)
    by = replace(jo.scene.caller(), now=jo.clock)
    jo.scene.product.services.update(by, "ci", ServiceDescription(redirect_uris=[CHANGED]))


def start(jo: Person, *scope: str) -> StartedDevice:
    return jo.scene.product.oauth.devices.start(ci(jo), " ".join(scope), Origin(jo.clock, HOME))


def approve_device(jo: Person, started: StartedDevice) -> None:
    devices, caller = jo.scene.product.oauth.devices, jo.log_in()
    devices.decide(caller, devices.waiting(caller, started.device.user_code), approved=True)


def stored(jo: Person) -> ApprovedScope | None:
    return jo.scene.product.stores.approved_scopes.get(jo.user.id, ci(jo).id)


class TestOffline:
    """A refresh token outlives the visit, and so is asked about."""

    def test_what_was_approved_for_a_visit_gives_no_refresh_token(self, jo: Person) -> None:
        approve(jo, *SCOPE)
        assert not is_asked(jo, *SCOPE)
        assert is_asked(jo, *SCOPE, offline=True)

    def test_what_was_approved_offline_is_good_for_visits_and_stays_so(self, jo: Person) -> None:
        first = approve(jo, *SCOPE, offline=True)
        assert not is_asked(jo, *SCOPE)
        assert not is_asked(jo, *SCOPE, offline=True)
        again = approve(jo, *MORE)
        assert (again.id, again.scope, again.offline) == (first.id, MORE, True)

    def test_after_its_end_or_another_address_it_is_asked_about_anew(self, jo: Person) -> None:
        approve(jo, *SCOPE, offline=True)
        send_codes_elsewhere(jo)
        approve(jo, *SCOPE)
        assert is_asked(jo, *SCOPE, offline=True)
        approve(jo, *SCOPE, offline=True)
        jo.wait(APPROVAL_LIFETIME_MS)
        approve(jo, *SCOPE)
        assert is_asked(jo, *SCOPE, offline=True)

    def test_a_device_gets_one_only_if_its_user_was_told(self, jo: Person) -> None:
        """What the service may do is looked at when the user is asked, not when the device fetches."""
        devices, scene = jo.scene.product.oauth.devices, jo.scene
        only = ServiceDescription(grant_types=[GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE])
        for told in (True, False):
            if not told:
                scene.product.services.update(scene.caller(), "ci", only)
            started = start(jo, *SCOPE)
            approve_device(jo, started)
            issued = devices.redeem(ci(jo), started.device_code, True, Origin(jo.clock, HOME))
            assert (issued.refresh_token is not None) is told


class TestAnotherAddress:
    """Whoever says where the codes go gets them, so that is what the user has to see."""

    def test_it_is_asked_about_once(self, jo: Person) -> None:
        approve(jo, *SCOPE)
        send_codes_elsewhere(jo)
        assert is_asked(jo, *SCOPE)
        approve(jo, *SCOPE)
        assert not is_asked(jo, *SCOPE)

    @pytest.mark.parametrize("before", [True, False])
    def test_a_device_which_shows_no_address_does_not_answer_for_it(self, jo: Person, before: bool) -> None:
        if before:
            approve(jo, *SCOPE)
        send_codes_elsewhere(jo)
        for _ in range(2):
            approve_device(jo, start(jo, *SCOPE))
            assert is_asked(jo, *SCOPE)
        approve(jo, *SCOPE)
        assert not is_asked(jo, *SCOPE)

    def test_what_devices_have_goes_on(self, jo: Person) -> None:
        devices = jo.scene.product.oauth.devices
        send_codes_elsewhere(jo)
        first, second = start(jo, *MORE), start(jo, *SCOPE)
        for started in (first, second):
            approve_device(jo, started)
        for started in (first, second):
            assert devices.redeem(ci(jo), started.device_code, True, Origin(jo.clock, HOME))

    def test_approvals_from_before_this_was_noted_are_asked_about_where_addresses_have_changed(
        self, jo: Person
    ) -> None:
        approval = approve(jo, *SCOPE)
        assert replace(approval, shown=0).covers(replace(ci(jo), redirects_changed=0), SCOPE, False, jo.clock)
        assert not replace(approval, shown=0).covers(ci(jo), SCOPE, False, jo.clock)


class TestADeviceThatWaitsNoLonger:
    """A request that is refused leaves no consent."""

    def test_nothing_is_approved_after_its_end(self, jo: Person) -> None:
        devices, caller = jo.scene.product.oauth.devices, jo.log_in()
        waiting = devices.waiting(caller, start(jo, *SCOPE).device.user_code)
        with pytest.raises(NotFound):
            devices.decide(replace(caller, now=jo.clock + DEVICE_LIFETIME_MS), waiting, approved=True)
        assert stored(jo) is None

    def test_nor_once_somebody_has_decided(self, jo: Person) -> None:
        devices, caller = jo.scene.product.oauth.devices, jo.log_in()
        waiting = devices.waiting(caller, start(jo, *SCOPE).device.user_code)
        devices.decide(caller, waiting, approved=False)
        with pytest.raises(NotFound):
            devices.decide(caller, waiting, approved=True)
        assert stored(jo) is None


def test_keyturn_itself_is_asked_about_like_the_rest(jo: Person) -> None:
    approve(jo, KEYTURN)
    assert not is_asked(jo, KEYTURN)
    assert is_asked(jo, KEYTURN, offline=True)


class TestABan:
    """It suspends: what is still within its time is good again once it is lifted: a session, a code, a device."""

    def ban(self, jo: Person, banned: bool) -> None:
        jo.scene.product.accounts.update(jo.scene.caller(), jo.user.id, AccountChange(banned=banned))

    def test_of_a_code(self, jo: Person) -> None:
        approve(jo, *SCOPE)
        codes, opened = jo.scene.product.oauth.authorization_codes, jo.attempt()
        secret, origin = codes.issue(jo.caller(opened), asked(jo, *SCOPE)), Origin(jo.clock, HOME)
        code = codes.recognise(ci(jo), secret, origin)
        assert code
        self.ban(jo, True)
        assert codes.recognise(ci(jo), secret, origin) is None
        with pytest.raises(InvalidGrant, match="can no longer act"):
            codes.redeem(ci(jo), code, origin)
        with pytest.raises(Unauthenticated):
            jo.caller(opened)
        self.ban(jo, False)
        assert codes.recognise(ci(jo), secret, origin)
        assert codes.redeem(ci(jo), code, origin)
        assert jo.caller(opened)

    def test_of_a_device_and_its_refresh_token(self, jo: Person) -> None:
        oauth, started = jo.scene.product.oauth, start(jo, *SCOPE)
        approve_device(jo, started)
        origin = Origin(jo.clock, HOME)
        self.ban(jo, True)
        with pytest.raises(InvalidGrant, match="can no longer act"):
            oauth.devices.redeem(ci(jo), started.device_code, True, origin)
        self.ban(jo, False)
        token = oauth.devices.redeem(ci(jo), started.device_code, True, origin).refresh_token or ""
        self.ban(jo, True)
        with pytest.raises(InvalidGrant):
            oauth.delegations.refresh(ci(jo), token, None, origin)
        self.ban(jo, False)
        assert oauth.delegations.refresh(ci(jo), token, None, origin)

    def test_what_has_ended_meanwhile_stays_so(self, jo: Person) -> None:
        approve(jo, *SCOPE)
        codes = jo.scene.product.oauth.authorization_codes
        secret = codes.issue(jo.log_in(), asked(jo, *SCOPE))
        self.ban(jo, True)
        self.ban(jo, False)
        assert codes.recognise(ci(jo), secret, Origin(jo.clock + CODE_LIFETIME_MS, HOME)) is None
