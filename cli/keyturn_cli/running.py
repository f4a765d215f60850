"""The command that gets a secret (`--exec`): whether it can be run, and running it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from keyturn_cli.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyturn_cli.patience import Patience

SECRET_VARIABLE = "KEYTURN_NEW_TOKEN"
TERMINATION_SECONDS = 5
LOOK_SECONDS = 0.02
_SHELL = "/bin/sh"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLAIN = re.compile(r"[A-Za-z0-9_./+@%,:-]+")
# POSIX.1-2024, "Shell Command Language": reserved words, special built-ins; and those that sh usually has.
# fmt: off
_OF_THE_SHELL = frozenset((
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while", ".",
    ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times",
    "trap", "unset", "[", "alias", "bg", "cd", "command", "echo", "false", "fc", "fg", "getopts", "hash", "jobs",
    "kill", "local", "printf", "pwd", "read", "test", "true", "type", "ulimit", "umask", "unalias", "wait",
))
# fmt: on


def complaint(command: str) -> str | None:
    """Why this command line could not be run, as far as that can be seen before; None if nothing speaks against it."""
    if not command.strip():
        return "it is empty."
    parsed = subprocess.run([_SHELL, "-n"], input=command, text=True, capture_output=True, check=False)
    if parsed.returncode:
        return "the shell does not understand it (sh -n)."
    program = _program(command)
    if program is None or program in _OF_THE_SHELL or shutil.which(os.path.expanduser(program)):
        return None
    return "there is no such program." if "/" not in program else "there is no such program, or it cannot be run."


def run(command: str, secret: str, patience: Patience, to_errors: bool = False) -> None:
    """The command gets the secret as its input and in its environment, never as an argument, which others can see.
    `to_errors`: what it prints goes to the error stream. Raises Problem; whatever comes then, nothing that it has
    started in its group goes on."""
    process = subprocess.Popen(
        [_SHELL, "-c", command],
        stdin=subprocess.PIPE,
        stdout=2 if to_errors else None,
        text=True,
        env={**os.environ, SECRET_VARIABLE: secret},
        process_group=0,
    )
    try:
        with _at_the_terminal(process):
            process.communicate(secret + "\n", timeout=max(0.001, patience.left()))
    except subprocess.TimeoutExpired:
        _end(process)
        raise Problem("the command took longer than --timeout") from None
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        _end(process)
        if process.returncode in (-signal.SIGINT, 128 + signal.SIGINT):
            raise Problem("the command was interrupted")
        raise Problem(f"the command ended with {process.returncode}")


@contextlib.contextmanager
def _at_the_terminal(process: subprocess.Popen[str]) -> Iterator[None]:
    """The command's group is in front, where there is a terminal: it may ask for something, and Ctrl-C ends it."""
    terminal = None
    with contextlib.suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    if terminal is None:
        yield
        return
    try:
        ours = os.getpgrp()
        in_front = _is_in_front(terminal, ours)
        if in_front:
            _put_in_front(terminal, process.pid)
            _signal(process, signal.SIGCONT)  # it may have asked already, and was stopped for it
        try:
            yield
        finally:
            if in_front:
                _put_in_front(terminal, ours)
    finally:
        os.close(terminal)


def _is_in_front(terminal: int, group: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == group
    except OSError:
        return False


def _put_in_front(terminal: int, group: int) -> None:
    """Who is not in front is stopped for doing so, unless that is ignored (POSIX, `tcsetpgrp`)."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError):  # it has ended already
            os.tcsetpgrp(terminal, group)
    finally:
        signal.signal(signal.SIGTTOU, before)


def _end(process: subprocess.Popen[str]) -> None:
    """All of the group, whether or not the shell is still there."""
    _signal(process, signal.SIGTERM)
    _signal(process, signal.SIGCONT)
    if not _has_ended(process, TERMINATION_SECONDS):
        _signal(process, signal.SIGKILL)
        _has_ended(process, TERMINATION_SECONDS)  # what is dead may stay in the table, where nobody collects it


def _has_ended(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether nobody of the group is there, by then."""
    until = time.monotonic() + seconds
    while True:
        process.poll()
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # only what has other rights is left
            return False
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_SECONDS)


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """To it and what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _program(command: str) -> str | None:
    """The first word, if it is a plain one."""
    try:
        words = shlex.split(command.lstrip().partition("\n")[0], comments=True)
    except ValueError:  # a quotation that goes on in the next line
        words = command.split()
    words = [word.rstrip(";") for word in words]
    if any(word.startswith("PATH=") for word in words):
        return None
    found = next((word for word in words if not _ASSIGNMENT.match(word)), None)
    return found if found and _PLAIN.fullmatch(found) else None
