"""What `primeta watch` does with attention: segments in which fewer look become signals like any other change.

They are watched in a list of their own, with the same stated share of false ones, and replayed from the facts, so a
watch that is killed or repeated comes to the same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from primeta.signals.signal import Signal
from primeta.signals.watch import Band, watch_series
from primeta.warehouse.series import Series
from primeta.workspace.watch_parts import first_sights, placed, settings_of, weeks_before

if TYPE_CHECKING:
    from primeta.warehouse.facts_store import Facts
    from primeta.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsSeen:
    """What one look at the attention of segments came to; empty where messages or reactions are not mapped."""

    signals: tuple[Signal, ...] = ()
    series: tuple[Series, ...] = ()
    bands: dict[tuple[str, str], Band] = field(default_factory=dict)
    watched: int = 0
    weeks: int = 0
    not_watched: tuple[tuple[str, str, str], ...] = ()


def _measured(ws: Workspace) -> bool:
    wanted = ws.config.watch.metrics
    return {"messages", "reactions"} <= set(ws.config.tables) and (not wanted or "attention" in wanted)


def weeks_of_attention(ws: Workspace, facts: Facts, until: datetime) -> list[Series]:
    """Where nothing else is watched: the weeks that messages tell of."""
    from primeta.attention.segment_series import segment_series

    if not _measured(ws):
        return []
    return segment_series(
        ws.config, facts, cache=ws.folder / "cache", promise_start=date(1970, 1, 1), until=until
    )


def watched_segments(
    ws: Workspace, facts: Facts, *, year_before: date | None, promise_start: date, until: datetime
) -> SegmentsSeen:
    """Every segment up to `until`, and what was first seen in the promise year before graded on.

    Raises:
        EngineFailed, DiskFull: the facts cannot be read, or the cache not written.
    """
    from primeta.attention.segment_series import ATTENTION, segment_series

    if not _measured(ws):
        return SegmentsSeen()
    settings = settings_of(ws)
    seen: SegmentsSeen = SegmentsSeen()
    for start in (promise_start, *([year_before] if year_before is not None else [])):
        frozen = first_sights(ws, start, origin="attention")
        again = start != promise_start
        if again and not frozen:
            continue
        series = segment_series(ws.config, facts, cache=ws.folder / "cache", promise_start=start, until=until)
        watched = watch_series(
            series,
            (),
            (),
            metrics={ATTENTION.name: ATTENTION},
            promise_start=start,
            seen_until=until,
            frozen=frozen,
            settings=dataclasses.replace(settings, follow_weeks=settings.promise_weeks)
            if again
            else settings,
        )
        # what was first seen in the year before is still graded; nothing new is sought there
        chosen = [entry for entry in watched.signals if not again or entry.id in frozen]
        signals = tuple(
            dataclasses.replace(entry, frozen=dataclasses.replace(entry.frozen, origin="attention"))
            for entry in placed(chosen, ws, baseline_weeks=weeks_before(series, start))
        )
        if again:
            seen = dataclasses.replace(seen, signals=(*seen.signals, *signals))
        else:
            seen = SegmentsSeen(
                signals=signals,
                series=tuple(series),
                bands=watched.bands,
                watched=watched.watched,
                weeks=watched.weeks_seen,
                not_watched=watched.not_watched,
            )
    return seen
