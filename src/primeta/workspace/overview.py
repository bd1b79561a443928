"""The Today page: what waits for a decision, what is overdue, the week, what changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from primeta.facts import Period
from primeta.show.locale import topic_name
from primeta.signals.signal import Signal
from primeta.store.signals import last_run, load_moves
from primeta.trends.evidence import STRENGTH
from primeta.trends.records import Trend
from primeta.warehouse.metric import Metric
from primeta.workspace.attention_calls import attention_calls
from primeta.workspace.measured import load_views
from primeta.workspace.views import Change, GlanceRow, Overview, Reading, SeriesView

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

GLANCE_WEEKS = 13
RECENT = timedelta(days=7)
STALE = timedelta(days=14)
GLANCE_ORDER = (
    "revenue_per_customer",
    "orders_per_customer",
    "average_order_value",
    "items_per_order",
    "retention_30",
    "conversion",
    "discount_share",
    "open_rate",
    "click_rate",
    "unsubscribe_rate",
    "churn",
    "visits_per_customer",
)
"""What a head of CRM asks first; other metrics stand on their own page."""
GLANCE_MOST = 8


def overview(ws: Workspace, *, now: datetime) -> Overview:
    """Everything on the Today page, in the order in which it wants attention."""
    with ws.database.read() as connection:
        run = last_run(connection)
        moves = load_moves(connection, after=run.seen_until - RECENT) if run else ()
    today = ws.day(now)
    trends, signals = ws.trends(), {entry.id: entry for entry in ws.signals()}
    waiting = waiting_trends(trends)
    week = (
        Period.holding((run.seen_until - timedelta(seconds=1)).astimezone(ws.config.zone).date(), "week")
        if run
        else None
    )
    if week is not None and run is not None and week.end > ws.day_of(run.seen_until):
        # The facts stop within a week: the last finished one is the one before.
        week = Period.holding(week.start - timedelta(days=1), "week")
    return Overview(
        today=today,
        week=week,
        seen_until=run.seen_until if run else None,
        waiting=waiting,
        overdue=overdue_trends(trends, today=today),
        deciding_days={trend.id: _waited(trend, today, ws) for trend in waiting},
        glance=_glance(ws) if run else (),
        changes=_changes(ws, moves, signals, trends),
        watched=run.watched if run else 0,
        reported=sum(STRENGTH[entry.grade] >= STRENGTH["holding"] for entry in signals.values()),
        false_share=ws.config.watch.false_share,
        notes=tuple(note for note in ws.notes() if today - ws.day_of(note.logged_at) <= RECENT),
        facts_problem="facts-stopped"
        if run and now - run.seen_until > STALE and not ws.config.as_of_facts
        else "",
        experiments=tuple(view for view in ws.experiments(now=now) if view.waits),
        attention=attention_calls(ws, now=now),
    )


def waiting_trends(trends: Sequence[Trend]) -> tuple[Trend, ...]:
    """Holding or better and never decided; most money at stake first, then by strength."""
    found = [
        trend
        for trend in trends
        if trend.decision is None and STRENGTH[trend.evidence.grade] >= STRENGTH["holding"]
    ]

    def order(trend: Trend) -> tuple[float, int, str]:
        scenario = trend.weighing.scenario("money") if trend.weighing else None
        money = abs(scenario.p50) if scenario and math.isfinite(scenario.p50) else -1.0
        return -money, -STRENGTH[trend.evidence.grade], trend.id

    return tuple(sorted(found, key=order))


def overdue_trends(trends: Sequence[Trend], *, today: date) -> tuple[Trend, ...]:
    """Decided, and the day of judgement has passed without a new decision; the latest first."""
    late = [trend for trend in trends if trend.decision and trend.decision.days_late(today) > 0]
    return tuple(sorted(late, key=lambda trend: (trend.decision.due if trend.decision else today, trend.id)))


def _waited(trend: Trend, today: date, ws: Workspace) -> int:
    return max(0, (today - ws.day_of(trend.created_at)).days)


def _glance(ws: Workspace) -> tuple[GlanceRow, ...]:
    views = load_views(ws, slice_code="all", grain="week")
    names = [name for name in GLANCE_ORDER if (name, "all", "week") in views]
    names += sorted(name for name, _, _ in views if name not in GLANCE_ORDER)
    return tuple(glance_row(views[name, "all", "week"]) for name in names[:GLANCE_MOST])


def glance_row(view: SeriesView) -> GlanceRow:
    """The last known week of one series against what was expected of it."""
    known = np.flatnonzero(np.isfinite(view.observed))
    nan = float("nan")
    if not len(known):
        empty = (nan,) * GLANCE_WEEKS
        return GlanceRow(
            metric=view.metric, value=nan, history=empty, usual_low=empty, usual_high=empty,
            relative=nan, low=nan, high=nan, reading="cannot-tell", why_not=view.why_not or "no-values",
        )  # fmt: skip
    last = int(known[-1])
    part = slice(max(0, last + 1 - GLANCE_WEEKS), last + 1)
    value, expected = float(view.observed[last]), float(view.expected[last])
    # The band is where the week was expected to fall; turned round, it bounds the difference.
    relative = value / expected - 1 if expected else nan
    low = (value - float(view.high[last])) / abs(expected) if expected else nan
    high = (value - float(view.low[last])) / abs(expected) if expected else nan
    return GlanceRow(
        metric=view.metric,
        value=value,
        history=tuple(view.observed[part].tolist()),
        usual_low=tuple(view.low[part].tolist()),
        usual_high=tuple(view.high[part].tolist()),
        relative=relative,
        low=low,
        high=high,
        reading=_reading(view.metric, low, high),
        why_not="" if math.isfinite(relative) else (view.why_not or "no-expectation"),
    )


def _reading(metric: Metric, low: float, high: float) -> Reading:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "cannot-tell"
    if low <= 0 <= high:
        # Too wide to exclude a change several times the smallest that matters: no all-clear.
        return "usual" if high - low <= 10 * metric.smallest_effect else "cannot-tell"
    up = low > 0
    if metric.good == "neither":
        return "more" if up else "less"
    return "better" if up == (metric.good == "up") else "worse"


def _changes(
    ws: Workspace, moves: Sequence, signals: Mapping[str, Signal], trends: Sequence[Trend]
) -> tuple[Change, ...]:
    """Grade moves of trends in the last week, then of signals that belong to none."""
    if not moves:
        return ()
    since = min(move.seen_until for move in moves)
    found = [
        Change(
            at=event.at,
            name=trend.card.name,
            was=event.what.get("was"),  # pyright: ignore[reportArgumentType]
            now=event.what["now"],  # pyright: ignore[reportArgumentType]
            origins=trend.evidence.independent_origins,
            trend=trend.id,
            note=(str(trend.evidence.why[-1]) if trend.evidence.why else "", {}),
        )
        for trend in trends
        for event in trend.history
        if event.kind == "grade" and event.at >= since
    ]
    taken = {entry for trend in trends for entry in trend.signals}
    labels = {view.metric.name: view.metric for view in ws.metrics()}
    for move in moves:
        signal = signals.get(move.signal_id)
        if signal is None or signal.id in taken:
            continue
        metric = labels.get(signal.frozen.about)
        found.append(
            Change(
                at=move.seen_until,
                name=metric.label_in(ws.config.language)
                if metric
                else topic_name(signal.frozen.about, ws.config.language) or signal.frozen.about,
                was=move.was,
                now=move.now,
                origins=1,
                signal=signal.id,
                note=("said-by", {"n": len(signal.owners)})
                if signal.topic
                else ("in-slice", {"slice": signal.frozen.slice}),
            )
        )
    found.sort(key=lambda change: (change.at, STRENGTH[change.now]), reverse=True)
    return tuple(found)
