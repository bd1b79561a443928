"""What a metric and a text have in common: words, the slice that is named, the time, the customers, the meaning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from primeta.signals.signal import Signal
from primeta.signals.texts.plain_words import words
from primeta.trends.kinship_words import ABOUT, EMPTY, FIELDS, PLACES, THINGS

NEAR_DAYS = 56
"""Onsets at most eight weeks apart are of one time."""
BEFORE_DAYS = 182
"""People may speak of a thing half a year before customers act on it."""
SAME_MEANING = 0.5
"""Cosine from which two short descriptions are told to be near in meaning (docs/methods/origins.md)."""
AT_LEAST_CUSTOMERS = 5
"""Fewer who spoke say nothing about whose voice it is."""

Nearness = Callable[[str, str], float]
"""Cosine of two texts' vectors, −1 … 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speakers:
    """Whose voices a topic holds, against everybody whose voices are known."""

    customers: int
    """Known customers who spoke of the topic."""
    inside: int
    """Of them in the slice."""
    share: float
    """Of all known customers who said anything, in the slice."""

    @property
    def leans(self) -> bool:
        """Whether the slice speaks of it more than its share, at 5% (one-sided exact binomial)."""
        if self.customers < AT_LEAST_CUSTOMERS or not 0 < self.share < 1:
            return False
        from scipy.stats import binom

        return bool(binom.sf(self.inside - 1, self.customers, self.share) <= 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """What is known beside the signals themselves when they are held against each other."""

    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Topic → its words as they stand now; without it, those of first sight."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Metric → its names in all languages: words of the team's own metrics."""
    speakers: Callable[[str, str], Speakers | None] = lambda _topic, _slice: None
    """(topic, slice) → whose voices it holds."""
    nearness: Nearness | None = None


def topic_words(signal: Signal, kin: Kin) -> frozenset[str]:
    """Usual forms of all words of a topic: of first sight, and those that it gained."""
    return _bag(" ".join((signal.words, *kin.terms.get(signal.topic, ()))))


@lru_cache(maxsize=50_000)
def _bag(text: str) -> frozenset[str]:
    return frozenset(words(text))


@lru_cache(maxsize=512)
def _thing(name: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """(words of its field, sure words, loose words), in their usual form as well as as they are written."""
    of, sure, loose = THINGS[name]
    return _spelled(FIELDS[of]), _spelled(sure), _spelled(loose)


@lru_cache(maxsize=512)
def _spelled(listed: str) -> frozenset[str]:
    return frozenset(word.replace("ё", "е") for word in listed.split()) | frozenset(words(listed))


def metric_words(metric: str, labels: Iterable[str] = ()) -> frozenset[str]:
    """The telling words of a metric's own names."""
    own = frozenset(word for text in (metric.replace("_", " "), *labels) for word in words(text))
    return own - _spelled(" ".join(EMPTY))


def shared_with_metric(
    metric: str, said: Collection[str], *, labels: Iterable[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """How far a text's words are about a metric.

    Args:
        said: Usual forms of its words.
    Returns:
        (`same-words`, the words) where they name what the metric counts; (`same-field`, the words) where they are of
        its field only; ("", ()) where nothing speaks for it.
    """
    said = frozenset(said)
    sure: set[str] = set()
    field_words: set[str] = set()
    for name in ABOUT.get(metric, ()):
        of_field, named, loose = _thing(name)
        beside = said & of_field
        sure |= said & named
        # A loose word means the thing only where another word of the field stands beside it.
        sure |= {word for word in said & loose if beside - {word}}
        field_words |= beside
    if metric not in ABOUT:
        sure |= said & metric_words(metric, labels)
    if sure:
        return "same-words", tuple(sorted(sure | field_words))
    return ("same-field", tuple(sorted(field_words))) if field_words else ("", ())


def names_slice(code: str, said: Collection[str]) -> tuple[str, ...]:
    """Words by which a text names the slice: its channel, its town, its segment; numbers name nothing."""
    found: set[str] = set()
    for part in code.split("&"):
        key = part.partition("=")[2].casefold()
        if key:
            found |= frozenset(said) & (_spelled(PLACES[key]) if key in PLACES else _bag(key))
    return tuple(sorted(found))


def when(change: date, said: date) -> str:
    """`same-time`, `said-before` (people spoke of it up to half a year earlier) or nothing."""
    ahead = (change - said).days
    if abs(ahead) <= NEAR_DAYS:
        return "same-time"
    return "said-before" if 0 < ahead <= BEFORE_DAYS else ""


def likeness_of_texts(one: Collection[str], other: Collection[str]) -> float:
    """Share of the smaller side's words that the other has too; 0 where either side has fewer than two."""
    mine, theirs = frozenset(one), frozenset(other)
    smaller = min(len(mine), len(theirs))
    return len(mine & theirs) / smaller if smaller >= 2 else 0.0
