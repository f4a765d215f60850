# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When a permanent token needs a new secret, and what its own labels say. Nothing here talks to anybody."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta, timezone

from ansible_collections.keyturn.hub.plugins.module_utils import marks
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds

OWN = marks.OWN
INPUTS = OWN + "inputs="
NEVER = ("never", "")
# RFC 3339 section 5.6, with less than its precision; what Python itself reads differs from one version to the next.
_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?)?",
    re.ASCII,
)
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
    return _hashed(_unordered(inputs))


def is_noted(noted, inputs):
    """Whether a label stands for these inputs. Earlier versions noted the order of lists, too."""
    return noted in (inputs_label(inputs), _hashed(inputs))


def _hashed(inputs):
    return INPUTS + hashlib.sha256(_text(inputs).encode()).hexdigest()[:24]


def _text(inputs):
    return json.dumps(inputs, sort_keys=True, default=str)


def _unordered(inputs):
    """The same with every list in one order, since who is in a team says nothing by who comes first."""
    if isinstance(inputs, dict):
        return {name: _unordered(value) for name, value in inputs.items()}
    if isinstance(inputs, (list, tuple, set)):
        return sorted((_unordered(each) for each in inputs), key=_text)
    return inputs


def noted_inputs(token):
    """The label that stands for what the token depended on when its secret was made, or None."""
    return next((label for label in token.get("labels") or [] if label.startswith(INPUTS)), None)


def renewed(token):
    """When the current secret of a token was made, in milliseconds since the epoch; None if a server does not say."""
    return token.get("rotationTime") or token.get("creationTime")


def has_ended(token, now):
    """Whether the token ended by itself, so that no secret makes it good again."""
    end = token.get("expiresOn")
    return end is not None and end <= now


def is_declared_past(parameters, now):
    """Whether the end that is declared has come, so that there is no token to be had."""
    is_declared, end = wanted_end(parameters, None, True, now)
    return is_declared and end is not None and end <= now


def in_other_hands(token, now):
    """Whether a run that is under way has made the token's secret and is about to hand it over."""
    return any(marks.is_alive(mark, now) for mark in marks.of(token.get("labels")))


def why_rotate(parameters, existing, now):
    """Why the existing token needs a new secret, in words, or None. `now` in milliseconds since the epoch.

    Raises RequestRefused where a new secret would be of no use.
    """
    age = now - renewed(existing)
    longest, before = seconds(parameters, "max_age"), seconds(parameters, "rotate_before")
    ends = existing.get("endsOn")
    if parameters["state"] == "rotated":
        return "it was asked for"
    if marks.of(existing.get("labels")):
        return None if in_other_hands(existing, now) else "an earlier run could not hand over its secret"
    if ends is not None and ends <= now and not has_ended(existing, now):
        return "a policy has ended its secret"
    noted = noted_inputs(existing)
    if parameters["rotate_when"] is not None and noted and not is_noted(noted, parameters["rotate_when"]):
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
    end = renewed(existing) + lifetime * 1000
    there = existing.get("expiresOn")
    return True, there if there is not None and abs(there - end) <= TOLERANCE_MS else end


def _moment(text):
    text = text.strip()
    if text in NEVER:
        return None
    found = _MOMENT.fullmatch(text)
    try:
        if not found:
            raise ValueError(text)
        *numbers, sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(*(int(number or 0) for number in numbers), tzinfo=zone)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise RequestRefused(
            0, f"{text} is no moment; say 2027-01-31, 2027-01-31T12:00:00Z or never.", "expires_on"
        ) from None


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
    return datetime.fromtimestamp(moment / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
