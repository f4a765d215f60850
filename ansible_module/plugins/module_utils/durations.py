# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lengths of time in tasks: seconds, `90m`, `36h`, `7d`, `2w`, or the durations of ISO 8601 such as P7D."""

from __future__ import annotations

import re

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SHORT = re.compile(r"([0-9]{1,9})([wdhms]?)", re.ASCII)
_ISO = re.compile(
    r"P(?!$)(?:(?P<w>[0-9]{1,6})W)?(?:(?P<d>[0-9]{1,6})D)?"
    r"(?:T(?!$)(?:(?P<h>[0-9]{1,6})H)?(?:(?P<m>[0-9]{1,6})M)?(?:(?P<s>[0-9]{1,9})S)?)?",
    re.ASCII,
)


def seconds(parameters, option):
    """What the option says, in seconds; None if it says nothing. Raises RequestRefused."""
    text = parameters.get(option)
    if text is None:
        return None
    text = text.strip()
    short = _SHORT.fullmatch(text)
    if short:
        return int(short.group(1)) * _SECONDS[short.group(2) or "s"]
    parts = _ISO.fullmatch(text)
    if parts is None:
        raise RequestRefused(0, f"{text} is no length of time; say 3600, 90m, 36h, 7d, 2w or P7D.", option)
    return sum(int(count or 0) * _SECONDS[unit] for unit, count in parts.groupdict().items())
