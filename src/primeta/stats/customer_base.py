"""Customer-base models: who is still here, how much he will order, from three numbers a customer.

One door over BG/NBD, MBG/NBD, Pareto/NBD and regular timing: `fit` by maximum likelihood, then what to expect of
each customer and of a new one. Covariates that do not change over time move the parameters of their customers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput, UnitMismatch
from primeta.stats.bg_nbd import BG_NBD
from primeta.stats.customer_models import CustomerModel, Natural, Terms, rows_of
from primeta.stats.histories import Histories, Unit, distinct, per_unit_discount, summed
from primeta.stats.mbg_nbd import MBG_NBD
from primeta.stats.newton import Top, climb
from primeta.stats.pareto_nbd import PARETO_NBD
from primeta.stats.regular_timing import MOST_STAGES, regular, timing_terms
from primeta.stats.threads import each

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ModelName = Literal["bg-nbd", "mbg-nbd", "pareto-nbd", "mbg-cnbd"]
NAN = float("nan")
CHUNK = 16_384
"""Rows that are worked on at a time: they stay in the cache."""
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
STEEPEST = 12.0
"""Largest coefficient of a covariate, up or down: a factor of 160,000."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariates:
    """q things known of each customer that do not change: (n, q), such as 1 for his arm and 0 for others."""

    values: Floats
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", tuple(self.names))
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise BadInput(
                f"covariates are {values.shape} with {len(self.names)} names; expected one column a name"
            )
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise BadInput(
                f"covariate {self.names[column]} of history {row + 1} is not a number; expected one"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A fitted model. Parameters are NaN where `why_not` says that they cannot be told."""

    model: ModelName
    unit: Unit
    parameters: dict[str, float]
    """`r`, `alpha`, then `a`, `b` or `s`, `beta`; for `mbg-cnbd` also `k`. With covariates: of a customer with zeros."""
    errors: dict[str, float]
    """Standard errors of the parameters (not of k); NaN where the data do not bound one."""
    coefficients: dict[str, float] = field(default_factory=dict)
    """`parameter:covariate` → γ, as in α = α₀ exp(−γ′z)."""
    coefficient_errors: dict[str, float] = field(default_factory=dict)
    covariance: Floats
    """(P, P) of the logs of the four parameters, then of the coefficients."""
    log_likelihood: float
    customers: float
    converged: bool
    steps: int = 0
    why_not: str = ""
    """`no-customers`, `no-repeats`, `few-repeats`, `not-converged`."""
    warnings: tuple[str, ...] = ()
    """`edge-NAME`: the likelihood rises to the edge of what is sought in NAME; `weak-NAME`: its standard error is
    larger than itself; `flat`: some combination of parameters is not bounded by the data."""
    covariates: tuple[str, ...] = ()

    @property
    def log_parameters(self) -> Floats:
        """(P,) where the fit is: a start for the next one."""
        names = _model_of(self.model, 1).parameters
        return np.array([*(np.log(self.parameters[name]) for name in names), *self.coefficients.values()])

    @property
    def stages(self) -> int:
        return int(self.parameters.get("k", 1))


def fit(
    histories: Histories,
    *,
    model: ModelName = "bg-nbd",
    start: Fit | Floats | None = None,
    covariates: Covariates | None = None,
    stages: int | None = None,
    gain: float = 1e-9,
) -> Fit:
    """Maximum likelihood.

    Args:
        histories: Collapsed here where that helps; counts may be any weights from 0 (a Poisson bootstrap).
        start: A fit nearby, or the logs of its parameters (then coefficients).
        covariates: One row a history.
        stages: k of `mbg-cnbd`; None: the likeliest of 1 … 12.
        gain: Stop when no step promises more log-likelihood than this.
    Returns:
        Parameters with standard errors from the curvature (observed information), by the delta method from logs.
    Raises:
        BadInput: An unknown model; covariates of other length.
    """
    if model not in get_args(ModelName):
        raise BadInput(f"model {model!r}; expected one of {', '.join(get_args(ModelName))}")
    rows = _prepare(histories, covariates)
    if model != "mbg-cnbd":
        return _fit(rows, model, 1, start, gain)
    if stages is not None:
        if not 1 <= stages <= MOST_STAGES:
            raise BadInput(f"{stages} stages of regular timing; expected 1 to {MOST_STAGES}")
        return _fit(rows, model, stages, start, gain)
    best = _fit(rows, model, 1, start, gain)
    # the likelihood has one top over k (Platzer & Reutterer 2016 stop at the first fall too)
    for k in range(2, MOST_STAGES + 1):
        if best.why_not:
            break
        following = _fit(rows, model, k, best if start is None else start, gain)
        if following.why_not or following.log_likelihood <= best.log_likelihood:
            break
        best = following
    return best


def log_likelihood_rows(fit: Fit, histories: Histories, covariates: Covariates | None = None) -> Floats:
    """(n,) log-likelihood of each history, its count not applied."""
    rows = _rows(histories, covariates)
    value, _ = _row_slopes(fit, rows)
    return value


def scores(fit: Fit, histories: Histories, covariates: Covariates | None = None) -> Floats:
    """(n, P) slopes of each history's log-likelihood by the logs of the parameters, then by the coefficients."""
    rows = _rows(histories, covariates)
    _, slopes = _row_slopes(fit, rows)
    design = _design(_model_of(fit.model, fit.stages), rows.traits)
    if rows.group is None:
        return slopes @ design[:, 0, :]
    return np.einsum("nj,jnp->np", slopes, design[:, rows.group, :])


def p_alive(fit: Fit, histories: Histories, covariates: Covariates | None = None) -> Floats:
    """(n,) probability that each customer has not left.

    Source:
        Schmittlein, Morrison & Colombo (1987); Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
    """
    rows = _rows(histories, covariates, fit)
    model = _model_of(fit.model, fit.stages)
    return _by_chunk(len(rows.x), lambda part: model.p_alive(rows.at(fit, part), *rows.part(part)))


def expected_orders(
    fit: Fit, histories: Histories, *, horizon: float, covariates: Covariates | None = None
) -> Floats:
    """(n,) orders to expect over the next `horizon`, averaged over "has left" and "is still here".

    Args:
        horizon: In the fit's unit, from 0; inf: over all time (inf where the expectation has no end).
    Source:
        Fader, Hardie & Lee (2005), eq. 10; Fader & Hardie (2005), eq. 41.
    """
    _from_zero("horizon", horizon)
    rows = _rows(histories, covariates, fit)
    return p_alive(fit, histories, covariates) * _alive_value(
        fit, rows, lambda model, at, x, last, age: _undiscounted(model, at, x, last, age, horizon)
    )


def expected_discounted_orders(
    fit: Fit,
    histories: Histories,
    *,
    horizon: float = np.inf,
    annual_discount: float,
    covariates: Covariates | None = None,
) -> Floats:
    """(n,) orders to expect over the next `horizon`, each worth e^−δt of one today.

    With an endless horizon this is DERT, the discounted expected residual transactions.

    Args:
        annual_discount: 0.15 for 15% a year (365 days); at 0 this is `expected_orders`.
    Source:
        Fader, Hardie & Lee (2005), "RFM and CLV", Journal of Marketing Research 42, 415, eq. 2, here as
        e^−δh Y(h) + δ ∫ e^−δu Y(u) du with Y(u) the expected orders by u.
    """
    _from_zero("horizon", horizon)
    delta = per_unit_discount(annual_discount, fit.unit)
    if delta == 0:
        return expected_orders(fit, histories, horizon=horizon, covariates=covariates)
    if delta < 0:
        raise BadInput(f"annual discount {annual_discount}; expected 0 or more")
    rows = _rows(histories, covariates, fit)
    return p_alive(fit, histories, covariates) * _alive_value(
        fit, rows, lambda model, at, x, last, age: _discounted(model, at, x, last, age, horizon, delta)
    )


def expected_new(fit: Fit, t: npt.ArrayLike) -> Floats:
    """(n,) repeat orders of a customer within t of his first order: E[X(t)], t in the fit's unit.

    Source:
        Fader, Hardie & Lee (2005), eq. 9; Schmittlein, Morrison & Colombo (1987), eq. 17.
    """
    time = np.atleast_1d(np.asarray(t, dtype=np.float64))
    _from_zero("t", float(time.min(initial=0.0)))
    model = _model_of(fit.model, fit.stages)
    at = [fit.parameters[name] for name in model.parameters]
    if fit.why_not:
        return np.full(len(time), NAN)
    nothing = np.zeros(1)
    here = model.p_alive(at, nothing, nothing, nothing)
    return here * model.expected_alive(at, nothing, nothing, nothing, time[None, :])[0]


def probability_of_count(fit: Fit, orders: npt.ArrayLike, t: npt.ArrayLike) -> Floats:
    """P(X(t) = n) of a customer with zeros for covariates; `orders` and `t` broadcast, t in the fit's unit."""
    orders, time = np.broadcast_arrays(np.asarray(orders, dtype=np.float64), np.asarray(t, dtype=np.float64))
    if fit.why_not:
        return np.full(orders.shape, NAN)
    model = _model_of(fit.model, fit.stages)
    at = [fit.parameters[name] for name in model.parameters]
    return model.share_with(at, orders.ravel(), time.ravel()).reshape(orders.shape)


def draw_orders(
    fit: Fit,
    histories: Histories,
    horizon: float,
    rng: np.random.Generator,
    *,
    covariates: Covariates | None = None,
) -> Floats:
    """(n,) orders over the next `horizon`, drawn from each customer's own posterior given the parameters."""
    _from_zero("horizon", horizon)
    rows = _rows(histories, covariates, fit)
    model = _model_of(fit.model, fit.stages)
    if fit.why_not:
        return np.full(len(rows.x), NAN)
    everyone = np.arange(len(rows.x))
    return model.draw(rows.at(fit, everyone), rows.x, rows.last, rows.age, float(horizon), rng)


# Rows


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Histories as the models take them, with customers of equal covariates in one group."""

    x: Floats
    last: Floats
    age: Floats
    count: Floats
    unit: Unit
    group: Ints | None
    traits: Floats
    """(G, q) covariates of each group."""
    names: tuple[str, ...]
    histories: Histories

    def part(self, rows: Ints | slice) -> tuple[Floats, Floats, Floats]:
        return self.x[rows], self.last[rows], self.age[rows]

    def at(self, fit: Fit, rows: Ints | slice) -> list[float | Floats]:
        """The four parameters of these rows."""
        model = _model_of(fit.model, fit.stages)
        own = np.exp(_group_logs(model, fit.log_parameters, self.traits))
        if self.group is None:
            return [float(value) for value in own[:, 0]]
        return [value[self.group[rows]] for value in own]


def _rows(histories: Histories, covariates: Covariates | None, fit: Fit | None = None) -> _Rows:
    names: tuple[str, ...] = ()
    group, traits = None, np.zeros((1, 0))
    if covariates is not None:
        names = covariates.names
        if len(covariates.values) != len(histories):
            raise BadInput(
                f"{len(covariates.values)} rows of covariates for {len(histories)} histories; expected one each"
            )
        first, group = (
            distinct(*covariates.values.T)
            if names
            else (np.zeros(1, dtype=np.int64), np.zeros(len(histories), dtype=np.int64))
        )
        traits = covariates.values[first]
    if fit is not None:
        if fit.unit != histories.unit:
            raise UnitMismatch(
                f"the histories are in {histories.unit}s but the fit is in {fit.unit}s; rebuild them with unit={fit.unit!r}"
            )
        if names != fit.covariates:
            raise BadInput(
                f"covariates {', '.join(names) or 'none'}; the fit has {', '.join(fit.covariates) or 'none'}"
            )
    return _Rows(
        histories.repeats,
        histories.last,
        histories.age,
        histories.weights,
        histories.unit,
        group,
        traits,
        names,
        histories,
    )


def _prepare(histories: Histories, covariates: Covariates | None) -> _Rows:
    """Rows for a fit: collapsed, without those that weigh nothing."""
    if covariates is None:
        rows = _rows(histories.collapsed(), None)
        keep = rows.count > 0
        if keep.all():
            return rows
        part = rows.histories
        return _rows(
            Histories(
                repeats=part.repeats[keep],
                last=part.last[keep],
                age=part.age[keep],
                count=part.weights[keep],
                unit=part.unit,
                log_gaps=None if part.log_gaps is None else part.log_gaps[keep],
            ),
            None,
        )
    rows = _rows(histories, covariates)
    assert rows.group is not None
    first, place = distinct(rows.x, rows.last, rows.age, rows.group)
    count = summed(place, rows.count, len(first))
    gaps = None
    if histories.log_gaps is not None:
        gaps = summed(place, rows.count * histories.log_gaps, len(first))
        gaps = np.divide(gaps, count, out=np.zeros_like(gaps), where=count > 0)
    own = Histories(
        repeats=rows.x[first],
        last=rows.last[first],
        age=rows.age[first],
        count=count,
        unit=rows.unit,
        log_gaps=gaps,
    )
    return replace(
        rows, x=own.repeats, last=own.last, age=own.age, count=count, group=rows.group[first], histories=own
    )


def _model_of(name: ModelName, stages: int) -> CustomerModel:
    if name == "mbg-cnbd":
        return regular(stages)
    return {"bg-nbd": BG_NBD, "mbg-nbd": MBG_NBD, "pareto-nbd": PARETO_NBD}[name]


def _design(model: CustomerModel, traits: Floats) -> Floats:
    """(4, G, P): how the four log parameters of each group follow from all that is fitted."""
    groups, q = traits.shape
    covaried = model.covaried if q else ()
    design = np.zeros((4, groups, 4 + q * len(covaried)))
    for i in range(4):
        design[i, :, i] = 1.0
    for place, (parameter, sign) in enumerate(covaried):
        design[parameter, :, 4 + place * q : 4 + (place + 1) * q] = sign * traits
    return design


def _group_logs(model: CustomerModel, logs: Floats, traits: Floats) -> Floats:
    """(4, G)"""
    return np.einsum("jgp,p->jg", _design(model, traits), logs)


def _from_zero(name: str, value: float) -> None:
    if not value >= 0:
        raise BadInput(f"{name} is {value}; expected 0 or more")


# The fit


def _fit(rows: _Rows, name: ModelName, stages: int, start: Fit | Floats | None, gain: float) -> Fit:
    model = _model_of(name, stages)
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
    hill = _hill(model, rows)
    tops = [
        climb(hill, each_start, low, high, gain=gain)
        for each_start in _starts(model, rows, start, scale, customers)
    ]
    top = max(tops, key=lambda found: found.height)
    if not top.converged:
        return _report(rows, name, model, stages, customers, top, constant, "not-converged")
    return _report(rows, name, model, stages, customers, top, constant, "")


def _box(model: CustomerModel, rows: _Rows, scale: float) -> tuple[Floats, Floats]:
    bounds = np.array([BOX[parameter] for parameter in model.parameters])
    for i, parameter in enumerate(model.parameters):
        if parameter in ("alpha", "beta"):
            bounds[i] *= scale
    extra = rows.traits.shape[1] * len(model.covaried)
    low = np.concatenate([np.log(bounds[:, 0]), np.full(extra, -STEEPEST)])
    high = np.concatenate([np.log(bounds[:, 1]), np.full(extra, STEEPEST)])
    return low, high


def _starts(
    model: CustomerModel, rows: _Rows, start: Fit | Floats | None, scale: float, customers: float
) -> list[Floats]:
    """Where to climb from: what was given, or the moments of the counts with a middling drop-out."""
    extra = rows.traits.shape[1] * len(model.covaried)
    if start is not None:
        logs = start.log_parameters if isinstance(start, Fit) else np.asarray(start, dtype=np.float64)
        if np.isfinite(logs).all() and len(logs) in (4, 4 + extra):
            return [np.concatenate([logs, np.zeros(4 + extra - len(logs))])]
    stages = getattr(model, "stages", 1)
    seen = rows.count @ rows.age
    rate = stages * float(rows.count @ rows.x) / seen
    r = 0.6
    tail = [0.8, 2.0] if model.parameters[2] == "a" else [0.6, 0.5 * scale]
    return [np.concatenate([np.log([r, r / rate / 1.5, *tail]), np.zeros(extra)])]


def _hill(model: CustomerModel, rows: _Rows) -> Callable[[Floats], tuple[float, Floats, Floats]]:
    """The log-likelihood of all rows with slope and curvature, as a function of log parameters and coefficients."""
    design = _design(model, rows.traits)
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


def _row_slopes(fit: Fit, rows: _Rows) -> tuple[Floats, Floats]:
    """(n,) log-likelihoods and (n, 4) slopes by each row's own log parameters."""
    model = _model_of(fit.model, fit.stages)
    n = len(rows.x)
    value, slopes = np.full(n, NAN), np.full((n, 4), NAN)
    if fit.why_not and not np.isfinite(fit.log_parameters).all():
        return value, slopes
    if rows.group is None:
        first, place = distinct(rows.x)
    else:
        first, place = distinct(rows.x, rows.group)
    pairs = model.pair_terms(rows.at(fit, first), rows.x[first])

    def work(part: slice) -> None:
        terms = model.row_terms(rows.at(fit, part), *rows.part(part))
        value[part] = terms.value + pairs.value[place[part]]
        for i in range(4):
            slopes[part, i] = terms.slope[i] + pairs.slope[i][place[part]]

    with np.errstate(under="ignore"):
        each([(slice(s, min(s + CHUNK, n)),) for s in range(0, n, CHUNK)], work)
    return value + timing_terms(rows.histories, fit.stages), slopes


def _report(
    rows: _Rows,
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


# Forecasts


def _by_chunk(n: int, work: Callable[[slice], Floats]) -> Floats:
    result = np.empty(n)

    def piece(part: slice) -> None:
        with np.errstate(under="ignore", over="ignore"):
            result[part] = work(part)

    each([(slice(s, min(s + CHUNK, n)),) for s in range(0, n, CHUNK)], piece)
    return result


def _alive_value(fit: Fit, rows: _Rows, value: Callable[..., Floats]) -> Floats:
    """(n,) a value of customers who are still here, reckoned once for each different customer.

    Where it depends on the orders and the age alone, and many ages go with one number of orders, it is reckoned at
    32 ages and interpolated between them: in the log of age it is analytic, and the error is of the order of 1e-10.
    """
    n = len(rows.x)
    if fit.why_not:
        return np.full(n, NAN)
    model = _model_of(fit.model, fit.stages)
    by = [] if rows.group is None else [rows.group]
    if not model.looks_only_at_age():
        first, place = distinct(rows.x, rows.age, rows.last, *by)
        return _by_chunk(
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
    found[alone] = _by_chunk(
        len(alone),
        lambda part: value(model, rows.at(fit, first[alone[part]]), *rows.part(first[alone[part]])),
    )
    together = np.flatnonzero(many[kind])
    if len(together):
        found[together] = _between_ages(
            fit, model, rows, first[together], kind[together], scaled[together], value
        )
    return found[place]


AGES = 32
"""Ages between which forecasts are interpolated,"""
LONGEST = 3.0
"""where they span no more than this in logs: a factor of 20."""


def _between_ages(
    fit: Fit,
    model: CustomerModel,
    rows: _Rows,
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
    at_points = _by_chunk(
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


def _undiscounted(
    model: CustomerModel, at: Natural, x: Floats, last: Floats, age: Floats, horizon: float
) -> Floats:
    if np.isinf(horizon):
        return model.expected_ever(at, x, age)
    return model.expected_alive(at, x, last, age, np.full((len(x), 1), float(horizon)))[:, 0]


def _discounted(
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


__all__ = [
    "Covariates",
    "Fit",
    "Histories",
    "ModelName",
    "draw_orders",
    "expected_discounted_orders",
    "expected_new",
    "expected_orders",
    "fit",
    "log_likelihood_rows",
    "p_alive",
    "probability_of_count",
    "rows_of",
    "scores",
]
