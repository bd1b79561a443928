"""Between which bounds a probability of welcome lies, from the weights of the hidden states."""

from __future__ import annotations

from math import exp, log, log1p, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.attention_filter import BLIND, LEVELS, sigmoid

Floats = npt.NDArray[np.floating[Any]]

Z95 = 1.959963984540054
MISS = 0.05
MISS_ABOVE = 0.035
"""Missed above where the interval begins at 0: a little less, since how attention moves is itself estimated."""


def logit(chance: Floats) -> Floats:
    kept = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.log(kept) - np.log1p(-kept)


def _edges(levels: Floats) -> Floats:
    """(14,) borders between the cells of the 13 levels, the outer ones half a step away."""
    inner = (levels[1:] + levels[:-1]) / 2
    return np.concatenate(
        [[levels[0] - (inner[0] - levels[0])], inner, [levels[-1] + (levels[-1] - inner[-1])]]
    )


def _quantile(share: Floats, edges: Floats, wanted: Floats) -> Floats:
    """(n,) z below which `wanted` (n,) of `share` (n, 13) lies, each level spread evenly over its cell."""
    total = np.cumsum(share, axis=1)
    goal = np.clip(wanted, 0.0, total[:, -1])
    cell = np.minimum((total < goal[:, None]).sum(axis=1), LEVELS - 1)
    row = np.arange(len(share))
    inside = share[row, cell]
    part = np.clip((goal - (total[row, cell] - inside)) / np.maximum(inside, 1e-300), 0.0, 1.0)
    return edges[cell] + part * (edges[cell + 1] - edges[cell])


def interval_of(
    weights: Floats, levels: Floats, *, x: Floats, value: Floats, x_variance: Floats, widen: Floats
) -> tuple[Floats, Floats]:
    """The 95% that are likeliest: the blind are left out where they are fewer than 5%, else the interval begins at 0.

    Args:
        weights: (n, 14) of the hidden states.
        levels: (14,) z.
        x: (n,) log-odds added to z, calibration included.
        value: (n,) the probability foretold.
        x_variance: (n,) of x, from the uncertainty of parameters.
        widen: (n,) how much wider the log-odds lie around `value` than the filter thinks; 1: as it thinks.
    Returns:
        (n,), (n,) probabilities.
    """
    blind = weights[:, BLIND]
    share = weights[:, :LEVELS]
    edges = _edges(levels[:LEVELS])
    room = np.maximum(MISS - blind, 0.0)
    hidden = blind >= MISS
    down = _quantile(share, edges, room / 2) + x
    reach = np.where(hidden, 1 - MISS_ABOVE - blind, 1 - blind - room / 2)
    up = np.where(reach > 0, _quantile(share, edges, np.maximum(reach, 0.0)), levels[BLIND] + 1.0) + x
    middle = logit(value)
    extra = np.square(Z95) * x_variance
    low = middle - np.sqrt(np.square(widen * np.maximum(middle - down, 0.0)) + extra)
    high = middle + np.sqrt(np.square(widen * np.maximum(up - middle, 0.0)) + extra)
    return np.where(hidden, 0.0, np.minimum(sigmoid(low), value)), np.maximum(sigmoid(high), value)


def one_interval(
    weights: Floats, levels: Floats, *, x: float, value: float, x_variance: float, widen: float
) -> tuple[float, float]:
    """`interval_of` of one touch."""
    row = weights.tolist()
    z = levels.tolist()
    blind = row[BLIND]
    middle = log(min(max(value, 1e-9), 1 - 1e-9)) - log1p(-min(max(value, 1e-9), 1 - 1e-9))
    room = max(MISS - blind, 0.0)
    hidden = blind >= MISS
    reach = 1 - MISS_ABOVE - blind if hidden else 1 - blind - room / 2
    extra = Z95 * Z95 * x_variance
    up = (_one_quantile(row, z, reach) if reach > 0 else z[BLIND] + 1.0) + x
    high = max(_one_chance(middle + sqrt((widen * max(up - middle, 0.0)) ** 2 + extra)), value)
    if hidden:
        return 0.0, high
    down = _one_quantile(row, z, room / 2) + x
    return min(_one_chance(middle - sqrt((widen * max(middle - down, 0.0)) ** 2 + extra)), value), high


def _one_quantile(row: list[float], z: list[float], wanted: float) -> float:
    total, cell = 0.0, 0
    goal = min(max(wanted, 0.0), sum(row[:LEVELS]))
    for cell in range(LEVELS):
        if total + row[cell] >= goal:
            break
        total += row[cell]
    first, last = (z[0] * 3 - z[1]) / 2, (z[LEVELS - 1] * 3 - z[LEVELS - 2]) / 2
    lower = first if cell == 0 else (z[cell - 1] + z[cell]) / 2
    upper = last if cell == LEVELS - 1 else (z[cell] + z[cell + 1]) / 2
    return lower + min(max((goal - total) / max(row[cell], 1e-300), 0.0), 1.0) * (upper - lower)


def _one_chance(x: float) -> float:
    return 1.0 / (1.0 + exp(-min(max(x, -35.0), 35.0)))
