"""Watching metric series through a promise year: from series to signals with their grades.

Nothing is remembered but what was frozen at first sight. Every call replays the weekly looks from the start of
the promise year, so running once in week 30 or every week until then gives the same list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.facts import Grain, Period
from primeta.signals.grades import NOTICED_SHARE, REFUTED_AT, grade_of
from primeta.signals.scan import SIBLINGS, Scan, scan_panel
from primeta.signals.signal import Block, Direction, Frozen, Signal
from primeta.stats.baseline import noise_filter
from primeta.stats.eprocess import CLIP, mixture_log_evidence
from primeta.stats.multiplicity import calibrated, e_by_intervals, focused_e_bh
from primeta.warehouse.metric import Metric
from primeta.warehouse.series import Series

Floats = npt.NDArray[np.floating[Any]]
DIRECTIONS: tuple[Direction, Direction] = ("up", "down")
BASELINES = (156, 104, 78, 52, 39, 26)
"""A series is watched with the longest of these baselines (weeks) that it fills."""
_FILLED = 0.8
_FOLLOWED = 104
"""Weeks after first sight over which a change may go back; the bets on that are spread over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """How much of what is found may be false, and for how long that is promised."""

    false_share: float = 0.10
    promise_weeks: int = 52
    follow_weeks: int = 0
    """Weeks after the promise year in which its signals are still graded; new ones are not taken."""
    smallest_effect: float | None = None
    """Relative to expected, for all metrics; None: each metric's own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """What is expected of one series, in its unit: (T,) each, for drawing observed against expected."""

    starts: npt.NDArray[np.datetime64]
    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """All that one look says."""

    signals: tuple[Signal, ...]
    watched: int
    not_watched: tuple[tuple[str, str, str], ...]
    """(metric, slice, why not): `short_history`, `gaps`, `constant`, `no_recent_weeks`."""
    bands: dict[tuple[str, str], Band] = field(default_factory=dict)
    """By (metric, slice)."""
    weeks_seen: int = 0
    """Weeks of the promise year that were looked at."""


@dataclass(slots=True)
class _Panel:
    """Series that are watched with the same baseline, as arrays over common weeks."""

    series: list[Series]
    value: Floats
    reference: Floats
    """The rest of the parent, NaN where there is none."""
    baseline: int
    scan: Scan


def signal_id(metric: str, slice_code: str, promise_start: date, direction: Direction) -> str:
    """Stable and readable: `open_rate-up-3f9a1c20`."""
    text = f"{metric}|{slice_code}|{promise_start.isoformat()}|{direction}"
    return f"{metric}-{direction}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def watch_series(
    weekly: Sequence[Series],
    monthly: Sequence[Series],
    quarterly: Sequence[Series],
    *,
    metrics: Mapping[str, Metric],
    promise_start: date,
    seen_until: datetime,
    frozen: Mapping[str, Frozen],
    settings: WatchSettings = WatchSettings(),
    progress: Callable[[int, int], None] | None = None,
) -> Watched:
    """Replay every weekly look since `promise_start` and grade what was seen.

    Args:
        weekly: What is watched. A slice is compared with the rest of its parent where the parent is there too.
        monthly, quarterly: The same metrics over longer periods; a month or quarter counts as finished once its
            point is there (or, without such a series, once its weeks are).
        metrics: By name; gives the smallest effect.
        promise_start: First day of the promise year; what lies before it is the baseline.
        seen_until: Facts are known up to here.
        frozen: By signal id, what was fixed at first sight; it is kept.
        progress: Called with (series done, series in all).
    """
    calendar = _calendar(weekly, promise_start, settings.promise_weeks + settings.follow_weeks, seen_until)
    before = int(np.sum(calendar < np.datetime64(promise_start, "D")))
    seen = calendar.size - before
    panels, watched, not_watched = _panels(weekly, calendar, before, settings, progress)
    if not panels:
        return Watched(signals=(), watched=watched, not_watched=tuple(not_watched))
    looks = min(seen, settings.promise_weeks)
    noticed, held = _looks(panels, settings, looks)
    known = {
        (grain, one.key): one for grain, many in (("month", monthly), ("quarter", quarterly)) for one in many
    }
    signals: list[Signal] = []
    bands: dict[tuple[str, str], Band] = {}
    selected = int(np.sum(held < looks))
    at = 0
    for panel in panels:
        first = calendar.size - panel.value.shape[1]
        for row, series in enumerate(panel.series):
            bands[series.key] = Band(
                starts=calendar[first:],
                expected=panel.scan.expected[row],
                low=panel.scan.expected[row] - 1.96 * panel.scan.spread[row],
                high=panel.scan.expected[row] + 1.96 * panel.scan.spread[row],
            )
            for side, direction in enumerate(DIRECTIONS):
                name = signal_id(*series.key, promise_start, direction)
                kept = frozen.get(name)
                if noticed[at + row, side] >= looks and kept is None:
                    continue
                look = _Look(
                    series=series,
                    panel=panel,
                    row=row,
                    side=side,
                    calendar=calendar[first:],
                    months=known.get(("month", series.key)),
                    quarters=known.get(("quarter", series.key)),
                )
                signals.append(
                    look.signal(
                        name,
                        kept,
                        metric=metrics.get(series.metric),
                        noticed=int(noticed[at + row, side]),
                        held=int(held[at + row, side]),
                        selected=selected,
                        tests=2 * watched,
                        settings=settings,
                        zone=seen_until.tzinfo,
                    )
                )
        at += len(panel.series)
    signals.sort(key=lambda one: (-one.e_value, one.id))
    return Watched(
        signals=tuple(signals),
        watched=watched,
        not_watched=tuple(not_watched),
        bands=bands,
        weeks_seen=looks,
    )


def _calendar(
    weekly: Sequence[Series], promise_start: date, promise_weeks: int, seen_until: datetime
) -> npt.NDArray[np.datetime64]:
    """Consecutive weeks: up to the longest baseline before the promise, then those finished by now."""
    if not weekly:
        return np.array([], dtype="datetime64[D]")
    first = min(
        (one.starts[0] for one in weekly if one.starts.size), default=np.datetime64(promise_start, "D")
    )
    last = max(
        (one.starts[-1] for one in weekly if one.starts.size), default=np.datetime64(promise_start, "D")
    )
    weeks = np.arange(first, last + np.timedelta64(1, "D"), np.timedelta64(7, "D")).astype("datetime64[D]")
    finished = weeks + np.timedelta64(7, "D") <= np.datetime64(seen_until.date(), "D")
    weeks = weeks[finished]
    inside = weeks >= np.datetime64(promise_start, "D")
    return np.concatenate([weeks[~inside][-BASELINES[0] :], weeks[inside][:promise_weeks]])


def _on(calendar: npt.NDArray[np.datetime64], series: Series, column: Floats) -> Floats:
    """`column` of a series laid on the calendar, NaN where it has no point."""
    result = np.full(calendar.size, np.nan)
    place = np.searchsorted(calendar, series.starts)
    inside = (place < calendar.size) & (calendar[np.minimum(place, calendar.size - 1)] == series.starts)
    result[place[inside]] = column[inside]
    return np.where(np.isfinite(result), result, np.nan)


def _panels(
    weekly: Sequence[Series],
    calendar: npt.NDArray[np.datetime64],
    before: int,
    settings: WatchSettings,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[_Panel], int, list[tuple[str, str, str]]]:
    by_length: dict[int, list[tuple[Series, Floats]]] = {}
    not_watched: list[tuple[str, str, str]] = []
    for series in sorted(weekly, key=lambda one: one.key):
        value = _on(calendar, series, series.value)
        length, why = _baseline_of(value, before)
        if why:
            not_watched.append((*series.key, why))
        else:
            by_length.setdefault(length, []).append((series, value))
    total = sum(len(entries) for entries in by_length.values())
    done = 0
    panels: list[_Panel] = []
    if calendar.size == before:
        return panels, total, not_watched
    everything = {one.key: one for one in weekly}
    for length in sorted(by_length, reverse=True):
        entries = by_length[length]
        cut = slice(before - length, calendar.size)
        families = [_family(series) for series, _ in entries]
        names = sorted(set(families))
        group = np.array([names.index(family) for family in families])
        few = np.bincount(group)[group] < SIBLINGS
        reference = np.array([_rest_of_parent(series, everything, calendar)[cut] for series, _ in entries])
        value = np.array([entry for _, entry in entries])[:, cut]

        def report(now: int, _: int, start: int = done) -> None:
            if progress:
                progress(start + now, total)

        scan = scan_panel(
            value,
            se=np.array([_on(calendar, series, series.se) for series, _ in entries])[:, cut],
            group=group,
            reference=np.where(few[:, None], reference, np.nan),
            alone=np.array([series.slice.parent is None for series, _ in entries]),
            baseline=length,
            promise=settings.promise_weeks,
            follow=settings.follow_weeks,
            expect=True,
            progress=report,
        )
        panels.append(
            _Panel(
                series=[series for series, _ in entries],
                value=value,
                reference=reference,
                baseline=length,
                scan=scan,
            )
        )
        done += len(entries)
    return panels, total, not_watched


def _family(series: Series) -> tuple[str, str, tuple[str, ...], bool]:
    """Siblings cut the same parent by the same attribute, or by channel."""
    part = series.slice
    above = part.parent.code if part.parent is not None else ""
    return series.metric, above, tuple(name for name, _ in part.segment), bool(part.channel)


def _baseline_of(value: Floats, before: int) -> tuple[int, str]:
    """The longest baseline that the series fills, or why it cannot be watched."""
    known = np.isfinite(value[:before])
    if not known.any() or before < BASELINES[-1]:
        return 0, "short_history"
    if not np.isfinite(value[before:]).any() and value.size > before:
        return 0, "no_recent_weeks"
    history = before - int(np.argmax(known))
    for length in BASELINES:
        if length <= history and known[before - length :].mean() >= _FILLED:
            part = value[before - length : before]
            part = part[np.isfinite(part)]
            if np.median(np.abs(part - np.median(part))) <= 1e-12 * max(1.0, float(np.abs(part).max())):
                return 0, "constant"
            return length, ""
    return 0, "short_history" if history < BASELINES[-1] else "gaps"


def _rest_of_parent(
    series: Series, everything: Mapping[tuple[str, str], Series], calendar: npt.NDArray[np.datetime64]
) -> Floats:
    """The metric in the parent slice without this one, on the calendar; all NaN where it cannot be told."""
    nothing = np.full(calendar.size, np.nan)
    above = series.slice.parent
    parent = everything.get((series.metric, above.code)) if above is not None else None
    if parent is None:
        return nothing
    top = _on(calendar, parent, parent.numerator) - np.nan_to_num(_on(calendar, series, series.numerator))
    bottom = _on(calendar, parent, parent.denominator) - np.nan_to_num(
        _on(calendar, series, series.denominator)
    )
    known = np.isfinite(top) & (bottom > 0)
    return np.divide(top, bottom, out=nothing, where=known)


def _looks(
    panels: Sequence[_Panel], settings: WatchSettings, seen: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(n, 2) week of the promise year in which each side was first noticed and first held; `seen` for never."""
    p = np.concatenate([np.stack([panel.scan.p_up, panel.scan.p_down], axis=1) for panel in panels])
    branches = _branches(panels)
    noticed = np.full(p.shape[:2], seen)
    held = np.full(p.shape[:2], seen)
    for week in range(seen):
        evidence = (1 / p[:, :, week]).ravel()
        for first, share in ((noticed, NOTICED_SHARE), (held, settings.false_share)):
            passed = focused_e_bh(
                evidence, share=share, keep=lambda chosen, at=week: _own_move(chosen, branches, at)
            )
            first[passed.reshape(first.shape) & (first == seen)] = week
    return noticed, held


@dataclass(slots=True)
class _Branch:
    """A slice and the parent it is part of, by place in the list of all that is watched."""

    parent: int
    child: int
    whole: Floats
    rest: Floats
    baseline: int

    def explains(self, side: int, week: int) -> bool:
        """Without the slice, less than half of the parent's move (of the last quarter) is left."""
        sign = 1.0 if side == 0 else -1.0
        whole, rest = (sign * self._moved(value, week) for value in (self.whole, self.rest))
        return rest < 0.5 * whole

    def _moved(self, value: Floats, week: int) -> float:
        before = np.nanmedian(value[: self.baseline])
        now = value[self.baseline : self.baseline + week + 1][-13:]
        return float(np.nanmedian(now) / before - 1) if before and np.isfinite(now).any() else 0.0


def _branches(panels: Sequence[_Panel]) -> list[_Branch]:
    rows = [(panel, row) for panel in panels for row in range(len(panel.series))]
    place = {panel.series[row].key: index for index, (panel, row) in enumerate(rows)}
    branches = []
    for index, (panel, row) in enumerate(rows):
        above = panel.series[row].slice.parent
        over = place.get((panel.series[row].metric, above.code)) if above is not None else None
        rest = panel.reference[row]
        if over is None or not np.isfinite(rest).any():
            continue
        # the parent is read over the child's weeks: both end now
        whole = rows[over][0].value[rows[over][1]][-rest.size :]
        if whole.size == rest.size:
            branches.append(
                _Branch(parent=over, child=index, whole=whole, rest=rest, baseline=panel.baseline)
            )
    return branches


def _own_move(chosen: npt.NDArray[np.bool_], branches: Sequence[_Branch], week: int) -> npt.NDArray[np.bool_]:
    """`chosen` (2n,) without the parents whose move is only that of a slice which is on the list itself."""
    shown = chosen.copy()
    for branch in branches:
        for side in (0, 1):
            parent, child = 2 * branch.parent + side, 2 * branch.child + side
            if chosen[parent] and chosen[child] and branch.explains(side, week):
                shown[parent] = False
    return shown


@dataclass(slots=True)
class _Look:
    """One side of one series, looked at since it was noticed."""

    series: Series
    panel: _Panel
    row: int
    side: int
    calendar: npt.NDArray[np.datetime64]
    months: Series | None
    quarters: Series | None

    def signal(
        self,
        name: str,
        kept: Frozen | None,
        *,
        metric: Metric | None,
        noticed: int,
        held: int,
        selected: int,
        tests: int,
        settings: WatchSettings,
        zone: tzinfo | None,
    ) -> Signal:
        scan, base = self.panel.scan, self.panel.baseline
        seen = scan.scores.shape[1]
        sign = 1.0 if self.side == 0 else -1.0
        if kept is None:
            onset = scan.onset(self.row, up=self.side == 0, week=noticed)
            smallest = settings.smallest_effect
            if smallest is None:
                smallest = metric.smallest_effect if metric else 0.0
            kept = Frozen(
                about=self.series.metric,
                slice=self.series.slice.code,
                direction=DIRECTIONS[self.side],
                since=_day(self.calendar[base + onset]),
                smallest_effect=smallest,
                first_seen=datetime.combine(
                    _day(self.calendar[base + noticed]) + timedelta(days=7), time(), tzinfo=zone
                ),
                expected=float(np.mean(scan.expected[self.row, base + onset : base + noticed + 1])),
                origin="metric",
            )
        onset = int(np.searchsorted(self.calendar, np.datetime64(kept.since, "D"))) - base
        onset = min(max(onset, 0), seen - 1)
        sight = int(np.searchsorted(self.calendar, np.datetime64(kept.first_seen.date(), "D"))) - base
        sight = min(max(sight, onset + 1), seen)
        observed, expected, change, se = self._change(onset, seen)
        low, high = e_by_intervals(
            np.array([change]), np.array([se]), selected=selected, tests=tests, share=settings.false_share
        )
        weeks = self._blocks("week", sight, sign, kept.smallest_effect)
        months = self._blocks("month", sight, sign, kept.smallest_effect)
        quarters = self._blocks("quarter", sight, sign, kept.smallest_effect)
        turned = self._turned(onset, sight, sign)
        holding = held < scan.p_up.shape[1]
        grade, why = grade_of(
            holding=holding, weeks=weeks, months=months, quarters=quarters, turned=turned, origins=("metric",)
        )
        p = (scan.p_up, scan.p_down)[self.side][self.row, -1]
        return Signal(
            id=name,
            frozen=kept,
            observed=observed,
            expected=expected,
            low=float(low[0]),
            high=float(high[0]),
            e_value=float(calibrated(p)),
            grade=grade,
            halves=self._halves(onset),
            weeks=weeks,
            months=months,
            quarters=quarters,
            why=why,
            provenance=self.series.provenance,
        )

    def _change(self, first: int, last: int) -> tuple[float, float, float, float]:
        """Observed, expected, their difference and its standard error over promise weeks first..last−1."""
        scan, base = self.panel.scan, self.panel.baseline
        value = self.panel.value[self.row, base + first : base + last]
        expected = scan.expected[self.row, base + first : base + last]
        known = np.isfinite(value)
        if not known.any():
            return float("nan"), float("nan"), float("nan"), float("nan")
        weight = np.zeros(scan.scores.shape[1])
        weight[first:last] = known / known.sum()
        se = scan.mean_se(self.row, weight)
        # a glitch of a week or two moves the mean no further than four sd of a week; where there are weeks
        # enough for a median, that is counted from it, so that a large lasting change is not cut short
        usual = scan.spread[self.row, base + first : base + last][known]
        off = (value - expected)[known]
        middle = float(np.median(off)) if off.size > 4 else 0.0
        away = np.clip(off, middle - 4 * usual, middle + 4 * usual).mean()
        return float(value[known].mean()), float(expected[known].mean()), float(away), se

    def _blocks(self, grain: Grain, sight: int, sign: float, smallest: float) -> tuple[Block, ...]:
        """Disjoint blocks of whole weeks after first sight."""
        base = self.panel.baseline
        seen = self.panel.scan.scores.shape[1]
        groups: dict[Period, list[int]] = {}
        for week in range(sight, seen):
            # a week belongs to the month that holds its Thursday, as ISO years do
            groups.setdefault(
                Period.holding(_day(self.calendar[base + week]) + timedelta(days=3), grain), []
            ).append(week)
        blocks = []
        for period, weeks in groups.items():
            if grain != "week" and len(weeks) < (period.end - period.start).days // 7 - 1:
                finished = False
            else:
                finished = self._finished(period)
            _, expected, change, se = self._change(weeks[0], weeks[-1] + 1)
            if not np.isfinite(change):
                continue
            size = abs(expected)
            effect = sign * change / size if size else float("nan")
            beyond = (sign * change - smallest * size) / se
            stake = min(max(beyond, -3.0), 3.0)
            e_value = float(np.mean([np.exp(bet * stake - bet * bet / 2) for bet in (1.0, 2.0)]))
            blocks.append(
                Block(
                    code=period.code,
                    effect=effect,
                    low=effect - 1.96 * se / size if size else float("nan"),
                    high=effect + 1.96 * se / size if size else float("nan"),
                    e_value=e_value,
                    passes=bool(beyond > 0 and e_value > 1),
                    finished=finished,
                )
            )
        return tuple(blocks)

    def _finished(self, period: Period) -> bool:
        longer = {"month": self.months, "quarter": self.quarters}.get(period.grain)
        if longer is not None:
            return bool(np.any(longer.starts == np.datetime64(period.start, "D")))
        return self.calendar[-1] + np.timedelta64(7, "D") >= np.datetime64(period.end, "D") - np.timedelta64(
            3, "D"
        )

    def _turned(self, onset: int, sight: int, sign: float) -> float:
        """Evidence now that less than half of the change is left; once it refutes, it stays."""
        scan, base = self.panel.scan, self.panel.baseline
        seen = scan.scores.shape[1]
        if sight >= seen:
            return 1.0
        stays = sign * self._change(onset, sight)[2] / 2
        away = sign * (self.panel.value[self.row] - scan.expected[self.row])[base + sight :]
        noise, _ = scan.design(self.row)
        away = (away - stays) / scan.innovation[self.row]
        errors = noise_filter(noise, away.size) @ np.nan_to_num(away)
        scores = np.clip(errors, -CLIP, CLIP)[None, :]
        horizon = max(_FOLLOWED, scores.shape[1])
        _, against = mixture_log_evidence(scores, np.ones((horizon, horizon)), law=scan.law)
        ever = float(np.exp(np.max(against)))
        return ever if ever >= REFUTED_AT else float(np.exp(against[0, -1]))

    def _halves(self, onset: int) -> tuple[float, float]:
        """The change in each half of the customers against that half's own baseline."""
        base = self.panel.baseline
        result = []
        for half in range(2):
            value = _on(self.calendar, self.series, self.series.half_value[half])
            before, after = value[:base], value[base + onset :]
            if np.isfinite(before).any() and np.isfinite(after).any():
                result.append(float(np.nanmean(after) - np.nanmedian(before)))
            else:
                result.append(float("nan"))
        return result[0], result[1]


def _day(moment: np.datetime64) -> date:
    return moment.astype("datetime64[D]").astype(date)
