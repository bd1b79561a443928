"""The customers of an experiment on discounts, by time since the lapse, segment and depth, and how cells differ."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.errors import BadTable
from primeta.reactivation.policy.inputs import Lapsed
from primeta.reactivation.policy.outcomes import Measured, measured
from primeta.reactivation.policy.result import Action
from primeta.stats.buckets import buckets
from primeta.stats.weighted_fit import without_features

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_TIMES = 8
TIME_BINS = 5
POOLED = 30.0
"""A cell's own variance counts as its customers, the variance of all as so many."""
TIME_SALT = "primeta:virtual-time"
NONE = "none"


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
        return f"{text_of(self.times[time])} / {self.segments[segment]}"


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


def cells_of(lapsed: Lapsed) -> Cells:
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


def named_policy(cells: Cells, chosen: Ints) -> Any:
    """The policy for JSON: one depth, or a depth for each context by its label."""
    if cells.contexts == 1:
        return action_of(cells, int(chosen[0]))
    return {text_of(cells.label(at)): action_of(cells, int(chosen[at])) for at in range(cells.contexts)}


def text_of(label: Any) -> str:
    return f"{label:g}" if isinstance(label, int | float) else str(label)


def action_of(cells: Cells, option: int) -> Action:
    return NONE if option == 0 else float(cells.depths[option - 1])


def differences_of(cells: Cells, outcome: Floats, rows: npt.NDArray[np.bool_] | None = None) -> Differences:
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
