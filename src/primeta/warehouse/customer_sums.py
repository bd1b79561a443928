"""A past window as if an experiment had been in it: each customer's part of a metric, and the same before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.config import Config
from primeta.warehouse.duck import arrow, connect, plain_errors, quoted, run
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.metric import Metric
from primeta.warehouse.people import Ints
from primeta.warehouse.rows import NEVER, MonthReader
from primeta.warehouse.window_sums import (
    BASE_DAYS,
    WindowSums,
    base_days_of,
    day_number,
    first_day,
    reach,
    row_sums,
)

Floats = npt.NDArray[np.float64]
_READY_MADE = ("base", "silent")
"""Denominators that are 1 for each customer who could be assigned: the metric is then a mean over them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomerSums:
    """One metric over the window `since` ≤ day < `until`, a row for each customer of the base.

    `customers` (n,) places in the order of ids. `numerator` (n,); `denominator` (n,), or None where it is 1 for
    everybody. `before` (n, 1 or 2): the same sums over a window of the same length that had passed, with all
    that it looks ahead to, when this one began. Empty arrays with `why_not`.
    """

    metric: Metric
    customers: Ints
    numerator: Floats
    denominator: Floats | None
    before: Floats
    since: date | None = None
    until: date | None = None
    why_not: str = ""
    """A code: `no-rows`, `short-history`, `two-years`, `too-short`."""
    figures: Mapping[str, object] | None = None


class Past:
    """The sums of many metrics over recent finished windows; reads each month of the facts once.

    *Base* as in series: customers with an order in the 365 days before the window (91, 28 or 7 where the history
    is shorter). Where there are no orders, everybody is the base.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        config: Config,
        facts: Facts,
        metrics: Sequence[Metric],
        *,
        until: date | None = None,
    ):
        """`until`: first day that counts as not yet seen; default: by each table, the day after its last whole one."""
        self.connection = connection
        self.facts = facts
        self.until = until
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
            with_gaps=any(str(metric.numerator).startswith("retained_") for metric in metrics),
        )
        self._windows: dict[tuple[int, int], WindowSums] = {}
        self._last: dict[int, Ints] = {}

    def sums(self, metric: Metric, *, days: int) -> CustomerSums:
        """One metric over its last finished window of so many days."""
        tables, lookback, lookahead = reach(metric, self.base_days)
        gone = [table for table in tables if not self.facts.parts.get(table)]
        if gone:
            return _nothing(metric, "no-rows", tables=gone)
        if {metric.numerator, metric.denominator} & {"churned", "silent"} and self.base_days < BASE_DAYS[0]:
            return _nothing(metric, "two-years")
        complete = min(self.facts.complete[table] for table in tables)
        complete = min(complete, self.until) if self.until else complete
        end = complete - timedelta(days=lookahead)
        start = end - timedelta(days=days)
        earliest = max(self.first_day[table] for table in tables)
        # What is known at the start: the window before has passed, and whatever it waits for as well.
        before_end = start - timedelta(days=lookahead)
        before_start = before_end - timedelta(days=days)
        needed = min(before_start, start - timedelta(days=lookback))
        if needed < earliest:
            return _nothing(metric, "short-history", days=(end - needed).days, known=(end - earliest).days)

        window, before = self._window(start, end), self._window(before_start, before_end)
        if metric.denominator == "silent":
            members = window.silent
        elif self.facts.parts.get("orders"):
            members = window.in_base
        else:
            members = np.ones(self.n, dtype=bool)
        customers = np.flatnonzero(members).astype(np.int32)

        def filled(sums: WindowSums, side) -> Floats:
            values = np.zeros(self.n)
            rank, amounts = sums.of(side, None)
            values[rank] = amounts
            return values[customers]

        alone = metric.denominator in _READY_MADE
        known = [filled(before, metric.numerator)]
        if not alone:
            known.append(filled(before, metric.denominator))
        return CustomerSums(
            metric=metric,
            customers=customers,
            numerator=filled(window, metric.numerator),
            denominator=None if alone else filled(window, metric.denominator),
            before=np.stack(known, axis=1),
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
            if parts:
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
    until: date | None = None,
) -> tuple[list[CustomerSums], Past]:
    """Every metric over its last finished window of `days` days, and where they were read.

    Raises:
        EngineFailed, DiskFull: the facts cannot be read.
    """
    connection = connect()
    try:
        with plain_errors("reading customers' sums"):
            past = Past(connection, config, facts, metrics, until=until)
            return [past.sums(metric, days=days) for metric in metrics], past
    finally:
        connection.close()


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
