"""What a panel's past leads to expect: shares of owners, seasons, wandering, words of growing texts.

docs/methods/emergence.md says what "before" means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.signals.texts.panel import Panel
from primeta.stats.emergence import share_interval
from primeta.stats.overdispersion import held_out_discount, learn_excess, thread_factor

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

LASTING = 3
"""An echo of so many weeks is not enough: one week weighs at most a third of what the first on a list must reach."""
SETTLING = 8
SETTLING_DAYS = 21
"""Weeks in which a new owner's own habits are learnt; what he says in them is no evidence."""
ALIKE = 1.0
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
_SAMPLE = 20_000


def days_of(weeks: tuple[date, ...]) -> int:
    """7, or 1 for a panel of days."""
    return (weeks[1] - weeks[0]).days if len(weeks) > 1 else 7


def sum_by(place: Ints, *, weights: Floats | Ints, minlength: int) -> Floats:
    """Sums of `weights` by place, as floats."""
    return np.bincount(place, weights=weights, minlength=minlength).astype(np.float64)


def _times_log(count: Floats, value: Floats) -> Floats:
    """count · ln value, 0 where nothing was counted."""
    return count * np.log(np.where(count > 0, value, 1.0))


def _lately(values: Floats, first: int) -> Floats:
    """(O, T) sums over the last _WORDIER weeks, for the weeks of the promise."""
    total = np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)
    now = np.arange(first, values.shape[1]) + 1
    return total[:, now] - total[:, np.maximum(now - _WORDIER, 0)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pooled:
    """n candidates over the T weeks of the promise, all owners together."""

    counts: Floats
    expected: Floats
    shape: Floats
    first: Ints


class Told:
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
        settling = SETTLING if days_of(panel.weeks) == 7 else SETTLING_DAYS
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
        share = sum_by(place, weights=self.stories[early], minlength=names.size) / before[names % owners]
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
        told = sum_by(
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
            sum_by(self.candidate[part], weights=self.told[part], minlength=count)
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
        self.alike = ALIKE / self.share
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

    def pooled(self, candidates: Ints) -> Pooled:
        """Counts and expectations of all owners together."""
        rows, which = self.of(candidates)
        n, watched = candidates.size, self.heard.shape[1]
        owner, week, told = self.owner[rows], self.week[rows], self.told[rows]
        end = self.base_end[candidates]
        evidence = (week >= end[which]) & (week >= self.settled[owner])
        flat = which[evidence] * watched + week[evidence] - self.first
        counts = sum_by(flat, weights=told[evidence], minlength=n * watched).reshape(n, watched)
        return Pooled(
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
        ) - ALIKE / (alike[who] + self.own_volume[whose])
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
        return np.maximum((ALIKE + own) / (alike + volume), (own - 1) / np.maximum(volume, 1.0))

    def _last_year(self, candidates: Ints, rows: Ints, which: Ints) -> Floats:
        """(n, T) how many times more is expected because the same five weeks a year ago held more; 1 where they did not.

        Of a word that is rare, one story a year ago says little: its factor is drawn to 1 by a gamma law of shape
        _SEASONAL, (shape + told then) / (shape + usual then).
        """
        n, weeks = candidates.size, len(self.panel.weeks)
        counts = sum_by(
            which * weeks + self.week[rows], weights=self.told[rows], minlength=n * weeks
        ).reshape(n, weeks)
        total = np.concatenate([np.zeros((n, 1)), np.cumsum(counts, axis=1)], axis=1)
        step = days_of(self.panel.weeks)
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
        counts = sum_by(
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
            [[0.0], np.cumsum(sum_by(self.week[rows], weights=self.told[rows], minlength=self.by_week.size))]
        )
        weeks = np.unique(self.week[rows])
        back = first - _YEAR * 7 // days_of(self.panel.weeks)
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
