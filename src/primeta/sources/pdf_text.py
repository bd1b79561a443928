"""Text of pages as people read it: no running heads, words whole, lines joined to paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from primeta.sources.html_text import tidy

EDGE = 3
"""Lines at the top and at the foot of a page among which running heads are looked for."""
OFTEN = 3
"""Pages on which a line must stand to be one …"""
SHARE = 0.4
"""… and their share of all pages."""

_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(
    r"[\s|/–—-]*(?:стр\.?|с\.|page|p\.)?\s*\d{1,4}(?:\s*(?:из|of|/)\s*\d{1,4})?[\s|–—-]*", re.IGNORECASE
)
_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
_BROKEN = re.compile(r"([^\W\d_]{2,})[-‐‑]\s*\n\s*([^\W\d_]+)")
_SOFT = re.compile(r"\u00ad[^\S\n]*\n?[^\S\n]*")
_KEEPS_HYPHEN = frozenset({
    "кое", "по", "во", "из", "как", "где", "что", "кто", "вице", "экс", "онлайн", "офлайн", "пресс",
    "бизнес", "интернет", "топ", "веб", "смс", "e", "non", "self", "well", "co", "re", "pre", "post",
    "anti", "multi", "cross", "long", "short", "high", "low", "real", "end", "ex", "key", "data", "all",
    "in", "on", "off", "first", "second", "half",
})  # fmt: skip
"""First parts of words that are written with a hyphen: «по-новому», “long-term”."""
_ENDS = (".", "!", "?", ":", ";", "…", "»", '"', ")")
_POINT = re.compile(r"^(?:[•●▪■◦–—-]|\d{1,2}[.)])\s")


def without_furniture(pages: Sequence[str]) -> list[str]:
    """Each page without the lines that its neighbours repeat at the edge, and without its number."""
    cut = [[line for line in tidy(page.translate(_LIGATURES)).split("\n") if line] for page in pages]
    counts: Counter[str] = Counter()
    for lines in cut:
        counts.update({_mark(lines[at]) for at in _edge(lines)})
    needed = max(OFTEN, SHARE * sum(bool(lines) for lines in cut))
    left: list[str] = []
    for lines in cut:
        edge = set(_edge(lines))
        kept = [
            line
            for at, line in enumerate(lines)
            if not (at in edge and (_NUMBER.fullmatch(line) or counts[_mark(line)] >= needed))
        ]
        left.append("\n".join(kept))
    return left


def hyphens_joined(text: str) -> str:
    """Words that are broken at the end of a line, whole; those that have a hyphen keep it."""

    def whole(found: re.Match[str]) -> str:
        first, second = found[1], found[2]
        # A word goes on in small letters; «ABC-\nDEF» and «Санкт-\nПетербург» have their hyphen.
        hyphen = not second[0].islower() or first.lower() in _KEEPS_HYPHEN
        return f"{first}-{second}" if hyphen else first + second

    return _BROKEN.sub(whole, _SOFT.sub("", text))


def paragraphs(page: str) -> str:
    """Lines of a page joined to paragraphs; headings, points and rows of tables stay lines of their own."""
    lines = [line.strip() for line in hyphens_joined(page).split("\n") if line.strip()]
    if not lines:
        return ""
    widths = sorted(len(line) for line in lines)
    wide = widths[int(0.8 * (len(widths) - 1))]
    whole = [lines[0]]
    for before, line in pairwise(lines):
        full = len(before) >= 0.7 * wide and len(before) > 30
        goes_on = line[0].islower() or (full and not before.endswith(_ENDS))
        if goes_on and not _POINT.match(line):
            whole[-1] += " " + line
        else:
            whole.append(line)
    return "\n".join(whole)


def _edge(lines: Sequence[str]) -> list[int]:
    if len(lines) <= 2:
        return [] if not lines else [at for at in range(len(lines)) if _NUMBER.fullmatch(lines[at])]
    count = min(EDGE, (len(lines) - 1) // 2)
    return [*range(count), *range(len(lines) - count, len(lines))]


def _mark(line: str) -> str:
    return _DIGITS.sub("0", " ".join(line.casefold().split()))
