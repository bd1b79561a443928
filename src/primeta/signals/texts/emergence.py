"""Which topics of a panel emerge: more is said of them than before, by whom, since when, and whether it lasts.

Two nulls are judged. "Each owner speaks of it as often as before" gives a topic's e-value; "at most one owner speaks
more of it" gives the e-value of a second origin: the smallest one over leaving any one owner out, so nobody confirms
alone however loud he is. docs/methods/emergence.md says what is assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.facts import Grain, Period
from primeta.signals.grades import NOTICED_SHARE
from primeta.signals.signal import Block
from primeta.signals.texts.panel import Panel
from primeta.signals.texts.panel_past import ALIKE, LASTING, Pooled, Told, days_of, sum_by
from primeta.stats.emergence import (
    Evidence,
    log_ratio,
    looked_often,
    raised_evidence,
    share_interval,
    turned_evidence,
)

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

LASTING_DAYS = 7
"""LASTING in a panel of days."""
SECOND_AT = 20.0
"""E-value from which a second origin is claimed …"""
_SECOND_HEIGHT = 947.0
"""… with this maximum behind it, so by Ville's inequality a topic with one origin gets there with probability 1/947."""
_SHORTEST = 4
"""Periods below which there is no before and after."""
ESCAPED = 0.1
"""Copies that pass for stories of others, per copy that was found: where an owner is repeated a lot, some retellings are
expected to look like somebody else's own."""
_MISSES_KNOWN = 10.0
"""Shape of the gamma law around ESCAPED: its sd is a third of it."""
_CHUNK = 4_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Emerged:
    """C candidates of one panel. Weeks are indices into `panel.weeks`; −1 is never."""

    panel: Panel
    log_e: Floats
    """(C,) natural logarithm of the e-value against "each owner speaks of it as often as before": running maximum over
    the promise, adjusted for having looked every week. About −0.7 where nothing speaks for it."""
    now: Floats
    """(C,) logarithm of the e-process as it stands in the last week."""
    second_origin: Floats
    """(C,) e-value, same adjustment, against "at most one owner speaks more of it"; 1 where it was not worth asking."""
    onset: Ints
    """(C,) week of the most probable start."""
    noticed: Ints
    """(C,) week in which it came on the list of which half may be false."""
    held: Ints
    """(C,) week in which it came on the list whose false share is at most `error`."""
    selected: Bools
    """(C,) on that list by now."""
    confirmed: Bools
    """(C,) selected, and a second origin is claimed (SECOND_AT)."""
    share_before: Floats
    """(C,) stories of it over all stories before the onset; NaN where it is not on the list of noticed ones."""
    share_since: Floats
    """(C,) since the onset."""
    share_low: Floats
    share_high: Floats
    """(C,) 95% interval of `share_since`, for each topic by itself."""
    turned: Floats
    """(C,) e-value against "at least half of the rise is still there"; 1 says nothing."""
    by_candidate: Ints
    """(M,) candidates and …"""
    by_owner: Ints
    """(M,) … owners for whom there is …"""
    log_e_owner: Floats
    """(M,) … evidence of their own: same as `log_e`, for one owner."""
    first_watched: int
    """First week of the promise."""
    error: float
    cap: float
    """Largest gain of one week, in natural logarithms."""
    week_factor: float
    """Variance over mean of a week's count, as learnt from the past."""
    _series: dict[int, _Followed] = field(default_factory=dict)

    def blocks(self, candidate: int, grain: Grain) -> tuple[Block, ...]:
        """Disjoint weeks, months or quarters after a noticed topic's first sight: is the share still raised?"""
        followed = self._series.get(candidate)
        return followed.blocks(grain, self.panel.weeks) if followed else ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Followed:
    """One noticed topic over the promise, in damped counts."""

    counts: Floats
    expected: Floats
    shape: float
    most: float
    onset: int
    """Of the promise."""
    sight: int
    """First week of the promise after first sight."""
    first_watched: int

    def before(self) -> tuple[float, float]:
        """Gamma law of ψ up to the onset."""
        known = self.shape + float(self.counts[: self.onset].sum())
        trust = min(1.0, self.most / known)
        return trust * known, trust * (self.shape + float(self.expected[: self.onset].sum()))

    def rise(self) -> float:
        """ψ since the onset over ψ before, by what was known at first sight."""
        a, b = self.before()
        since = slice(self.onset, self.sight)
        count, told = float(self.counts[since].sum()), float(self.expected[since].sum())
        # what is noticed was lucky: one standard error less
        return (count - np.sqrt(count)) / max(told, 1e-9) * b / a if count > 1 else 1.0

    def turned(self) -> float:
        a, b = self.before()
        later = slice(self.sight, None)
        return turned_evidence(self.counts[later], self.expected[later] * a / b, rise=self.rise())

    def blocks(self, grain: Grain, weeks: tuple[date, ...]) -> tuple[Block, ...]:
        a, b = self.before()
        step = timedelta(days=days_of(weeks))
        # a week belongs to the month that holds its Thursday, as ISO years do
        middle = timedelta(days=3 if step.days == 7 else 0)
        groups: dict[Period, list[int]] = {}
        for at in range(self.sight, self.counts.size):
            groups.setdefault(Period.holding(weeks[self.first_watched + at] + middle, grain), []).append(at)
        end = weeks[-1] + step + middle
        found = []
        for period, inside in groups.items():
            whole = (period.end - period.start).days // step.days
            finished = len(inside) >= whole - (grain != "week") and end >= period.end
            count, told = float(self.counts[inside].sum()), float(self.expected[inside].sum())
            usual = told * a / b
            if usual <= 0:
                continue
            low, high = share_interval(np.array([count]), np.array([usual]), level=0.95)
            e_value = float(
                np.exp(min(log_ratio(np.array(count), np.array(told), np.array(a), np.array(b)), 300.0))
            )
            found.append(
                Block(
                    code=period.code,
                    effect=count / usual - 1,
                    low=float(low[0]) - 1,
                    high=float(high[0]) - 1,
                    e_value=e_value,
                    passes=bool(count > usual and e_value > 1),
                    finished=finished,
                )
            )
        return tuple(found)


def emerge(
    panel: Panel,
    *,
    error: float = 0.05,
    promise: int = 52,
    horizon: int | None = None,
    left_out: int | None = None,
) -> Emerged:
    """Judge every candidate of a panel, week by week through the promise.

    A panel of days is judged just so, day by day.

    Args:
        error: Largest expected share of false ones on the list `selected`, all weekly looks and all candidates counted,
            also those with no row.
        left_out: Terms that are no candidates because they were spoken of too rarely, by default `Panel.rare.terms`.
            They count as looked at: how often a term is told again is learnt from all terms, so the e-values mean
            something over all of them, not over those that were picked for being told often.
        promise: Weeks watched, the last ones of the panel; what lies before is "before". Where a panel is shorter than
            the promise and half a year, its first third is "before".
        horizon: Weeks that the promise has when it is over, by default those watched. Somebody who looks while it
            still runs gives it, and each look is one of the same e-process.
    """
    count = panel.candidates
    floor = float(looked_often(np.zeros(1))[0])
    if len(panel.weeks) < _SHORTEST or count == 0 or not panel.owners:
        return _nothing(panel, floor, error)
    told = Told(panel, promise)
    weeks, first = len(panel.weeks), told.first
    watched = weeks - first
    horizon = max(horizon or watched, watched)
    rare = panel.rare.terms if panel.rare else 0
    tests = max(count + (rare if left_out is None else left_out), 1)
    lasting = LASTING if days_of(panel.weeks) == 7 else LASTING_DAYS
    cap = np.log(tests / error) / lasting
    second_cap = np.log(_SECOND_HEIGHT) / lasting
    log_e, now = np.full(count, floor), np.zeros(count)
    onset = np.full(count, -1)
    rows = told.lively()
    running = np.zeros((rows.size, watched), dtype=np.float32)
    excess_week, most = told.excess(rows)
    for part in _chunks(rows.size):
        pooled = told.pooled(rows[part])
        alive = _drifts(pooled.counts, pooled.expected)
        evidence = _evidence(pooled, alive, excess_week, most[part], horizon, cap)
        ever = np.maximum.accumulate(np.maximum(evidence.log_e, 0), axis=1)
        running[np.arange(rows.size)[part][alive]] = ever
        here = rows[part][alive]
        log_e[here] = looked_often(ever[:, -1])
        now[here] = evidence.log_e[:, -1]
        start = first + evidence.onset
        # something new: the week of its first mention opened it, though it is no evidence
        onset[here] = np.where(
            (told.base_end[here] > first) & (start - told.base_end[here] <= 4), told.base_end[here] - 1, start
        )
    noticed, held = np.full(count, -1), np.full(count, -1)
    noticed[rows], held[rows] = _lists(running, tests, first, error)
    result = _Result(
        told, excess_week, dict(zip(rows.tolist(), most.tolist(), strict=True)), watched, horizon
    )
    second = np.ones(count)
    pairs: list[tuple[int, int, float]] = []
    series: dict[int, _Followed] = {}
    shares = np.full((4, count), np.nan)
    turned = np.ones(count)
    for one in np.flatnonzero(noticed >= 0).tolist():
        onset[one] = told.began(one, int(onset[one]))
        owners, alone, without = result.origins(one, cap, second_cap)
        second[one] = np.exp(min(float(without), 300.0))
        pairs += [(one, owner, value) for owner, value in zip(owners.tolist(), alone.tolist(), strict=True)]
        series[one] = result.followed(one, int(onset[one]), int(noticed[one]))
        turned[one] = series[one].turned()
        shares[:, one] = told.shares(one, int(onset[one]), excess_week)
    selected = held >= 0
    return Emerged(
        panel=panel,
        log_e=log_e,
        now=now,
        second_origin=second,
        onset=onset,
        noticed=noticed,
        held=held,
        selected=selected,
        confirmed=selected & (second >= SECOND_AT),
        share_before=shares[0],
        share_since=shares[1],
        share_low=shares[2],
        share_high=shares[3],
        turned=turned,
        by_candidate=np.array([pair[0] for pair in pairs], dtype=np.int64),
        by_owner=np.array([pair[1] for pair in pairs], dtype=np.int64),
        log_e_owner=np.array([pair[2] for pair in pairs], dtype=float),
        first_watched=first,
        error=error,
        cap=cap,
        week_factor=excess_week,
        _series=series,
    )


def _nothing(panel: Panel, floor: float, error: float) -> Emerged:
    """What is said of a panel that is too short to have a before and an after."""
    count = panel.candidates
    unknown, never, none = np.full(count, np.nan), np.full(count, -1), np.zeros(count, bool)
    return Emerged(
        panel=panel, log_e=np.full(count, floor), now=np.zeros(count), second_origin=np.ones(count), onset=never,
        noticed=never, held=never, selected=none, confirmed=none, share_before=unknown, share_since=unknown,
        share_low=unknown, share_high=unknown, turned=np.ones(count), by_candidate=never[:0], by_owner=never[:0],
        log_e_owner=unknown[:0], first_watched=len(panel.weeks), error=error, cap=float("nan"), week_factor=1.0,
    )  # fmt: skip


def _chunks(size: int) -> Iterator[slice]:
    for start in range(0, size, _CHUNK):
        yield slice(start, min(start + _CHUNK, size))


def _drifts(counts: Floats, expected: Floats) -> Ints:
    """Rows in which some run of weeks lies clearly above; the others cannot come near a list."""
    height = np.zeros(counts.shape[0])
    best = np.zeros(counts.shape[0])
    for week in range(counts.shape[1]):
        height = np.maximum(height + counts[:, week] * np.log(2) - expected[:, week], 0)
        best = np.maximum(best, height)
    return np.flatnonzero(best >= 2)


def _evidence(
    pooled: Pooled, alive: Ints, week_factor: float, most: Floats, horizon: int, cap: float
) -> Evidence:
    return raised_evidence(
        pooled.counts[alive] / week_factor,
        pooled.expected[alive] / week_factor,
        shape=pooled.shape[alive] / week_factor,
        most=most[alive],
        first=pooled.first[alive],
        new=pooled.first[alive] > 0,
        promise=horizon,
        cap=cap,
    )


def _lists(running: Floats, tests: int, first: int, error: float) -> tuple[Ints, Ints]:
    """Week in which each row came on the list of noticed ones, and on that of `error`; −1 for never.

    By Ville's inequality 1 / (running maximum) is a p-value for all looks so far. e-BH on its inverse is Benjamini &
    Hochberg's rule on it, as for metrics (`signals.scan`): it holds for independent and for positively dependent
    candidates, as words of one story are. Those that have no row are counted and cannot pass.
    """
    noticed, held = np.full(running.shape[0], -1), np.full(running.shape[0], -1)
    for week in range(running.shape[1]):
        worth = running[:, week]
        likely = np.flatnonzero(worth > 0)
        order = likely[np.argsort(-worth[likely], kind="stable")]
        needed = np.log(tests / np.arange(1, order.size + 1))
        for came, share in ((noticed, NOTICED_SHARE), (held, error)):
            fits = np.flatnonzero(worth[order] >= needed - np.log(share))
            passed = order[: fits[-1] + 1] if fits.size else order[:0]
            came[passed[came[passed] < 0]] = first + week
    return noticed, held


@dataclass(slots=True)
class _Result:
    """What is said of single topics."""

    told: Told
    week_factor: float
    most: dict[int, float]
    watched: int
    horizon: int

    def origins(self, candidate: int, cap: float, second_cap: float) -> tuple[Ints, Floats, float]:
        """Owners who speak of it, logarithm of each one's own e-value, and that of "more than one speaks more"."""
        told = self.told
        pooled = told.pooled(np.array([candidate]))
        rows = np.arange(told.begin[candidate], told.begin[candidate + 1])
        owner, week, many = told.owner[rows], told.week[rows], told.told[rows]
        end = told.base_end[candidate]
        evidence = (week >= end) & (week >= told.settled[owner])
        owners = np.unique(owner[evidence])
        place = np.searchsorted(owners, owner)
        place[place == owners.size] = 0
        mine = owners.size > 0 and (owners[place] == owner)
        counts = np.zeros((owners.size, self.watched))
        use = evidence & mine
        np.add.at(counts, (place[use], week[use] - told.first), many[use])
        copies = np.zeros_like(counts)
        np.add.at(copies, (place[use], week[use] - told.first), told.copies[rows][use])
        habit = mine & (week < told.settled[owner])
        own = sum_by(place[habit], weights=many[habit], minlength=owners.size)
        alike = told.alike[candidate]
        share = told.habit(own, float(alike), owners, np.full(owners.size, end))
        expected = share[:, None] * told.heard[owners]
        one = np.full(owners.size, end - told.first)
        most = np.full(owners.size, self.most[candidate])
        alone = raised_evidence(
            counts / self.week_factor,
            expected / self.week_factor,
            shape=(ALIKE + own) / self.week_factor,
            most=most,
            first=one,
            new=one > 0,
            promise=self.horizon,
            cap=cap,
        )
        rest = np.maximum(pooled.expected - expected, 0.02 * pooled.expected)
        shape = np.maximum(told.shape[candidate] - own, 1.0)
        missed = ESCAPED * copies
        # one gamma law for both: with the variance that the others' share and the rate of misses have together
        total, misses = rest.sum(axis=1) + 1e-12, missed.sum(axis=1)
        shape = (total + misses) ** 2 / (total**2 / shape + misses**2 / _MISSES_KNOWN)
        others = raised_evidence(
            np.maximum(pooled.counts - counts, 0) / self.week_factor,
            (rest + missed) / self.week_factor,
            shape=shape / self.week_factor,
            most=most,
            first=one,
            new=one > 0,
            promise=self.horizon,
            cap=second_cap,
        )
        without = np.maximum(others.log_e.max(axis=1), 0).min() if owners.size > 1 else 0.0
        ever = np.maximum(alone.log_e.max(axis=1), 0)
        return owners, looked_often(ever), float(looked_often(np.array([without]))[0])

    def followed(self, candidate: int, onset: int, noticed: int) -> _Followed:
        pooled = self.told.pooled(np.array([candidate]))
        return _Followed(
            counts=pooled.counts[0] / self.week_factor,
            expected=pooled.expected[0] / self.week_factor,
            shape=float(pooled.shape[0]) / self.week_factor,
            most=self.most[candidate],
            onset=max(onset - self.told.first, 0),
            sight=noticed - self.told.first + 1,
            first_watched=self.told.first,
        )
