# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions: one login for a while, another one in time, none at the end."""

from __future__ import annotations

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils.acting import ANSWER_SECONDS, fingerprint
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Unreachable
from ansible_collections.keyturn.hub.plugins.plugin_utils.agents import START_SECONDS
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_tokens import (
    AWS_ATTEMPTS,
    AWS_CALLS,
    PLATFORM_SECONDS,
)
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import (
    ENDPOINT_SECONDS,
    NoSession,
    Session,
    TokenEndpoint,
)

TRADE, REVOKE = "/oauth2/token", "/oauth2/revoke"


class Clock:
    """What time it is, in seconds."""

    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def session(server, identity, clock):
    endpoint = TokenEndpoint({"url": server.url + "/api/rest/", "timeout": 5}, sleep=lambda _seconds: None)
    return Session(endpoint, identity, clock)


def refuse(server, status, **told):
    server.answers["/api/rest" + TRADE] = lambda _form: (status, told)


def test_an_identity_token_is_traded_for_keyturn_itself(session, server):
    assert session.token() == "access-1"
    (form,) = server.forms(TRADE)
    assert form.pop("assertion").startswith("header.")
    assert form == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "account": "bot",
        "scope": "0-0-0-0-0",
    }


def test_it_is_renewed_a_minute_before_its_end_and_not_before(session, clock):
    assert session.token() == session.token() == "access-1"
    clock.now += 239
    assert session.token() == "access-1"
    clock.now += 2
    assert session.token() == session.token() == "access-2"


def test_it_is_renewed_where_the_server_refuses_it_once(session):
    first = session.token()
    assert session.token(refused=fingerprint(first)) == "access-2"
    assert session.token(refused=fingerprint(first)) == "access-2"  # another host was told of it as well


def test_what_there_is_goes_on_where_it_cannot_be_renewed_yet(session, server, clock):
    session.token()
    clock.now += 250
    refuse(server, 400, error="invalid_grant", error_description="No.")
    assert session.token() == session.token() == "access-1"
    assert len(server.forms(TRADE)) == 2  # the second refusal is remembered
    clock.now += 46
    with pytest.raises(NoSession, match=r"source variable, account bot, audience http://.*: No\. A trust rule"):
        session.token()
    del server.answers["/api/rest" + TRADE]
    clock.now += 6
    assert session.token() == "access-2"


@pytest.mark.parametrize(
    ("status", "told", "message"),
    [
        (400, {"error": "invalid_scope", "error_description": "No."}, "must have Keyturn itself in its scope."),
        (500, {}, "the server answers 500."),
        (200, {"access_token": None, "expires_in": "soon"}, "the server answers 200."),
        (503, {"error": "busy"}, "busy"),
        (400, {"error": ["invalid_grant"]}, "['invalid_grant']"),
        (400, {"error": {"a": "b"}, "error_description": 7}, "7"),
        (200, {"access_token": "good", "expires_in": float("nan")}, "the server answers 200."),
        (200, {"access_token": "good", "expires_in": 10**400}, "the server answers 200."),
        (200, {"access_token": ["good"], "expires_in": 300}, "the server answers 200."),
        (200, {"access_token": "no\nheader", "expires_in": 300}, "the server answers 200."),
    ],
)
def test_what_the_server_says_is_said(session, server, status, told, message):
    refuse(server, status, **told)
    with pytest.raises(NoSession) as refused:
        session.token()
    assert message in str(refused.value)
    assert refused.value.option == "identity"
    assert len(server.forms(TRADE)) == (4 if status == 503 else 1)


def test_a_login_has_its_time_whatever_the_timeout_of_a_task_and_is_not_repeated_after_it(server):
    """Each attempt has what is left at most, and no more than the task says; a pause takes from it too."""
    now, given = [0.0], []

    class Slow:
        def send(self, _method, _url, _body, _headers, timeout):
            given.append(timeout)
            now[0] += 20
            raise Unreachable("timed out", False)

    def asked(timeout, seconds):
        now[0], given[:] = 0.0, []
        endpoint = TokenEndpoint({"url": server.url, "timeout": timeout}, 3, lambda _s: None, seconds, lambda: now[0])
        endpoint._transport = Slow()
        with pytest.raises(NoSession, match="does not answer: timed out"):
            endpoint.ask({})
        return given

    assert asked(120, 45) == [45, 25, 5]
    assert asked(30, 45) == [30, 25, 5]
    assert asked(120, None) == [120] * 4


def test_whoever_asks_waits_longer_than_the_agent_can_take():
    """An attempt may take its time twice, to connect and to answer; a platform, what it is given."""
    longest = 2 * ENDPOINT_SECONDS + AWS_CALLS * AWS_ATTEMPTS * 2 * PLATFORM_SECONDS
    assert longest < ANSWER_SECONDS < START_SECONDS


def test_an_identity_token_that_the_server_repeats_is_not_said(session, server):
    server.answers["/api/rest" + TRADE] = lambda form: (400, {"error": "x", "error_description": form["assertion"]})
    with pytest.raises(NoSession) as refused:
        session.token()
    assert server.forms(TRADE)[0]["assertion"] not in str(refused.value)


def test_at_the_end_all_that_may_be_good_is_revoked(session, server, clock):
    for _each in range(4):
        session.token()
        clock.now += 250
    session.end()
    assert [form["token"] for form in server.forms(REVOKE)] == ["access-4", "access-3", "access-2"]
    session.end()
    assert len(server.forms(REVOKE)) == 3


def test_what_could_not_be_revoked_is_tried_again(session, server):
    session.token()
    server.answers["/api/rest" + REVOKE] = lambda _form: (500, {})
    with pytest.raises(NoSession, match="500"):
        session.end()
    del server.answers["/api/rest" + REVOKE]
    session.end()
    assert [form["token"] for form in server.forms(REVOKE)] == ["access-1"] * 2


@pytest.mark.parametrize(("options", "named"), [({"url": "nowhere"}, "url"), ({"ca_path": "/no/such"}, "ca_path")])
def test_a_connection_that_makes_no_sense_is_named(server, options, named):
    with pytest.raises(NoSession) as refused:
        TokenEndpoint({"url": server.url, **options})
    assert refused.value.option == named
