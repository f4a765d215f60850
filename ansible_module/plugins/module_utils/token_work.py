# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What one permanent token needs: made, changed, renewed; never without need, never so that nobody has the secret."""

from __future__ import annotations

import time

from ansible_collections.keyturn.hub.plugins.module_utils import marks
from ansible_collections.keyturn.hub.plugins.module_utils import token_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.application_passwords import made_with_secret
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import reference
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    outcome,
    predicted,
)
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds
from ansible_collections.keyturn.hub.plugins.module_utils.refusals import RequestRefused, outrun
from ansible_collections.keyturn.hub.plugins.module_utils.token_details import READ, declared_details, details
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import new_secret, permanent_token
from ansible_collections.keyturn.hub.plugins.module_utils.token_reading import find, view

DEFAULT_GRACE = "1d"
SECRET = "secret"  # in a diff: what becomes of it
OTHER_HANDS = (
    "Another run has made the secret of the token {}, and may still hand it over: this one leaves it alone. If that "
    "run died, one that comes a quarter of an hour later renews the token; state=rotated does so now."
)
TAKEN_OVER = (
    "The token {} was renewed by another run, which took this one for dead. The secret that this one made is "
    "superseded, and left out."
)


def moment():
    """Now, in milliseconds since the epoch."""
    return int(time.time() * 1000)


class Work:
    """What one token needs. An `ended` token of its name goes when it is made anew: the server sees to that."""

    def __init__(self, client, catalog, owner, parameters, existing, now, ended=None):
        self.client = client
        self.catalog = catalog
        self.owner = owner
        self.parameters = parameters
        self.existing = existing
        self.ended = ended
        self.now = now
        self.inputs = rules.inputs_label(parameters["rotate_when"])
        self.declared_secret = parameters["secret"].strip() if parameters["secret"] is not None else None

    @property
    def path(self):
        return ("users", self.owner["id"] if self.owner else None, "permanenttokens")

    def create(self, check_mode):
        """A new token, and its secret, unless it was brought."""
        wanted = dict(self._left(), **self._wanted({}, True))
        if not wanted.get("scope"):
            raise RequestRefused(0, "is required to create the token {}.".format(wanted["name"]), "scope")
        labels = wanted.get("labels", []) + ([self.inputs] if self.inputs else [])
        after = dict(predicted({}, wanted), labels=labels)
        result = outcome("permanent_token", ABSENT, view(after, self.parameters), True, rotated=False)
        if self.ended:
            result["diff"] = {
                "before": dict(view(self.ended, self.parameters), **{SECRET: "has ended"}),
                "after": dict(result["permanent_token"], **{SECRET: "of a new token"}),
            }
        act = self.client.acting(check_mode)
        if act:
            self._apply_new(act, wanted, labels, result, check_mode)
        return result if check_mode else self._with_ids(result)

    def _left(self):
        """What a token that has ended leaves to the one that takes its place, where the task says nothing else: all
        but its end."""
        if not self.ended:
            return {}
        old = self.client.get(*self.path, self.ended["id"], fields=",".join(READ)) or {}
        left = dict(details(dict(self.ended, **old)), scope=self.ended["scope"])
        return {name: value for name, value in left.items() if value}

    def _apply_new(self, act, wanted, labels, result, check_mode):
        secret = self.declared_secret
        if secret is None and self.catalog.is_keyturn():
            secret = new_secret()
        marked = secret is not None and self.declared_secret is None
        mark = [marks.new(self.now, self.catalog.tokens)] if marked else []
        body = self._body(wanted)
        if secret is not None:
            body["secret"] = secret
        if labels or mark:
            body["labels"] = labels + mark
        id, whole = self._made(act, body, secret)
        if check_mode:
            return
        result["permanent_token"]["id"] = id
        if self.declared_secret is None:
            result["secret"] = whole
        if marked:
            self._deliver_at_end(id, mark[0], labels, result)

    def _made(self, act, body, secret):
        """The id of the token, and the token itself. A secret that was made here is nowhere but in this process, and in
        what it sends: whether the answer arrives makes no difference."""

        def good():
            found = find(self.client, self.owner, body["name"], "id,name,expiresOn", self.now)
            return None if found is None or rules.has_ended(found, self.now) else found

        def find_ours():
            found = good()
            if found and not self._is_current(found, secret):
                raise outrun("somebody else made a token {} meanwhile.".format(found["name"]), "name")
            return found

        if secret is None:
            made = made_with_secret(act, good, body, self.path, "id", "token")
            return made["id"], made.get("token")
        made = act.made(find_ours, body, *self.path, ours=True, fields="id")
        return made["id"], permanent_token(secret, self.owner["id"], made["id"]) if made["id"] else None

    def change(self, check_mode):
        """The existing token, as declared."""
        existing = self.existing
        reason = self._why_rotate()
        wanted = self._wanted(existing, bool(reason))
        changed = changes(wanted, dict(existing, labels=rules.shown(existing.get("labels"))))
        labels = changed.get("labels", rules.shown(existing.get("labels"))) + self._own_labels()
        before = view(existing, self.parameters)
        after = view(dict(predicted(existing, changed), labels=labels, **self._renewed(reason)), self.parameters)
        result = outcome("permanent_token", before, after, before != after or bool(reason))
        result["rotated"] = bool(reason)
        if reason:
            result["diff"] = {
                "before": dict(before, **{SECRET: "as it is"}),
                "after": dict(after, **{SECRET: f"renewed: {reason}"}),
            }
        elif self.declared_secret is None and "labels" in existing and rules.in_other_hands(existing, self.now):
            self.catalog.warn(OTHER_HANDS.format(existing["name"]))
        act = self.client.acting(check_mode) if result["changed"] else None
        if act:
            self._apply(act, changed, labels, reason, result)
        return self._with_ids(result)

    def _apply(self, act, changed, labels, reason, result):
        body, id = self._body(changed), self.existing["id"]
        body.pop("labels", None)
        there = self.existing.get("labels") or []
        secret, grace, mark = self.declared_secret, self._grace(), None
        if reason and secret is None:
            secret, mark = new_secret(), marks.new(self.now, self.catalog.tokens)
        else:
            others = [] if reason else marks.of(there)
            if set(labels + others) != set(there):
                body["labels"] = labels + others
        if body:
            act.set(body, *self.path, id, fields="id")
        if reason:
            self._rotate(act, id, secret, grace, None if mark is None else [*labels, mark])
        if mark and act is self.client:
            result["secret"] = permanent_token(secret, self.owner["id"], id)
            self._deliver_at_end(id, mark, labels, result)

    def _renewed(self, reason):
        return {"rotationTime": self.now} if reason else {}

    def _own_labels(self):
        """What the collection keeps on the token for itself, but for marks."""
        noted = self.inputs or rules.noted_inputs(self.existing)
        return [noted] if noted else []

    def _grace(self):
        """How long the secret before goes on, in seconds. Raises RequestRefused, before anything was changed."""
        grace = self.parameters["grace"]
        return seconds({"grace": DEFAULT_GRACE if grace is None else grace}, "grace")

    def _rotate(self, act, id, secret, grace, labels):
        """The same request twice does what it does once, since it says what the secret is to be. The mark is set in the
        same moment: who dies from then on leaves word that nobody has the secret, and a refusal leaves nothing."""
        body = {"grace": grace, "secret": secret}
        if labels is not None:
            body["labels"] = labels
            if self.parameters["state"] != "rotated":
                body["seen"] = rules.renewed(self.existing)  # decided by what was read: one of many runs makes it so
        act.set(body, *self.path, id, "rotate", fields="id")

    def _deliver_at_end(self, id, mark, labels, result):
        """Take the mark off once nothing can go wrong any more: whoever gets this run's result has the secret."""

        def deliver():
            try:
                if self.existing is None and moment() - self.now < marks.LEAST_SECONDS * 500:
                    # A token that was made just now: nobody else has a reason to renew it.
                    self.client.set({"labels": labels}, *self.path, id, fields="id")
                elif not self._take_off(id, mark, labels):
                    result.pop("secret", None)
                    self.catalog.warn(TAKEN_OVER.format(self.parameters["name"]))
            except RequestRefused as refusal:
                self.catalog.warn(f"The next run will renew the token once more: {refusal}")

        self.catalog.at_end.append(deliver)

    def _take_off(self, id, mark, labels):
        """Take this run's mark off, and no other's; whether it was there. `labels` are what the token is to have."""
        token = self.client.get(*self.path, id, fields="labels") or {}
        there = marks.of(token.get("labels"))
        if mark not in there:
            return False
        left = [each for each in there if each != mark]
        self.client.set({"labels": labels + left}, *self.path, id, fields="id")
        return True

    def _is_current(self, token, secret):
        asked = {"secret": secret}
        return self.client.set(asked, *self.path, token["id"], "comparison")["current"]

    def _why_rotate(self):
        existing, parameters = self.existing, self.parameters
        if self.declared_secret is not None:
            return None if self._is_current(existing, self.declared_secret) else "another one was declared"
        if "creationTime" not in existing or existing.get("labels") is None:
            return "it was asked for" if parameters["state"] == "rotated" else None
        return rules.why_rotate(parameters, existing, self.now)

    def _wanted(self, existing, renewed):
        parameters = self.parameters
        wanted = dict(declared(parameters, "name"), **declared_details(parameters, existing))
        if rules.own(parameters["labels"]):
            raise RequestRefused(0, f"labels that begin with {rules.OWN} are the collection's own.", "labels")
        if parameters["scope"] is not None:
            services = self.catalog.find_all("services", parameters["scope"], "scope")
            there = existing.get("scope", [])
            same = {service["id"] for service in services} == {service["id"] for service in there}
            wanted["scope"] = there if same else services
        is_declared, end = rules.wanted_end(parameters, existing or None, renewed, self.now)
        if is_declared:
            wanted["expiresOn"] = end
        return wanted

    def _body(self, changed):
        body = dict(changed)
        if "scope" in changed:
            body["scope"] = [reference(service) for service in changed["scope"]]
        return body

    def _with_ids(self, result):
        """Also with what is needed to put a token together whose secret was brought."""
        token = result["permanent_token"]
        if self.parameters["secret"] is not None and token.get("id"):
            result["token_ids"] = {"user": self.owner["id"], "token": token["id"]}
        return result
