"""A whole panel of weekly series scanned at once, as arrays: evidence for a shift, week by week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.baseline import (
    MAD_TO_SD,
    PHIS,
    Priors,
    clipped_scale,
    drift,
    forecast,
    harmonics,
    harmonics_for,
    take_out,
    whitener,
)
from primeta.stats.eprocess import CLIP, ScoreLaw, mixture_log_evidence, most_probable_start

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

_WARM_UP = 6
_BLOCK = 20_000
_REPLICAS = 20_000
_MANY = 20
"""Series of one metric from which on their median says what is shared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What a panel says; n series, T weeks, of which the last W belong to the promise year."""

    log_up: Floats
    """(n, W) running maximum of the log evidence for a shift up."""
    log_down: Floats
    p_up: Floats
    """(n, W) share of quiet series that ever show so much in the whole promise year."""
    p_down: Floats
    scores: Floats
    """(n, W) clipped standardised prediction errors."""
    phi: Floats
    """(n,) autocorrelation used."""
    innovation: Floats
    """(n,) sd of the innovations, in the series' unit."""
    expected: Floats
    """(n, T) level, season and shared factor as the baseline tells them, in the series' unit; empty unless asked."""
    spread: Floats
    """(n, T) sd of one week around `expected`, in the series' unit; empty unless asked."""
    law: ScoreLaw
    priors: Priors
    baseline: int
    promise: int

    def onset(self, row: int, *, up: bool, week: int) -> int:
        """The promise week in which the change most probably began, by what was known in `week`."""
        weights = drift(
            self.phi[row], self.priors.season, baseline=self.baseline, weeks=self.baseline + self.promise
        )
        return most_probable_start(self.scores[row, : week + 1] * (1 if up else -1), weights, law=self.law)

    def mean_se(self, row: int, weight: Floats) -> float:
        """Standard error of a weighted mean of (value − expected) over the promise weeks, in the series' unit."""
        law = forecast(
            self.phi[row], self.priors.season, baseline=self.baseline, weeks=self.baseline + self.promise
        )
        seen = weight.size
        return float(self.innovation[row] * np.sqrt(weight @ law.covariance[:seen, :seen] @ weight))


@dataclass(slots=True)
class _Prepared:
    """Series in units of their own innovations."""

    z: Floats
    factor: Floats
    centre: Floats
    unit: Floats
    seen: npt.NDArray[np.bool_]
    floor: Floats
    uneven: Floats
    """(n, T) how much noisier than usual a week is."""


def scan_panel(
    values: Floats,
    *,
    se: Floats | None = None,
    group: Ints | None = None,
    reference: Floats | None = None,
    alone: npt.NDArray[np.bool_] | None = None,
    baseline: int,
    promise: int = 52,
    expect: bool = False,
    seed: int = 20260101,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Evidence for a lasting shift in each of n series since week `baseline`.

    Args:
        values: (n, T) weekly values, T ≤ baseline + promise; NaN where unknown.
        se: (n, T) known standard errors, NaN where unknown.
        group: (n,) metric of each series; series of one metric share seasons and shocks.
        reference: (n, T) what a series is compared with (the rest of its parent), NaN rows for none.
        alone: (n,) True where a series is watched against its own history only (a root).
        expect: Also work out `expected` and `spread`, for drawing and for the size of a change.
    Raises:
        ValueError: shapes do not fit.
    """
    values = np.asarray(values, float)
    n, weeks = values.shape
    if not baseline < weeks <= baseline + promise:
        raise ValueError(
            f"{weeks} weeks do not fit a baseline of {baseline} and a promise of {promise} weeks"
        )
    groups = np.zeros(n, dtype=np.int64) if group is None else group
    lonely = np.zeros(n, bool) if alone is None else alone
    rng = np.random.default_rng(seed)
    prepared = _prepare(values, se, groups, reference, lonely, baseline)
    priors, phi_posterior = _learn(prepared, baseline)
    phi_index = np.clip(np.rint(phi_posterior @ PHIS / (PHIS[1] - PHIS[0])), 0, len(PHIS) - 1).astype(int)
    errors = _whiten(prepared, phi_index, priors, weeks)
    scores, scale = _standardise(errors, prepared, phi_index, baseline)
    law = ScoreLaw(scores[:, _WARM_UP:baseline][:: max(1, n // 4000)])
    log_up, log_down = _evidence(scores[:, baseline:], phi_index, priors, law, baseline, promise, progress)
    expected, spread = np.empty((0, 0)), np.empty((0, 0))
    if expect:
        expected, spread = _expectation(prepared, scale, phi_index, priors, baseline)
    quiet = _quiet_law(scores, phi_posterior, priors, law, baseline, promise, rng)
    return Scan(
        log_up=log_up,
        log_down=log_down,
        p_up=quiet(log_up),
        p_down=quiet(log_down),
        scores=scores[:, baseline:],
        phi=PHIS[phi_index],
        innovation=prepared.unit * scale,
        expected=expected,
        spread=spread,
        law=law,
        priors=priors,
        baseline=baseline,
        promise=promise,
    )


def _expectation(
    prepared: _Prepared, scale: Floats, phi_index: Ints, priors: Priors, baseline: int
) -> tuple[Floats, Floats]:
    """(n, T) expected values and (n, T) sd of a week around them, in the series' unit."""
    n, weeks = prepared.z.shape
    expected, spread = np.empty((n, weeks)), np.empty((n, weeks))
    for index in np.unique(phi_index):
        rows = np.flatnonzero(phi_index == index)
        law = forecast(PHIS[index], priors.season, baseline=baseline, weeks=weeks)
        inverse = whitener(PHIS[index], priors.season, baseline)
        z, factor = prepared.z[rows], prepared.factor[rows]
        white, shared = z[:, :baseline] @ inverse.T, factor[:, :baseline] @ inverse.T
        trust = 1 / priors.loading_sd**2
        loading = (priors.loading * trust + np.sum(shared * white, axis=1)) / (
            trust + np.sum(shared**2, axis=1)
        )
        common = loading[:, None] * factor
        own = (z - common)[:, :baseline] @ law.gain.T
        h = prepared.uneven[rows]
        unit = prepared.unit[rows, None]
        expected[rows] = prepared.centre[rows, None] + unit * h * (own + common)
        around = np.full(weeks, 1 / np.sqrt(1 - PHIS[index] ** 2))
        around[baseline:] = np.sqrt(np.diag(law.covariance))
        spread[rows] = unit * scale[rows, None] * h * around
    return expected, spread


def _rough(values: Floats, baseline: int) -> tuple[Floats, Floats]:
    centre = np.nanmedian(values[:, :baseline], axis=1)
    spread = np.nanmedian(np.abs(values[:, :baseline] - centre[:, None]), axis=1) * MAD_TO_SD
    return centre, spread


def _prepare(
    values: Floats,
    se: Floats | None,
    group: Ints,
    reference: Floats | None,
    alone: npt.NDArray[np.bool_],
    baseline: int,
) -> _Prepared:
    """Centre, take the unit from the innovations, and find what each series is compared with."""
    n, weeks = values.shape
    centre, spread = _rough(values, baseline)
    z = (values - centre[:, None]) / spread[:, None]
    seen = np.isfinite(z)
    factor = np.zeros((n, weeks))
    for one in np.unique(group):
        members = np.flatnonzero((group == one) & ~alone)
        if members.size >= _MANY:
            factor[members] = np.nanmedian(z[members], axis=0)
    if reference is not None:
        given = np.isfinite(reference).all(axis=1)
        middle = np.nanmedian(reference[given, :baseline], axis=1)
        # one per cent of the reference is worth one per cent of the series
        factor[given] = (reference[given] / middle[:, None] - 1) * (centre / spread)[given, None]
    factor -= np.median(factor[:, :baseline], axis=1)[:, None]
    z = np.where(seen, z, factor)
    early = z[:, :baseline] - factor[:, :baseline]
    count = harmonics_for(baseline)
    columns = np.vstack([np.ones(baseline), harmonics(baseline, count)]) if count else np.ones((1, baseline))
    rest = early - (early @ np.linalg.pinv(columns)) @ columns
    rest = np.clip(rest, -4, 4)
    lag = np.sum(rest[:, 1:] * rest[:, :-1], axis=1) / np.maximum(np.sum(rest * rest, axis=1), 1e-12)
    unit = clipped_scale(rest[:, 1:] - np.clip(lag, 0, 0.9)[:, None] * rest[:, :-1])
    floor, h = np.zeros(n), np.ones((n, weeks))
    if se is not None:
        known = np.isfinite(se[:, :baseline]).mean(axis=1) > 0.8
        usual = np.sqrt(np.nanmean(np.where(known[:, None], se[:, :baseline], 1.0) ** 2, axis=1))
        floor = np.where(known, usual / spread / unit, 0.0)
        h = _unevenness(se, usual, known, floor)
        z, factor = z / h, factor / h
    return _Prepared(
        z=z / unit[:, None],
        factor=factor / unit[:, None],
        centre=centre,
        unit=spread * unit,
        seen=seen,
        floor=floor,
        uneven=h,
    )


def _unevenness(se: Floats, usual: Floats, known: npt.NDArray[np.bool_], floor: Floats) -> Floats:
    """(n, T) how much noisier than usual a week is, where standard errors are known."""
    share = np.minimum(floor, 1.0) ** 2
    relative = np.where(np.isfinite(se), se, usual[:, None]) / usual[:, None]
    uneven = np.sqrt(1 + share[:, None] * (relative**2 - 1))
    return np.where(known[:, None], np.clip(uneven, 0.33, 3.0), 1.0)


def _learn(prepared: _Prepared, baseline: int) -> tuple[Priors, Floats]:
    """Priors from the panel's baselines, and each series' posterior over PHIS."""
    z, factor = prepared.z[:, :baseline], prepared.factor[:, :baseline]
    power = np.sum(factor * factor, axis=1)
    has = power > 1e-9
    loading, loading_sd = 1.0, 0.1
    if has.sum() >= _MANY:
        slope = np.clip(np.sum(factor * z, axis=1)[has] / power[has], -3, 5)
        noise = 2.0 / power[has]
        weight = 1 / (noise + 0.1)
        middle = float(np.sum(weight * slope) / np.sum(weight))
        spread = max(float(np.sum(weight * ((slope - middle) ** 2 - noise)) / np.sum(weight)), 0.05**2)
        trust = 1 / (1 + (np.mean(noise) + spread) / has.sum() / 0.3**2)
        loading, loading_sd = trust * middle + (1 - trust), float(np.sqrt(spread))
    count = harmonics_for(baseline)
    season: tuple[float, ...] = ()
    if count:
        rest = z - loading * factor
        waves = np.vstack([np.ones(baseline), harmonics(baseline, count)])
        coefficients = np.clip(rest @ np.linalg.pinv(waves), -4, 4)[:, 1:]
        left = rest - (rest @ np.linalg.pinv(waves)) @ waves
        left = np.clip(left, -4, 4)
        lag = np.clip(np.sum(left[:, 1:] * left[:, :-1], axis=1) / np.sum(left * left, axis=1) + 0.03, 0, 0.9)
        variances = []
        for order in range(1, count + 1):
            omega = 2 * np.pi * order * 7 / 365.2425
            noise = 2 / baseline / np.abs(1 - lag * np.exp(-1j * omega)) ** 2
            pair = coefficients[:, 2 * order - 2 : 2 * order] ** 2
            variances.append(max(float(np.mean(pair) - np.mean(noise)), 0.0))
        season = tuple(variances)
    priors = Priors(season=season, loading=loading, loading_sd=loading_sd, phi=(1 / len(PHIS),) * len(PHIS))
    return _learn_phi(prepared, baseline, priors)


def _learn_phi(prepared: _Prepared, baseline: int, priors: Priors) -> tuple[Priors, Floats]:
    """Posterior (n, F) over PHIS and, in the priors returned, its mean over the panel (fitted by EM)."""
    z, factor = prepared.z[:, :baseline], prepared.factor[:, :baseline]
    n = z.shape[0]
    fit = np.empty((n, len(PHIS)))
    for index, phi in enumerate(PHIS):
        inverse = whitener(phi, priors.season, baseline)
        errors = _errors(z, factor, inverse, priors)
        scale = clipped_scale(errors[:, _WARM_UP:], at=2.5, rounds=6)
        ratio = np.square(errors[:, _WARM_UP:] / scale[:, None])
        # Student errors with five degrees of freedom: outliers say little about autocorrelation
        fit[:, index] = (
            -3 * np.log1p(ratio / 5).sum(axis=1)
            - (baseline - _WARM_UP) * np.log(scale)
            + np.log(np.diag(inverse)[_WARM_UP:]).sum()
        )
    likelihood = np.exp(fit - fit.max(axis=1, keepdims=True))
    weights = np.full(len(PHIS), 1 / len(PHIS))
    for _ in range(30):
        posterior = likelihood * weights
        posterior /= posterior.sum(axis=1, keepdims=True)
        weights = (posterior.sum(axis=0) + 1) / (n + len(PHIS))
    return replace(priors, phi=tuple(weights)), posterior


def _errors(z: Floats, factor: Floats, inverse: Floats, priors: Priors) -> Floats:
    white = z @ inverse.T
    if not factor.any():
        return white
    return take_out(white, factor @ inverse.T, loading=priors.loading, loading_sd=priors.loading_sd)


def _whiten(prepared: _Prepared, phi_index: Ints, priors: Priors, weeks: int) -> Floats:
    errors = np.empty_like(prepared.z)
    for index in np.unique(phi_index):
        rows = np.flatnonzero(phi_index == index)
        inverse = whitener(PHIS[index], priors.season, weeks)
        for block in np.array_split(rows, max(1, rows.size // _BLOCK)):
            errors[block] = _errors(prepared.z[block], prepared.factor[block], inverse, priors)
    return errors


def _standardise(
    errors: Floats, prepared: _Prepared, phi_index: Ints, baseline: int
) -> tuple[Floats, Floats]:
    scale = clipped_scale(errors[:, _WARM_UP:baseline])
    phi = PHIS[phi_index]
    scale = np.maximum(scale, prepared.floor * np.sqrt(1 - phi**2))
    scores = np.clip(errors / scale[:, None], -CLIP, CLIP)
    return np.where(prepared.seen, scores, 0.0), scale


def _evidence(
    scores: Floats,
    phi_index: Ints,
    priors: Priors,
    law: ScoreLaw,
    baseline: int,
    promise: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Floats, Floats]:
    up = np.empty(scores.shape, dtype=np.float32)
    down = np.empty(scores.shape, dtype=np.float32)
    done = 0
    for index in np.unique(phi_index):
        rows = np.flatnonzero(phi_index == index)
        weights = drift(PHIS[index], priors.season, baseline=baseline, weeks=baseline + promise)
        for block in np.array_split(rows, max(1, rows.size // 4000)):
            one, two = mixture_log_evidence(scores[block], weights, law=law)
            up[block] = np.maximum.accumulate(one, axis=1)
            down[block] = np.maximum.accumulate(two, axis=1)
            done += block.size
            if progress:
                progress(done, scores.shape[0])
    return up, down


def _quiet_law(
    scores: Floats,
    phi_posterior: Floats,
    priors: Priors,
    law: ScoreLaw,
    baseline: int,
    promise: int,
    rng: np.random.Generator,
) -> Callable[[Floats], Floats]:
    """Share of quiet series whose evidence ever reaches a height, from replicas of the panel's own baselines."""
    n = scores.shape[0]
    weeks = baseline + promise
    warm = 30
    donors = rng.integers(n, size=_REPLICAS)
    length = 10
    starts = rng.integers(_WARM_UP, baseline - length, size=(_REPLICAS, (weeks + warm) // length + 1))
    picks = (starts[:, :, None] + np.arange(length)).reshape(_REPLICAS, -1)[:, : weeks + warm]
    noise = scores[donors[:, None], picks]
    cumulative = np.cumsum(phi_posterior[donors], axis=1)
    drawn = (rng.random((_REPLICAS, 1)) > cumulative).sum(axis=1).clip(0, len(PHIS) - 1)
    phi = np.clip(PHIS[drawn] + rng.uniform(-0.05, 0.05, _REPLICAS), 0, 0.95)
    for week in range(1, noise.shape[1]):
        noise[:, week] += phi * noise[:, week - 1]
    z = noise[:, warm:]
    if priors.season:
        waves = harmonics(weeks, len(priors.season))
        z = (
            z
            + (rng.standard_normal((_REPLICAS, waves.shape[0])) * np.sqrt(np.repeat(priors.season, 2)))
            @ waves
        )
    replica = _Prepared(
        z=z,
        factor=np.zeros_like(z),
        centre=np.zeros(_REPLICAS),
        unit=np.ones(_REPLICAS),
        seen=np.ones(z.shape, bool),
        floor=np.zeros(_REPLICAS),
        uneven=np.ones(z.shape),
    )
    _, posterior = _learn_phi(replica, baseline, priors)
    phi_index = np.clip(np.rint(posterior @ PHIS / (PHIS[1] - PHIS[0])), 0, len(PHIS) - 1).astype(int)
    errors = _whiten(replica, phi_index, priors, weeks)
    replica_scores, _ = _standardise(errors, replica, phi_index, baseline)
    up, down = _evidence(replica_scores[:, baseline:], phi_index, priors, law, baseline, promise, None)
    heights = np.sort(np.concatenate([up[:, -1], down[:, -1]]).astype(float))
    return _tail(heights)


def _tail(heights: Floats) -> Callable[[Floats], Floats]:
    """P(height ≥ x): counted, and beyond the last hundredth exponential with the slope seen there."""
    count = heights.size
    edge = heights[int(count * 0.99)]
    excess = float(np.mean(heights[heights >= edge] - edge))

    def p_value(x: Floats) -> Floats:
        counted = (count - np.searchsorted(heights, x, side="left") + 1) / (count + 1)
        return np.where(x > edge, 0.01 * np.exp(-(x - edge) / excess), counted)

    return p_value
