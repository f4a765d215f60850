"""All or nothing, and the right reason for nothing."""

import pytest
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, TransactWriteError, VerboseClientError

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.transaction_limits import MAX_STEPS
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.errors import Conflict, TooLarge, Unavailable
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import CounterItem, NameItem
from chalicelib.storage.transaction import Transaction
from tests.memory.database import Change, Database


def record(id: str = "record") -> AuditRecord:
    return AuditRecord("test", 0, "actor", "credential", "192.0.2.1", "test", "target", id=id)


def stored() -> set[str]:
    return {item.pk for item in Item.scan(consistent_read=True)}


@pytest.fixture(autouse=True)
def _table(product: Keyturn) -> None:
    transaction = Transaction(record("first"))
    transaction.take_name(("TAKEN", "x"), "holder", otherwise=Conflict("taken"))
    transaction.commit()


def test_a_condition_that_does_not_hold_raises_its_own_exception_and_writes_nothing() -> None:
    before = stored()
    for step, expected in (
        (lambda t: t.take_name(("TAKEN", "x"), "me", otherwise=Conflict("create")), "create"),
        (
            lambda t: t.replace(NameItem("GONE", "x", holder_id="me"), NameItem.pk.exists(), Conflict("replace")),
            "replace",
        ),
        (lambda t: t.check(NameItem("GONE", "x"), NameItem.pk.exists(), Conflict("check")), "check"),
        (lambda t: t.delete(NameItem("GONE", "x"), NameItem.pk.exists(), Conflict("delete")), "delete"),
        (lambda t: t.update(CounterItem("GONE", "x"), [], CounterItem.pk.exists(), Conflict("update")), "update"),
    ):
        transaction = Transaction(record())
        transaction.take_name(("FREE 1", "x"), "me", otherwise=Conflict("another"))
        transaction.count("THINGS", +1)
        step(transaction)
        transaction.take_name(("FREE 2", "x"), "me", otherwise=Conflict("another"))
        transaction.free_name(("FREE 3", "x"))
        with pytest.raises(Conflict, match=f"^{expected}$"):
            transaction.commit()
        assert stored() == before


def test_what_is_committed_is_there_with_its_audit_record() -> None:
    transaction = Transaction(record())
    transaction.take_name(("NEW", "x"), "me", otherwise=Conflict("taken"))
    transaction.free_name(("TAKEN", "x"))
    transaction.commit()
    assert {"NEW", "AUDIT#1970-01-01"} <= stored()
    assert "TAKEN" not in stored()


def test_an_audit_record_is_never_overwritten() -> None:
    transaction = Transaction(record("first"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - the point is that nothing is written
        transaction.commit()
    assert len(stored()) == 2


def test_one_with_more_steps_than_the_database_takes_cannot_be_built() -> None:
    """Memory counts as the database does (`contract/test_every_writer.py`), and refuses the same."""
    transaction = Transaction(record())
    for number in range(MAX_STEPS - 1):
        transaction.free_name((f"FREE {number}", "x"))
    for step in (
        lambda: transaction.check(NameItem("TAKEN", "x"), NameItem.pk.exists(), Conflict("check")),
        lambda: transaction.put(NameItem("NEW", "x", holder_id="me")),
        lambda: transaction.free_name(("TAKEN", "x")),
        lambda: transaction.count("THINGS", +1),
    ):
        with pytest.raises(TooLarge, match="too much at once"):
            step()
    transaction.commit()
    assert len(stored()) == 2
    change = Change(Database())
    change.index(MAX_STEPS)
    with pytest.raises(TooLarge):
        change.put(("thing",), "thing")


def test_the_last_of_a_count_stays() -> None:
    counting = Transaction(record())
    counting.count_administrators(+1, otherwise=Conflict("never"))
    counting.commit()
    leaving = Transaction(record("second"))
    leaving.count_administrators(-1, otherwise=Conflict("the last one"))
    with pytest.raises(Conflict, match="the last one"):
        leaving.commit()


def cancelled(code: str) -> TransactWriteError:
    """What PynamoDB raises when other transactions touch the same items."""
    properties = {"Error": {"Code": "TransactionCanceledException", "Message": ""}}
    reasons = [None, CancellationReason(code=code)]
    return TransactWriteError(
        "", VerboseClientError(properties, "TransactWriteItems", {}, cancellation_reasons=reasons)
    )


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Transactions are sent to a list of numbers, counted down; while it is positive, there is contention."""
    left = [0]
    monkeypatch.setattr("chalicelib.storage.transaction.time.sleep", lambda seconds: None)
    original = Connection.transact_write_items

    def contended(self: Connection, *arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] >= 0:
            raise cancelled("TransactionConflict")
        return original(self, *arguments, **options)

    monkeypatch.setattr(Connection, "transact_write_items", contended)
    return left


def test_contention_is_waited_out(attempts: list[int]) -> None:
    attempts[0] = 5
    transaction = Transaction(record())
    transaction.take_name(("NEW", "x"), "me", otherwise=Conflict("taken"))
    transaction.commit()
    assert "NEW" in stored()


def test_endless_contention_is_a_refusal_that_says_that_nothing_was_changed(attempts: list[int]) -> None:
    attempts[0] = 10_000
    with pytest.raises(Unavailable, match="Nothing was changed"):
        Transaction(record()).commit()
    assert len(stored()) == 2
