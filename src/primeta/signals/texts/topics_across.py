"""One topic in two languages: «тихий режим» and "quiet mode" that people began to speak of at the same time.

Words of two languages share no letters, so no story holds both. The multilingual sentence vectors of `vectors` put a
phrase near its translation: of fourteen pairs of phrases of this trade eleven lay above .67 and no other pair above .60.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from primeta.signals.texts.records import Topic

ALIKE = 0.68
"""Cosine of two leading terms from which they say the same in two languages."""

APART = 56
"""Days that their onsets may lie apart."""

_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[A-Za-z]")


def speaks_russian(topic: Topic) -> bool:
    """Whether the quotes are in Cyrillic: a Latin name in Russian text is a Russian topic."""
    said = " ".join(quote.text for quote in topic.quotes) or " ".join(topic.terms)
    return len(_CYRILLIC.findall(said)) > len(_LATIN.findall(said))


def same_across(topics: Sequence[Topic]) -> list[tuple[int, int]]:
    """Pairs of topics, by their places, each place once, that are one in two languages; the nearest ones first.

    Only what is led by Cyrillic words in Russian texts is held against what is led by Latin words in others; a name
    that both write alike ("ChatGPT") is one term already.
    """
    russian = [at for at, topic in enumerate(topics) if _led_by(topic, _CYRILLIC) and speaks_russian(topic)]
    others = [at for at, topic in enumerate(topics) if _led_by(topic, _LATIN) and not speaks_russian(topic)]
    near = [
        (one, other)
        for one in russian
        for other in others
        if abs((topics[one].since - topics[other].since).days) <= APART
    ]
    if not near:
        return []
    from primeta.signals.texts.vectors import encode

    asked = sorted({at for pair in near for at in pair})
    vectors = dict(zip(asked, encode([topics[at].terms[0] for at in asked]), strict=True))
    alike = sorted((-float(vectors[one] @ vectors[other]), one, other) for one, other in near)
    taken: set[int] = set()
    found: list[tuple[int, int]] = []
    for far, one, other in alike:
        if -far >= ALIKE and not {one, other} & taken:
            taken |= {one, other}
            found.append((one, other))
    return found


def _led_by(topic: Topic, letters: re.Pattern[str]) -> bool:
    return bool(topic.terms) and bool(letters.search(topic.terms[0]))
