"""Wishes in what customers write: stop, not on this channel, only there, less often, forget me.

Rules over clauses, Russian and English: what is quoted from others, asked ("why do you not write?"), denied ("do not
unsubscribe me") or about something else (the courier, an order) is told apart. What is found pauses marketing until a
person has looked, so a doubtful wish is rather found than missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from primeta.attention.ledger import Event, key_of
from primeta.attention.wish_rules import (
    BARE,
    CHANNELS,
    DELETE,
    ERRAND,
    FOOTER,
    GOODS,
    LESS,
    NO_WISH,
    ONLY,
    PER_WEEK,
    REPORTED,
    STILL,
    STOP,
)

VERSION = "3"
"""Of rules and exemplars; kept with every wish."""
LONGEST = 20_000
"""Letters of a text that are looked at."""
LONGEST_SENTENCE = 600
"""Letters of a sentence that are looked at and kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWish:
    """One wish, with the sentence that says it."""

    means: str
    """One of `ledger.MEANS`."""
    sentence: str
    channels: tuple[str, ...] = ()
    max_per_week: int | None = None
    language: str = ""
    by: Literal["rules", "meaning"] = "rules"
    """How it was found."""


def wishes_in(text: str) -> tuple[FoundWish, ...]:
    """What a customer asks for in a ticket, review or reply; of one meaning the widest, with its first sentence."""
    found: dict[str, FoundWish] = {}
    for sentence in sentences_of(own_words(text[:LONGEST])):
        for wish in _in_sentence(sentence):
            known = found.get(wish.means)
            found[wish.means] = wish if known is None else _joined(known, wish)
    # Who wants nothing more needs no rule for one channel.
    if "stop-all" in found:
        found.pop("stop-channel", None)
        found.pop("less-often", None)
    if "only-channels" in found:
        found.pop("stop-all", None)
        found.pop("stop-channel", None)
    return tuple(found.values())


def events_of(
    wishes: Iterable[FoundWish], *, customer_id: str, said_at: datetime, found_in: str, by: str = "primeta"
) -> tuple[Event, ...]:
    """The entries of kind `wish` that a text makes; read again, it makes the same ones.

    Args:
        wishes: Found in the text.
        found_in: The text's own id.
    """
    return tuple(
        Event(
            key=key_of("wish", found_in, wish.means),
            kind="wish",
            customer_id=customer_id,
            happened_at=said_at,
            payload={
                "means": wish.means,
                "sentence": wish.sentence,
                "channels": list(wish.channels),
                "max_per_week": wish.max_per_week,
                "found_in": found_in,
                "language": wish.language,
                "found_by": f"{wish.by} {VERSION}",
            },
            by=by,
        )
        for wish in wishes
    )


def _joined(one: FoundWish, two: FoundWish) -> FoundWish:
    numbers = [wish.max_per_week for wish in (one, two) if wish.max_per_week is not None]
    return FoundWish(
        means=one.means,
        sentence=one.sentence,
        channels=tuple(sorted({*one.channels, *two.channels})),
        max_per_week=min(numbers, default=None),
        language=one.language,
    )


_QUOTED = re.compile(r"«[^»]{2,}»|“[^”]{2,}”|„[^“”]{2,}[“”]|\"[^\"]{2,}\"")
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_HISTORY = re.compile(
    r"^(?:on .{5,80} wrote:|.{5,80} (?:пишет|писал\w?):|-{2,} ?(?:original message|исходное сообщение|forwarded message|"
    r"пересылаемое сообщение).*|от кого: .*|from: .*)$",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """Without the letters that he answers, and without what he quotes of others."""
    lines: list[str] = []
    for line in text.splitlines():
        if _HISTORY.match(line.strip()):
            break
        if not line.lstrip().startswith((">", "|")):
            lines.append(line)
    own = _LINK.sub(" ", "\n".join(lines))
    without = _QUOTED.sub(" ", own)
    # A text that is all in quotation marks is his own.
    own = without if re.search(r"\w", without) else own
    # "Take. Me. Off." is one sentence.
    return re.sub(r"(?:\b\w+\. ){2,}\w+\.", lambda words: words.group().replace(".", "") + ".", own)


_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_CLAUSE = re.compile(
    r"[,;:()](?!\s*ни\b)\s*|\s+[—–-]+\s+|\s+(?:но|а|зато|лучше|but|instead|rather)\s+|(?<=[.!?…])",
    re.IGNORECASE,
)
_BRACKETS = str.maketrans({"ё": "е", "’": "'", "`": "'", "\u00a0": " "})


def sentences_of(text: str) -> Iterator[str]:
    for part in _END.split(text):
        sentence = part.strip()
        if sentence:
            yield sentence[:LONGEST_SENTENCE]


def plainly(sentence: str) -> str:
    """A sentence as the rules read it: small letters, «ё» as «е», single spaces, without what others said."""
    return re.sub(r"\s+", " ", REPORTED.sub("", sentence.lower().translate(_BRACKETS))).strip()


def _in_sentence(sentence: str) -> Iterator[FoundWish]:
    plain = plainly(sentence)
    if not plain or FOOTER.search(plain) or NO_WISH.search(plain):
        return
    language = "ru" if re.search(r"[а-я]", plain) else "en"
    asks = plain.endswith("?")
    if DELETE.search(plain):
        yield FoundWish(means="delete-data", sentence=sentence, language=language)
        return
    only = ONLY.search(plain)
    if only and not asks:
        channels = channels_in(only.group())
        # «Писать по почте»: the verb of calling or writing is not the channel.
        yield FoundWish(means="only-channels", sentence=sentence, channels=channels, language=language)
        return
    if LESS.search(plain):
        often = [number for pattern, number in PER_WEEK if pattern.search(plain)]
        yield FoundWish(
            means="less-often",
            sentence=sentence,
            max_per_week=often[-1] if often else None,
            language=language,
        )
        return
    if ERRAND.search(plain):
        return
    still = STILL.search(plain)
    channels = set(channels_in(plain)) if still else set[str]()
    everything = bool(still) and not channels
    for clause in _CLAUSE.split(plain):
        if not clause or not STOP.search(clause) or GOODS.search(clause):
            continue
        named = channels_in(plain if BARE.search(clause) else clause)
        channels |= set(named)
        everything = everything or not named
    if everything:
        yield FoundWish(means="stop-all", sentence=sentence, language=language)
    elif channels:
        yield FoundWish(
            means="stop-channel", sentence=sentence, channels=tuple(sorted(channels)), language=language
        )


def channels_in(text: str) -> tuple[str, ...]:
    """Channels that a text in small letters names, in the order of the alphabet."""
    return tuple(sorted(name for name, pattern in CHANNELS.items() if pattern.search(text)))
