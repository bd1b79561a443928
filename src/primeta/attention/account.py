"""The account of a replay: each promise month by month and by who breaks it, each campaign week by week.

It is made of the tables of `checks.place_log` and `checks.check` while they stand, by sums in the engine, so that millions
of messages become some thousands of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import nan, sqrt
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from primeta.attention import checks_sql
from primeta.attention.checks import Checked, Log, PromiseCheck
from primeta.attention.health import UNKNOWN, Z95, Share, wilson
from primeta.attention.promise_file import in_force
from primeta.attention.records import Promise
from primeta.warehouse.duck import one, plain_errors, run

KEYS = ("campaign", "programme", "team")
MOST = 1000
"""Campaigns that are told one by one, those with the most messages; of the others only how many there are."""
BREAKERS = 40
"""Of each kind that are told for one promise, those who broke it most."""
EXAMPLES = 8
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Who broke a promise."""

    kind: str
    """`campaign`, `programme`, `team`."""
    name: str
    checked: int
    broken: int
    knowable: int
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseMonth:
    """One promise in one month."""

    month: str
    checked: int
    broken: int
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One message that broke it, as an example."""

    customer: str
    """His pseudonym."""
    message_id: str
    at: datetime
    campaign: str
    programme: str
    channel: str
    knowable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufferer:
    """To whom it was broken most."""

    customer: str
    broken: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseAccount:
    """One version of a promise."""

    check: PromiseCheck
    """Of its customers only whether it was made to all: ids are no part of an account."""
    made_to: int
    """So many single customers; 0: to all."""
    share: Share
    """Broken of checked; unknown where it cannot be told."""
    months: tuple[PromiseMonth, ...]
    breakers: tuple[Breaker, ...]
    newest: tuple[Breach, ...]
    worst: tuple[Sufferer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCount:
    """One week of a campaign; its Monday."""

    week: date
    messages: int
    welcomed: int
    opt_outs: int
    broken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A customer who opted out soon after a message."""

    customer: str
    """His pseudonym."""
    at: datetime
    """When the message was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a campaign, a programme or a team sent, and what came of it within 72 hours."""

    kind: str
    name: str
    programme: str
    """Of a campaign that belongs to one; else empty."""
    team: str
    messages: int
    customers: int
    cost: float
    """NaN where no message carries its cost."""
    welcomed: int
    opt_outs: int
    broken: int
    first: datetime
    last: datetime
    purposes: tuple[tuple[str, int], ...]
    channels: tuple[tuple[str, int], ...]
    weeks: tuple[WeekCount, ...]
    left: tuple[Left, ...]
    """Who opted out within 72 hours of a message of it, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Promises and who breaks them; what was sent and what came of it."""

    promises: tuple[PromiseAccount, ...]
    sent: tuple[Sent, ...]
    left_out: int
    """Campaigns that are not told one by one."""
    broken_week: int
    """Breaches in the last seven days of the log."""


def account_of(
    connection: duckdb.DuckDBPyConnection,
    promises: Sequence[Promise],
    checked: Checked,
    log: Log,
    *,
    zone: ZoneInfo,
    shown_as: Callable[[str], str] = str,
) -> Account:
    """The account; `replay_came` must stand, see `replay_policy.place_outcomes`.

    Args:
        zone: In which months and weeks are cut.
    """
    with plain_errors("adding up the replay"):
        _place_periods(connection, log, zone)
        told = tuple(
            _promise(connection, number, promise, checked, shown_as)
            for number, promise in enumerate(in_force(promises))
        )
        run(
            connection,
            """CREATE OR REPLACE TEMP TABLE account_sent AS SELECT s.campaign, s.programme, s.team, s.customer, s.us,
                s.purpose, s.channel, coalesce(c.welcomed, false) AS welcomed, coalesce(c.drove, false) AS drove,
                m.cost, coalesce(b.n, 0) AS broken
            FROM replay_sends s LEFT JOIN (SELECT * FROM replay_came WHERE welcomed OR drove) c USING (message_id)
            LEFT JOIN (SELECT message_id, CAST(cost AS DECIMAL(18, 6)) AS cost FROM replay_stage WHERE cost IS NOT NULL) m
                USING (message_id)
            LEFT JOIN (SELECT customer, pos, count(*) AS n FROM replay_broken WHERE pos IS NOT NULL GROUP BY 1, 2) b
                ON b.customer = s.customer AND b.pos = s.pos""",
        )
        sent: list[Sent] = []
        left_out = 0
        for key in KEYS:
            rows, more = _sent(connection, key, shown_as)
            sent += rows
            left_out += more if key == "campaign" else 0
        week = one(
            connection,
            f"""SELECT count(*) FROM replay_broken b LEFT JOIN replay_sends s
                ON s.customer = b.customer AND s.pos = b.pos
            WHERE coalesce(s.us, b.us) > {log.last - 7 * 24 * checks_sql.HOUR_US}""",
        )[0]
    return Account(promises=told, sent=tuple(sent), left_out=left_out, broken_week=week)


def _place_periods(connection: duckdb.DuckDBPyConnection, log: Log, zone: ZoneInfo) -> None:
    """`account_months` (month, us) and `account_weeks` (week, us): when each begins."""
    first, last = (checks_sql.moment_of(us).astimezone(zone) for us in (log.first, log.last))
    months: list[tuple[str, int]] = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        months.append((f"{year:04d}-{month:02d}", _starts(date(year, month, 1), zone)))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    weeks: list[tuple[date, int]] = []
    monday = first.date() - timedelta(days=first.weekday())
    while monday <= last.date():
        weeks.append((monday, _starts(monday, zone)))
        monday += WEEK
    for name, column, rows in (("months", "month", months), ("weeks", "week", weeks)):
        kind = pa.string() if name == "months" else pa.date32()
        connection.register(
            f"arrow_{name}",
            pa.table(
                {
                    column: pa.array([row[0] for row in rows], kind),
                    "us": pa.array([row[1] for row in rows], pa.int64()),
                }
            ),
        )
        run(connection, f"CREATE OR REPLACE TEMP TABLE account_{name} AS SELECT * FROM arrow_{name}")


def _starts(day: date, zone: ZoneInfo) -> int:
    return checks_sql.us_of(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))


def ratio(broken: float, checked: float, bb: float, bc: float, cc: float) -> Share:
    """Broken of checked with its interval: a ratio of sums over customers (delta method).

    Args:
        bb, bc, cc: Sums over customers of broken², broken × checked, checked².
    """
    if not checked:
        return UNKNOWN
    value = broken / checked
    if not 0 < broken < checked:
        return wilson(int(broken), int(checked))
    error = sqrt(max(bb - 2 * value * bc + value * value * cc, 0.0)) / checked
    return Share(value=value, low=max(value - Z95 * error, 0.0), high=min(value + Z95 * error, 1.0))


_SUMS = "sum(b), sum(c), sum(CAST(b AS DOUBLE) * b), sum(CAST(b AS DOUBLE) * c), sum(CAST(c AS DOUBLE) * c)"


def _promise(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    promise: Promise,
    checked: Checked,
    shown_as: Callable[[str], str],
) -> PromiseAccount:
    check = checked.promises[number]
    who = (
        f"(SELECT customer FROM replay_promised WHERE promise = {number})"
        if promise.customers != "all"
        else ""
    )
    within = f"{checks_sql.scope(promise, who)} AND {checks_sql.valid(promise)}"
    run(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE account_checked AS SELECT s.customer, s.us, s.campaign, s.programme, s.team,
            CAST(b.pos IS NOT NULL AS INTEGER) AS broken, CAST(coalesce(b.knowable, false) AS INTEGER) AS knowable
        FROM (SELECT * FROM replay_sends WHERE {within}) s LEFT JOIN (
            SELECT customer, pos, knowable FROM replay_broken WHERE promise = {number} AND pos IS NOT NULL) b
        USING (customer, pos)""",
    )
    checkable = check.kept is not None or bool(check.broken)
    months: tuple[PromiseMonth, ...] = ()
    breakers: list[Breaker] = []
    share = UNKNOWN
    if checkable and check.checked:
        share = ratio(*_total(connection))
        if promise.deliver:
            share = wilson(check.broken, check.checked)
        months = _months(connection)
        for key in KEYS:
            breakers += _breakers(connection, key)
    newest = run(
        connection,
        f"""SELECT p.customer_id, coalesce(s.message_id, ''), coalesce(s.us, b.us) AS moment, coalesce(s.campaign, ''),
            coalesce(s.programme, ''), coalesce(s.channel, ''), b.knowable
        FROM replay_broken b JOIN replay_people p USING (customer)
        LEFT JOIN replay_sends s ON s.customer = b.customer AND s.pos = b.pos
        WHERE b.promise = {number} ORDER BY moment DESC, 1, 2 LIMIT {EXAMPLES}""",
    )
    worst = run(
        connection,
        f"""SELECT p.customer_id, count(*) AS n, max(coalesce(s.us, b.us)) AS last
        FROM replay_broken b JOIN replay_people p USING (customer)
        LEFT JOIN replay_sends s ON s.customer = b.customer AND s.pos = b.pos
        WHERE b.promise = {number} GROUP BY 1 ORDER BY n DESC, last DESC, 1 LIMIT {EXAMPLES}""",
    )
    return PromiseAccount(
        check=replace(check, promise=replace(promise, customers="all")),
        made_to=0 if promise.customers == "all" else len(promise.customers),
        share=share,
        months=months,
        breakers=tuple(breakers),
        newest=tuple(
            Breach(
                customer=shown_as(row[0]),
                message_id=row[1],
                at=checks_sql.moment_of(row[2]),
                campaign=row[3],
                programme=row[4],
                channel=row[5],
                knowable=row[6],
            )
            for row in newest
        ),
        worst=tuple(
            Sufferer(customer=shown_as(row[0]), broken=row[1], last=checks_sql.moment_of(row[2]))
            for row in worst
        ),
    )


def _total(connection: duckdb.DuckDBPyConnection) -> Any:
    return run(
        connection,
        f"SELECT {_SUMS} FROM (SELECT sum(broken) AS b, count(*) AS c FROM account_checked GROUP BY customer)",
    )[0]


def _months(connection: duckdb.DuckDBPyConnection) -> tuple[PromiseMonth, ...]:
    rows = run(
        connection,
        f"""SELECT month, {_SUMS} FROM (SELECT m.month, customer, sum(broken) AS b, count(*) AS c
            FROM account_checked a ASOF JOIN account_months m ON a.us >= m.us GROUP BY 1, 2)
        GROUP BY month ORDER BY month""",
    )
    return tuple(
        PromiseMonth(month=row[0], checked=int(row[2]), broken=int(row[1]), share=ratio(*row[1:]))
        for row in rows
    )


def _breakers(connection: duckdb.DuckDBPyConnection, key: str) -> list[Breaker]:
    rows = run(
        connection,
        f"""SELECT name, sum(k), {_SUMS} FROM (SELECT {key} AS name, customer, sum(knowable) AS k, sum(broken) AS b,
            count(*) AS c FROM account_checked GROUP BY 1, 2)
        GROUP BY name HAVING sum(b) > 0 ORDER BY sum(b) DESC, name LIMIT {BREAKERS}""",
    )
    if len(rows) == 1 and not rows[0][0]:
        return []
    return [
        Breaker(
            kind=key,
            name=row[0],
            checked=int(row[3]),
            broken=int(row[2]),
            knowable=int(row[1]),
            share=ratio(*row[2:]),
        )
        for row in rows
    ]


def _sent(
    connection: duckdb.DuckDBPyConnection, key: str, shown_as: Callable[[str], str]
) -> tuple[list[Sent], int]:
    rows = run(
        connection,
        f"""SELECT {key} AS name, CASE WHEN min(programme) = max(programme) THEN min(programme) ELSE '' END,
            CASE WHEN min(team) = max(team) THEN min(team) ELSE '' END, count(*) AS messages,
            count(DISTINCT customer), sum(cost), count(*) FILTER (welcomed), count(*) FILTER (drove), sum(broken),
            min(us), max(us) FROM account_sent GROUP BY {key} ORDER BY messages DESC, name""",
    )
    if len(rows) == 1 and not rows[0][0]:
        return [], 0
    told = rows[:MOST]
    names = pa.table({"name": pa.array([row[0] for row in told], pa.string())})
    connection.register("arrow_told", names)
    shown = f"(SELECT *, {key} AS name FROM account_sent WHERE {key} IN (SELECT name FROM arrow_told))"
    parts: dict[str, dict[str, list[tuple[str, int]]]] = {}
    for column in ("purpose", "channel"):
        for name, value, n in run(
            connection,
            f"SELECT name, {column}, count(*) AS n FROM {shown} GROUP BY 1, 2 ORDER BY 1, n DESC, 2",
        ):
            parts.setdefault(name, {}).setdefault(column, []).append((value, n))
    weeks: dict[str, list[WeekCount]] = {}
    for name, week, messages, welcomed, opt_outs, broken in run(
        connection,
        f"""SELECT name, week, count(*), count(*) FILTER (welcomed), count(*) FILTER (drove), sum(broken) FROM
            {shown} a ASOF JOIN account_weeks w ON a.us >= w.us
        GROUP BY 1, 2 ORDER BY 1, 2""",
    ):
        weeks.setdefault(name, []).append(
            WeekCount(week=week, messages=messages, welcomed=welcomed, opt_outs=opt_outs, broken=int(broken))
        )
    left: dict[str, list[Left]] = {}
    for name, customer, us in run(
        connection,
        f"""SELECT name, customer_id, us FROM (SELECT a.name, p.customer_id, a.us FROM {shown} a
            JOIN replay_people p USING (customer) WHERE a.drove)
        QUALIFY row_number() OVER (PARTITION BY name ORDER BY us DESC, customer_id) <= {EXAMPLES}
        ORDER BY name, us DESC, customer_id""",
    ):
        left.setdefault(name, []).append(Left(customer=shown_as(customer), at=checks_sql.moment_of(us)))
    return [
        Sent(
            kind=key,
            name=row[0],
            programme=row[1] if key == "campaign" else "",
            team=row[2] if key != "team" else "",
            messages=row[3],
            customers=row[4],
            cost=nan if row[5] is None else float(row[5]),
            welcomed=row[6],
            opt_outs=row[7],
            broken=int(row[8]),
            first=checks_sql.moment_of(row[9]),
            last=checks_sql.moment_of(row[10]),
            purposes=tuple(parts.get(row[0], {}).get("purpose", ())),
            channels=tuple(parts.get(row[0], {}).get("channel", ())),
            weeks=tuple(weeks.get(row[0], ())),
            left=tuple(left.get(row[0], ())),
        )
        for row in told
    ], len(rows) - len(told)
