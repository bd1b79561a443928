"""Today: what waits for a decision, what is overdue, the week, what changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from primeta.show.interval import Scale, Verdict, scale_of, verdict_of
from primeta.show.locale import Figure
from primeta.signals.signal import GRADES, MEASURED
from primeta.trends.records import Scenario, Trend
from primeta.web.experiment_rows import HowFar, how_far
from primeta.web.experiment_words import finding, state_word
from primeta.web.page import capital, page, reader_of, sentence, site_of
from primeta.web.reader import Reader
from primeta.workspace.views import Change, ExperimentView, GlanceRow, Overview

router = APIRouter()
# A trend grows from left to right of this order; fading and refuted are their own directions.
STRENGTH = {grade: place for place, grade in enumerate(GRADES[:4])}
MOST_WAITING = 6
"""So many stand on Today; the others wait on the board."""
WIDEST = 0.5
"""An interval wider than half of the metric's level is cut at the edge of the column."""


@router.get("/")
def today(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    overview = site.workspace.overview(now=site.now())
    money = [entry for trend in overview.waiting[:MOST_WAITING] if (entry := money_of(trend))]
    money_scale = scale_of([end for scenario in money for end in (scenario.p10, scenario.p90)], ticks=4)
    scale = glance_scale(overview.glance)
    week = overview.week
    return page(
        request,
        "today.html",
        reader,
        overview=overview,
        most_waiting=MOST_WAITING,
        headline=headline(reader, overview),
        glance_say=glance_sentence(reader, overview.glance),
        glance_scale=scale,
        glance_ticks=reader.ticks(scale, "relative"),
        glance_verdict=glance_verdict,
        money_of=money_of,
        money_reason=money_reason,
        last_change=lambda trend: last_change(reader, trend),
        told_by=lambda trend: told_by(reader, trend),
        money_verdict=money_verdict,
        money_scale=money_scale,
        money_ticks=reader.ticks(money_scale, "money"),
        money_label=lambda scenario: money_label(reader, scenario),
        waited=lambda days: waited(reader, days),
        tests=tests_of(request, reader),
        state_word=lambda state: state_word(reader, state),
        week_name=capital(reader.period(week.code)) if week else "",
        week_days=reader.span(week.start, week.end - timedelta(days=1)) if week else "",
    )


MOST_TESTS = 5


def tests_of(request: Request, reader: Reader) -> list[tuple[ExperimentView, HowFar, str]]:
    """Experiments that run, those with an answer first: how far they are and what they say now."""
    site = site_of(request)
    now = site.now()
    views = [
        view
        for view in site.workspace.experiments(now=now)
        if view.waits or view.status in ("running", "halted")
    ]
    views.sort(key=lambda view: (not view.waits, view.status != "halted"))
    return [
        (view, how_far(reader, view, site.workspace.day(now)), finding(reader, view, site.workspace))
        for view in views[:MOST_TESTS]
    ]


def waited(reader: Reader, days: int) -> str:
    if days < 1:
        return str(reader._("since today"))
    return str(reader._n("waiting {n} day", "waiting {n} days", days))


def money_label(reader: Reader, scenario: Scenario) -> str:
    """The numbers of an interval of money, for a listener."""
    low, middle, high = (
        reader.money(value, sign=True) for value in (scenario.p10, scenario.p50, scenario.p90)
    )
    told = f"P10 {low}, P50 {middle}, P90 {high}"
    return f"{told}; {reader._('contains a guess')}" if scenario.basis == "guess" else told


def money_of(trend: Trend) -> Scenario | None:
    """The money scenario of a trend, where there is one that can be told."""
    scenario = trend.weighing.scenario("money") if trend.weighing else None
    return scenario if scenario and math.isfinite(scenario.p50) else None


def money_reason(trend: Trend) -> str:
    """The code of the reason why a trend's money cannot be told."""
    scenario = trend.weighing.scenario("money") if trend.weighing else None
    return scenario.why_not if scenario else "not-weighed"


def last_change(reader: Reader, trend: Trend) -> tuple[str, Figure] | None:
    """How far the metric stood from what was expected in the last whole month, else week: (when, change)."""
    seen = next((entry for entry in trend.evidence.origins if entry.origin in MEASURED), None)
    if seen is None:
        return None
    finished = [block for blocks in (seen.weeks, seen.months) for block in blocks if block.finished]
    if not finished:
        return None
    block = finished[-1]
    # A block counts in the direction of the change; here a fall is shown as a fall.
    low, high = (-block.high, -block.low) if "|down|" in seen.what else (block.low, block.high)
    effect = -block.effect if "|down|" in seen.what else block.effect
    return reader.period(block.code), reader.figure(effect, "relative", low, high, sign=True)


def told_by(reader: Reader, trend: Trend) -> str:
    """How many independent sources speak of a trend that no metric has seen; empty where none does."""
    sources = {
        name for entry in trend.evidence.origins if entry.origin not in MEASURED for name in entry.sources
    }
    if not sources:
        return ""
    return str(
        reader._n(
            "{n:m} independent source speaks of it", "{n:m} independent sources speak of it", len(sources)
        )
    )


def money_verdict(scenario: Scenario) -> Verdict:
    return verdict_of(scenario.p10, scenario.p90)


def glance_verdict(row: GlanceRow) -> str:
    """Good or bad where the metric says which way is good; `moved` where it does not."""
    plain = verdict_of(row.low, row.high, up_is_bad=row.metric.good == "down")
    return "moved" if plain != "unsure" and row.metric.good == "neither" else plain


def glance_scale(rows: Sequence[GlanceRow]) -> Scale:
    ends = [
        min(max(end, -WIDEST), WIDEST) for row in rows for end in (row.low, row.high) if math.isfinite(end)
    ]
    return scale_of(ends)


def headline(reader: Reader, overview: Overview) -> str:
    """The finding of the week as one or two sentences."""
    if overview.week is None:
        return str(reader._("Nothing has been watched yet"))
    news = _news(reader, overview.changes)
    waits = []
    if overview.waiting:
        waits.append(reader._n("{n:o} decision waits", "{n:o} decisions wait", len(overview.waiting)))
    if overview.overdue:
        waits.append(reader._n("{n:f} review is overdue", "{n:f} reviews are overdue", len(overview.overdue)))
    first = ", ".join(str(entry) for entry in news) or str(reader._("a quiet week, no grade has moved"))
    second = str(reader._("nothing waits for a decision"))
    if len(waits) == 2:
        second = str(reader._("{first}, and {second}", first=waits[0], second=waits[1]))
    elif waits:
        second = str(waits[0])
    return f"{sentence(first)} {sentence(second)}"


def _news(reader: Reader, changes: Sequence[Change]) -> list[str]:
    stronger = [
        change
        for change in changes
        if change.was in STRENGTH and change.now in STRENGTH and STRENGTH[change.now] > STRENGTH[change.was]
    ]
    fresh = [change for change in changes if change.was is None]
    lost = [change for change in changes if change.now in ("fading", "refuted") and change.was is not None]
    words: list[str] = []
    if stronger:
        words.append(reader._n("{n:m} sign grew stronger", "{n:m} signs grew stronger", len(stronger)))
    if lost:
        words.append(reader._n("{n:m} lost its ground", "{n:m} lost their ground", len(lost)))
    if fresh:
        words.append(reader._n("{n:m} is new", "{n:m} are new", len(fresh)))
    return words


def glance_sentence(reader: Reader, rows: Sequence[GlanceRow]) -> str:
    """What moved against the expected, in one sentence."""
    moved = [row for row in rows if row.reading not in ("usual", "cannot-tell")]
    if not rows:
        return ""
    if not moved:
        return str(reader._("Nothing stands out: every metric moved within its usual band."))
    up = [row.metric.label_in(reader.lang) for row in moved if row.relative > 0]
    down = [row.metric.label_in(reader.lang) for row in moved if row.relative < 0]
    parts = []
    if up:
        parts.append(
            reader._("Above what was expected: {names}.", names=reader.listed([_inner(name) for name in up]))
        )
    if down:
        parts.append(reader._("Below it: {names}.", names=reader.listed([_inner(name) for name in down])))
    rest = sum(row.reading == "usual" for row in rows)
    if rest:
        parts.append(reader._n("{n:m} other moved as usual.", "{n:m} others moved as usual.", rest))
    return " ".join(capital(str(part)) for part in parts)


def _inner(name: str) -> str:
    """A label inside a sentence: its first letter small, unless it is an abbreviation."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]
