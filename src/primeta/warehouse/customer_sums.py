"""A past window as if an experiment had been in it: each customer's part of a metric, and the same before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.config import Config
from primeta.warehouse.duck import arrow, connect, plain_errors, quoted, run
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.metric import Measure, Metric
from primeta.warehouse.metrics import CONVERSION_DAYS, SILENT_DAYS
from primeta.warehouse.outcomes import Side, no_rows, outcome_of
from primeta.warehouse.people import Ints
from primeta.warehouse.rows import NEVER, MonthReader
from primeta.warehouse.window_sums import (
    BASE_DAYS,
    WindowSums,
    base_days_of,
    day_number,
    first_day,
    row_sums,
)

Floats = npt.NDArray[np.float64]

MOST = 1_000_000
"""Customers of the base that are taken at most: by lot, they tell of all."""
_OWN_DAYS = {"converted": CONVERSION_DAYS, "churned": SILENT_DAYS}
"""Numerators whose names say over how many days they are meant; `retained_N` says it too."""
_COUNTED = {"order": "buyers", "message": "touched", "categories": "categories"}
"""Sides of an outcome that are worked out customer by customer, and what the windows of series call them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomerSums:
    """One metric as an experiment measures it, a row for each customer who could have entered on the day `since`.

    `customers` (n,) places in the order of ids. `numerator` (n,) over `since` ≤ day < `until`; `denominator` (n,), or
    None where the metric is a mean or a share of those assigned. `before` (n, 1 or 2): the same sums over the days
    before `since`. Empty arrays with `why_not`.
    """

    metric: Metric
    customers: Ints
    numerator: Floats
    denominator: Floats | None
    before: Floats
    base: int = 0
    """Customers who could have entered; more than n where they are too many."""
    share: bool = False
    """Each customer has it or has not, or has a part of a whole."""
    since: date | None = None
    until: date | None = None
    why_not: str = ""
    """A code: `no-rows`, `short-history`, `two-years`, `known-before`."""
    figures: Mapping[str, object] = field(default_factory=dict)


class Past:
    """The sums of many metrics over recent finished windows; reads each month of the facts once.

    *Base* as in series: customers with an order in the 365 days before the window (91, 28 or 7 where the history
    is shorter); of reactivation, those of them who were silent for the last 90. Where there are no orders, everybody.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        config: Config,
        facts: Facts,
        metrics: Sequence[Metric],
        *,
        until: date | None,
        seed: int,
        most: int = MOST,
    ):
        self.connection = connection
        self.config = config
        self.facts = facts
        self.until = until
        self.seed = seed
        self.most = most
        run(connection, "SET preserve_insertion_order = true")
        found = arrow(
            connection,
            f"SELECT customer, customer_id FROM read_parquet({quoted(str(facts.customers_path))}) ORDER BY customer_id",
        )
        customer = found["customer"].to_numpy()
        self.ids = found["customer_id"].combine_chunks()
        self.n = len(customer)
        self.rank = np.empty(self.n, dtype=np.int32)
        self.rank[customer] = np.arange(self.n, dtype=np.int32)
        self.first_day = {table: first_day(connection, facts, table) for table in facts.parts}
        self.base_days = base_days_of(facts, self.first_day.get("orders"), until)
        channels = sorted({name for part in facts.parts.get("messages", ()) for name in part.channels})
        self.reader = MonthReader(
            connection,
            facts,
            self.rank,
            sums=row_sums(config, metrics),
            channels=tuple(channels),
            with_gaps=False,
        )
        self._windows: dict[tuple[int, int], WindowSums] = {}
        self._last: dict[int, Ints] = {}

    def sums(self, metric: Metric, *, days: int) -> CustomerSums:
        """One metric over its last finished window: its own days where its name says them, else `days`."""
        length = _own_days(metric) or days
        outcome = outcome_of(metric, self.config, name=metric.name, window_days=length, covariate_days=days)
        if isinstance(outcome, str):
            return _nothing(metric, outcome)
        gone = no_rows(outcome, self.facts)
        if gone:
            return _nothing(metric, "no-rows", tables=list(gone))
        with_orders = bool(self.facts.parts.get("orders"))
        silent = metric.denominator == "silent"
        if silent and self.base_days < BASE_DAYS[0]:
            return _nothing(metric, "two-years")
        tables = (*outcome.tables, *(("orders",) if with_orders else ()))
        complete = min(self.facts.complete[table] for table in tables)
        complete = min(complete, self.until) if self.until else complete
        end = complete - timedelta(days=outcome.lag_days)
        start = end - timedelta(days=length)
        back = max(days, self.base_days if with_orders else 0)
        earliest = max(self.first_day[table] for table in tables)
        if start - timedelta(days=back) < earliest:
            return _nothing(
                metric, "short-history", days=(complete - start).days + back, known=(complete - earliest).days
            )

        window = self._window(start, end)
        before = self._window(start - timedelta(days=days), start)
        members = np.ones(self.n, dtype=bool)
        if with_orders:
            members = window.silent if silent else window.in_base
        customers = np.flatnonzero(members).astype(np.int32)
        base = len(customers)
        if base > self.most:
            rng = np.random.default_rng(self.seed)
            customers = np.sort(rng.choice(customers, self.most, replace=False, shuffle=False))

        def filled(sums: WindowSums, side: Side, name: str | Measure) -> Floats:
            values = np.zeros(self.n)
            rank, amounts = sums.of(_COUNTED.get(side.name, name), None)
            values[rank] = amounts
            mine = values[customers]
            return 1 - mine if side.turned else mine

        top, bottom = outcome.terms[0].side, outcome.denominator
        known = [filled(before, top, metric.numerator)]
        if bottom is not None:
            known.append(filled(before, bottom, metric.denominator))
        return CustomerSums(
            metric=metric,
            customers=customers,
            numerator=filled(window, top, metric.numerator),
            denominator=None if bottom is None else filled(window, bottom, metric.denominator),
            before=np.stack(known, axis=1),
            base=base,
            share=outcome.kind == "share" or metric.unit == "share",
            since=start,
            until=end,
        )

    def names(self, customers: Ints) -> list[str]:
        """Ids of customers, as they are hashed into arms."""
        return self.ids.take(customers).to_pylist()

    def _window(self, start: date, end: date) -> WindowSums:
        key = day_number(start), day_number(end)
        if key not in self._windows:
            self._windows[key] = WindowSums(
                self.reader, self._last_order, start=key[0], end=key[1], base_days=self.base_days
            )
        return self._windows[key]

    def _last_order(self, day: int) -> Ints:
        """(customers,) the last day before `day` with an order, within reach of the base; else `NEVER`."""
        if day not in self._last:
            last = np.full(self.n, NEVER, dtype=np.int32)
            parts = [quoted(str(self.facts.path(part))) for part in self.facts.parts.get("orders", ())]
            number = "(day - DATE '1970-01-01')::INTEGER"
            rows = arrow(
                self.connection,
                f"SELECT customer, max({number}) AS last FROM read_parquet([{', '.join(parts)}]) "
                f"WHERE NOT is_return AND {number} < {day} AND {number} >= {day - self.base_days} GROUP BY customer",
            )
            last[self.rank[rows["customer"].to_numpy()]] = rows["last"].to_numpy()
            self._last[day] = last
        return self._last[day]


def past_sums(
    config: Config,
    facts: Facts,
    metrics: Sequence[Metric],
    *,
    days: int,
    seed: int,
    until: date | None = None,
) -> tuple[list[CustomerSums], Past]:
    """Every metric over its last finished window, and where they were read.

    Args:
        days: Of the window, and of the covariate before it.
        seed: Of the lot by which a very large base is thinned out.
        until: First day that counts as not yet seen; default: by each table, the day after its last whole one.
    Raises:
        EngineFailed, DiskFull: the facts cannot be read.
    """
    connection = connect()
    try:
        with plain_errors("reading customers' sums"):
            past = Past(connection, config, facts, metrics, until=until, seed=seed)
            return [past.sums(metric, days=days) for metric in metrics], past
    finally:
        connection.close()


def _own_days(metric: Metric) -> int:
    side = str(metric.numerator)
    retained = re.fullmatch(r"retained_(\d+)", side)
    return int(retained[1]) if retained else _OWN_DAYS.get(side, 0)


def _nothing(metric: Metric, why_not: str, **figures: object) -> CustomerSums:
    empty = np.empty(0)
    return CustomerSums(
        metric=metric,
        customers=np.empty(0, np.int32),
        numerator=empty,
        denominator=empty,
        before=np.empty((0, 1)),
        why_not=why_not,
        figures=figures,
    )
