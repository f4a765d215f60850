# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's client against a server that misbehaves on purpose, by both ways of travelling."""

from __future__ import annotations

import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils.client import Client, RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.transport import KeptAlive, OneByOne


class Scripted:
    """A real HTTP server that gives prepared answers in order, and keeps what it was asked."""

    def __init__(self):
        self.answers = []
        self.asked = []
        self.authorizations = []
        self.connections = 0
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                scripted.connections += 1

            def _answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                scripted.asked.append((self.command, self.path, body))
                scripted.authorizations.append(self.headers.get("Authorization"))
                status, headers, text = scripted.answers.pop(0)
                if status == 0:
                    self.close_connection = True
                    return  # hang up without a word
                self.send_response(status)
                for name, value in dict({"Content-Length": str(len(text))}, **headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hub/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def waits():
    return []


@pytest.fixture(params=["one by one", "kept alive"])
def client(request, server, waits):
    transport = OneByOne(timeout=5) if request.param == "one by one" else KeptAlive(server.url, timeout=5)
    return Client(server.url, "a-token", transport.send, sleep=waits.append)


def said(status, body, **headers):
    return status, headers, json.dumps(body).encode()


BUSY = said(503, {}, **{"Retry-After": "7"})
LOST = (0, {}, b"")


def test_a_base_with_a_path_is_kept_and_parts_of_paths_are_quoted(client, server):
    server.answers = [said(200, {"id": 1})]
    assert client.get("users", "a/b@c", fields="id,scope(id)") == {"id": 1}
    assert server.asked[0][:2] == ("GET", "/hub/api/rest/users/a%2Fb%40c?fields=id,scope(id)")


def test_a_collection_is_read_page_by_page(client, server):
    server.answers = [said(200, {"total": 3, "users": [1, 2]}), said(200, {"total": 3, "users": [3]})]
    assert client.get_all("users", "users") == [1, 2, 3]
    assert "$skip=2" in server.asked[1][1]


def test_a_collection_that_shrinks_meanwhile_ends(client, server):
    server.answers = [said(200, {"total": 3, "users": [1]}), said(200, {"total": 3, "users": []})]
    assert client.get_all("users", "users") == [1]


def test_a_trail_is_followed_to_its_end(client, server):
    server.answers = [said(200, {"things": [1], "after": "x"}), said(200, {"things": [2], "after": None})]
    assert client.trail("things", "things", label="a") == [1, 2]
    assert "after=x" in server.asked[1][1]


def test_reading_is_repeated_when_an_answer_is_lost_or_the_server_is_busy(client, server, waits):
    server.answers = [BUSY, LOST, said(502, {}), said(200, {"id": 1})]
    assert client.get("users", "x") == {"id": 1}
    assert waits[0] == 7
    assert 1 <= waits[1] <= 2 <= waits[2] <= 4


def test_making_something_is_repeated_only_when_the_server_says_that_it_did_nothing(client, server, waits):
    server.answers = [said(429, {}, **{"Retry-After": "1"}), said(200, {"id": 1})]
    assert client.create({}, "users") == {"id": 1}
    assert waits == [1]


@pytest.mark.parametrize("unknown", [LOST, said(500, {}), BUSY, said(504, {}), (200, {}, b"<html>")])
def test_making_something_whose_fate_is_unknown_is_not_repeated(client, server, unknown):
    server.answers = [unknown, said(200, {"id": 1})]
    with pytest.raises(RequestRefused) as refusal:
        client.create({}, "users")
    assert refusal.value.unknown
    assert len(server.asked) == 1


def test_what_is_there_after_an_answer_was_lost_was_made(client, server):
    server.answers = [LOST, said(200, {"id": 1})]
    assert client.made(lambda: client.get("users", "x"), {}, "users") == {"id": 1}
    assert [method for method, _path, _body in server.asked] == ["POST", "GET"]


def test_what_is_not_there_after_an_answer_was_lost_is_made_again(client, server):
    server.answers = [LOST, said(404, {}), said(200, {"id": 2})]
    assert client.made(lambda: client.get("users", "x"), {}, "users") == {"id": 2}
    assert [method for method, _path, _body in server.asked] == ["POST", "GET", "POST"]


TAKEN = said(409, {"error_description": "taken", "error_field": "name"})


@pytest.mark.parametrize("refusal", [TAKEN, said(400, {}), BUSY])
def test_what_was_made_late_is_found_whatever_is_said_of_the_next_attempt(client, server, refusal):
    server.answers = [said(504, {}), said(404, {}), refusal, said(200, {"id": 1})]
    assert client.made(lambda: client.get("users", "x"), {}, "users", ours=True) == {"id": 1}
    assert [method for method, _path, _body in server.asked] == ["POST", "GET", "POST", "GET"]


def test_what_is_taken_and_not_to_be_seen_yet_is_looked_for_again(client, server, waits):
    server.answers = [LOST, said(404, {}), TAKEN, said(404, {}), TAKEN, said(200, {"id": 1})]
    assert client.made(lambda: client.get("users", "x"), {}, "users", ours=True) == {"id": 1}
    assert len(waits) == 2


def test_a_refusal_after_a_lost_answer_is_no_race_that_is_run_again(client, server):
    """Whoever begins anew would make another secret, and find the thing that this one may have made."""
    server.answers = [LOST, *[said(404, {}), TAKEN] * 3, said(404, {})]
    with pytest.raises(RequestRefused, match="taken") as refusal:
        client.made(lambda: client.get("users", "x"), {}, "users", ours=True)
    assert not refusal.value.outrun


def test_where_nothing_is_told_from_what_others_make_a_race_is_run_again(client, server):
    server.answers = [LOST, said(404, {}), TAKEN]
    with pytest.raises(RequestRefused, match="taken") as refusal:
        client.made(lambda: client.get("users", "x"), {}, "users")
    assert refusal.value.outrun


def test_what_says_when_to_come_again_is_asked_then(client, server, waits):
    server.answers = [BUSY, said(404, {}), said(200, {"id": 2})]
    assert client.made(lambda: client.get("users", "x"), {}, "users") == {"id": 2}
    assert waits == [7]


def test_what_is_refused_is_not_looked_for(client, server):
    server.answers = [said(409, {"error_description": "taken", "error_field": "name"})]
    with pytest.raises(RequestRefused, match="taken"):
        client.made(lambda: pytest.fail("looked for"), {}, "users")


def test_setting_something_may_be_said_twice(client, server):
    server.answers = [LOST, said(504, {}), said(200, {"id": 1})]
    assert client.set({"name": "x"}, "users", "1") == {"id": 1}


def test_patience_ends(client, server, waits):
    server.answers = [said(503, {}, **{"Retry-After": "9999"})] * 4
    with pytest.raises(RequestRefused, match="503"):
        client.get("users", "x")
    assert waits == [30, 30, 30]


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (said(409, {"error_description": "taken", "error_field": "name"}), 409, "taken"),
        (said(401, {"error_description": "bad."}), 401, "bad. Check the option token."),
        ((500, {}, b"<html>"), 500, "the server answers 500"),
        ((200, {}, b"<html>"), 0, "not with a JSON object"),
        ((200, {}, b"[1]"), 0, "not with a JSON object"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), 0, "redirect"),
    ],
)
def test_refusals_are_told_in_the_servers_words(client, server, answer, status, message):
    server.answers = [answer]
    with pytest.raises(RequestRefused) as refusal:
        client.create({}, "users")
    assert refusal.value.status == status
    assert message in str(refusal.value)


@pytest.mark.parametrize("call", ["get", "delete"])
def test_what_is_not_there_is_no_error(client, server, call):
    server.answers = [said(404, {"error_description": "none"})]
    assert getattr(client, call)("users", "x") is None


def test_no_message_holds_the_token(client, server):
    server.answers = [said(403, {})]
    with pytest.raises(RequestRefused) as refusal:
        client.create({}, "users")
    assert "a-token" not in str(refusal.value)


def test_a_connection_is_kept_for_many_requests(server):
    server.answers = [said(200, {"id": 1})] * 20
    client = Client(server.url, "a-token", KeptAlive(server.url, timeout=5).send)
    for _number in range(20):
        client.get("users", "x")
    assert server.connections == 1


def test_an_address_where_nobody_listens_is_said_with_the_remedy(waits):
    client = Client("http://127.0.0.1:1", "a-token", KeptAlive("http://127.0.0.1:1").send, sleep=waits.append)
    with pytest.raises(RequestRefused, match="Check the options url"):
        client.create({}, "users")
    assert len(waits) == 3  # nothing can have been made, so it may be tried again


@pytest.mark.parametrize("url", ["{}", "{}/", "{}/api/rest", " {}/api/rest/\n"])
def test_an_address_is_taken_with_or_without_the_path_of_the_api(server, url):
    server.answers = [said(200, {"id": 1})]
    address = url.format(server.url.rstrip("/"))
    client = Client(address, "a-token", OneByOne(timeout=5).send)
    client.get("users", "x")
    assert server.asked[0][1] == "/hub/api/rest/users/x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tokens.example.com",
        "ftp://tokens.example.com",
        "https://",
        "https://a:b",
        "https://[::1",
        "https://a b",
        "https://jo:secret@tokens.example.com",
        "https://tokens.example.com?x=1",
    ],
)
def test_an_address_that_is_none_is_refused_with_what_one_is(url):
    with pytest.raises(RequestRefused) as refusal:
        Client(url, "a-token", None)
    assert refusal.value.field == "url"
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("token", ["a-token", " a-token", "a-token\n", "\ta-token \r\n"])
def test_a_token_is_sent_without_what_stands_around_it(server, token):
    server.answers = [said(200, {"id": 1})]
    Client(server.url, token, OneByOne(timeout=5).send).get("users", "x")
    assert server.authorizations == ["Bearer a-token"]


@pytest.mark.parametrize("token", ["", "\n", "a token", "a\ntoken", "tok\u0119n", "tok\u00e9n"])
def test_what_cannot_be_a_token_is_refused_without_being_told(token):
    with pytest.raises(RequestRefused) as refusal:
        Client("https://tokens.example.com", token, None)
    assert refusal.value.field == "token"
    assert "tok" not in str(refusal.value).replace("token", "")


def test_the_token_goes_nowhere_else_and_no_netrc_takes_its_place(server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jo password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers = [said(200, {"id": 1}), (307, {"Location": server.url + "elsewhere"}, b"")]
    client = Client(server.url, "a-token", OneByOne(timeout=5).send)
    client.get("users", "x")
    with pytest.raises(RequestRefused, match="redirect"):
        client.get("users", "x")
    assert server.authorizations == ["Bearer a-token"] * 2


def test_a_wait_until_a_date_is_kept(client, server, waits):
    server.answers = [
        said(503, {}, **{"Retry-After": formatdate(time.time() + 20, usegmt=True)}),
        said(503, {}, **{"Retry-After": formatdate(time.time() - 20, usegmt=True)}),
        said(503, {}, **{"Retry-After": "some day"}),
        said(200, {"id": 1}),
    ]
    client.get("users", "x")
    assert 17 <= waits[0] <= 20
    assert waits[1] == 0
    assert 2 <= waits[2] <= 4


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
@pytest.mark.parametrize("kept_alive", [True, False])
def test_files_that_are_not_there_are_named(option, kept_alive, tmp_path):
    parameters = {"validate_certs": True, "ca_path": None, "client_cert": None, "client_key": None, "timeout": 5}
    parameters.update({"url": "https://tokens.example.com", "token": "a-token", "use_proxy": False, "retries": 0})
    parameters[option] = str(tmp_path / "missing.pem")
    with pytest.raises(RequestRefused, match=r"missing\.pem cannot be read: No such file") as refusal:
        Client.from_parameters(parameters, kept_alive)
    assert refusal.value.field == option


def test_a_file_that_holds_no_certificates_is_said(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(RequestRefused, match="no PEM file") as refusal:
        Client.from_parameters(
            {
                **{"url": "https://tokens.example.com", "token": "a-token", "use_proxy": False, "retries": 0},
                **{"validate_certs": True, "client_cert": None, "client_key": None, "timeout": 5},
                "ca_path": str(tmp_path / "ca.pem"),
            }
        )
    assert refusal.value.field == "ca_path"


def test_nothing_is_asked_for_a_thing_without_a_name(client, server):
    with pytest.raises(RequestRefused, match="is empty"):
        client.get("users", "")
    assert server.asked == []


DESCRIPTION = said(200, {"components": {"parameters": {"dryRun": {}}}})


def test_a_rehearsal_asks_for_every_change_with_the_word_that_nothing_is_to_be_done(client, server):
    server.answers = [DESCRIPTION, said(200, {"id": 1}), LOST, said(200, {}), said(200, {})]
    rehearsal = client.acting(True)
    assert rehearsal.create({"name": "x"}, "users", fields="id") == {"id": None}
    rehearsal.set({"name": "y"}, "users", "1")
    rehearsal.delete("users", "1")
    assert [path.split("?")[1] for _method, path, _body in server.asked[1:]] == ["fields=id&dryRun=true"] + [
        "dryRun=true"
    ] * 3
    assert client.changes == 0


def test_a_rehearsal_tells_what_would_be_refused(client, server):
    server.answers = [DESCRIPTION, said(409, {"error_description": "taken", "error_field": "name"})]
    with pytest.raises(RequestRefused, match="taken"):
        client.acting(True).create({"name": "x"}, "users")


@pytest.mark.parametrize("answer", [said(404, {}), said(200, {"paths": {}})])
def test_a_server_that_would_do_it_is_not_asked(client, server, answer):
    server.answers = [answer]
    assert client.acting(True) is None
    assert client.acting(True) is None
    assert len(server.asked) == 1


def test_a_rehearsal_does_not_ask_about_what_an_earlier_task_would_have_made(client, server):
    server.answers = [DESCRIPTION]
    rehearsal = client.acting(True)
    rehearsal.set({"scope": [{"id": None}]}, "users", "1")
    rehearsal.set({"name": "x"}, "users", None)
    rehearsal.delete("users", None)
    assert len(server.asked) == 1


def test_a_comparison_changes_nothing_and_is_asked_in_earnest(client, server):
    server.answers = [DESCRIPTION, said(200, {"current": True})]
    assert client.acting(True).set({"secret": "x"}, "tokens", "1", "comparison") == {"current": True}
    assert "dryRun" not in server.asked[1][1]


def test_a_planner_asks_for_no_change_at_all(client, server):
    assert client.planning().acting(True) is None
    assert server.asked == []


@pytest.mark.parametrize("status", [404, 409])
def test_a_change_that_others_may_have_been_faster_with_is_told_apart(client, server, status):
    server.answers = [said(status, {"error_description": "taken"}), said(400, {"error_description": "bad"})]
    with pytest.raises(RequestRefused) as refusal:
        client.create({}, "users")
    assert refusal.value.outrun
    with pytest.raises(RequestRefused) as refusal:
        client.create({}, "users")
    assert not refusal.value.outrun
