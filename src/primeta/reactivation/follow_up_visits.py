"""Visits and order lines of the assigned: how often they came, how they looked before they bought, and how broadly."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from primeta.errors import BadTable
from primeta.reactivation.follow_up_assigned import Assigned, end_of, seconds_since
from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.inputs import Given
from primeta.reactivation.records import Campaign, Floats, Note
from primeta.warehouse.clean import placeholder
from primeta.warehouse.duck import arrow, named, one, quoted, run
from primeta.warehouse.mapping import CANCELLED

LOOK_DAYS = 7
"""Visits in so many days before an order belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Which of the tables `visited` (`customer`, `seconds`, `category`) and `bought_lines` (the same) there are."""

    visits: bool = False
    categories_viewed: bool = False
    categories: bool = False
    notes: tuple[Note, ...] = ()


def place_visits(
    connection: duckdb.DuckDBPyConnection,
    visits: Given | None,
    lines: Given | None,
    orders: Given | None,
    assigned: Assigned,
    campaign: Campaign,
) -> Seen:
    """Make `visited` and `bought_lines` of what customers did after assignment (visits: and a week before).

    Raises:
        BadTable: lines can be joined to no customer or no time.
    """
    notes: list[Note] = []
    last = campaign.horizon_days * DAY
    if visits is not None:
        category = "CAST(NULL AS VARCHAR)"
        source = f"{visits.view} v"
        if "category" in visits:
            category = "v.category"
        elif "product_id" in visits and lines is not None and {"product_id", "category"} <= lines.columns:
            category = "c.category"
            source += (
                f" LEFT JOIN (SELECT product_id, min(category) AS category FROM {lines.view} WHERE product_id IS NOT NULL "
                "GROUP BY product_id) c ON v.product_id = c.product_id"
            )
        _place(
            connection,
            "visited",
            visits,
            source,
            "v",
            "happened_at",
            category,
            -LOOK_DAYS * DAY,
            last,
            assigned,
            campaign,
        )
    categories = lines is not None and "category" in lines
    if lines is not None and not categories:
        notes.append(Note("no-categories"))
    if lines is not None and categories:
        source, time, alias = _lines_source(lines, orders)
        _place(
            connection, "bought_lines", lines, source, alias, time, "l.category", 0, last, assigned, campaign
        )
    viewed = visits is not None and bool(
        one(connection, "SELECT count(*) FROM (SELECT 1 FROM visited WHERE category IS NOT NULL LIMIT 1)")[0]
    )
    return Seen(
        visits=visits is not None, categories_viewed=viewed, categories=bool(categories), notes=tuple(notes)
    )


def _lines_source(lines: Given, orders: Given | None) -> tuple[str, str, str]:
    """Rows of lines with a customer and a time: their own, else those of the order."""
    kept = []
    if "status" in lines:
        kept.append(
            f"NOT coalesce(lower(status) IN ({', '.join(quoted(word) for word in CANCELLED)}), false)"
        )
    kept += [f"coalesce({name}, 1) > 0" for name in ("quantity", "revenue") if name in lines]
    rows = f"(SELECT * FROM {lines.view} WHERE {' AND '.join(kept) or 'true'})"
    if {"customer_id", "ordered_at"} <= lines.columns:
        return f"{rows} l", "l.ordered_at", "l"
    if orders is None or orders.table != "orders" or "order_id" not in orders:
        raise BadTable(
            f"{lines.where}: lines carry no customer and time of their own, and the orders carry no order_id by which "
            f"to find them; say which column it is (columns order_id=THEIRS)."
        )
    number = (
        f", any_value({named('customer_id#')}) AS {named('customer_id#')}"
        if "customer_id" in orders.numbered
        else ""
    )
    one_each = (
        f"(SELECT order_id, any_value(customer_id) AS customer_id{number}, min(ordered_at) AS ordered_at FROM {orders.view} "
        "WHERE order_id IS NOT NULL AND revenue >= 0 GROUP BY order_id)"
    )
    return f"{rows} l JOIN {one_each} o ON l.order_id = o.order_id", "o.ordered_at", "o"


def _place(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    given: Given,
    source: str,
    alias: str,
    time: str,
    category: str,
    low: int,
    high: int,
    assigned: Assigned,
    campaign: Campaign,
) -> None:
    time = time if "." in time else f"{alias}.{time}"
    number = alias != "o" and "customer_id" in given.numbered and assigned.whole_ids
    ours, theirs = (
        ("p.number", f"{alias}.{named('customer_id#')}")
        if number
        else ("p.customer_id", f"{alias}.customer_id")
    )
    run(
        connection,
        f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM (SELECT p.customer, "
        f"{seconds_since(time)} AS seconds, {category} AS category "
        f"FROM {source} JOIN people p ON {ours} = {theirs} WHERE NOT ({placeholder(f'{alias}.customer_id')}) "
        f"AND {time} < TIMESTAMP '{end_of(campaign)}') WHERE seconds >= {low} AND seconds < {high}",
    )


def visit_traits(
    connection: duckdb.DuckDBPyConnection, seen: Seen, seen_days: int, low: int, high: int
) -> dict[str, Floats]:
    """Traits (n,) of the customers `low` … `high` − 1 over the time seen, as far as their tables were given."""
    whose = f"customer >= {low} AND customer < {high}"
    inside = f"{whose} AND seconds >= 0 AND seconds < {seen_days * DAY}"
    found: dict[str, Floats] = {}

    def counted(sql: str) -> Floats:
        rows = arrow(connection, f"SELECT customer - {low} AS place, n::DOUBLE AS n FROM ({sql})")
        values = np.zeros(high - low)
        values[rows.column("place").to_numpy()] = rows.column("n").to_numpy()
        return values

    def breadth(table: str) -> Floats:
        return counted(
            f"SELECT customer, count(DISTINCT category) AS n FROM {table} WHERE {inside} GROUP BY customer"
        )

    if seen.categories:
        found["categories"] = breadth("bought_lines")
    if seen.categories_viewed:
        found["categories_viewed"] = breadth("visited")
    if seen.visits:
        found["visits"] = counted(
            f"SELECT customer, count(*) AS n FROM visited WHERE {inside} GROUP BY customer"
        )
        orders = f"(SELECT customer, seconds FROM part WHERE revenue >= 0 AND seconds >= 0 AND seconds < {seen_days * DAY})"
        # How many visits there were up to a moment; the difference over a week is those of the week.
        steps = (
            "(SELECT customer, seconds, max(n) AS n FROM (SELECT customer, seconds, row_number() OVER (PARTITION BY "
            f"customer ORDER BY seconds) AS n FROM visited WHERE {whose}) GROUP BY customer, seconds)"
        )
        found["visits_before"] = counted(
            f"SELECT o.customer, sum(coalesce(a.n, 0) - coalesce(b.n, 0)) AS n FROM {orders} o "
            f"ASOF LEFT JOIN {steps} a ON o.customer = a.customer AND o.seconds >= a.seconds "
            f"ASOF LEFT JOIN {steps} b ON o.customer = b.customer AND o.seconds - {LOOK_DAYS * DAY} >= b.seconds "
            "GROUP BY o.customer"
        )
        found["visited_orders"] = counted(f"SELECT customer, count(*) AS n FROM {orders} GROUP BY customer")
    return found
