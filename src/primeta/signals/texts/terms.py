"""What a text could be a topic of: its words in their usual form, pairs of neighbours, names with their numbers.

A term is a number of 64 bits that follows from its words alone, so that terms of different days, files and machines
meet without a dictionary; how it reads is taken from the texts themselves when somebody has to read it
(`terms_shown`). Words are looked up once and remembered: a million short texts take less than a minute.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from primeta.signals.texts.plain_words import english, is_known, readable, russian
from primeta.signals.texts.terms_words import SILENT

Codes = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.int64]

LONGEST = 3000
"""Characters of a text that are read: an article says in its first paragraphs what it is about."""
REMEMBERED = 600_000
"""Written forms kept in memory; beyond, they are looked up again."""

ALONE, PAIRED, NAME, NUMBER = 1, 2, 4, 8
"""A word is a term by itself; may stand in a pair; a number after it is part of a name; is a number."""
_MARKS = np.uint64(15)

_NOISE = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|ru|me|рф)/\S*|\S+@\S+\.\w+|(?<!\w)@\w+"
)
_TOKEN = re.compile(
    r"#\w+"
    r"|\d+(?:[.,]\d+)*-?[A-Za-zА-ЯЁ][A-Za-zА-ЯЁ\d]*(?![а-яё])"  # 152-ФЗ, 5G, 3D
    r"|\d+(?:[.,]\d+)*"
    r"|[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f\d]*(?:[.&'’+-][A-Za-z\u00c0-\u024f\d]+)*(?:\+\+|#)?"
    r"|[А-Яа-яЁё]+(?:-[А-Яа-яЁё\d]+)*"
    r"|[^\W\d_]+"
    r"|[.,;:!?()\[\]{}|/\\—–…*•\n]"
)
_VERSION = re.compile(r"\d{1,3}(?:[.,]\d{1,3}){0,3}")
_LAW = re.compile(r"([А-ЯЁ]{1,5})-(\d{1,4})")
"""«ФЗ-152» is «152-ФЗ»."""
_SILENT_PARTS = frozenset("PREP CONJ PRCL NPRO INTJ NUMR PRED COMP ADVB GRND".split())  # noqa: SIM905
_PAIR_PARTS = frozenset("ADJF ADJS PRTF PRTS".split())  # noqa: SIM905
_PROPER = frozenset("Surn Geox Orgn Trad".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Incidence:
    """Which terms stand in which texts: `codes[ends[i − 1]:ends[i]]` are those of text i, each once, ascending."""

    codes: Codes
    ends: Ids
    """(n,)."""


@dataclass(slots=True)
class TermReader:
    """Reads terms, and remembers the words that it met."""

    _known: dict[str, int] = field(default_factory=dict)

    def read(self, texts: Sequence[str]) -> Incidence:
        """Terms of n texts, without what is said in many words by everybody (`terms_words`).

        Args:
            texts: Title and text, boilerplate already taken out.
        """
        known, look_up = self._known, self._look_up
        rows: list[int] = []
        counts = np.zeros(len(texts), dtype=np.int64)
        for place, text in enumerate(texts):
            before = len(rows)
            for token in tokens(text):
                code = known.get(token)
                rows.append(look_up(token) if code is None else code)
            # No pair across the border of two texts.
            rows.append(0)
            counts[place] = len(rows) - before
        words = np.array(rows, dtype=np.uint64)
        owner = np.repeat(np.arange(len(texts)), counts)
        marks = words & _MARKS
        alone = np.flatnonzero(marks & np.uint64(ALONE))
        left = np.flatnonzero(_pairs(marks))
        codes = np.concatenate(
            [words[alone] & ~_MARKS | np.uint64(1), pair_code(words[left], words[left + 1])]
        )
        rows_of = np.concatenate([owner[alone], owner[left]])
        order = np.lexsort((codes, rows_of))
        codes, rows_of = codes[order], rows_of[order]
        fresh = np.ones(len(codes), dtype=bool)
        fresh[1:] = (codes[1:] != codes[:-1]) | (rows_of[1:] != rows_of[:-1])
        return Incidence(
            codes=codes[fresh], ends=np.cumsum(np.bincount(rows_of[fresh], minlength=len(texts)))
        )

    def spoken(self, text: str) -> list[tuple[int, str]]:
        """(code, as written) of every term of one text, repeats included."""
        there = tokens(text)
        known = self._known
        words = np.array([known[t] if t in known else self._look_up(t) for t in there] + [0], dtype=np.uint64)
        marks = words & _MARKS
        alone = np.flatnonzero(marks & np.uint64(ALONE)).tolist()
        found = [(int(words[at] & ~_MARKS | np.uint64(1)), there[at]) for at in alone]
        left = np.flatnonzero(_pairs(marks))
        codes = pair_code(words[left], words[left + 1]).tolist()
        return found + [
            (code, f"{there[at]} {there[at + 1]}") for code, at in zip(codes, left.tolist(), strict=True)
        ]

    def _look_up(self, token: str) -> int:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        code = word_code(token)
        self._known[token] = code
        return code


def _pairs(marks: Codes) -> npt.NDArray[np.bool_]:
    """(n,) whether a word and the next one are a term together."""
    both = np.zeros(len(marks), dtype=bool)
    paired = (marks & np.uint64(PAIRED)) > 0
    both[:-1] = (paired[:-1] & paired[1:]) | (
        ((marks[:-1] & np.uint64(NAME)) > 0) & ((marks[1:] & np.uint64(NUMBER)) > 0)
    )
    return both


def pair_code(left: Codes, right: Codes) -> Codes:
    """Terms of two words, in their order; even, where terms of one word are odd."""
    mixed = (left & ~_MARKS) * np.uint64(0x9E3779B97F4A7C15) ^ (right & ~_MARKS)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) & ~np.uint64(1)


def tokens(text: str) -> list[str]:
    """Words, numbers, names and the signs that part sentences, as written; no links, addresses, @names."""
    text = readable(text[:LONGEST])
    if "@" in text or "/" in text or "www" in text:
        text = _NOISE.sub(" . ", text)
    return _TOKEN.findall(text)


def word_code(token: str) -> int:
    """What a written word counts as: 60 bits of its usual form and four marks; 0 says nothing and parts pairs."""
    token = token.removeprefix("#")
    first = token[:1]
    if first.isdigit():
        return _number(token)
    if len(token) < 2 or not first.isalpha():
        return 0
    usual, marks = _latin(token) if not "\u0400" <= first <= "\u04ff" else _cyrillic(token)
    return _hashed(usual) | marks if marks else 0


def _hashed(usual: str) -> int:
    return int.from_bytes(hashlib.blake2b(usual.encode(), digest_size=8).digest(), "little") & ~15


def _number(token: str) -> int:
    plain = token.replace(",", ".")
    if not any(c.isalpha() for c in plain):
        # Years and sums are no names; «iOS 26», "Python 3.12" are.
        return _hashed(plain) | NUMBER if _VERSION.fullmatch(plain) else 0
    head = plain.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    tail = plain[len(head) :].lower()
    if tail in _UNITS:
        return 0
    return _hashed(plain.lower().replace("ё", "е")) | ALONE | PAIRED | NAME


_UNITS = frozenset(
    [
        "k",
        "m",
        "b",
        "bn",
        "s",
        "x",
        "th",
        "st",
        "nd",
        "rd",
        "am",
        "pm",
        "h",
        "d",
        "kb",
        "mb",
        "gb",
        "tb",
        "px",
        "km",
        "cm",
        "mm",
        "kg",
        "ms",
        "hz",
        "mhz",
        "ghz",
        "usd",
        "eur",
        "c",
        "f",
        "p",
    ]
)


def _latin(token: str) -> tuple[str, int]:
    token = token.replace("’", "'").removesuffix("'s")
    low = token.lower()
    if low in SILENT or len(low) < 2 or "'" in low:
        return low, 0
    inner = any(c.isupper() or c.isdigit() for c in token[1:])
    usual = low if inner and not token.isupper() else english(low)
    if usual in SILENT:
        return usual, 0
    return usual, ALONE | PAIRED | (NAME if inner or token[0].isupper() else 0)


def _cyrillic(token: str) -> tuple[str, int]:
    low = token.lower().replace("ё", "е")
    if low in SILENT or len(low) < 2:
        return low, 0
    law = _LAW.fullmatch(token)
    if law:
        return f"{law[2]}-{law[1].lower()}", ALONE | PAIRED | NAME
    usual, part, grammemes, _ = russian(low)
    if usual in SILENT or part in _SILENT_PARTS or "Apro" in grammemes or "Anum" in grammemes:
        return usual, 0
    abbreviation = token.isupper() and len(token) <= 6
    if abbreviation:
        return low, ALONE | PAIRED | NAME
    if part in _PAIR_PARTS and not grammemes & _PROPER:
        # «Зиммокурин» reads like «мамин»: a capital letter and no such word mean a name
        if token[0].isupper() and not is_known(low):
            return usual, ALONE | PAIRED
        return usual, PAIRED
    # Two letters that are no abbreviation («кв», «шт») are units.
    return (usual, ALONE | PAIRED) if len(low) > 2 else (usual, 0)
