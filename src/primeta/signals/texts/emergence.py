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
from primeta.stats.emergence import (
    Evidence,
    log_ratio,
    looked_often,
    raised_evidence,
    share_interval,
    turned_evidence,
)
from primeta.stats.overdispersion import held_out_discount, learn_excess, thread_factor

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

LASTING = 3
"""An echo of so many weeks is not enough: one week weighs at most a third of what the first on a list must reach."""
LASTING_DAYS = 7
"""The same in a panel of days."""
SETTLING = 8
SETTLING_DAYS = 21
"""Weeks in which a new owner's own habits are learnt; what he says in them is no evidence."""
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
_ALIKE = 1.0
"""Shape of the gamma law of owners' shares around the panel's: an owner who never spoke of it may differ by e-fold."""
_YEAR = 52
_SEASON = 2
"""Weeks on either side of the same week last year."""
_SEASONAL = 1.0
"""Shape of the gamma law of a season's factor: told ten times as much as usual is as likely as e⁻¹⁰."""
_HEAVY = 3.0
"""Wandering is taken to be so many times its variance: its tail is heavier than a gamma law's, and the share that the
past shows is one that wandered itself."""
_USUAL_WORDS = 100
"""Candidates of long standing from which on they tell whether texts grow longer …"""
_WORDIER = 8
"""… by so many weeks."""
_BETTER = 2.0
_CHUNK = 4_000
_SAMPLE = 20_000


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
        step = timedelta(days=_days(weeks))
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
    told = _Told(panel, promise)
    weeks, first = len(panel.weeks), told.first
    watched = weeks - first
    horizon = max(horizon or watched, watched)
    rare = panel.rare.terms if panel.rare else 0
    tests = max(count + (rare if left_out is None else left_out), 1)
    lasting = LASTING if _days(panel.weeks) == 7 else LASTING_DAYS
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


def _days(weeks: tuple[date, ...]) -> int:
    """7, or 1 for a panel of days."""
    return (weeks[1] - weeks[0]).days if len(weeks) > 1 else 7


def _sum_by(place: Ints, *, weights: Floats | Ints, minlength: int) -> Floats:
    """Sums of `weights` by place, as floats."""
    return np.bincount(place, weights=weights, minlength=minlength).astype(np.float64)


def _times_log(count: Floats, value: Floats) -> Floats:
    """count · ln value, 0 where nothing was counted."""
    return count * np.log(np.where(count > 0, value, 1.0))


def _chunks(size: int) -> Iterator[slice]:
    for start in range(0, size, _CHUNK):
        yield slice(start, min(start + _CHUNK, size))


def _lately(values: Floats, first: int) -> Floats:
    """(O, T) sums over the last _WORDIER weeks, for the weeks of the promise."""
    total = np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)
    now = np.arange(first, values.shape[1]) + 1
    return total[:, now] - total[:, np.maximum(now - _WORDIER, 0)]


def _drifts(counts: Floats, expected: Floats) -> Ints:
    """Rows in which some run of weeks lies clearly above; the others cannot come near a list."""
    height = np.zeros(counts.shape[0])
    best = np.zeros(counts.shape[0])
    for week in range(counts.shape[1]):
        height = np.maximum(height + counts[:, week] * np.log(2) - expected[:, week], 0)
        best = np.maximum(best, height)
    return np.flatnonzero(best >= 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pooled:
    """n candidates over the T weeks of the promise, all owners together."""

    counts: Floats
    expected: Floats
    shape: Floats
    first: Ints


def _evidence(
    pooled: _Pooled, alive: Ints, week_factor: float, most: Floats, horizon: int, cap: float
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


class _Told:
    """A panel as arrays: what was said before, what leads to expect what, what was said since."""

    def __init__(self, panel: Panel, promise: int) -> None:
        self.panel = panel
        weeks = len(panel.weeks)
        self.first = weeks - promise if weeks >= promise + 26 else max(weeks // 3, weeks - promise, 1)
        volume = np.asarray(panel.volume, float)
        self.volume = volume
        spoke = volume > 0
        began = np.where(spoke.any(axis=1), spoke.argmax(axis=1), weeks)
        # who was there when the panel began is no newcomer
        settling = SETTLING if _days(panel.weeks) == 7 else SETTLING_DAYS
        self.settled = np.maximum(self.first, np.where(began > 0, began + settling, 0))
        order = np.arange(weeks)
        self.heard = np.where(order[None, :] >= self.settled[:, None], volume, 0.0)[:, self.first :]
        self.own_volume = np.where(order[None, :] < self.settled[:, None], volume, 0.0).sum(axis=1)
        self.said_before = np.concatenate([np.zeros((volume.shape[0], 1)), np.cumsum(volume, axis=1)], axis=1)
        self.by_week = volume.sum(axis=0)
        self.so_far = np.concatenate([[0.0], np.cumsum(self.by_week)])
        self._rows()
        self.heard = self.heard * self._wordier()
        self._base()

    def _rows(self) -> None:
        """Rows by candidate and week, threads damped."""
        panel = self.panel
        order = np.lexsort((panel.week, panel.candidate))
        self.candidate = np.asarray(panel.candidate)[order].astype(np.int64)
        self.owner = np.asarray(panel.owner)[order].astype(np.int64)
        self.week = np.asarray(panel.week)[order].astype(np.int64)
        self.stories = np.asarray(panel.stories)[order].astype(np.int64)
        copies = np.zeros(order.size) if panel.copies is None else np.asarray(panel.copies, float)
        self.copies = copies[order]
        early = self.week < self.first
        owners = len(panel.owners)
        pair = self.candidate * owners + self.owner
        before = np.maximum(self.volume[:, : self.first].sum(axis=1), 1.0)
        names, place = np.unique(pair[early], return_inverse=True)
        share = _sum_by(place, weights=self.stories[early], minlength=names.size) / before[names % owners]
        mean = share[place] * self.volume[self.owner[early], self.week[early]]
        self.thread = thread_factor(self.stories[early], mean, self.owner[early], owners)
        self.told = 1 + (self.stories - 1) / self.thread[self.owner]
        self.begin = np.searchsorted(self.candidate, np.arange(panel.candidates + 1))

    def _wordier(self) -> Floats:
        """(O, T) by how much an owner's stories of the last weeks hold more of the words that were always used.

        Where texts grow longer, everything is said more often per story, and nothing emerges. Texts that grow shorter
        are left as they are, which errs on the side of the null.
        """
        early = self.week < self.first
        usual = np.bincount(self.candidate[early], minlength=self.panel.candidates) >= 3
        if usual.sum() < _USUAL_WORDS:
            return np.ones_like(self.heard)
        rows = usual[self.candidate]
        owners, weeks = self.volume.shape
        told = _sum_by(
            self.owner[rows] * weeks + self.week[rows], weights=self.told[rows], minlength=owners * weeks
        ).reshape(owners, weeks)
        before = slice(0, self.first)
        rate = told[:, before].sum() / max(self.volume[:, before].sum(), 1.0)
        own = (told[:, before].sum(axis=1) + 100 * rate) / (self.volume[:, before].sum(axis=1) + 100)
        told, due = _lately(told, self.first), _lately(self.volume * own[:, None], self.first)
        all_told, all_due = told.sum(axis=0), due.sum(axis=0)
        together = (all_told + 100) / (all_due + 100)
        return np.maximum((told + 100 * together) / (due + 100), 1.0)

    def _base(self) -> None:
        """(C,) what each candidate's share before rests on, and up to which week."""
        count, first = self.panel.candidates, self.first
        early = self.week < first
        half = first // 2
        spans = [
            _sum_by(self.candidate[part], weights=self.told[part], minlength=count)
            for part in (self.week < half, early & (self.week >= half))
        ]
        seen = spans[0] + spans[1]
        self.discount = self._discount(spans, half) if first >= 8 else 0.0
        there = np.diff(self.begin) > 0
        opened = np.full(count, first)
        opened[there] = self.week[np.minimum(self.begin[:-1][there], self.week.size - 1)] + 1
        self.base_end = np.where(seen > 0, first, np.maximum(opened, first))
        # Something new rests on its first mention alone: what else was said in that week is neither past nor evidence.
        self.mentions = np.where(there & (seen <= 0), 1.0, seen)
        self.shape = np.maximum(self.mentions - self.discount, 0.2)
        self.share = self.shape / np.maximum(self.so_far[self.base_end], 1.0)
        self.alike = _ALIKE / self.share
        # how much volume owners who never spoke of it bring to its expectation, by how alike they are held to be
        self.grid = np.linspace(
            np.log(max(float(self.alike.min(initial=1.0)), 1e-3)),
            np.log(max(float(self.alike.max(initial=1.0)), 1e-3)) + 1e-6,
            80,
        )
        alike = np.exp(self.grid)[:, None]
        self.unheard = (alike / (alike + self.own_volume[None, :])) @ self.heard

    def _discount(self, spans: list[Floats], half: int) -> float:
        """Learnt from all terms: those that are no candidates are told of by their sample."""
        volume = self.so_far[half], self.so_far[self.first] - self.so_far[half]
        rare = self.panel.rare
        if rare is None or not rare.sampled:
            return held_out_discount(spans[0], spans[1], volume=volume)
        week = np.asarray(rare.week)
        sample = [
            np.bincount(np.asarray(rare.term)[part], minlength=rare.sampled).astype(float)
            for part in (week < half, (week >= half) & (week < self.first))
        ]
        weight = np.ones(spans[0].size + rare.sampled)
        weight[spans[0].size :] = rare.terms / rare.sampled
        first, second = (np.concatenate(both) for both in zip(spans, sample, strict=True))
        return held_out_discount(first, second, volume=volume, weight=weight)

    def of(self, candidates: Ints) -> tuple[Ints, Ints]:
        """Rows of the candidates (ascending), and for each row which of them it belongs to."""
        size = self.begin[candidates + 1] - self.begin[candidates]
        which = np.repeat(np.arange(candidates.size), size)
        start = np.repeat(self.begin[candidates] - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
        return start + np.arange(which.size), which

    def lively(self) -> Ints:
        """Candidates that are spoken of in at least three weeks that may count as evidence."""
        counts = (self.week >= self.base_end[self.candidate]) & (self.week >= self.settled[self.owner])
        weeks = np.unique(self.candidate[counts] * len(self.panel.weeks) + self.week[counts])
        many = np.bincount(weeks // len(self.panel.weeks), minlength=self.panel.candidates)
        return np.flatnonzero(many >= LASTING)

    def pooled(self, candidates: Ints) -> _Pooled:
        """Counts and expectations of all owners together."""
        rows, which = self.of(candidates)
        n, watched = candidates.size, self.heard.shape[1]
        owner, week, told = self.owner[rows], self.week[rows], self.told[rows]
        end = self.base_end[candidates]
        evidence = (week >= end[which]) & (week >= self.settled[owner])
        flat = which[evidence] * watched + week[evidence] - self.first
        counts = _sum_by(flat, weights=told[evidence], minlength=n * watched).reshape(n, watched)
        return _Pooled(
            counts=counts,
            expected=self._expected(candidates, rows, which) * self._last_year(candidates, rows, which),
            shape=self.shape[candidates],
            first=end - self.first,
        )

    def _expected(self, candidates: Ints, rows: Ints, which: Ints) -> Floats:
        """(n, T) what owners' own shares lead to expect: (alike · share + own count) / (alike + own volume) each."""
        n, watched = candidates.size, self.heard.shape[1]
        alike = self.alike[candidates]
        place = np.clip(np.searchsorted(self.grid, np.log(alike), side="right") - 1, 0, self.grid.size - 2)
        part = ((np.log(alike) - self.grid[place]) / (self.grid[place + 1] - self.grid[place]))[:, None]
        unheard = (1 - part) * self.unheard[place] + part * self.unheard[place + 1]
        owner, week = self.owner[rows], self.week[rows]
        early = week < self.settled[owner]
        from scipy.sparse import csr_array

        shape = (n, self.heard.shape[0])
        own = csr_array((self.told[rows][early], (which[early], owner[early])), shape=shape).tocoo()
        who, whose = own.coords
        more = self.habit(
            np.asarray(own.data, float), alike[who], whose, self.base_end[candidates][who]
        ) - _ALIKE / (alike[who] + self.own_volume[whose])
        own = csr_array((more, (who, whose)), shape=shape)
        return self.share[candidates][:, None] * unheard + np.asarray(own @ self.heard).reshape(n, watched)

    def habit(self, own: Floats, alike: Floats | float, owner: Ints, end: Ints) -> Floats:
        """Share of owners who spoke of it `own` times before week `end`: drawn to the panel's, but no less than his own tells.

        A gamma law has too thin a tail for an owner whose subject it is: (own − 1) / volume, discounted as all that
        is counted for being there, stands against it.
        """
        # Who came within the last weeks is not settled by the end of the panel.
        last = self.said_before.shape[1] - 1
        volume = self.said_before[owner, np.minimum(np.maximum(end, self.settled[owner]), last)]
        return np.maximum((_ALIKE + own) / (alike + volume), (own - 1) / np.maximum(volume, 1.0))

    def _last_year(self, candidates: Ints, rows: Ints, which: Ints) -> Floats:
        """(n, T) how many times more is expected because the same five weeks a year ago held more; 1 where they did not.

        Of a word that is rare, one story a year ago says little: its factor is drawn to 1 by a gamma law of shape
        _SEASONAL, (shape + told then) / (shape + usual then).
        """
        n, weeks = candidates.size, len(self.panel.weeks)
        counts = _sum_by(
            which * weeks + self.week[rows], weights=self.told[rows], minlength=n * weeks
        ).reshape(n, weeks)
        total = np.concatenate([np.zeros((n, 1)), np.cumsum(counts, axis=1)], axis=1)
        step = _days(self.panel.weeks)
        middle = np.arange(self.first, weeks) - _YEAR * 7 // step
        around = _SEASON * 7 // step
        # Weeks of the promise itself are watched, not known: what began in them a year ago is no season yet.
        low, high = (np.clip(edge, 0, self.first) for edge in (middle - around, middle + around + 1))
        usual = self.share[candidates][:, None] * (self.so_far[high] - self.so_far[low])
        return np.maximum((_SEASONAL + total[:, high] - total[:, low]) / (_SEASONAL + usual), 1.0)

    def excess(self, candidates: Ints) -> tuple[float, Floats]:
        """Shocks of a week, and (n,) how many mentions a candidate's past may be worth at most."""
        rng = np.random.default_rng(20260101)
        others = np.setdiff1d(np.flatnonzero(self.mentions >= 3), candidates)
        if others.size > _SAMPLE:
            others = np.sort(rng.choice(others, size=_SAMPLE, replace=False))
        asked = candidates[: _SAMPLE * 4]
        every = np.union1d(asked, others)
        if every.size == 0 or self.first < 4:
            return 1.0, np.full(candidates.size, 50.0)
        early = self.volume[:, : self.first]
        own = early.sum(axis=1)
        from scipy.sparse import csr_array

        rows, which = self.of(every)
        inside = self.week[rows] < self.first
        rows, which = rows[inside], which[inside]
        counts = _sum_by(
            which * self.first + self.week[rows], weights=self.told[rows], minlength=every.size * self.first
        ).reshape(every.size, self.first)
        habit = csr_array(
            (self.told[rows] / np.maximum(own[self.owner[rows]], 1.0), (which, self.owner[rows])),
            shape=(every.size, own.size),
        )
        found = learn_excess(counts, np.asarray(habit @ early))
        allowed = 1 / (_HEAVY * found.wander)
        most = np.full(candidates.size, float(np.median(allowed)))
        most[: asked.size] = allowed[np.searchsorted(every, asked)]
        return found.week, most

    def began(self, candidate: int, onset: int) -> int:
        """The week in which more began, also where that was in the year before the promise.

        Evidence starts with the promise, what it tells of need not: a start before it is taken where one share up to
        it and one since explain all weeks better than with `onset`, by _BETTER in the logarithm of the likelihood.
        """
        first = self.first
        rows = slice(self.begin[candidate], self.begin[candidate + 1])
        total = np.concatenate(
            [[0.0], np.cumsum(_sum_by(self.week[rows], weights=self.told[rows], minlength=self.by_week.size))]
        )
        weeks = np.unique(self.week[rows])
        back = first - _YEAR * 7 // _days(self.panel.weeks)
        starts = np.append(weeks[(weeks < first) & (weeks >= back)], onset)
        before, volume = total[starts], np.maximum(self.so_far[starts], 1e-9)
        since, heard = total[-1] - before, np.maximum(self.so_far[-1] - self.so_far[starts], 1e-9)
        more = since / heard > before / volume
        height = _times_log(before, before / volume) + _times_log(since, since / heard)
        height = np.where(more, height, -np.inf)
        best = int(np.argmax(height))
        return int(starts[best]) if height[best] > height[-1] + _BETTER else onset

    def shares(self, candidate: int, onset: int, week_factor: float) -> tuple[float, float, float, float]:
        """Stories over all stories before the onset and since, with an interval of the latter."""
        rows = slice(self.begin[candidate], self.begin[candidate + 1])
        since = self.week[rows] >= onset
        before = float(self.stories[rows][~since].sum()) / max(self.so_far[onset], 1.0)
        volume = max(self.so_far[-1] - self.so_far[onset], 1.0)
        many, damped = float(self.stories[rows][since].sum()), float(self.told[rows][since].sum())
        scale = week_factor * many / damped if damped else 1.0
        low, high = share_interval(np.array([many / scale]), np.array([volume / scale]), level=0.95)
        return before, many / volume, float(low[0]), float(high[0])


@dataclass(slots=True)
class _Result:
    """What is said of single topics."""

    told: _Told
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
        own = _sum_by(place[habit], weights=many[habit], minlength=owners.size)
        alike = told.alike[candidate]
        share = told.habit(own, float(alike), owners, np.full(owners.size, end))
        expected = share[:, None] * told.heard[owners]
        one = np.full(owners.size, end - told.first)
        most = np.full(owners.size, self.most[candidate])
        alone = raised_evidence(
            counts / self.week_factor,
            expected / self.week_factor,
            shape=(_ALIKE + own) / self.week_factor,
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
