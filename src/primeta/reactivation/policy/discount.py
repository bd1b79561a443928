"""How large a discount, when and for whom: profit by depth and time since the lapse, and a policy under a budget.

Every mean that is shown is a plain comparison with the control. What is *chosen* is chosen on a surface on which
each cell borrows from its neighbours, since the highest of many noisy cells is mostly the luckiest; and what the
chosen policy is *worth* is read off customers who had no part in choosing it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from primeta.errors import BadTable
from primeta.reactivation.policy.inputs import SMALL_ARM, Lapsed
from primeta.reactivation.policy.off_policy import folds_by_id
from primeta.reactivation.policy.outcomes import Measured, measured
from primeta.reactivation.policy.result import (
    Action,
    Choice,
    Point,
    PolicyResult,
    Response,
    Rival,
    Segment,
)
from primeta.reactivation.records import NAN, Note
from primeta.stats.best_set import may_be_best
from primeta.stats.buckets import buckets
from primeta.stats.budget import choose_within
from primeta.stats.doubly_robust import Estimate, estimate
from primeta.stats.monotone_dose import elasticity, rising
from primeta.stats.multiplicity import adjusted_holm
from primeta.stats.smooth_cells import Surface, smooth_cells
from primeta.stats.weighted_fit import without_features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_TIMES = 8
TIME_BINS = 5
POOLED = 30.0
"""A cell's own variance counts as its customers, the variance of all as so many."""
DRAWS, BUDGET_DRAWS = 4_000, 400
SEED = 20_262
TIME_SALT = "primeta:virtual-time"
NONE = "none"
PARTS, LEARNING = 6, 2
"""Parts of the customers in which a policy is judged by one that the parts before it chose; the first only choose."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """C contexts (time since lapse × segment) and D depths; option 0 is no contact, 1 + d the d-th depth."""

    seen: Measured
    depths: Floats
    times: tuple[Any, ...]
    """Labels of times; (None,) where nothing tells them apart."""
    time_at: Floats
    """(T,) days."""
    segments: tuple[str, ...]
    context: Ints
    """(n,) time × segments + segment."""
    option: Ints
    """(n,)"""
    weight: Floats
    """(n,) mean 1 in each cell."""
    outcome: Floats
    """(n,) money, less what was to be expected before; `came`, `listed` and `spent` likewise."""
    came: Floats
    listed: Floats
    spent: Floats
    shared_control: bool
    """Whether the control was drawn without a time of its own, so that it serves all times."""
    share: Floats
    """(C,) of the eligible."""

    @property
    def contexts(self) -> int:
        return len(self.times) * len(self.segments)

    def label(self, context: int) -> Any:
        """What `by` says: days, a segment, or both; None where there is one context."""
        time, segment = divmod(context, len(self.segments))
        if self.times == (None,):
            return self.segments[segment] if len(self.segments) > 1 else None
        if len(self.segments) == 1:
            return self.times[time]
        return f"{_text(self.times[time])} / {self.segments[segment]}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Differences:
    """Means of the options over no contact, (C, 1 + D), with the noise that they share by the control."""

    mean: Floats
    """(C, 1 + D) of the cells themselves."""
    value: Floats
    variance: Floats
    """(C, 1 + D) of each cell's own mean, no contact included."""
    count: Floats
    covariance: Floats
    """(C·D, C·D) of the differences, context by context."""
    control: Floats
    """(C, C) of the control's means."""


def discount_of(lapsed: Lapsed, *, budget: float | None = None, eligible: int = 0) -> PolicyResult:
    """What `door.discount` answers, of customers that were read already."""
    terms = lapsed.terms
    _depths_told(lapsed)
    plain = PolicyResult(
        kind="discount",
        basis="over-control",
        control=terms.control,
        horizon=terms.horizon,
        level=terms.level,
        n=lapsed.n,
        arms={name: int((lapsed.arm == name).sum()) for name in sorted(set(lapsed.arm.tolist()))},
        currency=terms.currency,
        notes=lapsed.notes,
        by=terms.by,
        budget=NAN if budget is None else float(budget),
        eligible=eligible or lapsed.n,
    )
    if not terms.control or not lapsed.is_control.any():
        return replace(plain, why_not="no-control")
    control = lapsed.is_control
    depth = np.where(control, np.nan, np.round(lapsed.depth, 9))
    levels, counts = np.unique(depth[~control], return_counts=True)
    small = levels[counts < SMALL_ARM]
    if control.sum() < SMALL_ARM or len(small) == len(levels):
        return replace(plain, why_not="small-arm" if len(levels) else "no-contact-arm")
    kept = control | ~np.isin(depth, small)
    cells = _cells(lapsed.select(kept))
    notes = [*cells.seen.notes, *(Note("small-depth", {"depth": float(x)}) for x in small)]
    if not (cells.depths == 0).any():
        notes.append(Note("no-zero-discount"))
    if not np.any(lapsed.sums["discount"]):
        notes.append(Note("no-discounts-in-orders"))
    plain = replace(plain, notes=tuple(notes))
    if cells.seen.why_not:
        return replace(plain, why_not=cells.seen.why_not)
    limit = np.inf if budget is None else budget / (eligible or lapsed.n)
    return _answered(plain, cells, limit)


def _depths_told(lapsed: Lapsed) -> None:
    missing = np.isnan(lapsed.depth) & ~lapsed.is_control
    if missing.any():
        at = int(np.flatnonzero(missing)[0])
        if missing.all() or np.isnan(lapsed.depth).all():
            raise BadTable(
                "the assignments carry no discount: give each its depth as a share of the list price, 0 for a contact "
                "without one. Only the control has none."
            )
        raise BadTable(
            f"the discount of customer {lapsed.customer[at]} (arm {lapsed.arm[at]}) is missing ({int(missing.sum()):,} such "
            f"in all). Write 0 for a contact without a discount; only the control, named by --control, has none."
        )
    if (np.nan_to_num(lapsed.depth) >= 1).any():
        raise BadTable(
            "a discount of 100% or more leaves nothing to pay; give shares of the list price below 1"
        )


# Cells


def _cells(lapsed: Lapsed) -> Cells:
    control = lapsed.is_control
    delay = lapsed.delay
    shared = bool(np.isnan(delay[control]).all())
    treated_delay = delay[~control]
    times: tuple[Any, ...] = (None,)
    time_at = np.zeros(1)
    time = np.zeros(lapsed.n, dtype=np.int64)
    if np.isfinite(treated_delay).any():
        if np.isnan(treated_delay).any() or (not shared and np.isnan(delay[control]).any()):
            raise BadTable(
                "delay_days is missing for some customers and there for others; fill it in for all, or leave it out. "
                "Only a control that was drawn without a day may have none as a whole."
            )
        time_at, time, times = _times(delay, control, shared)
        if shared and len(times) > 1:
            time = _virtual_times(lapsed, time, control, len(times))
    values = sorted(set(lapsed.segment.tolist()))
    segment = np.array([values.index(value) for value in lapsed.segment], dtype=np.int64)
    context = time * len(values) + segment
    depths = np.unique(np.round(lapsed.depth[~control], 9))
    option = np.zeros(lapsed.n, dtype=np.int64)
    option[~control] = 1 + np.searchsorted(depths, np.round(lapsed.depth[~control], 9))
    cell = context * (len(depths) + 1) + option
    # Who came late is completed within his depth and time; a segment may be too small for that.
    seen = measured(
        lapsed, cell=np.unique(time * (len(depths) + 1) + option, return_inverse=True)[1].astype(np.int64)
    )
    weight = 1.0 / seen.probability
    size = np.bincount(cell, minlength=int(cell.max()) + 1)
    weight = weight * size[cell] / np.bincount(cell, weight)[cell]
    parts = (seen.outcome, seen.came, seen.listed, seen.spent)
    if not seen.why_not:
        alike = np.unique(cell, return_inverse=True)[1].astype(np.int64)
        parts = tuple(without_features(part, alike, seen.features, weight) for part in parts)
    return Cells(
        seen=seen,
        depths=depths,
        times=times,
        time_at=time_at,
        segments=tuple(values),
        context=context,
        option=option,
        weight=weight,
        outcome=parts[0],
        came=parts[1],
        listed=parts[2],
        spent=parts[3],
        shared_control=shared,
        share=np.bincount(context, minlength=len(times) * len(values)) / lapsed.n,
    )


def _times(
    delay: Floats, control: npt.NDArray[np.bool_], shared: bool
) -> tuple[Floats, Ints, tuple[Any, ...]]:
    """Days, the place of each customer among them, and labels: what was tried, or bins where it was many days."""
    use = delay[~control] if shared else delay
    levels = np.unique(use)
    whole = np.where(np.isnan(delay), levels[0], delay)
    if len(levels) <= MOST_TIMES:
        labels = tuple(int(x) if float(x).is_integer() else float(x) for x in levels)
        return levels, np.searchsorted(levels, whole).astype(np.int64), labels
    cuts = np.unique(np.quantile(use, np.linspace(0, 1, TIME_BINS + 1)[1:-1]))
    place = np.searchsorted(cuts, whole, side="right").astype(np.int64)
    middle = np.array([float(np.mean(whole[place == at])) for at in range(len(cuts) + 1)])
    ends = [float(use.min()), *cuts.tolist(), float(use.max())]
    return middle, place, tuple(f"{a:.0f}–{b:.0f}" for a, b in itertools.pairwise(ends))


def _virtual_times(lapsed: Lapsed, time: Ints, control: npt.NDArray[np.bool_], count: int) -> Ints:
    """The control, who was drawn without a time, gets one by hash in the shares of the others: it changes nothing for
    him, and lets every customer stand in a context."""
    shares = np.bincount(time[~control], minlength=count) / max(int((~control).sum()), 1)
    drawn = buckets(TIME_SALT, [str(name) for name in lapsed.customer[control]])
    found = time.copy()
    found[control] = np.minimum(np.searchsorted(np.cumsum(shares), drawn, side="right"), count - 1)
    return found


def _differences(cells: Cells, outcome: Floats, rows: npt.NDArray[np.bool_] | None = None) -> Differences:
    """Cell means over the control's, of some of the customers.

    Args:
        outcome: (n,), or (n, T) where it depends on the time that a customer stands for: a control without a time of
            its own stands for all.
    """
    c, d, segments = cells.contexts, len(cells.depths) + 1, len(cells.segments)
    use = np.ones(len(outcome), dtype=bool) if rows is None else rows
    whole = (
        outcome if outcome.ndim == 2 else np.broadcast_to(outcome[:, None], (len(outcome), len(cells.times)))
    )
    context, option, w = cells.context[use], cells.option[use], cells.weight[use]
    y = whole[use, context // segments]
    cell = context * d + option
    mean, spread, count, kish = (part.reshape(c, d) for part in _cell_moments(cell, y, w, c * d))
    base = np.zeros((c, c))
    if cells.shared_control:
        for segment in range(segments):
            mine = (option == 0) & (context % segments == segment)
            at = np.arange(segment, c, segments)
            weight, each = w[mine], whole[use][mine]
            mass = float(weight.sum())
            middle = weight @ each / mass if mass > 0 else np.full(each.shape[1], np.nan)
            size = mass**2 / float((weight**2).sum()) if mass > 0 else 0.0
            apart = (each - middle) * weight[:, None]
            shared = apart.T @ apart / max(mass, 1e-300) ** 2 * (size / max(size - 1, 1.0))
            mean[at, 0], count[at, 0], kish[at, 0] = middle, int(mine.sum()), size
            spread[at, 0] = np.diag(shared) * size
            base[np.ix_(at, at)] = shared
    variance = np.full((c, d), np.nan)
    for segment in range(segments):
        mine = np.arange(c) % segments == segment
        known = np.isfinite(spread[mine]) & (count[mine] > 0)
        weights = count[mine][known]
        pooled = float(np.average(spread[mine][known], weights=weights)) if len(weights) else np.nan
        # a cell of twenty customers does not know its own variance
        mixed = (np.nan_to_num(spread[mine]) * count[mine] + pooled * POOLED) / (count[mine] + POOLED)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance[mine] = np.where(count[mine] > 0, mixed / kish[mine], np.nan)
    if not cells.shared_control:
        base = np.diag(variance[:, 0])
    k = d - 1
    covariance = np.kron(base, np.ones((k, k))) + np.diag(np.nan_to_num(variance[:, 1:]).reshape(-1))
    covariance = covariance.astype(np.float64)
    return Differences(
        mean=mean,
        value=mean - mean[:, :1],
        variance=variance,
        count=count,
        covariance=covariance,
        control=base,
    )


def _cell_moments(cell: Ints, y: Floats, w: Floats, cells: int) -> tuple[Floats, Floats, Floats, Floats]:
    """(cells,) weighted means, variances of one customer, customers, and customers of equal weight."""
    size = np.bincount(cell, minlength=cells).astype(np.float64)
    mass = np.bincount(cell, w, minlength=cells)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(mass > 0, mass, np.nan)
        mean = np.bincount(cell, w * y, minlength=cells) / known
        kish = mass**2 / np.bincount(cell, w * w, minlength=cells)
        left = np.bincount(cell, w * (y - np.nan_to_num(mean)[cell]) ** 2, minlength=cells) / known
        return mean, left * kish / np.maximum(kish - 1, 1), size, kish


def _since_contact(cells: Cells) -> npt.NDArray[np.bool_]:
    """(n, T) whether a customer was still silent at each time: who was not does the same whatever he was to get."""
    n = len(cells.outcome)
    if len(cells.times) > 1 and any(isinstance(label, str) for label in cells.times):
        # days are put together into bins: nobody's own day is that of his bin
        return np.ones((n, len(cells.times)), dtype=bool)
    return cells.seen.lapsed.returned[:, None] >= cells.time_at[None, :]


def _surface(
    cells: Cells, differences: Differences, start: Floats | None = None, *, open_minded: bool = False
) -> Surface:
    """The differences from no contact, each drawn towards its neighbours."""
    c, k = cells.contexts, len(cells.depths)
    dose = np.tile(cells.depths / max(float(cells.depths.max()), 1e-9), c)
    days = np.log1p(cells.time_at)
    days = (days - days.min()) / max(float(np.ptp(days)), 1e-9)
    time = np.repeat(days[np.arange(c) // len(cells.segments)], k)
    group = np.repeat(np.arange(c) % len(cells.segments), k).astype(np.int64)
    return smooth_cells(
        differences.value[:, 1:].reshape(-1),
        np.diag(differences.covariance) * np.where(differences.count[:, 1:].reshape(-1) > 0, 1.0, np.nan),
        dose=dose,
        time=time,
        group=group,
        covariance=differences.covariance,
        start=start,
        open_minded=open_minded,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gains:
    """Profit over no contact as it is believed: (C, D) with its posterior covariance, and what it costs."""

    mean: Floats
    covariance: Floats
    cost: Floats
    """(C, 1 + D) discounts and contacts per customer over no contact, rising in depth."""
    parameters: tuple[Floats, Floats, Floats]


def _gains(
    cells: Cells,
    rows: npt.NDArray[np.bool_] | None = None,
    start: tuple[Floats, Floats, Floats] | None = None,
    *,
    open_minded: bool = False,
) -> Gains:
    """Profit in three parts, each drawn towards its neighbours, since each has its own shape and its own noise.

    profit(d) = p(d) · ℓ(d) − p(0) · ℓ(0) − s(d): the share p who come (it does not fall as the discount grows), what
    one who comes brings before discounts (it hardly depends on the discount, so most of the noise of money is shared
    by all depths), and what is spent over no contact. Only what happens from a customer's day on counts: who had come
    before it does the same under every depth.
    """
    c, k = cells.contexts, len(cells.depths)
    at = start or (None, None, None)
    silent = _since_contact(cells)
    came = _differences(cells, cells.came[:, None] * silent, rows)
    listed = _differences(cells, cells.listed[:, None] * silent, rows)
    spent = _differences(cells, cells.spent[:, None] * silent, rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = listed.mean / np.where(came.mean > 0, came.mean, np.nan)
    segment = cells.context % len(cells.segments)
    expected = np.column_stack(
        [
            np.nan_to_num(each)[t * len(cells.segments) + segment, cells.option]
            for t in range(len(cells.times))
        ]
    )
    left = _differences(cells, (cells.listed[:, None] - expected * cells.came[:, None]) * silent, rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        each_variance = left.variance / came.mean**2
        shared = left.control / np.outer(came.mean[:, 0], came.mean[:, 0])
    p = _surface(cells, came, at[0], open_minded=open_minded)
    worth = _worth_surface(cells, each, each_variance, shared, at[1], open_minded=open_minded)
    s = _surface(cells, spent, at[2], open_minded=open_minded)
    rise = p.mean.reshape(c, k).copy()
    money = s.mean.reshape(c, k).copy()
    for context in range(c):
        weights = np.maximum(came.count[context, 1:], 1.0)
        rise[context] = rising(rise[context], weights)
        money[context] = rising(money[context], weights)
    base = np.nan_to_num(came.mean[:, 0])
    values = worth.mean.reshape(c, 1 + k)
    mean = rise * values[:, 1:] + base[:, None] * (values[:, 1:] - values[:, :1]) - money
    turn = np.zeros((c * k, c * (1 + k)))
    for context in range(c):
        for d in range(k):
            row = context * k + d
            turn[row, context * (1 + k) + 1 + d] = base[context] + rise[context, d]
            turn[row, context * (1 + k)] = -base[context]
    scale = values[:, 1:].reshape(-1)
    covariance = np.outer(scale, scale) * p.covariance + turn @ worth.covariance @ turn.T + s.covariance
    cost = np.column_stack([np.zeros(c), np.maximum(money, 0.0)])
    return Gains(
        mean=mean, covariance=covariance, cost=cost, parameters=(p.parameters, worth.parameters, s.parameters)
    )


def _worth_surface(
    cells: Cells, each: Floats, variance: Floats, shared: Floats, start: Floats | None, *, open_minded: bool
) -> Surface:
    """What one who comes brings, over all options; no contact stands a little below a contact without a discount."""
    c, d = each.shape
    depth = cells.depths / max(float(cells.depths.max()), 1e-9)
    dose = np.tile(np.r_[-0.3, depth], c)
    days = np.log1p(cells.time_at)
    days = (days - days.min()) / max(float(np.ptp(days)), 1e-9)
    noise = np.diag(np.nan_to_num(variance.reshape(-1)))
    if cells.shared_control:
        for a, b in itertools.permutations(range(c), 2):
            noise[a * d, b * d] = np.nan_to_num(shared[a, b])
    return smooth_cells(
        each.reshape(-1),
        variance.reshape(-1),
        dose=dose,
        time=np.repeat(days[np.arange(c) // len(cells.segments)], d),
        group=np.repeat(np.arange(c) % len(cells.segments), d).astype(np.int64),
        covariance=noise,
        start=start,
        open_minded=open_minded,
    )


# The answer


def _answered(plain: PolicyResult, cells: Cells, limit: float) -> PolicyResult:
    level, c = plain.level, cells.contexts
    differences = _differences(cells, cells.outcome)
    if not (differences.count[:, 0] > 1).all():
        return replace(plain, why_not="no-control-in-part")
    gains = _gains(cells)
    gain, cost = np.column_stack([np.zeros(c), gains.mean]), gains.cost
    chosen, price = choose_within(gain, cost, cells.share, budget=limit)
    fold = folds_by_id(cells.seen.lapsed.customer, PARTS)
    policies, constants = _chosen_before(cells, fold, limit, gains.parameters)
    model = _modelled(cells, fold)
    policy = _influence(cells, model, policies, fold)
    judged = fold >= LEARNING
    value = _told(cells, policy[judged], level)
    rivals = _rivals(cells, model, fold, policy, constants, level)
    rng = np.random.default_rng(SEED)
    wary = _gains(cells, start=gains.parameters, open_minded=True)
    regret, high, kept = _regret(cells, wary, chosen, cost, limit, level, rng)
    recommended = _named(cells, chosen)
    return replace(
        plain,
        curve=_curve(cells, differences, level),
        recommended=recommended,
        value=value.value,
        low=value.low,
        high=value.high,
        rivals=rivals,
        choices=tuple(
            Choice(
                by=cells.label(at),
                x=_action(cells, int(chosen[at])),
                share=float(cells.share[at]),
                value=float(gain[at, chosen[at]]),
                cost=float(cost[at, chosen[at]]),
            )
            for at in range(c)
        ),
        responses=_responses(cells, level),
        regret=regret,
        regret_low=0.0,
        regret_high=high,
        kept=kept,
        cost=float((cells.share * cost[np.arange(c), chosen]).sum()) * plain.eligible,
        price_of_budget=float(price),
        segments=_by_segment(cells, policy, chosen, judged, level),
        extra={"chosen": chosen, "policies": policies, "cells": cells},
    )


def _named(cells: Cells, chosen: Ints) -> Any:
    """The policy for JSON: one depth, or a depth for each context by its label."""
    if cells.contexts == 1:
        return _action(cells, int(chosen[0]))
    return {_text(cells.label(at)): _action(cells, int(chosen[at])) for at in range(cells.contexts)}


def _text(label: Any) -> str:
    return f"{label:g}" if isinstance(label, int | float) else str(label)


def _action(cells: Cells, option: int) -> Action:
    return NONE if option == 0 else float(cells.depths[option - 1])


def _chosen_before(
    cells: Cells, fold: Ints, limit: float, start: tuple[Floats, Floats, Floats]
) -> tuple[Ints, Ints]:
    """(F, C) for each part the policy that the parts before it choose, and (F, C) the best constant one.

    The first `LEARNING` parts only choose. That each part is judged by a policy that knows nothing of it nor of what
    comes after keeps the errors of the parts apart: with ordinary cross-fitting the luck of two parts that chose each
    other's policy adds up, and the interval is too short.

    Source:
        Luedtke & van der Laan (2016), "Statistical inference for the mean outcome under a possibly non-unique
        optimal treatment strategy", the online estimator.
    """
    c = cells.contexts
    policies, constants = np.zeros((PARTS, c), dtype=np.int64), np.zeros((PARTS, c), dtype=np.int64)
    for part in range(LEARNING, PARTS):
        gains = _gains(cells, fold < part, start)
        gain, cost = np.column_stack([np.zeros(c), gains.mean]), gains.cost
        policies[part] = choose_within(gain, cost, cells.share, budget=limit)[0]
        total = cells.share @ gain
        total[cells.share @ cost > limit + 1e-12] = -np.inf
        constants[part] = int(np.argmax(total))
    return policies, constants


def _modelled(cells: Cells, fold: Ints) -> Floats:
    """(n, 1 + D) outcome to expect under each option, made without the customer's own fold."""
    found = np.zeros((len(cells.outcome), 1 + len(cells.depths)))
    d = 1 + len(cells.depths)
    for part in range(PARTS):
        rows = fold != part
        base = _bases(cells, rows)
        shift = _differences(cells, cells.outcome, rows)
        known = np.where(np.isfinite(shift.value), shift.value, 0.0)
        pooled = np.array(
            [np.average(known[:, o], weights=np.maximum(shift.count[:, o], 1e-9)) for o in range(d)]
        )
        # a cell stands between its own mean and that of its depth
        part_own = shift.count / (shift.count + 100.0)
        guess = base[:, None] + part_own * known + (1 - part_own) * pooled
        mine = fold == part
        found[mine] = guess[cells.context[mine]]
    return found


def _bases(cells: Cells, rows: npt.NDArray[np.bool_]) -> Floats:
    """(C,) the control's means; a context without one stands at that of all."""
    use = rows & (cells.option == 0)
    key = cells.context % len(cells.segments) if cells.shared_control else cells.context
    size = np.bincount(key[use], cells.weight[use], minlength=cells.contexts)
    total = np.bincount(key[use], (cells.weight * cells.outcome)[use], minlength=cells.contexts)
    overall = float(total.sum() / max(size.sum(), 1e-300))
    mean = np.where(size > 0, total / np.maximum(size, 1e-300), overall)
    return mean[np.arange(cells.contexts) % len(cells.segments)] if cells.shared_control else mean


def _influence(cells: Cells, model: Floats, policies: Ints, fold: Ints) -> Floats:
    """(n,) doubly robust influences of the policies' value over no contact; each fold by its own policy.

    Args:
        policies: (F, C) options.
    """
    n = len(cells.outcome)
    d = 1 + len(cells.depths)
    size = np.bincount(cells.context * d + cells.option, minlength=cells.contexts * d).reshape(-1, d)
    whole = size.sum(axis=1)
    rows = np.arange(n)

    def of(wanted: Ints) -> Floats:
        got = cells.option == wanted
        # the share of the option in its context: drawn evenly within it, but for what `weight` undoes
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.where(
                got, whole[cells.context] / size[cells.context, cells.option] * cells.weight, 0.0
            )
        expected = model[rows, wanted]
        return expected + inverse * (cells.outcome - expected)

    wanted = policies[fold, cells.context]
    return np.where(wanted == 0, 0.0, of(wanted) - of(np.zeros(n, dtype=np.int64)))


def _told(cells: Cells, influence: Floats, level: float) -> Estimate:
    least = int(np.bincount(cells.option).min())
    return estimate(influence, df=max(least - 1.0, 1.0), level=level)


def _rivals(
    cells: Cells, model: Floats, fold: Ints, policy: Floats, constants: Ints, level: float
) -> tuple[Rival, ...]:
    c = cells.contexts
    judged = fold >= LEARNING
    common = _action(cells, int(np.argmax(np.bincount(constants[LEARNING:, 0]))))
    named: list[tuple[str, Action, Ints]] = [
        ("best-constant", common, constants),
        ("no-contact", NONE, np.zeros((PARTS, c), dtype=np.int64)),
    ]
    if cells.depths[0] == 0:
        named.append(("zero-discount", 0.0, np.ones((PARTS, c), dtype=np.int64)))
    named.append(("largest", float(cells.depths[-1]), np.full((PARTS, c), len(cells.depths), dtype=np.int64)))
    found = []
    for name, x, policies in named:
        own = _influence(cells, model, policies, fold)
        # On the same customers as the policy, so that the difference is the difference.
        value = _told(cells, own[judged], level)
        ahead = _told(cells, (policy - own)[judged], level)
        found.append(
            Rival(
                name=name,
                x=x,
                value=value.value,
                low=value.low,
                high=value.high,
                ahead=ahead.value,
                ahead_low=ahead.low,
                ahead_high=ahead.high,
            )
        )
    return tuple(found)


def _regret(
    cells: Cells,
    gains: Gains,
    chosen: Ints,
    cost: Floats,
    limit: float,
    level: float,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Expected regret against the best policy, its upper bound, and the share of the best's gain over the best
    constant that is kept; from the surface's posterior, which choosing does not bias.
    """
    c, k = cells.contexts, len(cells.depths)
    budgeted = bool(np.isfinite(limit))
    values, vectors = np.linalg.eigh(gains.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = BUDGET_DRAWS if budgeted else DRAWS
    z = rng.standard_normal((draws, len(values)))
    profit = gains.mean + (z @ root.T).reshape(draws, c, k)
    drawn = np.concatenate([np.zeros((draws, c, 1)), profit], axis=2)
    mine = drawn[:, np.arange(c), chosen] @ cells.share
    if budgeted:
        best = np.array(
            [
                (
                    cells.share * gain[np.arange(c), choose_within(gain, cost, cells.share, budget=limit)[0]]
                ).sum()
                for gain in drawn
            ]
        )
        best = np.maximum(best, mine)
    else:
        best = drawn.max(axis=2) @ cells.share
    totals = np.einsum("rcd,c->rd", drawn, cells.share)
    totals[:, cells.share @ cost > limit + 1e-12] = -np.inf
    constant = totals[:, int(np.argmax(totals.mean(axis=0)))]
    regret = best - mine
    above = float((best - constant).mean())
    kept = float((mine - constant).mean()) / above if above > 0 else NAN
    return float(regret.mean()), float(np.quantile(regret, level)), kept


# What is shown


def _curve(cells: Cells, differences: Differences, level: float) -> tuple[Point, ...]:
    """Profit over no contact by depth: over everybody, then context by context."""
    c, k = cells.contexts, len(cells.depths)
    points: list[Point] = []
    share = np.kron(cells.share, np.eye(k)).reshape(k, c, k).reshape(k, c * k)
    known = (differences.count[:, 1:] > 1).reshape(-1)
    if known.all():
        value = share @ differences.value[:, 1:].reshape(-1)
        spread = share @ differences.covariance @ share.T
        counts = np.bincount(cells.option, minlength=k + 1)
        best = may_be_best(np.r_[0.0, value], np.pad(spread, ((1, 0), (1, 0))), level=level)
        points += _points(cells, None, value, np.diag(spread), counts[1:], counts[0], best, level)
    if c == 1:
        return tuple(points)
    for at in range(c):
        block = differences.covariance[at * k : (at + 1) * k, at * k : (at + 1) * k]
        value = differences.value[at, 1:]
        usable = differences.count[at, 1:] > 1
        best = np.zeros(k + 1, dtype=bool)
        inner = np.r_[True, usable]
        best[inner] = may_be_best(
            np.r_[0.0, value[usable]], np.pad(block[np.ix_(usable, usable)], ((1, 0), (1, 0))), level=level
        )
        points += _points(
            cells,
            cells.label(at),
            value,
            np.diag(block),
            differences.count[at, 1:],
            differences.count[at, 0],
            best,
            level,
        )
    return tuple(points)


def _points(
    cells: Cells,
    by: Any,
    value: Floats,
    variance: Floats,
    counts: npt.ArrayLike,
    controls: float,
    best: npt.NDArray[np.bool_],
    level: float,
) -> list[Point]:
    found = []
    for d, (v, s2, n) in enumerate(zip(value, variance, np.asarray(counts), strict=True)):
        x = float(cells.depths[d])
        if n < 10:
            found.append(Point(x=x, by=by, n=int(n), why_not="small-arm"))
            continue
        reach = float(stdtrit(max(min(n, controls) - 1, 1), 0.5 + level / 2)) * float(np.sqrt(s2))
        found.append(
            Point(
                x=x,
                by=by,
                value=float(v),
                low=float(v - reach),
                high=float(v + reach),
                n=int(n),
                best=bool(best[d + 1]),
            )
        )
    return found


def _responses(cells: Cells, level: float) -> tuple[Response, ...]:
    """Who comes back by depth, over everybody and by context, with the elasticity from depth to depth."""
    came = cells.seen.came
    c, d = cells.contexts, 1 + len(cells.depths)
    groups: list[tuple[Any, npt.NDArray[np.bool_]]] = [(None, np.ones(len(came), dtype=bool))]
    if c > 1:
        groups += [(cells.label(at), cells.context == at) for at in range(c)]
    z = float(stdtrit(1e6, 0.5 + level / 2))
    found = []
    for by, rows in groups:
        share, variance, count = np.full(d, np.nan), np.full(d, np.nan), np.zeros(d)
        for option in range(1, d):
            use = rows & (cells.option == option)
            count[option] = use.sum()
            if count[option] > 1:
                w = cells.weight[use]
                share[option] = np.average(came[use], weights=w)
                variance[option] = float((w**2 * (came[use] - share[option]) ** 2).sum() / w.sum() ** 2)
        known = np.flatnonzero(count > 1)
        if not len(known):
            continue
        fitted = rising(share[known], count[known])
        slope = elasticity(share[known], variance[known], cells.depths[known - 1], z=z)
        for place, option in enumerate(known):
            reach = z * float(np.sqrt(variance[option]))
            lean = [float(part[place - 1]) for part in slope] if place else [NAN, NAN, NAN]
            found.append(
                Response(
                    x=float(cells.depths[option - 1]),
                    by=by,
                    share=float(share[option]),
                    low=float(max(share[option] - reach, 0.0)),
                    high=float(min(share[option] + reach, 1.0)),
                    monotone=float(fitted[place]),
                    elasticity=lean[0],
                    elasticity_low=lean[1],
                    elasticity_high=lean[2],
                )
            )
    return tuple(found)


def _by_segment(
    cells: Cells, policy: Floats, chosen: Ints, judged: npt.NDArray[np.bool_], level: float
) -> tuple[Segment, ...]:
    if len(cells.segments) < 2:
        return ()
    found = []
    for at, name in enumerate(cells.segments):
        rows = cells.context % len(cells.segments) == at
        told = estimate(
            policy[rows], df=max(int(np.bincount(cells.option[rows]).min()) - 1.0, 1.0), level=level
        )
        options = {
            _action(cells, int(chosen[c])) for c in range(cells.contexts) if c % len(cells.segments) == at
        }
        depths = sorted(x for x in options if isinstance(x, float))
        p = 2 * float(stdtr(max(int(rows.sum()) - 1, 1), -abs(told.value / told.se))) if told.se > 0 else NAN
        found.append(
            Segment(
                by=name,
                n=int(rows.sum()),
                recommended=depths[0] if len(options) == 1 and depths else (NONE if not depths else None),
                recommended_low=depths[0] if depths else NONE,
                recommended_high=depths[-1] if depths else NONE,
                value=told.value,
                low=told.low,
                high=told.high,
                p=p,
                p_adjusted=NAN,
            )
        )
    adjusted = adjusted_holm(np.array([entry.p for entry in found]))
    return tuple(replace(entry, p_adjusted=float(p)) for entry, p in zip(found, adjusted, strict=True))
