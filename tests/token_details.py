"""A valid value for each of a token's details, so that what holds for all of them is tested for all of them."""

from __future__ import annotations

from chalicelib.core.tokens.token import DETAILS

LISTS = {"networks": (["192.0.2.0/24"], ["198.51.100.0/24", "2001:db8::/32"])}  # of a form of their own
NAMES = [*DETAILS]


def examples(name: str) -> tuple[str | list[str], str | list[str]]:
    """Two values of this detail."""
    if DETAILS[name].is_list:
        return LISTS.get(name, (["first"], ["second", "third"]))
    return "First text", "Second text"


def in_words(value: str | list[str]) -> str:
    """The value as records tell it."""
    return value if isinstance(value, str) else " ".join(value)
