"""Ports that programs of ours are started on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from embedded.layout import PROJECT
from embedded.processes import free_port

TELL = "import sys; from embedded.processes import free_port; print(free_port(int(sys.argv[1])), flush=True); input()"


def test_a_port_is_given_to_one_process_even_before_anybody_listens_there() -> None:
    wanted = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", TELL, str(wanted)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        given = int(other.stdout.readline())
        assert given != wanted
        assert free_port(given) not in (wanted, given)
        other.communicate("\n")
    assert free_port(given) == given


def test_ports_are_not_reserved_where_somebody_else_could_lead_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"keyturn-ports-{os.getuid()}").symlink_to(elsewhere)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match="belongs to somebody else"):
        free_port()
    assert not list(elsewhere.iterdir())


def test_a_folder_of_somebody_else_is_none_to_reserve_ports_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)  # so the folder that is there is not ours
    with pytest.raises(RuntimeError, match="belongs to somebody else"):
        free_port()


def test_whoever_has_a_port_gets_it_again() -> None:
    port = free_port()
    assert free_port(port) == port


def test_a_port_on_which_somebody_listens_is_not_given() -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        assert free_port(stranger.getsockname()[1]) != stranger.getsockname()[1]
