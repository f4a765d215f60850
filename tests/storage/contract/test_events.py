"""`EventStore`, `QueueStore`, `WebhookStore`, `AuditStore`: what happened, in order, and how it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.audit.idempotency import IdempotencyKey, Replayed
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.secrets.previous_secrets import PreviousSecret
from chalicelib.core.stores import Stores
from chalicelib.core.webhooks.ports import Queue, Waiting
from chalicelib.core.webhooks.webhook import GivenUp
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import NOW, record


def test_events_are_in_order_and_none_takes_anothers_place(stores: Stores) -> None:
    token = making.new_id()
    events = [making.event(token, number) for number in (10, 9, 100)]
    for each in events:
        stores.events.add(each)
    stores.events.add(making.event(token, 9))
    ordered = [events[1], events[0], events[2]]
    assert stores.events.after(token, 0, 10) == ordered
    assert stores.events.after(token, 9, 1) == ordered[1:2]
    assert stores.events.after(token, 100, 10) == stores.events.after("another", 0, 10) == []


class TestQueues:
    @pytest.fixture
    def token(self) -> str:
        return making.new_id()

    def test_one_holder_at_a_time(self, stores: Stores, token: str) -> None:
        queues = stores.queues
        held = queues.take("there", token, "first", 100, 200)
        assert held == Queue("there", token, "first")
        assert queues.take("there", token, "second", 199, 300) is None
        assert queues.take("elsewhere", token, "second", 100, 200) is not None
        assert queues.take("there", token, "second", 200, 300) == Queue("there", token, "second")
        for late in (
            lambda: queues.advance(held, 201, 301),
            lambda: queues.put_off(held, 301),
            lambda: queues.release(held),
        ):
            with refused(stores, StaleWrite):
                late()

    def test_what_was_sent_is_known_to_the_next_holder(self, stores: Stores, token: str) -> None:
        held = stores.queues.take("there", token, "first", 100, 200)
        assert held
        held = stores.queues.advance(replace(held, sent=4, attempts=2), 150, 250)
        assert stores.queues.take("there", token, "second", 249, 300) is None
        assert stores.queues.take("there", token, "second", 250, 300) == replace(held, holder="second")

    def test_whoever_lets_go_hears_that_somebody_came(self, stores: Stores, token: str) -> None:
        held = stores.queues.take("there", token, "first", 100, 200)
        assert held
        assert stores.queues.take("there", token, "second", 150, 250) is None
        assert not stores.queues.release(held)
        assert stores.queues.take("there", token, "second", 150, 250) is None  # it is held still
        assert not stores.queues.release(held)
        assert stores.queues.release(held)
        assert stores.queues.take("there", token, "second", 151, 250)

    def test_what_is_put_off_waits_and_is_found_then(self, empty_stores: Stores, token: str) -> None:
        queues = empty_stores.queues
        held = queues.take("there", token, "first", 100, 200)
        other = queues.take("elsewhere", token, "first", 100, 150)
        assert held
        assert other
        queues.put_off(replace(held, sent=3, attempts=1), 500)
        assert queues.take("there", token, "second", 499, 600) is None
        assert list(queues.waiting(149, 10)) == []
        assert list(queues.waiting(150, 10)) == [("elsewhere", token)]  # its holder is overdue
        assert list(queues.waiting(500, 10)) == [("elsewhere", token), ("there", token)]
        assert list(queues.waiting(500, 1)) == [("elsewhere", token)]
        assert queues.release(other)
        taken = queues.take("there", token, "second", 500, 600)
        assert taken == Queue("there", token, "second", 3, 1)
        assert queues.release(taken)
        assert list(queues.waiting(10_000, 10)) == []

    def test_the_backlog_of_a_destination_is_what_is_not_empty(self, empty_stores: Stores, token: str) -> None:
        queues = empty_stores.queues
        held, other = queues.take("there", token, "first", 100, 200), queues.take("there", "other", "first", 100, 150)
        assert held
        assert other
        assert queues.take("elsewhere", token, "first", 100, 120)
        queues.put_off(replace(held, sent=3, attempts=1), 500)
        waits, is_sent = Waiting(token, 3, 1, 500, held=False), Waiting("other", 0, 0, 150, held=True)
        assert list(queues.backlog("there", 10)) == [is_sent, waits]
        assert list(queues.backlog("there", 2)) == [is_sent]  # of all queues, two are looked at
        assert queues.release(other)
        assert list(queues.backlog("there", 10)) == [waits]
        assert list(queues.backlog("nowhere", 10)) == []

    def test_what_waits_can_be_hastened_and_begins_anew(self, empty_stores: Stores, token: str) -> None:
        queues = empty_stores.queues
        held, other = queues.take("there", token, "first", 100, 200), queues.take("there", "other", "first", 100, 200)
        assert held
        assert other
        queues.put_off(replace(held, sent=3, attempts=4), 9_000)
        with empty_stores.dry_run(True):
            queues.hasten("there", token, 150)
        assert list(queues.waiting(150, 10)) == []
        for hastened in (token, "other", "none"):
            queues.hasten("there", hastened, 150)
        assert list(queues.waiting(150, 10)) == [("there", token)]  # the other one is held
        assert queues.take("there", token, "second", 150, 300) == Queue("there", token, "second", 3, 0)
        assert queues.take("there", "other", "second", 150, 300) is None
        assert [each.token_id for each in queues.backlog("there", 10)] == ["other", token]


class TestChangingAWebhook:
    def test_each_attribute_is_stored(self, stores: Stores) -> None:
        old = making.webhook()
        stores.webhooks.create(old, record())
        new = replace(
            old,
            name="Another",
            kinds=(),
            encrypted_secret="third",
            rotated=NOW + 2,
            previous_secrets=(PreviousSecret("first", NOW, NOW + 9), PreviousSecret("second", NOW + 1, NOW + 8)),
            retired_secrets=("a", "b"),
            revision=2,
        )
        stores.webhooks.replace(old, new, record())
        assert stores.webhooks.get(old.id) == new
        back = replace(
            new, rotated=None, previous_secrets=(), retired_secrets=("b",), url="https://example.com/other", revision=3
        )
        stores.webhooks.replace(new, back, record())
        assert stores.webhooks.get(old.id) == back

    def test_as_it_was_read_or_not_at_all(self, stores: Stores) -> None:
        old = making.webhook()
        with refused(stores, StaleWrite):
            stores.webhooks.replace(old, making.newer(old), record())  # there is none
        stores.webhooks.create(old, record())
        new = making.newer(old, name="first")
        stores.webhooks.replace(old, new, record())
        with refused(stores, StaleWrite):
            stores.webhooks.replace(old, making.newer(old, name="second"), record())
        assert stores.webhooks.get(old.id) == new

    def test_it_is_listed_by_its_new_name(self, empty_stores: Stores) -> None:
        first, second = making.webhook(name="a"), making.webhook(name="b")
        for each in (first, second):
            empty_stores.webhooks.create(each, record())
        empty_stores.webhooks.replace(first, making.newer(first, name="c"), record())
        assert [each.name for each in empty_stores.webhooks.list()] == ["b", "c"]

    def test_what_was_noted_meanwhile_stays_unless_it_is_of_another_address(self, stores: Stores) -> None:
        old, lost = making.webhook(), GivenUp("e", "kind", "token", NOW, "no answer")
        stores.webhooks.create(old, record())
        answers = replace(old, failing=NOW, problem="no", gone=True, succeeded=NOW - 1)
        stores.webhooks.update_system_fields(answers, lost)
        updated = replace(answers, given_up=lost, given_ups=1)
        renamed = making.newer(old, name="Noted")
        stores.webhooks.replace(old, renamed, record())
        assert stores.webhooks.get(old.id) == replace(updated, name="Noted", revision=2)
        moved = making.newer(renamed, url="https://example.com/other")
        stores.webhooks.replace(renamed, moved, record())
        kept = replace(moved, succeeded=NOW - 1, given_up=lost, given_ups=1)
        assert stores.webhooks.get(old.id) == kept
        stores.webhooks.update_system_fields(answers, lost)  # of the address before
        assert stores.webhooks.get(old.id) == kept
        stores.webhooks.update_system_fields(
            replace(kept, succeeded=None, given_up=None, given_ups=0)
        )  # which says nothing of these
        assert stores.webhooks.get(old.id) == kept

    def test_what_is_given_up_is_counted_also_by_two_at_once(self, stores: Stores) -> None:
        """Who only says how it answers now takes nothing back of it."""
        old = making.webhook()
        stores.webhooks.create(old, record())
        for event in ("first", "last"):
            stores.webhooks.update_system_fields(old, GivenUp(event, "kind", "token", NOW, "no answer"))
        stores.webhooks.update_system_fields(
            replace(old, given_up=GivenUp("older", "kind", "token", NOW, "no"), given_ups=1)
        )
        stored = stores.webhooks.get(old.id)
        assert stored
        assert stored.given_up
        assert (stored.given_up.event_id, stored.given_ups) == ("last", 2)


class TestNamesOfWebhooks:
    def test_a_name_is_one_webhooks_whatever_its_case(self, stores: Stores) -> None:
        first, other = making.webhook(), making.webhook()
        stores.webhooks.create(first, record())
        stores.webhooks.create(other, record())
        for name in (first.name, first.name.upper()):
            with refused(stores, Conflict):
                stores.webhooks.create(making.webhook(name=name), record())
            with refused(stores, Conflict):
                stores.webhooks.replace(other, making.newer(other, name=name), record())

    def test_a_name_in_other_case_is_its_own(self, stores: Stores) -> None:
        old = making.webhook()
        stores.webhooks.create(old, record())
        louder = making.newer(old, name=old.name.upper())
        stores.webhooks.replace(old, louder, record())
        with refused(stores, Conflict):
            stores.webhooks.create(making.webhook(name=old.name), record())

    def test_what_is_renamed_or_deleted_leaves_its_name_to_others(self, stores: Stores) -> None:
        old, renamed_to = making.webhook(), making.name("renamed")
        stores.webhooks.create(old, record())
        new = making.newer(old, name=renamed_to)
        stores.webhooks.replace(old, new, record())
        stores.webhooks.create(making.webhook(name=old.name), record())
        with refused(stores, Conflict):
            stores.webhooks.create(making.webhook(name=renamed_to), record())
        stores.webhooks.delete(new, record())
        stores.webhooks.create(making.webhook(name=renamed_to), record())

    def test_who_deletes_what_was_renamed_meanwhile_reads_again(self, stores: Stores) -> None:
        """Or the name that it has by now would be nobody's, and taken."""
        old = making.webhook()
        stores.webhooks.create(old, record())
        stores.webhooks.replace(old, making.newer(old, name=making.name("later")), record())
        with refused(stores, StaleWrite):
            stores.webhooks.delete(old, record())

    def test_a_key_that_is_used_up_says_more_than_a_name_that_is_taken(self, stores: Stores) -> None:
        first, idempotency_key = making.webhook(), IdempotencyKey(making.name(), "f")
        stores.webhooks.create(first, record(idempotency_key=idempotency_key))
        with refused(stores, Replayed):
            stores.webhooks.create(making.webhook(name=first.name), record(idempotency_key=idempotency_key))


def test_webhooks_are_listed_by_name_and_noted_while_they_are_there(empty_stores: Stores) -> None:
    webhooks = empty_stores.webhooks
    made = [making.webhook(name=name) for name in ("b", "A", "c")]
    for each in made:
        webhooks.create(each, record())
    assert [each.name for each in webhooks.list()] == ["A", "b", "c"]
    failing = replace(made[0], failing=5, problem="it answered with 500")
    webhooks.update_system_fields(failing)
    assert webhooks.get(failing.id) == failing
    webhooks.update_system_fields(made[0])
    assert webhooks.get(failing.id) == made[0]
    webhooks.update_system_fields(replace(failing, gone=True))
    webhooks.update_system_fields(made[0])  # by whoever read it before
    assert webhooks.get(failing.id) == replace(made[0], gone=True)
    webhooks.delete(made[0], record())
    with refused(empty_stores, StaleWrite):
        webhooks.delete(made[0], record())
    webhooks.update_system_fields(failing)
    assert webhooks.get(failing.id) is None
    assert len(webhooks.list()) == 2


class TestAuditRecords:
    def test_are_found_newest_first_in_parts(self, stores: Stores) -> None:
        actor = making.name()
        made = [record("a", actor_id=actor, at=NOW + number, target_id=f"t{number}") for number in (1, 3, 2, 4)]
        for each in made:
            stores.roles.create(making.role(), each)
        newest_first = sorted(made, key=lambda each: -each.at)
        first = stores.audit.page(AuditQuery(actor_id=actor), 3)
        assert list(first.records) == newest_first[:3]
        rest = stores.audit.page(AuditQuery(actor_id=actor, after=first.after), 3)
        assert (list(rest.records), rest.after) == (newest_first[3:], None)

    def test_are_found_by_all_that_is_asked(self, stores: Stores) -> None:
        actor, account = making.name(), making.name()
        of_account = record("a", actor_id=actor, target_id=account)
        of_token = record("b", actor_id=actor, target_id="token", owner_id=account)
        other = record("a", actor_id="other", target_id=account)
        for each in (of_account, of_token, other):
            stores.roles.create(making.role(), each)

        def found(**query: object) -> set[str]:
            return {each.id for each in stores.audit.page(AuditQuery(**query), 10).records}  # type: ignore[arg-type]

        assert found(target_id=account) == {of_account.id, of_token.id, other.id}
        assert found(target_id=account, actor_id=actor) == {of_account.id, of_token.id}
        assert found(actor_id=actor, kind="b") == {of_token.id}
        assert found(actor_id=actor, since=of_token.at) == {of_token.id}
        assert found(actor_id=actor, until=of_account.at) == {of_account.id}
        assert found(actor_id=actor, since=of_token.at + 1, until=of_token.at) == set()
        assert found(since=of_account.at, until=of_account.at) == {of_account.id}
