"""A webhook's secrets have the life of a token's: several are good, with ends, and no lost answer costs anything."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from chalicelib.core.access.caller import FRESH_MS
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, LoginTooOld, NotFound
from chalicelib.core.secrets.keyring import Keyring
from chalicelib.core.secrets.previous_secrets import LONGEST_GRACE_MS, MAX_PREVIOUS
from chalicelib.core.webhooks.manage import CreatedWebhook, WebhookChange
from chalicelib.core.webhooks.rotation import WebhookRenewal
from chalicelib.core.webhooks.secret_encryption import WebhookSecrets
from chalicelib.core.webhooks.webhook import new_secret
from tests.conftest import Scene, now
from tests.people import person

MINUTE = 60_000


@pytest.fixture
def made(scene: Scene) -> CreatedWebhook:
    return scene.product.lifecycle.webhooks.create(scene.caller(), "ops", "https://hooks.example.com/", [])


@pytest.fixture
def renewal(scene: Scene) -> WebhookRenewal:
    return scene.product.lifecycle.webhook_renewal


def valid_secrets(scene: Scene, made: CreatedWebhook, at: int | None = None) -> list[str]:
    """The secrets by which it signs, the current one first."""
    webhook = scene.product.lifecycle.webhooks.get(scene.caller(), made.webhook.id)
    return WebhookSecrets(scene.product.keyring, webhook.id).valid(webhook, at or now())


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_the_one_before_signs_until_the_grace_ends(scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal) -> None:
    renewed = renewal.renew(scene.caller(), made.webhook.id, MINUTE)
    begun = renewed.webhook.secret_created_at
    assert valid_secrets(scene, made, begun + MINUTE - 2) == [renewed.secret, made.secret]
    assert valid_secrets(scene, made, begun + MINUTE) == [renewed.secret]
    assert (renewed.webhook.name, renewed.webhook.url) == (made.webhook.name, made.webhook.url)
    assert [(each.since, each.until) for each in renewed.webhook.previous_secrets] == [
        (made.webhook.created, begun + MINUTE)
    ]


def test_without_grace_every_earlier_one_ends_at_once(
    scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal
) -> None:
    renewal.renew(scene.caller(), made.webhook.id, MINUTE)
    last = renewal.renew(scene.caller(), made.webhook.id, 0)
    assert valid_secrets(scene, made) == [last.secret]


def test_ten_are_good_at_most_and_the_next_says_what_to_do(
    scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal
) -> None:
    for _ in range(MAX_PREVIOUS):
        renewal.renew(scene.caller(), made.webhook.id, MINUTE)
    assert len(set(valid_secrets(scene, made))) == MAX_PREVIOUS + 1
    with pytest.raises(Conflict, match=r"This webhook has 10 valid secrets, .* without a grace period"):
        renewal.renew(scene.caller(), made.webhook.id, MINUTE)
    renewal.renew(scene.caller(), made.webhook.id, 0)
    assert len(valid_secrets(scene, made)) == 1


@pytest.mark.parametrize("grace_ms", [-1, LONGEST_GRACE_MS + 1])
def test_a_grace_has_bounds(scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal, grace_ms: int) -> None:
    with pytest.raises(Invalid, match="grace: must be from 0 to 90 days"):
        renewal.renew(scene.caller(), made.webhook.id, grace_ms)


class TestASecretThatIsBrought:
    def test_is_taken_and_asking_again_changes_nothing_with_any_grace(
        self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal
    ) -> None:
        own = new_secret()
        first = renewal.renew(scene.caller(), made.webhook.id, MINUTE, own)
        assert first.secret == own
        for grace in (0, MINUTE, LONGEST_GRACE_MS):
            assert renewal.renew(scene.caller(), made.webhook.id, grace, own) == first
        assert valid_secrets(scene, made) == [own, made.secret]

    @pytest.mark.parametrize("grace_ms", [0, MINUTE])
    def test_is_refused_if_it_was_there_before(
        self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal, grace_ms: int
    ) -> None:
        renewal.renew(scene.caller(), made.webhook.id, grace_ms)
        renewal.renew(scene.caller(), made.webhook.id, 0)
        with pytest.raises(Invalid, match="secret: was a secret of this webhook before"):
            renewal.renew(scene.caller(), made.webhook.id, MINUTE, made.secret)

    @pytest.mark.parametrize("length", [24, 32, 64])
    def test_has_24_to_64_bytes(self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal, length: int) -> None:
        own = whsec(bytes(range(length)))
        assert renewal.renew(scene.caller(), made.webhook.id, 0, own).secret == own

    @pytest.mark.parametrize(
        "secret",
        [
            whsec(bytes(range(23))),
            whsec(bytes(range(65))),
            whsec(bytes(range(32))).rstrip("="),
            whsec(bytes(range(32))).removeprefix("whsec_"),
            whsec(bytes(range(32))) + "=",
            whsec(bytes(range(32)))[:-2] + "9=",  # bits that no encoder writes
            whsec(bytes(range(200, 240))).replace("/", "_").replace("+", "-"),
            whsec(bytes(32)),
            "whsec_" + "ä" * 40,
            "",
        ],
    )
    def test_and_the_form_of_the_standard(
        self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal, secret: str
    ) -> None:
        for attempt in (
            lambda: renewal.renew(scene.caller(), made.webhook.id, 0, secret),
            lambda: renewal.has_current(scene.caller(), made.webhook.id, secret),
            lambda: scene.product.lifecycle.webhooks.create(scene.caller(), "x", "https://x.example/", [], secret),
        ):
            with pytest.raises(Invalid) as refused:
                attempt()
            assert refused.value.field == "secret"
            assert not secret or secret not in str(refused.value)
        assert valid_secrets(scene, made) == [made.secret]

    def test_can_be_the_first(self, scene: Scene) -> None:
        own = new_secret()
        made = scene.product.lifecycle.webhooks.create(scene.caller(), "x", "https://x.example/", [], own)
        assert (made.secret, valid_secrets(scene, made)) == (own, [own])

    def test_is_compared(self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal) -> None:
        renewed = renewal.renew(scene.caller(), made.webhook.id, MINUTE)
        for secret, current in ((renewed.secret, True), (made.secret, False), (new_secret(), False)):
            assert renewal.has_current(scene.caller(), made.webhook.id, secret or "")[1] is current


class TestRollback:
    def test_makes_an_earlier_one_the_current_one_and_ends_those_after_it(
        self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal
    ) -> None:
        second = renewal.renew(scene.caller(), made.webhook.id, MINUTE)
        third = renewal.renew(scene.caller(), made.webhook.id, MINUTE)
        back = renewal.roll_back(scene.caller(), made.webhook.id, second.secret or "")
        assert valid_secrets(scene, made, now() + MINUTE // 2) == [second.secret, made.secret]
        assert back.secret_created_at == second.webhook.secret_created_at
        assert renewal.roll_back(scene.caller(), made.webhook.id, made.secret or "").rotated is None
        assert valid_secrets(scene, made, now() + 10 * MINUTE) == [made.secret]
        for gone in (second, third):
            with pytest.raises(Invalid, match="was a secret of this webhook before"):
                renewal.renew(scene.caller(), made.webhook.id, 0, gone.secret)

    def test_takes_one_that_is_still_good(self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal) -> None:
        renewed = renewal.renew(scene.caller(), made.webhook.id, 0)
        for kept in (made.secret, new_secret(), "x", "ä"):
            with pytest.raises(Invalid, match="keep: must be a previous secret of this webhook that is still valid"):
                renewal.roll_back(scene.caller(), made.webhook.id, kept or "")
        assert valid_secrets(scene, made) == [renewed.secret]

    def test_can_be_said_twice(self, scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal) -> None:
        renewal.renew(scene.caller(), made.webhook.id, MINUTE)
        back = [renewal.roll_back(scene.caller(), made.webhook.id, made.secret or "") for _ in range(2)]
        assert back[0] == back[1]
        query = AuditQuery(target_id=made.webhook.id, kind="webhook.secret-renewal-taken-back")
        assert len(scene.product.stores.audit.page(query, 10).records) == 1


def test_any_change_leaves_only_a_tag_of_a_secret_that_has_ended(
    scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal
) -> None:
    renewal.renew(scene.caller(), made.webhook.id, MINUTE)
    later = replace(scene.caller(), now=now() + MINUTE)
    changed = scene.product.lifecycle.webhooks.update(later, made.webhook.id, WebhookChange(name="renamed"))
    assert (changed.previous_secrets, len(changed.retired_secrets)) == ((), 1)
    assert WebhookSecrets(scene.product.keyring, made.webhook.id).has_ended(changed, made.secret or "")


def test_who_may_do_none_of_it(scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal) -> None:
    """Taking back and comparing ask what renewing asks."""
    id, own, by = made.webhook.id, new_secret(), scene.caller()
    for refused, caller in (
        (Forbidden, person(scene, "jo").log_in()),
        (LoginTooOld, replace(by, logged_in=True, logged_in_at=by.now - FRESH_MS - 1)),
        (Forbidden, replace(by, delegated=True)),
        (Forbidden, replace(by, ends=by.now + 1)),
        (Forbidden, replace(by, networks=("192.0.2.0/24",))),
    ):
        for attempt in (
            lambda caller=caller: renewal.renew(caller, id, 0),
            lambda caller=caller: renewal.roll_back(caller, id, own),
            lambda caller=caller: renewal.has_current(caller, id, own),
        ):
            with pytest.raises(refused):
                attempt()
    for attempt in (
        lambda: renewal.renew(by, "nowhere", 0),
        lambda: renewal.roll_back(by, "nowhere", own),
        lambda: renewal.has_current(by, "nowhere", own),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_it_leaves_records_and_no_secret_anywhere(scene: Scene, made: CreatedWebhook, renewal: WebhookRenewal) -> None:
    renewed = renewal.renew(scene.caller(), made.webhook.id, MINUTE)
    renewal.roll_back(scene.caller(), made.webhook.id, made.secret or "")
    stores = scene.product.stores
    records = stores.audit.page(AuditQuery(target_id=made.webhook.id), 10).records
    assert [(each.kind, each.details) for each in records][:2] == [
        ("webhook.secret-renewal-taken-back", {"name": "ops"}),
        ("webhook.secret-renewed", {"name": "ops", "grace": "60 s"}),
    ]
    kept = repr((records, stores.webhooks.get(made.webhook.id)))
    for secret in (made.secret or "", renewed.secret or ""):
        assert secret not in kept
        assert secret not in repr((made, renewed))


def test_one_whose_key_is_gone_is_renewed_all_the_same(scene: Scene, made: CreatedWebhook) -> None:
    """Who has changed the installation's keys finds out by a failing webhook, and has to be able to mend it."""
    others = Keyring({"new": bytes(range(32))}, "new")
    renewal = WebhookRenewal(scene.product.stores.webhooks, others)
    renewed = renewal.renew(scene.caller(), made.webhook.id, 0)
    assert WebhookSecrets(others, made.webhook.id).valid(renewed.webhook, now()) == [renewed.secret]
