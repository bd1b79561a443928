"""What a source repeats under its texts: signatures, "subscribe", advertisements, templates of tickets.

A sentence that a source uses again and again in different documents says nothing about what happened; it neither makes
two texts copies nor makes a topic. Counts are kept per source and sentence, grow with every batch and can be added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from primeta.signals.texts.plain_words import normal_form

OFTEN = 5
"""Documents of one source from which a sentence can be boilerplate …"""

SHARE = 0.02
"""… if it stands in at least this share of them too: news of the day are said five times in ten thousand texts."""

VOICE_SHARE = 0.25
"""Of what customers say: «Где мой заказ?» stands in many tickets because many wait; what a form adds stands in most."""

KEPT = 20_000
"""Different sentences counted for one source; the rarest are forgotten beyond."""

_SPLIT = re.compile(r"(?<=[.!?…])\s+|\n+")
_CALL = re.compile(
    r"^\W*(подпис(?:ыв)?(?:айтесь|аться|айся|ывайся|итесь)|читайте (?:также|нас)|присоединяйтесь|наш (?:канал|чат|телеграм)|реклама\b|"
    r"на правах рекламы|erid\b|отправлено с (?:моего )?(?:iphone|айфона)|с уважением|все права защищены|"
    r"subscribe\b|follow us|join (?:us|our)|read (?:more|also)|sign up for|sent from my|kind regards|best regards|"
    r"all rights reserved|unsubscribe|sponsored\b|advertisement)",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:·\d+)*")


def sentences(text: str) -> list[str]:
    """Sentences and lines, as written."""
    return [part for part in (piece.strip() for piece in _SPLIT.split(text)) if part]


def _mark(sentence: str) -> int:
    # «Обращение № 1234» is the same line with every number.
    plain = _DIGITS.sub("0", normal_form(sentence))
    return int.from_bytes(hashlib.blake2b(plain.encode(), digest_size=8).digest(), "little") if plain else 0


@dataclass(slots=True)
class Boilerplate:
    """How many documents of each source hold each sentence."""

    documents: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[int, int]] = field(default_factory=dict)
    voices: set[str] = field(default_factory=set)
    """Sources in which customers speak, each for himself."""

    def add(self, source: str, texts: Iterable[str], *, voices: bool = False) -> None:
        """Count the sentences of documents that were not counted before; exact copies of one text count once a call.

        Args:
            voices: Customers speak here.
        """
        if voices:
            self.voices.add(source)
        mine = self.counts.setdefault(source, {})
        for text in dict.fromkeys(texts):
            self.documents[source] = self.documents.get(source, 0) + 1
            parts = sentences(text)
            # The only sentence of a short text is what it says, however many say so.
            if len(parts) < 2:
                continue
            for mark in {_mark(part) for part in parts} - {0}:
                mine[mark] = mine.get(mark, 0) + 1
        if len(mine) > 2 * KEPT:
            kept = sorted(mine.items(), key=lambda entry: (-entry[1], entry[0]))[:KEPT]
            self.counts[source] = dict(kept)

    def merge(self, other: Boilerplate) -> None:
        """Add what another counted in other documents."""
        self.voices |= other.voices
        for source, number in other.documents.items():
            self.documents[source] = self.documents.get(source, 0) + number
        for source, theirs in other.counts.items():
            mine = self.counts.setdefault(source, {})
            for mark, number in theirs.items():
                mine[mark] = mine.get(mark, 0) + number

    def is_repeated(self, source: str, sentence: str) -> bool:
        """Whether the source says the sentence under many of its documents."""
        number = self.counts.get(source, {}).get(_mark(sentence), 0)
        return number >= self._least(source)

    def repeated(self, source: str) -> frozenset[int]:
        """Marks of the sentences that are boilerplate of the source by now; `without` takes them."""
        least = self._least(source)
        return frozenset(mark for mark, number in self.counts.get(source, {}).items() if number >= least)

    def _least(self, source: str) -> float:
        share = VOICE_SHARE if source in self.voices else SHARE
        return max(OFTEN, share * self.documents.get(source, 0))

    @staticmethod
    def without(text: str, marks: frozenset[int]) -> str:
        """What the text says beyond these sentences and calls to subscribe; may be empty."""
        parts = sentences(text)
        if len(parts) < 2:
            return text
        return "\n".join(
            part for part in parts if not (_CALL.match(part) or (marks and _mark(part) in marks))
        )

    def left(self, source: str, text: str) -> str:
        """What the text says beyond its source's boilerplate and calls to subscribe; may be empty."""
        parts = sentences(text)
        if len(parts) < 2:
            return text
        kept = [part for part in parts if not (_CALL.match(part) or self.is_repeated(source, part))]
        return "\n".join(kept)

    def state(self) -> dict[str, object]:
        """A plain dict for the store; `from_state` reads it back."""
        return {"documents": dict(self.documents), "voices": sorted(self.voices), "counts": {
            source: {f"{mark:x}": number for mark, number in mine.items() if number > 1}
            for source, mine in self.counts.items()
        }}  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Boilerplate:
        """Counts as `state` told them; sentences seen once are forgotten."""
        documents = {source: int(str(number)) for source, number in state["documents"].items()}
        counts = {
            source: {int(mark, 16): int(number) for mark, number in dict(mine).items()}
            for source, mine in state["counts"].items()
        }
        return cls(documents=documents, counts=counts, voices=set(state.get("voices", ())))
