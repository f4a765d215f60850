"""Hub's `query` and `orderBy`, as far as they can be told without a database."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.search import EVERYTHING, Order, Search, parse, select

FIELDS, TRAITS, SORTABLE = ("login", "name", "group"), ("banned", "bot"), ("login", "name")


@dataclass(frozen=True)
class Thing:
    login: str
    name: str
    created: int = 0


def query(text: str) -> Search:
    return parse(text, "", FIELDS, TRAITS, SORTABLE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EVERYTHING),
        ("   ", EVERYTHING),
        ("jo", Search("jo")),
        ("Jo Doe", Search("Jo Doe")),
        ("login: jo", Search(None, {"login": "jo"})),
        ("login:jo", Search(None, {"login": "jo"})),
        ("name: {Jo Doe}", Search(None, {"name": "Jo Doe"})),
        ('name:"Jo Doe" and is: banned', Search(None, {"name": "Jo Doe"}, frozenset({"banned"}))),
        ("is: bot is: BANNED group: {All Users}", Search(None, {"group": "All Users"}, frozenset({"bot", "banned"}))),
        ("name: {and}", Search(None, {"name": "and"})),
    ],
)
def test_what_a_query_asks_for(text: str, expected: Search) -> None:
    assert query(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "colour: red",
        "is: purple",
        "login: a or login: b",
        "not jo",
        "login:",
        ":",
        "{",
        "name: {",
        "login: a login: b",
        "login: { }",
        "{\x1f}",
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        query(text)
    assert refused.value.field == "query"


@given(st.text(max_size=60))
def test_no_text_is_a_defect(text: str) -> None:
    try:
        query(text)
    except Invalid as refused:
        assert refused.field == "query"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("login", (Order("login"),)),
        ("name:asc,login:desc", (Order("name"), Order("login", descending=True))),
        (" name : DESC ", (Order("name", descending=True),)),
    ],
)
def test_what_an_order_asks_for(text: str, expected: tuple[Order, ...]) -> None:
    assert parse("", text, FIELDS, TRAITS, SORTABLE).order == expected


@pytest.mark.parametrize("text", ["colour", "login:up", "login:asc:desc", "group"])
def test_an_unknown_order_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse("", text, FIELDS, TRAITS, SORTABLE)
    assert refused.value.field == "orderBy"


words = st.text("abAB ", max_size=4)
things = st.lists(st.builds(Thing, words, words, st.integers(0, 3)), max_size=8)


@given(things, words.filter(str.strip))
def test_a_selection_is_all_that_begins_so_and_nothing_else(all_things: list[Thing], text: str) -> None:
    found = select(all_things, Search(text), ("login", "name"))
    begins = text.lower()
    assert found == [
        thing for thing in all_things if thing.login.lower().startswith(begins) or thing.name.lower().startswith(begins)
    ]


@given(things, words.filter(str.strip))
def test_a_term_is_equal_or_with_a_star_begins(all_things: list[Thing], text: str) -> None:
    equal = select(all_things, Search(terms={"name": text}), ("login", "name"))
    begun = select(all_things, Search(terms={"name": f"{text}*"}), ("login", "name"))
    assert equal == [thing for thing in all_things if thing.name.lower() == text.lower()]
    assert begun == [thing for thing in all_things if thing.name.lower().startswith(text.lower())]


@given(things, st.booleans(), st.booleans())
def test_a_selection_is_in_the_wanted_order(all_things: list[Thing], first: bool, second: bool) -> None:
    order = (Order("creationTime", first), Order("name", second))
    found = select(all_things, Search(order=order), ("name",))
    assert sorted(found, key=repr) == sorted(all_things, key=repr)
    for before, after in itertools.pairwise(found):
        assert before.created == after.created or (before.created > after.created) == first
        if before.created == after.created and before.name.lower() != after.name.lower():
            assert (before.name.lower() > after.name.lower()) == second
