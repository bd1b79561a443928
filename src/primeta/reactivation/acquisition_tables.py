"""What the sources are told from: customers with their source, money by day, what to expect of them, and spend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadTable
from primeta.reactivation.acquisition_result import LEAST, UNKNOWN, Cohort
from primeta.reactivation.farms import UNITS
from primeta.reactivation.histories import OrderLog, day_number, day_of
from primeta.reactivation.inputs import Given
from primeta.reactivation.order_money import carries_margin
from primeta.warehouse.duck import arrow, one, quoted, run
from primeta.warehouse.mapping import local_day

Floats = npt.NDArray[np.float64]
GROUPS = 64
"""Hash groups of customers between which spread is known."""
SEED = 20_26


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the sources."""

    until: date
    margin: float | None = None
    cohort: Cohort = "quarter"
    horizon_days: int = 365
    returns: tuple[int, ...] = (30, 90, 180, 365)
    model: str = "bg-nbd"
    timezone: str = "UTC"
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What it is answered from; each is open on the connection."""

    orders: Given
    customers: Given
    spend: Given | None = None
    identities: Given | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """Every customer with an order, n rows, in the order of `people`."""

    source: npt.NDArray[np.int64]
    first_day: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    observed: Floats
    modelled: Floats
    revenue: Floats
    discount: Floats
    farm: npt.NDArray[np.bool_]


def make_days(connection: duckdb.DuckDBPyConnection, tables: Tables, asked: Asked) -> str:
    """`order_days` (as `OrderLog` wants it, with each customer's source as attribute) and `source_people`."""
    orders = tables.orders
    day = f"({local_day('ordered_at', asked.timezone)} - DATE '1970-01-01')::INTEGER"
    discount = f"coalesce({orders.or_null('discount')}, 0)"
    money, kind = "revenue", "revenue"
    if asked.margin is not None:
        money, kind = f"(revenue - {1 - asked.margin} * (revenue + {discount}))", "margin"
    if "margin" in orders:
        # A workspace's orders always have the column; it is empty where nobody mapped it.
        counted, filled = one(connection, f"SELECT count(*), count(margin) FROM {orders.view}")
        if carries_margin(filled, counted, where=orders.where, margin=asked.margin):
            money, kind = (f"coalesce(margin, {money})" if filled < counted else "margin"), "margin"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE source_of AS SELECT customer_id AS customer, "
        f"coalesce(nullif(trim(any_value(source)), ''), {quoted(UNKNOWN)}) AS attribute FROM {tables.customers.view} "
        "WHERE customer_id IS NOT NULL GROUP BY customer_id",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE order_days AS SELECT o.*, coalesce(s.attribute, "
        f"{quoted(UNKNOWN)}) AS attribute FROM (SELECT customer_id AS customer, {day} AS day, bool_or(revenue >= 0) AS is_order, "
        f"sum({money})::DOUBLE AS money, sum(revenue)::DOUBLE AS revenue, sum({discount})::DOUBLE AS discount FROM {orders.view} "
        f"WHERE customer_id IS NOT NULL AND {orders.carried_out} AND {day} <= {day_number(asked.until)} GROUP BY ALL) o "
        "LEFT JOIN source_of s USING (customer)",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE source_people AS SELECT row_number() OVER (ORDER BY customer) - 1 AS person, customer, "
        f"source, first_day, CAST(floor(bucket('primeta', customer) * {GROUPS}) AS INTEGER) AS grp, observed, revenue, discount "
        "FROM (SELECT customer, attribute AS source, first_day, coalesce(sum(money) FILTER (day - first_day BETWEEN 0 AND "
        f"{asked.horizon_days - 1}), 0) AS observed, sum(revenue) AS revenue, sum(discount) AS discount FROM order_days JOIN "
        "(SELECT customer, min(day) AS first_day FROM order_days WHERE is_order GROUP BY customer) USING (customer) GROUP BY ALL)",
    )
    return kind


def make_expected(connection: duckdb.DuckDBPyConnection, asked: Asked, money_of: str) -> str:
    """`source_expected`: money to expect of each customer from now to the end of his horizon, which began with his
    first order; why there is none, where the model cannot be fitted.
    """
    from primeta.reactivation.histories import Clock
    from primeta.reactivation.ltv_model import fit_base, group_sql
    from primeta.reactivation.ltv_money import people_of, worth_of
    from primeta.reactivation.ltv_totals import totals_of

    first, last, returns, lost, least = one(
        connection,
        "SELECT min(day) FILTER (is_order), max(day) FILTER (is_order), count(*) FILTER (NOT is_order), "
        "coalesce(bool_or(is_order AND money < 0), false), (SELECT min(n) FROM (SELECT count(*) AS n FROM source_people "
        "GROUP BY source)) FROM order_days",
    )
    end = day_number(asked.until)
    youngest = one(connection, "SELECT max(first_day) FROM source_people")[0]
    if end - int(youngest) + 1 >= asked.horizon_days:
        # Everybody was seen to the end of his horizon: nothing is left to a model.
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE source_expected AS SELECT customer, 0.0::DOUBLE AS value, 0.0::DOUBLE AS spread "
            "FROM source_people",
        )
        return ""
    log = OrderLog(
        connection=connection,
        source="the orders",
        until_day=end,
        first_day=int(first),
        last_day=int(last),
        has_money=True,
        money_kind=money_of,
        has_returns=bool(returns),
        has_losses=bool(lost),
        # Sources of a few customers have no parameters of their own.
        by="source" if int(least) >= LEAST else "",
        notes=(),
    )
    table, group = log.build("source_histories", end, money=True), group_sql(log, log.by)
    base = fit_base(
        log.collapse(table, end, group=group),
        model=asked.model,  # pyright: ignore[reportArgumentType]
        unit="day",
        clock=Clock.calendar("day"),
    )
    values, ids, spread = np.zeros(0), pa.array([], pa.string()), 0.0
    why = base.fit.why_not
    left = np.maximum(asked.horizon_days - (end - base.collapsed.first_day + 1), 0).astype(np.float64)
    if not why:
        people = people_of(log, table, base.collapsed, group, ids=True)
        worth = worth_of(people, known=True, may_lose=log.has_returns or log.has_losses)
        # What is left of the horizon differs from customer to customer: between a few horizons the expectation is
        # smooth and monotone.
        grid = np.unique(np.concatenate([[0.0], np.geomspace(1.0, asked.horizon_days, 14)]))
        course = np.stack([base.orders(float(days)) if days else np.zeros(len(left)) for days in grid])
        at = np.clip(np.searchsorted(grid, left, side="right") - 1, 0, len(grid) - 2)
        share = (left - grid[at]) / (grid[at + 1] - grid[at])
        rows = np.arange(len(left))
        orders = course[at, rows] * (1 - share) + course[at + 1, rows] * share
        values, ids = worth.each * orders[people.row], people.ids
        whole = base.orders(float(asked.horizon_days))
        money = totals_of(
            base,
            people,
            worth,
            orders=whole,
            discounted=whole,
            horizon=float(asked.horizon_days),
            draws=200,
            rng=np.random.default_rng(SEED),
        ).money
        if math.isfinite(money.low) and money.value:
            spread = (money.high - money.low) / (2 * 1.959964 * abs(money.value))
    rows = pa.table({"customer": ids, "value": values})
    connection.register("source_value_rows", rows)
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE source_expected AS SELECT customer, value, {spread} AS spread "
        "FROM source_value_rows",
    )
    connection.unregister("source_value_rows")
    return why


def read_base(connection: duckdb.DuckDBPyConnection, names: Sequence[str], *, farms: bool) -> Base:
    farm = f"customer IN (SELECT customer_id FROM {UNITS} WHERE farm)" if farms else "false"
    rows = arrow(
        connection,
        f"SELECT source, first_day, grp, observed, value, revenue, discount, {farm} AS farm FROM source_people "
        "LEFT JOIN source_expected USING (customer) ORDER BY person",
    )
    place = {name: at for at, name in enumerate(names)}

    def floats(name: str) -> Floats:
        return rows[name].to_numpy(zero_copy_only=False).astype(np.float64)

    return Base(
        source=np.array([place[name] for name in rows["source"].to_pylist()], dtype=np.int64),
        first_day=rows["first_day"].to_numpy().astype(np.int64),
        group=rows["grp"].to_numpy().astype(np.int64),
        observed=floats("observed"),
        modelled=floats("value"),
        revenue=floats("revenue"),
        discount=floats("discount"),
        farm=rows["farm"].to_numpy(zero_copy_only=False).astype(bool),
    )


def spend_of(
    connection: duckdb.DuckDBPyConnection, spend: Given | None, asked: Asked
) -> tuple[dict[str, list[tuple[int, float]]], date | None]:
    """Source → (day, money), and the first day on which any spend is known."""
    if spend is None:
        return {}, None
    day = f"({local_day('day', asked.timezone)} - DATE '1970-01-01')::INTEGER"
    rows = run(
        connection,
        f"SELECT coalesce(nullif(trim(source), ''), {quoted(UNKNOWN)}), {day} AS on_day, sum(money)::DOUBLE FROM {spend.view} "
        f"WHERE day IS NOT NULL AND money IS NOT NULL GROUP BY ALL HAVING on_day <= {day_number(asked.until)} ORDER BY ALL",
    )
    if any(money < 0 for _, _, money in rows):
        raise BadTable(f"{spend.where}: negative spend; money that was spent is above 0")
    found: dict[str, list[tuple[int, float]]] = {}
    for source, on_day, money in rows:
        found.setdefault(source, []).append((int(on_day), float(money)))
    return found, day_of(min(row[1] for row in rows)) if rows else None
