"""Noise that remembers: how much less n correlated points tell than n independent ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def lag_one(residuals: Floats, *, levels: int = 1, most: float = 0.95) -> float:
    """AR(1) coefficient of residuals left by fitting `levels` levels, corrected for its bias.

    Args:
        residuals: (n,), in order of time, n > 4 · levels for an answer above 0.
        levels: Parameters of the mean that were fitted.
        most: The largest value that is returned.
    Returns:
        Between 0 (negative correlation is not made use of) and `most`.
    Source:
        Kendall (1954), Biometrika 41, 403: E ρ̂ ≈ ρ − (1 + 3ρ)/n for one mean; (1 + 2ρ)/n more for
        each further one, to the first order.
    """
    n = len(residuals)
    energy = float(residuals @ residuals)
    if n < 3 or energy <= 0:
        return 0.0
    rho = float(residuals[1:] @ residuals[:-1]) / energy * n / (n - 1)
    shrunk = 1 - (1 + 2 * levels) / n
    if shrunk <= 0:
        return most if rho > 0 else 0.0
    return float(np.clip((rho + levels / n) / shrunk, 0, most))


def long_run_variance(residuals: Floats, *, levels: int = 1, most: float = 0.95) -> float:
    """n × variance of the mean of n such points, by an AR(1) plug-in: γ₀ (1 + ρ)/(1 − ρ).

    Args:
        residuals: (n,), in order of time; `levels` levels were taken out of them.
    Returns:
        NaN where n ≤ levels.
    Source:
        Andrews (1991), Econometrica 59, 817, eq. 6.4 (the AR(1) spectral density at zero).
    """
    n = len(residuals)
    if n <= levels:
        return float("nan")
    rho = lag_one(residuals, levels=levels, most=most)
    return float(residuals @ residuals) / (n - levels) * (1 + rho) / (1 - rho)
