"""Hub's `query` and `orderBy`: which members of a collection are wanted, and in which order.

Sources: Hub's pages "Hub API Query Syntax" and "Sort Syntax in Hub". Of the former, terms joined by `and`:
`login: jo`, `name: {Jo Doe}`, `group: developers`, `is: banned`, and text without a field, which is the beginning
of one. Letter case does not matter. A value has to be equal, as in Hub, where scripts take the first that they
get for the one that they named; `jo*`, which is ours, is everything that begins so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.common.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

T = TypeVar("T")

MAX_QUERY = 500
MAX_COLLECTED = 1_000  # members that one request looks at, where no index has them in the wanted order

# What Hub calls a field, and what the core calls it.
ATTRIBUTES = {
    "login": "login",
    "name": "name",
    "key": "key",
    "applicationName": "application_name",
    "creationTime": "created",
}

UNIQUE = ("login", "key")  # what is sorted by one of these needs no further order

_TERM = re.compile(
    r"""\s*(?:(?P<field>[A-Za-z]+)\s*:\s*)?(?:\{(?P<braced>[^{}]+)\}|"(?P<quoted>[^"]+)"|(?P<plain>[^\s:{}"]+))\s*"""
)


@dataclass(frozen=True, slots=True)
class Order:
    """By this field, upwards or downwards."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What is wanted: `text` begins one of the members' fields, `terms` equal those that they name (or, with a
    `*` at the end, begin them), and the members are all that `traits` say. Without `order`, the collection's own."""

    text: str | None = None
    terms: Mapping[str, str] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    order: tuple[Order, ...] = ()

    @property
    def finds_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.text is None and not self.terms and not self.traits

    @property
    def descends(self) -> bool:
        """Whether what is sorted last is wanted first."""
        return bool(self.order) and self.order[0].descending


EVERYTHING = Search()


def parse(query: str, order_by: str, fields: Sequence[str], traits: Sequence[str], sortable: Sequence[str]) -> Search:
    """What the two parameters ask for, of a collection with these fields and traits. Raises Invalid."""
    text: list[str] = []
    terms: dict[str, str] = {}
    wanted: set[str] = set()
    for name, value in _terms(query):
        if name is None:
            text.append(value)
        elif name == "is" and value.casefold() in traits:
            wanted.add(value.casefold())
        elif name in fields and name not in terms:
            terms[name] = value
        else:
            raise Invalid("query", _not_supported(name, value, fields, traits, name in terms))
    return Search(" ".join(text) or None, terms, frozenset(wanted), _order(order_by, sortable))


def select(things: Iterable[T], search: Search, fields: Sequence[str]) -> list[T]:
    """The members that are wanted, in the wanted order, of a collection that is there as a whole."""
    found = [thing for thing in things if _is_wanted(thing, search, fields)]
    for order in reversed(search.order):
        found.sort(key=lambda thing: _sortable(_value(thing, order.field)), reverse=order.descending)
    return found


def _terms(query: str) -> Iterable[tuple[str | None, str]]:
    if len(query) > MAX_QUERY:
        raise Invalid("query", f"may have at most {MAX_QUERY} characters.")
    position = 0
    while position < len(query.rstrip()):
        term = _TERM.match(query, position)
        if term is None:
            raise Invalid("query", "must have terms such as login: jo, name: {Jo Doe} or is: banned, joined by and.")
        position = term.end()
        value = term["braced"] or term["quoted"] or term["plain"]
        if term["field"] is None and term["plain"] and value in ("and", "or", "not", "(", ")"):
            if value != "and":
                raise Invalid("query", "supports only and between terms.")
            continue
        if not value.strip():
            raise Invalid("query", "contains a term without a value.")
        yield term["field"], value.strip()


def _order(text: str, sortable: Sequence[str]) -> tuple[Order, ...]:
    orders = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = (piece.strip() for piece in part.partition(":"))
        if name not in sortable or direction.lower() not in ("", "asc", "desc"):
            raise Invalid("orderBy", f"must list {', '.join(sortable)}, each with :asc or :desc.")
        orders.append(Order(name, direction.lower() == "desc"))
    unique = next((place for place, order in enumerate(orders) if order.field in UNIQUE), len(orders))
    return tuple(orders[: unique + 1])


def _not_supported(name: str, value: str, fields: Sequence[str], traits: Sequence[str], twice: bool) -> str:
    if twice:
        return f"names {name!r} twice."
    known = [f"{name}:" for name in fields] + [f"is: {trait}" for trait in traits]
    return f"supports {', '.join(known)} here, not {name}: {value}."


def _is_wanted(thing: object, search: Search, fields: Sequence[str]) -> bool:
    if any(not _fulfils(thing, name, value) for name, value in search.terms.items()):
        return False
    text = search.text
    return text is None or any(_begins(thing, name, text) for name in fields)


def beginning(value: str) -> str | None:
    """Of what a term's value is the beginning; None if it has to be equal."""
    return value[:-1] if value.endswith("*") else None


def _fulfils(thing: object, name: str, value: str) -> bool:
    begins = beginning(value)
    if begins is not None:
        return _begins(thing, name, begins)
    return str(_value(thing, name)).casefold() == value.casefold()


def _begins(thing: object, name: str, value: str) -> bool:
    return str(_value(thing, name)).casefold().startswith(value.casefold())


def _value(thing: object, name: str) -> object:
    return getattr(thing, ATTRIBUTES[name]) or ""


def _sortable(value: object) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, str(value).casefold())
