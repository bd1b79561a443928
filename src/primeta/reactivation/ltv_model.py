"""A customer-base model over collapsed histories, with groups of customers that have parameters of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from primeta.reactivation.histories import Clock, Collapsed, Ints, OrderLog
from primeta.reactivation.records import Note
from primeta.stats.bg_nbd import BG_NBD
from primeta.stats.customer_base import (
    Covariates,
    Fit,
    Histories,
    ModelName,
    expected_discounted_orders,
    expected_orders,
    fit,
    p_alive,
)
from primeta.stats.mbg_nbd import MBG_NBD
from primeta.stats.pareto_nbd import PARETO_NBD
from primeta.stats.regular_timing import regular

Floats = npt.NDArray[np.float64]
COHORT = "cohort"
FEWEST_IN_GROUP = 30
"""Customers who came back, below whom a group cannot have parameters of its own."""
MOST_GROUPS = 12
OTHER = "other"
_COHORT_DAYS = 450
"""A shorter log is cut into cohorts of months, a longer one into quarters."""


def group_sql(log: OrderLog, by: str) -> str:
    """SQL of a customer's group over a table made by `OrderLog.build`."""
    if not by:
        return "''"
    if by != COHORT:
        return "coalesce(attribute, '?')"
    first = "(DATE '1970-01-01' + first_day::INTEGER)"
    if log.until_day - log.first_day < _COHORT_DAYS:
        return f"strftime({first}, '%Y-%m')"
    return f"strftime({first}, '%Y-Q') || quarter({first})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """Histories in the model's time with a fit; G rows."""

    collapsed: Collapsed
    histories: Histories
    covariates: Covariates | None
    fit: Fit
    place: Ints
    """(G,) group of each row, in `groups`."""
    groups: tuple[str, ...]
    notes: tuple[Note, ...] = ()

    @property
    def alive(self) -> Floats:
        return p_alive(self.fit, self.histories, self.covariates)

    def orders(self, horizon: float, *, of: Fit | None = None) -> Floats:
        """(G,) to expect of each customer."""
        return expected_orders(of or self.fit, self.histories, horizon=horizon, covariates=self.covariates)

    def discounted(self, horizon: float, annual_discount: float) -> Floats:
        return expected_discounted_orders(
            self.fit,
            self.histories,
            horizon=horizon,
            annual_discount=annual_discount,
            covariates=self.covariates,
        )

    def fits_by_group(self) -> list[Fit]:
        """The fit as each group has it: plain parameters, no covariates."""
        if self.covariates is None:
            return [self.fit] * len(self.groups)
        model = {"bg-nbd": BG_NBD, "mbg-nbd": MBG_NBD, "pareto-nbd": PARETO_NBD}.get(
            self.fit.model, regular(self.fit.stages)
        )
        found = []
        names = self.covariates.names
        for group in self.groups:
            own = dict(self.fit.parameters)
            for parameter, sign in model.covaried:
                key = model.parameters[parameter]
                if group in names:
                    own[key] *= float(np.exp(sign * self.fit.coefficients[f"{key}:{group}"]))
            found.append(
                replace(self.fit, parameters=own, coefficients={}, coefficient_errors={}, covariates=())
            )
        return found


def fit_base(
    collapsed: Collapsed, *, model: ModelName, unit: str, clock: Clock, start: Fit | None = None
) -> Base:
    """Fit a model to collapsed histories; each group large enough moves the parameters of its customers."""
    histories = collapsed.histories(unit, clock)
    place, groups, notes = _merged(collapsed)
    covariates = None
    if len(groups) > 1:
        values = np.zeros((len(place), len(groups) - 1))
        for column in range(1, len(groups)):
            values[place == column, column - 1] = 1.0
        covariates = Covariates(values=values, names=groups[1:])
    found = fit(histories, model=model, start=start, covariates=covariates)
    if found.why_not and covariates is not None:
        plain = fit(histories, model=model)
        if not plain.why_not:
            found, covariates, place, groups = plain, None, np.zeros(len(place), dtype=np.int64), ("",)
            notes = (*notes, Note("groups-not-fitted"))
    return Base(
        collapsed=collapsed,
        histories=histories,
        covariates=covariates,
        fit=found,
        place=place,
        groups=groups,
        notes=notes,
    )


def _merged(collapsed: Collapsed) -> tuple[Ints, tuple[str, ...], tuple[Note, ...]]:
    """Groups that can be told apart, the largest first; small ones share a group or go with the largest."""
    names = collapsed.groups
    if len(names) == 1:
        return np.zeros(len(collapsed.count), dtype=np.int64), names, ()
    again = np.bincount(
        collapsed.group, weights=collapsed.count * (collapsed.repeats > 0), minlength=len(names)
    )
    large = [int(at) for at in np.argsort(-again, kind="stable") if again[at] >= FEWEST_IN_GROUP][
        :MOST_GROUPS
    ]
    if not large:
        return np.zeros(len(collapsed.count), dtype=np.int64), ("",), (Note("few-in-group", _few(names)),)
    small = [at for at in range(len(names)) if at not in large]
    kept = [names[at] for at in large]
    target = np.zeros(len(names), dtype=np.int64)
    target[large] = np.arange(len(large))
    if small and again[small].sum() >= FEWEST_IN_GROUP:
        kept.append(OTHER if OTHER not in names else f"{OTHER} *")
        target[small] = len(kept) - 1
    notes = (Note("few-in-group", _few([names[at] for at in small])),) if small else ()
    return target[collapsed.group], tuple(kept), notes


def _few(names: Sequence[str]) -> dict[str, object]:
    shown = ", ".join(list(names)[:5]) + (" …" if len(names) > 5 else "")
    return {"least": FEWEST_IN_GROUP, "groups": shown}
