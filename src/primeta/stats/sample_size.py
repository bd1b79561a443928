"""How many customers a test needs, what power it then has, and the smallest effect that it can see.

A plan is reckoned with the same bounds and the same t quantiles as the analysis that follows it, so that the
power promised is the power reached: Welch's interval at one look, spending bounds at L looks, the always-valid
multiplier at every look. *Power* is the probability that an interval lies wholly on the effect's side of zero
at some look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.stats import nct, norm, t

from primeta.stats.effects import lopsided_reach, lopsidedness
from primeta.stats.sequential import always_multiplier, as_t
from primeta.stats.spending import bounds, crossing

Floats = npt.NDArray[np.floating[Any]]
Kind = Literal["mean", "share", "ratio"]
Pair = tuple[float, float]
"""Of the control, of the arm."""

ALWAYS_LOOKS = 30
"""Looks that an always-valid plan counts on, evenly spread: about daily for a month.

Each further look is one more chance, so the number of looks moves the power. At level 95%, for the size that 30
looks bring to 80%: one look at the end 73.9%, 5 looks 76.8%, 10 looks 78.2%, 20 looks 79.4%, 60 looks 80.8%,
200 looks 81.7%. Between 20 and 60 looks the promise is right within a point.
"""
LARGE = 5_000.0
"""Degrees of freedom from which the noncentral t is reckoned by its normal approximation, right to 1e-7."""
FEWEST = 2
PRECISE = 2e-6
"""Of a normal quantile: a power right to 1e-6."""
MOST_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a test is read: at which looks, how sure one must be, and how likely it should succeed."""

    design: Literal["fixed", "sequential", "anytime"] = "fixed"
    looks: int = 1
    """Evenly spread over the customers; the last is the end."""
    level: float = 0.95
    """Of the interval that decides about one arm."""
    power: float = 0.8

    @property
    def fractions(self) -> Floats:
        return np.arange(1, self.looks + 1) / self.looks

    def multipliers(self) -> Floats:
        """(looks,) standard errors that an interval of many customers reaches to either side."""
        alpha = 1 - self.level
        if self.design == "sequential":
            return bounds(self.fractions, alpha=alpha)
        if self.design == "anytime":
            # tuned to the planned end, so that only the share of the way counts
            return always_multiplier(self.fractions, alpha=alpha, tuned=1.0)
        return np.array([float(norm.isf(alpha / 2))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a size gives: the power, and the share of the customers after which it stops on average."""

    power: float
    used: float


def power_t(effect: float, sd: float, n1: float, n2: float, level: float = 0.95) -> float:
    """Power of the two-sided two-sample t-test with a common standard deviation.

    Source:
        The noncentral t with n1 + n2 − 2 degrees of freedom (Cohen 1988, ch. 2); as pwr.t.test in R.
    """
    df, drift = n1 + n2 - 2, effect / (sd * math.sqrt(1 / n1 + 1 / n2))
    bound = float(t.isf((1 - level) / 2, df))
    return float(_passes(np.array([bound]), np.array([df]), np.array([drift]))[0]) + float(
        _passes(np.array([bound]), np.array([df]), np.array([-drift]))[0]
    )


def shared_level(level: float, arms: int) -> float:
    """The level of each treated arm's interval so that all of them hold together at `level` (Bonferroni)."""
    return 1 - (1 - level) / (arms - 1)


def spread(kind: Kind, baseline: float, effect: float, *, sd: float, variance_kept: float = 1.0) -> Pair:
    """Standard deviation of one customer in the control and in an arm, as the analysis sees it.

    Args:
        baseline: The control's mean, share or ratio.
        sd: Of one customer's value; for a ratio R of (x − R·y) / mean(y); not used for a share, whose two
            variances p(1 − p) differ between the arms.
        variance_kept: 1 − ρ²: what the covariate leaves (CUPED).
    """
    kept = math.sqrt(variance_kept)
    if kind == "share":
        treated = baseline + effect
        return kept * math.sqrt(baseline * (1 - baseline)), kept * math.sqrt(treated * (1 - treated))
    return kept * sd, kept * sd


def skewness_of_share(share: float) -> float:
    """Of one customer who says yes with this probability; 0 for a share of 0 or 1, which has no spread."""
    spread = math.sqrt(share * (1 - share)) if 0 < share < 1 else math.inf
    return (1 - 2 * share) / spread


def power_at(effect: float, *, sd: Pair, n: Pair, rules: Rules, skew: Pair = (0.0, 0.0)) -> Reached:
    """Power of control against one arm of `n` customers each at the end.

    Args:
        effect: Difference of arm and control, not 0. sd: of one customer in each. n: at the end, above 1.
        skew: Skewness of one customer in each; it counts where the arms are of unequal size.
    Source:
        Crossing of the bounds by a Brownian motion, as `spending.crossing`. At each look the bound is moved so
        that passing it there has exactly the probability that Welch's noncentral t gives.
    """
    fractions = rules.fractions
    sizes = np.maximum(np.multiply.outer(fractions, n), FEWEST)
    parts = np.square(sd) / sizes
    df = parts.sum(axis=1) ** 2 / (parts**2 / (sizes - 1)).sum(axis=1)
    drift = abs(effect) / math.sqrt(sd[0] ** 2 / n[0] + sd[1] ** 2 / n[1])
    turned = [math.copysign(1.0, effect) * lopsidedness(skew[::-1], (arm, control)) for control, arm in sizes]
    return _reached(rules, drift, df, np.array(turned))


def _reached(rules: Rules, drift: float, df: Floats, skewness: Floats | float = 0.0) -> Reached:
    """`skewness` (looks,) of the difference, turned so that the effect is upwards."""
    fractions, here = rules.fractions, drift * np.sqrt(rules.fractions)
    passes = _passes_skewed(as_t(rules.multipliers(), df), df, here, np.broadcast_to(skewness, df.shape))
    walls = here + norm.isf(passes)
    by = crossing(walls, fractions, drift)
    used = float(np.sum(np.diff(by, prepend=0.0) * fractions) + 1 - by[-1])
    return Reached(power=float(by[-1]), used=used)


def _passes_skewed(bound: Floats, df: Floats, drift: Floats, skewness: Floats) -> Floats:
    """P(T > the bound that a skewed difference is held to), to first order in its skewness γ.

    The difference is drift + ε with P(ε > z) = Φ(−z) + γ(z² − 1)φ(z)/6 (Edgeworth), and its standard error rises
    with it by 1 + γε/2; so T > b where ε > (b − drift)/(1 − bγ/2).
    """
    if not skewness.any():
        return _passes(bound, df, drift)
    held = np.array([lopsided_reach(float(b), float(skew))[0] for b, skew in zip(bound, skewness)])
    z = (held - drift) / np.maximum(1 - held * skewness / 2, 0.2)
    found = _passes(drift + z, df, drift) + skewness * (z * z - 1) * norm.pdf(z) / 6
    return np.clip(found, 0.0, 1.0)


def _passes(bound: Floats, df: Floats, drift: Floats) -> Floats:
    """P(T > bound) of the noncentral t."""
    large = norm.sf((bound * (1 - 1 / (4 * df)) - drift) / np.sqrt(1 + bound**2 / (2 * df)))
    small = df < LARGE
    if small.any():
        exact = nct.sf(bound[small], df[small], drift[small])
        large[small] = np.where(np.isfinite(exact), np.clip(exact, 0.0, 1.0), large[small])
    return large


@lru_cache(maxsize=256)
def needed_drift(rules: Rules) -> float:
    """Effect over standard error at the end that brings the power, for many customers."""
    df = np.full(rules.looks, 1e12)
    short = lambda drift: _reached(rules, drift, df).power - rules.power  # noqa: E731
    # one look at the end, which has the least power of all that these bounds give
    most = float(np.max(rules.multipliers()[-1:])) + float(norm.ppf(rules.power)) + 1.0
    return float(optimize.brentq(short, 1e-6, most, xtol=1e-10))  # pyright: ignore[reportArgumentType]


def sizes(
    effect: float, *, sd: Pair, shares: Sequence[float], rules: Rules, skew: Pair = (0.0, 0.0)
) -> tuple[int, ...]:
    """Customers in each arm, the fewest with which each treated arm is told from the control.

    Args:
        sd: Of one customer in the control and in an arm. skew: skewness of one customer in each.
        shares: (K,) of the customers, control first, summing to one.
    Returns:
        (K,) whole numbers; the smallest treated arm has the power asked for, larger ones more.
    """
    arm = min(shares[1:])

    start = (needed_drift(rules) / effect) ** 2 * (sd[0] ** 2 / shares[0] + sd[1] ** 2 / arm)
    unit, place = min(shares), 1 + list(shares[1:]).index(arm)

    def enough(smallest: int) -> bool:
        each = whole(smallest, shares)
        found = power_at(effect, sd=sd, n=(each[0], each[place]), rules=rules, skew=skew)
        return found.power >= rules.power

    low, high = max(FEWEST, math.floor(start * unit * 0.98)), max(FEWEST, math.ceil(start * unit)) + 1
    while not enough(high):
        low, high = high, 2 * high
    if enough(low):
        low = FEWEST - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return whole(high, shares)


def whole(smallest: int, shares: Sequence[float]) -> tuple[int, ...]:
    """(K,) customers in arms of these shares whose smallest has so many."""
    least = min(shares)
    return tuple(math.ceil(round(smallest * share / least, 6)) for share in shares)


def detectable(
    total: float,
    *,
    shares: Sequence[float],
    sd_of: Callable[[float], Pair],
    rules: Rules,
    largest: float = math.inf,
    sign: float = 1.0,
    skew_of: Callable[[float], Pair] = lambda _effect: (0.0, 0.0),
) -> float:
    """The smallest effect that `total` customers show with the power asked for.

    Args:
        shares: (K,) control first. sd_of: effect → standard deviations in the control and in an arm.
        largest: No effect is as large as this in size: what a share has left to 0 or 1.
        sign: Of the effect that is looked for.
        skew_of: effect → skewness of one customer in the control and in an arm.
    Returns:
        The effect with its sign, in the metric's unit; NaN where none below `largest` is seen.
    """
    n = total * shares[0], total * min(shares[1:])
    if min(n) < FEWEST:
        return math.nan

    ceiling = largest * (1 - 1e-9)
    wanted = float(norm.ppf(rules.power))

    def beyond(size: float) -> float:
        """How far the power lies above the one asked for, on the scale of a normal quantile."""
        effect = math.copysign(size, sign)
        power = power_at(effect, sd=sd_of(effect), n=n, rules=rules, skew=skew_of(effect)).power
        return float(norm.ppf(min(max(power, 1e-15), 1 - 1e-15))) - wanted

    def by_noise_at(size: float) -> float:
        """What many customers would show, by the noise that they have at an effect of this size."""
        pair = sd_of(math.copysign(size, sign))
        return min(needed_drift(rules) * math.sqrt(pair[0] ** 2 / n[0] + pair[1] ** 2 / n[1]), ceiling)

    size = by_noise_at(by_noise_at(by_noise_at(0.0)))
    above = beyond(size)
    # that quantile grows with the drift, nearly one for one
    slope = needed_drift(rules) / size
    for _ in range(MOST_STEPS):
        if abs(above) < PRECISE:
            return math.copysign(size, sign)
        if size == ceiling and above < 0:
            return math.nan
        moved = min(max(size - above / slope, size / 3), 3 * size, ceiling)
        there = beyond(moved)
        rise = (there - above) / (moved - size) if moved != size else 0.0
        slope = rise if rise > 0 else slope
        size, above = moved, there
    return math.nan
