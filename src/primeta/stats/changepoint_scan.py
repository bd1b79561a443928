"""Did a series stay at one level? One test of many series at once, honest about autocorrelation.

Every prefix and many inner blocks of the series are compared with the rest; the largest standardised
difference is the statistic. Its noise is the long-run variance of what is left *after* the difference is
taken out (so that a real change does not hide itself), with an AR(1) estimate for each comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_AUTOCORRELATION = 0.85
"""Above this the series counts as wandering, not as short-memory noise round one level."""
SHORTEST_SERIES = 8
"""Points below which nothing can be told from noise."""
CLIP_AT = 3.0
"""Robust standard deviations from the running median beyond which a lone point is pulled in."""
ROUNDING = 1e-10
"""A series that varies less than this part of its size is constant but for rounding."""
CLIPPED_COSTS = 1.2
"""The statistic shrinks by so much per share of clipped points: heavy tails leave their mark even clipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Largest standardised difference of each of m series and the block where it is: all (m,)."""

    statistic: Floats
    start: Ints
    stop: Ints
    autocorrelation: Floats
    """Lag 1, of the clipped series with its mean taken out and no change allowed for."""


def shortest_block(n: int) -> int:
    """Points of the shortest block that is compared: long enough for the mean of clipped heavy tails to
    behave like that of normal noise."""
    return max(3, round(0.65 * np.sqrt(n)))


def blocks(n: int) -> tuple[Ints, Ints]:
    """Blocks [start, stop) that are compared with the rest: prefixes, then windows of growing width."""
    shortest = shortest_block(n)
    stops = np.arange(shortest, n - shortest + 1, max(1, n // 500))
    pieces = [np.stack([np.zeros_like(stops), stops])]
    width = shortest + shortest // 2
    while width <= n // 2:
        starts = np.arange(shortest, n - shortest - width + 1, max(1, width // 3))
        pieces.append(np.stack([starts, starts + width]))
        width = max(width + 1, round(width * 1.5))
    found = np.concatenate(pieces, axis=1)
    return found[0], found[1]


def running_median(y: Floats) -> Floats:
    """Median of five neighbours along the last axis of y (m, n), n ≥ 3; the ends are mirrored."""
    padded = np.pad(y, ((0, 0), (2, 2)), mode="reflect")
    a, b, c, d, e = (padded[:, i : i + y.shape[1]] for i in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(d, e))
    high = np.minimum(np.maximum(a, b), np.maximum(d, e))
    low, high = np.minimum(low, high), np.maximum(low, high)
    return np.maximum(low, np.minimum(high, c))


def clip_outliers(y: Floats, se: Floats | None = None) -> Floats:
    """Pulls lone points in to `CLIP_AT` robust standard deviations from the median of five neighbours.

    y, se: (m, n). A shift that lasts three points or more is left as it is.
    """
    centre = running_median(y)
    unit = np.ones_like(y) if se is None else se
    reach = CLIP_AT * 1.4826 * np.median(np.abs(y - centre) / unit, axis=1, keepdims=True) * unit
    # where most points equal their neighbours' median there is no scale to judge a lone point by
    return np.where(reach > 0, np.clip(y, centre - reach, centre + reach), y)


def standardised(y: Floats) -> Floats:
    """Each series less its mean, over its standard deviation; zeros where it is constant: (m, n)."""
    centred = y - y.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    size = np.abs(y).max(axis=1, keepdims=True)
    constant = spread <= ROUNDING * size
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, spread))


def scan(y: Floats, se: Floats | None = None) -> Scan:
    """Compares every block of each series with the rest of it.

    Args:
        y: (m, n) without gaps, n ≥ `SHORTEST_SERIES`.
        se: (m, n), above 0: the standard error of each point up to a common factor; None: all alike.
    """
    m, n = y.shape
    start, stop = blocks(n)
    tame = clip_outliers(y, se)
    clipped = (tame != y).mean(axis=1)
    y = standardised(tame)
    w = np.ones_like(y) if se is None else se**-2.0 / (se**-2.0).mean(axis=1, keepdims=True)

    def running(x: Floats) -> Floats:
        return np.concatenate([np.zeros((m, 1)), np.cumsum(x, axis=1)], axis=1)

    sum_w, sum_wy = running(w), running(w * y)
    total_w, total_wy = sum_w[:, -1:], sum_wy[:, -1:]
    total_wyy = (w * y * y).sum(axis=1, keepdims=True)
    g = np.sqrt(w[:, :-1] * w[:, 1:])
    pair_w = running(g)
    pair_s = running(g * (y[:, :-1] + y[:, 1:]))
    pair_p = running(g * y[:, :-1] * y[:, 1:])

    before_start = np.maximum(start - 1, 0)
    after_stop = np.minimum(stop, n - 1)

    def inside(p: Floats) -> Floats:
        return p[:, stop - 1] - p[:, start]

    def outside(p: Floats) -> Floats:
        # pairs that straddle an edge of the block belong to neither level
        return p[:, -1:] - (p[:, after_stop] - p[:, before_start])

    w1 = sum_w[:, stop] - sum_w[:, start]
    y1 = sum_wy[:, stop] - sum_wy[:, start]
    w0, y0 = total_w - w1, total_wy - y1
    m1, m0 = y1 / w1, y0 / w0
    rss = total_wyy - y1 * m1 - y0 * m0
    lag = inside(pair_p) - m1 * inside(pair_s) + m1 * m1 * inside(pair_w)
    lag += outside(pair_p) - m0 * outside(pair_s) + m0 * m0 * outside(pair_w)
    # a level fitted without error leaves rounding, not noise
    rss = np.maximum(rss, ROUNDING**2 * n)
    rho = lag / rss * (n / (inside(pair_w) + outside(pair_w)))
    # residuals round two fitted levels correlate less than the noise does: Kendall's bias, two means
    rho = np.clip((rho + 2 / n) / (1 - 4 / n), 0, MOST_AUTOCORRELATION)
    squared = (m1 - m0) ** 2 / (rss / (n - 2) * (1 + rho) / (1 - rho) * (1 / w1 + 1 / w0))
    best = np.argmax(squared, axis=1)
    rows = np.arange(m)
    return Scan(
        statistic=np.sqrt(squared[rows, best]) / (1 + CLIPPED_COSTS * clipped),
        start=start[best],
        stop=stop[best],
        autocorrelation=pair_p[:, -1] / np.maximum(total_wyy[:, 0], 1.0),
    )
