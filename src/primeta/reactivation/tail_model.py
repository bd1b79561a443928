"""What an arm's customers will still order up to the horizon, each from where he stands, with the error of that.

Whoever has come back goes on by `stats.repeat_after`, with the clock at his return; whoever has not may still come
by `stats.first_return`, and then goes on alike. Both are fitted to each arm on its own: a treated arm is a mixture
of those who would have come anyway and of those who were brought back, and what the mixture does is what counts.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.reactivation.records import Tail
from primeta.stats import first_return, repeat_after
from primeta.stats.repeat_after import Returned

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FINE = 12_000
"""Distinct states of an arm's returners, above which days are put together in weeks, and weeks in more."""
MOST_LATER = 2047
"""Later orders of one customer that are told apart."""
GRAINS = (1.0, 7.0, 14.0, 28.0)
GRADIENT_STATES = 1_500
"""States by which the gradient of what is expected is taken; it enters the error alone."""
STEP = 1e-4
CELLS = 24
"""Of the time ahead, in which the time of a first return is summed."""
MOST_BEGINS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Where one arm's customers stand, row by row; times in days."""

    bucket: Ints
    followed: Floats
    returned_at: Floats
    later: Floats
    last: Floats
    count: Floats

    @property
    def returners(self) -> float:
        return float(self.count[np.isfinite(self.returned_at)].sum())

    def rows(self, place: npt.NDArray[np.bool_] | Ints) -> Standing:
        return Standing(
            self.bucket[place],
            self.followed[place],
            self.returned_at[place],
            self.later[place],
            self.last[place],
            self.count[place],
        )


def standing(tail: Tail, arm: int) -> Standing:
    """At the end of the log."""
    own = tail.arm == arm
    return Standing(
        tail.bucket[own],
        np.asarray(tail.followed[own], dtype=np.float64),
        np.asarray(tail.returned_at[own], dtype=np.float64),
        np.asarray(tail.later[own], dtype=np.float64),
        np.asarray(tail.last[own], dtype=np.float64),
        np.asarray(tail.count[own], dtype=np.float64),
    )


def halfway(tail: Tail, arm: int) -> Standing:
    """At half of each customer's follow-up."""
    assert tail.halfway is not None
    own = tail.arm == arm
    then = {name: np.asarray(column, dtype=np.float64)[own] for name, column in tail.halfway.items()}
    return Standing(
        tail.bucket[own],
        then["followed"],
        then["returned_at"],
        then["later"],
        then["last"],
        np.asarray(tail.count[own], dtype=np.float64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Distinct states of returners, and which of them each row of a standing is in."""

    states: Returned
    begin: Floats
    place: Ints
    bucket: Ints
    count: Floats


def delay(returned_at: Floats) -> Floats:
    """How late a return came, as the repeat model takes it: by weeks, on a scale of logarithms."""
    week = np.floor(returned_at / 7) * 7 + 3.5
    return np.log1p(week / 30) - 1.0


def states_of(rows: Standing) -> States:
    """Rows of returners put together where they are alike."""
    back = rows.rows(np.isfinite(rows.returned_at))
    grains = GRAINS if len(back.count) < 10 * FINE else GRAINS[1:]
    first, place = _alike(back, grains[0])
    for grain in grains[1:]:
        if len(first) <= FINE:
            break
        first, place = _alike(back, grain)
    count = np.bincount(place, weights=back.count, minlength=len(first)).astype(np.float64)

    def mean(column: Floats) -> Floats:
        return np.bincount(place, weights=back.count * column, minlength=len(first)) / count

    begin, came, last = mean(back.followed), mean(back.returned_at), mean(back.last)
    later = np.minimum(back.later, MOST_LATER)[first]
    states = Returned(
        later, np.where(later > 0, last, 0.0), begin - came, delay(back.returned_at[first]), count
    )
    return States(states, begin, place, back.bucket, back.count)


def _alike(back: Standing, grain: float) -> tuple[Ints, Ints]:
    """The first row of each distinct state with times cut to a grain of days, and the state of each row."""
    followed, returned_at, last = (
        np.floor(column / grain).astype(np.int64) for column in (back.followed, back.returned_at, back.last)
    )
    later = np.minimum(back.later, MOST_LATER).astype(np.int64)
    key = ((followed * 8192 + returned_at) * 8192 + last) * (MOST_LATER + 1) + later
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), place.reshape(-1).astype(np.int64)


def sample_of(rows: Standing, many: int) -> Returned:
    """At most about so many rows of returners, evenly over their order, as they are.

    By it the timing is chosen, which turns on short gaps: times that were put together by weeks are spread evenly
    over their week, since all in its middle they would pass for regular.
    """
    back = np.flatnonzero(np.isfinite(rows.returned_at))
    taken = rows.rows(back[:: max(1, len(back) // many)])
    age = taken.followed - taken.returned_at
    last = np.where(taken.later > 0, taken.last, 0.0)
    known = last > 0
    if known.any() and np.all(np.mod(last[known], 7.0) == 3.5):
        even = np.mod(np.arange(len(last)) * 0.6180339887498949, 1.0)
        last = np.where(known, np.clip(last + 7 * (even - 0.5), 0.0, np.maximum(age, 0.0)), 0.0)
    return Returned(np.minimum(taken.later, MOST_LATER), last, age, delay(taken.returned_at), taken.count)


@dataclass(frozen=True, slots=True, eq=False)
class ArmFit:
    """One arm's model, with the error of its parameters bucket by bucket."""

    states: States
    repeat: repeat_after.RepeatFit
    rate: str
    """Whether it may be uneven: of `repeat_after.FREE`."""
    wait: first_return.WaitFit
    since: float
    """Day since assignment from which the wait follows its curve; before it, hazards by week as they were seen."""
    early: Floats
    """Those hazards, per day."""
    repeat_parts: Floats
    """(B, 6) error of the parameters that each bucket adds."""
    wait_parts: Floats
    """(B, 3)"""
    early_parts: Floats
    """(B, weeks)"""


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """How long those still away at the day `since` have waited from then on, equal waits put together."""

    wait: Floats
    came: Floats
    """Whether it ended with a return."""
    count: Floats
    late: npt.NDArray[np.bool_]
    """Rows of the standing that are among them."""
    place: Ints
    """Of each of those rows."""


def waits_of(rows: Standing, since: float) -> Waits:
    end = np.where(np.isfinite(rows.returned_at), rows.returned_at, rows.followed)
    late = end > since
    # whole days, twice, and whether he came: few numbers, so that they are counted and not sorted
    key = 2 * np.floor(end[late] - since).astype(np.int64) + np.isfinite(rows.returned_at[late])
    present = np.flatnonzero(np.bincount(key))
    place = np.searchsorted(present, key).astype(np.int64)
    wait, came = (present // 2 + 0.5).astype(np.float64), (present % 2).astype(np.float64)
    count = np.bincount(place, weights=rows.count[late], minlength=len(wait)).astype(np.float64)
    return Waits(wait, came, count, late, place)


def early_edges(since: float) -> Floats:
    return np.append(np.arange(0.0, since, 7.0), since)


def fit_arm(
    rows: Standing,
    states: States,
    *,
    since: float,
    timing: int,
    buckets: int,
    centre: Floats,
    waits: Waits,
    wait_shape: tuple[Floats, Floats],
    rate: str | None = None,
) -> ArmFit:
    """The two models of one arm; whether rates are even is found out, unless it is given."""
    if rate is None:
        repeat, rate = repeat_after.fit_freely(states.states, timing=timing, centre=centre)
    else:
        repeat = repeat_after.fit(states.states, timing=timing, centre=centre, rate=rate)
    _, slope = repeat_after.by_customer(repeat.theta, states.states, timing)
    score = _by_bucket(states.bucket, states.count[:, None] * slope[states.place], buckets)

    fitted = first_return.fit(waits.wait, waits.came, waits.count, centre=wait_shape[0], spread=wait_shape[1])
    _, wait_slope = first_return.by_customer(fitted.theta, waits.wait, waits.came)
    late = rows.count[waits.late]
    wait_score = _by_bucket(rows.bucket[waits.late], late[:, None] * wait_slope[waits.place], buckets)

    end = np.where(np.isfinite(rows.returned_at), rows.returned_at, rows.followed)
    edges = early_edges(since)
    early, early_parts = np.zeros(len(edges) - 1), np.zeros((buckets, len(edges) - 1))
    for cell, (low, high) in enumerate(itertools.pairwise(edges)):
        exposure = rows.count * np.clip(end - low, 0.0, high - low)
        events = rows.count * (np.isfinite(rows.returned_at) & (end >= low) & (end < high))
        total = exposure.sum()
        if total > 0:
            early[cell] = events.sum() / total
            early_parts[:, cell] = _by_bucket(rows.bucket, events - early[cell] * exposure, buckets) / total
    return ArmFit(
        states,
        repeat,
        rate,
        fitted,
        since,
        early,
        score @ repeat.inverse,
        wait_score @ fitted.inverse,
        early_parts,
    )


def _by_bucket(bucket: Ints, values: Floats, buckets: int) -> Floats:
    if values.ndim == 1:
        return np.bincount(bucket, weights=values, minlength=buckets).astype(np.float64)
    return np.stack([_by_bucket(bucket, column, buckets) for column in values.T], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Orders to come of one arm, J spans of days: by bucket, and what errors of the parameters add."""

    first: Floats
    """(B, J) first orders since assignment."""
    later: Floats
    """(B, J) orders after them."""
    first_parts: Floats
    """(B, J) error of the total that each bucket adds through the parameters."""
    later_parts: Floats


def ahead(
    rows: Standing,
    model: ArmFit,
    *,
    cuts: Floats | None,
    daily_discount: float,
    buckets: int,
    errors: bool = True,
) -> Ahead:
    """Orders after each customer's own follow-up, between successive `cuts` (J + 1,), discounted to assignment.

    Args:
        rows: Those whom `model` was fitted to.
        cuts: Days since assignment; None: for as long again as each was followed, J = 1.
    """
    states, timing, theta = model.states, model.repeat.timing, model.repeat.theta
    out = rows.rows(~np.isfinite(rows.returned_at))
    begins, place = _begins(out)
    away = np.bincount(place, weights=out.count, minlength=len(begins))

    def own_cuts(begin: Floats) -> Floats:
        return np.stack([begin, 2 * begin], axis=1) if cuts is None else np.tile(cuts, (len(begin), 1))

    bounds = own_cuts(begins)  # (F, J + 1)
    ends = np.maximum(bounds[:, -1], begins)
    fraction = np.linspace(0.0, 1.0, CELLS + 1)
    edges = begins[:, None] + (ends - begins)[:, None] * fraction  # (F, C + 1)
    middle = (edges[:, :-1] + edges[:, 1:]) / 2
    span = (middle[:, :, None] >= bounds[:, None, 1:-1]).sum(axis=-1)
    worth = np.exp(-daily_discount * middle)[:, :, None] * (
        span[:, :, None] == np.arange(bounds.shape[1] - 1)
    )
    flat = middle.reshape(-1)
    zero = np.zeros(len(flat))
    new = Returned(zero, zero, zero, delay(flat), zero)
    new_cuts = np.repeat(bounds, CELLS, axis=0)

    def fresh(theta: Floats) -> Floats:
        """(F, C, J) later orders of who returns in each cell."""
        found = repeat_after.expected(
            theta, new, timing=timing, begin=flat, cuts=new_cuts, daily_discount=daily_discount, steps=2
        )
        return found.reshape(*middle.shape, -1)

    early_days = early_edges(model.since)

    def coming(wait: Floats, early: Floats) -> Floats:
        """(F, C) chance that who has not returned by his follow-up does so in each cell."""
        hazard = np.append(0.0, np.cumsum(early * np.diff(early_days)))
        before = -np.interp(np.minimum(edges, model.since), early_days, hazard)
        left = before + np.log(first_return.still_away(wait, np.maximum(edges - model.since, 0.0)))
        return -np.diff(np.exp(left - left[:, :1]), axis=1)

    wait, early = model.wait.theta, model.early
    chance, after = coming(wait, early), fresh(theta)
    of_state = repeat_after.expected(
        theta,
        states.states,
        timing=timing,
        begin=states.begin,
        cuts=own_cuts(states.begin),
        daily_discount=daily_discount,
    )
    first_each = np.einsum("fc,fcj->fj", chance, worth)
    later_each = np.einsum("fc,fcj->fj", chance, after)
    first = _by_bucket(out.bucket, out.count[:, None] * first_each[place], buckets)
    later = _by_bucket(out.bucket, out.count[:, None] * later_each[place], buckets) + _by_bucket(
        states.bucket, states.count[:, None] * of_state[states.place], buckets
    )
    nothing = np.zeros_like(first)
    if not errors:
        return Ahead(first, later, nothing, nothing)

    held = states.states.count
    thin = np.arange(0, len(held), max(1, len(held) // GRADIENT_STATES))
    some = states.states[thin]
    base = held[thin] @ of_state[thin]
    scale = np.where(base > 0, (held @ of_state) / np.where(base > 0, base, 1.0), 0.0)
    later_slope = []
    for axis in range(len(theta)):
        moved = theta.copy()
        moved[axis] += STEP
        own = repeat_after.expected(
            moved,
            some,
            timing=timing,
            begin=states.begin[thin],
            cuts=own_cuts(states.begin[thin]),
            daily_discount=daily_discount,
        )
        of_new = np.einsum("f,fc,fcj->j", away, chance, fresh(moved) - after)
        later_slope.append((scale * (held[thin] @ own - base) + of_new) / STEP)
    later_parts: Floats = model.repeat_parts @ np.array(later_slope, dtype=np.float64)
    first_parts: Floats = np.zeros(later_parts.shape)
    moves = [(model.wait_parts[:, axis], axis, -1) for axis in range(len(wait))]
    if len(begins) and begins.min() < model.since:
        moves += [(model.early_parts[:, axis], -1, axis) for axis in range(len(early))]
    for part, in_wait, in_early in moves:
        new_wait, new_early = wait.copy(), early.copy()
        step = STEP if in_wait >= 0 else max(early[in_early], 1e-6) * 1e-3
        if in_wait >= 0:
            new_wait[in_wait] += step
        else:
            new_early[in_early] += step
        change = away[:, None] * (coming(new_wait, new_early) - chance) / step
        first_parts = first_parts + np.multiply.outer(part, np.einsum("fc,fcj->j", change, worth))
        later_parts = later_parts + np.multiply.outer(part, np.einsum("fc,fcj->j", change, after))
    return Ahead(first, later, first_parts, later_parts)


def _begins(out: Standing) -> tuple[Floats, Ints]:
    """Days up to which those still away were followed, by weeks where there are many, and each row's place."""
    days, place = np.unique(out.followed, return_inverse=True)
    if len(days) > MOST_BEGINS:
        _, place = np.unique(np.floor(out.followed / 7), return_inverse=True)
        weight = np.bincount(place.reshape(-1), weights=out.count)
        days = np.bincount(place.reshape(-1), weights=out.count * out.followed) / weight
    return days, place.reshape(-1)
