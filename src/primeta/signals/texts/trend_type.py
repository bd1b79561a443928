"""Which of the five types of trend texts speak of, with the words that say so: a suggestion that a person confirms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from primeta.signals.texts.plain_words import lemma, tokens
from primeta.signals.texts.trend_type_words import PRIORS, TYPES, weights
from primeta.sources.records import SourceKind

LONGEST = 4_000
"""Characters of a text that are read."""
MOST = 3.0
"""Weight of words beyond which one text says no more: a long text does not outshout ten short ones."""
LEAST = 0.25
"""Mean weight of words a text, below which nothing speaks for the type."""
SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSuggestion:
    """A type, how clearly the texts speak for it, and by what words."""

    type: str
    """One of `trends.records.TREND_TYPES`; empty where nothing speaks for one."""
    share: float
    """Of what speaks for any type, 0 to 1; NaN where nothing does."""
    words: tuple[str, ...]
    """In their usual form, the weightiest first."""


def trend_type(texts: Sequence[str], kinds: Sequence[SourceKind]) -> TypeSuggestion:
    """The type that the words of the texts speak for; the kinds of their sources lean, they do not decide.

    Args:
        texts: n titles or texts, in Russian or English.
        kinds: (n,) kind of each one's source, or empty where it is not known.
    """
    said: dict[str, float] = dict.fromkeys(TYPES, 0.0)
    by_word: dict[str, dict[str, float]] = {kind: {} for kind in TYPES}
    for text in texts:
        for kind, found in _spoken(text).items():
            whole = sum(found.values())
            held = min(MOST, whole) / whole
            said[kind] += whole * held
            for word, weight in found.items():
                by_word[kind][word] = by_word[kind].get(word, 0.0) + weight * held
    number = max(1, len(texts))
    score = {kind: weight / number for kind, weight in said.items()}
    if max(score.values(), default=0.0) < LEAST:
        return TypeSuggestion(type="", share=math.nan, words=())
    lean = dict.fromkeys(TYPES, 0.0)
    for source in kinds:
        for kind, weight in PRIORS.get(source, {}).items():
            lean[kind] += weight / len(kinds)
    # A type that no word speaks for is not suggested, whatever the source.
    whole = {kind: score[kind] + lean[kind] if score[kind] else 0.0 for kind in TYPES}
    best = max(TYPES, key=lambda kind: (whole[kind], -TYPES.index(kind)))
    words = tuple(
        word for word, _ in sorted(by_word[best].items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN]
    )
    return TypeSuggestion(type=best, share=whole[best] / sum(whole.values()), words=words)


def _spoken(text: str) -> dict[str, dict[str, float]]:
    """Type → the text's words that speak for it, with their weights; a word counts once, in the longest entry."""
    whole, begins = weights()
    forms = [lemma(token) for token in tokens(text[:LONGEST])]
    found: dict[str, dict[str, float]] = {}
    at = 0
    while at < len(forms):
        size, told = 0, ()
        for length in (3, 2, 1):
            entry = " ".join(forms[at : at + length])
            if at + length <= len(forms) and entry in whole:
                size, told = length, whole[entry]
                break
        else:
            entry = forms[at]
            for end in range(len(entry), 2, -1):
                if entry[:end] in begins:
                    size, told = 1, begins[entry[:end]]
                    break
            pair = " ".join(forms[at : at + 2])
            if not told and len(forms) > at + 1:
                start = next(
                    (pair[:end] for end in range(len(pair), len(entry) + 1, -1) if pair[:end] in begins), ""
                )
                if start:
                    size, told, entry = 2, begins[start], pair
        for kind, weight in told:
            found.setdefault(kind, {})[entry] = weight
        at += max(1, size)
    return found
