"""Each customer's part of a metric in one window of days: what series and experiments are both made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.config import Config
from primeta.warehouse.duck import run
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.metric import Measure, Metric
from primeta.warehouse.metrics import BUILT_IN, CONVERSION_DAYS, REACTION_DAYS, SILENT_DAYS
from primeta.warehouse.moments import per_customer
from primeta.warehouse.people import Ints
from primeta.warehouse.rows import MonthReader, Rows

Floats = npt.NDArray[np.float64]

BASE_DAYS = (365, 91, 28, 7)
_EPOCH = date(1970, 1, 1)


class WindowSums:
    """Sums over each customer in a window `start` ≤ day < `end`, worked out when they are first asked for."""

    def __init__(
        self, reader: MonthReader, last_order: Callable[[int], Ints], *, start: int, end: int, base_days: int
    ):
        """`last_order`: day → (customers,) the last day before it with an order, `NEVER` where there is none."""
        self.reader = reader
        self.last_order = last_order
        self.start, self.end = start, end
        self.base_days = base_days
        self._rows: dict[str, Rows | None] = {}
        self._sums: dict[tuple[str | Measure, int | None], tuple[Ints, Floats]] = {}

    def rows(self, table: str) -> Rows | None:
        if table not in self._rows:
            self._rows[table] = self.reader.days(table, self.start, self.end)
        return self._rows[table]

    @cached_property
    def _last_before(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        last = self.last_order(self.start)
        base = last >= self.start - self.base_days
        return base, base & (last < self.start - SILENT_DAYS)

    @property
    def in_base(self) -> npt.NDArray[np.bool_]:
        """(customers,) ordered in the `base_days` before the window."""
        return self._last_before[0]

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """(customers,) in the base, without an order in the 90 days before the window."""
        return self._last_before[1]

    def of(self, side: str | Measure, channel: int | None) -> tuple[Ints, Floats]:
        """Customers in order, and the sum of each."""
        key = (side, channel)
        if key not in self._sums:
            self._sums[key] = self._of(side, channel)
        return self._sums[key]

    def _of(self, side: str | Measure, channel: int | None) -> tuple[Ints, Floats]:
        if side == "base":
            return _members(self.in_base)
        if side == "silent":
            return _members(self.silent)
        if side == "churned":
            # The base first: to look at the end of the window moves on from its start.
            base = self.in_base
            return _members(base & (self.last_order(self.end) < self.end - SILENT_DAYS))
        if side in ("buyers", "returned") or (isinstance(side, str) and side.startswith("retained_")):
            rows = self.rows("purchases")
            if rows is None:
                return _NOBODY
            if isinstance(side, str) and side.startswith("retained_"):
                assert rows.gap is not None
                return per_customer(
                    rows.rank,
                    (rows.gap <= int(side.removeprefix("retained_"))).astype(np.float64),
                    first=True,
                )
            return per_customer(rows.rank, np.ones(len(rows.rank)), any_row=True)
        if side == "categories":
            return self._categories()
        table, name, any_row = sum_of(side)
        rows = self.rows(table)
        if rows is None:
            return _NOBODY
        rank, values = rows.rank, rows.sums[name]
        if channel is not None:
            assert rows.channel is not None
            keep = rows.channel == channel
            rank, values = rank[keep], values[keep]
        return per_customer(rank, values, any_row=any_row)

    def _categories(self) -> tuple[Ints, Floats]:
        rows = self.rows("order_lines")
        if rows is None:
            return _NOBODY
        assert rows.category is not None
        assert rows.is_return is not None
        keep = (rows.category >= 0) & ~rows.is_return
        width = int(rows.category.max(initial=0)) + 1
        pairs = np.unique(rows.rank[keep].astype(np.int64) * width + rows.category[keep])
        return per_customer((pairs // width).astype(np.int32), np.ones(len(pairs)))


_NOBODY = (np.empty(0, np.int32), np.empty(0))


def _members(inside: npt.NDArray[np.bool_]) -> tuple[Ints, Floats]:
    rank = np.flatnonzero(inside).astype(np.int32)
    return rank, np.ones(len(rank))


def sum_of(side: str | Measure) -> tuple[str, str, bool]:
    """Table, name and manner of a sum that is taken over rows."""
    if isinstance(side, Measure):
        return side.table, f"own_{hash_of(side)}", False
    known = BUILT_IN[side]
    return known.table, side, known.any


def row_sums(config: Config, metrics: Sequence[Metric]) -> dict[str, dict[str, str]]:
    """Table → name → SQL, for the sums that the metrics are made of."""
    found: dict[str, dict[str, str]] = {}
    for metric in metrics:
        for side in (metric.numerator, metric.denominator):
            table, name, _ = sum_of(side)
            if not table:
                continue
            sql = side.sum if isinstance(side, Measure) else BUILT_IN[side].sum
            if isinstance(side, Measure) and side.where:
                sql = f"CASE WHEN {side.where} THEN {side.sum} ELSE 0 END"
            if side == "margin" and config.margin is not None:
                paid, off = "CAST(revenue AS DOUBLE)", "coalesce(CAST(discount AS DOUBLE), 0)"
                cost = f"{1 - config.margin!r} * ({paid} + {off})"
                sql = f"coalesce({sql}, {paid} - {cost})"
            found.setdefault(table, {})[name] = sql
    return found


def reach(metric: Metric, base_days: int) -> tuple[tuple[str, ...], int, int]:
    """The tables a metric is made of, and the days before and after a period that it looks at."""
    tables: dict[str, None] = {}
    lookback, lookahead = 0, metric.maturity_days
    for side in (metric.numerator, metric.denominator):
        if isinstance(side, Measure):
            tables[side.table] = None
            continue
        for table, _ in BUILT_IN[side].needs:
            # Reactions come after their messages: they set no first day of their own.
            if table != "reactions":
                tables[table] = None
        if side in ("base", "silent", "churned"):
            lookback = base_days
        if side.startswith("retained_"):
            lookahead = max(lookahead, int(side.removeprefix("retained_")))
        if side == "converted":
            lookahead = max(lookahead, CONVERSION_DAYS)
        if BUILT_IN[side].table == "messages" and ("reactions", ()) in BUILT_IN[side].needs:
            lookahead = max(lookahead, REACTION_DAYS)
    return tuple(tables), lookback, lookahead


def first_day(connection: duckdb.DuckDBPyConnection, facts: Facts, table: str) -> date:
    """The first day of the first month with at least a hundredth of a usual month's rows.

    A handful of rows dated 1970 would otherwise make years of empty periods.
    """
    parts = facts.parts[table]
    if not parts:
        return _EPOCH
    usual = float(np.median([part.rows for part in parts]))
    part = next(part for part in parts if part.rows >= usual / 100)
    return run(connection, f"SELECT min(day) FROM read_parquet('{facts.path(part)}')")[0][0]


def base_days_of(facts: Facts, first_order: date | None, until: date | None) -> int:
    """Days before a window in which an order makes a customer one of the base.

    365; where the history up to `until` (default: the last whole day) is shorter than two years, the longest
    of 91, 28 and 7 that leaves as long a history to look at.
    """
    if first_order is None or not facts.parts.get("orders"):
        return BASE_DAYS[-1]
    end = min(facts.complete["orders"], until) if until else facts.complete["orders"]
    history = (end - first_order).days
    return next((days for days in BASE_DAYS if history >= 2 * days), BASE_DAYS[-1])


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def hash_of(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
