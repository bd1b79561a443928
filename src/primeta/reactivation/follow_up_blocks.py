"""Sums of what was ordered, by segment, arm, hash bucket and block of days since assignment."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.records import MEASURES, Floats
from primeta.warehouse.duck import arrow

Shape = tuple[int, int, int, int]

_ORDERS = {
    "orders": "count(*) FILTER (bought)",
    "revenue": "sum(revenue)",
    "list_price": "sum(list_price)",
    "discount": "sum(discount)",
    "code_discount": "sum(code_discount)",
    "money": "sum(money)",
    "present": "sum(present)",
    "discounted_orders": "count(*) FILTER (bought AND discount > 0)",
    "attributed_orders": "count(*) FILTER (attributed)",
    "attributed_revenue": "sum(revenue) FILTER (attributed)",
    "attributed_money": "sum(money) FILTER (attributed)",
}
_FIRSTS = {
    "first_returns": "count(*)",
    "first_money": "sum(first.money)",
    "first_list_price": "sum(first.revenue + first.discount)",
    "first_discount": "sum(first.discount)",
}


def new_sums(shape: Shape) -> dict[str, Floats]:
    """Each of MEASURES → zeros (S, A, B, K)."""
    return {name: np.zeros(shape) for name in MEASURES}


def add_blocks(connection: duckdb.DuckDBPyConnection, sums: dict[str, Floats], last_day: int) -> None:
    """Add what `part` and `firsts` hold to the sums; a customer counts in a block only if he lived through it."""
    _add(connection, sums, f"(SELECT * FROM part WHERE seconds >= 0 AND seconds < {last_day * DAY})", _ORDERS)
    _add(
        connection,
        sums,
        "(SELECT f.*, segment, arm, bucket, lived FROM firsts f JOIN people USING (customer))",
        _FIRSTS,
    )


def add_events(
    connection: duckdb.DuckDBPyConnection, sums: dict[str, Floats], table: str, what: dict[str, str]
) -> None:
    """Add aggregates of a table with `customer` and `seconds` (0 or more) to the sums."""
    rows = f"(SELECT t.*, segment, arm, bucket, lived FROM {table} t JOIN people USING (customer) WHERE seconds >= 0)"
    _add(connection, sums, rows, what)


def _add(
    connection: duckdb.DuckDBPyConnection, sums: dict[str, Floats], rows: str, what: dict[str, str]
) -> None:
    listed = ", ".join(f"coalesce(CAST({sql} AS DOUBLE), 0) AS {name}" for name, sql in what.items())
    found = arrow(
        connection,
        f"SELECT segment, arm, bucket, block, {listed} FROM {rows} r JOIN (SELECT day, block FROM days) d ON d.day = seconds // {DAY} "
        "WHERE block < lived GROUP BY segment, arm, bucket, block",
    )
    at = tuple(found.column(name).to_numpy() for name in ("segment", "arm", "bucket", "block"))
    for name in what:
        sums[name][at] += found.column(name).to_numpy()


def at_risk(n_lived: Sequence[tuple[int, int, int, int, int]], shape: Shape) -> npt.NDArray[np.float64]:
    """(S, A, B, K) customers who lived through each block, from counts by (segment, arm, bucket, lived)."""
    counts = np.zeros((*shape[:3], shape[3] + 1))
    for segment, arm, bucket, lived, customers in n_lived:
        counts[segment, arm, bucket, lived] = customers
    # Who lived through k blocks lived through each of the first k.
    return counts[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
