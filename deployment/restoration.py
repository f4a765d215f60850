"""What comes back of an export. Nothing does that had ended, by a rule on kinds of items.

With a later export, **what grants something comes back only if both exports have it, and as the later one has it.**
What was made since stays away, and the rest is as the later one tells it. Without one, nobody knows what has ended:
what its holder gets anew by logging in or consenting does not come back, and the rest is told.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Any

from chalicelib.core.roles import Grant
from chalicelib.storage import keys
from chalicelib.storage.items import TRAITS, owned_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    RawItem = dict[str, Any]  # as DynamoDB's API has it: types by name
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
    **dict.fromkeys(("token", "application-password", "authenticators", "trust-rule"), Treatment.LASTING),
    **dict.fromkeys(("session", "authorization-code", "device", "delegation", "approved-scope"), Treatment.PASSING),
    **dict.fromkeys(("name", "entry", "token-label"), Treatment.FOLLOWING),
    "counter": Treatment.COUNTING,
    **dict.fromkeys(("audit", "event", "outgoing", "once", "mark", "attempts"), Treatment.TELLING),
    **dict.fromkeys(("former-login", "lifecycle", "migrations", "sweep"), Treatment.TELLING),
}
GRANTING = {Treatment.LASTING, Treatment.PASSING}
COUNTERS, _ = keys.counter("", 0)


class UnknownKind(Exception):
    """An item is of a kind that this version does not know."""


class Restoration:
    """What comes back of `earlier`. Reads both exports whole, so that nothing is written of one that is not whole."""

    def __init__(self, earlier: Items, later: Items | None = None) -> None:
        """Raises UnknownKind, and whatever reading raises."""
        self._source = later or earlier
        self._allowed = GRANTING if later else {Treatment.LASTING}
        self._in_earlier = {_place(item) for item in earlier() if _treatment(item) in GRANTING}
        self.kinds = Counter[str]()  # of what grants something and comes back
        self._ids = set[str]()  # of such things
        self._subgroups = Counter[str]()
        self._collections = set[str]()  # that are counted
        self._administrators, self._banned = set[str](), set[str]()
        for item in self._source():
            self._look_at(item)

    def items(self) -> Iterator[RawItem]:
        """All that comes back."""
        counted = {*self._collections, TRAITS["ownerless"]}  # which some become here
        members = Counter(dict.fromkeys(counted, 0))
        for item in filter(self._comes_back, self._source()):
            restored = self._restored(item)
            if (collection := _text(restored, "collection")) in members:
                members[collection] += 1
            yield restored
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
        if _treatment(item) not in GRANTING or not self._comes_back(item):
            return
        self.kinds[kind] += 1
        if id := _text(item, "id"):
            self._ids.add(id)
        if kind == "group":
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
            return treatment in self._allowed and _place(item) in self._in_earlier
        return treatment is Treatment.TELLING

    def _restored(self, item: RawItem) -> RawItem:
        """The item without what leads to things that stay away."""
        match item["kind"]["S"]:
            case "user":
                groups = [
                    id for id in item.get("groups", {}).get("SS", ()) if self._has(keys.member(item["id"]["S"], id))
                ]
                owner = _text(item, "owner").rpartition(" ")[2]
                item = _with(item, "groups", {"SS": groups} if groups else None)
                return item if owner in self._ids else _with(item, "owner", None)
            case "group":
                id, parent = item["id"]["S"], _text(item, "parent_id")
                kept = [each for each in item["grants"]["L"] if self._has(_group_grant(id, each["S"]))]
                item = {**item, "grants": {"L": kept}, "subgroups": {"N": str(self._subgroups[id])}}
                return item if parent in self._ids else _with(item, "parent_id", None)
            case "entry" if self._owner_stays_away(item):
                pk, sk = keys.entry(_thing(item), TRAITS["ownerless"])
                return {**item, "pk": {"S": pk}, "sk": {"S": sk}, "collection": {"S": TRAITS["ownerless"]}}
        return item

    def _has(self, place: keys.Key) -> bool:
        return place in self._in_earlier

    def _owner_stays_away(self, entry: RawItem) -> bool:
        collection, owned = _text(entry, "collection"), owned_by("")
        return collection.startswith(owned) and collection.removeprefix(owned) not in self._ids


def _treatment(item: RawItem) -> Treatment:
    kind = item["kind"]["S"]
    if kind not in KINDS:
        raise UnknownKind(f"The export has items of the kind {kind!r}. It is of a newer Keyturn: import it with that.")
    return KINDS[kind]


def _place(item: RawItem) -> keys.Key:
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


def _group_grant(group_id: str, pair: str) -> keys.Key:
    role_id, _, place = pair.partition(" ")
    return keys.group_grant(group_id, Grant(group_id, role_id, place).key)


def _with(item: RawItem, name: str, value: RawItem | None) -> RawItem:
    others = {each: kept for each, kept in item.items() if each != name}
    return others if value is None else {**others, name: value}


def _counter(place: keys.Key, members: int) -> RawItem:
    pk, sk = place
    return {"pk": {"S": pk}, "sk": {"S": sk}, "kind": {"S": "counter"}, "members": {"N": str(members)}}
