"""The best choice for each cell when all choices together may cost only so much."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def choose_within(gain: Floats, cost: Floats, share: Floats, *, budget: float = np.inf) -> tuple[Ints, float]:
    """One option for each cell, with the largest gain of all together that the budget allows.

    Args:
        gain, cost: (C, D) per customer of a cell; NaN for an option that a cell does not have. share: (C,) weights.
        budget: Of Σ share · cost.
    Returns:
        (C,) the options, and the price of money: what one unit more of budget would bring (0: the budget is no
        bound). Cells are whole: what is left of the budget, too small for the next step, stays.
    Source:
        Sinha & Zoltners (1979), the multiple-choice knapsack by steps of the concave envelope, steepest first: the
        best that any lottery over choices does, but for the one step that no longer fits.
    """
    cells = len(gain)
    chosen = np.zeros(cells, dtype=np.int64)
    steps: list[tuple[float, float, int, int]] = []
    spent = 0.0
    for cell in range(cells):
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
        chosen[cell] = hull[0]
        spent += share[cell] * cost[cell, hull[0]]
        for before, after in itertools.pairwise(hull):
            steps.append((_slope(gain, cost, cell, before, after), share[cell], cell, after))
    price = 0.0
    closed: set[int] = set()
    for slope, weight, cell, after in sorted(steps, key=lambda step: -step[0]):
        if cell in closed:
            continue
        more = weight * (cost[cell, after] - cost[cell, chosen[cell]])
        if spent + more > budget + 1e-12:
            # a dearer step of the same cell must not be taken without this one
            closed.add(cell)
            price = max(price, slope)
            continue
        chosen[cell] = after
        spent += more
    return chosen, price


def _slope(gain: Floats, cost: Floats, cell: int, before: int, after: int) -> float:
    step = cost[cell, after] - cost[cell, before]
    rise = gain[cell, after] - gain[cell, before]
    return rise / step if step > 0 else np.inf
