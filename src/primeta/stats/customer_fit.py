"""The likeliest parameters of a customer-base model, with their standard errors and what is to be said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt

from primeta.stats.customer_models import CustomerModel, Terms
from primeta.stats.customer_rows import CHUNK, Fit, Floats, Ints, ModelName, Rows, design_of, model_of
from primeta.stats.histories import distinct, summed
from primeta.stats.newton import Top, climb
from primeta.stats.regular_timing import MOST_STAGES, timing_terms
from primeta.stats.threads import each

NAN = float("nan")
FEWEST_REPEATERS = 10.0
"""Customers with a repeat order below whom four parameters cannot be told."""
BOX = {
    "r": (1e-5, 1e5),
    "alpha": (1e-6, 1e7),
    "a": (1e-5, 1e5),
    "b": (1e-5, 1e5),
    "s": (1e-5, 1e5),
    "beta": (1e-6, 1e7),
}
"""Where parameters are looked for; times in units of the mean age."""
MANY = 16_000
"""Rows from which a part of them is fitted first."""
STEEPEST = 12.0
"""Largest coefficient of a covariate, up or down: a factor of 160,000."""


def maximum(rows: Rows, name: ModelName, stages: int, start: Fit | Floats | None, gain: float) -> Fit:
    model = model_of(name, stages)
    constant = float(rows.count @ timing_terms(rows.histories, stages))
    customers = float(rows.count.sum())
    repeaters = float(rows.count[rows.x > 0].sum())
    why_not = ""
    if customers <= 0:
        why_not = "no-customers"
    elif repeaters <= 0:
        why_not = "no-repeats"
    elif repeaters < FEWEST_REPEATERS:
        why_not = "few-repeats"
    if why_not:
        return _report(rows, name, model, stages, customers, None, NAN, why_not)
    scale = float(rows.count @ rows.age) / customers
    low, high = _box(model, rows, scale)
    at = _start(model, rows, start, scale)
    if start is None and len(rows.x) > MANY:
        # most of the way is climbed on an eighth of the rows: after collapsing they lie in the order of a hash
        at = climb(_hill(model, rows.every(8)), at, low, high, gain=1e-3).at
    top = climb(_hill(model, rows), at, low, high, gain=gain)
    if not top.converged:
        return _report(rows, name, model, stages, customers, top, constant, "not-converged")
    return _report(rows, name, model, stages, customers, top, constant, "")


def _box(model: CustomerModel, rows: Rows, scale: float) -> tuple[Floats, Floats]:
    bounds = np.array([BOX[parameter] for parameter in model.parameters])
    for i, parameter in enumerate(model.parameters):
        if parameter in ("alpha", "beta"):
            bounds[i] *= scale
    extra = rows.traits.shape[1] * len(model.covaried)
    low = np.concatenate([np.log(bounds[:, 0]), np.full(extra, -STEEPEST)])
    high = np.concatenate([np.log(bounds[:, 1]), np.full(extra, STEEPEST)])
    return low, high


def _start(model: CustomerModel, rows: Rows, start: Fit | Floats | None, scale: float) -> Floats:
    """Where to climb from: what was given, or the moments of the counts with a middling drop-out."""
    extra = rows.traits.shape[1] * len(model.covaried)
    if start is not None:
        logs = start.log_parameters if isinstance(start, Fit) else np.asarray(start, dtype=np.float64)
        if np.isfinite(logs).all() and len(logs) in (4, 4 + extra):
            return np.concatenate([logs, np.zeros(4 + extra - len(logs))])
    stages = getattr(model, "stages", 1)
    seen = rows.count @ rows.age
    rate = stages * float(rows.count @ rows.x) / seen
    r = 0.6
    third, fourth = (0.8, 2.0) if model.parameters[2] == "a" else (0.6, 0.5 * scale)
    return np.concatenate([np.log(np.array([r, r / rate / 1.5, third, fourth])), np.zeros(extra)])


def _hill(model: CustomerModel, rows: Rows) -> Callable[[Floats], tuple[float, Floats, Floats]]:
    """The log-likelihood of all rows with slope and curvature, as a function of log parameters and coefficients."""
    design = design_of(model, rows.traits)
    groups = len(rows.traits)
    if rows.group is None:
        first, place = distinct(rows.x)
        pair_group = np.zeros(len(first), dtype=np.int64)
    else:
        first, place = distinct(rows.x, rows.group)
        pair_group = rows.group[first]
    pair_x = rows.x[first]
    pair_count = summed(place, rows.count, len(first))
    n = len(rows.x)
    pieces = [(index, slice(s, min(s + CHUNK, n))) for index, s in enumerate(range(0, n, CHUNK))]

    def hill(logs: Floats) -> tuple[float, Floats, Floats]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            own = np.exp(np.einsum("jgp,p->jg", design, logs))
            single = rows.group is None
            at_pairs = [float(value[0]) for value in own] if single else [value[pair_group] for value in own]
            sums = [
                _sums(model.pair_terms(at_pairs, pair_x), pair_count, None if single else pair_group, groups)
            ]
            found: list[tuple[float, Floats, Floats] | None] = [None] * len(pieces)

            def work(index: int, part: slice) -> None:
                group = None if rows.group is None else rows.group[part]
                at = [float(value[0]) for value in own] if group is None else [value[group] for value in own]
                with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
                    terms = model.row_terms(at, rows.x[part], rows.last[part], rows.age[part])
                    found[index] = _sums(terms, rows.count[part], group, groups)

            each(pieces, work)
            sums += cast(list[tuple[float, Floats, Floats]], found)
        value = sum(part[0] for part in sums)
        slope = np.sum([part[1] for part in sums], axis=0)
        curvature = np.sum([part[2] for part in sums], axis=0)
        return (
            float(value),
            np.einsum("jg,jgp->p", slope, design),
            np.einsum("jkg,jgp,kgq->pq", curvature, design, design, optimize=True),
        )

    return hill


def _sums(terms: Terms, count: Floats, group: Ints | None, groups: int) -> tuple[float, Floats, Floats]:
    """Value, slopes (4, G) and curvatures (4, 4, G), summed with counts."""

    def total(of: Floats | float) -> Floats:
        if group is None:
            return np.atleast_1d(count @ np.broadcast_to(of, count.shape))
        return summed(group, count * of, groups)

    slope = np.stack([total(entry) for entry in terms.slope])
    curvature = np.zeros((4, 4, groups))
    for i, j, entry in terms.curvature:
        curvature[i, j] = total(entry)
        curvature[j, i] = curvature[i, j]
    return float(count @ terms.value), slope, curvature


def row_slopes(fit: Fit, rows: Rows) -> tuple[Floats, Floats]:
    """(n,) log-likelihoods and (n, 4) slopes by each row's own log parameters."""
    model = model_of(fit.model, fit.stages)
    n = len(rows.x)
    value, slopes = np.full(n, NAN), np.full((n, 4), NAN)
    if fit.why_not and not np.isfinite(fit.log_parameters).all():
        return value, slopes
    if rows.group is None:
        first, place = distinct(rows.x)
    else:
        first, place = distinct(rows.x, rows.group)
    pairs = model.pair_terms(rows.at(fit, first), rows.x[first])
    of_pairs = [np.broadcast_to(slope, first.shape) for slope in pairs.slope]

    def work(part: slice) -> None:
        terms = model.row_terms(rows.at(fit, part), *rows.part(part))
        value[part] = terms.value + pairs.value[place[part]]
        for i in range(4):
            slopes[part, i] = terms.slope[i] + of_pairs[i][place[part]]

    with np.errstate(under="ignore"):
        each([(slice(s, min(s + CHUNK, n)),) for s in range(0, n, CHUNK)], work)
    return value + timing_terms(rows.histories, fit.stages), slopes


def _report(
    rows: Rows,
    name: ModelName,
    model: CustomerModel,
    stages: int,
    customers: float,
    top: Top | None,
    constant: float,
    why_not: str,
) -> Fit:
    """The fit with its standard errors and what is to be said of it."""
    labels = [f"{model.parameters[index]}:{trait}" for index, _ in model.covaried for trait in rows.names]
    size = 4 + len(labels)
    logs = np.full(size, NAN) if top is None or why_not else top.at
    covariance = np.full((size, size), NAN)
    warnings: list[str] = []
    if top is not None and not why_not:
        covariance, flat = _covariance(-top.curvature, top.on_edge)
        everything = [*model.parameters, *labels]
        warnings += [f"edge-{everything[index]}" for index in np.flatnonzero(top.on_edge)]
        spread = np.sqrt(np.diag(covariance))
        warnings += [f"weak-{everything[index]}" for index in range(4) if spread[index] > 1]
        if flat:
            warnings.append("flat")
        if stages == MOST_STAGES:
            warnings.append("edge-k")
    errors = np.sqrt(np.diag(covariance))
    parameters = {key: float(np.exp(value)) for key, value in zip(model.parameters, logs[:4], strict=True)}
    if name == "mbg-cnbd":
        parameters["k"] = float(stages)
    return Fit(
        model=name,
        unit=rows.unit,
        parameters=parameters,
        errors={key: float(parameters[key] * errors[index]) for index, key in enumerate(model.parameters)},
        coefficients={key: float(value) for key, value in zip(labels, logs[4:], strict=True)},
        coefficient_errors={key: float(value) for key, value in zip(labels, errors[4:], strict=True)},
        covariance=covariance,
        log_likelihood=NAN if top is None or why_not else top.height + constant,
        customers=customers,
        converged=top is not None and top.converged,
        steps=0 if top is None else top.steps,
        why_not=why_not,
        warnings=tuple(warnings),
        covariates=rows.names,
    )


def _covariance(information: Floats, on_edge: npt.NDArray[np.bool_]) -> tuple[Floats, bool]:
    """Inverse of the information of what is not held by the edge; NaN where it is not positive definite."""
    size = len(information)
    covariance = np.full((size, size), NAN)
    free = np.flatnonzero(~on_edge)
    if not len(free):
        return covariance, True
    own = information[np.ix_(free, free)]
    values, vectors = np.linalg.eigh(0.5 * (own + own.T))
    if values.min() <= 1e-12 * values.max():
        return covariance, True
    covariance[np.ix_(free, free)] = (vectors / values) @ vectors.T
    return covariance, False
