"""The `fields` parameter (Hub's page "Hub API Field Syntax")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.rest.contract.fields import MAX_DEPTH, Field, Kind, Selection, Shape, parse
from chalicelib.rest.directory import service_shapes
from chalicelib.rest.tokens import token_shapes

NAMES = st.from_regex(r"[a-z][A-Za-z0-9]{0,8}", fullmatch=True)
SELECTIONS = st.recursive(
    st.dictionaries(NAMES, st.none(), min_size=1, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.none() | inner, min_size=1, max_size=4),
    max_leaves=12,
)


def written(selection: Selection) -> str:
    return ",".join(name if inner is None else f"{name}({written(inner)})" for name, inner in selection.items())


def depth(selection: Selection) -> int:
    return 1 + max(depth(inner) if inner else 0 for inner in selection.values())


@given(SELECTIONS)
def test_what_is_written_is_what_is_parsed(selection: Selection) -> None:
    if depth(selection) <= MAX_DEPTH:
        assert parse(written(selection)) == selection


@given(st.text(max_size=60) | st.text(alphabet="ab(),", max_size=40))
def test_any_text_parses_or_is_refused_by_name(text: str) -> None:
    try:
        selection = parse(text)
    except Invalid as refusal:
        assert refusal.field == "fields"
    else:
        assert parse(written(selection)) == selection


@pytest.mark.parametrize(
    "text", ["", ",", "id,", ",id", "id,,name", "a(", "a()", "a(b", "a)", "a(b))", "a b", "a-b", "é"]
)
def test_malformed_selections_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_depth_and_length_are_bounded() -> None:
    with pytest.raises(Invalid, match="nested"):
        parse("a(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    with pytest.raises(Invalid, match="2000 characters"):
        parse("a," * 5_000 + "a")


def test_repeated_fields_are_merged() -> None:
    assert parse("scope(id),scope(name),scope") == {"scope": {"id": None, "name": None}}


THING = Shape("thing", {"id": Field(lambda _: 1), "size": Field(lambda _: 2), "type": Field(lambda _: "thing")})
BOX = Shape(
    "box",
    {
        "id": Field(lambda _: 0),
        "things": Field(lambda _: ["a", "b"], Kind.MANY, THING),
        "thing": Field(lambda _: None, Kind.MAYBE_ONE, THING),
        "secret": Field(lambda _: "s", in_default=False),
    },
)


def test_without_fields_an_answer_has_all_immediate_and_of_inner_objects_the_basic_ones() -> None:
    assert BOX.render("box") == {"id": 0, "things": [{"id": 1, "type": "thing"}] * 2, "thing": None}


def test_with_fields_an_answer_has_exactly_these() -> None:
    assert BOX.render("box", parse("secret,things(size)")) == {"secret": "s", "things": [{"size": 2}, {"size": 2}]}


@pytest.mark.parametrize("text", ["colour", "id(x)", "things(colour)", "things(id(x))"])
def test_fields_that_a_shape_lacks_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        BOX.check(parse(text))
    assert refusal.value.field == "fields"


def test_a_token_is_in_the_shape_of_its_creation_only() -> None:
    assert "token" in token_shapes.CREATED_TOKEN.fields
    assert "token" not in token_shapes.PERMANENT_TOKEN.fields
    assert "secret" not in service_shapes.SERVICE.fields
