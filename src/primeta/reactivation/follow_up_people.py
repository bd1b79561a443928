"""What each of the assigned did: one row a customer, from which totals, traits and his state at the end are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.follow_up_rows import Earlier, Later
from primeta.reactivation.records import BUCKETS, TOTALS, Floats, Ints
from primeta.stats.moments import Moments
from primeta.warehouse.duck import arrow

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days since assignment over which customers' totals are known: the window and the time seen."""

    window_days: int
    seen_days: int


class People:
    """The columns of a part of the customers, one row each, as arrays; `cell` is their place in (S, A, B)."""

    def __init__(
        self,
        columns: Mapping[str, npt.NDArray[Any]],
        shape: tuple[int, int, int],
        has_code: tuple[bool, ...],
    ) -> None:
        self._columns = columns
        self.shape = shape
        self._any_discount = ~np.array(has_code, dtype=bool)
        self.group = columns["segment"].astype(np.int64) * shape[1] + columns["arm"]
        self.cell = self.group * BUCKETS + columns["bucket"]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._columns[name]

    def __len__(self) -> int:
        return len(self.cell)

    def own_code(self, later: Later) -> npt.NDArray[np.bool_]:
        """Of which rows the discount is that of the arm's code; an arm without one counts every discount."""
        return later.coded | self._any_discount[self["arm"]][later.place]

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


def read_people(
    connection: duckdb.DuckDBPyConnection,
    low: int,
    high: int,
    *,
    shape: tuple[int, int, int],
    has_code: Sequence[bool],
    span: Span,
    earlier: Earlier,
    later: Later,
) -> People:
    """One row for each of the customers `low` … `high` − 1, from the table `people` and their order rows.

    Times are in seconds since assignment, NaN where there is none; `earlier…` is before it, `window_…` and `seen_…`
    are sums over the window and the time seen, `until_…` up to the last edge that the follow-up covers, `half_…` up
    to half of that, `then_present` is money from there on.
    """
    table = arrow(
        connection,
        "SELECT customer, segment, arm, bucket, followed, lived, covered FROM people "
        f"WHERE customer >= {low} AND customer < {high} ORDER BY customer",
    )
    columns: dict[str, npt.NDArray[Any]] = {
        name: table.column(name).to_numpy() for name in table.column_names
    }
    for name in ("customer", "segment", "arm", "bucket", "lived", "covered"):
        columns[name] = columns[name].astype(np.int64)
    people = People(columns, shape, tuple(has_code))
    n = high - low

    def summed(place: Ints, values: Floats | None, rows: npt.NDArray[np.bool_]) -> Floats:
        weights = None if values is None else values[rows]
        return np.bincount(place[rows], weights, minlength=n).astype(np.float64)

    def edge(place: Ints, seconds: Ints, rows: npt.NDArray[np.bool_], pick: np.ufunc) -> Floats:
        found = np.full(n, np.nan)
        pick.at(found, place[rows], seconds[rows].astype(np.float64))
        return found

    bought = earlier.bought
    year = earlier.seconds >= -YEAR_DAYS * DAY
    columns["earlier"] = summed(earlier.place, None, bought)
    columns["earlier_first"] = edge(earlier.place, earlier.seconds, bought, np.fmin)
    columns["earlier_last"] = edge(earlier.place, earlier.seconds, bought, np.fmax)
    columns["year_orders"] = summed(earlier.place, None, bought & year)
    columns["year_revenue"] = summed(earlier.place, earlier.revenue, year)

    place, seconds = later.place, later.seconds
    covered = columns["covered"][place] * DAY
    inside, second_half = seconds < covered, 2 * seconds >= covered
    columns["until_orders"] = summed(place, None, later.bought & inside)
    columns["until_last"] = edge(place, seconds, later.bought & inside, np.fmax)
    columns["half_orders"] = summed(place, None, later.bought & ~second_half)
    columns["half_last"] = edge(place, seconds, later.bought & ~second_half, np.fmax)
    columns["then_present"] = summed(place, later.present, inside & second_half)
    code_discount = np.where(people.own_code(later), later.discount, 0.0)
    for name, days in (("window", span.window_days), ("seen", span.seen_days)):
        early = seconds < days * DAY
        columns[f"{name}_orders"] = summed(place, None, later.bought & early)
        for column, values in (
            ("money", later.money),
            ("revenue", later.revenue),
            ("list_price", later.list_price),
            ("discount", later.discount),
            ("code_discount", code_discount),
        ):
            columns[f"{name}_{column}"] = summed(place, values, early)
    early = later.bought & (seconds < span.seen_days * DAY)
    columns["seen_last"] = edge(place, seconds, early, np.fmax)
    columns["seen_discounted"] = summed(place, None, early & (later.discount > 0))
    columns["seen_bought_list_price"] = summed(place, later.list_price, early)
    columns["seen_bought_discount"] = summed(place, later.discount, early)
    for name, values in (
        ("seconds", seconds),
        ("discount", later.discount),
        ("list_price", later.list_price),
    ):
        found = np.full(n, np.nan)
        found[place[later.first]] = values[later.first]
        columns[f"first_{name}"] = found
    return people


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
        del before["silent_days"], before["silent_days²"]
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
