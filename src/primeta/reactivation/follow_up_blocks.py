"""Sums of what was ordered, by segment, arm, hash bucket and block of days since assignment."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.follow_up_people import People
from primeta.reactivation.follow_up_rows import Later
from primeta.reactivation.records import MEASURES, Floats, Ints
from primeta.warehouse.duck import arrow

Shape = tuple[int, int, int, int]


def new_sums(shape: Shape) -> dict[str, Floats]:
    """Each of MEASURES → zeros (S, A, B, K)."""
    return {name: np.zeros(shape) for name in MEASURES}


def add_blocks(sums: dict[str, Floats], people: People, later: Later, edges: Sequence[int]) -> None:
    """Add a part's rows to the sums; a customer counts in a block only if he lived through it."""
    block_of_day = np.searchsorted(edges, np.arange(edges[-1]), side="right") - 1
    block = block_of_day[later.seconds // DAY]
    counts = block < people["lived"][later.place]
    cell = people.cell[later.place] * (len(edges) - 1) + block
    one = np.ones(len(block))
    measures = {
        "orders": (one, later.bought),
        "revenue": (later.revenue, None),
        "list_price": (later.list_price, None),
        "discount": (later.discount, None),
        "code_discount": (later.discount, people.own_code(later)),
        "money": (later.money, None),
        "present": (later.present, None),
        "discounted_orders": (one, later.bought & (later.discount > 0)),
        "attributed_orders": (one, later.attributed),
        "attributed_revenue": (later.revenue, later.attributed),
        "attributed_money": (later.money, later.attributed),
    }
    for name, (values, only) in measures.items():
        rows = counts if only is None else counts & only
        _add_to(sums[name], cell[rows], values[rows])
    first = later.first[counts[later.first]]
    for name, values in (
        ("first_returns", one),
        ("first_money", later.money),
        ("first_list_price", later.list_price),
        ("first_discount", later.discount),
    ):
        _add_to(sums[name], cell[first], values[first])


def _add_to(table: Floats, cell: Ints, values: Floats) -> None:
    table += np.bincount(cell, values, minlength=table.size).reshape(table.shape)


def add_events(
    connection: duckdb.DuckDBPyConnection, sums: dict[str, Floats], table: str, what: dict[str, str]
) -> None:
    """Add aggregates of a table with `customer` and `seconds` (0 or more) to the sums."""
    rows = f"(SELECT t.*, segment, arm, bucket, lived FROM {table} t JOIN people USING (customer) WHERE seconds >= 0) r"
    listed = ", ".join(f"coalesce(CAST({sql} AS DOUBLE), 0) AS {name}" for name, sql in what.items())
    found = arrow(
        connection,
        f"SELECT segment, arm, bucket, block, {listed} FROM {rows} JOIN (SELECT day, block FROM days) d ON d.day = seconds // {DAY} "
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
