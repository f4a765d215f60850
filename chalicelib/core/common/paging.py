"""A part of a collection, as Hub's `$skip` and `$top` ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """Leave out the first `skip` members, then take at most `top`."""

    skip: int = 0
    top: int = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The `items` of a window over a collection of `total` members."""

    items: Sequence[T]
    total: int
