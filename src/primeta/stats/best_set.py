"""Which of several may be the best: the set that holds the best one with a given confidence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DRAWS = 20_000
SEED = 20_261
"""The quantile is a number, not a guess: the same draws each time."""


def reach_of_largest(covariance: Floats, *, level: float = 0.95, two_sided: bool = True) -> float:
    """Quantile of the largest of k standardised normals with this covariance (max-t).

    Those without spread are left out; with none left it is 0.
    """
    spread = np.sqrt(np.diag(covariance))
    kept = spread > 1e-12 * max(float(spread.max(initial=0.0)), 1e-300)
    if not kept.any():
        return 0.0
    correlation = covariance[np.ix_(kept, kept)] / np.outer(spread[kept], spread[kept])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    z = np.random.default_rng(SEED).standard_normal((DRAWS, len(root))) @ root.T
    largest = np.abs(z).max(axis=1) if two_sided else z.max(axis=1)
    return float(np.quantile(largest, level))


def may_be_best(value: Floats, covariance: Floats, *, level: float = 0.95) -> Bools:
    """(k,) those that no other beats beyond chance: the best is among them with probability `level` at least.

    One is left out where some other's lead over it exceeds the quantile, for it, of the largest such lead by chance.

    Source:
        Hsu (1981, 1984), multiple comparisons with the best, with unequal and correlated errors: for each candidate
        one-sided max-t of all differences from it.
    """
    k = len(value)
    kept = np.ones(k, dtype=bool)
    for mine in range(k):
        others = [other for other in range(k) if other != mine]
        if not others:
            break
        contrast = np.zeros((k - 1, k))
        contrast[np.arange(k - 1), others] = 1.0
        contrast[:, mine] = -1.0
        spread = contrast @ covariance @ contrast.T
        se = np.sqrt(np.maximum(np.diag(spread), 0.0))
        lead = value[others] - value[mine]
        reach = reach_of_largest(spread, level=level, two_sided=False)
        with np.errstate(divide="ignore", invalid="ignore"):
            beaten = np.where(se > 0, lead / se, np.where(lead > 0, np.inf, 0.0)) > reach
        kept[mine] = not bool(beaten.any())
    return kept
