"""A token's details on pages: how each is filled in, and where it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core.tokens.token import DETAILS, TokenDetails
from chalicelib.web.request import lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.web.request import FormRequest


class Place(Enum):
    """Where the page of a token shows it."""

    FACT = "in the list of facts"
    TAG = "each text a tag"
    PARAGRAPH = "a paragraph"


@dataclass(frozen=True, slots=True)
class ShownDetail:
    """One of the details, as people see it."""

    label: str
    hint: str = ""
    place: Place = Place.FACT
    has_lines: bool = False  # a list is filled in one to a line


# In the order of the form.
SHOWN: Mapping[str, ShownDetail] = {
    "contact": ShownDetail("Contact", "Whom to ask about the token: a person, a team or a channel."),
    "description": ShownDetail("Description", place=Place.PARAGRAPH, has_lines=True),
    "labels": ShownDetail("Labels", "One per line, such as nightly or team=payments.", Place.TAG, has_lines=True),
    "networks": ShownDetail(
        "Allowed networks",
        "One per line, such as 192.0.2.0/24. The token works only from these networks. Services have to report the "
        "address of the caller.",
        has_lines=True,
    ),
}

Texts = dict[str, str]  # by name of the field, as filled in
NOTHING_FILLED: Texts = dict.fromkeys(SHOWN, "")


def texts_sent(request: FormRequest) -> Texts:
    """What was filled in. Raises Invalid."""
    return {name: request.value(name) or "" for name in SHOWN}


def texts_of(details: TokenDetails) -> Texts:
    """What the form shows of a token."""
    stated = details.stated()
    values = {name: stated.get(name, "") for name in SHOWN}
    return {name: value if isinstance(value, str) else "\n".join(value) for name, value in values.items()}


def details_in(texts: Texts) -> TokenDetails:
    """What a form says; what is left empty is removed."""
    return TokenDetails.of({name: lines(text) if DETAILS[name].is_list else text for name, text in texts.items()})


def changed_details(sent: Texts, shown: Texts) -> TokenDetails:
    """What a form changes of what it has shown. What stays as it is needs no permission."""
    new, old = details_in(sent).stated(), details_in(shown).stated()
    return TokenDetails.of({name: value for name, value in new.items() if value != old.get(name)})


def placed(details: TokenDetails) -> dict[str, list[tuple[str, str | Sequence[str]]]]:
    """What the page of a token shows, with labels, by name of the place."""
    stated = details.stated()
    return {
        place.name: [
            (each.label, stated[name]) for name, each in SHOWN.items() if each.place is place and name in stated
        ]
        for place in Place
    }
