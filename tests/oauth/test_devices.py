"""Devices: two codes, one person, and patience."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import argon2
import pytest

from chalicelib.core.common.errors import Throttled
from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.delegations import DEVICE_LIFETIME_MS
from chalicelib.core.oauth.devices import AuthorizationPending, ExpiredDeviceCode, SlowDown
from chalicelib.core.secrets.token_format import DEVICE_CODE as FORMAT
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import AuditItem
from tests.conftest import ADDRESS, now
from tests.oauth.calling import Browser, Forms, call, token_request
from tests.oauth.conformance import covers
from tests.oauth.conftest import Stage
from tests.people import PASSWORD, person
from tests.rest.calling import Answer, Client

START, PAGE = "/api/rest/oauth2/device_authorization", "/api/rest/oauth2/device"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def start(scope: str = "api", client: str = "program") -> dict[str, Any]:
    started: dict[str, Any] = call("POST", START, {}, {"client_id": client, "scope": scope}).json
    return started


def poll(started: dict[str, Any], client: str = "program") -> Answer:
    return token_request(None, grant_type=DEVICE_CODE, client_id=client, device_code=started["device_code"])


def decide(stage: Stage, started: dict[str, Any], decision: str) -> Answer:
    browser = stage.browser()
    return browser.submit(browser.get(f"{PAGE}?user_code={started['user_code']}"), decision=decision)


def test_a_service_that_was_changed_after_the_page_was_shown_is_not_approved(stage: Stage) -> None:
    started, browser, services = start(), stage.browser(), stage.scene.product.services
    page = browser.get(f"{PAGE}?user_code={started['user_code']}")
    services.update(stage.scene.caller(), "program", ServiceDescription(redirect_uris=["https://elsewhere.example/"]))
    assert browser.submit(page, decision="approve").status == 403
    assert poll(started).json["error"] == "authorization_pending"
    assert "Approved" in decide(stage, started, "approve").text


@covers("8628-3.2-members", "8628-3.1-client", "8628-3.3-user", "8628-3.5-pending")
def test_a_person_approves_a_device(stage: Stage) -> None:
    started = start()
    assert started["verification_uri"] == ADDRESS + PAGE
    assert started["verification_uri_complete"].endswith(started["user_code"])
    assert (started["expires_in"], started["interval"]) == (600, 5)
    pending = poll(started)
    assert (pending.status, pending.json["error"]) == (400, "authorization_pending")
    browser = Browser()
    page = browser.get(f"{PAGE}?user_code={started['user_code'].lower()}")
    page = browser.log_in(page, stage.person.user.login, PASSWORD)
    assert started["user_code"] in page.text
    assert "Program requests access" in page.text
    assert "Approved" in browser.submit(page, decision="approve").text
    tokens = poll(started).json
    assert stage.introspect(tokens["access_token"])["username"] == stage.person.user.login
    assert tokens["refresh_token"]


def test_a_code_can_be_typed_in(stage: Stage) -> None:
    started = start()
    browser = stage.browser()
    entry = browser.get(PAGE)
    assert "Code shown on your device" in entry.text
    typed = browser.get(f"{PAGE}?user_code=+{started['user_code'].replace('-', '%20').lower()}+")
    assert "Program requests access" in typed.text


@covers("8628-3.5-denied")
def test_a_person_denies(stage: Stage) -> None:
    started = start()
    assert "Denied" in decide(stage, started, "deny").text
    assert poll(started).json["error"] == "access_denied"


@covers("8628-3.5-slow-down")
def test_a_device_that_asks_too_often_waits_longer(stage: Stage) -> None:
    started = start()
    assert poll(started).json["error"] == "authorization_pending"
    assert poll(started).json["error"] == "slow_down"
    devices, service = stage.scene.product.oauth.devices, stage.program.service
    with pytest.raises(AuthorizationPending):
        devices.redeem(service, started["device_code"], True, Origin(now() + 11_000, ""))

    with pytest.raises(SlowDown, match="15 seconds"):  # the interval is ten seconds now, and nine have passed
        devices.redeem(service, started["device_code"], True, Origin(now() + 20_000, ""))


@covers("8628-3.5-expired")
def test_a_device_code_ends(stage: Stage) -> None:
    started = start()
    with pytest.raises(ExpiredDeviceCode):
        stage.scene.product.oauth.devices.redeem(
            stage.program.service, started["device_code"], True, Origin(now() + DEVICE_LIFETIME_MS, "")
        )


def test_a_device_code_works_once(stage: Stage) -> None:
    started = start()
    decide(stage, started, "approve")
    assert poll(started).status == 200
    assert poll(started).json["error"] == "invalid_grant"
    assert "No device is waiting" in stage.browser().get(f"{PAGE}?user_code={started['user_code']}").text


@covers("8628-5.2-entropy")
def test_codes_of_others_and_invented_ones_are_refused(stage: Stage) -> None:
    started = start()
    decide(stage, started, "approve")
    stolen = token_request(stage.client, grant_type=DEVICE_CODE, device_code=started["device_code"])
    assert stolen.json["error"] == "invalid_grant"
    ids = FORMAT.parse(started["device_code"])
    assert ids
    for invented in (FORMAT.issue(*ids), "x", "ktd_"):
        assert poll({"device_code": invented}).json["error"] == "invalid_grant"
    assert token_request(None, grant_type=DEVICE_CODE, client_id="program").json["error"] == "invalid_request"
    assert poll(started).status == 200


@covers("8628-5.1-brute-force")
def test_guessing_user_codes_is_limited(stage: Stage) -> None:
    started = start()
    browser = stage.browser()
    with patch("time.time_ns", return_value=now() * 1_000_000):  # all in one window
        answers = [browser.get(f"{PAGE}?user_code=BBBB-BBB{letter}").status for letter in "BCDFGHJKLMNP"]
        assert 429 in answers
        assert browser.get(f"{PAGE}?user_code={started['user_code']}").status == 429


def test_typed_user_codes_count_as_logins_of_nobody(stage: Stage) -> None:
    """Whatever the accounts are called."""
    namesake = person(stage.scene, f"device-{stage.person.user.login}")
    browser = stage.browser()
    with patch("time.time_ns", return_value=now() * 1_000_000):
        for _ in range(11):
            browser.get(f"{PAGE}?user_code=BBBB-BBBB")
        assert namesake.attempt()


class TestWhatAStartCosts:
    """Whoever knows the name of a public client may start devices."""

    def test_starts_from_one_network_are_limited_for_each_client(self, stage: Stage) -> None:
        devices, window = stage.scene.product.oauth.devices, 15 * 60_000
        began = now() // window * window + window
        for number in range(30):
            devices.start(stage.program.service, "api", Origin(began + number, f"2001:db8::{number}"))
        with pytest.raises(Throttled) as refused:
            devices.start(stage.program.service, "api", Origin(began + 30, "2001:db8::99"))
        assert refused.value.retry_after <= window // 1000
        assert devices.start(stage.web.service, "api", Origin(began + 30, "2001:db8::99"))
        assert devices.start(stage.program.service, "api", Origin(began + 30, "2001:db8:0:1::99"))
        assert devices.start(stage.program.service, "api", Origin(began + window, "2001:db8::99"))

    def test_neither_a_start_nor_a_question_costs_argon2(self, stage: Stage) -> None:
        with (
            patch.object(argon2.PasswordHasher, "hash", side_effect=AssertionError("A hash was made.")),
            patch.object(argon2.PasswordHasher, "verify", side_effect=AssertionError("A hash was checked.")),
        ):
            assert poll(start()).json["error"] == "authorization_pending"

    def test_a_start_leaves_nothing_behind(self, stage: Stage) -> None:
        """Everything that it stores goes with its end, and no audit record is there until somebody decides."""
        before = {(item.pk, item.sk) for item in Item.scan(consistent_read=True)}
        started, began = start(), now()
        left = [item for item in Item.scan(consistent_read=True) if (item.pk, item.sk) not in before]
        assert {item.pk.partition("#")[0] for item in left} - {"ATTEMPTS"} == {"DEVICE", "USER_CODE"}
        for item in left:
            assert item.expires is not None
            assert item.expires.timestamp() * 1000 <= began + 15 * 60_000
        decide(stage, started, "deny")
        records = [item for item in Item.scan(consistent_read=True) if isinstance(item, AuditItem)]
        of_it = [item.audit_kind for item in records if (item.target_id,) == FORMAT.parse(started["device_code"])]
        assert of_it == ["device.denied"]


def test_a_device_is_never_approved_from_elsewhere(stage: Stage) -> None:
    started = start()
    browser = stage.browser()
    page = browser.get(f"{PAGE}?user_code={started['user_code']}")
    fields = {**Forms(page.text).fields, "decision": "approve"}
    assert call("POST", PAGE, {"cookie": browser.cookie, "origin": "https://evil.example"}, fields).status == 403
    other = {**fields, "asked": start()["user_code"].replace("-", "")}
    assert call("POST", PAGE, {"cookie": browser.cookie, "origin": ADDRESS}, other).status == 403
    assert poll(started).json["error"] == "authorization_pending"


def test_a_scope_that_is_not_there_and_one_not_to_be_seen_are_the_same(stage: Stage) -> None:
    """Anybody may start a device in the name of a program without a secret."""
    assert start("no service at all/")["error"] == "invalid_scope"
    for scope in ("nowhere", "deploy", stage.scene.deploy.service.id):
        started = start(scope)
        page = stage.browser().get(f"{PAGE}?user_code={started['user_code']}")
        assert "requests a service that does not exist, or that you may not see" in page.text
        assert poll(started).json["error"] == "authorization_pending"


def test_the_approval_is_on_the_account_and_ends_it(stage: Stage) -> None:
    started = start()
    decide(stage, started, "approve")
    tokens = poll(started).json
    person = Client(stage.browser().cookie.partition("=")[2])
    (one,) = person.get("/users/me/approvedscopes").json["approvedscopes"]
    person.delete(f"/users/me/approvedscopes/{one['id']}")
    assert not stage.is_active(tokens["access_token"])
