"""What an order of each customer is worth: Gamma-Gamma for amounts above 0, shrunken means for margins of any sign.

Gamma-Gamma: Fader & Hardie (2013), "The Gamma-Gamma model of monetary value", note 025. A customer's orders are
Gamma(p, ν) with ν ~ Gamma(q, γ), apart from how often he orders. Where orders can be worth nothing or less
(margins after returns and discounts), that model does not apply; `fit_spend` shrinks each customer's mean towards
everybody's by how little is known of it, which needs no distribution at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, polygamma, stdtr

from primeta.errors import BadInput
from primeta.stats.histories import distinct, summed
from primeta.stats.newton import climb
from primeta.stats.rising import log_rising

Floats = npt.NDArray[np.float64]
NAN = float("nan")
FEWEST = 10.0
"""Customers below whom a spread between customers cannot be told."""
TIED = 0.15
"""Correlation of spend and frequency from which it is large enough to matter, if it is not chance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GammaGamma:
    """A fitted Gamma-Gamma model; NaN where `why_not` says that it cannot be told."""

    p: float
    q: float
    gamma: float
    errors: dict[str, float]
    """Standard errors of `p`, `q`, `gamma`."""
    covariance: Floats
    """(3, 3) of their logs."""
    log_likelihood: float
    customers: float
    """Those whose mean was used."""
    left_out: float = 0.0
    """Customers without an order to take a mean of."""
    converged: bool = False
    steps: int = 0
    why_not: str = ""
    """`no-customers`, `few-customers`, `not-positive`, `not-converged`, `no-spread`."""
    warnings: tuple[str, ...] = ()
    """`infinite-mean`: q ≤ 1, so the mean over all customers has no end; `edge-NAME`; `tied`: see `tie`."""
    tie: float = NAN
    """Correlation of how much an order is worth with how many there were; the model takes them as unrelated."""
    tie_p: float = NAN

    @property
    def mean(self) -> float:
        """Of one order of a customer drawn at random: p γ/(q − 1); inf where q ≤ 1, never below 0."""
        if np.isnan(self.q):
            return NAN
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else float("inf")


def fit_gamma_gamma(
    orders: npt.ArrayLike,
    mean_value: npt.ArrayLike,
    count: npt.ArrayLike | None = None,
    *,
    start: GammaGamma | None = None,
) -> GammaGamma:
    """Maximum likelihood from each customer's number of orders and their mean.

    Args:
        orders: (n,) orders behind each mean; who has none is left out.
        mean_value: (n,) money, above 0.
        count: (n,) customers (or weight) of each row; None: one each.
        start: A fit nearby.
    Returns:
        `why_not` "not-positive" where a mean is 0 or below: use `fit_spend`.
    Source:
        Note 025, eq. 1a; standard errors from the observed information, by the delta method from logs.
    """
    x, z, weight, left_out = _with_orders(orders, mean_value, count)
    customers = float(weight.sum())
    tie, tie_p, warnings = _tie(x, z, weight)
    why_not = ""
    if customers <= 0:
        why_not = "no-customers"
    elif (z <= 0).any():
        why_not = "not-positive"
    elif customers < FEWEST:
        why_not = "few-customers"
    elif z.max() <= z.min() * (1 + 1e-12):
        why_not = "no-spread"
    if why_not:
        return _unknown(customers, left_out, why_not, tie, tie_p, warnings)
    # money in units of its own mean, so that one box serves roubles and dollars
    unit = float(weight @ (x * z)) / float(weight @ x)
    scaled = z / unit
    first, place = distinct(x, scaled)
    rows = summed(place, weight, len(first))
    hill = _hill(x[first], scaled[first], rows)
    bounds = np.log([[1e-4, 1e6], [1e-4, 1e6], [1e-6, 1e8]])
    at = np.log([6.0, 4.0, 0.5])
    if start is not None and not start.why_not:
        at = np.log([start.p, start.q, start.gamma / unit])
    top = climb(hill, at, bounds[:, 0], bounds[:, 1])
    if not top.converged:
        return _unknown(customers, left_out, "not-converged", tie, tie_p, warnings)
    information = -0.5 * (top.curvature + top.curvature.T)
    values, vectors = np.linalg.eigh(information)
    if top.on_edge.any() or values.min() <= 1e-12 * values.max():
        covariance = np.full((3, 3), NAN)
    else:
        covariance = (vectors / values) @ vectors.T
    names = ("p", "q", "gamma")
    p, q, gamma = np.exp(top.at) * (1.0, 1.0, unit)
    spread = np.sqrt(np.diag(covariance))
    warnings += [f"edge-{names[index]}" for index in np.flatnonzero(top.on_edge)]
    if q <= 1:
        warnings.append("infinite-mean")
    return GammaGamma(
        p=float(p),
        q=float(q),
        gamma=float(gamma),
        errors={
            name: float(value * spread[i])
            for i, (name, value) in enumerate(zip(names, (p, q, gamma), strict=True))
        },
        covariance=covariance,
        # the density is of money, not of its share of the mean
        log_likelihood=float(top.height - customers * np.log(unit)),
        customers=customers,
        left_out=left_out,
        converged=True,
        steps=top.steps,
        warnings=tuple(warnings),
        tie=tie,
        tie_p=tie_p,
    )


def log_likelihood_gamma_gamma(parameters: tuple[float, float, float], x: Floats, z: Floats) -> Floats:
    """(n,) log density of means `z` > 0 of `x` ≥ 1 orders each under p, q, γ: note 025, eq. 1a."""
    p, q, gamma = parameters
    shape = p * x
    # (px)^(px) e^… / Γ(px) and the far term, with x z/γ = w: px ln(w/(1 + w)) − q ln(1 + w), which cannot cancel
    ratio = x * z / gamma
    return (
        log_rising(q, shape) - gammaln(shape) - shape * np.log1p(1 / ratio) - q * np.log1p(ratio) - np.log(z)
    )


def expected_value(fit: GammaGamma, orders: npt.ArrayLike, mean_value: npt.ArrayLike) -> Floats:
    """(n,) mean of one further order of each customer: p (γ + x z)/(p x + q − 1).

    A customer without orders has everybody's mean. Where p x + q ≤ 1 the mean has no end: inf, never below 0.

    Source:
        Note 025, eq. 5.
    """
    x = np.atleast_1d(np.asarray(orders, dtype=np.float64))
    z = np.atleast_1d(np.asarray(mean_value, dtype=np.float64))
    total = np.where(x > 0, x * z, 0.0)
    below = fit.p * x + fit.q - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        value = fit.p * (fit.gamma + total) / below
    return np.where(np.isnan(below), NAN, np.where(below > 0, value, np.inf))


def _hill(x: Floats, z: Floats, weight: Floats) -> Callable[[Floats], tuple[float, Floats, Floats]]:
    """Σ ln Γ(px + q) − ln Γ(px) − ln Γ(q) + q ln γ + (px − 1) ln z + px ln x − (px + q) ln(γ + xz)."""
    kinds, place = distinct(x)
    orders = x[kinds]
    by_kind = summed(place, weight, len(kinds))
    log_z, log_x, total = np.log(z), np.log(orders), x * z
    with_z = summed(place, weight * log_z, len(kinds))
    constant = float(weight @ log_z)

    def hill(logs: Floats) -> tuple[float, Floats, Floats]:
        p, q, gamma = np.exp(logs)
        shape = p * orders
        both = shape + q
        far = np.log1p(total / gamma)
        per_kind = summed(place, weight * far, len(kinds))
        near = gamma / (gamma + total)
        near_kind = summed(place, weight * near, len(kinds))
        square_kind = summed(place, weight * near * near, len(kinds))
        log_gamma = float(logs[2])
        # q ln γ − (px + q) ln(γ + xz) = −px ln γ − (px + q) ln(1 + xz/γ)
        value = (
            by_kind @ (log_rising(q, shape) - gammaln(shape) + shape * (log_x - log_gamma))
            + shape @ with_z
            - constant
            - both @ per_kind
        )
        d_both, d2_both = digamma(both), polygamma(1, both)
        g_p = by_kind @ (shape * (d_both - digamma(shape) + log_x - log_gamma)) + shape @ (with_z - per_kind)
        g_q = q * (by_kind @ (d_both - digamma(q)) - per_kind.sum())
        rest = by_kind - near_kind
        g_gamma = -by_kind @ shape + both @ rest
        h_pp = g_p + by_kind @ (shape * shape * (d2_both - polygamma(1, shape)))
        h_pq = q * (by_kind @ (shape * d2_both))
        h_qq = g_q + q * q * (by_kind @ (d2_both - polygamma(1, q)))
        h_pg = -by_kind @ shape + shape @ rest
        h_qg = q * rest.sum()
        h_gg = -both @ (near_kind - square_kind)
        slope = np.array([g_p, g_q, g_gamma])
        return float(value), slope, np.array([[h_pp, h_pq, h_pg], [h_pq, h_qq, h_qg], [h_pg, h_qg, h_gg]])

    return hill


def _unknown(
    customers: float, left_out: float, why_not: str, tie: float, tie_p: float, warnings: list[str]
) -> GammaGamma:
    return GammaGamma(
        p=NAN,
        q=NAN,
        gamma=NAN,
        errors=dict.fromkeys(("p", "q", "gamma"), NAN),
        covariance=np.full((3, 3), NAN),
        log_likelihood=NAN,
        customers=customers,
        left_out=left_out,
        why_not=why_not,
        warnings=tuple(warnings),
        tie=tie,
        tie_p=tie_p,
    )


# Money of any sign


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spend:
    """Means of customers' orders as draws about everybody's mean; NaN where `why_not` says that it cannot be told."""

    mean: float
    """Of one order of a customer drawn at random."""
    mean_error: float
    between: float
    """Variance of customers' own means."""
    within: float
    """Variance of one order about its customer's mean."""
    customers: float
    left_out: float = 0.0
    why_not: str = ""
    """`no-customers`, `few-customers`."""
    warnings: tuple[str, ...] = ()
    """`tied`: see `tie`; `within-unknown`: every customer has one order, so that all spread counts as between."""
    tie: float = NAN
    tie_p: float = NAN


def fit_spend(
    orders: npt.ArrayLike,
    mean_value: npt.ArrayLike,
    count: npt.ArrayLike | None = None,
    *,
    within: float | None = None,
) -> Spend:
    """How customers' mean order values, of any sign, spread between customers and within one.

    Customer i's mean of nᵢ orders is taken as θᵢ + noise of variance within/nᵢ, θᵢ ~ (mean, between); normal
    likelihood, which only first and second moments enter, so that it is right for other shapes too.

    Args:
        orders: (n,) orders behind each mean; who has none is left out.
        mean_value: (n,) money of any sign.
        count: (n,) customers (or weight) of each row; None: one each.
        within: Variance of one order about its customer's mean where it is known from the orders themselves;
            None: told from how the spread of means falls with the number of orders.
    Source:
        Efron & Morris (1975), JASA 70, 311; Gelman et al. (2013), Bayesian Data Analysis, §5.4.
    """
    x, z, weight, left_out = _with_orders(orders, mean_value, count)
    customers = float(weight.sum())
    tie, tie_p, warnings = _tie(x, z, weight)
    why_not = "no-customers" if customers <= 0 else "few-customers" if customers < FEWEST else ""
    if why_not:
        return Spend(
            mean=NAN, mean_error=NAN, between=NAN, within=NAN, customers=customers, left_out=left_out,
            why_not=why_not, warnings=tuple(warnings), tie=tie, tie_p=tie_p,
        )  # fmt: skip
    if within is not None and not within >= 0:
        raise BadInput(f"variance within a customer is {within}; expected 0 or more")
    if within is None and x.max() == x.min():
        warnings.append("within-unknown")
        within = 0.0
    # by number of orders: the means and squares of all who have so many are all that the likelihood needs
    kinds, place = distinct(x)
    n = x[kinds]
    centre = float(weight @ z) / customers
    heads = summed(place, weight, len(kinds))
    sums = summed(place, weight * (z - centre), len(kinds))
    squares = summed(place, weight * (z - centre) ** 2, len(kinds))
    scale = float(squares.sum()) / customers
    if scale <= 0:
        return Spend(
            mean=centre, mean_error=0.0, between=0.0, within=within or 0.0, customers=customers, left_out=left_out,
            warnings=tuple(warnings), tie=tie, tie_p=tie_p,
        )  # fmt: skip
    between, inside = _variances(n, heads, sums, squares, scale, within)
    precision = heads / np.maximum(between + inside / n, 1e-300)
    shift = float((precision / heads) @ sums / precision.sum())
    return Spend(
        mean=centre + shift,
        mean_error=float(1 / np.sqrt(precision.sum())),
        between=between,
        within=inside,
        customers=customers,
        left_out=left_out,
        warnings=tuple(warnings),
        tie=tie,
        tie_p=tie_p,
    )


def expected_spend(fit: Spend, orders: npt.ArrayLike, mean_value: npt.ArrayLike) -> tuple[Floats, Floats]:
    """(n,) mean of one further order of each customer, and its standard deviation given the fit.

    A customer without orders has everybody's mean.
    """
    x = np.atleast_1d(np.asarray(orders, dtype=np.float64))
    z = np.atleast_1d(np.asarray(mean_value, dtype=np.float64))
    some = x > 0
    own = np.where(some, z, 0.0)
    noise = fit.within / np.where(some, x, 1.0)
    together = fit.between + noise
    trust = np.where(some & (together > 0), fit.between / np.where(together > 0, together, 1.0), 0.0)
    # without noise the customer's own mean is all there is to know
    trust = np.where(some & (fit.within == 0) & (fit.between > 0), 1.0, trust)
    value = fit.mean + trust * (own - fit.mean)
    return np.where(np.isnan(fit.mean), NAN, value), np.sqrt(fit.between * (1 - trust))


def _variances(
    n: Floats, heads: Floats, sums: Floats, squares: Floats, scale: float, within: float | None
) -> tuple[float, float]:
    """Between and within by normal likelihood with the mean profiled out; either may be 0."""

    def hill(logs: Floats) -> tuple[float, Floats, Floats]:
        between = scale * np.exp(logs[0])
        inside = scale * np.exp(logs[1]) if within is None else within
        variance = between + inside / n
        mean = float((sums / variance).sum() / (heads / variance).sum())
        off = squares - 2 * mean * sums + mean * mean * heads
        value = -0.5 * float((heads * np.log(variance) + off / variance).sum())
        first = -0.5 * (heads / variance - off / variance**2)
        # expected curvature is enough to climb by, and never turns upward
        second = -0.5 * heads / variance**2
        slopes = np.stack([np.full(len(n), between), inside / n])[: len(logs)]
        slope = slopes @ first
        return value, slope, (slopes * second) @ slopes.T - np.diag(np.abs(slope) * 1e-3)

    free = 2 if within is None else 1
    low, high = np.full(free, -25.0), np.full(free, 25.0)
    start = np.log(np.array([0.5, 0.5 * float(n.mean())]))[:free]
    top = climb(hill, start, low, high, gain=1e-10, most_steps=500)
    between = scale * float(np.exp(top.at[0]))
    inside = within if within is not None else scale * float(np.exp(top.at[1]))
    # at the floor of the box the variance is none
    return (0.0 if top.at[0] <= -24 else between), (0.0 if within is None and top.at[1] <= -24 else inside)


def spend_tied_to_frequency(
    orders: npt.ArrayLike, mean_value: npt.ArrayLike, count: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """Correlation of customers' mean order value with their number of orders, and its two-sided p-value.

    Both models take them as unrelated; where they are tied, the value of frequent customers is misjudged.

    Returns:
        NaN, NaN with fewer than three customers or without spread in either.
    Source:
        Least squares of the mean value on the log of the orders, with a standard error that allows for unequal
        spread (MacKinnon & White 1985, HC1). Values are not logged and not ranked: the mean of many skewed amounts
        has a higher log and a higher median than the mean of one, so that unrelated ones would look tied.
    """
    x, z, weight, _ = _with_orders(orders, mean_value, count)
    total = float(weight.sum())
    if total < 3:
        return NAN, NAN
    u = np.log(x)
    u = u - weight @ u / total
    v = z - weight @ z / total
    size_u, size_v = float(weight @ u**2), float(weight @ v**2)
    if size_u <= 1e-24 * total or size_v <= 1e-24 * float(weight @ (z * z)):
        return NAN, NAN
    slope = float(weight @ (u * v)) / size_u
    correlation = float(np.clip(slope * np.sqrt(size_u / size_v), -1, 1))
    free = total - 2
    noise = float(weight @ (u * (v - slope * u)) ** 2) * total / free
    t = abs(slope) * size_u / np.sqrt(noise) if noise > 0 else np.inf
    return correlation, float(2 * stdtr(free, -t))


def _with_orders(
    orders: npt.ArrayLike, mean_value: npt.ArrayLike, count: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats, float]:
    """Orders, mean values and weights of the customers who have a mean, and the weight of those who have none."""
    x, z, weight = _checked(orders, mean_value, count)
    known = (x > 0) & (weight > 0)
    return x[known], z[known], weight[known], float(weight[~known].sum())


def _tie(x: Floats, z: Floats, weight: Floats) -> tuple[float, float, list[str]]:
    """The tie of spend and frequency with its p-value, and `tied` where it matters and is not chance."""
    tie, p = spend_tied_to_frequency(x, z, weight)
    return tie, p, ["tied"] if p < 0.01 and abs(tie) >= TIED else []


def _checked(
    orders: npt.ArrayLike, mean_value: npt.ArrayLike, count: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    x = np.atleast_1d(np.asarray(orders, dtype=np.float64))
    z = np.atleast_1d(np.asarray(mean_value, dtype=np.float64))
    weight = np.ones(len(x)) if count is None else np.atleast_1d(np.asarray(count, dtype=np.float64))
    if not x.shape == z.shape == weight.shape:
        raise BadInput(
            f"{x.shape} orders, {z.shape} mean values and {weight.shape} counts; expected one each"
        )
    wrong = ~np.isfinite(x) | (x < 0)
    if wrong.any():
        raise BadInput(
            f"orders of customer {int(np.argmax(wrong)) + 1} are {x[np.argmax(wrong)]:g}; expected 0 or more"
        )
    wrong = ~np.isfinite(z) & (x > 0)
    if wrong.any():
        raise BadInput(f"mean value of customer {int(np.argmax(wrong)) + 1} is not a number; expected money")
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        raise BadInput(
            f"count of customer {int(np.argmax(wrong)) + 1} is {weight[np.argmax(wrong)]:g}; expected 0 or more"
        )
    return x, np.where(x > 0, z, 0.0), weight
