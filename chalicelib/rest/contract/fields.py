"""Hub's `fields` parameter: which fields of a resource an answer holds, at any depth.

Source: Hub's page "Hub API Field Syntax": `fields=id,name,scope(id,name)`. Without it, an answer
has all immediate fields, and for objects inside it only the basic ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from chalicelib.core.common.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from chalicelib.core.access.caller import Caller

BASIC = ("id", "name", "type")
MAX_LENGTH = 2_000
MAX_DEPTH = 10  # Hub's own example goes seven deep

# field name -> what is wanted of the objects in it (None: the basic fields)
Selection = dict[str, "Selection | None"]

_TOKEN = re.compile(r"[A-Za-z$][A-Za-z0-9_$]*|[(),]", re.ASCII)


class Kind(Enum):
    """What a field's value is. The last three go with a shape."""

    TEXT = "text"
    MAYBE_TEXT = "text or null"
    TIME = "milliseconds since the epoch"
    MAYBE_TIME = "milliseconds since the epoch or null"
    NUMBER = "a whole number"
    MAYBE_NUMBER = "a whole number or null"
    FLAG = "true or false"
    LINES = "a list of texts"
    OBJECT = "any JSON object or null"
    OBJECTS = "a list of JSON objects"
    TEXTS = "texts by name"
    ONE = "one"
    MAYBE_ONE = "one or null"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Field:
    """`value` takes the field from a thing; `shape`, if the value is an object or a list of them. `readable`: whether
    the caller may read this field of the thing; None: whoever may read that."""

    value: Callable[[Any], object]
    kind: Kind = Kind.TEXT
    shape: Shape | None = None
    in_default: bool = True  # whether an answer without `fields` has it
    readable: Callable[[Caller, Any], bool] | None = None
    secret: bool = False  # shown once, and not at all where nothing is made

    def is_shown(self, caller: Caller | None, thing: object, secrets: bool) -> bool:
        """Whether an answer to this caller may hold it; without a caller, all but what is secret is shown."""
        if self.secret and not secrets:
            return False
        return caller is None or self.readable is None or self.readable(caller, thing)


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of thing looks from outside; `name` is what messages and descriptions call it.

    `absent` are fields that Hub's things have and Keyturn's have not: clients written for Hub may name them,
    and no answer holds them. `readable`: whether the caller may read such a thing, wherever it stands; to who may not,
    the fields of its `outline` are shown alone. None: whoever gets so far may.
    """

    name: str
    fields: Mapping[str, Field]
    absent: frozenset[str] = frozenset()
    readable: Callable[[Caller, Any], bool] | None = None
    outline: frozenset[str] = frozenset()

    def check(self, selection: Selection | None) -> None:
        """Raises Invalid for a field that this shape does not have."""
        for name, inner in (selection or {}).items():
            if name in self.absent:
                continue
            if name not in self.fields:
                raise Invalid("fields", f"{self.name} has no field {name!r}.")
            shape = self.fields[name].shape
            if inner is not None:
                if shape is None:
                    raise Invalid("fields", f"{name!r} of {self.name} has no fields of its own.")
                shape.check(inner)

    def render(
        self,
        thing: object,
        selection: Selection | None = None,
        caller: Caller | None = None,
        outline: frozenset[str] | None = None,
        secrets: bool = True,
        stored: bool = True,
    ) -> dict[str, object]:
        """`thing` as a JSON object with the fields of a selection that passed `check`, as far as the caller may see
        them. `outline` takes the place of the shape's; without a caller, everything is shown. `secrets`: also those of
        its own fields that are secret. `stored`: whether there is such a thing; of one that there is not, what would
        have to be read besides is left out."""
        wanted = selection if selection is not None else {n: None for n, f in self.fields.items() if f.in_default}
        shown: Container[str] = self.fields
        if caller and self.readable and not self.readable(caller, thing):
            shown = self.outline if outline is None else outline
        rendered = {}
        for name, inner in wanted.items():
            if name not in self.absent and name in shown and self.fields[name].is_shown(caller, thing, secrets):
                try:
                    rendered[name] = self._value(self.fields[name], thing, inner, caller)
                except NotFound:
                    if stored:
                        raise
        return rendered

    def _value(self, field: Field, thing: object, inner: Selection | None, caller: Caller | None) -> object:
        value = field.value(thing)
        if field.shape is None or value is None:
            return value
        if inner is None:
            inner = {name: None for name in BASIC if name in field.shape.fields}
        if isinstance(value, list):
            return [field.shape.render(each, inner, caller) for each in value]
        return field.shape.render(value, inner, caller)


def parse(text: str) -> Selection:
    """The selection that `text` describes. Raises Invalid."""
    if len(text) > MAX_LENGTH:
        raise Invalid("fields", f"may have at most {MAX_LENGTH} characters.")
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", ""):
        raise Invalid("fields", "is a list of names such as id,name,scope(id,name).")
    tokens.append("")  # the end
    selection, rest = _parse_list(tokens, 1)
    if rest != [""]:
        raise Invalid("fields", "has an unmatched parenthesis.")
    return selection


def _parse_list(tokens: list[str], depth: int) -> tuple[Selection, list[str]]:
    if depth > MAX_DEPTH:
        raise Invalid("fields", f"may be nested {MAX_DEPTH} deep at most.")
    selection: Selection = {}
    while True:
        name, *tokens = tokens
        if name in ("", "(", ")", ","):
            raise Invalid("fields", "has an empty name. Write id,name,scope(id,name).")
        selection.setdefault(name, None)
        if tokens[0] == "(":
            inner, tokens = _parse_list(tokens[1:], depth + 1)
            if tokens[0] != ")":
                raise Invalid("fields", "has an unclosed parenthesis.")
            selection[name] = {**(selection[name] or {}), **inner}
            tokens = tokens[1:]
        if tokens[0] != ",":
            return selection, tokens
        tokens = tokens[1:]
