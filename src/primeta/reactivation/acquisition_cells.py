"""Money per customer of one source or cohort with its spread, held against what he cost; and who beats whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.facts import start_of
from primeta.reactivation.acquisition_result import LEAST, UNKNOWN, Flip, Payback, Return, Source
from primeta.reactivation.acquisition_tables import GROUPS, Asked, Base
from primeta.reactivation.histories import day_number, day_of
from primeta.reactivation.records import NAN
from primeta.stats.cumulated import Cumulated, cumulated
from primeta.warehouse.duck import arrow, one

Floats = npt.NDArray[np.float64]
LONGEST = 730
"""Days since the first order over which payback is looked for."""


class Cells:
    """What is told of the customers of one source, or of one source and cohort."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        base: Base,
        names: Sequence[str],
        asked: Asked,
        spent: Mapping[str, list[tuple[int, float]]],
        since: date | None,
        *,
        has_farms: bool,
    ) -> None:
        self._base, self._names, self._asked = base, names, asked
        self._spent, self._since, self._farms = spent, since, has_farms
        self._end = day_number(asked.until)
        rows = arrow(
            connection,
            "SELECT person, day - first_day AS age, money FROM order_days JOIN source_people USING (customer) "
            f"WHERE day - first_day BETWEEN 0 AND {LONGEST - 1}",
        )
        self._person = rows["person"].to_numpy().astype(np.int64)
        self._age = rows["age"].to_numpy().astype(np.int64)
        self._money = rows["money"].to_numpy(zero_copy_only=False).astype(np.float64)
        self._spread = float(one(connection, "SELECT coalesce(max(spread), 0) FROM source_expected")[0])

    def labels(self) -> npt.NDArray[np.object_]:
        """(n,) the cohort of each customer: 2026-03, 2026-Q1 or 2026."""
        days, place = np.unique(self._base.first_day, return_inverse=True)
        return np.array([self._label(day_of(int(day))) for day in days], dtype=object)[place]

    def _label(self, day: date) -> str:
        grain = self._asked.cohort
        if grain == "year":
            return str(day.year)
        start = start_of(day, grain)  # pyright: ignore[reportArgumentType]
        if grain == "month":
            return f"{start:%Y-%m}"
        return f"{start.year}-Q{(start.month + 2) // 3}"

    def row(self, at: int, cohort: str, own: npt.NDArray[np.bool_]) -> Source:
        base, name = self._base, self._names[at]
        n = int(own.sum())
        spend, cost, counted = self._cost(name, cohort, own)
        observed, modelled = base.observed[own], base.modelled[own]
        whole = observed + modelled
        few = n < LEAST
        ltv = low = high = NAN
        if not few:
            ltv = float(whole.mean())
            low, high = self._interval(whole, modelled, base.group[own], n)
        list_price = float((base.revenue[own] + base.discount[own]).sum())
        course = self._course(counted if math.isfinite(cost) else own)
        return Source(
            source=name,
            cohort=cohort,
            customers=n,
            observed=NAN if few else float(observed.mean()),
            modelled=NAN if few else float(modelled.mean()),
            ltv=ltv,
            low=low,
            high=high,
            discount_share=float(base.discount[own].sum()) / list_price if list_price > 0 else NAN,
            farm_share=float(base.farm[own].mean()) if self._farms else NAN,
            spend=spend,
            cost=cost,
            returns=tuple(_return(course, days, cost) for days in self._asked.returns),
            payback=_payback(course, cost),
            why_not="few" if few else "",
        )

    def _interval(
        self, whole: Floats, modelled: Floats, group: npt.NDArray[np.int64], n: int
    ) -> tuple[float, float]:
        """Of the mean: customers as drawn (between hash groups), and the model's own error beside it.

        The model's relative error of the whole base's total is taken up by the square root of how much smaller the
        source is, as if its parameters were its own; that counts some of the customers' luck twice, on the wide side.
        """
        mean = whole.mean()
        parts = np.bincount(group, whole - mean, minlength=GROUPS) / n
        used = int((np.bincount(group, minlength=GROUPS) > 0).sum())
        if used < 2 or not np.isfinite(mean):
            return NAN, NAN
        from scipy.special import stdtrit

        variance = used / (used - 1) * float(parts @ parts)
        own = self._spread * math.sqrt(len(self._base.source) / n) * abs(float(modelled.mean()))
        reach = float(stdtrit(used - 1, 0.975)) * math.sqrt(variance + own**2)
        return float(mean - reach), float(mean + reach)

    def _cost(
        self, name: str, cohort: str, own: npt.NDArray[np.bool_]
    ) -> tuple[float, float, npt.NDArray[np.bool_]]:
        """Spend, spend per customer, and the customers whom it is held against: acquired since spend is known."""
        rows = self._spent.get(name)
        if rows is None or self._since is None:
            return NAN, NAN, own
        since = day_number(self._since)
        if cohort:
            first = self._base.first_day[own]
            # A cohort that began before spend was known has spend nobody can tell.
            if min(self._start(int(first.min())), int(first.min())) < since:
                return NAN, NAN, own
            rows = [row for row in rows if self._label(day_of(row[0])) == cohort]
        counted = own & (self._base.first_day >= since)
        spend = sum(money for _, money in rows)
        n = int(counted.sum())
        return spend, spend / n if n >= LEAST else NAN, counted

    def _start(self, day: int) -> int:
        moment, grain = day_of(day), self._asked.cohort
        start = moment.replace(month=1, day=1) if grain == "year" else start_of(moment, grain)  # pyright: ignore[reportArgumentType]
        return day_number(start)

    def _course(self, own: npt.NDArray[np.bool_]) -> Cumulated:
        base = self._base
        rows = own[self._person]
        person = self._person[rows]
        return cumulated(
            age=self._age[rows],
            money=self._money[rows],
            group=base.group[person],
            followed=np.minimum(self._end - base.first_day[own] + 1, LONGEST),
            group_of=base.group[own],
            groups=GROUPS,
            least=LEAST,
        )


def _return(course: Cumulated, days: int, cost: float) -> Return:
    if days > course.days:
        return Return(days=days, money=NAN, value=NAN, low=NAN, high=NAN, why_not="young")
    at = days - 1
    money = float(course.value[at])
    if not (math.isfinite(cost) and cost > 0):
        return Return(days=days, money=money, value=NAN, low=NAN, high=NAN, why_not="no-spend")
    return Return(
        days=days,
        money=money,
        value=money / cost,
        low=float(course.low[at]) / cost,
        high=float(course.high[at]) / cost,
    )


def _payback(course: Cumulated, cost: float) -> Payback:
    if not math.isfinite(cost):
        return Payback(day=None, low=None, high=None, seen=course.days, why_not="no-spend")

    def first(curve: Floats) -> int | None:
        reached = np.flatnonzero(curve >= cost)
        return int(reached[0]) if len(reached) else None

    day = first(course.value)
    why = "" if day is not None else "not-yet" if course.days else "few"
    return Payback(day=day, low=first(course.high), high=first(course.low), seen=course.days, why_not=why)


def flips_of(rows: Sequence[Source]) -> list[Flip]:
    """Pairs where fewer first orders go with customers worth more, for sure (Bonferroni over all pairs)."""
    from scipy.special import ndtri

    known = [row for row in rows if math.isfinite(row.low) and row.source != UNKNOWN]
    pairs = [(more, other) for at, more in enumerate(known) for other in known[at + 1 :]]
    if not pairs:
        return []
    reach = float(ndtri(1 - 0.025 / len(pairs)))
    found = []
    for more, other in pairs:
        both = math.isfinite(more.cost) and math.isfinite(other.cost)
        gap = other.worth - more.worth if both else other.ltv - more.ltv
        error = math.hypot(more.high - more.low, other.high - other.low) / (2 * 1.959964)
        if other.customers < more.customers and gap - reach * error > 0:
            found.append(
                Flip(
                    more=more.source,
                    better=other.source,
                    difference=gap,
                    low=gap - reach * error,
                    high=gap + reach * error,
                )
            )
    return found
