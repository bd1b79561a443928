"""Intervals of totals: a Poisson bootstrap over hash buckets of customers, and what chance adds to the best forecast.

Each draw weighs the buckets by Poisson(1) and fits again; a large base takes one Newton step from the fit instead,
with the scores summed by bucket, which is the same to first order. What these very customers will do differs from
what is expected of them by chance as well, and that is added: the interval is of what will be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from primeta.reactivation.ltv_model import Base
from primeta.reactivation.ltv_money import People, Worth, by_bucket
from primeta.reactivation.records import BUCKETS, NAN
from primeta.stats.customer_base import Fit, draw_orders, fit, scores

Floats = npt.NDArray[np.float64]
REFIT_ROWS = 300
"""Up to so many rows a draw is fitted again; beyond it one step is as good."""
MOST_REFITS = 200
CHANCE_DRAWS = 40_000
"""Draws of customers from which the part of chance is reckoned."""
STEP = 1e-3
FARTHEST = 2.5
"""A step in the logs of the parameters beyond which a draw tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A total with its 95% interval."""

    value: float
    low: float = NAN
    high: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Orders, and money where it is known."""

    orders: Interval
    money: Interval
    orders_by_group: tuple[float, ...]
    money_by_group: tuple[float, ...]


def totals_of(
    base: Base,
    people: People,
    worth: Worth,
    *,
    orders: Floats,
    discounted: Floats,
    horizon: float,
    draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Totals:
    """Totals over everybody with intervals.

    Args:
        orders, discounted: (G,) per customer of each row, as `Base` tells.
        draws: Of the bootstrap; 0: no intervals.
    """
    count = base.collapsed.count
    rows = len(count)
    known = worth.why_not == ""
    each = worth.each if known else np.zeros(len(people.row))
    per_row = np.bincount(people.row, weights=each, minlength=rows).astype(float)
    total, money = float(count @ orders), float(per_row @ discounted)
    groups = len(base.groups)
    by_group = tuple(np.bincount(base.place, weights=count * orders, minlength=groups).tolist())
    money_by_group = tuple(np.bincount(base.place, weights=per_row * discounted, minlength=groups).tolist())
    blank = Totals(
        orders=Interval(value=total),
        money=Interval(value=money if known else NAN),
        orders_by_group=by_group,
        money_by_group=money_by_group if known else (NAN,) * groups,
    )
    if draws <= 0 or base.fit.why_not:
        return blank
    # A later order is worth less by the same part whatever the parameters are, to first order.
    worth_of_later = np.divide(discounted, orders, out=np.zeros(rows), where=orders > 0)
    again = rows <= REFIT_ROWS
    weights = rng.poisson(1.0, size=(min(draws, MOST_REFITS) if again else draws, BUCKETS)).astype(float)
    if again:
        drawn = _refitted(base, people, weights, horizon, per_row * worth_of_later)
    else:
        drawn = _stepped(base, people, weights, horizon, per_row * worth_of_later, (total, money))
    chance = _chance(base, horizon, orders, rng)
    noise = rng.standard_normal(len(drawn))
    sums = drawn[:, 0] + noise * np.sqrt(count @ chance)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(sums, [tail, 100 - tail])
    found = replace(blank, orders=Interval(value=total, low=max(float(low), 0.0), high=float(high)))
    if not known:
        return found
    squares = np.bincount(people.row, weights=each**2, minlength=rows)
    unsure = np.bincount(people.row, weights=worth.unsure, minlength=rows)
    spread = np.bincount(people.row, weights=worth.spread, minlength=rows)
    later = worth_of_later**2
    variance = float(
        (chance * later) @ squares + ((orders**2 + chance) * later) @ unsure + (orders * later) @ spread
    )
    # Everybody's mean moves with the customers drawn, and each leans on it in part.
    paid, bought = by_bucket(people, people.money), by_bucket(people, people.repeats)
    mean = (weights[: len(drawn)] @ paid) / np.maximum(weights[: len(drawn)] @ bought, 1e-300)
    whole = paid.sum() / bought.sum() if bought.sum() > 0 else NAN
    leaning = float((each * worth.lean * discounted[people.row]).sum())
    shift = leaning * (mean / whole - 1.0) if np.isfinite(whole) and whole != 0 else np.zeros(len(drawn))
    cash = drawn[:, 1] + shift + noise * np.sqrt(max(variance, 0.0))
    low, high = np.percentile(cash, [tail, 100 - tail])
    return replace(found, money=Interval(value=money, low=float(low), high=float(high)))


def _refitted(base: Base, people: People, weights: Floats, horizon: float, money: Floats) -> Floats:
    """(N, 2) totals of orders and money under the parameters of each draw; draws that cannot be fitted are left out."""
    rows = len(base.collapsed.count)
    cells = np.bincount(people.row * BUCKETS + people.bucket, minlength=rows * BUCKETS).reshape(rows, BUCKETS)
    found = []
    for row in weights:
        drawn = fit(
            replace(base.histories, count=cells @ row),
            model=base.fit.model,
            start=base.fit,
            covariates=base.covariates,
            stages=base.fit.stages if base.fit.model == "mbg-cnbd" else None,
            gain=1e-4,
        )
        if drawn.why_not:
            continue
        orders = base.orders(horizon, of=drawn)
        found.append((base.collapsed.count @ orders, money @ orders))
    if len(found) < len(weights) / 2:
        return np.full((1, 2), NAN)
    return np.array(found)


def _stepped(
    base: Base,
    people: People,
    weights: Floats,
    horizon: float,
    money: Floats,
    totals: tuple[float, float],
) -> Floats:
    slopes = scores(base.fit, base.histories, base.covariates)
    by = np.stack([by_bucket(people, slopes[people.row, p]) for p in range(slopes.shape[1])], axis=1)
    covariance = np.nan_to_num(base.fit.covariance)
    steps = np.clip((weights - 1.0) @ by @ covariance, -FARTHEST, FARTHEST)
    gradient = np.zeros((slopes.shape[1], 2))
    for p in np.flatnonzero(np.diag(covariance) > 0):
        size = min(STEP, float(np.sqrt(covariance[p, p])))
        high, low = (base.orders(horizon, of=_moved(base.fit, int(p), sign * size)) for sign in (1.0, -1.0))
        change = (high - low) / (2 * size)
        gradient[p] = base.collapsed.count @ change, money @ change
    values = np.array(totals)
    # Orders stay above 0, so their log is what moves evenly; money may be of any sign.
    moved = steps @ gradient
    orders = values[0] * np.exp(np.clip(moved[:, 0] / max(values[0], 1e-300), -5, 5))
    return np.stack([orders, values[1] + moved[:, 1]], axis=1)


def _moved(found: Fit, place: int, by: float) -> Fit:
    names = [name for name in found.parameters if name != "k"]
    if place < len(names):
        own = {**found.parameters, names[place]: found.parameters[names[place]] * float(np.exp(by))}
        return replace(found, parameters=own)
    key = list(found.coefficients)[place - len(names)]
    return replace(found, coefficients={**found.coefficients, key: found.coefficients[key] + by})


def _drawn(base: Base, horizon: float, rng: np.random.Generator) -> Floats:
    return draw_orders(base.fit, base.histories, horizon, rng, covariates=base.covariates)


def _chance(base: Base, horizon: float, orders: Floats, rng: np.random.Generator) -> Floats:
    """(G,) variance of a customer's orders about what is expected of him, from a few draws of each row."""
    rows = len(orders)
    times = int(np.clip(CHANCE_DRAWS // max(rows, 1), 1, 400))
    total = np.zeros(rows)
    for _ in range(times):
        total += (_drawn(base, horizon, rng) - orders) ** 2
    return total / times


def order_bounds(
    base: Base, horizon: float, rng: np.random.Generator, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """(G,) bounds between which a customer's orders fall with this probability, by drawing them."""
    rows = len(base.collapsed.count)
    times = 400 if rows <= 5_000 else 200 if rows <= 50_000 else 80
    drawn = np.empty((times, rows), dtype=np.float32)
    for at in range(times):
        drawn[at] = _drawn(base, horizon, rng)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0, method="nearest")
    return low.astype(float), high.astype(float)
