"""Nothing that could be a secret is printed back, wherever it was typed.

What is told apart is the form: a secret of Keyturn or of a Hub, an access token, a webhook's key, a password in an
address; and what looks random. It is taken out of every message at one place (`program.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

HIDDEN = "…"
_KNOWN = (
    r"kt[a-z]_[0-9A-Za-z]{%(least)s,}"
    r"|whsec_[0-9A-Za-z+/=_-]{%(least)s,}"
    r"|eyJ[0-9A-Za-z_-]{%(least)s,}(?:\.[0-9A-Za-z_-]*){1,2}"
    r"|perm[:-][0-9A-Za-z=+/_.-]{%(least)s,}"
)
_SECRET = re.compile(rf"(?<![0-9A-Za-z])(?:{_KNOWN % {'least': 8}})")  # also half of one
_WHOLE = re.compile(rf"(?<![0-9A-Za-z])(?:{_KNOWN % {'least': 20}})")
_USERINFO = re.compile(r"(?<=://)[^/\s'\"?#]*@")
# Both cases and a digit, as random text of some length has them, or many digits of base 16.
_RANDOM = re.compile(
    r"(?<![0-9A-Za-z_-])(?:(?=[0-9A-Za-z_-]*[a-z])(?=[0-9A-Za-z_-]*[A-Z])(?=[0-9A-Za-z_-]*[0-9])[0-9A-Za-z_-]{20,}"
    r"|[0-9a-f]{32,}|[0-9A-F]{32,})={0,2}(?![0-9A-Za-z_-])"
)
SHORTEST_BARE = 4  # an argument that is shorter is only taken out where it is quoted


def holds_secret(text: str) -> bool:
    """Whether there is something in it that has the form of a secret."""
    return bool(_WHOLE.search(text))


def redacted(text: str) -> str:
    """The text without what could be a secret by its form."""
    for form in (_USERINFO, _SECRET, _RANDOM):
        text = form.sub("…@" if form is _USERINFO else HIDDEN, text)
    return text


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
