"""Months of facts as arrays: who, on which day, and how much of each sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.warehouse.duck import arrow, named, plain_errors, quoted
from primeta.warehouse.facts_store import Facts
from primeta.warehouse.metrics import CONVERSION_DAYS, REACTION_DAYS
from primeta.warehouse.people import Ints

Floats = npt.NDArray[np.float64]
NEVER = np.int32(-(2**30))
_KEPT_MONTHS = 6
_FAR = np.int32(10**6)
# Retention looks at most 90 days ahead, which four months always hold.
_MONTHS_AHEAD = 4
_HUMAN = "NOT coalesce(machine, false)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of one table in the order of customers, then time.

    `rank` (n,) the customer, `day` (n,) days since 1970 in the workspace's zone, `sums` what each
    row adds to each sum; `is_return` for orders and lines; `channel`, `category` as places in a
    list, −1 where there is none.
    """

    rank: Ints
    day: Ints
    sums: dict[str, Floats] = field(default_factory=dict)
    is_return: npt.NDArray[np.bool_] | None = None
    channel: Ints | None = None
    category: Ints | None = None
    gap: Ints | None = None
    """Days until the same customer's next day with an order; large where none is known."""

    def take(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Rows:
        return Rows(
            rank=self.rank[keep],
            day=self.day[keep],
            sums={name: values[keep] for name, values in self.sums.items()},
            is_return=None if self.is_return is None else self.is_return[keep],
            channel=None if self.channel is None else self.channel[keep],
            category=None if self.category is None else self.category[keep],
            gap=None if self.gap is None else self.gap[keep],
        )


def joined(parts: list[Rows]) -> Rows:
    """Rows of several months as one, again in the order of customers, then time."""
    if len(parts) == 1:
        return parts[0]
    rank = np.concatenate([part.rank for part in parts])
    order = np.argsort(rank, kind="stable")

    def along(pick: Callable[[Rows], npt.NDArray | None]) -> npt.NDArray | None:
        found = [pick(part) for part in parts]
        known = [entry for entry in found if entry is not None]
        return np.concatenate(known)[order] if len(known) == len(found) else None

    day = np.concatenate([part.day for part in parts])[order]
    return Rows(
        rank=rank[order],
        day=day,
        sums={name: np.concatenate([part.sums[name] for part in parts])[order] for name in parts[0].sums},
        is_return=along(lambda part: part.is_return),
        channel=along(lambda part: part.channel),
        category=along(lambda part: part.category),
        gap=along(lambda part: part.gap),
    )


class _Weeks:
    """One month's rows put week by week once, so that a week is a slice and not a search."""

    def __init__(self, rows: Rows):
        self.source = rows
        # 1970-01-01 was a Thursday: ISO weeks begin on days that are 4 modulo 7.
        week = (rows.day + 3) // 7
        self.first_week = int(week.min(initial=0)) if len(week) else 0
        number = (week - self.first_week).astype(np.int16)
        self.rows = rows.take(np.argsort(number, kind="stable"))
        self.cuts = np.concatenate(([0], np.cumsum(np.bincount(number, minlength=6))))

    def between(self, first: int, last: int) -> Rows:
        """Rows of `first` ≤ day < `last`; within a week, a customer's rows stand side by side."""
        low = min(max((first + 3) // 7 - self.first_week, 0), len(self.cuts) - 1)
        high = min(max((last + 2) // 7 + 1 - self.first_week, low), len(self.cuts) - 1)
        found = self.rows.take(slice(self.cuts[low], self.cuts[high]))
        if len(found.day) and (found.day.min() < first or found.day.max() >= last):
            found = found.take((found.day >= first) & (found.day < last))
        if high - low > 1:
            found = found.take(np.argsort(found.rank, kind="stable"))
        return found


class MonthReader:
    """Reads months of the facts once each and keeps the latest few; counts the rows that it read."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        facts: Facts,
        rank: Ints,
        *,
        sums: Mapping[str, Mapping[str, str]],
        channels: tuple[str, ...],
        with_gaps: bool,
    ):
        """`sums`: table → name → SQL over the table's canonical columns; `with_gaps` where retention is asked for."""
        self.connection = connection
        self.facts = facts
        self.rank = rank
        self.sums = sums
        self.channels = channels
        self.with_gaps = with_gaps
        self.rows_read: dict[str, int] = {}
        self.months_read: dict[str, list[str]] = {}
        self._categories: dict[str, int] = {}
        self._kept: dict[tuple[str, str], Rows] = {}
        self._weeks: dict[tuple[str, str], _Weeks] = {}

    def month(self, table: str, month: str) -> Rows | None:
        """One month of a table, or nothing where it has no rows; `purchases` are orders but for returns."""
        if month not in self.facts.months("orders" if table == "purchases" else table):
            return None
        key = (table, month)
        if key not in self._kept:
            if table == "purchases":
                self._kept[key] = self._purchases(month)
            else:
                with plain_errors(f"reading {table} of {month}"):
                    self._kept[key] = self._read(table, month)
            mine = sorted(kept for kept in self._kept if kept[0] == table)
            for old in mine[: max(0, len(mine) - _KEPT_MONTHS)]:
                if old != key:
                    del self._kept[old]
        return self._kept[key]

    def days(self, table: str, first: int, last: int) -> Rows | None:
        """Rows of `first` ≤ day < `last` (days since 1970), or nothing where there are none.

        A customer's rows stand side by side, in the order of time.
        """
        parts: list[Rows] = []
        for month in months_between(first, last):
            rows = self.month(table, month)
            if rows is None:
                continue
            begin, end = month_start(month), month_start(shift_month(month, 1))
            if first <= begin and last >= end:
                parts.append(rows)
                continue
            inside = self._by_week(table, month, rows).between(first, last)
            if len(inside.rank):
                parts.append(inside)
        return joined(parts) if parts else None

    def _by_week(self, table: str, month: str, rows: Rows) -> _Weeks:
        key = (table, month)
        if key not in self._weeks or self._weeks[key].source is not rows:
            self._weeks = {kept: weeks for kept, weeks in self._weeks.items() if kept in self._kept}
            self._weeks[key] = _Weeks(rows)
        return self._weeks[key]

    def _purchases(self, month: str) -> Rows:
        orders = self.month("orders", month)
        assert orders is not None
        assert orders.is_return is not None
        rows = orders.take(~orders.is_return) if orders.is_return.any() else orders
        rows = Rows(rank=rows.rank, day=rows.day)
        return replace(rows, gap=self._gaps(month, rows)) if self.with_gaps else rows

    def _gaps(self, month: str, rows: Rows) -> Ints:
        """Days from each row to its customer's next day with an order."""
        later = np.full(len(self.rank), np.iinfo(np.int32).max, dtype=np.int32)
        for ahead in range(_MONTHS_AHEAD, 0, -1):
            orders = self.month("orders", shift_month(month, ahead))
            if orders is None:
                continue
            assert orders.is_return is not None
            keep = ~orders.is_return
            # Written from the last row to the first, so that each customer's first day stays.
            later[orders.rank[keep][::-1]] = orders.day[keep][::-1]
        if not len(rows.rank):
            return rows.day
        following = later[rows.rank]
        # Groups of one customer and day, from the last to the first: the next group's day where it is
        # the same customer's.
        starts = np.flatnonzero(
            np.concatenate(([True], (rows.rank[1:] != rows.rank[:-1]) | (rows.day[1:] != rows.day[:-1])))
        )
        rank, day = rows.rank[starts], rows.day[starts]
        next_day = following[starts]
        same = rank[1:] == rank[:-1]
        next_day[:-1][same] = day[1:][same]
        gap = np.minimum(next_day.astype(np.int64) - day, _FAR).astype(np.int32)
        return np.repeat(gap, np.diff(np.concatenate((starts, [len(rows.rank)]))))

    def _read(self, table: str, month: str) -> Rows:
        sums = self.sums.get(table, {})
        select = ["customer", "(day - DATE '1970-01-01')::INTEGER AS day_number"]
        if table in ("orders", "order_lines"):
            select.append("is_return")
        if table == "order_lines":
            select.append("category")
        if table == "messages":
            select.append("channel")
        select += [f"coalesce(CAST(({sql}) AS DOUBLE), 0) AS {named(name)}" for name, sql in sums.items()]
        if table == "messages":
            asked = any("converted" in sql for sql in sums.values())
            source = message_source(self.facts, month, converted=asked)
        else:
            source = month_files(self.facts, table, month)
        found = arrow(self.connection, f"SELECT {', '.join(select)} FROM {source}")
        self.rows_read[table] = self.rows_read.get(table, 0) + found.num_rows
        self.months_read.setdefault(table, []).append(month)
        rank = self.rank[found["customer"].to_numpy()]
        return Rows(
            rank=rank,
            day=found["day_number"].to_numpy().astype(np.int32, copy=False),
            sums={name: found[name].to_numpy() for name in sums},
            is_return=found["is_return"].to_numpy() if "is_return" in found.column_names else None,
            channel=self._placed(found["channel"], {name: at for at, name in enumerate(self.channels)})
            if table == "messages"
            else None,
            category=self._placed(found["category"], self._categories) if table == "order_lines" else None,
        )

    @staticmethod
    def _placed(column, places: dict[str, int]) -> Ints:
        """Each text's place in `places`, which learns new ones."""
        encoded = column.combine_chunks().dictionary_encode()
        place = [
            -1 if text is None else places.setdefault(text, len(places))
            for text in encoded.dictionary.to_pylist()
        ]
        indices = encoded.indices.fill_null(len(place)).to_numpy()
        return np.array([*place, -1], dtype=np.int32)[indices]


def message_source(facts: Facts, month: str, *, converted: bool = False) -> str:
    """SQL to select from: a month's messages, those withheld left out, with what came of each.

    Beside the columns of the facts: 0 or 1 in `delivered`, `opened`, `clicked`, `replied`, `unsubscribed`,
    `complained` (reactions within 72 hours, of people only), in `arrived`, and in `converted` where it is
    asked for. Reactions and orders may lie in the month after.
    """
    after = shift_month(month, 1)
    kinds = {
        "delivered": "kind = 'delivered'",
        "opened": f"kind = 'opened' AND {_HUMAN}",
        "clicked": f"kind = 'clicked' AND {_HUMAN}",
        "replied": "kind = 'replied'",
        "unsubscribed": "kind = 'unsubscribed'",
        "complained": "kind = 'complained'",
    }
    messages = f"SELECT * FROM {month_files(facts, 'messages', month)} WHERE NOT coalesce(withheld, false)"
    reactions = month_files(facts, "reactions", month, after)
    if reactions:
        seen = ", ".join(f"bool_or({test}) AS {name}" for name, test in kinds.items())
        outcome = (
            f"SELECT message_id, {seen} FROM {reactions} JOIN m USING (message_id) "
            f"WHERE happened_at <= sent_at + INTERVAL {REACTION_DAYS} DAYS GROUP BY message_id"
        )
    else:
        outcome = (
            f"SELECT NULL::VARCHAR AS message_id, {', '.join(f'false AS {name}' for name in kinds)} LIMIT 0"
        )
    orders = month_files(facts, "orders", month, after)
    ordered, join = "0", ""
    if orders and converted:
        join = (
            f"ASOF LEFT JOIN (SELECT customer AS buyer, ordered_at FROM {orders} WHERE NOT is_return) o "
            f"ON m.customer = o.buyer AND m.sent_at < o.ordered_at"
        )
        ordered = f"CASE WHEN o.ordered_at <= m.sent_at + INTERVAL {CONVERSION_DAYS} DAYS THEN 1 ELSE 0 END"
    flags = ", ".join(f"CASE WHEN r.{name} THEN 1 ELSE 0 END AS {name}" for name in kinds)
    return (
        f"(WITH m AS ({messages}), r AS ({outcome}) SELECT *, "
        # A channel that reports deliveries counts those; one that does not counts what was sent.
        f"CASE WHEN max(delivered) OVER (PARTITION BY channel) = 1 THEN delivered ELSE 1 END AS arrived "
        f"FROM (SELECT m.*, {flags}, {ordered} AS converted FROM m LEFT JOIN r USING (message_id) {join}) "
        f"ORDER BY customer_id, sent_at, message_id)"
    )


def month_files(facts: Facts, table: str, *months: str) -> str:
    """SQL to select from: these months of a table; empty where it has none of them."""
    known = facts.months(table)
    files = [quoted(str(facts.path(known[month]))) for month in months if month in known]
    return f"read_parquet([{', '.join(files)}])" if files else ""


def months_between(first: int, last: int) -> list[str]:
    """The months, `2026-11`, that hold a day of `first` ≤ day < `last`."""
    start = np.datetime64(first, "D").astype("datetime64[M]")
    end = np.datetime64(last - 1, "D").astype("datetime64[M]")
    return [str(month) for month in np.arange(start, end + 1)]


def month_start(month: str) -> int:
    """The first day of a month, in days since 1970."""
    return int(np.datetime64(month, "D").astype(np.int64))


def shift_month(month: str, by: int) -> str:
    return str(np.datetime64(month, "M") + by)
