"""Secrets in files: only their owner reads them, and nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from keyturn_cli.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = 0o600


def read_secret(path: Path) -> str | None:
    """What the file holds, without the line's end; None if there is no file. Raises Problem."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
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
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if before:
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), (before.st_mode & 0o777) if before else PRIVATE)
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
        _sync_folder(target.parent)
    except OSError as error:
        if draft:
            with contextlib.suppress(OSError):
                os.unlink(draft)
        raise Problem(f"{path} cannot be written: {_reason(error)}.") from None


def require_writable(path: Path) -> None:
    """Raises Problem if a secret could not be put there."""
    try:
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise Problem(f"{path} cannot be written: {_reason(error)}.") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    return (error.strerror or "").lower() if isinstance(error, OSError) else "it holds no text"
