"""`pm.interviews`: whom to call, drawn by lot from four groups, and what those who were called gave as reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.reactivation.door import MEMORY, campaign_of, days_of
from primeta.reactivation.inputs import Columns, Given, open_given
from primeta.reactivation.interview_guide import Stratum, guide
from primeta.reactivation.interview_reasons import FEW, Reasons, called_rows, reasons_of, share_said
from primeta.reactivation.interviews_words import STRATA, WORDS, said
from primeta.reactivation.records import NAN, Campaign
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.warehouse.duck import arrow, connect, plain_errors, quoted, run
from primeta.warehouse.write_rows import write_rows

EACH = 8
RESERVE = 2
"""In reserve for each person to call: two of three do not pick up."""
MOST = 500
LETTER: dict[str, str] = {"left": "A", "silent": "B", "self": "C", "us": "D"}
LEVELS = ("low", "high")
LEFT_OUT = ("early", "late", "unreached", "written", "opted-out", "no-consent", "called")
GIVEN = ("given", "granted", "opt-in", "opted-in", "optin", "yes", "true", "1", "active", "subscribed")
"""States of a consent that allow; every other one does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One of the four groups."""

    stratum: Stratum
    customers: int
    """All who belong to it."""
    may_call: int
    calls: int
    reserve: int
    cells: tuple[tuple[str, str, int], ...]
    """(value, silence, customers who may be called), each low or high by the group's own median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One person to call. `call` names him in pages and notes; his id stands in the exported file alone."""

    call: str
    stratum: Stratum
    arm: str
    value: str
    silence: str
    reserve: bool
    stands_for: float
    """Customers of his cell, over those drawn from it to be called first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByUs:
    """What share of an arm's returners came because of us."""

    arm: str
    returned: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interviews:
    """Whom to call, and the reasons that were given."""

    experiment: str
    until: date
    window_days: int
    groups: tuple[Group, ...]
    calls: tuple[Call, ...]
    by_us: tuple[ByUs, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    has_control: bool = True
    consents_known: bool = True
    reasons: Reasons | None = None
    out: Path | None = None
    why_not: str = ""

    def line(self, lang: str = "en") -> str:
        """How many to call; with answers, what comes first."""
        if self.reasons is not None:
            return self.reasons.line(lang)
        if self.why_not:
            return said(f"cannot.{self.why_not}", lang)
        return said(
            "line",
            lang,
            calls=locale.number(sum(group.calls for group in self.groups), lang),
            reserve=locale.number(sum(group.reserve for group in self.groups), lang),
            customers=locale.number(sum(group.may_call for group in self.groups), lang),
        )

    def table(self, lang: str = "en") -> Table:
        """The groups: how many there are, may be called, are drawn."""
        heads = (
            Head(WORDS["group"][lang]),
            *(Head(WORDS[code][lang], "right") for code in ("customers", "may-call", "calls", "reserve")),
        )
        rows = tuple(
            (
                f"{LETTER[group.stratum]} {STRATA[group.stratum][lang]}",
                *(
                    locale.number(value, lang)
                    for value in (group.customers, group.may_call, group.calls, group.reserve)
                ),
            )
            for group in self.groups
        )
        return Table(heads=heads, rows=rows, note="\n".join(self.remarks(lang)))

    def remarks(self, lang: str = "en") -> list[str]:
        """What share came because of us, and who is not on the list."""
        told = [] if self.has_control else [WORDS["by-us.no-control"][lang]]
        for row in self.by_us:
            if math.isfinite(row.share):
                share, interval = share_said(row.share, row.low, row.high, lang)
                told.append(said("by-us", lang, arm=row.arm, share=share, interval=interval))
            else:
                told.append(said("by-us.unknown", lang, arm=row.arm))
        parts = [
            said(f"out.{code}", lang, n=locale.number(self.left_out[code], lang))
            for code in LEFT_OUT
            if self.left_out.get(code)
        ]
        if parts:
            told.append(said("left-out", lang, parts=", ".join(parts)))
        if not self.consents_known:
            told.append(WORDS["no-consents"][lang])
        return told

    def guide(self, lang: str = "en") -> str:
        """What to ask, in Markdown."""
        return guide(lang)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nobody's id is among them."""
        return {
            "experiment": self.experiment or None,
            "until": self.until,
            "window_days": self.window_days,
            "groups": [
                {
                    "stratum": group.stratum,
                    "customers": group.customers,
                    "may_call": group.may_call,
                    "calls": group.calls,
                    "reserve": group.reserve,
                    "cells": [
                        {"value": value, "silence": silence, "customers": n}
                        for value, silence, n in group.cells
                    ],
                }
                for group in self.groups
            ],
            "calls": [
                {
                    "call": call.call,
                    "stratum": call.stratum,
                    "arm": call.arm,
                    "value": call.value,
                    "silence": call.silence,
                    "reserve": call.reserve,
                    "stands_for": call.stands_for,
                }
                for call in self.calls
            ],
            "by_us": [
                {
                    "arm": row.arm,
                    "returned": row.returned,
                    "share": row.share,
                    "low": row.low,
                    "high": row.high,
                }
                for row in self.by_us
            ],
            "left_out": dict(self.left_out),
            **(self.reasons.as_dict() if self.reasons else {}),
            "out": str(self.out) if self.out else None,
            "notes": self.remarks("en") + (self.reasons.remarks("en") if self.reasons else []),
            "why_not": (self.reasons.why_not if self.reasons else self.why_not) or None,
        }

    def _repr_html_(self) -> str:
        return self.table().html() + (self.reasons.table().html() if self.reasons else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What the list is drawn from; each is open on the connection."""

    orders: Given
    assignments: Given
    messages: Given | None = None
    reactions: Given | None = None
    consents: Given | None = None


def interviews(
    orders: Any,
    assignments: Any,
    *,
    until: date | str,
    control: str = "",
    window: str | int = "30d",
    each: int = EACH,
    reserve: int = RESERVE,
    seed: str = "",
    messages: Any = None,
    reactions: Any = None,
    consents: Any = None,
    called: Any = None,
    answers: Any = None,
    calls: Any = None,
    after: str | int = "90d",
    codes: Mapping[str, str] | None = None,
    experiment: str = "",
    timezone: str = "UTC",
    currency: str = "",
    columns: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
) -> Interviews:
    """Whom to call and, once they were, what they say.

    Args:
        orders: As `ladder` takes them: `customer_id`, `ordered_at`, `revenue`.
        assignments: `customer_id`, `arm`, `assigned_at`.
        until: The last day of the log, inclusive.
        control: The arm left alone; without it nobody is known to have come back alone.
        window: Days since assignment within which a return counts.
        each: People to call in each of the four groups; `reserve` more for each of them.
        seed: Another one draws other people; the same one always the same.
        messages: `customer_id`, `sent_at`: who was really written to; else every arm but the control was.
        reactions: `message_id`, `kind`, `happened_at`: who unsubscribed or complained is not called.
        consents: `customer_id`, `processing`, `state`, `happened_at`: only those whose last marketing consent is given
            are called.
        called: `customer_id` of those called before.
        answers: `customer_id` or `call`, `said_at`, `reason` (codes, separated by commas), optional `quote`,
            `would_return`, `language`, `coder`.
        calls: The exported list that the answers belong to; else the list as it is drawn now.
        after: Days after the talk over which orders are looked at.
        codes: Reason codes of your own → their words.
        out: CSV or Parquet file of the list, with ids.
    Raises:
        BadTable, BadInput, NotFound: what was given cannot be used; one message says what and where.
    """
    check_sizes(each, reserve)
    campaign = campaign_of(
        until=until, control=control, window=window, horizon=3650, timezone=timezone, experiment=experiment
    )
    names = Columns(columns)
    with closing(connect()) as connection:
        run(connection, f"SET memory_limit = '{MEMORY}'")
        rows = {
            "orders": orders,
            "assignments": assignments,
            "messages": messages,
            "reactions": reactions,
            "consents": consents,
        }
        for table in ("orders", "assignments"):
            if rows[table] is None:
                raise BadInput(f"{table} are missing: give --{table}")
        if reactions is not None and messages is None:
            raise BadInput("--reactions need --messages: a reaction names its message, not its customer")
        tables = Tables(
            **{
                table: open_given(connection, table, given, columns=names, timezone=timezone)
                for table, given in rows.items()
                if given is not None
            }
        )
        names.check_used()
        found = interviews_of(
            connection, tables, campaign, each=each, reserve=reserve, seed=seed, called=called
        )
        drawn = drawn_rows(connection)
        if calls is not None:
            drawn = called_rows(calls)
            found = as_listed(found, drawn)
        if answers is not None:
            found = replace(
                found,
                reasons=reasons_of(
                    connection,
                    answers,
                    drawn,
                    tables.orders,
                    reactions=tables.reactions,
                    messages=tables.messages,
                    until=campaign.until,
                    timezone=timezone,
                    after_days=days_of(after, "--after"),
                    codes=codes or {},
                    currency=currency,
                ),
            )
        if out is not None:
            write_rows(drawn_rows(connection), Path(out))
            found = replace(found, out=Path(out))
        return found


def as_listed(found: Interviews, drawn: pa.Table) -> Interviews:
    """The same with the calls of a list that was drawn before.

    Raises:
        BadTable: the list lacks a column.
    """
    names = [entry.name for entry in fields(Call)]
    missing = [name for name in names if name not in drawn.column_names]
    if missing:
        raise BadTable(f"the list: {missing[0]} not found; it has {', '.join(drawn.column_names)}")
    # Of a CSV file a truth value comes back as text.
    kinds = {"reserve": lambda value: str(value).strip().lower() == "true", "stands_for": float}
    calls = tuple(
        Call(**{name: kinds.get(name, str)(row[name]) for name in names})
        for row in drawn.select(names).to_pylist()
    )
    groups = tuple(
        replace(
            group,
            calls=sum(call.stratum == group.stratum and not call.reserve for call in calls),
            reserve=sum(call.stratum == group.stratum and call.reserve for call in calls),
        )
        for group in found.groups
    )
    return replace(found, calls=calls, groups=groups, why_not="" if calls else found.why_not)


def check_sizes(each: int, reserve: int) -> None:
    """Raises BadInput where they cannot be."""
    if not 1 <= each <= MOST:
        raise BadInput(
            f"--each {each}: 1 to {MOST} people of each group; eight to twelve usually tell enough"
        )
    if not 0 <= reserve <= 20:
        raise BadInput(f"--reserve {reserve}: 0 to 20 for each person to call")


def interviews_of(
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    campaign: Campaign,
    *,
    each: int = EACH,
    reserve: int = RESERVE,
    seed: str = "",
    called: Any = None,
) -> Interviews:
    """The list over open tables; leaves the table `interview_drawn` on the connection."""
    with plain_errors("looking for people to call"):
        _make_people(connection, tables, campaign)
        _leave_out(connection, tables, called)
        salt = quoted(f"interviews:{seed}")
        # A cell is value by silence, each split at the median of the group; the lottery is the house's own hash, so
        # that the same list is drawn tomorrow and a longer one begins with the shorter.
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE interview_cells AS SELECT *, value > median(value) OVER own AS rich, "
            "silent_days > median(silent_days) OVER own AS long FROM interview_people WHERE stratum IS NOT NULL AND refused = '' "
            "WINDOW own AS (PARTITION BY stratum)",
        )
        run(
            connection,
            f"CREATE OR REPLACE TEMP TABLE interview_order AS SELECT *, bucket({salt}, customer_id) AS lot, row_number() OVER "
            f"(PARTITION BY stratum, rich, long ORDER BY bucket({salt}, customer_id), customer_id) AS place FROM interview_cells",
        )
        sizes = run(
            connection,
            "SELECT stratum, rich, long, count(*) FROM interview_order GROUP BY ALL ORDER BY ALL",
        )
        members = dict(
            run(
                connection,
                "SELECT stratum, count(*) FROM interview_people WHERE stratum IS NOT NULL GROUP BY 1",
            )
        )
        takes = _takes(sizes, each, reserve)
        connection.register("interview_takes_rows", takes)
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE interview_drawn AS SELECT stratum, letter || row_number() OVER (PARTITION BY stratum "
            "ORDER BY place > main, lot, customer_id) AS call, customer_id, arm, CASE WHEN rich THEN 'high' ELSE 'low' END AS value, "
            "CASE WHEN long THEN 'high' ELSE 'low' END AS silence, place > main AS reserve, size AS cell_customers, "
            "size / main AS stands_for, silent_days FROM interview_order "
            "JOIN interview_takes_rows USING (stratum, rich, long) WHERE place <= main + spare",
        )
        connection.unregister("interview_takes_rows")
    found = arrow(
        connection,
        "SELECT call, stratum, arm, value, silence, reserve, stands_for FROM interview_drawn ORDER BY left(call, 1), "
        "CAST(substr(call, 2) AS INTEGER)",
    ).to_pylist()
    calls = tuple(Call(**row) for row in found)
    groups = tuple(
        Group(
            stratum=stratum,
            customers=int(members.get(stratum, 0)),
            may_call=sum(int(n) for own, _, _, n in sizes if own == stratum),
            calls=sum(call.stratum == stratum and not call.reserve for call in calls),
            reserve=sum(call.stratum == stratum and call.reserve for call in calls),
            cells=tuple(
                (LEVELS[int(rich)], LEVELS[int(long)], int(n))
                for own, rich, long, n in sizes
                if own == stratum
            ),
        )
        for stratum in get_args(Stratum)
    )
    return Interviews(
        experiment=campaign.name,
        until=campaign.until,
        window_days=campaign.window_days,
        groups=groups,
        calls=calls,
        by_us=_by_us(connection, campaign),
        left_out=_left_out(connection),
        has_control=bool(campaign.control),
        consents_known=tables.consents is not None,
        why_not="" if calls else "nobody",
    )


def drawn_rows(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The list with ids, as it is exported."""
    return arrow(
        connection,
        "SELECT call, customer_id, stratum, arm, value, silence, silent_days, reserve, cell_customers, stands_for "
        "FROM interview_drawn ORDER BY left(call, 1), CAST(substr(call, 2) AS INTEGER)",
    )


def _make_people(connection: duckdb.DuckDBPyConnection, tables: Tables, campaign: Campaign) -> None:
    """`interview_people`: one row for each of the assigned with his group, or why he belongs to none."""
    assigned, orders = tables.assignments, tables.orders
    where = "customer_id IS NOT NULL AND arm IS NOT NULL AND assigned_at IS NOT NULL"
    named = f" AND experiment = {quoted(campaign.name)}" if campaign.name and "experiment" in assigned else ""
    if "experiment" in assigned and not campaign.name:
        several = run(
            connection, f"SELECT DISTINCT experiment FROM {assigned.view} WHERE {where} ORDER BY 1 LIMIT 5"
        )
        if len(several) > 1:
            raise BadTable(
                f"{assigned.where}: it holds several experiments ({', '.join(str(row[0]) for row in several)}); name one with "
                f"--experiment"
            )
    end = datetime.combine(campaign.until + timedelta(days=1), time(), ZoneInfo(campaign.timezone))
    before = f"TIMESTAMP '{end.astimezone(ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S}'"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE interview_assigned AS SELECT customer_id, arg_min(arm, assigned_at) AS arm, "
        f"min(assigned_at) AS since, count(DISTINCT arm) AS arms FROM {assigned.view} WHERE {where}{named} AND assigned_at < {before} "
        "GROUP BY customer_id",
    )
    arms = [
        row[0] for row in run(connection, "SELECT DISTINCT arm FROM interview_assigned ORDER BY arm LIMIT 50")
    ]
    if not arms:
        what = f" of the experiment {campaign.name!r}" if campaign.name else ""
        raise BadTable(
            f"{assigned.where}: no assignment{what} up to {campaign.until}; check --until and --experiment"
        )
    if campaign.control and campaign.control not in arms:
        raise BadInput(f"--control {campaign.control}: no such arm; the assignments hold {', '.join(arms)}")
    twice = run(
        connection,
        "SELECT customer_id FROM interview_assigned WHERE arms > 1 ORDER BY customer_id LIMIT 1",
    )
    if twice:
        raise BadTable(
            f"{assigned.where}: customer {twice[0][0]!r} was assigned to several arms of one experiment"
        )
    key = "order_id" if "order_id" in orders else "ordered_at"
    open_ = f"NOT list_contains(['cancelled', 'canceled'], lower({orders.or_null('status')}))"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE interview_orders AS SELECT customer_id, "
        "min(moment) FILTER (paid >= 0 AND moment >= since) AS returned, max(moment) FILTER (paid >= 0 AND moment < since) AS last_one, "
        "coalesce(sum(paid) FILTER (moment < since), 0) AS worth FROM ("
        f"SELECT customer_id, min(ordered_at) AS moment, sum(revenue) AS paid, any_value(since) AS since FROM {orders.view} "
        f"JOIN interview_assigned USING (customer_id) WHERE ordered_at < {before} AND coalesce({open_}, true) "
        f"GROUP BY customer_id, {key}) GROUP BY customer_id",
    )
    written = "NULL::TIMESTAMP AS written"
    joined = ""
    if tables.messages is not None:
        held = f"NOT coalesce({tables.messages.or_null('withheld')}, false)"
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE interview_written AS SELECT customer_id, min(sent_at) AS written FROM "
            f"{tables.messages.view} JOIN interview_assigned USING (customer_id) WHERE sent_at >= since AND sent_at < {before} AND {held} "
            "GROUP BY customer_id",
        )
        written, joined = "written", "LEFT JOIN interview_written USING (customer_id)"
    is_control = f"arm = {quoted(campaign.control)}" if campaign.control else "false"
    reached = "written IS NOT NULL" if tables.messages is not None else f"NOT ({is_control})"
    window = f"INTERVAL {campaign.window_days} DAY"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE interview_people AS SELECT customer_id, arm, worth AS value, silent_days, refused, "
        "in_window, whole, CASE WHEN left_out = '' THEN stratum END AS stratum, left_out FROM ("
        f"SELECT *, '' AS refused, CASE WHEN NOT whole THEN 'early' WHEN {is_control} AND reached THEN 'written' "
        f"WHEN NOT ({is_control}) AND NOT reached THEN 'unreached' WHEN returned IS NOT NULL AND NOT in_window THEN 'late' ELSE '' END "
        f"AS left_out, CASE WHEN {is_control} THEN CASE WHEN in_window THEN 'self' ELSE 'left' END "
        "WHEN in_window THEN 'us' ELSE 'silent' END AS stratum FROM ("
        f"SELECT customer_id, arm, since, returned, coalesce(worth, 0) AS worth, {written}, "
        "coalesce(date_diff('second', last_one, since) / 86400, 36500)::DOUBLE AS silent_days, "
        f"coalesce(returned < since + {window}, false) AS in_window, since + {window} <= {before} AS whole, {reached} AS reached "
        f"FROM interview_assigned LEFT JOIN interview_orders USING (customer_id) {joined}))",
    )


def _leave_out(connection: duckdb.DuckDBPyConnection, tables: Tables, called: Any) -> None:
    """Mark who must not be called, the first reason counts."""
    marks: list[tuple[str, str]] = []
    if tables.reactions is not None and tables.messages is not None:
        if "message_id" not in tables.messages:
            raise BadTable(f"{tables.messages.where}: message_id not found, which --reactions refer to")
        marks.append(
            (
                "opted-out",
                f"SELECT m.customer_id FROM {tables.reactions.view} r JOIN {tables.messages.view} m USING (message_id) "
                "WHERE lower(r.kind) IN ('unsubscribed', 'complained')",
            )
        )
    if tables.consents is not None:
        allowed = ", ".join(quoted(state) for state in GIVEN)
        last = (
            f"SELECT customer_id, arg_max(lower(trim(state)), happened_at) AS state FROM {tables.consents.view} "
            "WHERE lower(trim(processing)) = 'marketing' AND customer_id IS NOT NULL GROUP BY customer_id"
        )
        # Consents are kept by channel; whoever took back any of them is left in peace.
        refused = (
            "SELECT customer_id FROM (SELECT customer_id, arg_max(lower(trim(state)), happened_at) AS state FROM "
            f"{tables.consents.view} WHERE lower(trim(processing)) = 'marketing' GROUP BY customer_id, "
            f"{tables.consents.or_null('channel')}) WHERE state NOT IN ({allowed})"
        )
        marks.append(("opted-out", refused))
        marks.append(
            (
                "no-consent",
                f"SELECT customer_id FROM interview_people WHERE customer_id NOT IN (SELECT customer_id FROM ({last}))",
            )
        )
    if called is not None:
        before = called_rows(called, need=())
        connection.register("interview_called_rows", before.select(["customer_id"]))
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE interview_called AS SELECT * FROM interview_called_rows",
        )
        connection.unregister("interview_called_rows")
        marks.append(("called", "SELECT customer_id FROM interview_called WHERE customer_id IS NOT NULL"))
    for code, query in marks:
        run(
            connection,
            f"UPDATE interview_people SET refused = {quoted(code)} WHERE refused = '' AND customer_id IN ({query})",
        )


def _takes(sizes: list[tuple[str, bool, bool, int]], each: int, reserve: int) -> pa.Table:
    """How many of each cell: shared out in proportion (largest remainders), at least one of each where that fits."""
    rows = []
    for stratum in sorted({row[0] for row in sizes}):
        own = [row for row in sizes if row[0] == stratum]
        total = sum(n for *_, n in own)
        wanted = min(each, total)
        least = 1 if wanted >= len(own) else 0
        ideal = [wanted * n / total for *_, n in own]
        main = [max(least, math.floor(share)) for share in ideal]
        while sum(main) > wanted:
            at = max((at for at in range(len(own)) if main[at] > least), key=lambda at: main[at] - ideal[at])
            main[at] -= 1
        while sum(main) < wanted:
            at = max(
                (at for at in range(len(own)) if main[at] < own[at][3]), key=lambda at: ideal[at] - main[at]
            )
            main[at] += 1
        rows += [
            (stratum, rich, long, LETTER[stratum], n, count, count * reserve)
            for (_, rich, long, n), count in zip(own, main, strict=True)
            if count
        ]
    names = ("stratum", "rich", "long", "letter", "size", "main", "spare")
    kinds = (pa.string(), pa.bool_(), pa.bool_(), pa.string(), pa.int64(), pa.int64(), pa.int64())
    return pa.table({name: pa.array([row[at] for row in rows], kinds[at]) for at, name in enumerate(names)})


def _by_us(connection: duckdb.DuckDBPyConnection, campaign: Campaign) -> tuple[ByUs, ...]:
    """Of each arm's returners, the share beyond the control's rate: 1 − control's rate / arm's rate.

    As the ladder's induced share over the arm's returners, among all who lived through the window, whoever was
    reached. Interval of the ratio on the log scale (Katz et al. 1978), cut to 0 … 1.
    """
    if not campaign.control:
        return ()
    counts = {
        arm: (int(n), int(back))
        for arm, n, back in run(
            connection,
            "SELECT arm, count(*), count(*) FILTER (in_window) FROM interview_people WHERE whole GROUP BY arm ORDER BY arm",
        )
    }
    n0, back0 = counts.pop(campaign.control, (0, 0))
    found = []
    for arm, (n, back) in counts.items():
        share = low = high = NAN
        if min(back, back0) >= FEW and n0:
            ratio = (back0 / n0) / (back / n)
            spread = 1.959964 * math.sqrt(1 / back - 1 / n + 1 / back0 - 1 / n0)
            share, low, high = (
                min(1.0, max(0.0, 1 - bound))
                for bound in (ratio, ratio * math.exp(spread), ratio / math.exp(spread))
            )
        found.append(ByUs(arm=arm, returned=back, share=share, low=low, high=high))
    return tuple(found)


def _left_out(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    counts = dict(
        run(
            connection,
            "SELECT code, count(*) FROM (SELECT CASE WHEN left_out <> '' THEN left_out ELSE refused END AS code "
            "FROM interview_people) GROUP BY code",
        )
    )
    return {code: int(counts.get(code, 0)) for code in LEFT_OUT}
