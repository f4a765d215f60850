"""Forms that change what is there. Each carries what it showed, so that nobody puts back what was changed meanwhile:
an old window, or going back in the browser, must not restore what somebody else has taken away.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from chalicelib.core.common.errors import Changed, StaleWrite
from chalicelib.core.common.optimistic_retry import retry_persistently
from chalicelib.pages.frame.views import unless_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Response

    from chalicelib.core.common.errors import Refusal
    from chalicelib.web.request import FormRequest

T = TypeVar("T")  # what is edited
V = TypeVar("V")  # what the form shows of it


def version_of(shown: object) -> str:
    """What stands for that which a form shows, in a field that nobody sees. `shown` is made of texts, numbers, and
    sequences of these, in an order that is always the same."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:32]


def require_version(request: FormRequest, shown: object) -> None:
    """Raises Changed unless this is what the form that was sent has shown."""
    if request.value("version") != version_of(shown):
        raise Changed


@dataclass(frozen=True, slots=True)
class Edit(Generic[T, V]):
    """A form that was sent. `read` is the thing as it is now, with whatever the form offers besides, read once; `shown`
    what the form shows of it, and `write` insists that the thing is still as it was read; `again` is the page with the
    form, and these values in it."""

    read: Callable[[], T]
    shown: Callable[[T], V]
    sent: V
    write: Callable[[T], Response]
    again: Callable[[T, V, Refusal], Response]

    def answer(self, request: FormRequest) -> Response:
        """What `write` answers; or the form again: with what was sent or, if the thing has changed since the form was
        shown, with what it is now, and nothing is written."""

        vouched: list[T] = []  # what the form that was sent has shown

        def attempt() -> Response:
            found = self.read()
            require_version(request, self.shown(found))
            vouched[:] = [found]
            try:
                return self.write(found)
            except Changed:  # between the two; it is another version only if the form shows what was changed
                raise StaleWrite from None

        def again(problem: Refusal) -> Response:
            if vouched and not isinstance(problem, Changed):
                return self.again(vouched[0], self.sent, problem)
            now = self.read()
            return self.again(now, self.shown(now), problem)

        return unless_refused(lambda: retry_persistently(attempt), again)
