"""Markdown as far as tests of the documentation read it: code blocks, links, headings."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)|(?:src|href)=\"(?P<quoted>[^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced code block."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


def blocks(path: Path, language: str | None = None) -> list[Block]:
    """The fenced code blocks of a page, or those in one language."""
    page = path.read_text()
    found = [
        Block(path, page.count("\n", 0, each.start()) + 1, each["language"], textwrap.dedent(each["text"]))
        for each in _FENCE.finditer(page)
    ]
    return [each for each in found if language in (None, each.language)]


def links(path: Path) -> list[str]:
    """Where the page links to, also by pictures, outside of code."""
    return [each["target"] or each["quoted"] for each in _LINK.finditer(_prose(path))]


def anchors(path: Path) -> set[str]:
    """What links to headings of the page end with, as GitHub makes them."""
    found: set[str] = set()
    for each in _HEADING.finditer(_prose(path)):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each["text"]).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = 0
        while (candidate := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(candidate)
    return found


def _prose(path: Path) -> str:
    return re.sub(r"`[^`\n]*`(?!\])", lambda code: code[0].replace("](", "] ("), _FENCE.sub("", path.read_text()))
