"""Nothing that had ended comes back, whatever kind of thing it is, and nothing opens that was closed; what does come
back fits together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.core.access.account import LOGIN_REST_MS
from chalicelib.core.access.token_policy import Consequence, Policy
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.directory import policy_in, policy_text
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
    needed: dict[str, RawItem] = {
        "user": {"banned": {"BOOL": False}},
        "group": {"grants": {"L": []}, "requires_two_factor": {"BOOL": False}},
        "service": {"groups": {"L": []}},
    }.get(kind, {})
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
    names = [item("name", f"GROUP_NAME#{id}", "PROFILE", holder_id={"S": id}) for id in ("kept", "new")]
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


def group(id: str, policy: Policy | None = None, second: bool = False, **attributes: RawItem) -> RawItem:
    demanded = {"policy": {"S": policy_text(policy)}} if policy else {}
    return thing("group", id, requires_two_factor={"BOOL": second}, **demanded, **attributes)


def member(user_id: str, group_id: str) -> RawItem:
    return item("member", f"USER#{user_id}", f"MEMBER#{group_id}", group_id={"S": group_id})


def inside(id: str) -> RawItem:
    return {"S": id}


def demands(found: list[RawItem]) -> dict[str, tuple[bool, Policy | None, str | None]]:
    """By id of each group: a second factor, a policy, and what it is inside of."""
    return {
        each["id"]["S"]: (
            each["requires_two_factor"]["BOOL"],
            policy_in(each.get("policy", {}).get("S")),
            each.get("parent_id", {}).get("S"),
        )
        for each in found
        if each["kind"]["S"] == "group"
    }


SHORT, UNUSED = Policy(longest_life_days=1), Policy(unused_days=9, unused=Consequence.DISABLE)
BOTH = Policy(longest_life_days=1, unused_days=9, unused=Consequence.DISABLE)


class TestWhatRestricts:
    """Comes back of either export, and so opens nothing that was closed between the two."""

    @pytest.mark.parametrize(
        ("before", "since", "then"),
        [
            (group("g"), group("g", SHORT, True), (True, SHORT, None)),
            (group("g", SHORT, True), group("g"), (True, SHORT, None)),
            (group("g", SHORT), group("g", UNUSED), (False, BOTH, None)),
            (group("g", Policy(longest_life_days=30)), group("g", SHORT), (False, SHORT, None)),
            (group("g"), group("g", Policy(leaked=Consequence.FLAG)), (False, Policy(), None)),
            (group("g"), group("g"), (False, None, None)),
        ],
    )
    def test_a_group_demands_what_either_did(
        self, before: RawItem, since: RawItem, then: tuple[bool, Policy | None, str | None]
    ) -> None:
        assert demands(restored([before], [since])) == {"g": then}

    def test_a_service_demands_what_either_did(self) -> None:
        before, since = (thing("service", "s", policy={"S": policy_text(each)}) for each in (SHORT, UNUSED))
        (back,) = restored([before], [since])
        assert policy_in(back["policy"]["S"]) == BOTH

    def test_a_group_that_was_put_into_a_new_one_that_demands_something_is_inside_of_it(self) -> None:
        later = [group("team", parent_id=inside("secure")), group("secure", SHORT, True, subgroups={"N": "1"})]
        assert demands(restored([group("team")], later)) == {
            "team": (False, None, "secure"),
            "secure": (True, SHORT, None),
        }

    def test_a_new_one_has_what_all_around_it_demands_and_gives_nothing(self) -> None:
        given = item("group-grant", "GROUP#new", "GRANT#r.0")
        later = [
            group("new", parent_id=inside("between"), grants={"L": [{"S": "r 0"}]}),
            group("between", UNUSED, parent_id=inside("staff")),
            group("staff", SHORT, True, grants={"L": [{"S": "r 0"}]}),
            item("group-grant", "GROUP#staff", "GRANT#r.0"),
            given,
        ]
        back = restored([group("staff"), later[3]], later)
        assert demands(back) == {
            "new": (True, BOTH, None),
            "between": (True, BOTH, None),
            "staff": (True, SHORT, None),
        }
        assert [len(each["grants"]["L"]) for each in back if each["kind"]["S"] == "group"] == [0, 0, 1]
        assert given not in back
        assert {each["id"]["S"]: each["subgroups"] for each in back if "subgroups" in each} == {
            id: {"N": "0"} for id in ("new", "between", "staff")
        }

    def test_a_new_one_that_demands_nothing_stays_away(self) -> None:
        assert restored([], [group("new")]) == []

    def test_who_was_put_into_a_group_that_demands_and_gives_nothing_is_in_it(self) -> None:
        earlier = [user("jo"), group("strict", second=True), group("inner"), group("free")]
        later = [
            user("jo", "strict", "inner", "free", "quarantine"),
            *(user("kim", "strict"), member("kim", "strict")),  # who stays away
            *(group("strict", second=True), group("inner", parent_id=inside("strict")), group("free")),
            group("quarantine", second=True),
            *(member("jo", id) for id in ("strict", "inner", "free", "quarantine")),
        ]
        jo, *rest = restored(earlier, later)
        assert set(jo["groups"]["SS"]) == {"strict", "inner", "quarantine"}
        assert [each for each in rest if each["kind"]["S"] == "member"] == [
            member("jo", id) for id in ("strict", "inner", "quarantine")
        ]

    @pytest.mark.parametrize("granted_to", ["strict", "outer"])
    def test_but_not_where_it_gives_something_and_that_is_told(self, granted_to: str) -> None:
        grant = {"L": [{"S": "r 0"}]}
        groups = [group("strict", second=True, parent_id=inside("outer")), group("outer")]
        groups = [{**each, "grants": grant} if each["id"]["S"] == granted_to else each for each in groups]
        earlier = [user("jo"), *groups, item("group-grant", f"GROUP#{granted_to}", "GRANT#r.0")]
        later = [*earlier[1:], user("jo", "strict"), member("jo", "strict")]
        restoration = Restoration(lambda: earlier, lambda: later)
        back = list(restoration.items())
        assert member("jo", "strict") not in back
        assert "groups" not in next(each for each in back if each["kind"]["S"] == "user")
        assert restoration.unguarded == ["jo strict"]

    @pytest.mark.parametrize("shown_to", ["strict", "outer"])
    def test_nor_where_it_shows_a_service(self, shown_to: str) -> None:
        groups = [group("strict", second=True, parent_id=inside("outer")), group("outer")]
        earlier = [user("jo"), *groups, thing("service", "s", groups={"L": [{"S": shown_to}]})]
        restoration = Restoration(lambda: earlier, lambda: [*earlier[1:], user("jo", "strict"), member("jo", "strict")])
        assert member("jo", "strict") not in list(restoration.items())
        assert restoration.unguarded == ["jo strict"]

    def test_a_new_group_shows_no_service(self) -> None:
        shown = {"groups": {"L": [{"S": "old"}, {"S": "new"}]}}
        back = restored([group("old"), thing("service", "s")], [thing("service", "s", **shown), group("new", SHORT)])
        assert back[0]["groups"] == {"L": [{"S": "old"}]}


class TestLoginsOfAccountsThatStayAway:
    def test_rest_as_if_these_had_been_deleted_now(self) -> None:
        def login(of: str) -> RawItem:
            return item("name", f"LOGIN#{of}", "PROFILE", holder_id={"S": of})

        rested = item("former-login", "LOGIN#old", "FORMER", holder_id={"S": "gone"}, expires={"N": "1"})
        taken_again = {**rested, "pk": {"S": "LOGIN#new"}}
        later = [login("kept"), login("new"), rested, taken_again, user("kept"), user("new")]
        before = time.time()
        *back, made = restored([user("kept"), login("kept"), taken_again], later)
        assert back == [login("kept"), rested, user("kept")]
        assert (made["pk"], made["sk"], made["kind"]) == (taken_again["pk"], rested["sk"], rested["kind"])
        assert made["holder_id"] == {"S": "new"}
        assert int(before) <= int(made["expires"]["N"]) - LOGIN_REST_MS // 1_000 <= time.time()

    def test_not_without_a_later_export(self) -> None:
        name = item("name", "LOGIN#nobody", "PROFILE", holder_id={"S": "nobody"})
        assert restored([name]) == []
