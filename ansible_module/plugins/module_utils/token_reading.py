# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Permanent tokens as they are read: what is asked of them, which one is meant, and what of it tasks see."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils import token_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.names import same
from ansible_collections.keyturn.hub.plugins.module_utils.token_details import DETAILS, LABELS, READ, details

_FIELDS = "id,name,scope(id,key,name)"
# Hub has none of these, and leaves out what it has not.
_LIFECYCLE = f"{LABELS},creationTime,rotationTime,expiresOn,endsOn"


def fields(parameters):
    """What has to be asked of a token to compare it with what a task declares."""
    declared = [name for name in READ if parameters[name] is not None]
    return ",".join([_FIELDS, _LIFECYCLE, *declared])


def find(client, owner, name, asked, now):
    if owner is None:
        return None
    tokens = client.get_all("permanenttokens", "users", owner["id"], "permanenttokens", fields=asked)
    return one_of(tokens, name, now)


def one_of(tokens, name, now):
    """The token of this name: one that is good, or else the last one that has ended. Raises RequestRefused for several
    that are good, as a Hub can have them."""
    named = [token for token in tokens if same(token["name"], name)]
    good = [token for token in named if not rules.has_ended(token, now)]
    if len(good) > 1:
        raise RequestRefused(0, f"the account has {len(good)} tokens of this name; delete all but one.", "name")
    return good[0] if good else max(named, key=lambda token: token["expiresOn"], default=None)


def view(token, parameters):
    """A token as tasks see it: with what they speak of."""
    seen = {name: token[name] for name in ("id", "name", "scope") if name in token}
    described = details(token)
    seen.update({name: described.get(name) for name in DETAILS if parameters[name] is not None})
    if parameters["expires_on"] is not None:
        seen["expires"] = rules.iso(token.get("expiresOn"))
    elif parameters["lifetime"] is not None:
        seen["expires"] = rules.shown_end(parameters, token)
    if parameters["rotate_when"] is not None:
        seen["inputs"] = rules.noted_inputs(token)
    return seen
