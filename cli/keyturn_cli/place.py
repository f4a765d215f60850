"""Where a new secret goes, and where it waits until the server has taken it.

It waits beside the file that it is for (`token` -> `token.new`), or, where there is no file, in the folder for the
state of programs ($XDG_STATE_HOME, "XDG Base Directory Specification"). So whatever ends a command in the middle, the
next one finds the secret, and finds out what became of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keyturn_cli.errors import Problem
from keyturn_cli.files import (
    PRIVATE,
    make_folder,
    put_in_place,
    read_secret,
    remove,
    remove_drafts,
    require_writable,
    write_secret,
)
from keyturn_cli.redaction import stays_readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyturn_cli.patience import Patience

SUFFIX = ".new"
LOCK_SUFFIX = ".lock"
LOCK_PAUSE_SECONDS = 0.2
_NO_FOLDER = "There is no folder here where the new secret could wait ($XDG_STATE_HOME):"


@dataclass(frozen=True)
class Place:
    """Into a file, to a command, or both in this order; with neither, it is printed. `waiting`: where the secret waits;
    None: nowhere, since there is no folder that can be written. `held`: the secret until now, if it is known."""

    file: Path | None = None
    command: str | None = None
    held: str | None = None
    waiting: Path | None = None

    @contextlib.contextmanager
    def alone(self, patience: Patience) -> Iterator[None]:
        """Nobody else changes this place meanwhile. Raises Problem."""
        if self.waiting is None:
            yield
            return
        lock = self.waiting.with_name(self.waiting.name + LOCK_SUFFIX)
        handle = _locked(lock, patience)
        try:
            for written in filter(None, (self.waiting, self.file)):
                remove_drafts(written)  # of commands that were killed: nobody else writes here now
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(lock)  # while it is ours; whoever waits for it looks whether it is still there
            os.close(handle)

    def waiting_for(self, *what: str) -> Place:
        """The same, where a secret that is for no file waits for this thing, which `what` tells from all others."""
        return self if self.file else replace(self, waiting=_in_state(*what))

    def begun(self) -> str | None:
        """The secret that a command which was ended has left here. Raises Problem."""
        return read_secret(self.waiting) if self.waiting else None

    def keep(self, secret: str) -> None:
        """It waits here from now on, over a power cut too. Raises Problem."""
        if self.waiting:
            write_secret(self.waiting, secret)

    def forget(self) -> None:
        """Nothing waits any more. Raises Problem."""
        if self.waiting:
            remove(self.waiting)

    def settle(self) -> None:
        """The secret that waits takes its place in the file. Raises Problem."""
        if self.file and self.waiting:
            put_in_place(self.waiting, self.file)

    def unsettle(self, secret: str) -> None:
        """The secret in the file waits again, and the one that was held is in the file. Raises Problem."""
        if self.file and self.waiting and self.held:
            try:
                os.link(self.file.resolve(), self.waiting)  # which needs no room on the disk
            except OSError:
                self.keep(secret)
            write_secret(self.file, self.held)

    def named(self) -> str:
        """Where the secret is that waits, for people."""
        return str(self.waiting) if self.waiting else "no file"


def beside(file: Path) -> Path:
    """Where the secret for a file waits. Raises Problem if it could not be put there."""
    require_writable(file)
    waiting = file.resolve()
    waiting = waiting.with_name(waiting.name + SUFFIX)
    if waiting.is_symlink():
        raise Problem(f"{waiting} is a link, and a secret that waits follows none. Remove it.")
    require_writable(waiting)
    stays_readable(file)
    stays_readable(waiting)
    return waiting


def for_renewal(file: Path | None, command: str | None, grace: int) -> Place:
    """Where a renewed secret goes; `grace` in seconds. Without a file, `waiting_for` says later where it waits, when it
    is known what is renewed. Raises Problem if the secret could be lost for good, or nothing be taken back."""
    if file:
        waiting = beside(file)
        return Place(file, command, read_secret(file), waiting)
    if command and not grace:
        raise Problem("Without grace nothing can be taken back: name a file too (--write), which keeps the new secret.")
    if _in_state("") is None and not grace:
        raise Problem(f"{_NO_FOLDER} name a file (--write), or a grace.")
    return Place(command=command)


def for_creation(file: Path | None, *what: str, force: bool = False) -> Place:
    """Where the secret of something new goes; `what` tells it from all others. Raises Problem if it could be lost, or
    if there is something in the file already, unless by `force`."""
    waiting = beside(file) if file else _in_state(*what)
    if file and waiting and not force:
        _require_empty(file, waiting)
    if waiting is None:
        raise Problem(f"{_NO_FOLDER} name a file (--write).")
    return Place(file, waiting=waiting)


def _require_empty(file: Path, waiting: Path) -> None:
    """But for what a command that was killed has put there, and which waits still."""
    content, begun = read_secret(file), read_secret(waiting)
    if content and not (begun and begun in content):
        raise Problem(f"{file} holds something already. To replace it, say --force.")


def _in_state(*what: str) -> Path | None:
    """Where a secret waits that is for no file; `what` tells one thing from all others. None if there is no place."""
    name = hashlib.sha256("\0".join(what).encode()).hexdigest()[:24]
    try:
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "keyturn"
        make_folder(folder)
        waiting = folder / f"{name}{SUFFIX}"
        require_writable(waiting)
        stays_readable(waiting)
    except (Problem, RuntimeError):  # RuntimeError: nobody's home
        return None
    return waiting


def _locked(lock: Path, patience: Patience) -> int:
    """The file that only we have locked. Raises Problem."""
    said = False
    while True:
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE)
        except OSError as error:
            raise Problem(f"{lock} cannot be written: {(error.strerror or '').lower()}.") from None
        if _is_ours(handle, lock):
            return handle
        os.close(handle)
        if not patience.left():
            raise Problem(f"Another command has been changing the secret all the time, and has locked {lock}.")
        if not said:
            patience.told(f"Another command is changing the secret. Waiting for {lock} until {patience.until()}.")
            said = True
        patience.pause(LOCK_PAUSE_SECONDS)


def _is_ours(handle: int, lock: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    try:
        return os.path.samestat(os.fstat(handle), os.stat(lock))
    except FileNotFoundError:  # whoever had it before has removed it
        return False
