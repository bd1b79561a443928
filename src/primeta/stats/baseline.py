"""What a quiet series would do: level, season, a shared factor, autocorrelation, all with their uncertainty.

A series in units of its own innovations is z = level + loading·f + season + AR(1) noise. Level, loading and
season are uncertain, so they are part of the null: they get Gaussian priors (the level's is flat, the others'
are estimated over the panel) and the weeks are whitened under the *marginal* law. With V = L Lᵀ the covariance
of noise, level and season together, L⁻¹z are one-step-ahead prediction errors, standardised, independent and of
unit variance: what is not known about the baseline has been paid for already (recursive residuals; Brown,
Durbin & Evans 1975; Harvey 1989, ch. 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import norm

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

WEEKS_A_YEAR = 365.2425 / 7
PHIS = np.arange(0.0, 0.91, 0.1)
"""Autocorrelations that a series may have; a negative one is taken as none, which is cautious."""
_FLAT = 1000.0
WARM_UP = 6
"""First weeks whose prediction errors only say that the level was not known yet."""
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What the panel says about a series before it is looked at; variances in innovations²."""

    season: tuple[float, ...]
    """Variance of a cosine's (and a sine's) coefficient, by harmonic of the year."""
    loading: float
    loading_sd: float
    phi: tuple[float, ...]
    """Probability of each of PHIS."""


def harmonics_for(weeks: int) -> int:
    """Harmonics of the year that so many weeks can tell from chance: none below 60 weeks, at most 3."""
    return 0 if weeks < 60 else 1 if weeks < 78 else 2 if weeks < 92 else 3


def harmonics(weeks: int, count: int) -> Floats:
    """(2·count, weeks): cosine and sine of each harmonic of the year."""
    angle = 2 * np.pi * np.arange(weeks) / WEEKS_A_YEAR
    rows = [wave(order * angle) for order in range(1, count + 1) for wave in (np.cos, np.sin)]
    return np.array(rows).reshape(2 * count, weeks)


@lru_cache(maxsize=128)
def whitener(phi: float, season: tuple[float, ...], weeks: int) -> Floats:
    """(weeks, weeks) L⁻¹ for AR(1) noise with unit innovations, a flat level and a seasonal prior."""
    lag = np.abs(np.subtract.outer(np.arange(weeks), np.arange(weeks)))
    covariance = phi**lag / (1 - phi**2) + _FLAT
    if season:
        waves = harmonics(weeks, len(season))
        covariance += (waves.T * np.repeat(season, 2)) @ waves
    lower = cholesky(covariance, lower=True)
    return solve_triangular(lower, np.eye(weeks), lower=True)


@lru_cache(maxsize=128)
def drift(phi: float, season: tuple[float, ...], *, baseline: int, weeks: int) -> Floats:
    """(promise, promise) mean of whitened week t after a step of one long-run sd at week τ, at [τ, t].

    The long-run sd of AR(1) noise is 1/(1 − phi) innovations. A step is worth less with every week, because
    the level learns from it; that is what the uncertain baseline costs.
    """
    steps = np.triu(np.ones((weeks, weeks)))[baseline:] / (1 - phi)
    return (steps @ whitener(phi, season, weeks).T)[:, baseline:]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """What a baseline says about level and season, for series in innovations."""

    gain: Floats
    """(weeks, baseline): level and season in every week are gain @ baseline."""
    covariance: Floats
    """(promise, promise) of the weeks after the baseline around that."""


@lru_cache(maxsize=128)
def forecast(phi: float, season: tuple[float, ...], *, baseline: int, weeks: int) -> Forecast:
    """Gaussian prediction of the promise weeks from the baseline, level and season uncertain."""
    lag = np.abs(np.subtract.outer(np.arange(weeks), np.arange(weeks)))
    noise = phi**lag / (1 - phi**2)
    smooth = np.full((weeks, weeks), _FLAT)
    if season:
        waves = harmonics(weeks, len(season))
        smooth += (waves.T * np.repeat(season, 2)) @ waves
    early = slice(0, baseline)
    inverse = np.linalg.inv(noise[early, early] + smooth[early, early])
    gain = smooth[:, early] @ inverse
    left = (smooth - gain @ smooth[early, :])[baseline:, baseline:]
    return Forecast(gain=gain, covariance=noise[baseline:, baseline:] + (left + left.T) / 2)


def take_out(z: Floats, factor: Floats, *, loading: float, loading_sd: float) -> Floats:
    """Whitened series (n, T) less their loading on a whitened factor (n or 1, T), learnt week by week.

    The same as whitening under V + loading_sd² f fᵀ: a week in which the factor jumps counts little until the
    series' own loading is known.
    """
    if loading_sd == 0:
        return z - loading * factor
    known = np.cumsum(factor * factor, axis=1) - factor * factor + 1 / loading_sd**2
    heard = np.cumsum(factor * z, axis=1) - factor * z + loading / loading_sd**2
    return (z - heard / known * factor) / np.sqrt(1 + factor * factor / known)


def clipped_scale(errors: Floats, *, at: float = 2.0, rounds: int = 12) -> Floats:
    """Scale (n,) of errors (n, T) from clipped squares; the sd for normal errors, hardly moved by outliers.

    Huber's proposal 2 with known location: mean(min(e²/s², at²)) = its expectation under the normal.
    """
    wanted = 2 * (norm.cdf(at) - 0.5 - at * norm.pdf(at)) + 2 * at**2 * norm.sf(at)
    squares = errors * errors
    variance = np.median(squares, axis=1) * MAD_TO_SD**2 + 1e-12
    for _ in range(rounds):
        variance = np.minimum(squares, (at * at) * variance[:, None]).mean(axis=1) / wanted + 1e-12
    return np.sqrt(variance)
