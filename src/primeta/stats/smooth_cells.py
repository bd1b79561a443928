"""Means of a few dozen cells, each drawn towards what its neighbours say: how far, the cells tell themselves.

Cells stand at a dose and in a context (time, group). The surface is a sum of Gaussian processes: of the dose, the
time, their interplay, and the same again for each group's own deviation; how large each part is and how far
neighbours agree is found by marginal likelihood, so that what does not differ is not made to differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Posterior of the cells' true means."""

    mean: Floats
    """(k,)"""
    covariance: Floats
    """(k, k)"""
    parameters: Floats
    """Logarithms of sizes and reaches, to begin another fit from."""


def smooth_cells(
    value: Floats,
    variance: Floats,
    *,
    dose: Floats,
    time: Floats,
    group: Ints,
    covariance: Floats | None = None,
    start: Floats | None = None,
    open_minded: bool = False,
) -> Surface:
    """Posterior means of k cells.

    Args:
        value: (k,) cell means; NaN for a cell without customers.
        variance: (k,) of those means; `covariance` (k, k) instead, where cells share customers.
        dose, time: (k,) on a scale where neighbours are about equally far apart, such as 0 … 1.
        group: (k,) numbers of groups.
        start: `parameters` of an earlier fit.
        open_minded: No part is taken to be smaller than half of what was thought before the cells were seen: few customers let
            the likelihood call a part nothing that is there, and the posterior would then be too sure.
    Source:
        Rasmussen & Williams (2006), ch. 2 and 5: Gaussian process regression with known noise, type II likelihood;
        Matérn 5/2 kernels, an ANOVA decomposition (Durrande et al. 2013). Priors on the logarithms keep a fit of
        a few cells from running off.
    """
    known = np.isfinite(value) & np.isfinite(variance)
    y, at = value[known], np.flatnonzero(known)
    noise = covariance[np.ix_(at, at)] if covariance is not None else np.diag(variance[known])
    scale = float(np.sqrt(max(np.var(y), float(np.mean(np.diag(noise))) * 0.05, 1e-30)))
    middle = float(np.average(y, weights=1.0 / np.maximum(np.diag(noise), 1e-30)))
    y = (y - middle) / scale
    noise = noise / scale**2 + 1e-9 * np.eye(len(y))
    groups, times = len(np.unique(group)) > 1, len(np.unique(time)) > 1
    dose_far = np.abs(dose[:, None] - dose[None, :])
    time_far = np.abs(time[:, None] - time[None, :])
    same = (group[:, None] == group[None, :]) * 1.0
    # sizes of: level, dose, time, dose × time, group, group × dose, group × time, group × dose × time; two reaches
    used = np.array(
        [1, 1, times, times, groups, groups, groups and times, groups and times, 1, times], dtype=bool
    )
    centre = np.log(np.array([1.0, 0.8, 0.6, 0.4, 0.6, 0.6, 0.3, 0.3, 0.8, 0.8]))
    width = np.array([1.0, 1.0, 1.0, 1.2, 1.2, 1.2, 1.2, 1.2, 0.6, 0.6])

    def kernel(parameters: Floats) -> Floats:
        size = np.exp(2 * parameters[:8]) * used[:8]
        d, t = _matern(dose_far / np.exp(parameters[8])), _matern(time_far / np.exp(parameters[9]))
        own = size[4] + size[5] * d + size[6] * t + size[7] * d * t
        return size[0] + size[1] * d + size[2] * t + size[3] * d * t + same * own

    def loss(free: Floats) -> float:
        parameters = centre.copy()
        parameters[used] = free
        try:
            factor = cho_factor(kernel(parameters)[np.ix_(at, at)] + noise, lower=True)
        except np.linalg.LinAlgError:
            return 1e10
        half = 0.5 * float(y @ cho_solve(factor, y)) + float(np.log(np.diag(factor[0])).sum())
        return half + 0.5 * float((((free - centre[used]) / width[used]) ** 2).sum())

    first = centre[used] if start is None else start[used]
    bounds = [(c - 4 * w, c + 3 * w) for c, w in zip(centre[used], width[used], strict=True)]
    found = minimize(loss, first, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60, "ftol": 1e-7})
    parameters = centre.copy()
    parameters[used] = found.x
    if open_minded:
        parameters[:8] = np.maximum(parameters[:8], centre[:8] - np.log(2))
        parameters[8:] = np.minimum(parameters[8:], centre[8:])
    prior = kernel(parameters)
    factor = cho_factor(prior[np.ix_(at, at)] + noise, lower=True)
    mean = middle + scale * (prior[:, at] @ cho_solve(factor, y))
    left = prior - prior[:, at] @ cho_solve(factor, prior[at, :])
    return Surface(mean=mean, covariance=scale**2 * (left + left.T) / 2, parameters=parameters)


def _matern(far: Floats) -> Floats:
    """Matérn 5/2 of distances in units of the reach."""
    a = np.sqrt(5.0) * far
    return (1 + a + a * a / 3) * np.exp(-a)
