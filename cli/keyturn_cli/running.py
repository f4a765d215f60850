"""The command that gets a secret (`--exec`): whether it can be run, and running it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from keyturn_cli.errors import Problem

if TYPE_CHECKING:
    from keyturn_cli.patience import Patience

SECRET_VARIABLE = "KEYTURN_NEW_TOKEN"
TERMINATION_SECONDS = 5
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


def run(command: str, secret: str, patience: Patience) -> None:
    """The command gets the secret as its input and in its environment, never as an argument, which others can see.
    Raises Problem; whatever comes, it does not go on by itself."""
    process = subprocess.Popen(
        [_SHELL, "-c", command],
        stdin=subprocess.PIPE,
        text=True,
        env={**os.environ, SECRET_VARIABLE: secret},
        process_group=0 if not os.isatty(2) else None,  # at a terminal it may ask for something, which only ours can
    )
    try:
        process.communicate(secret + "\n", timeout=max(0.001, patience.left()))
    except subprocess.TimeoutExpired:
        _end(process)
        raise Problem("the command took longer than --timeout") from None
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        raise Problem(f"the command ended with {process.returncode}")


def _end(process: subprocess.Popen[str]) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(TERMINATION_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """To it and what it has started, if that is a group by itself."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


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
