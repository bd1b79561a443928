"""What a person asks for, and how answers by words and by meaning become one list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from primeta.errors import BadInput
from primeta.signals.texts.plain_words import STOP, lemma, tokens
from primeta.signals.texts.word_index import readings
from primeta.sources.records import SourceKind

FUSION = 60
"""Constant of reciprocal rank fusion, as its authors set it."""

LONG_QUESTION = 8
"""Words from which the meaning of a question counts as much as its words."""

LONGEST_QUERY = 2_000
SNIPPET = 260

_PART = re.compile(
    r'(?P<minus>(?<!\S)-)?(?:(?P<name>\w+):["“”](?P<value>[^"“”]+)["“”]|["“”](?P<phrase>[^"“”]*)["“”]|(?P<word>[^\s"“”]+))'
)
_FILTER = re.compile(
    r"^(?P<name>source|kind|after|before|since|until|источник|вид|после|до):(?P<value>.+)$",
    re.IGNORECASE,
)
_NAMES = {"источник": "source", "вид": "kind", "после": "after", "до": "before", "since": "after",
          "until": "by"}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[.,·][0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query, taken apart."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    """Words that stand side by side in this order, in any form."""
    without: tuple[str, ...] = ()
    """Words and phrases of which the text has none."""
    sources: tuple[str, ...] = ()
    kinds: tuple[SourceKind, ...] = ()
    since: date | None = None
    """From this day on."""
    until: date | None = None
    """Up to this day, which is in."""

    @property
    def meaning(self) -> str:
        """What is looked for by meaning."""
        return " ".join((*self.phrases, *self.words))


def parse_query(query: str) -> Asked:
    """Take a query apart: words, "phrases", -words, and `source:`, `kind:`, `after:`, `before:` (or in Russian
    `источник:`, `вид:`, `после:`, `до:`).

    `after:2026-03-01` is from that day on, `before:2026-03-01` is the days before it.

    Raises:
        BadInput: a kind that does not exist, a day that is none, a query of more than 2,000 characters.
    """
    if len(query) > LONGEST_QUERY:
        raise BadInput(f"the query has {len(query):,} characters; expected at most {LONGEST_QUERY:,}")
    words: list[str] = []
    phrases: list[str] = []
    without: list[str] = []
    sources: list[str] = []
    kinds: list[SourceKind] = []
    since: date | None = None
    until: date | None = None
    for part in _PART.finditer(query):
        if part["phrase"] is not None:
            if tokens(part["phrase"]):
                (without if part["minus"] else phrases).append(part["phrase"])
            continue
        word = part["word"] or f"{part['name']}:{part['value']}"
        asked = None if part["minus"] else _FILTER.match(word)
        if asked is None:
            if tokens(word):
                (without if part["minus"] else words).append(word)
            continue
        name, value = asked["name"].lower(), asked["value"]
        name = _NAMES.get(name, name)
        if name == "source":
            sources.extend(entry for entry in value.split(",") if entry)
        elif name == "kind":
            kinds.extend(kind_of(entry) for entry in value.split(",") if entry)
        elif name == "after":
            since = max(filter(None, (since, _day(asked["name"], value))))
        else:
            last = _day(asked["name"], value)
            if name == "before":
                last = date.fromordinal(max(1, last.toordinal() - 1))
            until = min(filter(None, (until, last)))
    return Asked(words=tuple(words), phrases=tuple(phrases), without=tuple(without), sources=tuple(sources),
                 kinds=tuple(kinds), since=since, until=until)  # fmt: skip


def kind_of(name: str) -> SourceKind:
    """A kind of source by its name.

    Raises:
        BadInput: there is none; the message lists them.
    """
    plain = name.strip().lower().replace("-", "_")
    for kind in get_args(SourceKind):
        if kind == plain:
            return kind
    raise BadInput(f"kind {name!r}: expected one of {', '.join(get_args(SourceKind))}")


def _day(name: str, value: str) -> date:
    if re.fullmatch(r"\d{4}", value):
        value = f"{value}-01-01"
    elif re.fullmatch(r"\d{4}-\d\d", value):
        value = f"{value}-01"
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadInput(f"{name}:{value} is no day; expected one such as {name}:2026-12-31") from None


def fused(
    by_words: Sequence[tuple[str, float]], by_meaning: Sequence[str], *, length: int
) -> list[tuple[str, float]]:
    """Both lists as one, by weighted reciprocal rank fusion: a place at rank r brings weight / (60 + r).

    A document found by words weighs the square of the share of the question that it covers: one common word of ten is
    no answer, and a Russian question to English texts has none. Meaning weighs a quarter where two words are asked
    and all from eight words on: a vector of one word is near much that has nothing to do with it.

    Args:
        by_words: (id, share of the question covered), the best first.
        by_meaning: Ids, the nearest first.
        length: Words of the question.
    Source:
        Cormack, Clarke & Büttcher (2009), "Reciprocal rank fusion outperforms Condorcet and individual rank learning
        methods"; the weights are ours, measured in `benchmarks/search.py`.
    """
    scores: dict[str, float] = {}
    for rank, (entry, share) in enumerate(by_words, 1):
        scores[entry] = scores.get(entry, 0.0) + share**2 / (FUSION + rank)
    weight = min(1.0, max(1, length) / LONG_QUESTION)
    for rank, entry in enumerate(by_meaning, 1):
        scores[entry] = scores.get(entry, 0.0) + weight / (FUSION + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def searched_forms(asked: Asked) -> frozenset[str]:
    """Usual forms of the words that a snippet marks."""
    found: set[str] = set()
    for part in (*asked.words, *asked.phrases):
        for token in tokens(part):
            if token not in STOP:
                found.update(readings(token))
    return frozenset(found)


def snippet(text: str, forms: frozenset[str], *, length: int = SNIPPET) -> tuple[tuple[str, bool], ...]:
    """The piece of a text that holds the most different searched words, as (piece, is searched) in order.

    Args:
        text: Plain text; of very long ones the first 20,000 characters are looked at.
        forms: As `searched_forms` gives them; where none stands in the text, it is the beginning.
        length: Characters, about.
    """
    text = " ".join(text[:20_000].split())
    marks: list[tuple[int, int, str]] = []
    if forms:
        for found in _WORD.finditer(text):
            parts = tokens(found.group())
            usual = next((form for form in map(lemma, parts) if form in forms), None)
            if usual is not None:
                marks.append((found.start(), found.end(), usual))
    start = 0
    if marks and len(text) > length:

        def worth(place: int) -> tuple[int, int]:
            inside = [
                form
                for begin, end, form in marks[place : place + 40]
                if end <= marks[place][0] + length * 3 // 4
            ]
            return len(set(inside)), len(inside)

        best = max(range(min(len(marks), 500)), key=lambda place: (*worth(place), -place))
        start = max(0, marks[best][0] - length // 4)
        start = min(start, max(0, len(text) - length))
        if start:
            start = text.find(" ", start) + 1 or start
    end = len(text)
    if end - start > length:
        end = text.rfind(" ", start, start + length)
        end = end if end > start else start + length
    pieces: list[tuple[str, bool]] = []
    at = start
    for begin, stop, _ in marks:
        if begin < start or stop > end:
            continue
        if begin > at:
            pieces.append((text[at:begin], False))
        pieces.append((text[begin:stop], True))
        at = stop
    if at < end:
        pieces.append((text[at:end], False))
    if start:
        pieces.insert(0, ("… ", False))
    if end < len(text):
        pieces.append((" …", False))
    return tuple(pieces)
