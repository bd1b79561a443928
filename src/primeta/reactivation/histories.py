"""An order log as customers' histories: days with an order, counted in the engine, equal histories put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.facts import TABLES
from primeta.reactivation.order_money import carries_margin
from primeta.reactivation.records import BUCKETS, Note
from primeta.warehouse.clean import placeholder
from primeta.warehouse.duck import arrow, connect, named, one, plain_errors, quoted, run
from primeta.warehouse.files import read_table, sniff
from primeta.warehouse.mapping import CANCELLED, canonical_value, local_day
from primeta.warehouse.times import read_time

if TYPE_CHECKING:
    import duckdb

    from primeta.stats.customer_base import Histories
    from primeta.warehouse.facts_store import Facts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SPEC = TABLES["orders"]
EPOCH = date(1970, 1, 1)
UNIT_DAYS = {"day": 1.0, "week": 7.0}
SILENT_END_DAYS = 30
"""A log whose last order lies so long before its end may have been cut: people are told."""
UNREADABLE_SHARE = 0.1
"""More unreadable times than this mean a format that was not understood, not a few slips."""
FEW_UNREADABLE = 10
_WHOLE = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    return EPOCH + timedelta(days=int(number))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Collapsed:
    """Customers with equal histories as one row, G rows: what a customer-base model needs of a log.

    Days are numbers since 1970-01-01. `row` tells where each customer stands, where it was asked for.
    """

    first_day: Ints
    last_day: Ints
    repeats: Ints
    """Days with an order after the first one."""
    count: Floats
    until_day: int
    """The last day that was seen, inclusive."""
    group: Ints
    """Place in `groups`."""
    groups: tuple[str, ...] = ("",)

    @property
    def customers(self) -> int:
        return int(self.count.sum())

    def histories(self, unit: str, clock: Clock | None = None) -> Histories:
        """The same in the model's own time: repeat orders, time of the last one and age since the first."""
        from primeta.stats.customer_base import Histories

        clock = clock or Clock.calendar(unit)
        start = clock.at(self.first_day)
        return Histories(
            repeats=self.repeats.astype(float),
            last=clock.at(self.last_day) - start,
            age=clock.at(np.array(self.until_day)) - start,
            count=self.count,
            unit=unit,  # pyright: ignore[reportArgumentType]
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clock:
    """From days to the model's time: plain units, or operational time that runs faster in a busy season."""

    unit_days: float
    rate: Floats | None = None
    """(53,) relative pace of each week of the year, mean 1; None: even."""
    origin: int = 0
    """Day before which no time is asked for, where the pace is uneven."""

    @classmethod
    def calendar(cls, unit: str) -> Clock:
        return cls(unit_days=UNIT_DAYS[unit])

    def at(self, day: npt.ArrayLike) -> Floats:
        """Time of the end of each day, in units; only differences have a meaning."""
        number = np.asarray(day, dtype=np.int64)
        if self.rate is None:
            return number / self.unit_days
        days = np.arange(self.origin + 1, int(number.max(initial=self.origin)) + 1)
        passed = np.concatenate([[0.0], np.cumsum(self.rate[week_of_year(days)])])
        return passed[number - self.origin] / self.unit_days


def week_of_year(day: Ints) -> Ints:
    """0 to 52: which seventh-day step of its year each day falls into."""
    dates = np.asarray(day, dtype=np.int64).astype("datetime64[D]")
    return ((dates - dates.astype("datetime64[Y]")).astype(np.int64) // 7).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderLog:
    """A log opened in the engine: the table `order_days`, one row for each customer's day with orders or returns.

    `order_days` holds `customer` (the id as the engine groups it fastest), `day` (number since 1970), `is_order`
    (there was an order beside or instead of returns), `money` (null where unknown) and, where asked for, `attribute`.
    """

    connection: duckdb.DuckDBPyConnection
    source: str
    until_day: int
    first_day: int
    """Of the first order; `until_day` where there is none."""
    last_day: int
    has_money: bool
    """Whether orders carry revenue or margin."""
    money_kind: str
    """`revenue` or `margin`."""
    has_returns: bool
    has_losses: bool
    """Whether an order brought less than nothing: a margin eaten up by its discount."""
    by: str
    notes: tuple[Note, ...]

    def build(self, table: str, until_day: int, *, money: bool = False) -> str:
        """Make a table of one row for each customer who had ordered by the end of `until_day`; its name.

        Columns: `customer`, `first_day`, `last_day`, `repeats`; with `money` also `repeat_money`,
        `repeat_squares` (of each later day's money), `first_money`; `attribute` where the log has one.
        A return takes its money off the order before it; one without an order before it is left out.
        """
        by = ", arg_min(attribute, day) AS attribute" if self.by else ""
        sums = ""
        source = f"(SELECT * FROM order_days WHERE day <= {until_day} AND is_order)"
        if money:
            if self.has_returns:
                source = self._returns_home(until_day)
            sums = (
                ", coalesce(sum(money) - arg_min(coalesce(money, 0), day), 0) AS repeat_money, "
                "coalesce(sum(money * money) - arg_min(coalesce(money * money, 0), day), 0) AS repeat_squares, "
                "arg_min(money, day) AS first_money"
            )
        run(
            self.connection,
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT customer, min(day) AS first_day, max(day) AS last_day, "
            f"count(*) - 1 AS repeats{sums}{by} FROM {source} GROUP BY customer",
        )
        return table

    def _returns_home(self, until_day: int) -> str:
        """Order days with the returns that came after them taken off, up to the next order."""
        again = "SELECT customer FROM order_days WHERE NOT is_order GROUP BY customer"
        by = ", arg_min(attribute, day) AS attribute" if self.by else ""
        kept = ", attribute" if self.by else ""
        return (
            f"(SELECT customer, day, money{kept} FROM order_days WHERE day <= {until_day} AND is_order "
            f"AND customer NOT IN ({again}) UNION ALL "
            f"SELECT customer, home AS day, sum(money) AS money{by} FROM (SELECT *, max(CASE WHEN is_order THEN day END) "
            f"OVER (PARTITION BY customer ORDER BY day) AS home FROM order_days WHERE day <= {until_day} "
            f"AND customer IN ({again})) WHERE home IS NOT NULL GROUP BY customer, home)"
        )

    def collapse(self, table: str, until_day: int, *, group: str = "''", where: str = "true") -> Collapsed:
        """Equal rows of a table made by `build` as counts.

        Args:
            group: SQL over the table's columns; customers of different groups stay apart.
            where: SQL of the customers that are taken.
        """
        found = arrow(
            self.connection,
            f"SELECT first_day, last_day, repeats, {group} AS grp, count(*) AS n FROM {table} "
            f"WHERE {where} GROUP BY ALL ORDER BY ALL",
        )
        names = sorted({text or "?" for text in found["grp"].to_pylist()}) if group != "''" else [""]
        place = {name: at for at, name in enumerate(names)}
        codes = found["grp"].to_pylist() if group != "''" else []
        return Collapsed(
            first_day=_ints(found["first_day"]),
            last_day=_ints(found["last_day"]),
            repeats=_ints(found["repeats"]),
            count=found["n"].to_numpy().astype(float),
            until_day=until_day,
            group=np.array([place[text or "?"] for text in codes], dtype=np.int64)
            if codes
            else np.zeros(len(found), dtype=np.int64),
            groups=tuple(names) or ("",),
        )

    def log_gaps(self, until_day: int, *, where: str = "true") -> float:
        """Sum of the natural logs of the gaps, in days, between customers' days with an order."""
        return float(
            one(
                self.connection,
                f"SELECT coalesce(sum(ln(gap)), 0) FROM (SELECT day - lag(day) OVER (PARTITION BY customer ORDER BY day) "
                f"AS gap FROM order_days WHERE is_order AND day <= {until_day} AND {where}) WHERE gap > 0",
            )[0]
        )

    def per_day(self, first_day: int, last_day: int, *, acquired_by: int) -> Floats:
        """(days,) repeat-order days on each day from `first_day` to `last_day`, of customers acquired by then."""
        rows = arrow(
            self.connection,
            f"SELECT day, count(*) AS n FROM order_days JOIN (SELECT customer, min(day) AS first_day FROM order_days "
            f"WHERE is_order GROUP BY customer HAVING min(day) <= {acquired_by}) USING (customer) "
            f"WHERE is_order AND day > first_day AND day BETWEEN {first_day} AND {last_day} GROUP BY day",
        )
        found = np.zeros(max(last_day - first_day + 1, 0))
        found[rows["day"].to_numpy() - first_day] = rows["n"].to_numpy()
        return found


@contextmanager
def open_log(
    rows: Any,
    *,
    until: date | str | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    date_format: str = "",
    margin: float | None = None,
    by: str = "",
    money: bool = True,
    threads: int = 0,
) -> Iterator[OrderLog]:
    """Open an order log for the block.

    An order is a row whose revenue is not negative (any row where there is no revenue; an order that cost nothing is
    still one, as in CDNOW); orders of one customer on one day are one. Negative revenue is a return: money on its own
    day and no order. Rows without a customer, cancelled
    ones, unreadable times and what lies after `until` are left out and told in `notes`.

    Args:
        rows: A path to a CSV or Parquet file (Parquet also as a glob or a list of paths), an Arrow table, a data frame, a mapping of
            columns. Needs `customer_id` and `ordered_at`; takes `revenue`, `discount`, `margin`, `status`, `order_id`.
        until: The last day of the log, inclusive; None: the day of the last order.
        columns: Canonical name → the name in the file.
        margin: Of list price, for orders without a `margin` of their own: money = revenue − (1 − margin)(revenue + discount).
        by: Column that is constant for a customer; his first order's value counts.
        money: Whether money is wanted at all; without it only days are kept.
    Raises:
        BadTable: a column is missing, no row can be used, more than a tenth of the times cannot be read.
        BadInput: a date, zone or margin that cannot be.
    """
    end = as_day(until, "until") if until is not None else None
    check_zone(timezone)
    if margin is not None and not -1 < margin <= 1:
        raise BadInput(f"margin is the share of list price that stays, such as .4; {margin:g} was given")
    with closing(connect(threads=threads)) as connection:
        where = _register(connection, rows, columns or {})
        with plain_errors(f"reading {where}"):
            yield _prepare(
                connection,
                where,
                end,
                timezone=timezone,
                date_format=date_format,
                margin=margin,
                by=by,
                money=money,
            )


@contextmanager
def open_facts(
    facts: Facts, *, until: date | str | None = None, margin: float | None = None
) -> Iterator[OrderLog]:
    """Open the orders of a workspace's facts for the block, as `open_log` opens a file's; they are clean already.

    Raises:
        BadTable: the facts hold no order by then.
    """
    end = as_day(until, "until") if until is not None else None
    files = [str(facts.path(part)) for part in facts.parts.get("orders", ())]
    if not files:
        raise BadTable(
            "the workspace has no orders; map [tables.orders] or [tables.order_lines] and run doctor"
        )
    with closing(connect()) as connection, plain_errors("reading the workspace's orders"):
        listed = "[" + ", ".join(quoted(name) for name in files) + "]"
        run(connection, f"CREATE VIEW stored AS SELECT * FROM read_parquet({listed})")
        number = "(day - DATE '1970-01-01')::INTEGER"
        late = f"day <= DATE {quoted(end.isoformat())}" if end else "true"
        stored = "CAST(revenue AS DOUBLE)"
        value = stored
        if margin is not None:
            value = f"({stored} - {1 - margin} * ({stored} + coalesce(CAST(discount AS DOUBLE), 0)))"
        filled, rows = one(connection, "SELECT count(margin), count(*) FROM stored")
        own = carries_margin(filled, rows, where="the workspace's orders", margin=margin)
        if own:
            value = f"coalesce(CAST(margin AS DOUBLE), {value})"
        run(
            connection,
            f"CREATE TEMP TABLE order_days AS SELECT customer_id AS customer, {number} AS day, "
            f"bool_or(NOT is_return) AS is_order, sum({value}) AS money FROM stored WHERE {late} GROUP BY ALL",
        )
        first, last, returns, latest, lost = one(
            connection,
            "SELECT min(day) FILTER (is_order), max(day) FILTER (is_order), count(*) FILTER (NOT is_order), max(day), "
            "coalesce(bool_or(is_order AND money < 0), false) FROM order_days",
        )
        if first is None:
            raise BadTable(f"the workspace has no orders up to {end}")
        yield OrderLog(
            connection=connection,
            source="the workspace",
            until_day=day_number(end) if end else int(latest),
            first_day=int(first),
            last_day=int(last),
            has_money=True,
            money_kind="margin" if own or margin is not None else "revenue",
            has_returns=bool(returns),
            has_losses=bool(lost),
            by="",
            notes=(Note("returns", {"days": int(returns)}),) if returns else (),
        )


def as_day(value: date | str, name: str) -> date:
    """A date as `2026-11-26`.

    Raises:
        BadInput: it is no date.
    """
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise BadInput(f"{name}: a date such as 2026-11-26 was expected, {value!r} was given") from None


def check_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"no time zone is called {timezone!r}; write it as Europe/Moscow") from None


def _register(connection: duckdb.DuckDBPyConnection, rows: Any, columns: Mapping[str, str]) -> str:
    """Make `given` out of the rows, canonical names already in place; where they come from, in words."""
    unknown = [name for name in columns if SPEC.column(name) is None]
    if unknown:
        known = ", ".join(column.name for column in SPEC.columns)
        raise BadInput(f"{unknown[0]!r} is no column of orders; expected some of {known}")
    if isinstance(rows, str | Path):
        text = str(rows)
        files = sorted(glob(text)) if any(mark in text for mark in "*?[") and not Path(text).exists() else []
        form = sniff(files[0] if files else text)
        if form.kind == "parquet":
            listed = "[" + ", ".join(quoted(name) for name in files or [text]) + "]"
            run(
                connection,
                f"CREATE VIEW source AS SELECT * FROM read_parquet({listed}, union_by_name = true)",
            )
        else:
            if len(files) > 1:
                raise BadInput(f"{text}: several CSV files; put them into one, or save them as Parquet")
            ids = [columns.get(column.name, column.name) for column in SPEC.columns if column.kind == "id"]
            connection.register("source_table", read_table(files[0] if files else text, text=ids))
            run(connection, "CREATE VIEW source AS SELECT * FROM source_table")
        where = text
    else:
        try:
            table = rows if isinstance(rows, pa.Table) else pa.table(rows)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
            raise BadTable(f"the table of orders cannot be read: {error}") from None
        connection.register("source_table", table)
        run(connection, "CREATE VIEW source AS SELECT * FROM source_table")
        where = "the table of orders"
    present = [row[0] for row in run(connection, "DESCRIBE source")]
    for ours, theirs in columns.items():
        if theirs not in present:
            raise BadTable(
                f"{where}: no column {theirs!r} (asked for as {ours}); it has {', '.join(present)}"
            )
    parts = [f"{named(theirs)} AS {named(ours)}" for ours, theirs in columns.items()]
    taken = {*columns.values(), *columns}
    parts += [named(name) for name in present if name not in taken]
    run(connection, f"CREATE VIEW given AS SELECT {', '.join(parts)} FROM source")
    return where


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    where: str,
    until: date | None,
    *,
    timezone: str,
    date_format: str,
    margin: float | None,
    by: str,
    money: bool,
) -> OrderLog:
    types = {row[0]: str(row[1]) for row in run(connection, "DESCRIBE given")}
    missing = [name for name in ("customer_id", "ordered_at") if name not in types]
    if missing:
        raise BadTable(
            f"{where}: {', '.join(missing)} not found; it has {', '.join(types)}. Say which column each is: "
            f"--columns {missing[0]}=NAME."
        )
    if by and by not in types:
        raise BadTable(f"{where}: no column {by!r} (asked for as --by); it has {', '.join(types)}")
    notes: list[Note] = []
    reading = read_time(
        connection,
        "given",
        named("ordered_at"),
        types["ordered_at"],
        timezone=timezone,
        date_format=date_format,
    )
    if reading.ambiguous:
        notes.append(Note("ambiguous-dates", {"format": reading.wording}))
    day = f"({local_day(reading.utc, timezone)} - DATE '1970-01-01')::INTEGER"
    whole = types["customer_id"].upper() in _WHOLE
    # Whole numbers are grouped as such: three times as fast as their texts.
    customer = (
        named("customer_id") if whole else canonical_value(named("customer_id"), types["customer_id"], _ID)
    )
    parts = [f"{customer} AS customer", f"{day} AS day"]
    revenue = _number("revenue", types) if "revenue" in types else ""
    value, kind = _money(types, revenue, margin)
    if money and "margin" in types:
        own = _number("margin", types)
        filled, rows_read = one(connection, f"SELECT count({own}), count(*) FROM given")
        if carries_margin(filled, rows_read, where=where, margin=margin):
            value, kind = (f"coalesce({own}, {value})" if value else own), "margin"
    wanted = money and bool(value)
    parts.append(f"{revenue or '1.0'} AS revenue")
    if wanted:
        parts.append(f"{value} AS money")
    if by:
        parts.append(f"nullif(trim(CAST({named(by)} AS VARCHAR)), '') AS attribute")
    if money and "order_id" in types:
        parts.append(f"{named('order_id')} AS order_id")
    raw_time = f"{named('ordered_at')} IS NOT NULL AND trim(CAST({named('ordered_at')} AS VARCHAR)) <> ''"
    parts.append(f"{raw_time} AS has_time")
    cancelled = ", ".join(quoted(word) for word in CANCELLED)
    status = (
        f"coalesce(lower(trim(CAST(status AS VARCHAR))) IN ({cancelled}), false)"
        if "status" in types
        else "false"
    )
    parts.append(f"{status} AS cancelled")
    unknown = "customer IS NULL" if whole else f"customer IS NULL OR {placeholder('customer')}"
    run(connection, f"CREATE VIEW read AS SELECT * FROM (SELECT {', '.join(parts)} FROM given)")
    bad_customer = f"coalesce({unknown}, true)"
    late = f"day > {day_number(until)}" if until is not None else "false"
    free = "revenue = 0" if revenue else "false"
    total, nobody, timeless, unread, dropped, after, zero, unpriced, latest = one(
        connection,
        f"SELECT count(*), count(*) FILTER ({bad_customer}), count(*) FILTER (day IS NULL AND NOT has_time), "
        f"count(*) FILTER (day IS NULL AND has_time), count(*) FILTER (cancelled AND coalesce(revenue, 0) >= 0), "
        f"count(*) FILTER ({late}), count(*) FILTER ({free}), count(*) FILTER (revenue IS NULL), "
        f"max(day) FILTER (coalesce(revenue, 0) >= 0 AND NOT {bad_customer}) FROM read",
    )
    if not total:
        raise BadTable(f"{where}: there are column heads and no rows; at least one order was expected")
    if unread == total or unread > max(UNREADABLE_SHARE * total, FEW_UNREADABLE):
        example = one(
            connection,
            f"SELECT any_value(CAST({named('ordered_at')} AS VARCHAR)) FROM given WHERE {raw_time} "
            f"AND {reading.utc} IS NULL",
        )[0]
        raise BadTable(
            f"{where}: {unread:,} of {total:,} times in ordered_at cannot be read, such as {example!r}; a time such "
            f"as 2026-11-26 or 2026-11-26 14:30 was expected. Say the format: --date-format dd.mm.yyyy."
        )
    for code, number in (
        ("no-customer", nobody),
        ("no-time", timeless),
        ("unread-time", unread),
        ("cancelled", dropped),
        ("after-until", after),
        ("free-orders", zero),
        ("no-revenue", unpriced),
    ):
        if number:
            notes.append(Note(code, {"rows": int(number), "of": int(total)}))
    end = day_number(until) if until is not None else int(latest if latest is not None else 0)
    kept = f"NOT {bad_customer} AND day <= {end} AND NOT (cancelled AND coalesce(revenue, 0) >= 0)"
    rows = "read"
    if wanted and "order_id" in types:
        # An order that is there twice, value for value, was written twice.
        columns = ", ".join(
            ["customer", "day", "revenue", "money", "order_id", "cancelled", *(["attribute"] if by else [])]
        )
        rows = f"(SELECT DISTINCT {columns} FROM read)"
    sums = ", sum(money) AS money" if wanted else ""
    attribute = ", min(attribute) AS attribute" if by else ""
    run(
        connection,
        f"CREATE TEMP TABLE order_days AS SELECT customer, day, bool_or(coalesce(revenue, 0) >= 0) AS is_order"
        f"{sums}{attribute} FROM {rows} WHERE {kept} GROUP BY customer, day",
    )
    losses = "coalesce(bool_or(is_order AND money < 0), false)" if wanted else "false"
    first, last, returns, lost = one(
        connection,
        f"SELECT min(day) FILTER (is_order), max(day) FILTER (is_order), count(*) FILTER (NOT is_order), {losses} "
        f"FROM order_days",
    )
    if first is None:
        said = f" up to {day_of(end)}" if until is not None else ""
        raise BadTable(
            f"{where}: of {total:,} rows none is an order{said} of a known customer; check --until, the columns and "
            f"the sign of revenue (negative is a return)."
        )
    if returns:
        notes.append(Note("returns", {"days": int(returns)}))
    if end - last > SILENT_END_DAYS:
        notes.append(Note("silent-end", {"days": int(end - last), "last": day_of(last)}))
    if by:
        changed = one(
            connection,
            "SELECT count(*) FROM (SELECT customer FROM order_days WHERE is_order GROUP BY customer "
            "HAVING count(DISTINCT attribute) > 1)",
        )[0]
        if changed:
            notes.append(Note("attribute-changes", {"customers": int(changed), "column": by}))
    return OrderLog(
        connection=connection,
        source=where,
        until_day=end,
        first_day=int(first),
        last_day=int(last),
        has_money=wanted,
        money_kind="margin" if margin is not None else kind,
        has_returns=bool(returns),
        has_losses=bool(lost),
        by=by,
        notes=tuple(notes),
    )


_ID = SPEC.columns[1]


def _number(name: str, types: Mapping[str, str]) -> str:
    column = SPEC.column(name)
    assert column is not None
    value = canonical_value(named(name), types[name], column)
    return f"CAST({value} AS DOUBLE)"


def _money(types: Mapping[str, str], revenue: str, margin: float | None) -> tuple[str, str]:
    """SQL of the money of an order without a margin of its own, and what it is; empty where the log holds none."""
    if not revenue:
        return "", ""
    if margin is None:
        return revenue, "revenue"
    discount = f"coalesce({_number('discount', types)}, 0)" if "discount" in types else "0"
    return f"({revenue} - {1 - margin} * ({revenue} + {discount}))", "margin"


def _ints(column: pa.ChunkedArray) -> Ints:
    return column.to_numpy().astype(np.int64)


def bucket_of(customer: str = "customer") -> str:
    """SQL of the hash bucket in which a customer counts for the spread; the same everywhere in reactivation."""
    return f"CAST(floor(bucket('primeta', CAST({customer} AS VARCHAR)) * {BUCKETS}) AS SMALLINT)"
