"""Shares from a stratified sample whose people stand for unequally many, and whether two coders agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A weighted share with its interval; `effective` is the size of the simple sample that would tell as much."""

    value: float
    low: float
    high: float
    n: int
    effective: float


def stratified_share(says: npt.ArrayLike, weight: Floats, stratum: Ints, *, level: float = 0.95) -> Share:
    """Share of the weight of those who say so.

    Args:
        says: (n,) whether each says so.
        weight: (n,) above 0: how many people he stands for.
        stratum: (n,) within which people were drawn apart from the others.
    Returns:
        NaN where nobody was asked. Clopper and Pearson's interval at the effective size; that the sample is drawn
        without replacement is not counted, so that it errs on the wide side. A stratum of one person, whose own
        spread is unknown, adds his distance from everybody's mean.
    Source:
        Korn & Graubard (1998), Survey Methodology 24, 193: eq. of the exact interval with effective size and df.
    """
    y = np.asarray(says, dtype=np.float64)
    n = len(y)
    if not n:
        return Share(value=NAN, low=NAN, high=NAN, n=0, effective=0.0)
    total = float(weight.sum())
    # A sum of weights over itself need not be 1 to the last digit.
    p = 1.0 if y.all() else float(weight @ y) / total
    part = weight * (y - p) / total
    variance = 0.0
    strata = np.unique(stratum)
    for own in strata:
        rows = part[stratum == own]
        if len(rows) == 1:
            variance += float(rows[0] ** 2)
        else:
            variance += len(rows) / (len(rows) - 1) * float(((rows - rows.mean()) ** 2).sum())
    effective = float(total**2 / (weight**2).sum())
    if variance > 0 and 0 < p < 1:
        effective = p * (1 - p) / variance
        free = max(n - len(strata), 1)
        if n > 1:
            tail = 0.5 + level / 2
            effective *= float((stdtrit(n - 1, tail) / stdtrit(free, tail)) ** 2)
    effective = min(float(n), effective)
    tail = (1 - level) / 2
    hits = p * effective
    low = float(betaincinv(hits, effective - hits + 1, tail)) if p > 0 else 0.0
    high = float(betaincinv(hits + 1, effective - hits, 1 - tail)) if p < 1 else 1.0
    return Share(value=p, low=min(low, p), high=max(high, p), n=n, effective=effective)


def cohen_kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Agreement of two coders beyond chance: 1 is perfect, 0 is what chance gives.

    Returns:
        NaN where both use one and the same code throughout, or where nothing was coded by both.
    Source:
        Cohen (1960), Educational and Psychological Measurement 20, 37, eq. 1.
    """
    one, two = np.asarray(first), np.asarray(second)
    if not len(one):
        return NAN
    chance = sum(float((one == code).mean() * (two == code).mean()) for code in np.union1d(one, two))
    if math.isclose(chance, 1.0):
        return NAN
    return float(((one == two).mean() - chance) / (1 - chance))
