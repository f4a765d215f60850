"""Every detail of a token is in every layer. Records and events: `tests/core/tokens/test_descriptions.py`; the
collection, and what the command line sends: `tests/collection`, `tests/cli`."""

from __future__ import annotations

import html
import json
import re
from dataclasses import fields

import pytest
from keyturn_cli import tokens as commands

from chalicelib.core.tokens.token import DETAILS, TokenDetails
from chalicelib.pages.routes import SECURITY
from chalicelib.pages.tokens.details import SHOWN
from chalicelib.rest.tokens.token_bodies import NewToken, TokenChange
from chalicelib.rest.tokens.token_shapes import CREATED_TOKEN, LISTED_TOKEN, PERMANENT_TOKEN, ROTATED_TOKEN
from chalicelib.storage.engine import keys
from chalicelib.storage.items import TokenItem
from tests.conftest import ADDRESS, Scene
from tests.oauth.calling import Forms, call
from tests.people import Person, person
from tests.rest.calling import Answer, Client
from tests.token_details import NAMES, examples

PAGE = f"{SECURITY}/tokens/{{token}}"


def test_there_are_some() -> None:
    assert (
        {field.name for field in fields(TokenDetails)} == {*NAMES} >= {"description", "contact", "labels", "networks"}
    )


def item_of(user_id: str, token_id: str) -> TokenItem:
    item = TokenItem.get(*keys.token(user_id, token_id), consistent_read=True)
    assert isinstance(item, TokenItem)
    return item


@pytest.mark.parametrize("name", NAMES)
def test_it_is_stored(scene: Scene, name: str) -> None:
    value, _ = examples(name)
    tokens, details = scene.product.permanent_tokens, TokenDetails.of({name: value})
    made = tokens.create(scene.caller(), scene.bot.id, "stored", ["ci"], None, details).token
    item = item_of(scene.bot.id, made.id)
    assert json.loads(item.about or "") == {name: value}
    assert item.to_credential() == made


def test_what_a_later_version_stored_is_left_out(scene: Scene) -> None:
    item = item_of(scene.bot.id, scene.token.token.id)
    item.about = json.dumps({"contact": "#build", "of a later version": ["x"]})
    assert item.to_credential().details == TokenDetails(contact="#build")


@pytest.mark.parametrize("name", NAMES)
def test_the_rest_api_takes_and_returns_it(scene: Scene, name: str) -> None:
    first, second = examples(name)
    client, path = Client(scene.administrator.secret or ""), f"/users/{scene.bot.id}/permanenttokens"
    made = client.post(path, {"name": "t", "scope": [{"key": "ci"}], name: first}, fields=f"id,{name}").json
    assert made[name] == first
    one = f"{path}/{made['id']}"
    assert client.post(one, {name: second}, fields=name).json == {name: second}
    assert client.post(one, {"name": "renamed"}, fields=name).json == {name: second}
    assert name not in client.get(one).json  # Hub has no such field
    assert client.post(one, {name: second[:0]}, fields=name).json == {name: [] if DETAILS[name].is_list else None}


@pytest.mark.parametrize("name", NAMES)
def test_the_rest_api_describes_it(name: str) -> None:
    assert all(name in shape.fields for shape in (PERMANENT_TOKEN, LISTED_TOKEN, CREATED_TOKEN, ROTATED_TOKEN))
    assert {name} <= {*NewToken.__struct_fields__} & {*TokenChange.__struct_fields__}


class TestPages:
    """They are of a person's own token."""

    @pytest.fixture
    def jo(self, scene: Scene) -> Person:
        return person(scene)

    @pytest.fixture
    def cookie(self, jo: Person) -> str:
        return f"__Host-keyturn={jo.attempt().secret}"

    def get(self, route: str, cookie: str, **parameters: str) -> Answer:
        return call("GET", route.format(**parameters), {"cookie": cookie}, route=(route, parameters))

    def submit(self, route: str, cookie: str, page: Answer, values: dict[str, str], **parameters: str) -> Answer:
        headers = {"origin": ADDRESS, "cookie": cookie}
        sent = {**Forms(page.text).fields, "scope": "keyturn", **values}
        return call("POST", route.format(**parameters), headers, sent, (route, parameters))

    def filled_in(self, page: Answer, name: str) -> str:
        """What stands in the form's field of this name."""
        area = re.search(rf'<textarea[^>]* name="{name}"[^>]*>\n([^<]*)</textarea>', page.text)
        return html.unescape(area[1]) if area else Forms(page.text).fields[name]

    @pytest.mark.parametrize("name", NAMES)
    def test_it_is_filled_in_shown_and_changed(self, jo: Person, cookie: str, name: str) -> None:
        user, (first, second) = jo.user.id, examples(name)
        route = f"{SECURITY}/tokens/new"
        dialog = self.get(route, cookie, user=user)
        assert f">{SHOWN[name].label} <" in dialog.text
        assert self.filled_in(dialog, name) == ""
        made = self.submit(route, cookie, dialog, {"name": "new", name: typed(first)}, user=user)
        assert made.status == 200
        (token,) = jo.scene.product.stores.tokens.list(user)
        self.is_shown(cookie, user, token.id, first)
        dialog = self.get(f"{PAGE}/edit", cookie, user=user, token=token.id)
        assert self.filled_in(dialog, name) == typed(first)
        for value in (second, second[:0]):
            dialog = self.get(f"{PAGE}/edit", cookie, user=user, token=token.id)
            sent = {name: typed(value).replace("\n", "\r\n")}  # as browsers send lines
            assert self.submit(f"{PAGE}/edit", cookie, dialog, sent, user=user, token=token.id).status == 303
            self.is_shown(cookie, user, token.id, value)

    def is_shown(self, cookie: str, user: str, token: str, value: str | list[str]) -> None:
        page = self.get(PAGE, cookie, user=user, token=token)
        texts = {html.unescape(text) for text in re.findall(r">([^<>]+)<", page.text)}
        told = {text for name in NAMES for each in examples(name) for text in lines(each)}
        assert texts & told == {*lines(value)}

    def test_a_description_may_have_lines(self, jo: Person, cookie: str) -> None:
        route, text = f"{SECURITY}/tokens/new", "Builds the product.\nAt night."
        dialog = self.get(route, cookie, user=jo.user.id)
        sent = {"name": "new", "description": text.replace("\n", "\r\n")}
        assert self.submit(route, cookie, dialog, sent, user=jo.user.id).status == 200
        (token,) = jo.scene.product.stores.tokens.list(jo.user.id)
        assert token.details.description == text
        dialog = self.get(f"{PAGE}/edit", cookie, user=jo.user.id, token=token.id)
        assert self.filled_in(dialog, "description") == text

    @pytest.mark.parametrize("name", NAMES)
    def test_what_breaks_its_rule_is_told_beside_it(self, jo: Person, cookie: str, name: str) -> None:
        route = f"{SECURITY}/tokens/new"
        dialog = self.get(route, cookie, user=jo.user.id)
        again = self.submit(route, cookie, dialog, {"name": "new", name: "not \0 this"}, user=jo.user.id)
        assert f'id="rule-{name}"' in again.text
        assert '<details class="more" open>' in again.text


def lines(value: str | list[str]) -> list[str]:
    return [each for each in ([value] if isinstance(value, str) else value) if each]


def typed(value: str | list[str]) -> str:
    return "\n".join(lines(value))


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_has_an_option_for_it(name: str) -> None:
    (option,) = (each for each in commands.create_token.params if each.name == name)
    assert option.multiple == DETAILS[name].is_list
    assert name in commands.FIELDS.split(",")
