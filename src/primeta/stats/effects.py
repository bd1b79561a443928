"""Arms against control from sufficient statistics: means, ratios, covariates, lifts, thresholds.

An estimate is a mean, or behaves like one: every customer adds an influence to it, and its noise is the
influences' variance over the customers. So means, shares, ratios (delta method) and totals over a window that
has not passed for everybody share everything that follows: covariates, differences, lifts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import chdtrc, stdtr, stdtrit

from primeta.stats.moments import Moments

Floats = npt.NDArray[np.float64]
NO_SPREAD = 1e-12
LAST_DIGIT = 2e-15


def dust(gradient: Floats, n: Floats, mean: Floats, scatter: Floats) -> Floats:
    """Sums of squares below this are what rounding leaves where nobody differs: (…,).

    From the columns' own sums of squares that cancel (a ratio that all share), and from the last digit of the
    values themselves.
    """
    own = np.einsum("...i,...ii->...", gradient**2, scatter)
    digit = LAST_DIGIT * np.einsum("...i,...i->...", np.abs(gradient), np.abs(mean))
    return NO_SPREAD * own + n * digit**2


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What the estimates of G arms are made of; leading axes may hold simulated runs.

    `n` (…, G) customers; `value` (…, G); `variance` (…, G) of one customer's influence, with n − 1;
    `with_covariates` (…, G, q) its covariance with the covariates; `covariates` (…, G, q, q) their own;
    `covariate_mean` (…, G, q).
    """

    n: Floats
    value: Floats
    variance: Floats
    with_covariates: Floats
    covariates: Floats
    covariate_mean: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Adjusted estimates of G arms: `value`, `variance` of it apart from what all arms share, `df` (…, G).

    `shared` (…,) is the covariance of any two arms through the covariates' common mean; it leaves
    differences alone. `kept` (…,) is the share of variance that the covariates left.
    """

    n: Floats
    value: Floats
    variance: Floats
    df: Floats
    shared: Floats
    kept: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One arm against control, `arm − factor · control`: (…,) each; NaN where it cannot be told."""

    difference: Floats
    se: Floats
    df: Floats

    def bounds(self, multiplier: npt.ArrayLike) -> tuple[Floats, Floats]:
        reach = np.asarray(multiplier) * self.se
        return self.difference - reach, self.difference + reach

    def t_bounds(self, level: float) -> tuple[Floats, Floats]:
        """The interval for one look at a planned end (Welch 1947)."""
        return self.bounds(stdtrit(self.df, 0.5 + level / 2))

    @property
    def p(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2 * stdtr(self.df, -np.abs(self.difference / self.se))


def influence(
    arms: Moments, *, numerator: int = 0, denominator: int | None = None, covariates: Sequence[int] = ()
) -> Influence:
    """Of a mean (of column `numerator`), or of a ratio of two columns' sums.

    Args:
        arms: Moments with the arms along the last leading axis: n (…, G).
    Source:
        Ratios: Deng, Knoblich & Lu (2018), "Applying the delta method in metric analytics", eq. 5: a ratio R =
        Σx / Σy has influences (x − R·y) / mean(y).
    """
    at = list(covariates)
    top = arms.mean[..., numerator]
    gradient = np.zeros(arms.mean.shape)
    if denominator is None:
        value = top
        gradient[..., numerator] = 1.0
    else:
        bottom = arms.mean[..., denominator]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(bottom != 0, top / bottom, np.nan)
            gradient[..., numerator] = 1 / bottom
            gradient[..., denominator] += -value / bottom
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(arms.n > 1, arms.n - 1, np.nan)
        spread = np.einsum("...i,...ij,...j->...", gradient, arms.scatter, gradient)
        spread = np.where(spread > dust(gradient, arms.n, arms.mean, arms.scatter), spread, 0.0)
        spread = np.where(np.isnan(value), np.nan, spread)
        beside = np.einsum("...i,...ij->...j", gradient, arms.scatter[..., :, at])
        own = arms.scatter[..., np.ix_(at, at)[0], np.ix_(at, at)[1]] if at else _none(arms, 2)
        return Influence(
            n=arms.n,
            value=value,
            variance=spread / free,
            with_covariates=(beside if at else _none(arms, 1)) / free[..., None],
            covariates=own / free[..., None, None],
            covariate_mean=arms.mean[..., at],
        )


def _none(arms: Moments, axes: int) -> Floats:
    return np.zeros((*arms.n.shape, *([0] * axes)))


def adjusted(of: Influence) -> Estimates:
    """Estimates after regression on the covariates, with one slope for all arms (CUPED).

    The slope is the one that makes the variance of differences least: Σ Cov_g(z, x)/n_g over Σ Var_g(x)/n_g. With
    unequal arms that weighs the smaller arm more and costs nothing against a slope for each arm.

    Source:
        Deng, Xu, Kohavi & Walker (2013), "Improving the sensitivity of online controlled experiments by
        utilizing pre-experiment data"; Lin (2013), "Agnostic notes on regression adjustments" (the "tyranny of
        the minority" slope).
    """
    n, q = of.n, of.covariate_mean.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = of.variance / n
        if q == 0:
            zero = np.zeros(n.shape[:-1])
            return Estimates(n, of.value, raw, n - 1, zero, np.ones(n.shape[:-1]))
        usable = np.where(np.isfinite(of.variance), 1.0, 0.0)
        per = usable / np.maximum(n, 1.0)
        own = np.einsum("...g,...gij->...ij", per, np.nan_to_num(of.covariates))
        beside = np.einsum("...g,...gi->...i", per, np.nan_to_num(of.with_covariates))
        slope = np.einsum("...ij,...j->...i", np.linalg.pinv(own, rcond=1e-10, hermitian=True), beside)
        total = n.sum(axis=-1)
        middle = np.einsum("...g,...gi->...i", n, of.covariate_mean) / np.maximum(total, 1.0)[..., None]
        value = of.value - np.einsum("...gi,...i->...g", of.covariate_mean - middle[..., None, :], slope)
        left = (
            of.variance
            - 2 * np.einsum("...gi,...i->...g", of.with_covariates, slope)
            + np.einsum("...gij,...i,...j->...g", of.covariates, slope, slope)
        )
        df = np.maximum(n - 1 - q, 1.0)
        left = np.maximum(left, 0.0) * (n - 1) / df
        pooled = (
            np.einsum("...g,...gij->...ij", n, np.nan_to_num(of.covariates))
            / np.maximum(total, 1.0)[..., None, None]
        )
        shared = np.einsum("...ij,...i,...j->...", pooled, slope, slope) / np.maximum(total, 1.0)
        kept = (left / n).sum(axis=-1) / raw.sum(axis=-1)
        return Estimates(n, value, left / n, df, shared, np.where(np.isfinite(kept), kept, np.nan))


def difference(of: Estimates, arm: int, control: int, *, factor: npt.ArrayLike = 1.0) -> Difference:
    """`arm − factor · control` with Welch's degrees of freedom; `factor` 1.02 asks for more than +2%.

    NaN where an arm has fewer than two customers, or where neither arm varies: nothing can be said of noise.
    """
    times = np.asarray(factor, dtype=np.float64)
    var_arm, var_control = of.variance[..., arm], times**2 * of.variance[..., control]
    variance = var_arm + var_control + (1 - times) ** 2 * of.shared
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (var_arm + var_control) ** 2 / (
            var_arm**2 / of.df[..., arm] + var_control**2 / of.df[..., control]
        )
        gap = of.value[..., arm] - times * of.value[..., control]
        se = np.sqrt(np.where(variance > 0, variance, np.nan))
    return Difference(np.where(np.isnan(se), np.nan, gap), se, df)


METHODS = ("delta", "log-ratio", "fieller")
WELL_KNOWN, POORLY_KNOWN = 1 / 50, 1 / 6
"""Standard error of the control's mean over the mean: up to the first the lift's interval is the delta method's,
up to the second that on the log scale, beyond it Fieller's.

The lift is not normal where the control's mean is uncertain: the delta method's two tails are then 2.2% and 2.7%
at an uncertainty of 2.6%, 1.4% and 4.2% at 8%, .5% and 8.6% at 22% (lognormal revenue of a twentieth who buy); on
the log scale both stay near 2.5% up to about a sixth, and Fieller's beyond. By simulation, `experiment
calibration`.
"""


def lift(
    of: Estimates, arm: int, control: int, *, level: float
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.int64]]:
    """arm / control − 1 with its interval, and which of `METHODS` gave it.

    There is one verdict, that of the difference. The better the control's mean is known, the simpler the interval
    (`WELL_KNOWN`, `POORLY_KNOWN`); where it would contradict the difference, the next is taken. Fieller's never
    contradicts, since it asks of each lift whether `arm − (1 + lift) · control` may be 0.

    Returns:
        lift, low, high, method: (…,) each; NaN where the control's mean is 0 or below, or too uncertain.
    Source:
        Delta: Deng, Knoblich & Lu (2018). Log scale: Katz, Baptista, Azen & Pike (1978), "Obtaining confidence
        intervals for the risk ratio". Fieller (1954), "Some problems in interval estimation".
    """
    plain = difference(of, arm, control)
    reach = stdtrit(plain.df, 0.5 + level / 2)
    top, bottom = of.value[..., arm], of.value[..., control]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(bottom > 0, top / bottom, np.nan)
        own_arm, own_control = of.variance[..., arm], of.variance[..., control]
        full_arm, full_control = own_arm + of.shared, own_control + of.shared
        se = np.sqrt(own_arm + ratio**2 * own_control + (1 - ratio) ** 2 * of.shared) / bottom
        delta = ratio - 1 - reach * se, ratio - 1 + reach * se

        log_se = np.sqrt(full_arm / top**2 + full_control / bottom**2 - 2 * of.shared / (top * bottom))
        log_ratio = np.where((top > 0) & (bottom > 0), np.log(ratio), np.nan)
        on_logs = np.expm1(log_ratio - reach * log_se), np.expm1(log_ratio + reach * log_se)

        a = bottom**2 - reach**2 * full_control
        b = top * bottom - reach**2 * of.shared
        c = top**2 - reach**2 * full_arm
        root = np.sqrt(np.maximum(b * b - a * c, 0.0))
        known = (a > 0) & (bottom > 0)
        fieller = np.where(known, (b - root) / a - 1, np.nan), np.where(known, (b + root) / a - 1, np.nan)

        shown = np.abs(plain.difference) > reach * plain.se
        uncertain = np.sqrt(full_control) / bottom
        low, high = np.full(np.shape(ratio), np.nan), np.full(np.shape(ratio), np.nan)
        method = np.full(np.shape(ratio), METHODS.index("fieller"), dtype=np.int64)
        chosen = np.zeros(np.shape(ratio), dtype=bool)
        # in the order in which they are preferred; logs again, where Fieller's has no end
        for name, ends, where in (
            ("delta", delta, uncertain <= WELL_KNOWN),
            ("log-ratio", on_logs, uncertain <= POORLY_KNOWN),
            ("fieller", fieller, True),
            ("log-ratio", on_logs, True),
        ):
            agrees = shown == ((ends[0] > 0) | (ends[1] < 0))
            use = ~chosen & where & agrees & np.isfinite(ends[0]) & np.isfinite(ends[1])
            low, high = np.where(use, ends[0], low), np.where(use, ends[1], high)
            method = np.where(use, METHODS.index(name), method)
            chosen |= use
    # a lift that no interval can be told of is no number either: +10^17 over a control of rounding dust
    return np.where(chosen, ratio - 1, np.nan), low, high, method


def skewness_needs(skewness: float) -> float:
    """Customers an arm needs so that a skewness of its own mean stays below .18.

    A tail of 2.5% is then off by about half a point where the other arm does not cancel it. Kohavi's rule, 355 ·
    skewness², asks for a tenth of that, for one mean alone; arms of like size and shape cancel most of it.

    Source:
        Boos & Hughes-Oliver (2000), "How large does n have to be for Z and t intervals?"; Kohavi, Deng, Longbotham
        & Xu (2014), "Seven rules of thumb for web site experimenters", rule 7.
    """
    return 30.0 * skewness * skewness


def skewness_of_difference(
    skewness: tuple[float, float], variance: tuple[float, float], n: tuple[float, float]
) -> float:
    """Absolute skewness of the difference of two means, from each arm's own: |κ₃ₐ/nₐ² − κ₃꜀/n꜀²| / se³."""
    third = [skew * spread**1.5 / size**2 for skew, spread, size in zip(skewness, variance, n)]
    se = np.sqrt(sum(spread / size for spread, size in zip(variance, n)))
    return float(abs(third[0] - third[1]) / se**3) if se > 0 else 0.0


LOPSIDED = 0.02
"""Skewness of a difference below which its interval is left as it is: a tail of 2.5% is then right to .2 points."""


def lopsidedness(skewness: npt.ArrayLike, n: npt.ArrayLike, *, factor: float = 1.0) -> float:
    """Skewness of `arm − factor · control`, where both have customers of the same shape.

    Arms of equal size cancel each other's skewness; a small control beside a large arm does not. The shape is read
    from all customers of both arms: the small one has not seen its own tail.

    Args:
        skewness: (2,) of one customer, arm and control. n: (2,) customers.
    Returns:
        Above 0 where the difference errs upwards; 0 where the shape is not known.
    """
    shape, size = np.asarray(skewness, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not (np.isfinite(shape).all() and size.min() > 0):
        return 0.0
    common = float((shape * size).sum() / size.sum())
    arm, control = size
    return common * (arm**-2 - factor**3 * control**-2) / (1 / arm + factor**2 / control) ** 1.5


def lopsided_reach(reach: float, skewness: float) -> tuple[float, float]:
    """Standard errors that an interval reaches below and above its estimate, where the estimate is skewed.

    Where a few large customers decide, the estimate and its standard error rise together: an arm or a control that
    has not met them seems too low and too sure. Of 40,000 customers with a control of 10%, spending as in
    `experiment calibration`, Welch's interval lies wholly above no effect in 7.9% of tests instead of 2.5%; with this
    reach in .6%, in 2.6% where spending is capped. The interval is only ever widened.

    Args:
        reach: Of the symmetric interval, in standard errors. skewness: Of the difference (`lopsidedness`).
    Source:
        Hall (1992), "On the removal of skewness by transformation", JRSS B 54, 221: with γ the skewness of the
        estimate, g(t) = t + γt²/3 + γ²t³/27 + γ/6 is normal to the next order; here its inverse at ± reach.
    """
    if not abs(skewness) > LOPSIDED or not math.isfinite(reach):
        return reach, reach
    below, above = (
        3 / skewness * (np.cbrt(1 + skewness * (end - skewness / 6)) - 1) for end in (reach, -reach)
    )
    return max(reach, float(below)), max(reach, -float(above))


def fisher_exact(counts: tuple[int, int], trials: tuple[int, int]) -> float:
    """Two-sided p-value of equal shares (Fisher's exact test)."""
    table = [[counts[0], trials[0] - counts[0]], [counts[1], trials[1] - counts[1]]]
    return float(stats.fisher_exact(table)[1])  # pyright: ignore[reportArgumentType, reportIndexIssue]


def bayes(lift_value: Any, se: Any) -> tuple[Floats, Floats, Floats]:
    """P(arm is better), the expected loss of choosing the arm, and of keeping the control, on the lift's scale.

    A flat prior on the lift: its posterior is the normal of the delta method.

    Source:
        Stucchio (2015), "Bayesian A/B testing at VWO" (expected loss).
    """
    mean, spread = np.asarray(lift_value, dtype=float), np.asarray(se, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = mean / spread
        better = stats.norm.cdf(z)
        gain = mean * better + spread * stats.norm.pdf(z)
    return better, gain - mean, gain


def lift_se(of: Estimates, arm: int, control: int, *, large: bool = False) -> Floats:
    """Standard error of the lift by the delta method; `large` divides by n instead of n − 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = of.value[..., arm] / of.value[..., control]
        own = of.variance * np.where(large, (of.n - 1) / of.n, 1.0)
        variance = own[..., arm] + ratio**2 * own[..., control] + (1 - ratio) ** 2 * of.shared
        return np.sqrt(variance) / np.abs(of.value[..., control])


def sample_ratio_p(counts: npt.ArrayLike, shares: npt.ArrayLike) -> float:
    """Chi-square p-value of the arms' sizes against their planned shares."""
    seen, planned = np.asarray(counts, dtype=float), np.asarray(shares, dtype=float)
    total = seen.sum()
    if total == 0:
        return float("nan")
    expected = total * planned / planned.sum()
    return float(chdtrc(len(seen) - 1, ((seen - expected) ** 2 / expected).sum()))
