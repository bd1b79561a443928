"""The season of a series, found in its own steps and taken out, so that a change of level can be seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

Floats = npt.NDArray[np.float64]

PERIODS = (4, 5, 6, 7, 8, 10, 12, 13, 24, 26, 30, 52)
CYCLES = 4
"""Whole cycles that must be there before a season is believed."""
CHANCE = 1e-4
"""P-value (F test on the steps) that a season needs: so small that series without one are left alone."""
LEAST_SHARE = 0.1
"""Share of the variance of the steps that a season must explain, one parameter a phase paid for."""


def without_season(y: Floats) -> Floats:
    """Each series less its season, where it has one; (m, n) finite in, (m, n) out.

    The season is read from the steps y[t] − y[t−1] by phase, which neither a level shift nor a slope
    disturbs much; extreme steps are pulled in to the 2% and 98% quantiles. A season that grows with the
    level is taken out of the logarithm where that explains more.
    """
    best = np.full(len(y), LEAST_SHARE)
    out = y.copy()
    positive = np.min(y, axis=1) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        forms = [
            (np.ones(len(y), dtype=bool), y),
            (positive, np.log(np.where(positive[:, np.newaxis], y, 1.0))),
        ]
    for logarithm, (rows, form) in enumerate(forms):
        which = np.flatnonzero(rows)
        steps = np.diff(form[which], axis=1)
        if steps.shape[1] < CYCLES * PERIODS[0] or not len(which):
            continue
        low, high = np.quantile(steps, [0.02, 0.98], axis=1)
        steps = np.clip(steps, low[:, None], high[:, None])
        steps -= steps.mean(axis=1, keepdims=True)
        total = (steps**2).sum(axis=1)
        for period in PERIODS:
            if y.shape[1] < CYCLES * period:
                break
            share, season = _season(steps, total, period)
            better = share > best[which]
            if better.any():
                chosen = which[better]
                tiled = season[better][:, np.arange(y.shape[1]) % period]
                best[chosen] = share[better]
                out[chosen] = np.exp(form[chosen] - tiled) if logarithm else y[chosen] - tiled
    return out


def _season(steps: Floats, total: Floats, period: int) -> tuple[Floats, Floats]:
    """Adjusted share of variance (m,), −1 where it may be chance, and the season by phase (m, period).

    steps: (m, k) with mean 0 in each row; total: (m,) their sums of squares.
    """
    count = steps.shape[1]
    phase = np.arange(1, count + 1) % period
    member = (phase[:, np.newaxis] == np.arange(period)).astype(float)
    often = member.sum(axis=0)
    mean = (steps @ member) / often
    explained = np.minimum((mean**2) @ often, total)
    left = total - explained
    free = count - period
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, 1 - (left / free) / (total / (count - 1)), -1.0)
        ratio = (explained / (period - 1)) / (left / free)
    chance = fdtrc(period - 1, free, np.nan_to_num(ratio, nan=0.0, posinf=1e300))
    season = np.cumsum(mean - mean.mean(axis=1, keepdims=True), axis=1)
    return np.where(chance < CHANCE, share, -1.0), season - season.mean(axis=1, keepdims=True)
