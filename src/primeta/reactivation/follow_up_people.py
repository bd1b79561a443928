"""What each of the assigned did: one row a customer, from which totals, traits and his state at the end are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.records import BUCKETS, TOTALS, Floats, Ints
from primeta.stats.moments import Moments
from primeta.warehouse.duck import arrow, run

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days since assignment over which customers' totals are known: the window and the time seen."""

    window_days: int
    seen_days: int


class People:
    """The columns of a part of the customers, one row each, as arrays; `cell` is their place in (S, A, B)."""

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]], shape: tuple[int, int, int]) -> None:
        self._columns = columns
        self.shape = shape
        self.group = columns["segment"].astype(np.int64) * shape[1] + columns["arm"]
        self.cell = self.group * BUCKETS + columns["bucket"]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._columns[name]

    def __len__(self) -> int:
        return len(self.cell)

    def by_cell(self, values: Floats, rows: npt.NDArray[np.bool_]) -> Floats:
        """(S, A, B) sums over some of the customers."""
        flat = np.bincount(self.cell[rows], values[rows], minlength=int(np.prod(self.shape)))
        return flat.astype(np.float64).reshape(self.shape)

    def by_group(self, values: Floats) -> Floats:
        """(S, A) sums over all customers."""
        flat = np.bincount(self.group, values, minlength=self.shape[0] * self.shape[1])
        return flat.astype(np.float64).reshape(self.shape[:2])

    def moments(self, columns: Floats, rows: npt.NDArray[np.bool_]) -> Moments:
        """(S, A) moments of (n, k) columns over some of the customers."""
        groups = self.shape[0] * self.shape[1]
        k = columns.shape[1]
        n, mean, scatter = np.zeros(groups), np.zeros((groups, k)), np.zeros((groups, k, k))
        for group in range(groups):
            own = Moments.of_rows(columns[rows & (self.group == group)])
            n[group], mean[group], scatter[group] = own.n, own.mean, own.scatter
        return Moments(
            n.reshape(self.shape[:2]),
            mean.reshape(*self.shape[:2], k),
            scatter.reshape(*self.shape[:2], k, k),
        )


def make_firsts(connection: duckdb.DuckDBPyConnection, last_day: int) -> None:
    """Make `firsts`: of each customer of `part`, his first order since assignment.

    Of several at the same moment the largest is taken, so that the answer is always the same.
    """
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE firsts AS SELECT p.customer, p.seconds, "
        "max({'revenue': revenue, 'discount': discount, 'money': money}) AS first FROM part p JOIN "
        f"(SELECT customer, min(seconds) AS seconds FROM part WHERE bought AND seconds >= 0 AND seconds < {last_day * DAY} "
        "GROUP BY customer) f ON p.customer = f.customer AND p.seconds = f.seconds WHERE bought GROUP BY ALL",
    )


def read_people(
    connection: duckdb.DuckDBPyConnection,
    span: Span,
    low: int,
    high: int,
    shape: tuple[int, int, int],
    *,
    last_day: int,
) -> People:
    """One row for each of the customers `low` … `high` − 1, from `part`, `firsts` and (where it is) `contacts`.

    Times are in seconds since assignment, NULL as NaN; `earlier…` is before it, `window_…` and `seen_…` are sums
    over the window and the time seen, `until_…` up to the last edge that the follow-up covers, `half_…` up to half
    of that.
    """
    year = f"seconds >= {-YEAR_DAYS * DAY}"
    earlier = [
        "count(*) FILTER (bought) AS earlier",
        "min(seconds) FILTER (bought) AS earlier_first",
        "max(seconds) FILTER (bought) AS earlier_last",
        f"count(*) FILTER (bought AND {year}) AS year_orders",
        f"sum(revenue) FILTER ({year}) AS year_revenue",
    ]
    inside, half = "bought AND seconds < covered * 86400", "bought AND seconds < covered * 43200"
    later = [
        f"count(*) FILTER ({inside}) AS until_orders",
        f"max(seconds) FILTER ({inside}) AS until_last",
        f"count(*) FILTER ({half}) AS half_orders",
        f"max(seconds) FILTER ({half}) AS half_last",
        "sum(present) FILTER (seconds >= covered * 43200 AND seconds < covered * 86400) AS then_present",
    ]
    for name, days in (("window", span.window_days), ("seen", span.seen_days)):
        early = f"seconds < {days * DAY}"
        later.append(f"count(*) FILTER (bought AND {early}) AS {name}_orders")
        later += [
            f"sum({column}) FILTER ({early}) AS {name}_{column}"
            for column in ("money", "revenue", "list_price", "discount", "code_discount")
        ]
    early = f"bought AND seconds < {span.seen_days * DAY}"
    later += [
        f"max(seconds) FILTER ({early}) AS seen_last",
        f"count(*) FILTER ({early} AND discount > 0) AS seen_discounted",
        f"sum(list_price) FILTER ({early}) AS seen_bought_list_price",
        f"sum(discount) FILTER ({early}) AS seen_bought_discount",
    ]
    nothing = {"earlier_first", "earlier_last", "until_last", "half_last", "seen_last"}
    listed = ", ".join(
        f"CAST({side}.{name} AS DOUBLE) AS {name}"
        if name in nothing
        else f"coalesce(CAST({side}.{name} AS DOUBLE), 0) AS {name}"
        for side, parts in (("e", earlier), ("l", later))
        for name in (part.rpartition(" AS ")[2] for part in parts)
    )
    table = arrow(
        connection,
        f"SELECT p.customer, p.segment, p.arm, p.bucket, p.followed, p.covered, {listed}, "
        "CAST(f.seconds AS DOUBLE) AS first_seconds, f.first.discount AS first_discount, "
        "f.first.revenue + f.first.discount AS first_list_price FROM "
        f"(SELECT * FROM people WHERE customer >= {low} AND customer < {high}) p "
        f"LEFT JOIN (SELECT customer, {', '.join(earlier)} FROM part WHERE seconds < 0 GROUP BY customer) e "
        "ON e.customer = p.customer "
        f"LEFT JOIN (SELECT customer, {', '.join(later)} FROM part WHERE seconds >= 0 AND seconds < {last_day * DAY} "
        "GROUP BY customer) l ON l.customer = p.customer LEFT JOIN firsts f ON f.customer = p.customer",
    )
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    for name in ("segment", "arm", "bucket", "customer"):
        columns[name] = columns[name].astype(np.int64)
    return People(columns, shape)


def totals_of(people: People, name: str, contact: Floats) -> Floats:
    """(n, k) each customer's TOTALS over `window` or `seen`; `contact` (n,) is taken off his money."""
    found = {
        column: people[f"{name}_{column}"]
        for column in ("revenue", "orders", "list_price", "discount", "code_discount")
    }
    found["money"] = people[f"{name}_money"] - contact
    found["returned"] = (found["orders"] > 0).astype(float)
    return np.stack([found[column] for column in TOTALS], axis=1)


def before_of(people: People) -> dict[str, Floats]:
    """Sums (S, A), and of squares, of what was known before assignment; `silent_days` of those who had ordered."""
    columns = {
        "orders": people["year_orders"],
        "revenue": people["year_revenue"],
        "silent_days": -np.nan_to_num(people["earlier_last"]) / DAY,
        "ordered_before": (people["earlier"] > 0).astype(float),
    }
    return {
        name + power: people.by_group(values if not power else values**2)
        for name, values in columns.items()
        for power in ("", "²")
    }


def fill_silence(before: dict[str, Floats], n: Floats) -> None:
    """Who never ordered has no silence; he gets the mean of all others, so that he tips no arm (in place)."""
    ordered = before["ordered_before"]
    if not ordered.sum():
        before.pop("silent_days"), before.pop("silent_days²")
        return
    mean = before["silent_days"].sum() / ordered.sum()
    before["silent_days"] += (n - ordered) * mean
    before["silent_days²"] += (n - ordered) * mean**2


def discounts_of(people: People, followed: npt.NDArray[np.bool_]) -> list[tuple[Floats, Ints, Ints]]:
    """Arm by arm, of its returners within the window: discount, bucket, segment."""
    found = []
    for arm in range(people.shape[1]):
        rows = followed & (people["window_orders"] > 0) & (people["arm"] == arm)
        found.append((people["window_code_discount"][rows], people["bucket"][rows], people["segment"][rows]))
    return found
