"""A topic as signals, so that texts are followed, graded and confirmed by the same rules as metrics.

One signal for each origin (voice, outside, competitor, regulator) whose owners carry evidence of their own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.signals.grades import grade_of
from primeta.signals.signal import TEXTS, TOPIC, Frozen, Origin, Signal
from primeta.signals.texts.emergence import Emerged, emerge
from primeta.signals.texts.panel import Panel, Rare
from primeta.signals.texts.records import FrozenTopic, Topic
from primeta.signals.texts.topics import FoundTopic, merged_e

ALONE_ERROR = 0.05
"""A side of a topic that was found by all sides together is claimed wrongly with at most this probability."""
WORDS = 3
"""Words by which a topic's signal is named."""
CORE = 40
"""Documents that are frozen at first sight."""
SAME = 0.5
"""Share of the smaller side's documents, or words, from which two topics are one."""
SAME_DAYS = 91
"""Topics of the same words whose onsets lie further apart are two waves."""
MOST_LINKS = 200


def freeze(topic: Topic, documents: Sequence[str]) -> FrozenTopic:
    """First sight of a topic; `documents` in the order of time."""
    return FrozenTopic(
        terms=topic.terms,
        # An onset is the likeliest week as all later ones tell; nothing begins after it was noticed.
        since=min(topic.since, topic.noticed_at.date()),
        first_seen=topic.first_seen,
        noticed_at=topic.noticed_at,
        owners=topic.owners,
        documents=tuple(documents)[:CORE],
    )


def recognised(found: Sequence[FoundTopic], known: Mapping[str, FrozenTopic]) -> dict[str, str]:
    """Id of a found topic → id under which it was seen first, where it was.

    A topic is the same where it shares half of its frozen documents, or half of its words at nearly the same onset.
    Each known topic is recognised once, by the one that shares most with it.
    """
    pairs: list[tuple[float, str, str]] = []
    for one in found:
        documents, terms = set(one.documents), _words(one.topic.terms)
        for name, frozen in known.items():
            by_documents = _share(documents, set(frozen.documents))
            near = abs((one.topic.since - frozen.since).days) <= SAME_DAYS
            by_terms = _share(terms, _words(frozen.terms)) if near else 0.0
            if max(by_documents, by_terms) >= SAME:
                pairs.append((-by_documents - by_terms, name, one.topic.id))
    same: dict[str, str] = {}
    taken: set[str] = set()
    for _, name, identity in sorted(pairs):
        if identity not in same and name not in taken:
            same[identity] = name
            taken.add(name)
    return same


def _words(terms: Iterable[str]) -> set[str]:
    return {word for term in terms for word in term.casefold().split()}


def _share(one: Collection[str], other: Collection[str]) -> float:
    smaller = min(len(one), len(other))
    return len(set(one) & set(other)) / smaller if smaller else 0.0


def by_origin(whole: Emerged, *, promise: int, horizon: int | None = None) -> dict[Origin, Emerged]:
    """Each origin's owners judged by themselves, over the candidates of the whole panel."""
    origins = sorted(set(whole.panel.origins))
    if len(origins) == 1:
        return {origins[0]: whole}
    return {
        origin: emerge(_only(whole.panel, origin), error=whole.error, promise=promise, horizon=horizon)
        for origin in origins
    }


def _only(panel: Panel, origin: Origin) -> Panel:
    kept = np.flatnonzero([entry == origin for entry in panel.origins])
    place = np.full(len(panel.owners), -1)
    place[kept] = np.arange(len(kept))
    rows = place[panel.owner] >= 0
    return Panel(
        weeks=panel.weeks,
        owners=tuple(panel.owners[at] for at in kept.tolist()),
        origins=tuple(panel.origins[at] for at in kept.tolist()),
        volume=panel.volume[kept],
        candidate=panel.candidate[rows],
        owner=place[panel.owner[rows]],
        week=panel.week[rows],
        stories=panel.stories[rows],
        candidates=panel.candidates,
        rare=panel.rare and _rare_of(panel.rare, place),
    )


def _rare_of(rare: Rare, place: npt.NDArray[np.integer[Any]]) -> Rare:
    rows = place[rare.owner] >= 0
    return Rare(
        terms=rare.terms,
        sampled=rare.sampled,
        term=rare.term[rows],
        owner=place[rare.owner[rows]],
        week=rare.week[rows],
    )


def topic_signals(
    found: FoundTopic,
    *,
    identity: str,
    frozen: FrozenTopic,
    whole: Emerged,
    sides: Mapping[Origin, Emerged],
    links: Collection[str] = (),
    known: Collection[str] = (),
) -> tuple[Signal, ...]:
    """The signals of one topic, the strongest origin first.

    An origin gives a signal where its own owners refute "each speaks of it as often as before" at ALONE_ERROR. The
    topic was found by all owners together, so for each origin this is one hypothesis, chosen before its own evidence
    was looked at; the signal *holds* where the topic is also on the list that all topics are on. Where no origin
    carries it alone, the strongest one gives a signal that is only noticed.

    Args:
        identity, frozen: Of its first sight.
        sides: Of `by_origin`.
        links: Where its stories stand and what they cite.
        known: Ids of signals that were seen before: they are given again, whatever their evidence is now.
    """
    held = [one for one in found.candidates if whole.selected[one]]
    judged = held or list(found.candidates)
    measured: list[tuple[float, Origin]] = []
    for origin in found.topic.origins:
        side = sides.get(origin)
        if side is not None and judged:
            measured.append((merged_e(np.asarray(side.log_e[judged], float)), origin))
    measured.sort(key=lambda entry: (-entry[0], entry[1]))
    signals: list[Signal] = []
    for number, (e_value, origin) in enumerate(measured):
        alone = e_value >= 1 / ALONE_ERROR
        name = f"{identity}-{origin}"
        if alone or name in known or number == 0:
            signals.append(
                _signal(
                    found, name, identity, frozen, origin, sides[origin], judged,
                    e_value=e_value, holding=bool(held) and alone, links=links,
                )
            )  # fmt: skip
    return tuple(signals)


def _signal(
    found: FoundTopic,
    name: str,
    identity: str,
    frozen: FrozenTopic,
    origin: Origin,
    side: Emerged,
    judged: Sequence[int],
    *,
    e_value: float,
    holding: bool,
    links: Collection[str],
) -> Signal:
    lead = max(judged, key=lambda one: (float(side.log_e[one]), -one))
    weeks, months, quarters = (side.blocks(lead, grain) for grain in ("week", "month", "quarter"))
    grade, why = grade_of(
        holding=holding,
        weeks=weeks,
        months=months,
        quarters=quarters,
        turned=float(side.turned[lead]),
        origins=(origin,),
    )
    before, since, low, high = _shares(side, lead, frozen.since)
    return Signal(
        id=name,
        frozen=Frozen(
            about=TOPIC + ", ".join(frozen.terms[:WORDS]),
            slice=TEXTS,
            direction="up",
            since=frozen.since,
            smallest_effect=0.0,
            first_seen=frozen.noticed_at,
            expected=before,
            origin=origin,
        ),
        observed=since,
        expected=before,
        low=low - before,
        high=high - before,
        e_value=e_value,
        grade=grade,
        weeks=weeks,
        months=months,
        quarters=quarters,
        why=why,
        topic=identity,
        owners=_owners(found.topic, side),
        links=tuple(sorted(links))[:MOST_LINKS],
        second_owner=merged_e(
            np.log(np.maximum(np.asarray(side.second_origin[list(judged)], float), 1e-300))
        ),
    )


def _owners(topic: Topic, side: Emerged) -> tuple[str, ...]:
    inside = set(side.panel.owners)
    return tuple(owner for owner in topic.owners if owner in inside)


def _shares(side: Emerged, lead: int, since: date) -> tuple[float, float, float, float]:
    """Stories of the leading term over all stories of the origin: before the onset, since, an interval of the latter."""
    if math.isfinite(float(side.share_since[lead])):
        return (
            float(side.share_before[lead]),
            float(side.share_since[lead]),
            float(side.share_low[lead]),
            float(side.share_high[lead]),
        )
    panel = side.panel
    onset = next((at for at, week in enumerate(panel.weeks) if week >= since), len(panel.weeks))
    rows = panel.candidate == lead
    late = panel.week[rows] >= onset
    told = panel.stories[rows]
    every = panel.volume.sum(axis=0)
    before, after = float(every[:onset].sum()), float(every[onset:].sum())
    nan = math.nan
    return (
        float(told[~late].sum()) / before if before else nan,
        float(told[late].sum()) / after if after else nan,
        nan,
        nan,
    )


def as_first_seen(topic: Topic, identity: str, frozen: FrozenTopic) -> Topic:
    """How a topic stands now, under its first name and with what was frozen then."""
    return replace(
        topic,
        id=identity,
        since=frozen.since,
        first_seen=min(topic.first_seen, frozen.first_seen),
        noticed_at=frozen.noticed_at,
    )
