"""The two places where the signing keys can be, behind one interface: a text that is read and replaced whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.settings import Settings


class KeyDocument(Protocol):
    """The text in which the keys are."""

    def read(self) -> str | None:
        """None if there is none yet."""

    def write(self, text: str) -> None:
        """Replace it."""


class KeyFile:
    """A file that only its owner reads."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> str | None:
        return self._path.read_text() if self._path.exists() else None

    def write(self, text: str) -> None:
        """The file appears whole or not at all, and nobody else can read it at any moment."""
        scratch = self._path.with_name(f".{self._path.name}.new")
        scratch.unlink(missing_ok=True)
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(scratch, self._path)


def key_document(settings: Settings) -> KeyDocument | None:
    """The place that the settings name; None if they name none."""
    if settings.signing_keys_file:
        return KeyFile(settings.signing_keys_file)
    if settings.signing_keys_parameter:
        from chalicelib.outbound.parameters import Parameter

        return Parameter(settings.signing_keys_parameter, settings.table.region, settings.parameters_key)
    return None
