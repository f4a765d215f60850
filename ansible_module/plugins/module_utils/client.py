# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Speaks the REST contract of JetBrains Hub, with Keyturn or a Hub at the other end."""

from __future__ import annotations

import copy
import json
import random
import time
from urllib.parse import quote, urlencode

from ansible.module_utils.basic import env_fallback
from ansible_collections.keyturn.hub.plugins.module_utils.acting import IDENTITY, FixedToken, NoAnswer, token_of
from ansible_collections.keyturn.hub.plugins.module_utils.refusals import (
    BUSY,
    CONFLICT,
    GATEWAY,
    UNAUTHORIZED,
    Passing,
    RequestRefused,
    refused,
)
from ansible_collections.keyturn.hub.plugins.module_utils.transport import (
    KeptAlive,
    Misconfigured,
    OneByOne,
    Unreachable,
    needs_proxy,
    root,
    wait_of,
)

PAGE = 100
KEY = "Idempotency-Key"
LONGEST_WAIT = 30

CONNECTION_ARGUMENTS = {
    "url": {"type": "str", "required": True, "fallback": (env_fallback, ["KEYTURN_URL"])},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["KEYTURN_TOKEN"])},
    "identity": IDENTITY,
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["KEYTURN_CA_PATH"])},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "use_proxy": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 30},
    "retries": {"type": "int", "default": 3},
}
TLS_ARGUMENTS = ("validate_certs", "ca_path", "client_cert", "client_key", "timeout")


class Client:
    """One account's view of one server. `send` is a transport's; `token` a text, or an `acting.AgentToken`."""

    def __init__(self, url, token, send, retries=3, sleep=time.sleep):
        self._root = _checked(root, url)
        self._token = _checked(FixedToken, token) if isinstance(token, str) else token
        self._send = send
        self._retries = retries
        self._sleep = sleep
        self._foretells = None
        self.changes = 0  # requests that changed something, or may have

    @classmethod
    def from_parameters(cls, parameters, kept_alive=False):
        """A client from the options in `CONNECTION_ARGUMENTS`; a proxy is spoken to by `open_url` alone."""
        url, tls = _checked(root, parameters["url"]), {name: parameters[name] for name in TLS_ARGUMENTS}
        for option, least in (("timeout", 1), ("retries", 0)):
            if parameters[option] < least:
                raise RequestRefused(0, f"must be {least} at least.", option)
        use_proxy = parameters["use_proxy"]
        if kept_alive and not (use_proxy and needs_proxy(url)):
            transport = _checked(KeptAlive, url, **tls)
        else:
            transport = _checked(OneByOne, use_proxy=use_proxy, **tls)
        return cls(parameters["url"], _checked(token_of, parameters), transport.send, parameters["retries"])

    def acting(self, check_mode):
        """What makes changes, or only asks for them in check mode; None where nothing is to be sent."""
        return self.rehearsing() if check_mode else self

    def planning(self):
        """A client like this one that is asked for nothing but what there is."""
        client = copy.copy(self)
        client._foretells = False
        return client

    def rehearsing(self):
        """A client like this one, whose requests change nothing: the server says what it would have answered. None if
        it cannot say so: a Hub, or a Keyturn of before, would make the change."""
        if self._foretells is None:
            try:
                self._foretells = self.describes("dryRun")
            except RequestRefused:
                self._foretells = False
        return Rehearsal(self) if self._foretells else None

    def describes(self, word):
        """Whether the server's own description has this word; a Hub has none. Raises RequestRefused."""
        return word in json.dumps(self.get("openapi.json"))

    def get(self, *path, **query):
        """One thing, or None if there is no such thing."""
        try:
            return self._request("GET", path, query, repeat=True)
        except RequestRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    def get_all(self, collection, *path, **query):
        """All members of a collection, page by page."""
        members = []
        while True:
            page = self._request("GET", path, {**query, "$skip": len(members), "$top": PAGE}, repeat=True)
            members.extend(page[collection])
            if not page[collection] or len(members) >= page.get("total", len(members)):
                return members

    def trail(self, collection, *path, **query):
        """All members of a collection that is read by its `after`."""
        members, after = [], None
        while True:
            more = {"after": after} if after else {}
            page = self._request("GET", path, {**query, **more, "$top": PAGE}, repeat=True)
            members.extend(page[collection])
            after = page.get("after")
            if not after:
                return members

    def set(self, body, *path, **query):
        """Change something to what `body` says, which may be said twice; what the server answers."""
        return self._request("POST", path, query, body, repeat=True)

    def create(self, body, *path, key=None, repeat=False, **query):
        """Make something, once; what the server answers. Raises RequestRefused, perhaps `unknown`.

        `key` stands for this request, whoever sends it again (`Idempotency-Key`). A server that knows such keys makes
        nothing more then, so that it may `repeat`, and answers without the secret of what is there.
        """
        return self._request("POST", path, query, body, repeat, key)

    def made(self, find, body, *path, ours=False, **query):
        """Make something that `find()` finds, or None: whatever is there after an answer that was lost was made.

        `ours`: `find` tells what was made here from what somebody else made, so it is asked after any refusal that
        follows a lost answer, since what was lost may have arrived in between. Where it finds nothing then, nobody
        knows what was made: such a refusal is no race, and no reason to begin anew with another secret.
        """
        lost = False
        for wait in self._waits():
            try:
                return self.create(body, *path, **query)
            except RequestRefused as refusal:
                lost = refusal.unknown or (lost and ours)
                found = find() if lost else None
                if found:
                    return found
                if wait is None or not (refusal.unknown or (lost and refusal.status == CONFLICT)):
                    refusal.outrun = refusal.outrun and not lost
                    raise
                self._sleep(_pause(wait, refusal.wait))
        raise AssertionError("unreachable")

    def delete(self, *path):
        """Remove; what is gone already is as it should be."""
        try:
            self._request("DELETE", path, {}, repeat=True)
        except RequestRefused as refusal:
            if refusal.status != 404:
                raise

    def _waits(self):
        """How long to wait after each attempt, in seconds; None after the last."""
        return [2**attempt * random.uniform(0.5, 1) for attempt in range(self._retries)] + [None]

    def _request(self, method, path, query, body=None, repeat=False, key=None):
        if not all(path):
            raise RequestRefused(0, "a login, id or key is empty.")
        url = "/".join([self._root] + [quote(part, safe="") for part in path])
        if query:
            url += "?" + urlencode(query, safe="$(),")
        data, headers = None, {"Accept": "application/json"}
        if body is not None:
            data = json.dumps(body).encode()
            headers = dict(headers, **{"Content-Type": "application/json"})
        if key is not None:
            headers[KEY] = key
        for wait in self._waits():
            try:
                answer = self._once(method, url, data, headers)
                self.changes += method != "GET" and "dryRun" not in query and path[-1] not in READING
                return answer
            except RequestRefused as refusal:
                refusal.outrun = method != "GET" and refusal.status in (404, CONFLICT)
                self.changes += refusal.unknown and method != "GET"
                raise
            except Passing as passing:
                self.changes += passing.refusal.unknown and method != "GET"
                # A change whose fate is unknown is repeated only where that does no harm.
                if wait is None or (passing.refusal.unknown and not repeat):
                    raise passing.refusal from None
                self._sleep(_pause(wait, passing.refusal.wait))
        raise AssertionError("unreachable")

    def _once(self, method, url, data, headers):
        place = url.split("?")[0]
        try:
            answer = self._authorized(method, url, data, headers)
        except NoAnswer as problem:
            raise RequestRefused(0, str(problem), self._token.option) from None
        except Unreachable as lost:
            message = f"{place} does not answer: {lost}. Check the options url, ca_path, use_proxy and timeout."
            raise Passing(RequestRefused(0, message, unknown=not lost.nothing_done)) from None
        if 300 <= answer.status < 400:
            raise RequestRefused(0, f"{place} answers with a redirect, which is not followed. Check the option url.")
        if answer.status >= 300:
            refusal = refused(answer, self._token.option)
            if answer.status in BUSY + GATEWAY:
                refusal.wait = wait_of(answer)
                raise Passing(refusal)
            raise refusal
        try:
            told = json.loads(answer.body) if answer.body else {}
        except ValueError:
            told = None
        if not isinstance(told, dict):
            message = f"{place} answers, but not with a JSON object. Is the option url right?"
            raise RequestRefused(0, message, unknown=True)
        return told

    def _authorized(self, method, url, data, headers):
        """One request, which is made again where its token is refused and there is another one by now."""
        token = self._token.current()
        answer = self._send(method, url, data, dict(headers, Authorization="Bearer " + token))
        other = self._token.after_refusal(token) if answer.status == UNAUTHORIZED else token
        if other == token:
            return answer
        return self._send(method, url, data, dict(headers, Authorization="Bearer " + other))


def _pause(wait, told):
    """How long to wait, in seconds: as the server has `told`, if it has."""
    return min(wait if told is None else told, LONGEST_WAIT)


READING = ("comparison", "preview")  # what a request to these asks changes nothing


class Rehearsal(Client):
    """Asks for changes without making them (`dryRun=true`): the server validates, authorizes, and may refuse.

    What refers to something that does not exist yet, since an earlier task of the play, or an earlier request, would
    have made it, is not asked.
    """

    def __init__(self, client):
        self.__dict__.update(client.__dict__)

    def create(self, body, *path, **query):
        """What would be made is not there: it has no id, and what hangs on it cannot be asked for."""
        super().create(body, *path, **query)
        return {"id": None}

    def _request(self, method, path, query, body=None, repeat=False, key=None):
        if method == "GET" or path[-1] in READING:
            return super()._request(method, path, query, body, repeat)
        if None in path or _refers_to_nothing(body):
            return {}
        # What hangs on something that is not there cannot be told. Of a repetition nothing is to be feared.
        asked = dict(query, fields="id") if "fields" in query else query
        return super()._request(method, path, dict(asked, dryRun="true"), body, repeat=True)


def _refers_to_nothing(body):
    if isinstance(body, dict):
        return ("id" in body and body["id"] is None) or any(_refers_to_nothing(each) for each in body.values())
    return isinstance(body, list) and any(_refers_to_nothing(each) for each in body)


def _checked(make, *arguments, **options):
    try:
        return make(*arguments, **options)
    except Misconfigured as problem:
        raise RequestRefused(0, str(problem), problem.option) from None
