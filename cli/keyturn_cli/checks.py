"""Shapes of arguments, told before anything is asked. What was typed is not said again: it could be a secret."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from keyturn_cli import running

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "w": 604_800}
DAY = UNITS["d"]
LONGEST_GRACE = 90 * DAY
LONGEST_LIFE = 10 * 365 * DAY
LONGEST_NAME = 200
LONGEST_ABOUT = 1_000
LONGEST_ADDRESS = 500
_ADDRESS = re.compile(
    r"(?:https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])|http://(?:localhost|127\.0\.0\.1)(?=[:/]))"
    r"(?::[0-9]{1,5})?(?:[/?#][\x21-\x7e]*)?",
    re.ASCII,
)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/=-]{0,62}", re.ASCII)


class Length(click.ParamType[int]):
    """A length of time such as 90d, 12h, 30m or 3600, in seconds."""

    name = "time"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
        if not (number.isascii() and number.isdigit()) or len(number) > 9:
            self.fail("it is no length of time such as 90d, 12h, 30m or 3600.", param, ctx)
        seconds = int(number) * UNITS[unit]
        if not self._least <= seconds <= self._most:
            self.fail(f"it must be from {said(self._least)} to {said(self._most)}.", param, ctx)
        return seconds


class Text(click.ParamType[str]):
    """A name, or what is said of something: printable, and not only space."""

    name = "text"

    def __init__(self, most: int = LONGEST_NAME, empty: bool = False) -> None:
        self._most, self._empty = most, empty

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, as it is."""
        text = str(value)
        if not (text.strip() or (self._empty and not text)) or not text.isprintable():
            self.fail("it must be printable, and not only space.", param, ctx)
        if len(text) > self._most:
            self.fail(f"it may have at most {self._most} characters.", param, ctx)
        return text


class Reference(click.ParamType[str]):
    """Names one thing, by an id, a key, a login or a name: not what leads to another path."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, as it is."""
        text = str(value)
        if not text.strip("./ ") or not text.isprintable():
            self.fail("it names nothing.", param, ctx)
        return text


class Label(click.ParamType[str]):
    """Such as nightly or team=payments."""

    name = "label"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The label."""
        if not _LABEL.fullmatch(str(value)):
            self.fail("it must have 1 to 63 of A-Z, a-z, 0-9 and . _ / = -, a letter or digit first.", param, ctx)
        return str(value)


class Network(click.ParamType[str]):
    """CIDR (RFC 4632, RFC 4291 section 2.3)."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The network."""
        try:
            return str(ipaddress.ip_network(str(value)))
        except ValueError:
            self.fail("it is no network such as 192.0.2.0/24 or 2001:db8::/32.", param, ctx)


class WebAddress(click.ParamType[str]):
    """An https address, or http on this machine."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address."""
        text = str(value)
        try:
            parts = urlsplit(text)
            usable = parts.port != 0
        except ValueError:
            usable = False
        if usable and "@" in parts.netloc:
            self.fail("it holds a user or a password, which everybody could read who may read the address.", param, ctx)
        if not usable or not _ADDRESS.fullmatch(text):
            self.fail("it is no https web address such as https://example.com/hook.", param, ctx)
        if len(text) > LONGEST_ADDRESS:
            self.fail(f"it may have at most {LONGEST_ADDRESS} characters.", param, ctx)
        return text


class Command(click.ParamType[str]):
    """A command line for the shell."""

    name = "command"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The command line."""
        if reason := running.complaint(str(value)):
            self.fail(reason, param, ctx)
        return str(value)


GRACE = Length(0, LONGEST_GRACE)
LIFE = Length(1, LONGEST_LIFE)
NAME = Text()
REFERENCE = Reference()
ABOUT = Text(LONGEST_ABOUT, empty=True)
FORCE_HELP = "Replace the content of the file of --write, whatever it is."
FILE = click.Path(path_type=Path, dir_okay=False)


def said(seconds: int) -> str:
    """A length of time for people."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % UNITS[unit] == 0:
            return f"{seconds // UNITS[unit]} {unit}"
    return f"{seconds} s"
