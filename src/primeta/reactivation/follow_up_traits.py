"""How customers behaved after the return: later orders, discounts, gaps, breadth, visits, second lapse, normality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np

from primeta.reactivation.follow_up_orders import DAY, Placed
from primeta.reactivation.follow_up_people import People
from primeta.reactivation.normality import LOYAL_ORDERS, Norm, lapsed_again, norm_of, normal
from primeta.reactivation.records import BUCKETS, Floats
from primeta.warehouse.duck import arrow, run

if TYPE_CHECKING:
    from primeta.reactivation.rhythm import RhythmPrior

LEARNT_FROM = 300_000
"""Customers enough to know the base's rhythm; more are left aside by their hash bucket."""


def traits_of(people: People, seen_days: int, norm: Norm | None) -> dict[str, Floats]:
    """Each trait that orders tell → (n,) over all customers, as far as the time seen goes."""
    orders = people["seen_orders"]
    returned = orders > 0
    later = np.maximum(orders - 1, 0)
    first = np.nan_to_num(people["first_seconds"])
    last = np.nan_to_num(people["seen_last"])
    off = np.where(returned, np.nan_to_num(people["first_discount"]), 0.0)
    listed = np.where(returned, np.nan_to_num(people["first_list_price"]), 0.0)
    none = later == 0
    found = {
        "returned": returned.astype(float),
        "later_orders": later,
        "later_discounted": np.where(none, 0.0, people["seen_discounted"] - (off > 0)),
        "later_list_price": np.where(none, 0.0, people["seen_bought_list_price"] - listed),
        "later_discount": np.where(none, 0.0, people["seen_bought_discount"] - off),
        "gap_days": np.where(none, 0.0, (last - first) / DAY),
        "gaps": later,
    }
    if norm is None:
        return found
    earlier = people["earlier"]
    earlier_days = np.nan_to_num(people["earlier_last"] - people["earlier_first"]) / DAY
    lapsed = np.zeros(len(people))
    at = np.flatnonzero(returned)
    gaps = np.maximum(earlier - 1, 0)
    lapsed[at] = lapsed_again(
        norm,
        gaps=gaps[at] + later[at],
        gap_days=earlier_days[at] + found["gap_days"][at],
        silent_days=seen_days - last[at] / DAY,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = found["later_discount"] / found["later_list_price"]
    is_normal = np.zeros(len(people))
    is_normal[at] = normal(
        norm,
        earlier_orders=earlier[at],
        earlier_gap_days=earlier_days[at],
        later_orders=later[at],
        days_since=seen_days - first[at] / DAY,
        discount_share=np.nan_to_num(share[at]),
        lapsed=lapsed[at] > 0,
    )
    return {**found, "lapsed_again": lapsed, "normal": is_normal}


def learn_norm(connection: duckdb.DuckDBPyConnection, placed: Placed, customers: int) -> Norm | None:
    """What is normal in this base, from orders before assignment; None where too few ever came back."""
    from primeta.reactivation.histories import Collapsed
    from primeta.reactivation.rhythm import rhythm_prior

    kept = min(BUCKETS, int(np.ceil(BUCKETS * LEARNT_FROM / max(customers, 1))))
    orders = "count(DISTINCT key)" if placed.lines else "count(*)"
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE history AS SELECT customer, {orders} AS orders, "
        f"count(DISTINCT floor(seconds / {DAY}.0)) AS active, min(seconds) AS first, max(seconds) AS last, "
        "sum(discount) AS discount, sum(revenue + discount) AS list_price FROM placed "
        "JOIN (SELECT customer FROM people "
        f"WHERE bucket < {kept}) USING (customer) WHERE revenue >= 0 AND seconds < 0 GROUP BY customer",
    )
    found = arrow(
        connection,
        f"SELECT floor(first / {DAY}.0)::BIGINT AS first_day, floor(last / {DAY}.0)::BIGINT AS last_day, "
        f"active, sum(1)::DOUBLE AS count FROM history GROUP BY ALL ORDER BY ALL",
    )
    if not len(found):
        return None
    # A rhythm counts days with an order: two orders of one day are one.
    first, last, active, count = (
        found.column(name).to_numpy() for name in ("first_day", "last_day", "active", "count")
    )
    prior: RhythmPrior | None = rhythm_prior(
        Collapsed(
            first_day=first.astype(np.int64),
            last_day=last.astype(np.int64),
            repeats=(active - 1).astype(np.int64),
            count=count.astype(float),
            until_day=0,
            group=np.zeros(len(count), dtype=np.int64),
        )
    )
    if prior is None:
        return None
    rows = arrow(
        connection,
        f"SELECT orders::DOUBLE AS orders, (last - first) / {DAY}::DOUBLE AS days, "
        "CASE WHEN list_price > 0 THEN discount / list_price ELSE 0 END AS share "
        f"FROM history WHERE orders >= {LOYAL_ORDERS} ORDER BY ALL",
    )
    orders_of, days, share = (rows.column(name).to_numpy() for name in ("orders", "days", "share"))
    return norm_of(prior, gaps=orders_of - 1, gap_days=days, shares=share, orders=orders_of)
