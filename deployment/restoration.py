"""What comes back of an export. Nothing does that had ended, by a rule on kinds of items.

With a later export, **what grants something comes back only if both exports have it, and as the later one has it.**
What was made since stays away, and the rest is as the later one tells it. **What restricts comes back of either**
(`deployment.demands`), and the logins of accounts that stay away rest as if these had been deleted now. Without a later
export, nobody knows what has ended: what its holder gets anew by logging in or consenting does not come back, and the
rest is told.
"""

from __future__ import annotations

import time
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core.access.account import LOGIN_REST_MS
from chalicelib.core.access.role import Grant
from chalicelib.storage.engine import keys
from chalicelib.storage.items import STORED_KINDS, TRAITS, owned_by
from deployment.demands import Demands, demands_something

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from deployment.demands import RawItem

    Items = Callable[[], Iterable[RawItem]]  # from the first one on, each time


class Treatment(Enum):
    """What an import does with a kind of items."""

    LASTING = "grants something until somebody ends it"
    PASSING = "grants something that its holder gets anew"
    FOLLOWING = "says where a thing is found, and comes back with it"
    COUNTING = "says how many there are, and is counted anew"
    TELLING = "grants nothing: it tells what was done, or forbids something"


KINDS = {
    **dict.fromkeys(("user", "group", "role", "service", "webhook"), Treatment.LASTING),
    **dict.fromkeys(("grant", "group-grant", "member"), Treatment.LASTING),
    **{
        stored.discriminator: Treatment.PASSING if kind.value.is_login else Treatment.LASTING
        for kind, stored in STORED_KINDS.items()
    },
    **dict.fromkeys(("authenticators", "trust-rule"), Treatment.LASTING),
    **dict.fromkeys(("authorization-code", "device", "delegation", "approved-scope"), Treatment.PASSING),
    **dict.fromkeys(("name", "entry", "token-label"), Treatment.FOLLOWING),
    "counter": Treatment.COUNTING,
    **dict.fromkeys(("audit", "event", "outgoing", "once", "mark", "attempts"), Treatment.TELLING),
    **dict.fromkeys(("former-login", "lifecycle", "migrations", "sweep"), Treatment.TELLING),
}
GRANTING = {Treatment.LASTING, Treatment.PASSING}
COUNTERS, _ = keys.counter("", 0)
LOGINS, _ = keys.login("")


class UnknownKind(Exception):
    """An item is of a kind that this version does not know."""


class Restoration:
    """What comes back of `earlier`. Reads both exports whole, so that nothing is written of one that is not whole."""

    def __init__(self, earlier: Items, later: Items | None = None) -> None:
        """Raises UnknownKind, and whatever reading raises."""
        self._source = later or earlier
        self._allowed = GRANTING if later else {Treatment.LASTING}
        self._in_earlier = set[keys.Key]()
        demanded: list[RawItem] = []
        for item in earlier():
            if _treatment(item) in GRANTING:
                self._in_earlier.add(_item_key(item))
                demanded += [item] if demands_something(item) else []
        self._demands = Demands(demanded, later() if later else (), self._in_earlier)
        self.kinds = Counter[str]()  # of what grants something and comes back
        self._ids = set[str]()  # of such things
        self.unguarded = list[str]()  # memberships that stay away, with a demand: ids of account and group
        self._subgroups = Counter[str]()
        self._collections = set[str]()  # that are counted
        self._administrators, self._banned = set[str](), set[str]()
        self._logins: dict[str, str] = {}  # whose they are, by partition
        for item in self._source():
            self._look_at(item)
        self._resting = {pk: id for pk, id in self._logins.items() if later and id not in self._ids}

    def items(self) -> Iterator[RawItem]:
        """All that comes back."""
        counted = {*self._collections, TRAITS["ownerless"]}  # which some become here
        members = Counter(dict.fromkeys(counted, 0))
        for item in filter(self._comes_back, self._source()):
            restored = self._restored(item)
            if (collection := _text(restored, "collection")) in members:
                members[collection] += 1
            yield restored
        yield from (_former_login(pk, holder_id) for pk, holder_id in self._resting.items())
        administrators = (self._administrators & self._ids) - self._banned
        for collection, count in members.items():
            yield _counter(keys.counter(collection, 0), count)
        yield _counter(keys.ADMINISTRATORS, len(administrators))

    def changed(self, records: Iterable[RawItem]) -> list[str]:
        """What of that these audit records are about: kind of the change and id, each once."""
        about = (item for item in records if item["target_id"]["S"] in self._ids)
        return [*dict.fromkeys(f"{item['audit_kind']['S']} {item['target_id']['S']}" for item in about)]

    def _look_at(self, item: RawItem) -> None:
        kind = item["kind"]["S"]
        if _treatment(item) is Treatment.COUNTING and item["sk"]["S"] != keys.PROFILE:
            self._collections.add(item["pk"]["S"].removeprefix(COUNTERS))
        if kind == "name" and item["pk"]["S"].startswith(LOGINS):
            self._logins[item["pk"]["S"]] = item["holder_id"]["S"]
        if _treatment(item) not in GRANTING or not self._comes_back(item):
            self.unguarded += [" ".join(_membership(item))] if self._is_unguarded(item) else []
            return
        self.kinds[kind] += 1
        if id := _text(item, "id"):
            self._ids.add(id)
        if kind == "group" and self._has(_item_key(item)):  # what was made since is outermost
            self._subgroups[_text(item, "parent_id")] += 1
        elif (
            kind == "grant"
            and Grant(*(item[name]["S"] for name in ("holder_id", "role_id", "place"))).makes_administrator
        ):
            self._administrators.add(item["holder_id"]["S"])
        elif kind == "user" and item["banned"]["BOOL"]:
            self._banned.add(item["id"]["S"])

    def _comes_back(self, item: RawItem) -> bool:
        treatment = _treatment(item)
        if treatment is Treatment.FOLLOWING:
            return _thing(item) in self._ids
        if treatment in GRANTING:
            return (treatment in self._allowed and self._has(_item_key(item))) or self._restricts(item)
        return treatment is Treatment.TELLING and not self._is_replaced(item)

    def _restricts(self, item: RawItem) -> bool:
        """Whether it comes back though it was made since, and gives nothing."""
        match item["kind"]["S"]:
            case "group":
                return self._demands.brings_back(item["id"]["S"])
            case "member":
                user_id, group_id = _membership(item)
                return self._has(keys.user(user_id)) and self._demands.only_restricts(group_id)
        return False

    def _is_unguarded(self, item: RawItem) -> bool:
        """Whether it is a membership of an account that comes back, in a group that demands something."""
        if item["kind"]["S"] != "member":
            return False
        user_id, group_id = _membership(item)
        return self._has(keys.user(user_id)) and self._demands.demands(group_id)

    def _is_replaced(self, item: RawItem) -> bool:
        """Whether it says that a login rests which somebody had since, who stays away."""
        return item["kind"]["S"] == "former-login" and item["pk"]["S"] in self._resting

    def _restored(self, item: RawItem) -> RawItem:
        """The item without what leads to things that stay away."""
        match item["kind"]["S"]:
            case "user":
                in_groups = item.get("groups", {}).get("SS", ())
                groups = [id for id in in_groups if self._is_member(item["id"]["S"], id)]
                owner = _text(item, "owner").rpartition(" ")[2]
                item = _with(item, "groups", {"SS": groups} if groups else None)
                return item if owner in self._ids else _with(item, "owner", None)
            case "group":
                id, parent = item["id"]["S"], _text(item, "parent_id")
                kept = self._demands.grants_kept(item)
                item = {**item, "grants": {"L": kept}, "subgroups": {"N": str(self._subgroups[id])}}
                item = item if parent in self._ids else _with(item, "parent_id", None)
                return self._demands.restored(item)
            case "service":
                shown_to = [each for each in item["groups"]["L"] if self._has(keys.group(each["S"]))]
                return self._demands.restored({**item, "groups": {"L": shown_to}})
            case "entry" if self._owner_stays_away(item):
                pk, sk = keys.entry(_thing(item), TRAITS["ownerless"])
                return {**item, "pk": {"S": pk}, "sk": {"S": sk}, "collection": {"S": TRAITS["ownerless"]}}
        return item

    def _is_member(self, user_id: str, group_id: str) -> bool:
        return self._has(keys.member(user_id, group_id)) or self._demands.only_restricts(group_id)

    def _has(self, item_key: keys.Key) -> bool:
        return item_key in self._in_earlier

    def _owner_stays_away(self, entry: RawItem) -> bool:
        collection, owned = _text(entry, "collection"), owned_by("")
        return collection.startswith(owned) and collection.removeprefix(owned) not in self._ids


def _treatment(item: RawItem) -> Treatment:
    kind = item["kind"]["S"]
    if kind not in KINDS:
        raise UnknownKind(f"The export has items of the kind {kind!r}. It is of a newer Keyturn: import it with that.")
    return KINDS[kind]


def _item_key(item: RawItem) -> keys.Key:
    return item["pk"]["S"], item["sk"]["S"]


def _text(item: RawItem, name: str) -> str:
    text: str = item.get(name, {}).get("S", "")
    return text


def _thing(item: RawItem) -> str:
    """The id of what is found by this item."""
    match item["kind"]["S"]:
        case "name":
            return _text(item, "holder_id")
        case "token-label":
            return _text(item, "sk").rpartition("#")[2]
    return _text(item, "pk").rpartition("#")[2]  # an account's entry


def _membership(member: RawItem) -> tuple[str, str]:
    """The ids of account and group."""
    return _text(member, "pk").partition("#")[2], _text(member, "group_id")


def _with(item: RawItem, name: str, value: RawItem | None) -> RawItem:
    others = {each: kept for each, kept in item.items() if each != name}
    return others if value is None else {**others, name: value}


def _counter(item_key: keys.Key, members: int) -> RawItem:
    pk, sk = item_key
    return {"pk": {"S": pk}, "sk": {"S": sk}, "kind": {"S": "counter"}, "members": {"N": str(members)}}


def _former_login(partition: str, holder_id: str) -> RawItem:
    pk, sk = keys.former_login(partition.removeprefix(LOGINS))
    ends = time.time_ns() // 1_000_000 + LOGIN_REST_MS
    former_login = {"kind": {"S": "former-login"}, "holder_id": {"S": holder_id}, "expires": {"N": str(ends // 1_000)}}
    return {"pk": {"S": pk}, "sk": {"S": sk}, **former_login}
