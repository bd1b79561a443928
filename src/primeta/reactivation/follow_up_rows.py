"""The order rows of a part of the customers as arrays: those before assignment and those after it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.records import Campaign, Floats, Ints
from primeta.warehouse.duck import arrow

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """Rows before assignment, m of them: whose (place in the part), when (seconds, below 0), how much."""

    place: Ints
    seconds: Ints
    revenue: Floats

    @property
    def bought(self) -> Flags:
        """An order, not a return."""
        return self.revenue >= 0


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """Rows from assignment on and up to the horizon, m of them."""

    place: Ints
    seconds: Ints
    revenue: Floats
    discount: Floats
    money: Floats
    """Margin of the order, before contact."""
    present: Floats
    """The same, discounted to the assignment; 365 days are a year."""
    coded: Flags
    bought: Flags
    attributed: Flags
    first: Ints
    """Which rows are their customer's first order since assignment."""

    @property
    def list_price(self) -> Floats:
        return self.revenue + self.discount


def read_earlier(connection: duckdb.DuckDBPyConnection, low: int) -> Earlier:
    """Rows of `part` before assignment; `low` is the number of its first customer."""
    rows = arrow(
        connection, f"SELECT customer - {low} AS place, seconds, revenue FROM part WHERE seconds < 0"
    )
    return Earlier(_column(rows, "place"), _column(rows, "seconds"), _column(rows, "revenue"))


def read_later(
    connection: duckdb.DuckDBPyConnection, campaign: Campaign, low: int, high: int, *, touched: str = ""
) -> Later:
    """Rows of `part` from assignment on.

    Args:
        low, high: The part's customers are `low` … `high` − 1.
        touched: Table of what an order is attributed to (`customer`, `seconds`); empty: to the assignment.
    """
    window = campaign.attribution_days * DAY
    orders, near = "part o", f"o.seconds < {window}"
    if touched:
        near = f"coalesce(o.seconds - t.seconds < {window}, false)"
        orders += (
            f" ASOF LEFT JOIN (SELECT customer, seconds FROM {touched} WHERE customer >= {low} AND customer < {high}) t "
            "ON o.customer = t.customer AND o.seconds >= t.seconds"
        )
    rows = arrow(
        connection,
        f"SELECT o.customer - {low} AS place, o.seconds, revenue, discount, money, coded, {near} AS near "
        f"FROM {orders} WHERE o.seconds >= 0 AND o.seconds < {campaign.horizon_days * DAY}",
    )
    place, seconds = _column(rows, "place"), _column(rows, "seconds")
    revenue, discount, money = (_column(rows, name) for name in ("revenue", "discount", "money"))
    coded, bought = _column(rows, "coded"), revenue >= 0
    daily = math.log1p(campaign.annual_discount) / 365
    return Later(
        place=place,
        seconds=seconds,
        revenue=revenue,
        discount=discount,
        money=money,
        present=money * np.exp(-daily / DAY * seconds) if daily else money,
        coded=coded,
        bought=bought,
        attributed=bought & (coded | _column(rows, "near")),
        first=_firsts(place, seconds, bought, (revenue, discount, money), high - low),
    )


def _firsts(
    place: Ints, seconds: Ints, bought: Flags, size: tuple[Floats, Floats, Floats], customers: int
) -> Ints:
    """Of each customer who has any, the row of his first order; of several at one moment the largest."""
    earliest = np.full(customers, np.iinfo(np.int64).max)
    np.minimum.at(earliest, place[bought], seconds[bought])
    rows = np.flatnonzero(bought & (seconds == earliest[place]))
    order = np.lexsort((*(-values[rows] for values in reversed(size)), place[rows]))
    rows = rows[order]
    own = place[rows]
    return rows[np.append(True, own[1:] != own[:-1])] if len(rows) else rows


def _column(rows: Any, name: str) -> npt.NDArray[Any]:
    values = rows.column(name).to_numpy()
    return values.astype(np.int64) if name in ("place", "seconds") else values
