"""What new customers really received in their first days, by programme and day, over the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from primeta.attention.checks import check, place_log
from primeta.attention.outcomes import DRIVING_AWAY
from primeta.attention.records import Promise
from primeta.attention.replay_tables import Query, open_given
from primeta.stats.medoid import distances_to_all
from primeta.warehouse.duck import one, quoted, run

if TYPE_CHECKING:
    import duckdb

SELLING = ("offer", "press")
STREAMS = 12
"""Programmes told apart in what is typical; the rest count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFirst:
    """One programme in the first days."""

    programme: str
    reached: float
    """Share of new customers who received anything of it."""
    first_day: float
    """Median day of its first message among those, from 1; NaN where there are none."""
    per_customer: float
    """Messages a new customer."""
    by_day: tuple[float, ...]
    """Messages a new customer on each day, from the first."""
    selling: float
    """Share of its messages that sell or press."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekFirst:
    """One week of the first days."""

    week: int
    median: int
    p90: int
    per_customer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseFirst:
    """A promise in the first days."""

    promise: str
    version: int
    text: str
    broken: int
    customers: int
    share: float
    """Of new customers to whom it was broken."""
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """One of them, by id."""

    customer_id: str
    since: datetime
    """From when his days count."""
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstMessages:
    """What was found; shares are of all new customers, those who received nothing too."""

    customers: int
    nothing: int
    """Who received nothing."""
    at_least: Mapping[int, float]
    """n → share who received at least n."""
    weeks: tuple[WeekFirst, ...]
    programmes: tuple[ProgrammeFirst, ...]
    """In the order in which they reach a customer."""
    sold_by_day: tuple[float, ...]
    """Share who had received a message that sells or presses by the end of each day, from the first."""
    first_sale: float
    """Median day of the first one among those who received any, from 1."""
    useful_before: float
    """Useful or service messages before it, on average among those."""
    opted_out: float
    """Share who opted out or complained of a message within the days."""
    promises: tuple[PromiseFirst, ...]
    typical: NewCustomer | None
    most: NewCustomer | None


def place_newcomers(
    connection: duckdb.DuckDBPyConnection,
    *,
    customers: str,
    messages: Sequence[str],
    registered: bool,
    since: date,
    to: date,
    zone: str,
) -> int:
    """Make the table `newcomers` (customer, customer_id, since, zone) of who registered from `since` to `to`, both days in.

    Args:
        customers: File of customers.
        messages: Files of messages; where nothing says when customers registered, their first message does.
        registered: Whether the file of customers says it.
    Returns:
        How many.
    """
    have = {row[0] for row in run(connection, f"DESCRIBE SELECT * FROM read_parquet({quoted(customers)})")}
    own = "coalesce(timezone, '')" if "timezone" in have else "''"
    people = f"SELECT customer, customer_id, {own} AS zone FROM read_parquet({quoted(customers)})"
    if registered:
        moment = f"SELECT customer, registered_at AS since FROM read_parquet({quoted(customers)}) WHERE registered_at IS NOT NULL"
    else:
        moment = (
            f"SELECT customer, min(sent_at) AS since FROM {_rows(messages)} "
            "WHERE NOT coalesce(withheld, false) GROUP BY customer"
        )
    day = f"CAST(timezone({quoted(zone)}, timezone('UTC', since)) AS DATE)"
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE newcomers AS SELECT customer, customer_id, since, zone FROM ({people}) "
        f"JOIN ({moment}) USING (customer) WHERE {day} BETWEEN DATE '{since}' AND DATE '{to}'",
    )
    return int(one(connection, "SELECT count(*) FROM newcomers")[0])


def cohort_months(
    connection: duckdb.DuckDBPyConnection,
    *,
    customers: str,
    messages: Sequence[str],
    registered: bool,
    zone: str,
) -> dict[date, int]:
    """First day of a month → how many new customers, by the local calendar."""
    source = (
        f"SELECT registered_at AS since FROM read_parquet({quoted(customers)}) WHERE registered_at IS NOT NULL"
        if registered
        else f"SELECT min(sent_at) AS since FROM {_rows(messages)} WHERE NOT coalesce(withheld, false) GROUP BY customer"
    )
    month = f"CAST(date_trunc('month', timezone({quoted(zone)}, timezone('UTC', since))) AS DATE)"
    return dict(run(connection, f"SELECT {month} AS month, count(*) FROM ({source}) GROUP BY 1 ORDER BY 1"))


def first_messages(
    connection: duckdb.DuckDBPyConnection,
    *,
    messages: Sequence[str],
    reactions: Sequence[str],
    days: int,
    promises: Sequence[Promise],
    timezone: str,
) -> FirstMessages:
    """What the customers of `newcomers` received in their first days.

    Args:
        messages, reactions: Files of the months in question.
        timezone: Of customers whose own is not known.
    """
    run(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE received AS SELECT n.customer, n.customer_id, m.message_id, m.sent_at,
            m.channel, coalesce(m.campaign, '') AS campaign, coalesce(m.programme, '') AS programme, m.purpose, m.team,
            m.personal, CAST(floor((epoch_us(m.sent_at) - epoch_us(n.since)) / 86400e6) AS INTEGER) AS day
        FROM {_rows(messages)} m JOIN newcomers n USING (customer)
        WHERE NOT coalesce(m.withheld, false) AND m.sent_at >= n.since AND m.sent_at < n.since + INTERVAL {days} DAY""",
    )
    total = int(one(connection, "SELECT count(*) FROM newcomers")[0])
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE totals AS SELECT n.customer, count(r.message_id) AS messages FROM newcomers n "
        "LEFT JOIN received r USING (customer) GROUP BY 1",
    )
    counts = {
        int(value): int(many)
        for value, many in run(connection, "SELECT messages, count(*) FROM totals GROUP BY 1 ORDER BY 1 DESC")
    }
    sold, first_sale, before = _sales(connection, days, total)
    typical, most = _examples(connection, days)
    return FirstMessages(
        customers=total,
        nothing=counts.get(0, 0),
        at_least=_at_least(counts, total),
        weeks=_weeks(connection, days),
        programmes=_programmes(connection, days, total),
        sold_by_day=sold,
        first_sale=first_sale,
        useful_before=before,
        opted_out=_opted_out(connection, reactions, days, total),
        promises=_promises(connection, promises, total, timezone),
        typical=typical,
        most=most,
    )


def _rows(files: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(quoted(name) for name in files)}], union_by_name = true)"


def _at_least(counts: Mapping[int, int], total: int) -> dict[int, float]:
    largest = max(counts, default=0)
    shown = sorted({1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 100, largest} & set(range(1, largest + 1)))
    return {n: sum(many for value, many in counts.items() if value >= n) / total for n in shown}


def _weeks(connection: duckdb.DuckDBPyConnection, days: int) -> tuple[WeekFirst, ...]:
    """Weeks of his own from his first day; the last may be cut short."""
    rows = run(
        connection,
        f"""SELECT w.week, quantile_disc(coalesce(c.messages, 0), 0.5), quantile_disc(coalesce(c.messages, 0), 0.9),
            avg(coalesce(c.messages, 0))
        FROM (SELECT customer, unnest(range({-(-days // 7)})) AS week FROM newcomers) w
        LEFT JOIN (SELECT customer, day // 7 AS week, count(*) AS messages FROM received GROUP BY ALL) c
            USING (customer, week) GROUP BY 1 ORDER BY 1""",
    )
    return tuple(
        WeekFirst(week=int(week) + 1, median=int(median), p90=int(p90), per_customer=float(mean))
        for week, median, p90, mean in rows
    )


def _programmes(connection: duckdb.DuckDBPyConnection, days: int, total: int) -> tuple[ProgrammeFirst, ...]:
    selling = ", ".join(quoted(purpose) for purpose in SELLING)
    rows = run(
        connection,
        f"""SELECT programme, count(*), median(first) + 1, sum(messages), sum(sells) FROM (
            SELECT programme, customer, min(day) AS first, count(*) AS messages,
                count(*) FILTER (purpose IN ({selling})) AS sells FROM received GROUP BY ALL)
        GROUP BY 1""",
    )
    by_day: dict[str, list[float]] = {}
    for programme, day, many in run(connection, "SELECT programme, day, count(*) FROM received GROUP BY ALL"):
        by_day.setdefault(programme, [0.0] * days)[day] = many / total
    found = [
        ProgrammeFirst(
            programme=programme,
            reached=reached / total,
            first_day=float(first),
            per_customer=float(messages) / total,
            by_day=tuple(by_day[programme]),
            selling=float(sells) / float(messages),
        )
        for programme, reached, first, messages, sells in rows
    ]
    return tuple(sorted(found, key=lambda entry: (entry.first_day, -entry.reached, entry.programme)))


def _sales(
    connection: duckdb.DuckDBPyConnection, days: int, total: int
) -> tuple[tuple[float, ...], float, float]:
    selling = ", ".join(quoted(purpose) for purpose in SELLING)
    run(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE sold AS SELECT customer, min(day) AS day, min(sent_at) AS at
        FROM received WHERE purpose IN ({selling}) GROUP BY 1""",
    )
    per_day = np.zeros(days)
    for day, many in run(connection, "SELECT day, count(*) FROM sold GROUP BY 1"):
        per_day[day] = many
    middle, before = one(
        connection,
        """SELECT (SELECT median(day) + 1 FROM sold), (SELECT avg(many) FROM (
            SELECT s.customer, count(r.message_id) AS many FROM sold s LEFT JOIN received r
            ON r.customer = s.customer AND r.sent_at < s.at GROUP BY 1))""",
    )
    return (
        tuple((np.cumsum(per_day) / total).tolist()),
        float("nan") if middle is None else float(middle),
        float("nan") if before is None else float(before),
    )


def _opted_out(
    connection: duckdb.DuckDBPyConnection, reactions: Sequence[str], days: int, total: int
) -> float:
    if not reactions:
        return float("nan")
    kinds = ", ".join(quoted(kind) for kind in DRIVING_AWAY)
    found = one(
        connection,
        f"""SELECT count(DISTINCT r.customer) FROM {_rows(reactions)} x JOIN received r USING (message_id)
        JOIN newcomers n USING (customer) WHERE x.kind IN ({kinds}) AND x.happened_at < n.since + INTERVAL {days} DAY""",
    )
    return int(found[0]) / total


def _promises(
    connection: duckdb.DuckDBPyConnection, promises: Sequence[Promise], total: int, timezone: str
) -> tuple[PromiseFirst, ...]:
    """What was promised to come by a day speaks of no first days and is left out."""
    asked = [replace(promise, deliver="", by=None) for promise in promises]
    asked = [promise for promise in asked if promise.checkable]
    if not asked or not one(connection, "SELECT count(*) FROM received")[0]:
        return ()
    known = one(connection, "SELECT count(purpose), count(personal) FROM received")
    left_out = [name for name, many in zip(("purpose", "personal"), known, strict=True) if not many]
    told = f"SELECT * EXCLUDE ({', '.join(['day', 'customer', *left_out])}) FROM received"
    messages = open_given(connection, "messages", Query(told, "messages"))
    people = open_given(
        connection, "customers", Query("SELECT customer_id, zone AS timezone FROM newcomers", "customers")
    )
    log = place_log(connection, messages, None, promises=asked, customers=people, timezone=timezone)
    return tuple(
        PromiseFirst(
            promise=entry.promise.name,
            version=entry.promise.version,
            text=entry.promise.text,
            broken=entry.broken,
            customers=entry.customers,
            share=float("nan") if entry.why_not else entry.customers / total,
            why_not=entry.why_not,
        )
        for entry in check(connection, asked, log).promises
    )


def _examples(
    connection: duckdb.DuckDBPyConnection, days: int
) -> tuple[NewCustomer | None, NewCustomer | None]:
    """Of those who received anything: whose days are nearest to all others', and who was written to most."""
    people = run(
        connection,
        "SELECT customer_id, since, messages FROM newcomers JOIN totals USING (customer) WHERE messages > 0 "
        "ORDER BY customer",
    )
    if not people:
        return None, None
    named = run(connection, "SELECT programme, count(*) AS many FROM received GROUP BY 1 ORDER BY 2 DESC, 1")
    streams = [row[0] for row in named]
    place = {name: min(number, STREAMS - 1) for number, name in enumerate(streams)}
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE numbered AS SELECT customer, row_number() OVER (ORDER BY customer) - 1 AS row "
        "FROM totals WHERE messages > 0",
    )
    found = connection.execute(
        "SELECT row, programme, day, count(*) AS many FROM received JOIN numbered USING (customer) GROUP BY ALL"
    ).fetchnumpy()
    codes = np.array([place[name] for name in np.asarray(found["programme"]).tolist()], dtype=np.int64)
    row, day, many = (np.asarray(found[name], dtype=np.int64) for name in ("row", "day", "many"))

    def stream(number: int) -> Any:
        counts = np.zeros((len(people), days), dtype=np.int32)
        ours = codes == number
        np.add.at(counts, (row[ours], day[ours]), many[ours])
        return counts

    far = distances_to_all(stream(number) for number in range(max(1, min(len(streams), STREAMS))))
    totals = np.array([entry[2] for entry in people])

    def customer(index: int) -> NewCustomer:
        who, since, messages = people[index]
        return NewCustomer(customer_id=who, since=since.replace(tzinfo=UTC), messages=int(messages))

    # Of several as near, the one with the fewest messages.
    return customer(int(np.lexsort((totals, far))[0])), customer(int(np.argmax(totals)))


def last_whole_cohort(
    months: Mapping[date, int], *, seen_until: date, days: int, least: int = 30
) -> tuple[date, date] | None:
    """First and last day of the latest month whose new customers have had all their days.

    A month with fewer than `least` gives way to the latest with as many, where there is one.
    """
    whole: list[tuple[date, date, int]] = []
    for first, many in months.items():
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        if last + timedelta(days=days) <= seen_until:
            whole.append((first, last, many))
    enough = [entry for entry in whole if entry[2] >= least] or whole
    if not enough:
        return None
    first, last, _ = max(enough)
    return first, last
