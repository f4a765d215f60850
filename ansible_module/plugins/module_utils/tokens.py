# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Permanent tokens: made, described, renewed, deleted; never without need, never so that nobody has the secret."""

from __future__ import annotations

import time

from ansible_collections.keyturn.hub.plugins.module_utils import token_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.application_passwords import made_with_secret
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog, reference
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    kept,
    network,
    outcome,
    predicted,
    unordered,
)
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds
from ansible_collections.keyturn.hub.plugins.module_utils.wire_format import new_secret, permanent_token

OPTIONS = {
    "name": {"type": "str", "required": True, "no_log": False},
    "scope": {"type": "list", "elements": "str"},
    "description": {"type": "str"},
    "contact": {"type": "str"},
    "labels": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str"},
    "expires_on": {"type": "str"},
    "lifetime": {"type": "str"},
    "grace": {"type": "str"},
    "rotate_before": {"type": "str"},
    "max_age": {"type": "str"},
    "rotate_when": {"type": "raw"},
    "secret": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent", "rotated"], "default": "present"},
}
ARGUMENTS = dict(OPTIONS, user={"type": "str", "required": True})
MADE_HERE = ("rotate_before", "max_age", "rotate_when")  # a secret that is brought is renewed where it comes from
FIELD_OPTIONS = {"expiresOn": "expires_on"}
_FIELDS = "id,name,scope(id,key,name)"
# Hub has none of these, and leaves out what it has not.
_LIFECYCLE = "labels,creationTime,rotationTime,expiresOn,endsOn"
DEFAULT_GRACE = "1d"
SECRET = "secret"  # in a diff: what becomes of it


def fields(parameters):
    """What has to be asked of a token to compare it with what a task declares."""
    about = [name for name in ("description", "contact", "networks") if parameters[name] is not None]
    return ",".join([_FIELDS, _LIFECYCLE, *about])


def ensure(client, parameters, check_mode):
    """Make the token as declared; the module's result."""
    catalog = Catalog(client, check_mode)
    absent = parameters["state"] == "absent"
    owner = (
        client.get("users", parameters["user"], fields="id")
        if absent
        else catalog.account(parameters["user"], "user", "id")
    )
    existing = _find(client, owner, kept(parameters["name"]), fields(parameters))
    result = make(client, catalog, owner, parameters, existing, check_mode)
    for finish in catalog.at_end:
        finish()
    return dict(result, warnings=catalog.warnings)


def make(client, catalog, owner, parameters, existing, check_mode, now=None):
    """Make the token as declared, from `existing`, which was read with `fields`.

    `owner` is None in check mode where an earlier task creates it.
    """
    _require_consistent(parameters)
    if parameters["state"] == "absent":
        if existing and not check_mode:
            client.delete("users", owner["id"], "permanenttokens", existing["id"])
        return outcome("permanent_token", _view(existing, parameters) if existing else ABSENT, ABSENT)
    now = int(time.time() * 1000) if now is None else now
    ended = existing if existing and rules.has_ended(existing, now) else None
    if ended and rules.is_declared_past(parameters, now):
        catalog.warn("The token {} ended as declared. Declare a later end for a new one.".format(ended["name"]))
        view = _view(ended, parameters)
        return outcome("permanent_token", view, view, rotated=False)
    work = _Work(client, catalog, owner, parameters, None if ended else existing, now, ended)
    return work.change(check_mode) if work.existing else work.create(check_mode)


class _Work:
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

    @property
    def path(self):
        return ("users", self.owner["id"], "permanenttokens")

    def create(self, check_mode):
        """A new token, and its secret, unless it was brought."""
        wanted = dict(self._left(), **self._wanted({}, True))
        if not wanted.get("scope"):
            raise RequestRefused(0, "is required to create the token {}.".format(wanted["name"]), "scope")
        labels = wanted.get("labels", []) + ([self.inputs] if self.inputs else [])
        after = dict(predicted({}, wanted), labels=labels)
        result = outcome("permanent_token", ABSENT, _view(after, self.parameters), True, rotated=False)
        if self.ended:
            result["diff"] = {
                "before": dict(_view(self.ended, self.parameters), **{SECRET: "has ended"}),
                "after": dict(result["permanent_token"], **{SECRET: "of a new token"}),
            }
        if check_mode:
            return result
        body, brought = self._body(wanted), self.parameters["secret"]
        marked = brought is None and self.catalog.is_keyturn()
        secret = new_secret() if marked else brought
        if secret is not None:
            body["secret"] = secret
        if labels or marked:
            body["labels"] = labels + ([rules.UNDELIVERED] if marked else [])
        id, told = self._made(body)
        result["permanent_token"]["id"] = id
        if brought is None:
            result["secret"] = permanent_token(secret, self.owner["id"], id) if marked else told
        if marked:
            self._deliver_at_end(id, labels)
        return self._with_ids(result)

    def _left(self):
        """What a token that has ended leaves to the one that takes its place, where the task says nothing else."""
        if not self.ended:
            return {}
        labels = rules.shown(self.ended.get("labels"))
        return dict({"scope": self.ended["scope"]}, **({"labels": labels} if labels else {}))

    def _made(self, body):
        """The token's id, and what the server says of its secret. An answer that is lost costs nothing where the
        secret was made here: what there is under the name is this token if that is its secret."""
        name, secret = body["name"], body.get("secret")

        def left():
            found = _find(self.client, self.owner, name, "id,name")
            return None if found and self.ended and found["id"] == self.ended["id"] else found

        def find():
            found = left()
            return found if found and self._is_current(found["id"], secret) else None

        if secret is not None:
            return self.client.made(find, body, *self.path, fields="id")["id"], None
        made = made_with_secret(self.client, left, body, self.path, "id,token")
        return made["id"], made["token"]

    def _is_current(self, id, secret):
        return self.client.set({"secret": secret}, *self.path, id, "comparison")["current"]

    def change(self, check_mode):
        """The existing token, as declared."""
        existing = self.existing
        reason = self._why_rotate()
        wanted = self._wanted(existing, bool(reason))
        changed = changes(wanted, dict(existing, labels=rules.shown(existing.get("labels"))))
        labels = changed.get("labels", rules.shown(existing.get("labels"))) + self._own_labels()
        before = _view(existing, self.parameters)
        after = _view(dict(predicted(existing, changed), labels=labels, **self._renewed(reason)), self.parameters)
        result = outcome("permanent_token", before, after, before != after or bool(reason))
        result["rotated"] = bool(reason)
        if reason:
            result["diff"] = {
                "before": dict(before, **{SECRET: "as it is"}),
                "after": dict(after, **{SECRET: f"renewed: {reason}"}),
            }
        if result["changed"] and not check_mode:
            result.update(self._apply(changed, labels, reason))
        return self._with_ids(result)

    def _apply(self, changed, labels, reason):
        body, id = self._body(changed), self.existing["id"]
        body.pop("labels", None)
        there = self.existing.get("labels") or []
        marked = bool(reason) and self.parameters["secret"] is None
        if marked:
            # Said before: a run that dies from here on leaves word that nobody has the secret.
            body["labels"] = list(dict.fromkeys([*there, rules.UNDELIVERED]))
        elif set(labels) != set(there):
            body["labels"] = labels
        if body:
            self.client.set(body, *self.path, id, fields="id")
        if not reason:
            return {}
        secret = self._rotate(id)
        if not marked:
            return {}
        self._deliver_at_end(id, labels)
        return {"secret": secret}

    def _renewed(self, reason):
        return {"rotationTime": self.now} if reason else {}

    def _own_labels(self):
        """What the collection keeps on the token for itself."""
        noted = self.inputs or rules.noted_inputs(self.existing)
        return [noted] if noted else []

    def _rotate(self, id):
        grace = self.parameters["grace"]
        # Made here, so that the repetition of a request whose answer was lost changes nothing more.
        secret = new_secret() if self.parameters["secret"] is None else self.parameters["secret"]
        body = {
            "grace": seconds({"grace": DEFAULT_GRACE if grace is None else grace}, "grace"),
            "secret": secret,
        }
        self.client.set(body, *self.path, id, "rotate", fields="id")
        return permanent_token(secret, self.owner["id"], id)

    def _deliver_at_end(self, id, labels):
        """Take the mark off once nothing can go wrong any more: whoever gets this run's result has the secret."""

        def deliver():
            try:
                self.client.set({"labels": labels}, *self.path, id, fields="id")
            except RequestRefused as refusal:
                self.catalog.warn(f"The next run will renew the token once more: {refusal}")

        self.catalog.at_end.append(deliver)

    def _why_rotate(self):
        existing, parameters = self.existing, self.parameters
        if parameters["secret"] is not None:
            current = self._is_current(existing["id"], parameters["secret"])
            return None if current else "another one was declared"
        if "creationTime" not in existing or existing.get("labels") is None:
            return "it was asked for" if parameters["state"] == "rotated" else None
        return rules.why_rotate(parameters, existing, self.inputs, self.now)

    def _wanted(self, existing, renewed):
        parameters = self.parameters
        wanted = declared(parameters, "name", "description", "contact")
        if parameters["scope"] is not None:
            services = self.catalog.find_all("services", parameters["scope"], "scope")
            there = existing.get("scope", [])
            same = {service["id"] for service in services} == {service["id"] for service in there}
            wanted["scope"] = there if same else services
        if parameters["labels"] is not None:
            if rules.own(parameters["labels"]):
                raise RequestRefused(0, f"labels that begin with {rules.OWN} are the collection's own.", "labels")
            wanted["labels"] = unordered(parameters["labels"], rules.shown(existing.get("labels")))
        if parameters["networks"] is not None:
            wanted["networks"] = unordered(map(network, parameters["networks"]), existing.get("networks"))
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


def _require_consistent(parameters):
    if parameters["secret"] is None:
        return
    together = [name for name in MADE_HERE if parameters[name] is not None]
    if parameters["state"] == "rotated":
        raise RequestRefused(0, "a secret that is declared is renewed by declaring another.", "state")
    if together:
        raise RequestRefused(0, "cannot be declared together with secret, which is renewed elsewhere.", together[0])


def _find(client, owner, name, asked):
    if owner is None:
        return None
    tokens = client.get_all("permanenttokens", "users", owner["id"], "permanenttokens", fields=asked)
    named = [token for token in tokens if token["name"] == name]
    if len(named) > 1:
        raise RequestRefused(0, f"the account has {len(named)} tokens of this name; delete all but one.", "name")
    return named[0] if named else None


def _view(token, parameters):
    """A token as tasks see it: with what they speak of."""
    view = {name: token[name] for name in ("id", "name", "scope") if name in token}
    for name in ("description", "contact", "networks"):
        if parameters[name] is not None:
            view[name] = token.get(name)
    if parameters["labels"] is not None:
        view["labels"] = rules.shown(token.get("labels"))
    if parameters["expires_on"] is not None:
        view["expires"] = rules.iso(token.get("expiresOn"))
    elif parameters["lifetime"] is not None:
        view["expires"] = rules.shown_end(parameters, token)
    if parameters["rotate_when"] is not None:
        view["inputs"] = rules.noted_inputs(token)
    return view
