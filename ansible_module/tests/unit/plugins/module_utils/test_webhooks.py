# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks: what a task asks the server for, and what a lost answer costs."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import webhooks
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

OWN = "whsec_Zk3uP1sVh9QyT7rXcB0aLwN5mEoGdJ2fK8iR4tU6xYM="
HOOK = {"id": "w1", "name": "ops", "url": "https://a.example/", "kinds": []}


class Server:
    """In place of a client: one webhook, or none, and all that was asked of it."""

    def __init__(self, *there, secret=None, lost=False):
        self.there = list(there)
        self.secret = secret
        self.lost = lost
        self.said = []

    def get_all(self, *path, **query):
        return self.there

    def set(self, body, *path, **query):
        if path[-1] == "comparison":
            return {"current": body["secret"] == self.secret}
        self.said.append((path, body))
        self.secret = body.get("secret", self.secret)
        return {}

    def made(self, find, body, *path, **query):
        self.said.append((path, body))
        self.secret = body["secret"]
        if self.lost:
            self.there.append(HOOK)
            return find()
        return {"id": "w1"}

    def acting(self, check_mode):
        return None if check_mode else self

    def delete(self, *path):
        self.said.append((path, None))


def ensure(server, check_mode=False, **options):
    whole = dict({name: option.get("default") for name, option in webhooks.ARGUMENTS.items()}, name="ops", **options)
    return webhooks.ensure(server, whole, check_mode)


def test_the_secret_is_made_here_so_that_a_lost_answer_costs_nothing():
    for lost in (False, True):
        server = Server(lost=lost)
        result = ensure(server, address="https://a.example/")
        ((path, body),) = server.said
        assert path == ("webhooks",)
        assert body == {"name": "ops", "url": "https://a.example/", "secret": result["secret"]}
        assert len(base64.b64decode(result["secret"].removeprefix("whsec_"))) == 32


def test_what_somebody_else_made_meanwhile_is_left_alone_and_read_again():
    def lost_to_somebody_else(find, body, *path, **query):
        server.there.append(HOOK)
        return find()

    server = Server()
    server.made = lost_to_somebody_else
    with pytest.raises(RequestRefused, match="somebody else") as refusal:
        ensure(server, address="https://a.example/")
    assert refusal.value.outrun
    assert server.said == []


def test_one_that_is_declared_is_not_returned():
    server = Server()
    assert "secret" not in ensure(server, address="https://a.example/", secret=OWN)
    assert server.secret == OWN


@pytest.mark.parametrize(("grace", "said"), [(None, 86_400), ("2h", 7_200), ("0", 0)])
def test_another_one_is_renewed_with_grace(grace, said):
    server = Server(HOOK)
    result = ensure(server, secret=OWN, grace=grace)
    assert server.said == [(("webhooks", "w1", "secret"), {"secret": OWN, "grace": said})]
    assert (result["changed"], "secret" in result) == (True, False)
    assert OWN not in str(result)


def test_the_same_one_changes_nothing():
    server = Server(HOOK, secret=OWN)
    assert not ensure(server, secret=OWN)["changed"]
    assert server.said == []


def test_check_mode_compares_and_changes_nothing():
    server = Server(HOOK)
    foretold = ensure(server, True, secret=OWN, address="https://b.example/")
    assert server.said == []
    assert foretold["changed"]
    assert foretold["diff"] == ensure(server, secret=OWN, address="https://b.example/")["diff"]


def test_a_name_in_other_case_is_the_same_one_unless_an_older_server_has_both():
    assert not ensure(Server(dict(HOOK, name="Ops")), address=HOOK["url"])["changed"]
    server = Server(dict(HOOK, id="w2", name="OPS", url="https://b.example/"), HOOK)
    assert not ensure(server, address=HOOK["url"])["changed"]
    assert server.said == []


def test_the_order_of_events_is_no_change():
    there = dict(HOOK, kinds=["permanent-token.leaked", "permanent-token.revoked"])
    assert not ensure(Server(there), events=["permanent-token.revoked", "permanent-token.leaked"])["changed"]
    server = Server(there)
    assert ensure(server, events=[])["changed"]
    assert server.said == [(("webhooks", "w1"), {"kinds": []})]


def test_what_is_wrong_names_the_option():
    for server, options, field in (
        (Server(), {}, "address"),
        (Server(HOOK, dict(HOOK, id="w2")), {}, "name"),
        (Server(HOOK), {"secret": OWN, "grace": "soon"}, "grace"),
    ):
        with pytest.raises(RequestRefused) as refusal:
            ensure(server, **options)
        assert refusal.value.field == field
        assert server.said == []
