"""All or nothing, and the right reason for nothing."""

import pytest

from chalicelib.composition import Keyturn
from chalicelib.core.audit import AuditRecord
from chalicelib.core.errors import Conflict
from chalicelib.storage.items import CounterItem, NameItem
from chalicelib.storage.table import Item
from chalicelib.storage.transaction import Transaction


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


def test_the_last_of_a_count_stays() -> None:
    counting = Transaction(record())
    counting.count_administrators(+1, otherwise=Conflict("never"))
    counting.commit()
    leaving = Transaction(record("second"))
    leaving.count_administrators(-1, otherwise=Conflict("the last one"))
    with pytest.raises(Conflict, match="the last one"):
        leaving.commit()
