"""Bounds that hold at every look: the normal mixture for effects, the Dirichlet mixture for arm sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import betainccinv, betaincinv, gammaln, log_ndtr, ndtr

Floats = npt.NDArray[np.floating[Any]]

LARGEST_TAIL = 30.0
CONCENTRATION = 1000.0
"""Of the Dirichlet bet on arm sizes: it expects a share p to be off by about √(p(1 − p)/1000), 1.6 points of a half.

An imbalance of 1 to 2 points is what a broken lottery shows (a redirect that loses people, a filter after the
split), and a mixture grows fastest on what it expects. By simulation, customers until e = 100 on average:

    share of the one arm      50.5%     51%      52%     55%
    concentration 1000      132,000   31,100   7,960   1,630
    the best for that share 120,000   30,800   7,810   1,200
    2, the flat prior       201,000   47,400  10,500   1,480

[1000, 1200] at even shares is worth e = 291.
"""


def approximate_rho(v_opt: float, alpha: float) -> float:
    """The ρ whose normal mixture is about tightest at variance `v_opt`, two-sided at `alpha`.

    Source:
        Howard, Ramdas, McAuliffe & Sekhon (2021), Annals of Statistics 49, 1055, §3.5; as in confseq.
    """
    doubled = 2 * math.log(1 / alpha)
    return v_opt / (doubled + math.log1p(doubled))


def mixture_log(s: Floats | float, v: Floats | float, rho: float, two_sided: bool = True) -> Any:
    """Log of the normal mixture martingale: what a bet against "no drift" has won.

    Args:
        s: Sum of the centred observations. v: its variance, above 0.
        rho: Precision of the mixing normal; half-normal on upward drifts where not `two_sided`.
    Source:
        Howard et al. (2021), eqs. 3.6–3.7 (Robbins 1970).
    """
    s, v = np.asarray(s, float), np.asarray(v, float)
    won = s * s / (2 * (v + rho))
    if two_sided:
        return 0.5 * np.log(rho / (v + rho)) + won
    return 0.5 * np.log(4 * rho / (v + rho)) + won + log_ndtr(s / np.sqrt(v + rho))


def mixture_bound(v: float, alpha: float, rho: float, two_sided: bool = True) -> float:
    """The s that a driftless sum of variance `v` ever passes with probability at most `alpha`.

    Two-sided: |sum| at any time. One-sided: upwards only; tune `rho` by `approximate_rho(v, 2 * alpha)`.
    """
    wall = math.sqrt((v + rho) * (math.log1p(v / rho) + 2 * math.log(1 / alpha)))
    if two_sided:
        return wall
    # for s > 0 the one-sided bet is one to two times the two-sided one, so its bound lies no higher
    missing = lambda s: float(mixture_log(s, v, rho, False)) - math.log(1 / alpha)  # noqa: E731
    return float(optimize.brentq(missing, 0.0, wall))  # pyright: ignore[reportArgumentType]


def always_multiplier(n: Floats | float, *, alpha: float, tuned: float) -> Floats:
    """How many standard errors to either side are right at every look.

    Args:
        n: Customers so far, all arms together, above 0.
        alpha: Share of tests in which the interval may ever be wrong, two-sided.
        tuned: Customers in all at which the interval is about narrowest.
    Returns:
        m, of the shape of `n`: m² = (1 + ρ/n)(log(1 + n/ρ) + 2 log(1/α)), ρ = `approximate_rho(tuned, alpha)`.
    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Annals of Statistics 52, 2613, theorem 2.2: the
        asymptotic confidence sequence, with N times the squared standard error as the variance of one customer.
    """
    rho = approximate_rho(tuned, alpha)
    n = np.asarray(n, float)
    return np.sqrt((1 + rho / n) * (np.log1p(n / rho) + 2 * math.log(1 / alpha)))


def as_t(m: Floats | float, df: Floats | float) -> Floats:
    """The t quantile with the same tail as the normal quantile `m`: small samples get wider intervals.

    Args:
        m: Any shape. df: degrees of freedom, broadcast against `m`; infinite ones leave `m` as it is.
    Source:
        The tail by the incomplete beta function; beyond 30 standard deviations, where it is hardly a number,
        Wallace (1959), Annals of Mathematical Statistics 30, 1124.
    """
    m, df = np.broadcast_arrays(np.asarray(m, float), np.asarray(df, float))
    finite, size = np.where(np.isfinite(df), df, 1.0), np.abs(m)
    tails = 2 * ndtr(-np.minimum(size, LARGEST_TAIL))
    with np.errstate(over="ignore", divide="ignore"):
        # x and 1 − x each by its own inverse, so that neither end cancels
        exact = np.sqrt(finite * betainccinv(0.5, finite / 2, tails) / betaincinv(finite / 2, 0.5, tails))
        scaled = size * (8 * finite + 3) / (8 * finite + 1)
        far = np.sqrt(finite * np.expm1(scaled * scaled / finite))
    stretched = np.where(size <= LARGEST_TAIL, exact, far)
    return np.where(np.isinf(df), m, np.copysign(np.where(np.isnan(df), np.nan, stretched), m))


def ratio_log_evidence(
    counts: npt.ArrayLike,
    shares: npt.ArrayLike,
    concentration: float = CONCENTRATION,
) -> Floats:
    """Log evidence that the arms are not filled by the planned shares: Dirichlet-multinomial over multinomial.

    Args:
        counts: (…, K) customers so far in each arm; each row a look.
        shares: (K,) planned, above 0, summing to one.
    Returns:
        (…,) log e: under the plan e ever exceeds 1/α with probability at most α, however often one looks.
    Source:
        Lindon & Malek (2022), "Anytime-valid inference for multinomial count data", eq. 7.
    """
    seen, planned = np.asarray(counts, float), np.asarray(shares, float)
    prior = concentration * planned
    total = seen.sum(axis=-1)
    mixed = gammaln(concentration) - gammaln(concentration + total)
    mixed = mixed + np.sum(gammaln(prior + seen) - gammaln(prior), axis=-1)
    return mixed - np.sum(seen * np.log(planned), axis=-1)


def always_ratio_p(
    counts: npt.ArrayLike,
    shares: npt.ArrayLike,
    concentration: float = CONCENTRATION,
) -> Floats:
    """(L,) p-values of the planned shares, valid at every look: the inverse of the largest evidence so far.

    Args:
        counts: (L, K) cumulative counts, look by look.
    """
    evidence = np.maximum.accumulate(ratio_log_evidence(counts, shares, concentration), axis=0)
    return np.exp(-np.maximum(evidence, 0.0))
