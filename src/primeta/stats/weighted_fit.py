"""Weighted least squares with errors that trust no model of the noise, and intervals with honest degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedFit:
    """Coefficients (k,), their covariance, and how each group of rows adds to it."""

    coefficient: Floats
    covariance: Floats
    by_group: Floats
    """(G, k, k); their sum is `covariance`."""
    free: Floats
    """(G,) rows of each group less one."""

    def contrast(self, weights: Floats, *, level: float = 0.95) -> tuple[Floats, Floats, Floats, Floats]:
        """Value, low, high and two-sided p of m linear combinations (m, k).

        Source:
            Welch (1947) and Satterthwaite (1946): the degrees of freedom of a sum of independent variances.
        """
        value = weights @ self.coefficient
        parts = np.maximum(np.einsum("mi,gij,mj->mg", weights, self.by_group, weights), 0.0)
        variance = parts.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = variance**2 / (parts**2 / np.maximum(self.free, 1.0)).sum(axis=1)
            df = np.where(np.isfinite(df), df, np.inf)
            se = np.sqrt(variance)
            reach = (
                np.where(np.isfinite(df), stdtrit(np.where(np.isfinite(df), df, 1e9), 0.5 + level / 2), 0.0)
                * se
            )
            p = np.where(se > 0, 2 * stdtr(np.where(np.isfinite(df), df, 1e9), -np.abs(value / se)), np.nan)
        return value, value - reach, value + reach, p


def weighted_fit(design: Floats, outcome: Floats, weight: Floats, group: Ints) -> WeightedFit:
    """Least squares of (n,) `outcome` on (n, k) `design`.

    Args:
        group: (n,) 0 … G − 1: rows that are alike (an arm), for the degrees of freedom.
    Source:
        HC2 of MacKinnon & White (1985), with weights: for a design of arm means it is each arm's own s²/n.
    """
    xw = design * weight[:, None]
    inverse = np.linalg.pinv(xw.T @ design, hermitian=True)
    coefficient = inverse @ (xw.T @ outcome)
    left = outcome - design @ coefficient
    lever = np.clip(np.einsum("ni,ij,nj->n", xw, inverse, design), 0.0, 1 - 1e-9)
    push = (xw * (left / np.sqrt(1 - lever))[:, None]) @ inverse
    groups = int(group.max(initial=0)) + 1
    parts = np.stack([push[group == g].T @ push[group == g] for g in range(groups)])
    free = np.bincount(group, minlength=groups).astype(np.float64) - 1
    return WeightedFit(coefficient=coefficient, covariance=parts.sum(axis=0), by_group=parts, free=free)


def without_features(outcome: Floats, arm: Ints, features: Floats, weight: Floats) -> Floats:
    """(n,) outcome less what was to be expected before the lottery: one slope for all arms (ANCOVA).

    Arms keep their means up to the chance difference in what was known; with few customers per feature nothing is
    done.

    Source:
        Yang & Tsiatis (2001); with a lottery the model need not be right.
    """
    n, q = features.shape
    if q == 0 or n < 40 * q:
        return outcome
    x, y = features.copy(), outcome.copy()
    for which in np.unique(arm):
        rows = arm == which
        x[rows] -= np.average(x[rows], axis=0, weights=weight[rows])
        y[rows] -= np.average(y[rows], weights=weight[rows])
    xw = x * weight[:, None]
    slope = np.linalg.pinv(xw.T @ x, hermitian=True) @ (xw.T @ y)
    return outcome - (features - features.mean(axis=0)) @ slope
