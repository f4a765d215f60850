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
    module, said = MODULES[thing]
    options = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    client = Client("https://k.example", "t", send, retries=1, sleep=lambda seconds: None)
    with pytest.raises(RequestRefused) as refusal:
        module.ensure(client, dict(options, **dict(said, **declared)), False)
    return str(refusal.value)


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
