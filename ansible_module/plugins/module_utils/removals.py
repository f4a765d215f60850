# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How much a purge may remove: a mistake in what is declared must not delete what everybody needs."""

from __future__ import annotations

import re

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

_LIMIT = re.compile(r"([0-9]{1,6})(%?)", re.ASCII)


def require_limited(parameters):
    """That a purge says what it may remove, and is no accident. Raises RequestRefused."""
    if not parameters["purge"]:
        return
    boundary = parameters["boundary"] or {}
    if not (boundary.get("owner") or boundary.get("label")):
        raise RequestRefused(0, "needs a boundary: an owner or a label inside of which it may remove things.", "purge")
    if parameters["max_removals"] is None:
        message = "is required with purge: how many bots and tokens may go at once, such as 5, or 10% of what is there."
        raise RequestRefused(0, message, "max_removals")
    if not parameters["bots"] and not parameters["allow_empty"]:
        message = "nothing is declared, so purge would remove all there is. If that is meant, say allow_empty: true."
        raise RequestRefused(0, message, "bots")
    _limit(parameters["max_removals"], 0)


def require_few(parameters, going, there):
    """That no more go than may. `going` and `there` count bots and tokens. Raises RequestRefused."""
    if going > _limit(parameters["max_removals"], there):
        message = f"{going} of {there} bots and tokens would be removed, and {parameters['max_removals']} may be. "
        raise RequestRefused(0, message + "Nothing was changed.", "max_removals")


def _limit(text, there):
    found = _LIMIT.fullmatch(text.strip())
    if not found or (found.group(2) and int(found.group(1)) > 100):
        raise RequestRefused(
            0, f"{text} is no limit; say a number such as 5, or a percentage such as 10%.", "max_removals"
        )
    number = int(found.group(1))
    return there * number // 100 if found.group(2) else number
