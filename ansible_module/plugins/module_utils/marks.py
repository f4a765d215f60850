# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Marks: labels by which a run says that it has made a token's secret and has not returned it yet.

A mark names its run, and until when that run may take. So another run can tell one that is under way from one that
died. It is set in the very request that makes the secret, and a run takes off its own mark and no other's. Nothing here
talks to anybody.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket

OWN = "keyturn.hub/"  # begins the labels that this collection keeps on tokens for itself
UNDELIVERED = OWN + "undelivered"
LEAST_SECONDS = 900  # longer than a task with few requests takes, with all its waits, and clocks that differ
SECONDS_EACH = 0.25  # more for each token that a task declares
ELSEWHERE = "000000"  # of a machine that does not say which it is, so that no process is looked for
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def new(now, tokens=1):
    """A mark of its own for a run. `now` in milliseconds since the epoch; `tokens` is how many the run is about."""
    until = int(now / 1000 + LEAST_SECONDS + SECONDS_EACH * tokens)
    run = "-".join([_machine(), _written(os.getpid()), secrets.token_hex(2)])
    return f"{UNDELIVERED}={_written(until)}.{run}"


def of(labels):
    """The marks among the labels of a token."""
    return [label for label in labels or [] if label == UNDELIVERED or label.startswith(UNDELIVERED + "=")]


def is_alive(mark, now):
    """Whether the run that left the mark may still be under way. Earlier versions said nothing of themselves."""
    until, machine, process = _parts(mark)
    if until is None or now >= until * 1000:
        return False
    return machine == ELSEWHERE or machine != _machine() or os.path.exists(f"/proc/{process}")


def _parts(mark):
    """Until when the run may take, in seconds, where it runs and as which process; each None in a mark that does not
    say."""
    try:
        until, run = mark.partition("=")[2].split(".")
        machine, process, _number = run.split("-")
        return int(until, len(DIGITS)), machine, int(process, len(DIGITS))
    except ValueError:
        return None, None, None


def _machine():
    """Where a process is known by its number: six characters for the machine, since it started, and the container."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            place = [file.read(), os.readlink("/proc/self/ns/pid"), socket.gethostname()]
    except OSError:
        return ELSEWHERE
    return hashlib.sha256("".join(place).encode()).hexdigest()[:6]


def _written(number):
    digits = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits or "0"
