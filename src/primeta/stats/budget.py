"""The best choice for each cell when all choices together may cost only so much."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


STEPS = 4_000
"""Parts of the budget in which money is counted, costs rounded up: what is chosen always fits."""


def choose_within(gain: Floats, cost: Floats, share: Floats, *, budget: float = np.inf) -> tuple[Ints, float]:
    """One option for each cell, with the largest gain of all together that the budget allows.

    Args:
        gain, cost: (C, D) per customer of a cell; NaN for an option that a cell does not have. Every cell has one
            that costs nothing. share: (C,) weights.
        budget: Of Σ share · cost.
    Returns:
        (C,) the options, and the price of money: what one unit more of budget would bring (0: the budget is no
        bound). Cells are whole: what is left of the budget may be too small for any further step.
    Source:
        The multiple-choice knapsack. The options: dynamic programming over the budget (Dudziński & Walukiewicz 1987).
        The price: steps of the concave envelopes, steepest first (Sinha & Zoltners 1979).
    """
    cells = np.arange(len(gain))
    usable = np.isfinite(gain) & np.isfinite(cost)
    worth = np.where(usable, gain, -np.inf) * share[:, None]
    paid = np.where(usable, cost, np.inf) * share[:, None]
    # of options alike in gain the cheapest
    free = np.array([min(range(gain.shape[1]), key=lambda d: (-worth[c, d], paid[c, d])) for c in cells])
    if paid[cells, free].sum() <= budget:
        return free.astype(np.int64), 0.0
    unit = budget / STEPS if budget > 0 else 1.0
    # a budget near zero: what does not fit is infinitely many units
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.where(np.isfinite(paid), np.ceil(np.maximum(paid, 0.0) / unit - 1e-9), STEPS + 1.0)
    steps = np.minimum(steps, STEPS + 1).astype(np.int64)
    room = STEPS if budget > 0 else 0
    best = np.zeros(room + 1)
    taken = np.zeros((len(gain), room + 1), dtype=np.int64)
    for cell in cells:
        options = np.full((gain.shape[1], room + 1), -np.inf)
        for d in range(gain.shape[1]):
            if steps[cell, d] <= room:
                options[d, steps[cell, d] :] = best[: room + 1 - steps[cell, d]] + worth[cell, d]
        taken[cell] = options.argmax(axis=0)
        best = options.max(axis=0)
    chosen, left = np.zeros(len(gain), dtype=np.int64), room
    for cell in cells[::-1]:
        chosen[cell] = taken[cell, left]
        left -= steps[cell, chosen[cell]]
    return chosen, _price(gain, cost, share, budget)


def _price(gain: Floats, cost: Floats, share: Floats, budget: float) -> float:
    """Gain per money of the first step of the concave envelopes that no longer fits whole."""
    steps: list[tuple[float, float]] = []
    spent = 0.0
    for cell in range(len(gain)):
        options = [
            d for d in range(gain.shape[1]) if np.isfinite(gain[cell, d]) and np.isfinite(cost[cell, d])
        ]
        options.sort(key=lambda d: (cost[cell, d], -gain[cell, d]))
        hull: list[int] = []
        for d in options:
            if hull and gain[cell, d] <= gain[cell, hull[-1]]:
                continue
            while len(hull) > 1 and _slope(gain, cost, cell, hull[-1], d) >= _slope(
                gain, cost, cell, hull[-2], hull[-1]
            ):
                hull.pop()
            hull.append(d)
        spent += share[cell] * cost[cell, hull[0]]
        for before, after in itertools.pairwise(hull):
            more = share[cell] * (cost[cell, after] - cost[cell, before])
            steps.append((_slope(gain, cost, cell, before, after), more))
    for slope, more in sorted(steps, reverse=True):
        spent += more
        if spent > budget:
            return float(slope) if np.isfinite(slope) else 0.0
    return 0.0


def _slope(gain: Floats, cost: Floats, cell: int, before: int, after: int) -> float:
    step = cost[cell, after] - cost[cell, before]
    rise = gain[cell, after] - gain[cell, before]
    return rise / step if step > 0 else np.inf
