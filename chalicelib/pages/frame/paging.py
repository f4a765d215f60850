"""Which part of a collection a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.paging import Window

if TYPE_CHECKING:
    from chalicelib.web.request import FormRequest

SIZE = 50
LAST = 200  # page; whoever looks for one among ten thousand does better to search


def window(request: FormRequest, name: str = "page") -> Window:
    """The part that the address asks for, counted from 1. Raises Invalid."""
    text = request.asked(name) or "1"
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LAST):
        raise Invalid(name, f"must be a whole number from 1 to {LAST}.")
    return Window((int(text) - 1) * SIZE, SIZE)


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one is in a collection of `total` members, and which parts come before and after."""

    window: Window
    total: int
    size: int = SIZE

    @property
    def number(self) -> int:
        """The part that is shown, counted from 1."""
        return self.window.skip // self.size + 1

    @property
    def count(self) -> int:
        """How many parts there are."""
        return min(LAST, max(1, -(-self.total // self.size)))

    @property
    def first(self) -> int:
        """The first member that is shown, counted from 1."""
        return self.window.skip + 1

    @property
    def last(self) -> int:
        """The last member that is shown."""
        return min(self.window.skip + self.size, self.total)
