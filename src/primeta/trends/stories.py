"""Which signals tell one story: drafts of trends, and suggestions of what belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from primeta.signals.note import Note
from primeta.signals.signal import Signal
from primeta.signals.texts.plain_words import words
from primeta.trends.evidence import STRENGTH, retells
from primeta.trends.kinship import (
    SAME_MEANING,
    Kin,
    Speakers,
    likeness_of_texts,
    metric_words,
    names_slice,
    shared_with_metric,
    topic_words,
    when,
)
from primeta.trends.records import TrendType

SAME_TIME_DAYS = 56
"""Onsets at most eight weeks apart can be one story."""
ENOUGH = 0.5
"""Score from which something is suggested."""

# Metrics that move for one reason: a change in one makes a change in the others unsurprising.
FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"revenue_per_customer", "orders_per_customer", "margin_per_customer", "average_order_value"}),
    frozenset({"average_order_value", "items_per_order", "categories_per_customer"}),
    frozenset({"discount_share", "full_price_share"}),
    frozenset({"retention_7", "retention_30", "retention_90", "churn", "reactivation_rate"}),
    frozenset(
        {
            "attention",
            "open_rate",
            "click_rate",
            "click_to_open",
            "unsubscribe_rate",
            "complaint_rate",
            "conversion",
        }
    ),
    frozenset({"orders_per_customer", "visits_per_customer", "churn"}),
)
COMMERCIAL = frozenset({"discount_share", "full_price_share"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A signal that may belong to a trend, with the reasons as codes."""

    trend_id: str
    signal_id: str
    score: float
    """0–1."""
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A trend that nobody has named yet."""

    id: str
    signals: tuple[str, ...]
    type: TrendType


def draft_trends(signals: Iterable[Signal], *, taken: Collection[str]) -> tuple[Draft, ...]:
    """Group signals that hold and belong to no trend: same metric, direction and time.

    Args:
        taken: Signals that a trend has already, or that a person took out of one.
    Returns:
        Drafts in the order of their first onset. The id follows from the metric, the direction
        and the first signal, so a repeated watch makes the same drafts.
    """
    free = sorted(
        (
            entry
            for entry in signals
            if STRENGTH[entry.grade] >= STRENGTH["holding"] and entry.id not in taken
        ),
        key=lambda entry: (entry.frozen.first_seen, entry.id),
    )
    stories: list[list[Signal]] = []
    for signal in free:
        for story in stories:
            if _same_story(story[0], signal):
                story.append(signal)
                break
        else:
            stories.append([signal])
    return tuple(
        Draft(
            id=trend_id(story[0].id),
            signals=tuple(entry.id for entry in story),
            type="commercial" if story[0].frozen.about in COMMERCIAL else "behavioural",
        )
        for story in stories
    )


def trend_id(seed: str) -> str:
    """A short name that a person can type: `t-3fa9c1`."""
    return "t-" + hashlib.sha256(seed.encode()).hexdigest()[:6]


def joins(story: Sequence[Signal], signal: Signal) -> bool:
    """Does `signal` tell the story that a trend of Primeta's own making already tells?"""
    return any(_same_story(entry, signal) for entry in story)


def suggest(
    trend: str,
    members: Sequence[Signal | Note],
    candidates: Iterable[Signal | Note],
    *,
    refused: Collection[str],
    kin: Kin | None = None,
) -> tuple[Suggestion, ...]:
    """What may belong to a trend, the likeliest first; what a person refused stays out.

    Reasons between metrics: `same-metric`, `same-family`, `same-slice`, `nested-slice`, `same-time`. Between a metric
    and a text (a topic, a note): `same-words` or `same-field`, `names-slice`, `same-time` or `said-before`,
    `same-customers`, `same-meaning`. Between texts: `same-topic`, `same-link`, `same-words`, `same-meaning`, `same-time`.

    The score adds the weights of the reasons that hold (docs/methods/origins.md); it orders the list and is no
    probability. At least half of it must be there, so no single reason suffices but being one and the same thing.

    Args:
        refused: Ids that a person took out of this trend. Refusing one side of a topic refuses the topic, whatever
            words it gains later.
    """
    kin = kin or Kin()
    every = list(candidates)
    inside = {entry.id for entry in members}
    topics_refused = {
        entry.topic for entry in every if isinstance(entry, Signal) and entry.topic and entry.id in refused
    }
    found = []
    for candidate in every:
        if candidate.id in inside or candidate.id in refused:
            continue
        if isinstance(candidate, Signal) and candidate.topic in topics_refused:
            continue
        best = max((_likeness(entry, candidate, kin) for entry in members), default=(0.0, ()))
        if best[0] >= ENOUGH:
            found.append(
                Suggestion(trend_id=trend, signal_id=candidate.id, score=min(1.0, best[0]), why=best[1])
            )
    return tuple(sorted(found, key=lambda entry: (-entry.score, entry.signal_id)))


def _same_story(one: Signal, other: Signal) -> bool:
    return (
        one.frozen.about == other.frozen.about
        and one.frozen.direction == other.frozen.direction
        and abs((one.frozen.since - other.frozen.since).days) <= SAME_TIME_DAYS
    )


def _likeness(member: Signal | Note, candidate: Signal | Note, kin: Kin) -> tuple[float, tuple[str, ...]]:
    if isinstance(member, Signal) and isinstance(candidate, Signal):
        if not member.topic and not candidate.topic:
            return _of_metrics(member, candidate)
        if member.topic and candidate.topic:
            return _of_topics(member, candidate, kin)
        metric, topic = (candidate, member) if member.topic else (member, candidate)
        said = topic_words(topic, kin)
        return _of_metric_and_text(
            metric, said, topic.frozen.since, kin, speakers=kin.speakers(topic.topic, metric.frozen.slice)
        )
    note, other = (member, candidate) if isinstance(member, Note) else (candidate, member)
    assert isinstance(note, Note)
    if isinstance(other, Note):
        return _of_texts(_note_words(note), _note_words(other), note.happened_at, other.happened_at, kin)
    if not other.topic:
        return _of_metric_and_text(
            other, _note_words(note), note.happened_at, kin, subject=note.subject, loosely=True
        )
    score, why = _of_texts(
        topic_words(other, kin), _note_words(note), other.frozen.since, note.happened_at, kin
    )
    if retells(note, other):
        return score + 0.5, ("same-link", *why)
    return score, why


def _of_metrics(member: Signal, candidate: Signal) -> tuple[float, tuple[str, ...]]:
    why: list[str] = []
    score = 0.0
    if member.frozen.about == candidate.frozen.about:
        score += 0.4
        why.append("same-metric")
    elif any(member.frozen.about in family and candidate.frozen.about in family for family in FAMILIES):
        score += 0.3
        why.append("same-family")
    else:
        return 0.0, ()
    mine, theirs = set(member.frozen.slice.split("&")), set(candidate.frozen.slice.split("&"))
    if mine == theirs:
        score += 0.3
        why.append("same-slice")
    elif mine <= theirs or theirs <= mine or "all" in mine | theirs:
        score += 0.2
        why.append("nested-slice")
    if abs((member.frozen.since - candidate.frozen.since).days) <= SAME_TIME_DAYS:
        score += 0.2
        why.append("same-time")
    return score, tuple(why)


def _of_topics(one: Signal, other: Signal, kin: Kin) -> tuple[float, tuple[str, ...]]:
    if one.topic == other.topic:
        return 1.0, ("same-topic",)
    score, why = _of_texts(
        topic_words(one, kin), topic_words(other, kin), one.frozen.since, other.frozen.since, kin
    )
    if set(one.links) & set(other.links):
        return score + 0.3, ("same-link", *why)
    return score, why


def _of_texts(
    one: frozenset[str], other: frozenset[str], at: date, other_at: date, kin: Kin
) -> tuple[float, tuple[str, ...]]:
    """Two texts: at least half of the shorter one's words, or near in meaning; and the time."""
    near = abs((at - other_at).days) <= SAME_TIME_DAYS
    time, late = (0.2, ("same-time",)) if near else (0.0, ())
    if likeness_of_texts(one, other) >= 0.5:
        return 0.4 + time, ("same-words", *late)
    # Vectors are slow to come by: they are asked where they decide.
    if near and kin.nearness is not None and kin.nearness(_told(one), _told(other)) >= SAME_MEANING:
        return 0.3 + time, ("same-meaning", *late)
    return 0.0, ()


def _of_metric_and_text(
    metric: Signal,
    said: frozenset[str],
    at: date,
    kin: Kin,
    *,
    subject: str = "",
    speakers: Speakers | None = None,
    loosely: bool = False,
) -> tuple[float, tuple[str, ...]]:
    """A change of a metric and what is said: does the text speak of what the metric counts, there and then?"""
    why: list[str] = []
    score = 0.0
    labels = kin.labels.get(metric.frozen.about, ())
    how, _ = shared_with_metric(metric.frozen.about, said, labels=labels)
    if subject == metric.frozen.about or (loosely and said & metric_words(metric.frozen.about, labels)):
        # What a person wrote about a metric need not be in the words of the trade.
        how = "same-words"
    if how:
        score += 0.35 if how == "same-words" else 0.2
        why.append(how)
    if speakers is not None and speakers.leans:
        score += 0.2
        why.append("same-customers")
    beside: list[str] = []
    extra = 0.0
    if names_slice(metric.frozen.slice, said):
        extra += 0.15
        beside.append("names-slice")
    near = when(metric.frozen.since, at)
    if not near and loosely and abs((metric.frozen.since - at).days) <= 2 * SAME_TIME_DAYS:
        near = "same-time"
    if near:
        extra += 0.25 if near == "same-time" else 0.2
        beside.append(near)
    # Vectors are slow to come by: they are asked where they decide.
    decides = score + extra < ENOUGH <= score + extra + 0.2
    if (
        decides
        and labels
        and kin.nearness is not None
        and kin.nearness(labels[0], _told(said)) >= SAME_MEANING
    ):
        score += 0.2
        why.append("same-meaning")
    if not why:
        # At one time, in one town, a hundred things are said.
        return 0.0, ()
    return score + extra, (*why, *beside)


def _note_words(note: Note) -> frozenset[str]:
    return frozenset(words(f"{note.subject} {note.text}"))


def _told(said: Iterable[str]) -> str:
    return " ".join(sorted(said))
