"""Customer-base models: who is still here, how much he will order, from three numbers a customer.

One door over BG/NBD, MBG/NBD, Pareto/NBD and regular timing: `fit` by maximum likelihood, then what to expect of
each customer and of a new one. Covariates that do not change over time move the parameters of their customers.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput
from primeta.stats.customer_fit import maximum, row_slopes
from primeta.stats.customer_forecast import alive_value, by_chunk, discounted, undiscounted
from primeta.stats.customer_rows import (
    Covariates,
    Fit,
    Floats,
    ModelName,
    design_of,
    model_of,
    prepared,
    rows_from,
)
from primeta.stats.histories import Histories, per_unit_discount
from primeta.stats.regular_timing import MOST_STAGES

NAN = float("nan")


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
    rows = prepared(histories, covariates)
    if model != "mbg-cnbd":
        return maximum(rows, model, 1, start, gain)
    if stages is not None:
        if not 1 <= stages <= MOST_STAGES:
            raise BadInput(f"{stages} stages of regular timing; expected 1 to {MOST_STAGES}")
        return maximum(rows, model, stages, start, gain)
    best = maximum(rows, model, 1, start, gain)
    # the likelihood has one top over k (Platzer & Reutterer 2016 stop at the first fall too)
    for k in range(2, MOST_STAGES + 1):
        if best.why_not:
            break
        following = maximum(rows, model, k, best if start is None else start, gain)
        if following.why_not or following.log_likelihood <= best.log_likelihood:
            break
        best = following
    return best


def log_likelihood_rows(fit: Fit, histories: Histories, covariates: Covariates | None = None) -> Floats:
    """(n,) log-likelihood of each history, its count not applied."""
    rows = rows_from(histories, covariates)
    value, _ = row_slopes(fit, rows)
    return value


def scores(fit: Fit, histories: Histories, covariates: Covariates | None = None) -> Floats:
    """(n, P) slopes of each history's log-likelihood by the logs of the parameters, then by the coefficients."""
    rows = rows_from(histories, covariates)
    _, slopes = row_slopes(fit, rows)
    design = design_of(model_of(fit.model, fit.stages), rows.traits)
    if rows.group is None:
        return slopes @ design[:, 0, :]
    return np.einsum("nj,jnp->np", slopes, design[:, rows.group, :])


def p_alive(fit: Fit, histories: Histories, covariates: Covariates | None = None) -> Floats:
    """(n,) probability that each customer has not left.

    Source:
        Schmittlein, Morrison & Colombo (1987); Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
    """
    rows = rows_from(histories, covariates, fit)
    model = model_of(fit.model, fit.stages)
    return by_chunk(len(rows.x), lambda part: model.p_alive(rows.at(fit, part), *rows.part(part)))


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
    rows = rows_from(histories, covariates, fit)
    return p_alive(fit, histories, covariates) * alive_value(
        fit, rows, lambda model, at, x, last, age: undiscounted(model, at, x, last, age, horizon)
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
    rows = rows_from(histories, covariates, fit)
    return p_alive(fit, histories, covariates) * alive_value(
        fit, rows, lambda model, at, x, last, age: discounted(model, at, x, last, age, horizon, delta)
    )


def expected_new(fit: Fit, t: npt.ArrayLike) -> Floats:
    """(n,) repeat orders of a customer within t of his first order: E[X(t)], t in the fit's unit.

    Source:
        Fader, Hardie & Lee (2005), eq. 9; Schmittlein, Morrison & Colombo (1987), eq. 17.
    """
    time = np.atleast_1d(np.asarray(t, dtype=np.float64))
    _from_zero("t", float(time.min(initial=0.0)))
    model = model_of(fit.model, fit.stages)
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
    model = model_of(fit.model, fit.stages)
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
    rows = rows_from(histories, covariates, fit)
    model = model_of(fit.model, fit.stages)
    if fit.why_not:
        return np.full(len(rows.x), NAN)
    everyone = np.arange(len(rows.x))
    return model.draw(rows.at(fit, everyone), rows.x, rows.last, rows.age, float(horizon), rng)


def _from_zero(name: str, value: float) -> None:
    if not value >= 0:
        raise BadInput(f"{name} is {value}; expected 0 or more")


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
    "scores",
]
