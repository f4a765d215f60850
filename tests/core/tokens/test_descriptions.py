"""What is said of a token: description, contact, labels; and from where it may be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, InvalidGrant, Unauthenticated
from chalicelib.core.common.identifiers import random_text
from chalicelib.core.common.origin import Origin
from chalicelib.core.oauth.token_exchange import Exchange
from chalicelib.core.secrets.token_format import SECRET_LENGTH
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import TokenDetails
from tests.conftest import Scene, now, origin
from tests.people import person
from tests.token_details import NAMES, examples, in_words

DETAILS = TokenDetails(
    description="Builds the product.",
    contact="team-build@example.com",
    labels=("nightly", "team=build"),
    networks=("192.0.2.0/24",),
)


def make(scene: Scene, name: str, details: TokenDetails, user: str | None = None) -> OwnedToken:
    return scene.product.permanent_tokens.create(scene.caller(), user or scene.bot.id, name, ["ci"], None, details)


def stored(scene: Scene, token_id: str) -> TokenDetails:
    return scene.product.permanent_tokens.get(scene.caller(), scene.bot.id, token_id).token.details


def change(scene: Scene, token_id: str, details: TokenDetails) -> TokenDetails:
    scene.product.permanent_tokens.update(scene.caller(), scene.bot.id, token_id, None, None, details=details)
    return stored(scene, token_id)


def test_it_is_kept_through_changes_and_rotations_and_taken_away_by_what_is_empty(scene: Scene) -> None:
    id = make(scene, "described", DETAILS).token.id
    assert stored(scene, id) == DETAILS
    scene.product.rotation.rotate(scene.caller(), scene.bot.id, id, 60_000)
    assert change(scene, id, TokenDetails(contact="#build")) == replace(DETAILS, contact="#build")
    assert change(scene, id, TokenDetails.of({name: examples(name)[0][:0] for name in NAMES})) == TokenDetails()


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (TokenDetails(labels=["ok", "not ok"]), r"labels\[1\]"),
        (TokenDetails(labels=[""]), r"labels\[0\]"),
        (TokenDetails(labels=["x" * 64]), r"labels\[0\]"),
        (TokenDetails(labels=[f"l{number}" for number in range(21)]), "labels: may have at most 20"),
        (TokenDetails(networks=["nowhere"]), r"networks\[0\]"),
        (TokenDetails(contact="a\x00b"), "contact"),
        (TokenDetails(description="x" * 1001), "description"),
    ],
)
def test_what_breaks_a_rule_is_named_and_nothing_is_made(scene: Scene, details: TokenDetails, field: str) -> None:
    with pytest.raises(Invalid, match=field):
        make(scene, "wrong", details)
    assert make(scene, "wrong", TokenDetails())


def records(scene: Scene, token_id: str) -> list[dict[str, str]]:
    """The details of the records of it, newest first."""
    page = scene.product.audit_trail.page(scene.caller(), AuditQuery(target_id=scene.bot.id), 10)
    return [dict(record.details) for record in page.records if record.target_id == token_id]


@pytest.mark.parametrize("name", NAMES)
def test_records_and_events_tell_each_detail_of_a_creation_and_of_a_change(scene: Scene, name: str) -> None:
    first, second = examples(name)
    id = make(scene, "recorded", TokenDetails.of({name: first})).token.id
    change(scene, id, TokenDetails.of({name: second}))
    change(scene, id, TokenDetails.of({name: second[:0]}))
    first_words, second_words = in_words(first), in_words(second)
    assert [record.get(name) for record in records(scene, id)] == [
        f"{second_words} -> ",
        f"{first_words} -> {second_words}",
        first_words,
    ]
    events = scene.product.lifecycle.events.after(id, 0, 10)
    assert [event.token.get(name) for event in events] == [first, second, None]
    assert [event.details.get(name) for event in events] == [record.get(name) for record in records(scene, id)][::-1]


@pytest.mark.parametrize("name", NAMES)
def test_a_record_of_a_change_does_not_tell_what_stays(scene: Scene, name: str) -> None:
    id = make(scene, "recorded", DETAILS).token.id
    change(scene, id, TokenDetails.of({name: examples(name)[1]}))
    assert records(scene, id)[0].keys() == {name}


@pytest.mark.parametrize("name", NAMES)
def test_a_request_with_another_detail_is_another_request(scene: Scene, name: str) -> None:
    """One that is repeated with the same secret is answered as before, if all else is the same."""
    secret, tokens = random_text(SECRET_LENGTH), scene.product.permanent_tokens

    def create(value: object) -> OwnedToken:
        details = TokenDetails.of({name: value})
        return tokens.create(scene.caller(), scene.bot.id, "same", ["ci"], None, details, secret)

    first, second = examples(name)
    assert create(first).token.id == create(first).token.id
    with pytest.raises(Conflict):
        create(second)


def found(scene: Scene, label: str | None, top: int = 100) -> list[str]:
    names, after = [], None
    while True:
        page = scene.product.permanent_tokens.labelled(scene.caller(), label, after, top)
        names += [each.token.name for each in page.items]
        after = page.after
        if after is None:
            return names


def test_tokens_of_all_accounts_are_found_by_label(scene: Scene) -> None:
    jo = person(scene)
    label, owners = TokenDetails(labels=["Nightly"]), [scene.bot.id, jo.user.id]
    made = [make(scene, f"n{number}", label, owners[number % 2]) for number in range(5)]
    make(scene, "other", TokenDetails(labels=["daily"]))
    assert found(scene, "nightly") == found(scene, "nightly", top=2) == [each.token.name for each in made]
    change(scene, made[0].token.id, TokenDetails(labels=[]))
    scene.product.permanent_tokens.delete(scene.caller(), made[1].owner.id, made[1].token.id)
    scene.product.accounts.delete(scene.caller(), jo.user.id)
    assert found(scene, "nightly") == ["n2", "n4"]
    assert set(found(scene, None, top=2)) > {"n2", "n4", "other", "build"}


def test_only_who_may_read_accounts_sees_them_all(scene: Scene) -> None:
    with pytest.raises(Forbidden, match="Read User"):
        scene.product.permanent_tokens.labelled(person(scene).log_in(), "nightly", None, 10)


def ask(scene: Scene, secret: str | None, address: str | None) -> bool:
    return scene.product.introspection.introspect("ci", scene.ci.secret, secret or "", now(), address) is not None


def test_a_service_has_to_say_from_where_a_bound_token_came(scene: Scene) -> None:
    secret = make(scene, "bound", DETAILS).secret
    assert ask(scene, secret, "192.0.2.77")
    assert not ask(scene, secret, "198.51.100.1")
    assert not ask(scene, secret, None)
    assert ask(scene, scene.token.secret, None)


def test_the_network_binds_at_every_entrance(scene: Scene) -> None:
    """REST, a rotation of itself, and an exchange: each from inside and from outside."""
    tokens = scene.product.permanent_tokens
    made = tokens.create(scene.caller(), scene.bot.id, "bound", ["keyturn", "ci"], None, DETAILS)
    inside, outside = origin(), Origin(now(), "198.51.100.1")
    enter = scene.product.authentication
    assert enter.caller(made.secret or "", inside).user.id == scene.bot.id
    assert enter.caller_any_scope(made.secret or "", inside)
    for entrance in (enter.caller, enter.caller_any_scope):
        with pytest.raises(Unauthenticated):
            entrance(made.secret or "", outside)
    exchange = scene.product.oauth.token_exchange.exchange
    assert exchange(Exchange(made.secret or "", audience=["ci"]), inside)
    with pytest.raises(InvalidGrant):
        exchange(Exchange(made.secret or "", audience=["ci"]), outside)


def test_a_network_is_changed_at_once_and_only_with_the_owners_permissions(scene: Scene) -> None:
    made = make(scene, "bound", DETAILS)
    assert not ask(scene, made.secret, "198.51.100.1")
    assert change(scene, made.token.id, TokenDetails(networks=["198.51.100.0/24"])).networks == ("198.51.100.0/24",)
    assert (ask(scene, made.secret, "198.51.100.1"), ask(scene, made.secret, "192.0.2.1")) == (True, False)
