"""The search for accounts that several pages offer: a text in the form of the REST API's `query`, and boxes to tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.paging import Page
from chalicelib.core.common.search import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.paging import Window
    from chalicelib.web.request import FormRequest

TRAITS = ("bot", "banned", "ownerless")


@dataclass(frozen=True, slots=True)
class FoundAccounts:
    """What was found, and what was asked for, as the form shows it again."""

    page: Page[User]
    q: str
    traits: Sequence[str]
    misunderstood: Invalid | None = None


def ticked(request: FormRequest) -> list[str]:
    """The boxes that are ticked."""
    return [trait for trait in TRAITS if request.asked(trait)]


def find_accounts(request: FormRequest, caller: Caller, window: Window, traits: Sequence[str]) -> FoundAccounts:
    """A part of the accounts that the address asks for. Raises Forbidden."""
    q = request.asked("q") or ""
    try:
        query = " ".join([q, *(f"is: {trait}" for trait in traits)])
        search = parse(query, "", ("login", "name", "group", "owner"), TRAITS, ())
        return FoundAccounts(request.keyturn.accounts.page(caller, window, search), q, traits)
    except Invalid as refusal:
        return FoundAccounts(Page([], 0), q, traits, refusal)
