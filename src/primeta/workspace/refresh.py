"""Gathering the evidence of a trend and weighing it, from what the last watch measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from primeta.signals.note import Note
from primeta.signals.signal import Signal
from primeta.signals.texts.records import Topic
from primeta.store import trends as rows
from primeta.store.topics import load_topics
from primeta.trends.evidence import gather
from primeta.trends.ground import Lookup, ground_of
from primeta.trends.records import Evidence, Input, Trend, Weighing
from primeta.trends.stories import Suggestion, suggest
from primeta.trends.weigh import Ground, weigh
from primeta.warehouse.metric import Metric
from primeta.workspace.measured import (
    basket_metrics,
    consent_share,
    declared,
    fullness,
    lookup_in,
    tables_of_metrics,
)

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every trend of a workspace is weighed against: read once, used for all."""

    signals: Mapping[str, Signal]
    notes: Mapping[str, Note]
    inputs: Mapping[str, Mapping[str, Input]]
    lookup: Lookup
    fullness: Mapping[str, float]
    table_of: Mapping[str, str]
    metrics: Mapping[str, Metric]
    consent_share: float
    of_the_basket: frozenset[str]
    topics: Mapping[str, Topic] = field(default_factory=dict)


def surroundings(ws: Workspace) -> Surroundings:
    with ws.database.read() as connection:
        inputs = rows.load_inputs(connection)
        topics = load_topics(connection)
    return Surroundings(
        signals={entry.id: entry for entry in ws.signals()},
        notes={entry.id: entry for entry in ws.notes()},
        inputs=inputs,
        lookup=lookup_in(ws),
        fullness=fullness(ws),
        table_of=tables_of_metrics(ws),
        metrics=declared(ws),
        consent_share=consent_share(ws),
        of_the_basket=basket_metrics(ws),
        topics={entry.id: entry for entry in topics},
    )


def refresh_trend(ws: Workspace, trend: str, *, now: datetime) -> None:
    """Gather and weigh one trend again, after a person changed what belongs to it."""
    target = ws.trend(trend)
    evidence, weighing = assess(ws, target, surroundings(ws), now=now)
    with ws.database.write() as connection:
        rows.save_evidence(connection, target.id, evidence, weighing)


def ground_under(ws: Workspace, signals: Sequence[Signal], around: Surroundings) -> Ground:
    """What was measured about the story that these signals tell; of what is only said, nothing was."""
    return ground_of(
        [entry for entry in signals if not entry.topic],
        lookup=around.lookup,
        margin=ws.config.margin,
        fullness=around.fullness,
        tables={column.partition(".")[0] for column in around.fullness},
        table_of=around.table_of,
        consent_share=around.consent_share,
        of_the_basket=around.of_the_basket,
    )


def assess(ws: Workspace, trend: Trend, around: Surroundings, *, now: datetime) -> tuple[Evidence, Weighing]:
    """The evidence and the weighing of one trend; the draws follow from its id, so they repeat."""
    signals = [around.signals[entry] for entry in trend.signals if entry in around.signals]
    notes = [around.notes[entry] for entry in trend.signals if entry in around.notes]
    seed = int.from_bytes(hashlib.sha256(trend.id.encode()).digest()[:8], "big")
    ground = ground_under(ws, signals, around)
    weighing = weigh(
        ground,
        goals=ws.config.goals,
        guesses=around.inputs.get(trend.id, {}),
        thresholds=ws.config.filters,
        now=now,
        rng=np.random.default_rng(seed),
    )
    return gather(signals, notes, today=ws.day(now)), weighing


def suggestions(ws: Workspace, trend: str) -> tuple[Suggestion, ...]:
    """Signals and notes that may belong to a trend; what a person refused is not offered again."""
    from primeta.workspace.kin import kin_of

    target = ws.trend(trend)
    with ws.database.read() as connection:
        known = rows.load_memberships(connection, target.id)
    signals = {entry.id: entry for entry in ws.signals()}
    notes = {entry.id: entry for entry in ws.notes()}
    every: dict[str, Signal | Note] = {**signals, **notes}
    members = [every[entry] for entry in target.signals if entry in every]
    refused = {entry.signal_id for entry in known if entry.state == "refused"}
    found = suggest(
        target.id, members, every.values(), refused=refused, kin=kin_of(ws, members, signals.values())
    )
    # The sides of a topic come together (`people.attach`), so one of them stands for it.
    first: dict[str, Suggestion] = {}
    for entry in found:
        sign = signals.get(entry.signal_id)
        first.setdefault(sign.topic if sign is not None and sign.topic else entry.signal_id, entry)
    seen = {entry.frozen.origin for entry in members if isinstance(entry, Signal)}

    def brings_an_origin(entry: Suggestion) -> bool:
        sign = signals.get(entry.signal_id)
        return sign is not None and bool(sign.topic) and sign.frozen.origin not in seen

    # A second origin is worth more than one more metric of the same family.
    return tuple(sorted(first.values(), key=lambda entry: not brings_an_origin(entry)))[:12]
