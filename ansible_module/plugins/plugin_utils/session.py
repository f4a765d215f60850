# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions by identity: an identity token is traded for an access token, again and again, and given back at the end."""

from __future__ import annotations

import json
import math
import random
import time
from urllib.parse import urlencode

from ansible_collections.keyturn.hub.plugins.module_utils.acting import TOKEN_FORM, fingerprint
from ansible_collections.keyturn.hub.plugins.module_utils.client import BUSY, GATEWAY
from ansible_collections.keyturn.hub.plugins.module_utils.transport import (
    API,
    Misconfigured,
    OneByOne,
    Unreachable,
    root,
)
from ansible_collections.keyturn.hub.plugins.plugin_utils.hiding import blotted
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_tokens import NoIdentity, identity_token

ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
TRANSPORT = ("validate_certs", "ca_path", "client_cert", "client_key", "use_proxy", "timeout")
KEYTURN = "0-0-0-0-0"  # Keyturn itself, as a service in a scope
RENEWED_SECONDS = 60  # before the end of an access token it is renewed
PAUSE_SECONDS = 5  # after a refusal, in which others get the same answer
REMEMBERED_SECONDS = 600  # twice as long as an access token lives: what is older needs no revocation
REPETITIONS = 3
TIMEOUT_SECONDS = 30  # of an attempt, unless the options say it
ENDPOINT_SECONDS = 45  # that an agent gives the server in all, since tasks wait for it (`acting.ANSWER_SECONDS`)
HINTS = {
    "invalid_grant": "A trust rule of this account must name the token's issuer, this audience, and what else the "
    "token says. An administrator can try it out on the account's page, and sees why.",
    "invalid_scope": "The trust rule must have Keyturn itself in its scope.",
}


class NoSession(Exception):
    """There is no access token; the message says why, and what to do. It never holds a token. `option` names what to
    look at."""

    def __init__(self, message, option="identity"):
        super().__init__(message)
        self.option = option


class TokenEndpoint:
    """The server's endpoints of OAuth 2.0, as a task's options say how to reach them. Raises NoSession.

    What is busy, or does not answer, is asked again `repetitions` times, but not after so many `seconds`; None: however
    long that takes. An attempt waits no longer than what is left of them to connect, and as long again for the answer.
    """

    def __init__(self, options, repetitions=REPETITIONS, sleep=time.sleep, seconds=None, clock=time.monotonic):
        try:
            self._transport = OneByOne(**{name: options[name] for name in TRANSPORT if name in options})
            self._root = root(options["url"])
        except Misconfigured as problem:
            raise NoSession(str(problem), problem.option) from None
        self._timeout = options.get("timeout") or TIMEOUT_SECONDS
        self._repetitions = repetitions
        self._sleep = sleep
        self._seconds = math.inf if seconds is None else seconds
        self._clock = clock

    @property
    def issuer(self):
        """The server's own address, which its identity tokens are for unless something else is said."""
        return self._root[: -len(API)]

    def ask(self, form):
        """What the token endpoint answers: its status, and what it says."""
        answer = self._post("/oauth2/token", form)
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            told = {}
        return answer.status, told if isinstance(told, dict) else {}

    def revoke(self, token):
        """Give an access token back (RFC 7009): it is refused from now on."""
        answer = self._post("/oauth2/revoke", {"token": token})
        if answer.status != 200:
            raise NoSession(f"the server answers {answer.status} to a revocation.")

    def _post(self, path, form):
        place, body = self._root + path, urlencode(form).encode()
        ends = self._clock() + self._seconds
        for attempt in range(self._repetitions + 1):
            pause = 2**attempt * random.uniform(0.5, 1)
            try:
                answer = self._transport.send("POST", place, body, FORM, min(self._timeout, ends - self._clock()))
                if answer.status not in BUSY + GATEWAY or self._is_last(attempt, pause, ends):
                    return answer
            except Unreachable as lost:
                if self._is_last(attempt, pause, ends):
                    raise NoSession(f"{place} does not answer: {lost}.") from None
            self._sleep(pause)
        raise AssertionError("unreachable")

    def _is_last(self, attempt, pause, ends):
        """Whether there are no more repetitions, or a second after the pause is too late."""
        return attempt == self._repetitions or self._clock() + pause + 1 > ends


def trade(endpoint, identity, scope=None):
    """An access token for an identity token, and how many seconds it lives. Raises NoSession."""
    audience = identity["audience"] or endpoint.issuer
    about = f"source {identity['source']}"
    try:
        assertion = identity_token(identity, audience)
    except NoIdentity as problem:
        raise NoSession(f"{about}: {problem}") from None
    form = {"grant_type": ASSERTION, "assertion": assertion, "account": identity["account"]}
    status, told = endpoint.ask(dict(form, scope=scope) if scope else form)
    try:
        return token_of(status, told)
    except NoSession as problem:
        hint = HINTS.get(str(told.get("error")), "")
        message = f"{about}, account {identity['account']}, audience {audience}: {problem} {hint}".strip()
        raise NoSession(blotted(message, {assertion})) from None


def token_of(status, told):
    """The access token in an answer of the token endpoint, and how many seconds it lives. Raises NoSession."""
    try:
        token, seconds = told["access_token"], float(told.get("expires_in") or 0)
        if TOKEN_FORM.fullmatch(token) and math.isfinite(seconds):
            return token, seconds
        raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        reason = told.get("error_description") or told.get("error") or f"the server answers {status}."
        raise NoSession(str(reason), "token") from None


class Session:
    """What one run acts with at one server: one login at a time, renewed when it is asked for near its end."""

    def __init__(self, endpoint, identity, clock=time.time):
        self._endpoint = endpoint
        self._identity = identity
        self._clock = clock
        self._token = None
        self._ends = 0
        self._issued = []  # (token, when it was issued)
        self._refused = (0, None)  # (when, why)

    def token(self, refused=None):
        """An access token with time left. `refused`: the fingerprint of one that the server does not take any more.

        Raises NoSession.
        """
        now = self._clock()
        gone = self._token is not None and refused == fingerprint(self._token)
        if self._token is None or gone or now >= self._ends - RENEWED_SECONDS:
            if gone:
                self._ends = 0
            self._renew(now)
        return self._token

    def _renew(self, now):
        when, why = self._refused
        try:
            if why and now - when < PAUSE_SECONDS:
                raise NoSession(why)
            token, seconds = trade(self._endpoint, self._identity, KEYTURN)
        except NoSession as problem:
            if not why or now - when >= PAUSE_SECONDS:
                self._refused = (self._clock(), str(problem))
            if now >= self._ends - PAUSE_SECONDS:
                raise
            return  # what there is goes on a little while
        self._token, self._ends = token, now + seconds
        self._issued = [(each, at) for each, at in self._issued if now - at < REMEMBERED_SECONDS] + [(token, now)]
        self._refused = (0, None)

    def end(self):
        """Revoke every access token that was got and may still be good. Raises NoSession where that is not certain."""
        while self._issued:
            self._endpoint.revoke(self._issued[-1][0])
            self._issued.pop()
        self._token, self._ends = None, 0
