"""What a quiet series would do: level, season, a shared factor and its own noise, all with their uncertainty.

A series in units of its own innovations is z = level + loading·f + season + noise. Level, loading and season
are uncertain, so they are part of the null: they get Gaussian priors (the level's is flat, the others' are
learnt from the panel) and the weeks are whitened under the *marginal* law. With V = L Lᵀ the covariance of noise,
level and season together, L⁻¹z are one-step-ahead prediction errors, standardised, independent and of unit
variance: what is not known about the baseline has been paid for already (recursive residuals; Brown, Durbin &
Evans 1975; Harvey 1989, ch. 3). Which noise a series has is learnt too, with a prior over NOISES that is the
panel's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import norm

from primeta.stats.threads import each

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

WEEKS_A_YEAR = 365.2425 / 7
WARM_UP = 6
"""First weeks whose prediction errors only say that the level was not known yet."""
MAD_TO_SD = 1.4826
MANY = 8
"""Series from which on the panel may speak for one of them."""
_FLAT = 1000.0
_CLIP = 3.0
"""Innovations up to which level and season are learnt from."""
_BLOCK = 4000
_HORIZON = 26
_GAIN = 0.02
"""Log likelihood a series that a further family of noises must bring."""


@dataclass(frozen=True, slots=True)
class Noise:
    """AR(1) noise, white noise on top (sampling), and a level that walks; one-step innovations have variance 1.

    `white` is the white part's variance over the AR innovations', `walk` the sd of a week's step.
    """

    phi: float
    white: float = 0.0
    walk: float = 0.0

    @property
    def innovation_variance(self) -> float:
        """Of AR(1) with unit innovations plus `white`, one step ahead (its ARMA(1, 1) form)."""
        total = 1 + self.white * (1 + self.phi**2)
        return (total + np.sqrt(total**2 - 4 * (self.phi * self.white) ** 2)) / 2

    @property
    def long_run(self) -> float:
        """Long-run sd of the stationary part."""
        return float(np.sqrt((1 / (1 - self.phi) ** 2 + self.white) / self.innovation_variance))

    def covariance(self, weeks: int) -> Floats:
        """(weeks, weeks) of the stationary part."""
        lag = np.abs(np.subtract.outer(np.arange(weeks), np.arange(weeks)))
        whole = self.phi**lag / (1 - self.phi**2) + self.white * np.eye(weeks)
        return whole / self.innovation_variance

    def level(self, weeks: int) -> Floats:
        """(weeks, weeks) covariance of the level: unknown, and walking."""
        return _FLAT + self.walk**2 * np.minimum.outer(np.arange(weeks), np.arange(weeks))

    @property
    def reach(self) -> float:
        """sd of half a year's mean, times √weeks: how far the noise can carry a level."""
        whole = self.covariance(_HORIZON) + self.level(_HORIZON) - _FLAT
        return float(np.sqrt(whole.sum() / _HORIZON))


NOISES: tuple[Noise, ...] = tuple(
    sorted(
        [Noise(phi / 10) for phi in range(10)]
        + [Noise(phi, white=white) for phi in (0.5, 0.7, 0.9) for white in (1.0, 3.0)]
        + [Noise(phi, walk=walk) for phi in (0.0, 0.3, 0.6) for walk in (0.05, 0.15)],
        key=lambda noise: noise.reach,
    )
)
"""From the least persistent to the most."""
_LOG_REACH = np.log([noise.reach for noise in NOISES])
SEASONS = (0.0, 1.0, 3.0)
"""How much a series' own season may vary, as multiples of the panel's."""
_DESIGN_SEASONS = np.array([0.0, 0.1, 0.3, 0.6, 1.0, 1.7, 3.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What the panel says about a series before it is looked at; variances in innovations²."""

    season: tuple[float, ...]
    """Variance of a cosine's (and a sine's) coefficient, by harmonic of the year."""
    loading: float
    loading_sd: float
    noise: tuple[float, ...] = ()
    """Probability of each of NOISES; empty: to be learnt."""
    own_season: tuple[float, ...] = ()
    """Probability of each of SEASONS; empty: to be learnt."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """What each of n series' own baseline adds to the priors."""

    noise: Floats
    """(n, F) posterior over NOISES."""
    own_season: Floats
    """(n, S) posterior over SEASONS."""
    design: Ints
    """(n, 2) indices of the noise and of the season that the series is whitened with."""

    def design_of(self, row: int) -> tuple[Noise, float]:
        """Noise and multiple of the panel's season of one series."""
        i, j = self.design[row]
        return NOISES[i], float(_DESIGN_SEASONS[j])

    def designs(self) -> list[tuple[Noise, float, Ints]]:
        """(noise, multiple of the panel's season, rows), one for each that occurs."""
        kinds, where = np.unique(self.design, axis=0, return_inverse=True)
        where = where.ravel()
        order = np.argsort(where, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(where))[:-1])
        return [(NOISES[i], float(_DESIGN_SEASONS[j]), rows) for (i, j), rows in zip(kinds, parts)]


def scaled(season: tuple[float, ...], by: float) -> tuple[float, ...]:
    """A seasonal prior `by` times as wide; empty where there is none."""
    return tuple(by * variance for variance in season) if by > 0 else ()


def harmonics_for(weeks: int) -> int:
    """Harmonics of the year that so many weeks can tell from chance: none below 60 weeks, at most 3."""
    return 0 if weeks < 60 else 1 if weeks < 78 else 2 if weeks < 92 else 3


def harmonics(weeks: int, count: int) -> Floats:
    """(2·count, weeks): cosine and sine of each harmonic of the year."""
    angle = 2 * np.pi * np.arange(weeks) / WEEKS_A_YEAR
    rows = [wave(order * angle) for order in range(1, count + 1) for wave in (np.cos, np.sin)]
    return np.array(rows).reshape(2 * count, weeks)


def _smooth(noise: Noise, season: tuple[float, ...], weeks: int) -> Floats:
    """(weeks, weeks) covariance of level and season."""
    result = noise.level(weeks)
    if season:
        waves = harmonics(weeks, len(season))
        result = result + (waves.T * np.repeat(season, 2)) @ waves
    return result


@lru_cache(maxsize=512)
def whitener(noise: Noise, season: tuple[float, ...], weeks: int) -> Floats:
    """(weeks, weeks) L⁻¹ of noise, level and season together."""
    lower = cholesky(noise.covariance(weeks) + _smooth(noise, season, weeks), lower=True)
    return solve_triangular(lower, np.eye(weeks), lower=True)


@lru_cache(maxsize=512)
def noise_filter(noise: Noise, weeks: int) -> Floats:
    """(weeks, weeks) from the stationary noise to its innovations."""
    return solve_triangular(cholesky(noise.covariance(weeks), lower=True), np.eye(weeks), lower=True)


@lru_cache(maxsize=512)
def _learner(noise: Noise, season: tuple[float, ...], weeks: int) -> Floats:
    """(weeks, weeks) from innovations to prediction errors: L⁻¹ = learner @ filter."""
    return whitener(noise, season, weeks) @ cholesky(noise.covariance(weeks), lower=True)


@lru_cache(maxsize=512)
def drift(noise: Noise, season: tuple[float, ...], *, baseline: int, weeks: int) -> Floats:
    """(promise, promise) mean of whitened week t after a step of one long-run sd at week τ, at [τ, t].

    A step is worth less with every week, because the level learns from it; that is what the uncertain baseline
    costs.
    """
    steps = np.triu(np.ones((weeks, weeks)))[baseline:] * noise.long_run
    return (steps @ whitener(noise, season, weeks).T)[:, baseline:]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """What a baseline says about level and season, for series in innovations."""

    gain: Floats
    """(weeks, baseline): level and season in every week are gain @ baseline."""
    covariance: Floats
    """(promise, promise) of the weeks after the baseline around that."""


@lru_cache(maxsize=512)
def forecast(noise: Noise, season: tuple[float, ...], *, baseline: int, weeks: int) -> Forecast:
    """Gaussian prediction of the promise weeks from the baseline, level and season uncertain."""
    own, smooth = noise.covariance(weeks), _smooth(noise, season, weeks)
    early = slice(0, baseline)
    gain = smooth[:, early] @ np.linalg.inv(own[early, early] + smooth[early, early])
    left = (smooth - gain @ smooth[early, :])[baseline:, baseline:]
    return Forecast(gain=gain, covariance=own[baseline:, baseline:] + (left + left.T) / 2)


def prediction_errors(z: Floats, *, noise: Noise, season: tuple[float, ...]) -> Floats:
    """(n, T) one-step-ahead prediction errors of series in innovations, learning little from outliers.

    L⁻¹z where nothing is an outlier. Else: the innovations that level and season are learnt from are clipped,
    and what was clipped counts in its own week only.
    """
    weeks = z.shape[1]
    rough = z @ noise_filter(noise, weeks).T.astype(z.dtype)
    learn = _learner(noise, season, weeks).astype(z.dtype)
    mild = np.clip(rough, -_CLIP, _CLIP)
    return mild @ learn.T + np.diag(learn) * (rough - mild)


def without_outliers(z: Floats, *, noise: Noise) -> Floats:
    """(n, T) the series that the clipped innovations of `prediction_errors` would have made."""
    weeks = z.shape[1]
    rough = z @ noise_filter(noise, weeks).T
    return np.clip(rough, -_CLIP, _CLIP) @ cholesky(noise.covariance(weeks), lower=True).T


def take_out(errors: Floats, factor: Floats, *, loading_sd: float) -> Floats:
    """Whitened series (n, T) less what a whitened factor (n, T) still explains, learnt week by week.

    The same as whitening under V + loading_sd² f fᵀ: a week in which the factor jumps counts little until the
    series' own loading is known.
    """
    squares = factor * factor
    known = np.cumsum(squares, axis=1) - squares + 1 / loading_sd**2
    heard = np.cumsum(factor * errors, axis=1) - factor * errors
    return (errors - heard / known * factor) / np.sqrt(1 + squares / known)


def errors_of(
    z: Floats, factor: Floats, *, noise: Noise, season: tuple[float, ...], priors: Priors
) -> Floats:
    """(n, T) prediction errors of series with a shared factor (n, T), in innovations."""
    errors = prediction_errors(z - z.dtype.type(priors.loading) * factor, noise=noise, season=season)
    if not factor.any():
        return errors
    shared = factor @ whitener(noise, season, z.shape[1]).T.astype(z.dtype)
    return take_out(errors, shared, loading_sd=priors.loading_sd)


def clipped_scale(errors: Floats, *, at: float = 2.0, rounds: int = 8) -> Floats:
    """Scale (n,) of errors (n, T) from clipped squares; the sd for normal errors, hardly moved by outliers.

    Huber's proposal 2 with known location: mean(min(e²/s², at²)) = its expectation under the normal.
    """
    wanted = 2 * (norm.cdf(at) - 0.5 - at * norm.pdf(at)) + 2 * at**2 * norm.sf(at)
    squares = errors * errors
    variance = squares.mean(axis=1) + 1e-12
    for _ in range(rounds):
        variance = np.minimum(squares, (at * at) * variance[:, None]).mean(axis=1) / wanted + 1e-12
    return np.sqrt(variance)


def learn_priors(z: Floats, factor: Floats) -> Priors:
    """Loadings on the shared factor and own seasons over the panel, by moments, from (n, B) baselines."""
    baseline = z.shape[1]
    power = np.sum(factor * factor, axis=1)
    has = power > 1e-9
    loading, loading_sd = 1.0, 0.15
    if has.sum() >= MANY:
        slope = np.clip(np.sum(factor * z, axis=1)[has] / power[has], -3, 5)
        noise = 2.0 / power[has]
        weight = 1 / (noise + 0.1)
        middle = float(np.sum(weight * slope) / np.sum(weight))
        spread = float(np.sum(weight * ((slope - middle) ** 2 - noise)) / np.sum(weight))
        spread = max(spread, 0.1**2)
        # the less the factor moved so far, the more it is taken as shared alike
        trust = 1 / (1 + (float(np.mean(noise)) + spread) / has.sum() / 0.3**2)
        loading, loading_sd = trust * middle + (1 - trust), float(np.sqrt(spread))
    count = harmonics_for(baseline)
    variances: list[float] = []
    if count:
        rest = z - loading * factor
        columns = np.vstack([np.ones(baseline), harmonics(baseline, count)])
        coefficients = np.clip(rest @ np.linalg.pinv(columns), -4, 4)
        left = np.clip(rest - coefficients @ columns, -4, 4)
        lag = np.sum(left[:, 1:] * left[:, :-1], axis=1) / np.maximum(np.sum(left * left, axis=1), 1e-12)
        lag = np.clip(lag + 0.03, 0, 0.9)
        for order in range(1, count + 1):
            turn = np.exp(-2j * np.pi * order / WEEKS_A_YEAR)
            noise = 2 / baseline / np.abs(1 - lag * turn) ** 2
            pair = coefficients[:, 2 * order - 1 : 2 * order + 1] ** 2
            variances.append(max(float(np.mean(pair) - np.mean(noise)), 0.0))
    return Priors(season=tuple(variances), loading=loading, loading_sd=loading_sd)


def fit_baselines(z: Floats, factor: Floats, *, priors: Priors) -> tuple[Priors, Fit]:
    """Noise and own season of each series, from (n, B) baselines and priors learnt from all of them.

    The probabilities over NOISES and SEASONS are the panel's own (nonparametric maximum likelihood by EM;
    Kiefer & Wolfowitz 1956), unless `priors` has them already. A series is whitened with the plausible noise
    whose reach is nearest to the posterior mean, and with the posterior mean of its seasonal variance.
    """
    n = z.shape[0]
    some = slice(None, None, max(1, n // _BLOCK))
    wanted = (
        np.array(priors.noise) > 0 if priors.noise else _families(_noise_fit(z[some], factor[some], priors))
    )
    fit = _noise_fit(z, factor, priors, only=wanted)
    noise_weights, posterior = _mixing(fit, priors.noise)
    far = np.abs(_LOG_REACH - (posterior @ _LOG_REACH)[:, None])
    index = np.where(posterior >= 0.1 * posterior.max(axis=1, keepdims=True), far, np.inf).argmin(axis=1)
    own = np.zeros((n, len(SEASONS)))
    own_weights: tuple[float, ...] = priors.own_season
    season_index = np.zeros(n, dtype=np.int64)
    if any(priors.season):

        def one(noise: int, place: int) -> None:
            rows = np.flatnonzero(index == noise)
            season = scaled(priors.season, SEASONS[place])
            own[rows, place] = _log_likelihood(z[rows], factor[rows], NOISES[noise], season, priors)

        each([(int(noise), place) for noise in np.unique(index) for place in range(len(SEASONS))], one)
        own_weights, own = _mixing(own, priors.own_season)
        season_index = np.abs((own @ np.array(SEASONS))[:, None] - _DESIGN_SEASONS).argmin(axis=1)
    else:
        own[:, 0] = 1.0
    learnt = replace(priors, noise=noise_weights, own_season=own_weights)
    return learnt, Fit(noise=posterior, own_season=own, design=np.stack([index, season_index], axis=1))


def _log_likelihood(
    z: Floats, factor: Floats, noise: Noise, season: tuple[float, ...], priors: Priors
) -> Floats:
    """(n,) of the prediction errors at their own scale; Student's, so that outliers say little."""
    errors = errors_of(z, factor, noise=noise, season=season, priors=priors)[:, WARM_UP:]
    scale = clipped_scale(errors, at=2.5, rounds=4)
    ratio = np.square(errors / scale[:, None])
    growth = np.log(np.diag(whitener(noise, season, z.shape[1]))[WARM_UP:]).sum()
    return -3 * np.log1p(ratio / 5).sum(axis=1) - errors.shape[1] * np.log(scale) + growth


def _noise_fit(
    z: Floats, factor: Floats, priors: Priors, *, only: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """(n, F) log likelihood of each series under each of NOISES, −inf for those left out."""
    fit = np.full((z.shape[0], len(NOISES)), -np.inf)

    def one(begin: int, place: int) -> None:
        rows = slice(begin, begin + _BLOCK)
        fit[rows, place] = _log_likelihood(z[rows], factor[rows], NOISES[place], priors.season, priors)

    wanted = [place for place in range(len(NOISES)) if only is None or only[place]]
    each([(begin, place) for begin in range(0, z.shape[0], _BLOCK) for place in wanted], one)
    return fit


def _families(log_likelihood: Floats) -> npt.NDArray[np.bool_]:
    """(F,) which of NOISES a panel needs: white noise and walking levels only where it clearly has them.

    They can imitate plain autocorrelation, and a few series thought to walk would cost all of them power.
    """
    n = log_likelihood.shape[0]
    white = np.array([noise.white > 0 for noise in NOISES])
    walk = np.array([noise.walk > 0 for noise in NOISES])
    top = log_likelihood.max(axis=1)
    best, chosen = -np.inf, np.ones(len(NOISES), bool)
    for with_white in (False, True):
        for with_walk in (False, True):
            allowed = (~white | with_white) & (~walk | with_walk)
            weights, _ = _mixing(log_likelihood[:, allowed], ())
            likelihood = np.exp(log_likelihood[:, allowed] - top[:, None])
            score = float(np.sum(np.log(likelihood @ weights))) - (with_white + with_walk) * (3 + _GAIN * n)
            if score > best:
                best, chosen = score, allowed
    return chosen


def _mixing(log_likelihood: Floats, given: tuple[float, ...]) -> tuple[tuple[float, ...], Floats]:
    """Mixing weights (fitted unless given) and each row's posterior."""
    n = log_likelihood.shape[0]
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    possible = np.isfinite(log_likelihood).any(axis=0)
    even = possible / possible.sum()
    weights = np.array(given) if given else even
    for _ in range(0 if given else 30):
        total = likelihood @ weights
        weights = (weights * (likelihood / total[:, None]).sum(axis=0) + even) / (n + 1)
    posterior = likelihood * weights
    return tuple(float(one) for one in weights), posterior / posterior.sum(axis=1, keepdims=True)
