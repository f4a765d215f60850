"""Finding accounts among very many, with a bounded number of reads.

Every account is in one index by login and in one by name; bots, ownerless and banned ones, those of a group
and those of an owner are collections of their own, by login. What one of these holds in the wanted order,
from a prefix on, is read a window at a time. Anything else is collected: the first of them that has all that
is wanted, and no more than MAX_COLLECTED accounts, is read, filtered and sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import MAX_COLLECTED, Search, beginning, select
from chalicelib.storage.collection import SortedIndex, count, keys_in, read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import BETWEEN, BY_NAME, TRAITS, USERS, UserItem, members_of, owned_by

if TYPE_CHECKING:
    from chalicelib.core.access.account import User


@dataclass(frozen=True, slots=True)
class AccountSearch:
    """What is wanted: by login, name and traits; in the group; of the owner."""

    search: Search
    group_id: str | None = None
    owner_id: str | None = None

    def page(self, window: Window) -> Page[User]:
        """The accounts in the window, and how many there are. Raises Invalid if too many would be read."""
        index = self._index_in_order()
        if index:
            users = _users(keys_in(index, window, self.search.descends))
            all_by_name = index.collection == BY_NAME and not index.prefix  # as many as by login
            return Page(users, count(SortedIndex(USERS, "login") if all_by_name else index))
        found = select(self._collected(), self.search, ("login", "name"))
        return Page(found[window.skip : window.skip + window.top], len(found))

    def _index_in_order(self) -> SortedIndex | None:
        """The index that has exactly what is wanted, in the wanted order, if there is one."""
        login, name = self._login(), self._name()
        narrow = self._narrow()
        if self.search.text is not None or len(narrow) > 1 or (name and (narrow or login)):
            return None
        by_login = narrow[0] if narrow else self._by_login(USERS)
        by_name = SortedIndex(BY_NAME, "name", name)
        if name:
            return by_name if by_name.is_in_order(self.search) else None
        if by_login.is_in_order(self.search):
            return by_login
        everything = not narrow and not login
        return SortedIndex(BY_NAME, "name") if everything and by_name.is_in_order(self.search) else None

    def _narrow(self) -> list[SortedIndex]:
        """The collections that hold a part of all accounts, all of them wanted."""
        collections = [members_of(self.group_id)] if self.group_id else []
        collections += [owned_by(self.owner_id)] if self.owner_id else []
        collections += [TRAITS[trait] for trait in ("ownerless", "banned", "bot") if trait in self.search.traits]
        return [self._by_login(collection) for collection in collections]

    def _collected(self) -> list[User]:
        """All accounts that are in the group, of the owner and as the traits say, by login; perhaps more than
        begin with what the search says."""
        login, name, text = self._login(), self._name(), keys.sortable(self.search.text or "")
        sources = [[index] for index in self._narrow()]
        if name:
            sources.append([SortedIndex(BY_NAME, "name", name)])
        if text:
            sources.append([SortedIndex(USERS, "login", text), SortedIndex(BY_NAME, "name", text)])
        if login or not sources:
            sources.append([self._by_login(USERS)])
        users = [user for user in _users(_first_small_one(sources)) if self._fits(user)]
        if self.group_id:
            memberships = [keys.member(user.id, self.group_id) for user in users]
            inside = read(Item, memberships)
            users = [user for user, item_key in zip(users, memberships, strict=True) if item_key in inside]
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

    def _by_login(self, collection: str) -> SortedIndex:
        value = self.search.terms.get("login", "*")
        return SortedIndex(collection, "login", self._login(), exact=beginning(value) is None)

    def _login(self) -> str:
        """The login that is wanted, or with which the wanted ones begin; empty if none is named."""
        value = self.search.terms.get("login", "*")
        begins = beginning(value)
        return keys.sortable(value if begins is None else begins)

    def _name(self) -> str:
        """With what the positions by name begin: a whole name is followed by what is between it and the login."""
        value = self.search.terms.get("name", "*")
        begins = beginning(value)
        return keys.sortable(value) + BETWEEN if begins is None else keys.sortable(begins)


def _first_small_one(sources: list[list[SortedIndex]]) -> list[keys.Key]:
    """The members of the first source with no more than can be looked at. Raises Invalid if there is none."""
    for source in sources:
        item_keys = [item_key for index in source for item_key in keys_in(index, Window(0, MAX_COLLECTED + 1))]
        if len(item_keys) <= MAX_COLLECTED:
            return item_keys
    raise Invalid("query", f"would examine more than {MAX_COLLECTED} accounts. Narrow the search, or search by login.")


def _users(item_keys: list[keys.Key]) -> list[User]:
    """The accounts in whose partitions these items are, in the same order, each once."""
    profiles = list(dict.fromkeys((pk, keys.PROFILE) for pk, _ in item_keys))
    found = read(UserItem, profiles)
    return [found[item_key].to_user() for item_key in profiles if item_key in found]
