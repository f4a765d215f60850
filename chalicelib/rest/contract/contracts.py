"""What an operation of the REST API takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.web.headers import MAX_BODY_BYTES

if TYPE_CHECKING:
    from chalicelib.rest.contract import fields

SEARCH = ("query", "orderBy")
DRY_RUN = "dryRun"


@dataclass(frozen=True, slots=True)
class Searchable:
    """What `query` may name and `orderBy` may sort by; nothing, but clients may send both empty."""

    fields: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    sortable: tuple[str, ...] = ()

    def supports(self, parameter: str) -> bool:
        """Whether this parameter may have a value."""
        return bool(self.sortable if parameter == "orderBy" else self.fields or self.traits)


NOT_SEARCHED = Searchable()


@dataclass(frozen=True, slots=True)
class Contract:
    """What an operation takes and gives, for the views and for the OpenAPI description alike.

    `shape` is that of the answer, or of the members of `collection`; `body` is a structure of
    `rest.contract.bodies`; `query` are the parameters besides those that shape and collection imply.
    """

    shape: fields.Shape | None = None
    body: type | None = None
    collection: str | None = None
    query: tuple[str, ...] = ()
    creates: bool = False  # and so takes an Idempotency-Key
    search: Searchable = NOT_SEARCHED
    cursor_list: str | None = None  # the name of a list that goes on after a place; its members are `shape`
    bare: bool = False  # it may come without a body, which then says nothing
    dry_run: bool = True  # whether it can be tried, if it is no GET: not what changes nothing, and what strangers do
    max_bytes: int = MAX_BODY_BYTES  # of the body

    def parameters(self, method: str) -> tuple[str, ...]:
        """The names of all query parameters of the operation, which has this method."""
        implied = (("fields",) if self.shape else ()) + (("$skip", "$top", *SEARCH) if self.collection else ())
        return implied + self.query + ((DRY_RUN,) if self.dry_run and method != "GET" else ())
