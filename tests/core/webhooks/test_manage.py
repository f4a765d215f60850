"""Webhooks are changed as strictly as they are made; a test of one is no change, and revives nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.access.caller import FRESH_MS
from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import AuditQuery, AuditRecord
from chalicelib.core.common.errors import Changed, Conflict, Forbidden, Invalid, LoginTooOld, NotFound
from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.webhooks.manage import Backlog, WebhookChange, Webhooks
from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.core.webhooks.webhook import Webhook
from tests.conftest import Scene, now
from tests.people import person


class Receiver:
    """In place of the network: takes what is sent, or does not. Implements `core.webhooks.ports.Destination`."""

    id = "receiver"
    failing = None

    def __init__(self) -> None:
        self.got: list[Event] = []
        self.takes = True

    def accepts(self, event: Event) -> bool:
        return True

    def send(self, event: Event, now: int) -> None:
        if not self.takes:
            raise NotDelivered("it answered with 500")
        self.got.append(event)

    def mark_delivered(self, now: int) -> None: ...

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None: ...


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def webhooks(scene: Scene, receiver: Receiver) -> Webhooks:
    stores = scene.product.stores
    return Webhooks(stores.webhooks, stores.events, stores.queues, scene.product.keyring, lambda webhook: receiver)


def listening(scene: Scene, webhooks: Webhooks, name: str = "ops", **known: object) -> Webhook:
    """A webhook of which this is known."""
    made = webhooks.create(scene.caller(), name, "https://hooks.example.com/", []).webhook
    scene.product.stores.webhooks.update_system_fields(replace(made, **known))  # type: ignore[arg-type]
    return webhooks.get(scene.caller(), made.id)


def test_one_that_arrives_says_that_nothing_fails_any_more(
    scene: Scene, webhooks: Webhooks, receiver: Receiver
) -> None:
    failing = listening(scene, webhooks, failing=now(), problem="it answered with 500")
    webhooks.test(scene.caller(), failing.id)
    assert [event.token for event in receiver.got] == [{"name": "test"}]
    known = webhooks.get(scene.caller(), failing.id)
    assert known == replace(failing, failing=None, problem=None, succeeded=known.succeeded)
    assert known.succeeded


def test_one_that_does_not_says_why(scene: Scene, webhooks: Webhooks, receiver: Receiver) -> None:
    receiver.takes = False
    made = listening(scene, webhooks)
    with pytest.raises(Invalid, match="url: did not accept the test event: it answered with 500"):
        webhooks.test(scene.caller(), made.id)


def test_none_revives_what_wanted_to_be_told_nothing_any_more(scene: Scene, webhooks: Webhooks) -> None:
    """That would open something without a recent login, and without a record."""
    gone = listening(scene, webhooks, failing=now(), problem="it answered with 410", gone=True)
    webhooks.test(scene.caller(), gone.id)
    assert webhooks.get(scene.caller(), gone.id) == gone
    assert Operation.TEST_WEBHOOK.only_reads


ELSEWHERE = "https://elsewhere.example.com/hook?key=secret"


class TestChanging:
    def test_what_is_said_changes_and_the_rest_stays(self, scene: Scene, webhooks: Webhooks) -> None:
        made = listening(scene, webhooks)
        kinds = [EventKind.REVOKED, EventKind.REVOKED, EventKind.LEAKED]
        changed = webhooks.update(scene.caller(), made.id, WebhookChange("On call", None, kinds))
        assert changed == replace(made, name="On call", kinds=(EventKind.REVOKED, EventKind.LEAKED), revision=2)
        moved = webhooks.update(scene.caller(), made.id, WebhookChange(url=ELSEWHERE))
        assert moved == replace(changed, url=ELSEWHERE, revision=3)
        assert webhooks.get(scene.caller(), made.id) == moved
        assert webhooks.update(scene.caller(), made.id, WebhookChange(kinds=[])).kinds == ()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            (WebhookChange(name=" "), "name"),
            (WebhookChange(url="http://example.com/"), "url"),
            (WebhookChange(url="x"), "url"),
        ],
    )
    def test_as_strictly_as_a_new_one(
        self, scene: Scene, webhooks: Webhooks, change: WebhookChange, field: str
    ) -> None:
        made = listening(scene, webhooks)
        with pytest.raises(Invalid) as refused:
            webhooks.update(scene.caller(), made.id, change)
        assert refused.value.field == field
        assert webhooks.get(scene.caller(), made.id) == made

    def test_another_name_frees_the_one_before(self, scene: Scene, webhooks: Webhooks) -> None:
        made = listening(scene, webhooks)
        webhooks.update(scene.caller(), made.id, WebhookChange("other"))
        webhooks.update(scene.caller(), listening(scene, webhooks).id, WebhookChange("OPS"))

    def test_one_that_is_renamed_meanwhile_is_deleted_with_the_name_that_it_has(
        self, scene: Scene, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made, store = listening(scene, webhooks), scene.product.stores.webhooks
        delete = store.delete

        def after_somebody_else(webhook: Webhook, audit: AuditRecord) -> None:
            monkeypatch.undo()
            webhooks.update(scene.caller(), made.id, WebhookChange("later"))
            delete(webhook, audit)

        monkeypatch.setattr(store, "delete", after_somebody_else)
        webhooks.delete(scene.caller(), made.id)
        listening(scene, webhooks, "later")

    def test_by_whoever_could_make_one(self, scene: Scene, webhooks: Webhooks) -> None:
        made = listening(scene, webhooks)
        by, change = scene.caller(), WebhookChange(url=ELSEWHERE)
        for refused, caller in (
            (Forbidden, person(scene, "jo").log_in()),
            (LoginTooOld, replace(by, logged_in=True, logged_in_at=by.now - FRESH_MS - 1)),
            (Forbidden, replace(by, delegated=True)),
            (Forbidden, replace(by, ends=by.now + 1)),
        ):
            with pytest.raises(refused):
                webhooks.update(caller, made.id, change)
        assert webhooks.get(by, made.id) == made
        with pytest.raises(NotFound):
            webhooks.update(by, "nowhere", change)

    def test_leaves_a_record_of_what_changed_without_what_may_be_a_key(self, scene: Scene, webhooks: Webhooks) -> None:
        made = listening(scene, webhooks)
        webhooks.update(scene.caller(), made.id, WebhookChange("On call", ELSEWHERE, [EventKind.LEAKED]))
        webhooks.update(scene.caller(), made.id, WebhookChange("On call", ELSEWHERE))  # which changes nothing
        records = scene.product.stores.audit.page(AuditQuery(target_id=made.id), 10).records
        assert [each.kind for each in records] == ["webhook.updated", "webhook.created"]
        assert records[0].details == {
            "name": "ops -> On call",
            "url": "https://hooks.example.com/ -> https://elsewhere.example.com/hook?…",
            "kinds": "everything -> permanent-token.leaked",
        }

    def test_of_what_was_seen_or_not_at_all(self, scene: Scene, webhooks: Webhooks) -> None:
        made = listening(scene, webhooks)
        webhooks.update(scene.caller(), made.id, WebhookChange("first"), seen=made.revision)
        with pytest.raises(Changed):
            webhooks.update(scene.caller(), made.id, WebhookChange("second"), seen=made.revision)
        assert webhooks.get(scene.caller(), made.id).name == "first"

    def test_one_that_is_gone_is_told_again_at_another_address_alone(self, scene: Scene, webhooks: Webhooks) -> None:
        gone = listening(scene, webhooks, failing=now(), problem="it answered with 410", gone=True)
        renamed = webhooks.update(scene.caller(), gone.id, WebhookChange("renamed", gone.url))
        assert (renamed.gone, renamed.accepts(EventKind.ROTATED)) == (True, False)
        moved = webhooks.update(scene.caller(), gone.id, WebhookChange(url=ELSEWHERE))
        assert (moved.gone, moved.failing, moved.problem) == (False, None, None)
        scene.product.stores.webhooks.update_system_fields(gone)  # by whoever was answered with 410 at the old address
        assert webhooks.get(scene.caller(), gone.id) == moved
        assert moved.accepts(EventKind.ROTATED)


class TestUniqueNames:
    """As a group's: of all webhooks, whatever their case and the form of their letters."""

    @pytest.mark.parametrize("name", ["M\u00fcnchen", " Mu\u0308NCHEN "])
    def test_a_name_that_another_has_is_refused(self, scene: Scene, webhooks: Webhooks, name: str) -> None:
        listening(scene, webhooks, "M\u00fcnchen")
        other = listening(scene, webhooks, "other")
        for attempt in (
            lambda: webhooks.create(scene.caller(), name, ELSEWHERE, []),
            lambda: webhooks.update(scene.caller(), other.id, WebhookChange(name)),
        ):
            with pytest.raises(Conflict, match="There is a webhook named") as refused:
                attempt()
            assert refused.value.field == "name"
        assert [each.name for each in webhooks.all(scene.caller())] == ["M\u00fcnchen", "other"]

    def test_ones_from_before_go_on_and_keep_others_off_their_name(self, scene: Scene, webhooks: Webhooks) -> None:
        database = scene.product.stores.database  # type: ignore[attr-defined]
        before = [listening(scene, webhooks, name) for name in ("a", "b")]
        for each in before:
            database.things[("webhook", each.id)] = replace(each, name="twice")
            del database.things[("webhook's name", each.name)]
        with pytest.raises(Conflict, match="There is a webhook named 'Twice'"):
            webhooks.create(scene.caller(), "Twice", ELSEWHERE, [])
        for each in before:
            assert webhooks.update(scene.caller(), each.id, WebhookChange("TWICE", ELSEWHERE)).url == ELSEWHERE
        assert webhooks.update(scene.caller(), before[0].id, WebhookChange("once")).name == "once"
        with pytest.raises(Conflict, match="There is a webhook named 'twice'"):
            webhooks.update(scene.caller(), before[0].id, WebhookChange("twice"))


class TestWhatWaits:
    """It is shown, and need not wait once it is known that the receiver answers."""

    def put_off(self, scene: Scene, webhook: Webhook, token: str, attempts: int, due: int, messages: int = 1) -> None:
        stores = scene.product.stores
        for sequence in range(1, messages + 1):
            stores.events.add(Event(f"{token}{sequence}", EventKind.ROTATED, now(), token, sequence, "u", "u"))
        held = stores.queues.take(webhook.id, token, "holder", now(), now() + 1_000)
        assert held
        stores.queues.put_off(replace(held, attempts=attempts), due)

    def test_is_counted_with_the_next_try(self, scene: Scene, webhooks: Webhooks) -> None:
        made, soon = listening(scene, webhooks), now() + 5_000
        assert webhooks.backlog(scene.caller(), made) == Backlog()
        self.put_off(scene, made, "later", 3, soon + 1, messages=2)
        self.put_off(scene, made, "first", 1, soon)
        assert webhooks.backlog(scene.caller(), made) == Backlog(3, soon, 2, 10)
        assert webhooks.backlog(scene.caller(), listening(scene, webhooks, "idle")) == Backlog()

    def test_is_counted_up_to_a_hundred(self, scene: Scene, webhooks: Webhooks) -> None:
        made = listening(scene, webhooks)
        self.put_off(scene, made, "many", 1, now() + 5_000, messages=120)
        assert webhooks.backlog(scene.caller(), made).messages == 100

    @pytest.mark.parametrize("done", ["moved", "tested"])
    def test_is_due_at_once_and_from_the_first_try(
        self, scene: Scene, webhooks: Webhooks, receiver: Receiver, done: str
    ) -> None:
        made = listening(scene, webhooks, failing=now())
        self.put_off(scene, made, "waits", 9, now() + 86_400_000)
        caller = scene.caller()
        if done == "moved":
            webhooks.update(caller, made.id, WebhookChange(url=ELSEWHERE))
        else:
            webhooks.test(caller, made.id)
        assert webhooks.backlog(scene.caller(), made) == Backlog(1, caller.now, 1, 10)

    def test_is_due_also_when_the_move_is_said_again(self, scene: Scene, webhooks: Webhooks) -> None:
        """The first time, the answer was lost, and with it this."""
        made = listening(scene, webhooks, failing=now())
        self.put_off(scene, made, "waits", 9, now() + 86_400_000)
        webhooks.update(scene.caller(), made.id, WebhookChange(name=made.name))
        assert webhooks.backlog(scene.caller(), made).attempt == 10
        caller = scene.caller()
        assert webhooks.update(caller, made.id, WebhookChange(url=made.url)) == made
        assert webhooks.backlog(caller, made) == Backlog(1, caller.now, 1, 10)

    def test_is_looked_for_among_a_hundred(self, scene: Scene, webhooks: Webhooks) -> None:
        """However much waits, one request costs no more."""
        made, due = listening(scene, webhooks), now() + 86_400_000
        for number in range(101):
            self.put_off(scene, made, f"token{number:03d}", 9, due)
        webhooks.test(scene.caller(), made.id)
        waiting = scene.product.stores.queues.backlog(made.id, 1_000)
        assert [each.due for each in waiting].count(due) == 1

    def test_goes_on_waiting_where_the_test_fails(self, scene: Scene, webhooks: Webhooks, receiver: Receiver) -> None:
        made, due = listening(scene, webhooks), now() + 86_400_000
        self.put_off(scene, made, "waits", 9, due)
        receiver.takes = False
        with pytest.raises(Invalid):
            webhooks.test(scene.caller(), made.id)
        assert webhooks.backlog(scene.caller(), made).next_try == due
