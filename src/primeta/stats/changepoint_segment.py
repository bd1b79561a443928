"""How many pieces, and which: cuts a series that is known to have changed.

Every number of cuts is tried, with levels and with lines. A cut is kept where it lowers the variance of the
innovations (what is left after the pieces and an AR(1) memory are taken out) by more than its price.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.stats.changepoint_partition import Shape, partitions
from primeta.stats.changepoint_scan import clip_outliers, shortest_segment
from primeta.stats.longrun import lag_one

Floats = npt.NDArray[np.float64]
MOST_CHANGES = 12
PRICE = {"level": 2.5, "line": 4.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The cut series: first points of new pieces, the fit (n,), how many parameters it took."""

    starts: tuple[int, ...]
    fitted: Floats
    parameters: int


def cut(y: Floats, *, se: Floats | None = None) -> Pieces:
    n = len(y)
    tame = clip_outliers(y[None, :], None if se is None else se[None, :])[0]
    w = np.ones(n) if se is None else se**-2.0 / np.mean(se**-2.0)
    best, best_score = None, math.inf
    floor = 1e-10 * float(w @ (tame - tame.mean()) ** 2) + 1e-300
    for shape in ("level", "line"):
        shortest = max(shortest_segment(n), 4 if shape == "line" else 2)
        if n < shortest:
            continue
        for _rss, starts in partitions(tame, weights=w, shape=shape, most=MOST_CHANGES, shortest=shortest):
            fit = fitted(tame, w, starts, shape)
            residuals = np.sqrt(w) * (tame - fit)
            rho = lag_one(residuals, levels=len(starts) + 1)
            score = n * math.log(max(float(residuals @ residuals) * (1 - rho**2), floor))
            score += PRICE[shape] * len(starts) * math.log(n) + (math.log(n) if shape == "line" else 0)
            if score < best_score:
                best, best_score = (tuple(int(s) for s in starts), fit, shape), score
    assert best is not None
    starts, fit, shape = best
    return Pieces(starts=starts, fitted=fit, parameters=(len(starts) + 1) * (2 if shape == "line" else 1))


def fitted(y: Floats, w: Floats, starts: npt.NDArray[np.int64], shape: Shape) -> Floats:
    """The best level or line over each piece, at each point: (n,)."""
    out = np.empty(len(y))
    edges = [0, *starts, len(y)]
    for left, right in itertools.pairwise(edges):
        part = slice(left, right)
        middle = np.average(y[part], weights=w[part])
        out[part] = middle
        if shape == "line":
            x = np.arange(right - left, dtype=float)
            x -= np.average(x, weights=w[part])
            spread = float(w[part] @ x**2)
            if spread > 0:
                out[part] += x * float(w[part] @ (x * y[part])) / spread
    return out
