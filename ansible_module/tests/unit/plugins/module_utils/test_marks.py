# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose secret is on its way, and whose is lost."""

from __future__ import annotations

import os
import re

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import marks

NOW = 1_800_000_000_000
LABEL = r"[A-Za-z0-9][A-Za-z0-9._/=-]{0,62}"  # as the server takes them


def test_a_mark_is_a_label_and_every_run_has_its_own():
    mark, other = marks.new(NOW, tokens=20_000), marks.new(NOW, tokens=20_000)
    assert re.fullmatch(LABEL, mark)
    assert mark != other
    assert marks.of(["a", mark, "keyturn.hub/inputs=1", marks.UNDELIVERED]) == [mark, marks.UNDELIVERED]
    assert marks.of(None) == []


def test_a_run_is_alive_for_a_while_that_grows_with_what_it_has_to_do():
    end = NOW + marks.LEAST_SECONDS * 1000
    assert marks.is_alive(marks.new(NOW), NOW)
    assert not marks.is_alive(marks.new(NOW), end + 1000)
    assert marks.is_alive(marks.new(NOW, tokens=100), end + 1000)
    assert not marks.is_alive(marks.UNDELIVERED, NOW)


def test_a_run_of_this_machine_that_is_gone_is_dead_at_once():
    mark = marks.new(NOW)
    until, run = mark.split("=")[1].split(".")
    machine, process, number = run.split("-")
    assert int(process, 36) == os.getpid()

    def of_process(machine, process):
        return f"{marks.UNDELIVERED}={until}.{machine}-{process}-{number}"

    gone = "zzzzzz"  # more than any machine numbers
    assert not marks.is_alive(of_process(machine, gone), NOW)
    assert marks.is_alive(of_process("fedcba", gone), NOW)  # of another machine, nobody here can say
    assert marks.is_alive(of_process(marks.ELSEWHERE, gone), NOW)


@pytest.mark.parametrize("text", ["", "x", "1.2", "1.a-b", "!.a-b-c", "1.2.3"])
def test_a_mark_that_nobody_understands_is_of_a_run_that_is_gone(text):
    (mark,) = marks.of([f"{marks.UNDELIVERED}={text}"])
    assert not marks.is_alive(mark, NOW)
