"""Nothing that could be a secret is printed back, wherever it was typed.

What is told apart is the form: a secret of Keyturn or of a Hub, an access token, a webhook's key, a password in an
address; and what looks random. It is taken out of every message at one place (`program.py`). Paths to secrets stay.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from keyturn_cli import token_format

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

HIDDEN = "…"
_START = r"(?<![0-9A-Za-z])"
_OURS = r"kt[a-z]_|kss_"
# What begins like one, also half of one.
_SECRET = re.compile(
    rf"{_START}(?:(?:{_OURS})[0-9A-Za-z]{{8,}}"
    r"|whsec_[0-9A-Za-z+/=_-]{8,}"
    r"|eyJ[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*){1,4}"
    r"|perm:[0-9A-Za-z=+/_.-]{8,}"
    r"|perm-[0-9A-Za-z+/_-]+[=.][0-9A-Za-z=+/_.-]+)"
)
_USERINFO = re.compile(r"(?<=://)[^/\s'\"?#]*@")
# Both cases and a digit without a stop between them, as random text of some length has them; or many digits of base 16.
_MIXED = r"(?=[0-9A-Za-z]*[a-z])(?=[0-9A-Za-z]*[A-Z])(?=[0-9A-Za-z]*[0-9])[0-9A-Za-z]{10,}"
_RANDOM = re.compile(
    rf"(?<![0-9A-Za-z_-])(?:(?=(?:[0-9A-Za-z]*[_-])*{_MIXED})[0-9A-Za-z_-]{{20,}}"
    r"|[0-9a-f]{32,}|[0-9A-F]{32,})={0,2}(?![0-9A-Za-z_-])"
)
_named = set[str]()
SHORTEST_BARE = 4  # an argument that is shorter is only taken out where it is quoted


def holds_secret(text: str) -> bool:
    """Whether there is a whole secret in it: of Keyturn (ADR 2), for a webhook (Standard Webhooks, "Signature scheme"),
    a signed token (RFC 7519 section 3), or a permanent token of a Hub. What only begins like one is none."""
    return any(is_one(found[0]) for form, is_one in _WHOLE for found in form.finditer(text))


def stays_readable(path: object) -> None:
    """A path that the program names itself, to say where a secret is: somebody has to find it, whatever it looks like.
    One that holds a whole secret is taken out all the same."""
    if not holds_secret(str(path)):
        _named.add(str(path))


def redacted(text: str) -> str:
    """The text without what could be a secret by its form."""
    return "".join(part if part in _named else _without_secrets(part) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """The text, apart where a path begins or ends that stays readable; the longest first, since one may begin like
    another."""
    if not _named:
        return iter([text])
    paths = "|".join(map(re.escape, sorted(_named, key=len, reverse=True)))
    return iter(re.split(rf"({paths})(?![0-9A-Za-z_/-])", text))


def _without_secrets(text: str) -> str:
    for form in (_USERINFO, _SECRET, _RANDOM):
        text = form.sub("…@" if form is _USERINFO else HIDDEN, text)
    return text


def _is_signed(text: str) -> bool:
    try:
        return isinstance(json.loads(_decoded(text.partition(".")[0])), dict)
    except ValueError:
        return False


def _is_of_hub(text: str) -> bool:
    """Login and name, in base64, and what is secret, with dots between."""
    try:
        return all(_decoded(each).decode().isprintable() for each in text[len("perm:") :].split(".")[:2])
    except ValueError:
        return False


def _decoded(text: str) -> bytes:
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


_WHOLE: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (re.compile(rf"{_START}(?:{_OURS})[0-9A-Za-z]+"), token_format.is_checked),
    (re.compile(rf"{_START}whsec_[0-9A-Za-z+/]+={{0,2}}"), token_format.is_webhook_secret),
    (re.compile(rf"{_START}eyJ[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]*){{2,4}}"), _is_signed),
    (re.compile(rf"{_START}perm[:-][0-9A-Za-z+/_-]+=*\.[0-9A-Za-z+/_-]+=*\.[0-9A-Za-z+/_=-]+"), _is_of_hub),
)


def without_arguments(text: str, arguments: Iterable[str], known: Collection[str]) -> str:
    """A complaint about how a command was written, without what was typed: only names that the program has are said."""
    words = {part for argument in arguments for part in (argument, *argument.split("=", 1))}
    for word in sorted(words - set(known), key=len, reverse=True):
        if not word.strip():
            continue
        for shown in (repr(word), f"'{word}'", f'"{word}"'):
            text = text.replace(shown, f"'{HIDDEN}'")
        text = text.replace(f"({word})", f"({HIDDEN})")
        if len(word) >= SHORTEST_BARE:
            text = text.replace(word, HIDDEN)
    return text
