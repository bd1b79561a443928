"""Customers as a customer-base model takes them: their covariates, the fit, and rows with parameters of their own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput, UnitMismatch
from primeta.stats.bg_nbd import BG_NBD
from primeta.stats.customer_models import CustomerModel
from primeta.stats.histories import Histories, Unit, distinct, summed
from primeta.stats.mbg_nbd import MBG_NBD
from primeta.stats.pareto_nbd import PARETO_NBD
from primeta.stats.regular_timing import regular

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ModelName = Literal["bg-nbd", "mbg-nbd", "pareto-nbd", "mbg-cnbd"]
CHUNK = 16_384
"""Rows that are worked on at a time: they stay in the cache."""


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
    larger than itself; `flat`: some combination of parameters is not bounded by the data; `edge-k`: the most regular
    timing that is tried."""
    covariates: tuple[str, ...] = ()

    @property
    def log_parameters(self) -> Floats:
        """(P,) where the fit is: a start for the next one."""
        names = model_of(self.model, 1).parameters
        return np.array([*(np.log(self.parameters[name]) for name in names), *self.coefficients.values()])

    @property
    def stages(self) -> int:
        return int(self.parameters.get("k", 1))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
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

    def every(self, step: int) -> Rows:
        """One row in `step`; their histories stay those of all."""
        return replace(
            self,
            x=self.x[::step],
            last=self.last[::step],
            age=self.age[::step],
            count=self.count[::step],
            group=None if self.group is None else self.group[::step],
        )

    def at(self, fit: Fit, rows: Ints | slice) -> list[float | Floats]:
        """The four parameters of these rows."""
        model = model_of(fit.model, fit.stages)
        own = np.exp(group_logs(model, fit.log_parameters, self.traits))
        if self.group is None:
            return [float(value) for value in own[:, 0]]
        return [value[self.group[rows]] for value in own]


def rows_from(histories: Histories, covariates: Covariates | None, fit: Fit | None = None) -> Rows:
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
    return Rows(
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


def prepared(histories: Histories, covariates: Covariates | None) -> Rows:
    """Rows for a fit: collapsed, without those that weigh nothing."""
    if covariates is None:
        rows = rows_from(histories.collapsed(), None)
        keep = rows.count > 0
        if keep.all():
            return rows
        part = rows.histories
        return rows_from(
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
    rows = rows_from(histories, covariates)
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


def model_of(name: ModelName, stages: int) -> CustomerModel:
    if name == "mbg-cnbd":
        return regular(stages)
    return {"bg-nbd": BG_NBD, "mbg-nbd": MBG_NBD, "pareto-nbd": PARETO_NBD}[name]


def design_of(model: CustomerModel, traits: Floats) -> Floats:
    """(4, G, P): how the four log parameters of each group follow from all that is fitted."""
    groups, q = traits.shape
    covaried = model.covaried if q else ()
    design = np.zeros((4, groups, 4 + q * len(covaried)))
    for i in range(4):
        design[i, :, i] = 1.0
    for place, (parameter, sign) in enumerate(covaried):
        design[parameter, :, 4 + place * q : 4 + (place + 1) * q] = sign * traits
    return design


def group_logs(model: CustomerModel, logs: Floats, traits: Floats) -> Floats:
    """(4, G)"""
    return np.einsum("jgp,p->jg", design_of(model, traits), logs)
