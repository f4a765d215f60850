"""Finding accounts among very many, with a bounded number of reads.

Every account is in one index by login and in one by name; bots, ownerless and banned ones, those of a group
and those of an owner are collections of their own, by login. What one of these holds in the wanted order,
from a prefix on, is read a window at a time. Anything else is collected: the first of them that has all that
is wanted, and no more than MAX_COLLECTED accounts, is read, filtered and sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.accounts import AccountType
from chalicelib.core.errors import Invalid
from chalicelib.core.paging import Page, Window
from chalicelib.core.search import MAX_COLLECTED, Search, select
from chalicelib.storage import keys
from chalicelib.storage.collection import Kept, count, places_in, read
from chalicelib.storage.items import BY_NAME, TRAITS, USERS, UserItem, members_of, owned_by
from chalicelib.storage.table import Item

if TYPE_CHECKING:
    from chalicelib.core.accounts import User


@dataclass(frozen=True, slots=True)
class AccountSearch:
    """What is wanted: by login, name and traits; in the group; of the owner."""

    search: Search
    group_id: str | None = None
    owner_id: str | None = None

    def page(self, window: Window) -> Page[User]:
        """The accounts in the window, and how many there are. Raises Invalid if too many would be read."""
        kept = self._kept_in_order()
        if kept:
            descending = bool(self.search.order) and self.search.order[0].descending
            users = _users(places_in(kept, window, descending))
            all_by_name = kept.collection == BY_NAME and not kept.prefix  # as many as by login
            return Page(users, count(Kept(USERS, "login") if all_by_name else kept))
        found = select(self._collected(), self.search, ("login", "name"))
        return Page(found[window.skip : window.skip + window.top], len(found))

    def _kept_in_order(self) -> Kept | None:
        """The collection that has exactly what is wanted, if it is kept in the wanted order."""
        login, name = self._prefix("login"), self._prefix("name")
        narrow = self._narrow(login)
        if self.search.text is not None or len(narrow) > 1 or (name and (narrow or login)):
            return None
        by_login = narrow[0] if narrow else Kept(USERS, "login", login)
        by_name = Kept(BY_NAME, "name", name)
        if name:
            return by_name if by_name.is_in_order(self.search) else None
        if by_login.is_in_order(self.search):
            return by_login
        everything = not narrow and not login
        return Kept(BY_NAME, "name") if everything and by_name.is_in_order(self.search) else None

    def _narrow(self, login: str) -> list[Kept]:
        """The collections that hold a part of all accounts, all of them wanted."""
        collections = [members_of(self.group_id)] if self.group_id else []
        collections += [owned_by(self.owner_id)] if self.owner_id else []
        collections += [TRAITS[trait] for trait in ("ownerless", "banned", "bot") if trait in self.search.traits]
        return [Kept(collection, "login", login) for collection in collections]

    def _collected(self) -> list[User]:
        """All accounts that are in the group, of the owner and as the traits say, by login; perhaps more than
        begin with what the search says."""
        login, name, text = self._prefix("login"), self._prefix("name"), keys.sortable(self.search.text or "")
        sources = [[kept] for kept in self._narrow(login)]
        if name:
            sources.append([Kept(BY_NAME, "name", name)])
        if text:
            sources.append([Kept(USERS, "login", text), Kept(BY_NAME, "name", text)])
        if login or not sources:
            sources.append([Kept(USERS, "login", login)])
        users = [user for user in _users(_first_small_one(sources)) if self._fits(user)]
        if self.group_id:
            memberships = [keys.member(user.id, self.group_id) for user in users]
            inside = read(Item, memberships)
            users = [user for user, place in zip(users, memberships, strict=True) if place in inside]
        return sorted(users, key=lambda user: user.login.lower())

    def _fits(self, user: User) -> bool:
        is_so = {
            "bot": user.type is AccountType.BOT,
            "banned": user.banned,
            "ownerless": user.type is AccountType.BOT and user.owner is None,
        }
        if not all(is_so[trait] for trait in self.search.traits):
            return False
        return self.owner_id is None or (user.owner is not None and user.owner.id == self.owner_id)

    def _prefix(self, field: str) -> str:
        return keys.sortable(self.search.terms.get(field, ""))


def _first_small_one(sources: list[list[Kept]]) -> list[keys.Key]:
    """The members of the first source with no more than can be looked at. Raises Invalid if there is none."""
    for source in sources:
        places = [place for kept in source for place in places_in(kept, Window(0, MAX_COLLECTED + 1))]
        if len(places) <= MAX_COLLECTED:
            return places
    raise Invalid("query", f"would have to look at more than {MAX_COLLECTED} accounts; ask for fewer, or by login.")


def _users(places: list[keys.Key]) -> list[User]:
    """The accounts in whose partitions these places are, in the same order, each once."""
    profiles = list(dict.fromkeys((pk, keys.PROFILE) for pk, _ in places))
    found = read(UserItem, profiles)
    return [found[place].to_user() for place in profiles if place in found]
