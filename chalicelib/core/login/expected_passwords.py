"""Which passwords somebody would try first: leaked ones, common words and names, patterns, and what people derive.

NIST SP 800-63B-4 section 3.1.1.2 asks for such a blocklist, and that nothing of the account itself is a password.
A password is looked at as a chain of parts: a word of the list, a run along the alphabet or the keyboard, digits,
single characters. What few parts make up is soon found. The work is bounded by the length: at most `MAX_ENTRY`
look-ups for each character, whatever the text.
"""

from __future__ import annotations

import functools
import gzip
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

COMMON = Path(__file__).with_name("common_passwords.txt.gz")  # its first lines say where it comes from
MIN_ENTRY, MAX_ENTRY = 4, 24  # characters of an entry
MIN_RUN = 3
MIN_PERSONAL = 4  # shorter parts of names occur in anything

# What a part weighs: each unit is some 7 bits of guessing.
WORD, DIGITS, RUN, CHARACTER, APPENDED = 2, 2, 1, 1, 1
ENOUGH = 6

# Characters that are written for one another ("leetspeak"), as the same one, in the list and in a password.
_LIKE = str.maketrans("0134578@$!|+l", "oieastbasiiti")
_SEPARATORS = str.maketrans("", "", " -_.,:;/")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz" * 2,
    "01234567890123456789",
    "qwertyuiop[]",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl;'",
    "qsdfghjklm",
    "zxcvbnm,./",
    "yxcvbnm,.-",
    "wxcvbn",
    "!@#$%^&*()_+",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
)
_RUNS = "\n".join(row + "\n" + row[::-1] for row in _ROWS)


def problem(typed: str, normal: str, personal: Sequence[str], shortest: int) -> str | None:
    """The rule, in plain words, that says why a password is expected; None if it is not.

    `normal` is the form of `typed` that is hashed; `personal` what others know of the account: login, name, address;
    `shortest` the least length of a password: no shorter text becomes one by being repeated.
    """
    folded = normal.casefold()
    readings = [text.translate(_LIKE) for text in (folded, _bare(folded))]
    if any(word in reading for word in _personal_words(personal) for reading in readings):
        return "must not contain the account's login, name or e-mail address, nor the word keyturn."
    for text in (typed.casefold(), folded, folded.translate(_SEPARATORS)):
        unit = text[: _period(text)]
        if len(unit) < min(len(text), shortest):
            return "must not be a short text repeated."
        if weight(unit, common()) < ENOUGH:
            return "is too easy to guess. Avoid leaked passwords, common words, names, digits and keyboard rows."
    return None


@functools.cache
def common() -> frozenset[str]:
    """The entries of the list, in the form in which they are looked up; the lines before them are too long to match."""
    return frozenset(gzip.decompress(COMMON.read_bytes()).decode("ascii").translate(_LIKE).splitlines())


def weight(text: str, entries: Container[str]) -> int:
    """What the lightest chain of parts weighs that makes up a case-folded text: the shortest path through it."""
    alike, lightest = text.translate(_LIKE), [0] + [len(text)] * len(text)
    digits, others = _ends(text, str.isdecimal), _ends(text, lambda character: not character.isalpha())

    def reach(end: int, total: int) -> None:
        lightest[end] = min(lightest[end], total)

    for start in range(len(text)):
        so_far = lightest[start]
        reach(start + 1, so_far + CHARACTER)
        reach(digits[start], so_far + DIGITS)
        reach(_end_of_run(text, start), so_far + RUN)
        for end in range(start + MIN_ENTRY, min(start + MAX_ENTRY, len(text)) + 1):
            if alike[start:end] in entries:
                reach(end, so_far + WORD)
                reach(others[end], so_far + WORD + APPENDED)
    return lightest[-1]


def _ends(text: str, belongs: Callable[[str], bool]) -> list[int]:
    """For each place, where the characters that belong together end: there, if the first does not."""
    ends = [*range(len(text) + 1)]
    for place in reversed(range(len(text))):
        if belongs(text[place]):
            ends[place] = max(ends[place + 1], place + 1)
    return ends


def _end_of_run(text: str, start: int) -> int:
    """Where a run ends that begins here: one character over and over, or a part of a row. `start` + 1 if none does."""
    end = start + 1
    while end < len(text) and text[end] == text[start]:
        end += 1
    if end - start < MIN_RUN:
        end = start + MIN_RUN
        while text[start:end] in _RUNS and end <= len(text):
            end += 1
        end -= 1
    return end if end - start >= MIN_RUN else start + 1


def _period(text: str) -> int:
    """The length of the shortest text whose repetition this one is, the last time perhaps in part; else its own.

    The prefix function of Knuth, Morris and Pratt: two steps for each character.
    """
    borders = [0] * len(text)
    for end in range(1, len(text)):
        border = borders[end - 1]
        while border and text[border] != text[end]:
            border = borders[border - 1]
        borders[end] = border + (text[border] == text[end])
    period = len(text) - borders[-1] if text else 0
    return period if 2 * period <= len(text) else len(text)


def _personal_words(personal: Sequence[str]) -> Iterator[str]:
    """What no password may hold, as it is looked up: each text without what stands between its words, and each word."""
    for text in (*personal, "keyturn"):
        folded = unicodedata.normalize("NFKC", text.partition("@")[0]).casefold()
        for word in (_bare(folded), *re.findall(r"\w+", folded)):
            if len(word) >= MIN_PERSONAL:
                yield word.translate(_LIKE)


def _bare(text: str) -> str:
    """Letters and digits alone."""
    return "".join(filter(str.isalnum, text))
