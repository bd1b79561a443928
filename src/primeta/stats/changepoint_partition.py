"""The best way to cut a series into k + 1 pieces, for every k, each piece a level or a line.

Dynamic programming over all cuts, a row of costs at a time (Bellman 1961; Auger & Lawrence 1989,
Bull. Math. Biol. 51, 39). Series longer than `FULL_GRID` are cut on a grid first, then each cut is moved to its
best place between its neighbours.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shape = Literal["level", "line"]

FULL_GRID = 400


class Costs:
    """Weighted squared error of the best level or line over [start, stop), from running sums."""

    def __init__(self, y: Floats, weights: Floats, shape: Shape) -> None:
        x = np.linspace(-1, 1, len(y))
        self.shape = shape
        terms = [weights, weights * y, weights * y * y]
        if shape == "line":
            terms += [weights * x, weights * x * x, weights * x * y]
        self.sums = [np.concatenate([[0.0], np.cumsum(term)]) for term in terms]

    def __call__(self, start: Ints, stop: Ints) -> Floats:
        w, wy, wyy, *rest = (total[stop] - total[start] for total in self.sums)
        cost = wyy - wy * wy / w
        if self.shape == "line":
            wx, wxx, wxy = rest
            spread = wxx - wx * wx / w
            slope = wxy - wx * wy / w
            cost = cost - slope * slope / spread
        return np.maximum(cost, 0)


def partitions(
    y: Floats, *, weights: Floats | None = None, shape: Shape, most: int, shortest: int
) -> list[tuple[float, Ints]]:
    """The best cuts for 0, 1, … `most` changes.

    Args:
        y: (n,) finite. weights: (n,) above 0, or None.
        shortest: Points in the shortest piece, at least 1 for levels and 3 for lines.
    Returns:
        For each k that fits: squared error, and the k first points of new pieces.
    """
    n = len(y)
    costs = Costs(y - y.mean(), np.ones(n) if weights is None else weights, shape)
    stride = -(-n // FULL_GRID)
    cuts = np.arange(0, n, stride)
    cuts = np.append(cuts[n - cuts >= min(shortest, n)], n)
    last = len(cuts) - 1
    before, after = np.triu_indices(last + 1, 1)
    price = np.full((last + 1, last + 1), np.inf)
    long_enough = cuts[after] - cuts[before] >= min(shortest, n)
    before, after = before[long_enough], after[long_enough]
    price[after, before] = costs(cuts[before], cuts[after])

    value = price[:, 0].copy()
    value[0] = np.inf
    came_from: list[Ints] = []
    found = [(float(value[last]), np.array([], dtype=np.int64))]
    for k in range(1, most + 1):
        step = price + value
        best = np.argmin(step, axis=1)
        value = step[np.arange(last + 1), best]
        if not np.isfinite(value[last]):
            break
        came_from.append(best)
        where, changes = last, []
        for level in range(k - 1, -1, -1):
            where = int(came_from[level][where])
            changes.append(int(cuts[where]))
        changes.reverse()
        found.append(_moved(costs, np.array(changes), n, stride, shortest))
    return found


def _moved(costs: Costs, changes: Ints, n: int, stride: int, shortest: int) -> tuple[float, Ints]:
    """Each change goes to its best place within one stride, its neighbours held."""
    edges = np.concatenate([[0], changes, [n]])
    if stride > 1:
        for i in range(1, len(edges) - 1):
            low = max(edges[i] - stride, edges[i - 1] + shortest)
            high = min(edges[i] + stride, edges[i + 1] - shortest)
            if low < high:
                places = np.arange(low, high + 1)
                price = costs(np.full_like(places, edges[i - 1]), places)
                price = price + costs(places, np.full_like(places, edges[i + 1]))
                edges[i] = places[np.argmin(price)]
    return float(costs(edges[:-1], edges[1:]).sum()), edges[1:-1]
