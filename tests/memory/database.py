"""A database of a few dictionaries, and transactions on it: everything is written or nothing."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from enum import IntEnum
from typing import Any

from chalicelib.core.access.transaction_limits import MAX_STEPS
from chalicelib.core.audit.idempotency import Replayed, StoredResult
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.errors import StaleWrite, TooLarge

Key = tuple[str, ...]
NOTHING = object()


class Phase(IntEnum):
    """In which order the conditions of one transaction are looked at, as `storage.transaction` does it."""

    CHECK = 1
    DELETE = 2
    IDEMPOTENCY = 3
    PUT = 4
    UPDATE = 5


class Database:
    """Things by key. What hangs on an account has a key that begins with `account(id)`, and goes with it."""

    def __init__(self) -> None:
        self.things: dict[Key, Any] = {}
        self.records: list[AuditRecord] = []
        self.lock = threading.RLock()
        self._dry_run: ContextVar[bool] = ContextVar("dry_run", default=False)

    def get(self, *key: str) -> Any:
        """A copy of what is stored there, or None: nobody can tell by its identity what was read when."""
        return pickle.loads(pickle.dumps(self.things.get(key)))

    def below(self, *beginning: str) -> Iterator[Any]:
        """Everything whose key begins so, in no order."""
        with self.lock:
            found = [thing for key, thing in self.things.items() if key[: len(beginning)] == beginning]
        return iter(pickle.loads(pickle.dumps(found)))

    @contextmanager
    def dry_run(self, on: bool) -> Iterator[None]:
        """Within, conditions are looked at, and nothing is written."""
        token = self._dry_run.set(on)
        try:
            yield
        finally:
            self._dry_run.reset(token)

    @property
    def is_dry_run(self) -> bool:
        """Whether what is changed now is only judged."""
        return self._dry_run.get()

    def remove(self, beyond: Callable[[Key], bool]) -> None:
        """Sweep what hung on something that is gone."""
        if self._dry_run.get():
            return
        with self.lock:
            for key in [key for key in self.things if beyond(key)]:
                del self.things[key]

    @contextmanager
    def change(self, audit: AuditRecord | None = None) -> Iterator[Change]:
        """One transaction. Nobody else reads or writes between its conditions and its effects."""
        with self.lock:
            change = Change(self, writes=audit is None or not self._dry_run.get())
            if audit:
                change.record(audit)
            yield change
            change.commit()


class Change:
    """Collects conditions and effects, and carries them out together."""

    def __init__(self, database: Database, writes: bool = True) -> None:
        self.database = database
        self._writes = writes
        self.steps = 0  # as many as the same change takes on DynamoDB
        self._conditions: list[tuple[Phase, bool, Exception]] = []
        self._effects: list[Callable[[], None]] = []

    def record(self, audit: AuditRecord) -> None:
        """What is done leaves this record; a client's key in it is good once."""
        database = self.database
        if audit.idempotency_key:
            key, result = (
                ("once", audit.actor_id, audit.idempotency_key.key),
                StoredResult(audit.idempotency_key.fingerprint, audit.target_id),
            )
            self._require(Phase.IDEMPOTENCY, key not in database.things, Replayed())
            self._effects.append(lambda: database.things.update({key: result}))
            self.index(1)
        self.index(1)
        details = json.loads(json.dumps(audit.details))
        self._effects.append(lambda: database.records.append(replace(audit, details=details, idempotency_key=None)))

    def index(self, entries: int) -> None:
        """So many steps are taken for what only DynamoDB writes: entries of an index, and counters."""
        self.steps += entries
        if self.steps > MAX_STEPS:
            raise TooLarge

    def check(self, holds: bool, otherwise: Exception | None = None) -> None:
        """Something that is not written has to be as it was."""
        self.index(1)
        self._require(Phase.CHECK, holds, otherwise or StaleWrite())

    def create(self, key: Key, thing: object, otherwise: Exception | None = None) -> None:
        """Store it where nothing is."""
        self._require(Phase.PUT, key not in self.database.things, otherwise or StaleWrite())
        self.put(key, thing)

    def replace(self, key: Key, thing: object, holds: bool) -> None:
        """Store it over what is there, which must be as it was."""
        self._require(Phase.PUT, holds, StaleWrite())
        self.put(key, thing)

    def update(self, key: Key, thing: object, holds: bool) -> None:
        """As `replace`, for a part of what is there."""
        self._require(Phase.UPDATE, holds, StaleWrite())
        self.put(key, thing)

    def put(self, key: Key, thing: object) -> None:
        """Store it, whatever is there."""
        self.index(1)
        self.put_beside(key, thing)

    def put_beside(self, key: Key, thing: object) -> None:
        """Store what on DynamoDB is a part of something that is written anyway."""
        self._effects.append(lambda: self.database.things.update({key: thing}))

    def delete(self, key: Key, holds: bool = True) -> None:
        """Remove what is there, if something is."""
        self.index(1)
        self._require(Phase.DELETE, holds, StaleWrite())
        self._effects.append(lambda: self.database.things.pop(key, None))

    def take_name(self, key: Key, holder_id: str, otherwise: Exception | None = None) -> None:
        """A unique name is taken from now on."""
        self.create(key, holder_id, otherwise)

    def last_of_all(self, holds: bool, otherwise: Exception) -> None:
        """A condition that is looked at when all others hold."""
        self._require(Phase.UPDATE, holds, otherwise)

    def commit(self) -> None:
        """Raise for the first condition that does not hold, or write everything, unless this is a dry run."""
        for _, holds, otherwise in sorted(self._conditions, key=lambda each: each[0]):
            if not holds:
                raise otherwise
        for effect in self._effects if self._writes else ():
            effect()

    def _require(self, phase: Phase, holds: bool, otherwise: Exception) -> None:
        self._conditions.append((phase, holds, otherwise))


def in_any_order(ids: Iterable[str]) -> list[str]:
    """Not as they were asked for: a database gives many things in an order of its own."""
    return sorted(ids, key=lambda id: id[::-1])


def is_current(stored: Any, known: Any) -> bool:
    """Whether what is stored is still what somebody has read."""
    return stored is not None and stored.revision == known.revision


def account(user_id: str) -> Key:
    """Where an account is. What hangs on it is below."""
    return ("account", user_id)
