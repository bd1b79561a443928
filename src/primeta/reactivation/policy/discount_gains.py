"""Profit of each depth over no contact, on a surface on which each cell borrows from its neighbours."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.reactivation.policy.discount_cells import Cells, Differences, differences_of
from primeta.stats.monotone_dose import rising
from primeta.stats.smooth_cells import Surface, smooth_cells

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gains:
    """Profit over no contact as it is believed: (C, D) with its posterior covariance, and what it costs."""

    mean: Floats
    covariance: Floats
    cost: Floats
    """(C, 1 + D) discounts and contacts per customer over no contact, rising in depth."""
    parameters: tuple[Floats, Floats, Floats]


def gains_of(
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
    came = differences_of(cells, cells.came[:, None] * silent, rows)
    listed = differences_of(cells, cells.listed[:, None] * silent, rows)
    spent = differences_of(cells, cells.spent[:, None] * silent, rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = listed.mean / np.where(came.mean > 0, came.mean, np.nan)
    segment = cells.context % len(cells.segments)
    expected = np.column_stack(
        [
            np.nan_to_num(each)[t * len(cells.segments) + segment, cells.option]
            for t in range(len(cells.times))
        ]
    )
    left = differences_of(cells, (cells.listed[:, None] - expected * cells.came[:, None]) * silent, rows)
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


def _since_contact(cells: Cells) -> npt.NDArray[np.bool_]:
    """(n, T) whether a customer was still silent at each time: who was not does the same whatever he was to get."""
    n = len(cells.outcome)
    if len(cells.times) > 1 and any(isinstance(label, str) for label in cells.times):
        # days are put together into bins: nobody's own day is that of his bin
        return np.ones((n, len(cells.times)), dtype=bool)
    return cells.seen.lapsed.returned[:, None] >= cells.time_at[None, :]
