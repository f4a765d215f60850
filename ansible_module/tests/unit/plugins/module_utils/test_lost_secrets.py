# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that fails says so if something may be there now whose secret nobody has."""

from __future__ import annotations

import json

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import application_passwords, services, webhooks
from ansible_collections.keyturn.hub.plugins.module_utils.client import Client, RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Answer, Unreachable

THERE = {"services": [{"key": "keyturn"}], "webhooks": [], "applicationpasswords": [], "id": "u1"}
OWN = "whsec_Zk3uP1sVh9QyT7rXcB0aLwN5mEoGdJ2fK8iR4tU6xYM="
MODULES = {
    "service": (services, {"key": "ci", "name": "CI"}),
    "webhook": (webhooks, {"name": "ops", "address": "https://a.example/"}),
    "application password": (application_passwords, {"name": "mail"}),
}


def refused(thing, send, **declared):
    """How a task fails that makes this thing, by a line that is `send`."""
    with pytest.raises(RequestRefused) as refusal:
        ensured(thing, send, **declared)
    return str(refusal.value)


def ensured(thing, send, **declared):
    """What such a task returns."""
    module, options = MODULES[thing]
    given = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    client = Client("https://k.example", "t", send, retries=1, sleep=lambda seconds: None)
    return module.ensure(client, dict(given, **dict(options, **declared)), False)


def line(nothing_done=False, back=True):
    """Nothing that changes something is answered; and nothing any more after that unless it comes `back`."""
    lost = []

    def send(method, url, data, headers):
        if method != "GET" or (lost and not back):
            lost.append(url)
            raise Unreachable("timed out", nothing_done or method == "GET")
        if url.partition("?")[0].endswith("/services/ci"):
            return Answer(404, {}, json.dumps({"error": "not_found", "error_description": "x"}).encode())
        return Answer(200, {}, json.dumps(THERE).encode())

    return send


@pytest.mark.parametrize("thing", MODULES)
@pytest.mark.parametrize("back", [True, False])
def test_a_thing_that_may_have_been_made_is_named_with_the_remedy(thing, back):
    message = refused(thing, line(back=back))
    assert "does not answer" in message
    assert f"It is not known whether the {thing} " in message
    assert "nobody has its secret: " in message


@pytest.mark.parametrize("thing", MODULES)
def test_where_nothing_can_have_been_made_nothing_is_said_of_it(thing):
    assert "nobody has its secret" not in refused(thing, line(nothing_done=True))


@pytest.mark.parametrize(("thing", "secret"), [("service", "a1B2c3D4e5F6g7H8i9J0" * 2 + "k1L"), ("webhook", OWN)])
def test_a_secret_that_is_declared_is_not_lost(thing, secret):
    message = refused(thing, line(), secret=secret)
    assert "nobody has its secret" not in message
    assert secret not in message


class Slow:
    """A server that goes on with the first thing that it is to make after it was given up, so that the next attempt
    meets it. It has what `somebody_else` has made instead, if so; and it `shows` what there is, or not yet."""

    def __init__(self, somebody_else=False, shows=True):
        self.somebody_else = somebody_else
        self.shows = shows
        self.made = []

    def send(self, method, url, data, headers):
        place = url.partition("?")[0].partition("/api/rest/")[2]
        body = json.loads(data) if data else {}
        if place.endswith("/comparison"):
            current = not self.somebody_else and body["secret"] == self.made[0]["secret"]
            return said(200, {"current": current})
        if method == "POST":
            self.made.append(body)
            return said(504, {}) if len(self.made) == 1 else said(409, {"error_description": "The name is taken."})
        there = [dict(self.made[0], id="x1", url="", kinds=[])] if len(self.made) > 1 and self.shows else []
        if place == "services/ci":
            return said(200, there[0]) if there else said(404, {})
        return said(200, {"services": [{"key": "keyturn"}], "webhooks": there})


def said(status, body):
    return Answer(status, {}, json.dumps(body).encode())


@pytest.mark.parametrize("thing", ["service", "webhook"])
def test_what_was_made_after_it_was_given_up_is_handed_over_with_its_secret(thing):
    server = Slow()
    result = ensured(thing, server.send)
    assert result["changed"]
    assert server.made[0] == server.made[1]
    assert server.made[0]["secret"] in result["secret"]


@pytest.mark.parametrize("thing", ["service", "webhook"])
def test_what_somebody_else_made_meanwhile_is_read_again(thing):
    with pytest.raises(RequestRefused, match="somebody else made") as refusal:
        ensured(thing, Slow(somebody_else=True).send)
    assert refusal.value.outrun


@pytest.mark.parametrize("thing", ["service", "webhook"])
def test_a_name_that_is_taken_by_nobody_knows_whom_is_told_with_the_remedy(thing):
    message = refused(thing, Slow(shows=False).send)
    assert "The name is taken. It is not known whether" in message
    assert "nobody has its secret: " in message


class Keeper:
    """A server of application passwords that loses its first answer. It carries out what it has lost, or
    `somebody_else` has the name by then. A `keyed` one is a Keyturn: a request with the same key makes nothing, and
    its answer has no secret."""

    def __init__(self, somebody_else=False, keyed=True, described=200):
        self.somebody_else = somebody_else
        self.keyed = keyed
        self.described = described
        self.there = {}  # names by ids
        self.made = {}  # ids by keys
        self.keys = []

    def send(self, method, url, data, headers):
        place = url.partition("?")[0].partition("/api/rest/")[2]
        if place == "openapi.json":
            return said(self.described, {"header": "Idempotency-Key" if self.keyed else ""})
        if method == "DELETE":
            del self.there[place.rpartition("/")[2]]
            return said(200, {})
        if method == "POST":
            self.keys.append(headers.get("Idempotency-Key"))
            return self._post(self.keys[-1], json.loads(data)["name"])
        known = [{"id": id, "name": name} for id, name in self.there.items()]
        return said(200, {"id": "u1", "applicationpasswords": known})

    def _post(self, key, name):
        id = f"p{len(self.keys)}"
        if len(self.keys) == 1:
            self.there[id] = name
            self.made = {} if self.somebody_else else {key: id}
            raise Unreachable("timed out", False)
        if self.keyed and key in self.made:
            return said(200, {"id": self.made[key], "name": name})
        if name in self.there.values():
            return said(409, {"error_description": "The name is taken."})
        self.there[id] = name
        return said(200, {"id": id, "name": name, "password": f"secret-of-{id}"})


@pytest.mark.parametrize("keyed", [True, False])
def test_an_application_password_whose_secret_was_lost_is_deleted_and_made_again(keyed):
    server = Keeper(keyed=keyed)
    result = ensured("application password", server.send)
    assert list(server.there) == [result["application_password"]["id"]] == [f"p{len(server.keys)}"]
    assert result["secret"] == f"secret-of-p{len(server.keys)}"


def test_an_application_password_that_somebody_else_was_given_meanwhile_stays():
    server = Keeper(somebody_else=True)
    with pytest.raises(RequestRefused) as refusal:
        ensured("application password", server.send)
    assert refusal.value.outrun
    assert server.there == {"p1": "mail"}
    assert server.keys[0] == server.keys[1]


def test_an_application_password_stays_where_the_server_does_not_say_what_it_is():
    server = Keeper(described=403)
    assert "nobody has its secret: " in refused("application password", server.send)
    assert server.there == {"p1": "mail"}
