"""Which signals tell one story: drafts of trends, and suggestions of what belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from primeta.signals.note import Note
from primeta.signals.signal import Signal
from primeta.trends.evidence import STRENGTH
from primeta.trends.records import TrendType

SAME_TIME_DAYS = 56
"""Onsets at most eight weeks apart can be one story."""

# Metrics that move for one reason: a change in one makes a change in the others unsurprising.
FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"revenue_per_customer", "orders_per_customer", "margin_per_customer", "average_order_value"}),
    frozenset({"average_order_value", "items_per_order", "categories_per_customer"}),
    frozenset({"discount_share", "full_price_share"}),
    frozenset({"retention_7", "retention_30", "retention_90", "churn", "reactivation_rate"}),
    frozenset(
        {"open_rate", "click_rate", "click_to_open", "unsubscribe_rate", "complaint_rate", "conversion"}
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
    trend: str, members: Sequence[Signal], candidates: Iterable[Signal | Note], *, refused: Collection[str]
) -> tuple[Suggestion, ...]:
    """What may belong to a trend, the likeliest first; what a person refused stays out.

    Reasons: `same-metric`, `same-family`, `same-slice`, `nested-slice`, `same-time`, `same-words`.
    """
    found = []
    inside = {entry.id for entry in members}
    for candidate in candidates:
        if candidate.id in inside or candidate.id in refused:
            continue
        best = max((_likeness(entry, candidate) for entry in members), default=(0.0, ()))
        if best[0] >= 0.5:
            found.append(Suggestion(trend_id=trend, signal_id=candidate.id, score=best[0], why=best[1]))
    return tuple(sorted(found, key=lambda entry: (-entry.score, entry.signal_id)))


def _same_story(one: Signal, other: Signal) -> bool:
    return (
        one.frozen.about == other.frozen.about
        and one.frozen.direction == other.frozen.direction
        and abs((one.frozen.since - other.frozen.since).days) <= SAME_TIME_DAYS
    )


def _likeness(member: Signal, candidate: Signal | Note) -> tuple[float, tuple[str, ...]]:
    if isinstance(candidate, Note):
        return _likeness_of_note(member, candidate)
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


def _likeness_of_note(member: Signal, note: Note) -> tuple[float, tuple[str, ...]]:
    words = set(f"{note.subject} {note.text}".casefold().replace("_", " ").split())
    of_metric = set(member.frozen.about.split("_")) - {"per", "rate", "share"}
    shared = bool(note.subject == member.frozen.about or (of_metric and of_metric <= words))
    near = abs((member.frozen.since - note.happened_at).days) <= 2 * SAME_TIME_DAYS
    if shared and near:
        return 0.6, ("same-words", "same-time")
    return (0.3, ("same-words",)) if shared else (0.0, ())
