# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When a permanent token needs a new secret, and what its own labels say. Nothing here talks to anybody."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds

# Labels that this collection keeps on tokens for itself.
OWN = "keyturn.hub/"
UNDELIVERED = OWN + "undelivered"  # its secret was made by a run that did not live to hand it over
INPUTS = OWN + "inputs="
NEVER = ("never", "")
TOLERANCE_MS = 300_000  # between this clock and the server's


def shown(labels):
    """The labels that people gave."""
    return [label for label in labels or [] if not label.startswith(OWN)]


def own(labels):
    """The labels that this collection gave."""
    return [label for label in labels or [] if label.startswith(OWN)]


def inputs_label(inputs):
    """The label that stands for what a token depends on, or None: 96 bits of its hash, and nothing of itself."""
    if inputs is None:
        return None
    text = json.dumps(inputs, sort_keys=True, default=str)
    return INPUTS + hashlib.sha256(text.encode()).hexdigest()[:24]


def noted_inputs(token):
    """The label that stands for what the token depended on when its secret was made, or None."""
    return next((label for label in token.get("labels") or [] if label.startswith(INPUTS)), None)


def has_ended(token, now):
    """Whether the token's own end has come, which nothing changes any more. `now` in milliseconds since the epoch."""
    end = token.get("expiresOn")
    return end is not None and end <= now


def is_declared_past(parameters, now):
    """Whether the end that is declared has come, so that there is no token to be had."""
    is_declared, end = wanted_end(parameters, None, True, now)
    return is_declared and end is not None and end <= now


def why_rotate(parameters, existing, label, now):
    """Why the existing token needs a new secret, in words, or None. `now` in milliseconds since the epoch.

    Raises RequestRefused where a new secret would be of no use.
    """
    age = now - (existing.get("rotationTime") or existing["creationTime"])
    longest, before = seconds(parameters, "max_age"), seconds(parameters, "rotate_before")
    ends = existing.get("endsOn")
    if parameters["state"] == "rotated":
        return "it was asked for"
    if UNDELIVERED in (existing.get("labels") or []):
        return "an earlier run could not hand over its secret"
    noted = noted_inputs(existing)
    if label and noted and label != noted:
        return "what it depends on has changed"
    if longest is not None and age > longest * 1000:
        return f"its secret is older than {parameters['max_age']}"
    if before is not None and ends is not None and ends - now < before * 1000:
        own_end = existing.get("expiresOn")
        if own_end is not None and own_end <= ends and parameters["lifetime"] is None and not parameters["expires_on"]:
            raise RequestRefused(
                0,
                "the token ends by itself, which no new secret changes. Declare lifetime, or a later expires_on.",
                "rotate_before",
            )
        return f"it ends within {parameters['rotate_before']}"
    return None


def wanted_end(parameters, existing, rotated, now):
    """When the token is to end, in milliseconds since the epoch; None: never. Returns (declared, end)."""
    lifetime = seconds(parameters, "lifetime")
    if parameters["expires_on"] is not None:
        return True, _moment(parameters["expires_on"])
    if lifetime is None:
        return False, None
    if existing is None or rotated:
        return True, now + lifetime * 1000
    end = (existing.get("rotationTime") or existing["creationTime"]) + lifetime * 1000
    there = existing.get("expiresOn")
    return True, there if there is not None and abs(there - end) <= TOLERANCE_MS else end


def _moment(text):
    text = text.strip()
    if text in NEVER:
        return None
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise RequestRefused(
            0, f"{text} is no moment; say 2027-01-31, 2027-01-31T12:00:00Z or never.", "expires_on"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def shown_end(parameters, token):
    """The end of a token with a declared lifetime, for people: the lifetime itself, where it is as declared."""
    end = token.get("expiresOn")
    if "creationTime" not in token or wanted_end(parameters, token, False, 0)[1] == end:
        return "{} after its secret is made".format(parameters["lifetime"])
    return iso(end)


def iso(moment):
    """A moment for people, or None."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
