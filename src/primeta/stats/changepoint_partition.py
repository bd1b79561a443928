"""The best way to cut a series into k + 1 pieces, for every k, each piece a level or a line.

Dynamic programming over all cuts, a row of costs at a time (Bellman 1961; Auger & Lawrence 1989,
Bull. Math. Biol. 51, 39). Series longer than `FULL_GRID` are cut on a grid first, then each cut is moved to its
best place between its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shape = Literal["level", "line"]

FULL_GRID = 200


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


def pieces_of(y: Floats, weights: Floats, starts: Ints, *, shape: Shape) -> Floats:
    """The best level or line over each piece, at each point: (n,)."""
    n = len(y)
    left, right = np.concatenate([[0], starts]), np.concatenate([starts, [n]])
    length = right - left
    w = np.add.reduceat(weights, left)
    middle = np.add.reduceat(weights * y, left) / w
    fit = np.repeat(middle, length)
    if shape == "line":
        x = np.arange(n, dtype=float)
        x -= np.repeat(np.add.reduceat(weights * x, left) / w, length)
        spread = np.add.reduceat(weights * x * x, left)
        slope = np.add.reduceat(weights * x * y, left) / np.where(spread > 0, spread, 1.0)
        fit = fit + x * np.repeat(slope, length)
    return fit


def partitions(
    y: Floats, *, weights: Floats | None = None, shape: Shape, most: int, shortest: int, grid: int = FULL_GRID
) -> Iterator[tuple[float, Ints]]:
    """The best cuts for 0, 1, … `most` changes.

    Args:
        y: (n,) finite. weights: (n,) above 0, or None.
        shortest: Points in the shortest piece, at least 1 for levels and 3 for lines.
        grid: Series up to this long are cut exactly, longer ones as said above.
    Returns:
        For each k that fits: squared error, and the k first points of new pieces.
    """
    n = len(y)
    costs = Costs(y - y.mean(), np.ones(n) if weights is None else weights, shape)
    stride = -(-n // grid)
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
    yield float(value[last]), np.array([], dtype=np.int64)
    for k in range(1, most + 1):
        step = price + value
        best = np.argmin(step, axis=1)
        value = step[np.arange(last + 1), best]
        if not np.isfinite(value[last]):
            return
        came_from.append(best)
        where, changes = last, []
        for level in range(k - 1, -1, -1):
            where = int(came_from[level][where])
            changes.append(int(cuts[where]))
        changes.reverse()
        yield _moved(costs, np.array(changes), n, stride, shortest)


def _moved(costs: Costs, changes: Ints, n: int, stride: int, shortest: int) -> tuple[float, Ints]:
    """Each change goes to its best place within one stride, its neighbours held; twice over."""
    edges = np.concatenate([[0], changes, [n]])
    value = float(costs(edges[:-1], edges[1:]).sum())
    reach = np.arange(-stride, stride + 1)
    for _ in range(2 if stride > 1 and len(changes) else 0):
        left, right = edges[:-2, None], edges[2:, None]
        places = edges[1:-1, None] + reach
        allowed = (places >= left + shortest) & (places <= right - shortest)
        places = np.where(allowed, places, edges[1:-1, None])
        price = costs(np.broadcast_to(left, places.shape), places)
        price = price + costs(places, np.broadcast_to(right, places.shape))
        moved = edges.copy()
        moved[1:-1] = places[np.arange(len(changes)), np.argmin(price, axis=1)]
        # neighbours that moved towards each other may now be too close, or worse together than apart
        if np.diff(moved).min() < shortest:
            break
        better = float(costs(moved[:-1], moved[1:]).sum())
        if better >= value:
            break
        edges, value = moved, better
    return value, edges[1:-1]
