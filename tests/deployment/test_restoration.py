"""Nothing that had ended comes back, whatever kind of thing it is; what does come back fits together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.storage.table import Item
from deployment.restoration import KINDS, Restoration, Treatment, UnknownKind

RawItem = dict[str, Any]
LASTING, PASSING = (
    [kind for kind, each in KINDS.items() if each is one] for one in (Treatment.LASTING, Treatment.PASSING)
)


def kinds_of_items(model: type[Item] = Item) -> Iterator[str]:
    for subclass in model.__subclasses__():
        name = subclass.kind.get_discriminator(subclass)
        yield from [name] if name else []
        yield from kinds_of_items(subclass)


def thing(kind: str, id: str, **attributes: RawItem) -> RawItem:
    place = {"pk": {"S": f"{kind.upper()}#{id}"}, "sk": {"S": "PROFILE"}}
    needed: dict[str, RawItem] = {"user": {"banned": {"BOOL": False}}, "group": {"grants": {"L": []}}}.get(kind, {})
    grant = {"holder_id": {"S": "u"}, "role_id": {"S": "r"}, "place": {"S": "0"}} if kind == "grant" else {}
    return {**place, "kind": {"S": kind}, "id": {"S": id}, **needed, **grant, **attributes}


def user(id: str, *groups: str, **attributes: RawItem) -> RawItem:
    return thing("user", id, **({"groups": {"SS": [*groups]}} if groups else {}), **attributes)


def item(kind: str, pk: str, sk: str, **attributes: RawItem) -> RawItem:
    return {"pk": {"S": pk}, "sk": {"S": sk}, "kind": {"S": kind}, **attributes}


def restored(earlier: list[RawItem], later: list[RawItem] | None = None) -> list[RawItem]:
    restoration = Restoration(lambda: earlier, (lambda: later) if later is not None else None)
    return [each for each in restoration.items() if each["kind"]["S"] != "counter"]


def counted(earlier: list[RawItem], later: list[RawItem]) -> dict[str, int]:
    items = Restoration(lambda: earlier, lambda: later).items()
    return {each["pk"]["S"]: int(each["members"]["N"]) for each in items if each["kind"]["S"] == "counter"}


def test_every_kind_of_item_is_classified() -> None:
    assert set(kinds_of_items()) == set(KINDS)


@pytest.mark.parametrize("kind", LASTING + PASSING)
def test_what_grants_something_comes_back_only_if_both_exports_have_it_and_as_the_later_one_has_it(kind: str) -> None:
    kept, ended, new = (thing(kind, id, secret={"S": "old"}) for id in ("kept", "ended", "new"))
    changed = {**kept, "secret": {"S": "new"}}
    assert [(each["id"], each["secret"]) for each in restored([kept, ended], [changed, new])] == [
        (kept["id"], {"S": "new"})
    ]


@pytest.mark.parametrize("kind", LASTING + PASSING)
def test_without_a_later_export_nothing_comes_back_that_its_holder_gets_anew(kind: str) -> None:
    assert [each["id"] for each in restored([thing(kind, "id")])] == ([{"S": "id"}] if kind in LASTING else [])


def test_what_was_done_and_forbidden_since_is_told() -> None:
    told = [item(kind, kind, "1") for kind, each in KINDS.items() if each is Treatment.TELLING]
    assert restored([], told) == told


def test_what_leads_to_a_thing_comes_back_with_it_alone() -> None:
    names = [item("name", f"LOGIN#{id}", "PROFILE", holder_id={"S": id}) for id in ("kept", "new")]
    labels = [item("token-label", "USER#kept", f"TOKEN_LABEL#x#{id}") for id in ("token", "new-token")]
    entries = [item("entry", f"USER#{id}", "ENTRY#USERS#BOT") for id in ("kept", "new")]
    earlier = [user("kept"), thing("token", "token")]
    later = [*names, *labels, *entries, *earlier, user("new"), thing("token", "new-token")]
    assert restored(earlier, later) == [names[0], labels[0], entries[0], *earlier]


def test_memberships_grants_and_owners_lead_to_nothing_that_stays_away() -> None:
    member = item("member", "USER#bot", "MEMBER#old", group_id={"S": "old"})
    given = item("group-grant", "GROUP#old", "GRANT#r.0")
    earlier = [user("bot", "old"), thing("group", "old"), thing("group", "inner"), member, given]
    entry = item("entry", "USER#bot", "ENTRY#OWNED#boss", collection={"S": "OWNED#boss"})
    later = [
        user("bot", "old", "new", owner={"S": "user boss"}),
        thing("group", "old", grants={"L": [{"S": "r 0"}, {"S": "s 0"}]}, parent_id={"S": "new"}),
        thing("group", "inner", parent_id={"S": "old"}, subgroups={"N": "1"}),
        thing("group", "new"),
        *(member, item("member", "USER#bot", "MEMBER#new", group_id={"S": "new"}), given, entry),
    ]
    bot, old, inner, *rest = restored(earlier, later)
    assert (bot["groups"], bot.get("owner")) == ({"SS": ["old"]}, None)
    assert (old["grants"], old["subgroups"], old.get("parent_id")) == ({"L": [{"S": "r 0"}]}, {"N": "1"}, None)
    assert (inner["parent_id"], inner["subgroups"]) == ({"S": "old"}, {"N": "0"})
    assert rest[:2] == [member, given]
    assert rest[2]["collection"] == {"S": "USERS#OWNERLESS"}


def test_collections_and_administrators_are_counted_anew() -> None:
    def administrator(id: str) -> RawItem:
        place = item("grant", f"USER#{id}", "GRANT#system-admin.0")
        return {**place, "holder_id": {"S": id}, "role_id": {"S": "system-admin"}, "place": {"S": "0"}}

    counters = [item("counter", f"COUNT#{name}", "03", members={"N": "9"}) for name in ("USERS", "ROLES")]
    users = [user(id, collection={"S": "USERS"}) for id in ("one", "two", "new")]
    users[1]["banned"] = {"BOOL": True}
    grants = [administrator(id) for id in ("one", "two", "new")]
    counts = counted([*users[:2], *grants[:2]], [*counters, *users, *grants])
    assert counts == {"COUNT#USERS": 2, "COUNT#ROLES": 0, "COUNT#USERS#OWNERLESS": 0, "COUNT#ADMINISTRATORS": 1}


def test_who_becomes_ownerless_is_counted_though_nobody_was() -> None:
    entry = item("entry", "USER#bot", "ENTRY#OWNED#boss", collection={"S": "OWNED#boss"})
    assert counted([user("bot"), entry], [user("bot"), entry])["COUNT#USERS#OWNERLESS"] == 1


def test_what_a_newer_version_stored_is_refused() -> None:
    with pytest.raises(UnknownKind, match="newer Keyturn"):
        restored([thing("quantum-token", "id")])
