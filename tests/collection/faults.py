"""The collection's modules as functions of a client, with a line to the server that fails where a test says."""

from __future__ import annotations

import enum
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.collection import conftest as _importable  # noqa: F401 - it makes the collection importable

from ansible_collections.keyturn.hub.plugins.module_utils import marks  # isort: skip
from ansible_collections.keyturn.hub.plugins.module_utils.client import Client  # isort: skip
from ansible_collections.keyturn.hub.plugins.module_utils.transport import KeptAlive, Unreachable  # isort: skip


class Fault(enum.Enum):
    """What becomes of a request."""

    LOST = "it never arrives, and nobody knows"
    UNANSWERED = "it is carried out, and its answer is lost"
    DEAD = "it is carried out, and the run dies"


class Died(BaseException):
    """The run was killed: nothing that catches refusals catches this."""


class Line:
    """Sends requests to a server; those whose numbers are in `faults`, counted from `begin`, fail."""

    def __init__(self, url: str) -> None:
        self._send = KeptAlive(url).send
        self._numbers = itertools.count()
        self._faults: dict[int, Fault] = {}
        self._dead = False
        self.changes = 0
        self.died_handing_over = False

    def begin(self, faults: dict[int, Fault] | None = None) -> None:
        """Count from here."""
        self._numbers, self._faults, self._dead, self.changes = itertools.count(), faults or {}, False, 0

    def send(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Any:
        """One request. Raises Unreachable or Died."""
        if self._dead:
            raise Died
        fault = self._faults.get(next(self._numbers))
        if fault is Fault.LOST:
            raise Unreachable("lost", False)
        answer = self._send(method, url, body, headers)
        asks = method == "GET" or url.partition("?")[0].endswith("/comparison") or "dryRun=true" in url
        self.changes += not asks and answer.status < 300
        if fault is Fault.UNANSWERED:
            raise Unreachable("lost", False)
        if fault is Fault.DEAD:
            self._dead = True
            self.died_handing_over |= _takes_a_mark_off(body)
            raise Died
        return answer


def _takes_a_mark_off(body: bytes | None) -> bool:
    """Whether this is the last act of a run, after which its result is returned."""
    said = json.loads(body or b"{}")
    return list(said) == ["labels"] and not any("undelivered" in label for label in said["labels"])


@contextmanager
def runs_that_take_no_time() -> Iterator[None]:
    """Whatever left a mark is taken for dead, so that a test of what another run then does need not wait."""
    least = marks.LEAST_SECONDS
    marks.LEAST_SECONDS = -10
    try:
        yield
    finally:
        marks.LEAST_SECONDS = least


def client_on(line: Line, url: str, token: str) -> Any:
    """A client that does not wait."""
    return Client(url, token, line.send, sleep=lambda _seconds: None)


def arguments(spec: dict[str, dict[str, Any]], **given: Any) -> dict[str, Any]:
    """What AnsibleModule makes of a task's arguments: everything that is left out is there, too."""
    whole = {name: option.get("default") for name, option in spec.items()}
    for name, value in given.items():
        inner = spec[name].get("options")
        if inner and isinstance(value, list):
            value = [arguments(inner, **each) for each in value]
        elif inner and value is not None:
            value = arguments(inner, **value)
        whole[name] = value
    return whole


def without_ids(thing: Any) -> Any:
    """The same, but for ids, which nobody can foretell."""
    if isinstance(thing, dict):
        return {name: without_ids(value) for name, value in thing.items() if name != "id"}
    return [without_ids(each) for each in thing] if isinstance(thing, list) else thing


def is_current(client: Any, user: str, token_id: str, whole: str) -> bool:
    """Whether a token that was handed over is made of the current secret."""
    middle = whole[len("ktp_") + 24 : -6]
    return bool(client.set({"secret": middle}, "users", user, "permanenttokens", token_id, "comparison")["current"])
