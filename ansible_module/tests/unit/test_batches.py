# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils.batches import Batches
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Answer, Unreachable

ROOT = "https://keyturn.example.com/api/rest"
HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}


class Server:
    """Answers what it is asked with the path; the first request waits until others are waiting too."""

    def __init__(self, batch=None):
        self.asked = []
        self.batch = batch or self.carry_out
        self.gate = threading.Event()

    def carry_out(self, changes):
        answers = [{"tried": True, "status": 200, "body": {"was": each["path"]}} for each in changes]
        return Answer(200, {}, json.dumps({"answers": answers}).encode())

    def send(self, method, url, body, headers):
        self.asked.append((method, url[len(ROOT) :], headers))
        self.gate.wait(10)
        if url.startswith(ROOT + "/batch"):
            return self.batch(json.loads(body)["changes"])
        return Answer(200, {}, json.dumps({"was": url[len(ROOT) :]}).encode())


def sent(server, *requests):
    """The answers to requests of as many threads; all but the first wait while that is on its way."""
    batches = Batches(server.send, ROOT, 1)

    def one(request):
        method, path, body = request
        return batches.send(method, ROOT + path, None if body is None else json.dumps(body).encode(), HEADERS)

    with ThreadPoolExecutor(max_workers=len(requests)) as pool:
        futures = [pool.submit(one, requests[0])]
        while not server.asked:
            pass
        futures += [pool.submit(one, request) for request in requests[1:]]
        while len(batches._waiting) < sum(request[0] != "GET" for request in requests[1:]):
            pass
        server.gate.set()
        return [future.result(10) for future in futures]


def paths(answers):
    return [json.loads(answer.body)["was"] for answer in answers]


def changes(count):
    return [("POST", f"/users/{number}/permanenttokens", {"name": "n"}) for number in range(count)]


def test_what_waits_travels_together_and_each_gets_its_own_answer():
    server = Server()
    assert paths(sent(server, *changes(6))) == [path for _method, path, _body in changes(6)]
    assert [path for _method, path, _headers in server.asked] == ["/users/0/permanenttokens", "/batch"]


def test_dry_runs_travel_together_and_never_with_changes():
    server = Server()
    dry = [(method, f"{path}?dryRun=true", body) for method, path, body in changes(4)]
    wet = [("DELETE", "/users/a", None), ("DELETE", "/users/b", None)]
    said = paths(sent(server, *changes(1), *dry, *wet))
    assert said == [path.partition("?")[0] for _method, path, _body in (*changes(1), *dry, *wet)]
    asked = [path for _method, path, _headers in server.asked]
    assert sorted(asked[1:]) == ["/batch", "/batch?dryRun=true"]


def test_no_more_than_a_dozen_do():
    server = Server()
    assert len(sent(server, *changes(30))) == 30
    assert [path for _method, path, _headers in server.asked][1:] == ["/batch"] * 3


def test_what_is_no_change_of_an_account_or_token_travels_alone():
    server = Server()
    others = [
        ("POST", "/users/a/permanenttokens/b/comparison", {"secret": "x"}),
        ("POST", "/users?verbose=true", {"login": "x"}),
        ("POST", "/users/a/trustrules", {}),
    ]
    batches = Batches(server.send, ROOT, 1)
    server.gate.set()
    for method, path, body in others:
        batches.send(method, ROOT + path, json.dumps(body).encode(), HEADERS)
    assert [path for _method, path, _headers in server.asked] == [path for _method, path, _body in others]


def test_what_was_not_tried_is_sent_again():
    server, rounds = Server(), []

    def batch(asked):
        rounds.append(len(asked))
        tried = json.loads(server.carry_out(asked).body)["answers"]
        untried = [{"tried": False, "status": None, "body": None} for _each in tried[2:]]
        return Answer(200, {}, json.dumps({"answers": tried[:2] + untried}).encode())

    server.batch = batch
    assert paths(sent(server, *changes(6))) == [path for _method, path, _body in changes(6)]
    assert rounds == [5, 3]  # and the last one alone


@pytest.mark.parametrize("status", [404, 405, 413])
def test_a_server_without_batches_gets_every_change_by_itself(status):
    server = Server(lambda asked: Answer(status, {}, b"{}"))
    assert paths(sent(server, *changes(4))) == [path for _method, path, _body in changes(4)]
    assert len(server.asked) == 5


@pytest.mark.parametrize("status", [401, 429, 503, 502])
def test_what_the_server_says_of_all_is_said_to_each(status):
    server = Server(lambda asked: Answer(status, {"Retry-After": "1"}, b"{}"))
    answers = sent(server, *changes(4))
    assert [answer.status for answer in answers] == [200] + [status] * 3
    assert answers[1].headers["Retry-After"] == "1"


def test_a_lost_answer_is_lost_to_each():
    def lost(asked):
        raise Unreachable("gone", False)

    server = Server(lost)
    with pytest.raises(Unreachable):
        sent(server, *changes(3))


def test_a_refusal_of_one_is_its_own():
    server = Server()

    def batch(asked):
        answers = json.loads(server.carry_out(asked).body)["answers"]
        answers[0] = {"tried": True, "status": 409, "body": {"error_description": "taken"}}
        return Answer(200, {}, json.dumps({"answers": answers}).encode())

    server.batch = batch
    assert sorted(answer.status for answer in sent(server, *changes(4))) == [200, 200, 200, 409]
