"""Secrets in files: only their owner reads them, and nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
from typing import TYPE_CHECKING

from keyturn_cli.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = 0o600
DRAFT = ".draft"
LONGEST = 65_536  # bytes; no secret has as many, and some files have no end


def read_secret(path: Path) -> str | None:
    """What the file holds, without the line's end; None if there is no file, or nothing in it. Raises Problem."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise Problem(f"{path} cannot be read: it holds more than a secret.")
        return data.decode().strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path} cannot be read: {_reason(error)}.") from None


def write_secret(path: Path, secret: str) -> None:
    """Put the secret in the place of what the file holds, at once or not at all, also over a power cut. Mode and
    owner stay those of the file; a new one is its owner's alone. Raises Problem."""
    draft = ""
    try:
        target = path.resolve()  # of a link, what it leads to: the link itself stays
        before = target.stat() if target.exists() else None
        handle, draft = tempfile.mkstemp(DRAFT, f".{target.name}.", target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            _make_like(file.fileno(), before)
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
        draft = ""
        _sync_folder(target.parent)
    except OSError as error:
        raise Problem(f"{path} cannot be written: {_reason(error)}.") from None
    finally:
        if draft:
            with contextlib.suppress(OSError):
                os.unlink(draft)


def put_in_place(draft: Path, path: Path) -> None:
    """A file that is written already takes the other's place, at once, with its mode and owner. It needs no room on the
    disk. Raises Problem."""
    try:
        target = path.resolve()
        before = target.stat() if target.exists() else None
        handle = os.open(draft, os.O_RDONLY)
        try:
            _make_like(handle, before)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(draft, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise Problem(f"{path} cannot be replaced: {_reason(error)}.") from None


def remove(path: Path) -> None:
    """Gone for good, over a power cut too. Raises Problem."""
    try:
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise Problem(f"{path} cannot be removed: {_reason(error)}.") from None


def remove_drafts(path: Path) -> None:
    """What `write_secret` has left beside the file when it was killed. Nobody may be writing the file."""
    with contextlib.suppress(OSError, RuntimeError):
        target = path.resolve()
        for draft in target.parent.glob(f".{glob.escape(target.name)}.????????{DRAFT}"):
            os.unlink(draft)


def require_writable(path: Path) -> None:
    """Raises Problem if a secret could not be put there."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise Problem(f"{path} cannot be written: it is no file.")
        if target.is_mount():
            raise Problem(f"{path} cannot be replaced: it is mounted by itself. Mount its folder.")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
        _require_readable(target.parent)
    except OSError as error:
        raise Problem(f"{path} cannot be written: {_reason(error)}.") from None
    except RuntimeError:  # of links that go in a circle
        raise Problem(f"{path} cannot be written: it is a link that leads to itself.") from None


def make_folder(folder: Path) -> None:
    """For its owner alone, unless it is there. Raises Problem."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Problem(f"{folder} cannot be made: {_reason(error)}.") from None


def _make_like(handle: int, before: os.stat_result | None) -> None:
    if before:
        with contextlib.suppress(PermissionError):
            os.fchown(handle, before.st_uid, before.st_gid)
    os.fchmod(handle, (before.st_mode & 0o777) if before else PRIVATE)


def _require_readable(folder: Path) -> None:
    """What is renamed there is on the disk for good only when the folder was synced, which opens it."""
    try:
        os.close(os.open(folder, os.O_RDONLY))
    except OSError as error:
        raise Problem(f"The folder {folder} cannot be read: {_reason(error)}.") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    return (error.strerror or "").lower() if isinstance(error, OSError) else "it holds no text"
