"""What a command says: tables for people, JSON for programs; what went on meanwhile, on the error stream."""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Output:
    """`as_json`: for programs."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._console = Console(highlight=False)
        self.errors = Console(stderr=True, highlight=False)

    def show(self, thing: Any, lines: Iterable[tuple[str, object]]) -> None:
        """One thing."""
        if self.as_json:
            self._write(thing)
            return
        table = Table(show_header=False, box=None, pad_edge=False)
        for name, value in lines:
            table.add_row(f"[dim]{name}[/]", escape(text(value)))
        self._console.print(table)

    def table(self, things: Sequence[Any], columns: dict[str, Any]) -> None:
        """Several; `columns` says what each column takes from a thing."""
        if self.as_json:
            self._write(list(things))
            return
        table = Table(*columns, box=None, pad_edge=False, header_style="dim")
        for thing in things:
            table.add_row(*(escape(text(take(thing))) for take in columns.values()))
        self._console.print(table)

    def secret(self, thing: Any, secret: str) -> None:
        """A secret by itself, so that it can go through a pipe."""
        if self.as_json:
            self._write(thing)
        else:
            click.echo(secret)

    def flush(self) -> None:
        """What was printed has left the program. Raises OSError."""
        if sys.stdout is None:  # it was closed before the program began
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.flush()

    def say(self, message: str) -> None:
        """What was done; not part of the result."""
        if not self.as_json:
            self.errors.print(escape(message), soft_wrap=True)

    def during(self, message: str) -> AbstractContextManager[Any]:
        """Something that takes a while."""
        return self.errors.status(message) if self.errors.is_terminal else nullcontext()

    def _write(self, value: Any) -> None:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def moment(milliseconds: int | None) -> str:
    """A time in words of the place where the command runs."""
    if milliseconds is None:
        return "–"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def text(value: object) -> str:
    """A value in a table, without what could move the terminal's cursor."""
    if isinstance(value, list):
        return ", ".join(map(text, value)) or "–"
    plain = "–" if value in (None, "") else str(value)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in plain)
