"""A whole panel of weekly series scanned at once, as arrays: evidence for a shift, week by week.

Evidence is a mixture e-process on one-step-ahead prediction errors (`stats.eprocess`, `stats.baseline`). Were a
series' noise known, 1/(running maximum) would be a p-value for the whole year by Ville's inequality. It is
estimated from a hundred weeks, and plugging it in breaks the level. So the maximum is read against replicas of
the panel's own quiet baselines, which go through the same estimation (`_quiet_law`): p is the share of quiet
series of the same kind that ever show so much within the promise year, made larger by _CAUTION, and larger again
where the whole panel wanders (`Quiet.inflation`). For as long as the year lasts p only falls, so a list drawn from
1/p only grows. e-BH on 1/p is Benjamini–Hochberg on p: its false share is held for independent and for positively
dependent series, which is why what siblings share is taken out first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.baseline import (
    MAD_TO_SD,
    NOISES,
    SEASONS,
    WARM_UP,
    Fit,
    Noise,
    Priors,
    clipped_scale,
    drift,
    errors_of,
    fit_baselines,
    forecast,
    harmonics,
    harmonics_for,
    learn_priors,
    scaled,
    whitener,
    without_outliers,
)
from primeta.stats.eprocess import CLIP, ScoreLaw, mixture_log_evidence, probable_start
from primeta.stats.threads import each

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

_BLOCK = 4_000
_REPLICAS = (8_000, 40_000)
"""Fewest and most replicas of quiet series; four a series in between."""
_CAUTION = 1.5
"""The law of quiet series is estimated: p-values are made so much larger."""
_LEAST = 1e-12
"""No smaller p-value is claimed: the tail's form is not known that far out."""
_PANEL = 20
"""Series from which on the panel's middle says whether all of it wanders."""
SIBLINGS = 5
"""Series of one group from which on their median says what is shared."""
_RUN = 10
"""Weeks that a replica takes from its donor in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What a panel says: n series, T weeks, W of them in the promise year, F after the baseline in all."""

    log_up: Floats
    """(n, W) running maximum of the log evidence for a shift up."""
    log_down: Floats
    p_up: Floats
    """(n, W) share of quiet series that ever show so much in the whole promise year."""
    p_down: Floats
    scores: Floats
    """(n, F) clipped standardised prediction errors."""
    fit: Fit
    innovation: Floats
    """(n,) sd of the innovations, in the series' unit."""
    expected: Floats
    """(n, T) level, season and shared factor as the baseline tells them, in the series' unit; empty unless asked."""
    spread: Floats
    """(n, T) sd of one week around `expected`, in the series' unit; empty unless asked."""
    law: ScoreLaw
    inflation: Floats
    """(W,) by which evidence was tempered, because the whole panel wanders more than its baselines told."""
    priors: Priors
    baseline: int
    promise: int
    follow: int

    def design(self, row: int) -> tuple[Noise, tuple[float, ...]]:
        """Noise and seasonal prior that a series was whitened with."""
        noise, by = self.fit.design_of(row)
        return noise, scaled(self.priors.season, by)

    def onset(self, row: int, *, up: bool, week: int) -> int:
        """The promise week in which the change began, most likely, by what was known in `week`."""
        weights = drift(*self.design(row), baseline=self.baseline, weeks=self.baseline + self.promise)
        return probable_start(self.scores[row, : week + 1] * (1 if up else -1), weights)

    def mean_se(self, row: int, weight: Floats) -> float:
        """Standard error of a weighted mean of (value − expected) over the promise weeks, in the series' unit."""
        weeks = self.baseline + self.promise + self.follow
        law = forecast(*self.design(row), baseline=self.baseline, weeks=weeks)
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
    follow: int = 0,
    expect: bool = False,
    seed: int = 20260101,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Evidence for a lasting shift in each of n series since week `baseline`.

    Args:
        values: (n, T) weekly values, T ≤ baseline + promise + follow; NaN where unknown.
        se: (n, T) known standard errors, NaN where unknown.
        group: (n,) which series are siblings: they share seasons and shocks, so five or more are compared with
            their median.
        reference: (n, T) what a series with few siblings is compared with (the rest of its parent); NaN rows
            for none.
        alone: (n,) True where a series is watched against its own history only (a root).
        follow: Weeks after the promise year: expected and scored, but no evidence for new changes.
        expect: Also work out `expected` and `spread`, for drawing and for the size of a change.
    Raises:
        ValueError: shapes do not fit.
    """
    values = np.asarray(values, float)
    n, weeks = values.shape
    if not baseline < weeks <= baseline + promise + follow:
        raise ValueError(
            f"{weeks} weeks do not fit a baseline of {baseline}, a promise of {promise} and {follow} weeks more"
        )
    groups = np.zeros(n, dtype=np.int64) if group is None else group
    lonely = np.zeros(n, bool) if alone is None else alone
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        # A week in which none of the siblings is known has no median: NaN is what is meant.
        warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
        prepared = _prepare(values, se, groups, reference, lonely, baseline)
    early = slice(0, baseline)
    z, factor = prepared.z[:, early], prepared.factor[:, early]
    priors, fit = fit_baselines(z, factor, priors=learn_priors(z, factor))
    errors, scale = _standardise(_whiten(prepared, fit, priors), prepared, fit, baseline)
    scores = np.clip(errors, -CLIP, CLIP)
    law = ScoreLaw(scores[:, WARM_UP:baseline][:: max(1, n // 4000)])
    inside = scores[:, baseline : baseline + promise]
    log_up, log_down = _evidence(inside, fit, priors, law, baseline, promise, progress)
    expected, spread = np.empty((0, 0)), np.empty((0, 0))
    if expect:
        expected, spread = _expectation(prepared, scale, fit, priors, baseline)
    quiet = _quiet_law(errors[:, early], fit, priors, law, baseline, promise, rng)
    tempering = quiet.inflation(np.stack([log_up, log_down], axis=1))
    p_up, p_down = (
        np.minimum.accumulate(
            np.minimum(_CAUTION * quiet.p_value(height, fit.design[:, 0]) ** (1 / tempering), 1), axis=1
        )
        for height in (log_up, log_down)
    )
    return Scan(
        log_up=log_up,
        log_down=log_down,
        p_up=p_up,
        p_down=p_down,
        scores=scores[:, baseline:],
        fit=fit,
        innovation=prepared.unit * scale,
        expected=expected,
        spread=spread,
        law=law,
        inflation=tempering,
        priors=priors,
        baseline=baseline,
        promise=promise,
        follow=follow,
    )


def _expectation(
    prepared: _Prepared, scale: Floats, fit: Fit, priors: Priors, baseline: int
) -> tuple[Floats, Floats]:
    """(n, T) expected values and (n, T) sd of a week around them, in the series' unit."""
    n, weeks = prepared.z.shape
    expected, spread = np.empty((n, weeks)), np.empty((n, weeks))
    for noise, by, rows in fit.designs():
        season = scaled(priors.season, by)
        law = forecast(noise, season, baseline=baseline, weeks=weeks)
        inverse = whitener(noise, season, baseline)
        z, factor = prepared.z[rows], prepared.factor[rows]
        white, shared = z[:, :baseline] @ inverse.T, factor[:, :baseline] @ inverse.T
        trust = 1 / priors.loading_sd**2
        loading = (priors.loading * trust + np.sum(shared * white, axis=1)) / (
            trust + np.sum(shared**2, axis=1)
        )
        common = loading[:, None] * factor
        own = without_outliers(z - common, noise=noise)[:, :baseline] @ law.gain.T
        h = prepared.uneven[rows]
        unit = prepared.unit[rows, None]
        expected[rows] = prepared.centre[rows, None] + unit * h * (own + common)
        around = np.full(weeks, np.sqrt(noise.covariance(1)[0, 0]))
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
        if members.size >= SIBLINGS:
            factor[members] = _shared(z[members], (centre / spread)[members], baseline)
    if reference is not None:
        given = np.isfinite(reference[:, :baseline]).mean(axis=1) > 0.8
        middle = np.nanmedian(reference[given, :baseline], axis=1)
        # where the rest is nothing there is nothing to compare with
        given[np.flatnonzero(given)[middle == 0]] = False
        middle = middle[middle != 0]
        # one per cent of the reference is worth one per cent of the series
        relative = np.nan_to_num(reference[given] / middle[:, None] - 1)
        factor[given] = relative * (centre / spread)[given, None]
    # A week that none of the siblings knows tells nothing about what they share: as if nothing was shared.
    factor = np.nan_to_num(factor - np.nanmedian(factor[:, :baseline], axis=1)[:, None])
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
        z=(z / unit[:, None]).astype(np.float32),
        factor=(factor / unit[:, None]).astype(np.float32),
        centre=centre,
        unit=spread * unit,
        seen=seen,
        floor=floor,
        uneven=h,
    )


def _shared(z: Floats, height: Floats, baseline: int) -> Floats:
    """(m, T) what m siblings have in common, in each one's own sd.

    A shock moves all by as many per cent, or all by as many of their own sd: whichever the baseline says, per
    cent where it does not tell. `height` (m,) is each one's level in its own sd.
    """
    alike = np.broadcast_to(np.nanmedian(z, axis=0), z.shape)
    if not (height > 3).all():
        return alike
    relative = z / height[:, None]
    middle = np.nanmedian(relative, axis=0) if len(z) > 200 else _weighted_median(relative, height)
    percent = middle * height[:, None]
    left = [np.nanmean(np.minimum(np.square(z - one)[:, :baseline], 9)) for one in (percent, alike)]
    return percent if left[0] <= 1.01 * left[1] else alike


def _weighted_median(values: Floats, weight: Floats) -> Floats:
    """(T,) median over rows (m, T), each row counting by its weight; NaN counts nothing."""
    order = np.argsort(values, axis=0)
    ranked = np.take_along_axis(values, order, axis=0)
    mass = np.where(np.isfinite(ranked), weight[order], 0.0).cumsum(axis=0)
    at = (mass >= mass[-1] / 2).argmax(axis=0)
    return np.nan_to_num(ranked[at, np.arange(values.shape[1])])


def _unevenness(se: Floats, usual: Floats, known: npt.NDArray[np.bool_], floor: Floats) -> Floats:
    """(n, T) how much noisier than usual a week is, where standard errors are known."""
    share = np.minimum(floor, 1.0) ** 2
    relative = np.where(np.isfinite(se), se, usual[:, None]) / usual[:, None]
    uneven = np.sqrt(1 + share[:, None] * (relative**2 - 1))
    return np.where(known[:, None], np.clip(uneven, 0.33, 3.0), 1.0)


def _whiten(prepared: _Prepared, fit: Fit, priors: Priors) -> Floats:
    errors = np.empty_like(prepared.z)

    def one(noise: Noise, season: tuple[float, ...], block: Ints) -> None:
        errors[block] = errors_of(
            prepared.z[block], prepared.factor[block], noise=noise, season=season, priors=priors
        )

    each(
        [
            (noise, scaled(priors.season, by), block)
            for noise, by, rows in fit.designs()
            for block in np.array_split(rows, max(1, rows.size // _BLOCK))
        ],
        one,
    )
    return errors


def _standardise(errors: Floats, prepared: _Prepared, fit: Fit, baseline: int) -> tuple[Floats, Floats]:
    """Errors in their own scale, 0 where the week is unknown, and that scale."""
    scale = clipped_scale(errors[:, WARM_UP:baseline])
    spread = np.sqrt([noise.covariance(1)[0, 0] for noise in NOISES])[fit.design[:, 0]]
    # a series cannot be quieter than the sampling of its customers allows
    scale = np.maximum(scale, prepared.floor / spread)
    return np.where(prepared.seen, errors / scale[:, None], 0.0), scale


def _evidence(
    scores: Floats,
    fit: Fit,
    priors: Priors,
    law: ScoreLaw,
    baseline: int,
    promise: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Floats, Floats]:
    up = np.empty(scores.shape, dtype=np.float32)
    down = np.empty(scores.shape, dtype=np.float32)
    done = 0

    def one(weights: Floats, block: Ints) -> None:
        nonlocal done
        first, second = mixture_log_evidence(scores[block], weights, law=law)
        up[block] = np.maximum.accumulate(first, axis=1)
        down[block] = np.maximum.accumulate(second, axis=1)
        done += block.size
        if progress:
            progress(done, scores.shape[0])

    pieces = []
    for noise, by, rows in fit.designs():
        weights = drift(noise, scaled(priors.season, by), baseline=baseline, weeks=baseline + promise)
        pieces += [(weights, block) for block in np.array_split(rows, max(1, rows.size // 4000))]
    each(pieces, one)
    return up, down


def _quiet_law(
    errors: Floats,
    fit: Fit,
    priors: Priors,
    law: ScoreLaw,
    baseline: int,
    promise: int,
    rng: np.random.Generator,
) -> Quiet:
    """Share of quiet series whose evidence ever reaches a height, from replicas of the panel's own baselines.

    A replica takes the prediction errors of one series' baseline in blocks of weeks (so that tails, calm and
    rough times stay together), its autocorrelation and season from what that series' posterior leaves open, and
    goes through the same estimation as the panel did. What estimation costs is thereby in the law.
    """
    weeks, warm = baseline + promise, 30
    count = int(np.clip(4 * errors.shape[0], *_REPLICAS))
    donors = rng.integers(errors.shape[0], size=count)
    state = _draw(fit.noise[donors], rng)
    phi, white, walk = np.array([(noise.phi, noise.white, noise.walk) for noise in NOISES])[state].T
    # the grid of NOISES is coarse: a replica lies anywhere around its point
    phi = np.clip(phi + rng.uniform(-0.05, 0.05, count), 0, 0.95)
    size = 1 / np.sqrt([noise.innovation_variance for noise in NOISES])[state]
    z = _borrow(errors, donors, weeks + warm, rng)
    for week in range(1, weeks + warm):
        z[:, week] += phi * z[:, week - 1]
    z = z[:, warm:] * size[:, None]
    rows = np.flatnonzero(white > 0)
    z[rows] += _borrow(errors, donors[rows], weeks, rng) * (size * np.sqrt(white))[rows, None]
    rows = np.flatnonzero(walk > 0)
    z[rows] += walk[rows, None] * np.cumsum(rng.standard_normal((rows.size, weeks)), axis=1)
    if any(priors.season):
        waves = harmonics(weeks, len(priors.season))
        sd = np.sqrt(np.array(SEASONS)[_draw(fit.own_season[donors], rng)])[:, None]
        z += (rng.standard_normal((count, len(waves))) * np.sqrt(np.repeat(priors.season, 2)) * sd) @ waves
    z = z.astype(np.float32)
    replica = _Prepared(
        z=z,
        factor=np.zeros_like(z),
        centre=np.zeros(count),
        unit=np.ones(count),
        seen=np.ones(z.shape, bool),
        floor=np.zeros(count),
        uneven=np.ones((count, 1)),
    )
    _, again = fit_baselines(z[:, :baseline], replica.factor[:, :baseline], priors=priors)
    scores, _ = _standardise(_whiten(replica, again, priors), replica, again, baseline)
    scores = np.clip(scores, -CLIP, CLIP)
    up, down = _evidence(scores[:, baseline:], again, priors, law, baseline, promise, None)
    return Quiet(heights=np.stack([up, down], axis=1), kind=again.design[:, 0])


def _borrow(errors: Floats, donors: Ints, weeks: int, rng: np.random.Generator) -> Floats:
    """(len(donors), weeks) prediction errors of the donors' baselines, taken in runs of weeks."""
    starts = rng.integers(WARM_UP, errors.shape[1] - _RUN, size=(donors.size, weeks // _RUN + 1))
    picks = (starts[:, :, None] + np.arange(_RUN)).reshape(donors.size, starts.shape[1] * _RUN)[:, :weeks]
    return np.clip(errors[donors[:, None], picks], -8, 8).astype(float)


def _draw(posterior: Floats, rng: np.random.Generator) -> Ints:
    """One index per row of probabilities."""
    passed = (rng.random((posterior.shape[0], 1)) > np.cumsum(posterior, axis=1)).sum(axis=1)
    return np.minimum(passed, posterior.shape[1] - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quiet:
    """What quiet series show: (R, 2, P) running log evidence up and down, and the kind of noise (R,)."""

    heights: Floats
    kind: Ints

    def p_value(self, height: Floats, kind: Ints) -> Floats:
        """(n, W) share of quiet series of the same kind that ever show so much in the whole promise year.

        Neighbouring kinds are joined until there are enough replicas of them.
        """
        edges: list[int] = []
        enough = self.kind.size // 10
        counts = np.bincount(self.kind, minlength=len(NOISES))
        last = 0
        for one in range(len(NOISES)):
            if counts[last : one + 1].sum() >= enough and counts[one + 1 :].sum() >= enough:
                edges.append(one)
                last = one + 1
        stratum = np.searchsorted(edges, np.arange(len(NOISES)))
        result = np.empty(height.shape)
        for one in range(len(edges) + 1):
            ends = np.sort(self.heights[stratum[self.kind] == one][:, :, -1].ravel())
            rows = stratum[kind] == one
            result[rows] = _tail(ends, height[rows])
        return result

    def inflation(self, height: Floats) -> Floats:
        """(W,) how much more the panel's middle shows than quiet series do, 1 where no more; height (n, 2, W).

        If all series wander more than their baselines told, even the median series shows it; a tenth of truly
        changed series hardly moves the median. The same yardstick as genomic control (Devlin & Roeder 1999).
        """
        slack = 0.08 + 2 * 1.44 / np.sqrt(2 * height.shape[0])
        result = np.ones(height.shape[2])
        if height.shape[0] < _PANEL:
            return result
        for week in range(height.shape[2]):
            middle = np.median(height[:, :, week])
            share = np.mean(self.heights[:, :, week] >= middle)
            result[week] = max(1.0, -np.log(max(share, 1e-4)) / np.log(2) - slack)
        return result


def _tail(heights: Floats, x: Floats) -> Floats:
    """P(height ≥ x): counted, and beyond the last fiftieth exponential with the slope seen there."""
    count = heights.size
    edge = heights[int(count * 0.98)]
    excess = float(np.mean(heights[heights >= edge] - edge))
    counted = (count - np.searchsorted(heights, x, side="left") + 1) / (count + 1)
    beyond = 0.02 * np.exp(-np.maximum((x.astype(float) - edge) / excess, 0))
    return np.maximum(np.where(x > edge, beyond, counted), _LEAST)
