# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Changes of accounts and tokens that many threads send at the same time travel together (`POST /batch`), and so do dry
runs of them.

Whoever sends one waits for its own answer, as if it had travelled alone: what is retried, and how, is the client's
affair. A server that knows no batches gets every change by itself.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.keyturn.hub.plugins.module_utils.transport import Answer, Unreachable

TOGETHER = 12  # changes in one request: one after the other, they take about a second
MAX_BODY = 60 * 1024
PATH = re.compile(r"/users(/[^/]+(/permanenttokens(/[^/]+(/(rotate|takeback))?)?)?)?")
DRY_RUN = "dryRun"
NOT_TAKEN = (400, 404, 405, 413)  # the server knows no batches, or not this one


def batched(client, lanes):
    """The same client; `lanes` requests travel at a time."""
    found = copy.copy(client)
    found._send = Batches(client._send, client._root, lanes).send
    return found


class Batches:
    """A transport's `send` on top of another one."""

    def __init__(self, send, root, lanes):
        self._send = send
        self._root = root
        self._lanes = ThreadPoolExecutor(max_workers=lanes)
        self._lock = threading.Lock()
        self._waiting = []
        self._offered = True

    def send(self, method, url, body, headers):
        """One request; its `Answer`, also a refusal. Raises as the transport below."""
        change = self._change(method, url, body, headers) if self._offered else None
        if change is None:
            return self._lanes.submit(self._send, method, url, body, headers).result()
        waiting = _Waiting(change, change.pop(DRY_RUN, None), (method, url, body, headers))
        self._enqueue([waiting])
        return waiting.answer.result()

    def _change(self, method, url, body, headers):
        """As a part of a batch; None for what no batch takes."""
        place = urlsplit(url[len(self._root) :])
        query = dict(parse_qsl(place.query, keep_blank_values=True))
        if method not in ("POST", "DELETE") or not PATH.fullmatch(place.path) or set(query) - {"fields", DRY_RUN}:
            return None
        if body is not None and len(body) > MAX_BODY:
            return None
        change = dict({"method": method, "path": place.path}, **query)
        if body is not None:
            change["body"] = json.loads(body)
        if "Idempotency-Key" in headers:
            change["idempotencyKey"] = headers["Idempotency-Key"]
        return change

    def _enqueue(self, changes):
        with self._lock:
            self._waiting += changes
        for _change in changes:  # whichever lane is free first takes what is waiting by then
            self._lanes.submit(self._next)

    def _next(self):
        with self._lock:
            # All of a batch are dry runs, or none is.
            fitting = [each for each in self._waiting if each.dry_run == self._waiting[0].dry_run]
            taken = fitting[:TOGETHER]
            self._waiting = [each for each in self._waiting if each not in taken]
        if not taken:
            return
        try:
            if len(taken) == 1 or not self._offered:
                self._alone(taken)
            else:
                self._together(taken)
        except BaseException as error:  # whoever waits has to be told, whatever it is
            for waiting in taken:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)

    def _alone(self, taken):
        for waiting in taken:
            waiting.answer.set_result(self._send(*waiting.request))

    def _together(self, taken):
        body = json.dumps({"changes": [waiting.change for waiting in taken]}).encode()
        headers = {name: text for name, text in taken[0].request[3].items() if name != "Idempotency-Key"}
        headers["Content-Type"] = "application/json"
        query = "" if taken[0].dry_run is None else f"?{DRY_RUN}={taken[0].dry_run}"
        answer = self._send("POST", f"{self._root}/batch{query}", body, headers)
        if answer.status in NOT_TAKEN:
            self._offered = False
            self._alone(taken)
        elif answer.status >= 300:
            for waiting in taken:
                waiting.answer.set_result(answer)
        else:
            self._distribute(taken, answer)

    def _distribute(self, taken, answer):
        try:
            answers = [_answer(each) for each in json.loads(answer.body)["answers"]]
        except (ValueError, KeyError, TypeError):
            answers = []
        if len(answers) != len(taken):  # something in between has answered: nobody knows
            raise Unreachable("the answer to a batch makes no sense", False)
        left = []
        for index, waiting in enumerate(taken):
            if answers[index] is None:
                left.append(waiting)
            else:
                waiting.answer.set_result(answers[index])
        self._enqueue(left)


def _answer(each):
    """What became of one change; None if it was not tried."""
    return Answer(each["status"], {}, json.dumps(each["body"]).encode()) if each["tried"] else None


class _Waiting:
    """A change, the request that it would be alone, and its answer to come."""

    def __init__(self, change, dry_run, request):
        self.change = change
        self.dry_run = dry_run
        self.request = request
        self.answer = Future()
