"""What to expect of customers who are still here: each different customer once, over a horizon, discounted or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from primeta.stats.customer_models import CustomerModel, Natural
from primeta.stats.customer_rows import CHUNK, Fit, Floats, Ints, Rows, model_of
from primeta.stats.histories import distinct
from primeta.stats.threads import each

NAN = float("nan")
AGES = 32
"""Ages between which forecasts are interpolated,"""
LONGEST = 3.0
"""where they span no more than this in logs: a factor of 20."""


def by_chunk(n: int, work: Callable[[slice], Floats]) -> Floats:
    result = np.empty(n)

    def piece(part: slice) -> None:
        with np.errstate(under="ignore", over="ignore"):
            result[part] = work(part)

    each([(slice(s, min(s + CHUNK, n)),) for s in range(0, n, CHUNK)], piece)
    return result


def alive_value(fit: Fit, rows: Rows, value: Callable[..., Floats]) -> Floats:
    """(n,) a value of customers who are still here, reckoned once for each different customer.

    Where it depends on the orders and the age alone, and many ages go with one number of orders, it is reckoned at
    32 ages and interpolated between them: in the log of age it is analytic, and the error is of the order of 1e-10.
    """
    n = len(rows.x)
    if fit.why_not:
        return np.full(n, NAN)
    model = model_of(fit.model, fit.stages)
    by = [] if rows.group is None else [rows.group]
    if not model.looks_only_at_age():
        first, place = distinct(rows.x, rows.age, rows.last, *by)
        return by_chunk(
            len(first), lambda part: value(model, rows.at(fit, first[part]), *rows.part(first[part]))
        )[place]
    first, place = distinct(rows.x, rows.age, *by)
    example, kind = distinct(rows.x[first], *(part[first] for part in by))
    # singular only at ages −α (and −β): in logs from the nearer of them the range of ages is short
    nearer = np.broadcast_to(model.age_scale(rows.at(fit, first[example])), (len(example),))[kind]
    scaled = np.log(nearer + rows.age[first])
    low, high = np.full(len(example), np.inf), np.full(len(example), -np.inf)
    np.minimum.at(low, kind, scaled)
    np.maximum.at(high, kind, scaled)
    many = (np.bincount(kind) > 2 * AGES) & (high - low < LONGEST)
    found = np.empty(len(first))
    alone = np.flatnonzero(~many[kind])
    found[alone] = by_chunk(
        len(alone),
        lambda part: value(model, rows.at(fit, first[alone[part]]), *rows.part(first[alone[part]])),
    )
    together = np.flatnonzero(many[kind])
    if len(together):
        found[together] = _between_ages(
            fit, model, rows, first[together], kind[together], scaled[together], value
        )
    return found[place]


def _between_ages(
    fit: Fit,
    model: CustomerModel,
    rows: Rows,
    row: Ints,
    kind: Ints,
    scaled: Floats,
    value: Callable[..., Floats],
) -> Floats:
    """(m,) values of rows that share few numbers of orders, by barycentric interpolation at Chebyshev points.

    Args:
        row: (m,) rows; kind: (m,) which of them share orders and parameters.
        scaled: (m,) log of age and the time before birth at which forecasts are singular.
    Source:
        Berrut & Trefethen (2004), "Barycentric Lagrange interpolation", SIAM Review 46, 501, eq. 5.4.
    """
    example, kind = distinct(kind)
    kinds = len(example)
    low, high = np.full(kinds, np.inf), np.full(kinds, -np.inf)
    np.minimum.at(low, kind, scaled)
    np.maximum.at(high, kind, scaled)
    angle = (2 * np.arange(AGES) + 1) * np.pi / (2 * AGES)
    points, weights = np.cos(angle), np.sin(angle) * (-1.0) ** np.arange(AGES)
    centre, half = (low + high) / 2, (high - low) / 2
    nearer = np.broadcast_to(model.age_scale(rows.at(fit, row[example])), (kinds,))
    age = np.exp(centre[:, None] + half[:, None] * points) - nearer[:, None]
    whose = np.repeat(row[example], AGES)
    ages = np.maximum(age, 0.0).ravel()
    at_points = by_chunk(
        len(whose),
        lambda part: value(
            model, rows.at(fit, whose[part]), rows.x[whose[part]], rows.last[whose[part]], ages[part]
        ),
    )
    with np.errstate(divide="ignore"):
        logs = np.log(at_points).reshape(kinds, AGES)
    where = (scaled - centre[kind]) / half[kind]
    result = np.empty(len(row))
    for start in range(0, len(row), CHUNK):
        part = slice(start, start + CHUNK)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = weights / (where[part, None] - points)
            between = np.exp(np.einsum("ij,ij->i", share, logs[kind[part]]) / share.sum(axis=1))
        # an age that is one of the points, or values of 0 or inf, for which there are no logs to interpolate
        nearest = np.abs(where[part, None] - points).argmin(axis=1)
        result[part] = np.where(np.isfinite(between), between, np.exp(logs[kind[part], nearest]))
    return result


def undiscounted(
    model: CustomerModel, at: Natural, x: Floats, last: Floats, age: Floats, horizon: float
) -> Floats:
    if np.isinf(horizon):
        return model.expected_ever(at, x, age)
    return model.expected_alive(at, x, last, age, np.full((len(x), 1), float(horizon)))[:, 0]


def discounted(
    model: CustomerModel, at: Natural, x: Floats, last: Floats, age: Floats, horizon: float, delta: float
) -> Floats:
    """e^−δh Y(h) + δ ∫ e^−δu Y(u) du by Gauss–Legendre panels in ln(1 + u/scale); every term is positive."""
    end = min(horizon, 45.0 / delta)
    times, weights = _panels(end, max(min(end, 1.0 / delta) * 1e-6, 1e-300))
    ahead = np.append(times, end)
    orders = model.expected_alive(at, x, last, age, np.broadcast_to(ahead, (len(x), len(ahead))))
    through = orders[:, :-1] @ (weights * delta * np.exp(-delta * times))
    return through + np.exp(-delta * end) * orders[:, -1]


def _panels(end: float, scale: float) -> tuple[Floats, Floats]:
    """Nodes and weights on (0, `end`)."""
    length = np.log1p(end / scale)
    count = max(1, int(np.ceil(length / 1.6)))
    at, weight = np.polynomial.legendre.leggauss(8)
    edges = np.linspace(0, length, count + 1)
    v = (edges[:-1, None] + np.diff(edges)[:, None] * (at + 1) / 2).ravel()
    own = np.tile(weight / 2, count) * np.repeat(np.diff(edges), 8)
    return scale * np.expm1(v), own * scale * np.exp(v)
