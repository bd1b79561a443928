"""Wishes found by rules and by meaning together, in many texts at once.

Three looks, each slower and at fewer sentences: words that a wish may have (`wish_hints`), the rules and the quick
encoder, the close one. What only the rules find counts unless the meaning is surely another; what is said outright
needs no second look. Without the encoders the rules alone decide, and `Found.by_meaning` is False.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from primeta.attention.wish_hints import may_hold_a_wish, speaks_of_both
from primeta.attention.wish_model import WishModel, close_vectors, quick_vectors, wish_model
from primeta.attention.wish_rules import PER_WEEK
from primeta.attention.wishes import (
    LONGEST,
    FoundWish,
    channels_in,
    own_words,
    plainly,
    sentences_of,
    wishes_in,
)
from primeta.errors import Unavailable

PAIRED = 120
"""Letters up to which two neighbouring sentences are also read as one: "Five texts today. Enough."."""
WINDOW = 24
"""Words of a long sentence without stops that are read at a time; the windows overlap by half."""

# Said outright: nobody needs to look twice.
_OUTRIGHT = re.compile(
    r"\bне (?:пишите|звоните|шлите|присылайте) мне\b|\bмне (?:больше )?не (?:пишите|звоните|шлите|присылайте)\b|\bотпишите\b|"
    r"\bхватит (?:мне )?(?:слать|писать|звонить)\b|\bотзываю (?:сво[её] )?согласие\b|\bудалите (?:все )?мои (?:персональные )?данные\b|"
    r"\bunsubscribe me\b|\bstop (?:texting|emailing|calling|messaging) me\b|\b(?:delete|erase) (?:all )?my (?:personal )?data\b|"
    r"\btake me off your (?:mailing )?list\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Wishes of each text, in the order given."""

    wishes: tuple[tuple[FoundWish, ...], ...]
    by_meaning: bool = True
    """Whether meaning was looked at, where it was needed."""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, two neighbours, or a window of a long one."""

    text: int
    plain: str
    shown: str


def wishes_in_all(texts: Sequence[str]) -> Found:
    """What customers ask for in tickets, reviews and replies, by rules and by meaning.

    Args:
        texts: n texts as written; what they quote of others is left out.
    """
    by_rules: list[tuple[FoundWish, ...]] = []
    doubtful: list[_Piece] = []
    for at, text in enumerate(texts):
        pieces = [piece for piece in _pieces(at, text) if may_hold_a_wish(piece.plain)]
        found = wishes_in(text) if pieces else ()
        by_rules.append(found)
        if pieces and not (found and any(_OUTRIGHT.search(piece.plain) for piece in pieces)):
            doubtful += pieces
    if not doubtful:
        return Found(wishes=tuple(by_rules))
    try:
        judged = _judged(doubtful, wish_model())
    except Unavailable as error:
        return Found(wishes=tuple(by_rules), by_meaning=False, why_not=str(error))
    looked = {piece.text for piece in doubtful}
    return Found(
        wishes=tuple(
            _together(found, judged.get(at, [])) if at in looked else found
            for at, found in enumerate(by_rules)
        )
    )


def _pieces(at: int, text: str) -> list[_Piece]:
    sentences = list(sentences_of(own_words(text[:LONGEST])))
    pieces = [_Piece(at, plainly(sentence), sentence) for sentence in sentences]
    for one, two in itertools.pairwise(sentences):
        if len(one) + len(two) < PAIRED:
            pieces.append(_Piece(at, plainly(f"{one} {two}"), f"{one} {two}"))
    for sentence in sentences:
        words = sentence.split()
        if len(words) > WINDOW + WINDOW // 2:
            for start in range(0, len(words) - WINDOW // 2, WINDOW // 2):
                window = " ".join(words[start : start + WINDOW])
                pieces.append(_Piece(at, plainly(window), sentence))
    return pieces


def _judged(pieces: Sequence[_Piece], model: WishModel) -> dict[int, list[tuple[float, bool, str, str]]]:
    """Of each text (probability, whether the rules say so too, label, sentence) of its pieces that were looked at
    closely, the likeliest first."""
    plain = list(dict.fromkeys(piece.plain for piece in pieces))
    by_rules = np.array([bool(wishes_in(text)) for text in plain])
    quick = quick_vectors(plain)
    near = model.quick.distances(quick)
    hinted = np.array([speaks_of_both(text) for text in plain])
    kept = np.flatnonzero(by_rules | (near > np.where(hinted, model.least, model.least_unhinted)))
    if not len(kept):
        return {}
    close = close_vectors([plain[at] for at in kept])
    likely = model.probability(near[kept], model.close.distances(close), by_rules[kept])
    labels = model.labels(quick[kept], close)
    told = {
        plain[at]: (float(likely[place]), bool(by_rules[at]), labels[place]) for place, at in enumerate(kept)
    }
    found: dict[int, list[tuple[float, bool, str, str]]] = {}
    for piece in pieces:
        if piece.plain in told:
            found.setdefault(piece.text, []).append((*told[piece.plain], piece.shown))
    for judged in found.values():
        judged.sort(key=lambda one: -one[0])
    return found


def _together(
    found: tuple[FoundWish, ...], judged: Sequence[tuple[float, bool, str, str]]
) -> tuple[FoundWish, ...]:
    model = wish_model()
    if found:
        # Rules joined over sentences may find what no single piece shows them: without a piece of theirs they stand.
        theirs = [likely for likely, by_rules, _, _ in judged if by_rules]
        if not theirs or max(theirs) >= model.at_least_by_rules:
            return found
    for likely, _, label, sentence in judged:
        least = model.at_least if speaks_of_both(plainly(sentence)) else model.at_least_unhinted
        if likely >= least:
            return (_wish(label, sentence),)
    return ()


def _wish(label: str, sentence: str) -> FoundWish:
    plain = plainly(sentence)
    channels = channels_in(plain)
    if label == "only":
        means = "only-channels" if channels else "stop-all"
    elif label == "stop":
        means = "stop-channel" if channels else "stop-all"
    else:
        means = {"less": "less-often", "delete": "delete-data"}[label]
        channels = ()
    often = [number for pattern, number in PER_WEEK if pattern.search(plain)]
    return FoundWish(
        means=means,
        sentence=sentence,
        channels=channels,
        max_per_week=often[-1] if means == "less-often" and often else None,
        language="ru" if re.search(r"[а-я]", plain) else "en",
        by="meaning",
    )
