"""The orders of the assigned: joined, cleaned, counted in seconds since assignment, their money known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from primeta.errors import BadInput, BadTable
from primeta.reactivation.follow_up_assigned import Assigned, end_of, seconds_since
from primeta.reactivation.inputs import NOBODY, ROW, Given
from primeta.reactivation.order_money import carries_margin
from primeta.reactivation.records import Campaign, Note
from primeta.warehouse.duck import arrow, named, one, quoted, run
from primeta.warehouse.mapping import CANCELLED

DAY = 86_400
STALE_DAYS = 7
"""A log that ends longer than this before `until` seems to be incomplete."""
CHECKED = 2_000_000
"""Customers whose orders are looked through for repeated ids together."""
TURNED = 0.01
"""More orders than this share with a discount below zero: the sign of the column is the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The table `placed`: a row for each order, or each return of a day, of the assigned up to `until`.

    Columns: `customer`, `seconds` since assignment (whole, rounded down; below 0 before it), `revenue`,
    `discount`, `margin` where orders carry one, `coded` (with the code of his arm) and, where an order may have
    several rows, `key` (hash of its id); `part_of` puts those together.
    """

    lines: bool
    """Whether an order may have several rows."""
    money: str
    """SQL of the margin of an order, before contact."""
    notes: tuple[Note, ...] = field(default=())


def place_orders(
    connection: duckdb.DuckDBPyConnection, given: Given, assigned: Assigned, campaign: Campaign
) -> Placed:
    """Make the table `placed`.

    Args:
        given: `orders`, or `order_lines` where there are no orders: lines are summed by `order_id`.
    Raises:
        BadTable: no customer of the assignments is in the log; lines without customer or time; a promo code is
            asked for and there is no column of it; a margin is missing; discounts have the wrong sign.
        BadInput: the log ends before the first assignment.
    """
    if given.table == "order_lines" and (
        missing := [name for name in ("customer_id", "ordered_at", "revenue") if name not in given]
    ):
        raise BadTable(
            f"{given.where}: without a table of orders the lines must carry {', '.join(missing)}, which they do not; "
            f"give --orders, or say which column it is (columns {missing[0]}=THEIRS)."
        )
    if campaign.promo_codes and "promo_code" not in given:
        raise BadTable(
            f"--promo-code: {given.where} has no column promo_code; it has {', '.join(given.theirs)}. Say which "
            f"column it is (columns promo_code=THEIRS), or leave the codes out."
        )
    _check_currency(connection, given)
    cleaned = _cleaned(connection, given, assigned, campaign)
    _place(connection, given, assigned, campaign, cleaned, exact=False)
    _check_any(connection, given, assigned)
    lines = False
    dropped = 0
    if "order_id" in given:
        lines = _twice(connection, assigned)
        if lines and given.table == "orders":
            before = one(connection, "SELECT count(*) FROM placed")[0]
            _place(connection, given, assigned, campaign, cleaned, exact=True)
            dropped = before - one(connection, "SELECT count(*) FROM placed")[0]
    notes = list(cleaned.notes)
    if dropped:
        notes.append(Note("orders-twice", {"rows": dropped}))
    notes += _code_notes(connection, assigned, campaign)
    if not lines:
        # Of a hundred million rows a column weighs as much as everything that is made of it.
        run(connection, "ALTER TABLE placed DROP COLUMN key")
    return Placed(lines=lines, money=_money(campaign, cleaned), notes=tuple(notes))


@contextmanager
def part_of(connection: duckdb.DuckDBPyConnection, placed: Placed, low: int, high: int) -> Iterator[None]:
    """The orders of customers `low` … `high` − 1 as the relation `part`, one row each, while the block lasts.

    Its columns are those of `placed` without the key. A return makes a row of its own on each day on which something
    of an order came back.
    """
    rows = f"FROM placed WHERE customer >= {low} AND customer < {high}"
    if not placed.lines:
        run(
            connection,
            f"CREATE OR REPLACE TEMP VIEW part AS SELECT customer, seconds, revenue, discount, {placed.money} AS money, coded {rows}",
        )
        yield
        run(connection, "DROP VIEW part")
        return
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE part AS SELECT customer, min(seconds)::INTEGER AS seconds, sum(revenue) AS revenue, "
        f"sum(discount) AS discount, sum({placed.money}) AS money, bool_or(coded) AS coded {rows} GROUP BY customer, key, "
        f"revenue < 0, CASE WHEN revenue < 0 THEN seconds // {DAY} END",
    )
    yield
    run(connection, "DROP TABLE part")


def _check_currency(connection: duckdb.DuckDBPyConnection, given: Given) -> None:
    column = next((name for name in given.theirs if name.lower() == "currency"), None)
    if column is None:
        return
    found = run(
        connection,
        f"SELECT DISTINCT CAST({named(column)} AS VARCHAR) FROM {given.raw} WHERE {named(column)} IS NOT NULL "
        "ORDER BY 1 LIMIT 5",
    )
    if len(found) > 1:
        raise BadTable(
            f"{given.where}: money stands in several currencies ({', '.join(row[0] for row in found)}); one was expected. "
            f"Convert it first, or keep the rows of one."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cleaned:
    where: str
    """SQL condition of the rows that count."""
    has_discount: bool
    has_margin: bool
    turn_returns: bool
    notes: tuple[Note, ...]


def _cleaned(
    connection: duckdb.DuckDBPyConnection, given: Given, assigned: Assigned, campaign: Campaign
) -> _Cleaned:
    """What of the rows counts, and what a reader must know of the others: one pass over the log."""
    end = f"TIMESTAMP '{end_of(campaign)}'"
    words = ", ".join(quoted(word) for word in CANCELLED)
    cancelled = "false"
    if "status" in given:
        cancelled = f"coalesce(lower(status) IN ({words}), false) AND NOT coalesce(revenue < 0, false)"
    has_discount = "discount" in given
    # What is asked of a row is told once, and counted afterwards: most of the time goes into reading the log.
    row = one(
        connection,
        "SELECT count(*), count(*) FILTER (cancelled), count(*) FILTER (nobody AND NOT cancelled), "
        "sum(revenue) FILTER (nobody AND NOT cancelled), count(*) FILTER (unread AND NOT nobody AND NOT cancelled), "
        "count(*) FILTER (good), count(*) FILTER (good AND NOT inside), min(ordered_at) FILTER (good), "
        "max(ordered_at) FILTER (good), count(discount) FILTER (inside), count(margin) FILTER (inside), "
        "count(*) FILTER (inside AND revenue >= 0 AND discount < 0), "
        "count(*) FILTER (inside AND revenue < 0 AND discount > 0), count(*) FILTER (inside AND revenue = 0), "
        "count(*) FILTER (inside AND revenue > 0), max(ordered_at) FILTER (inside), count(*) FILTER (inside) "
        f"FROM (SELECT *, good AND ordered_at < {end} AS inside FROM (SELECT *, "
        "NOT cancelled AND NOT nobody AND NOT unread AS good FROM (SELECT revenue, ordered_at, "
        f"{'discount' if has_discount else 'CAST(NULL AS DOUBLE)'} AS discount, "
        f"{'margin' if 'margin' in given else 'CAST(NULL AS DOUBLE)'} AS margin, {cancelled} AS cancelled, "
        f"{named(NOBODY)} AS nobody, revenue IS NULL OR ordered_at IS NULL AS unread FROM {given.view})))",
    )
    (rows, cancels, strangers, strange_money, unreadable, well, after, first, last) = row[:9]
    (discounts, margins, below, returned, free, orders, last_inside, counted) = row[9:]
    if not rows or not well:
        raise BadTable(
            f"{given.where}: no order can be used ({rows:,} rows, {strangers:,} without a customer, {unreadable:,} without "
            f"a time or an amount, {cancels:,} cancelled); customer_id, ordered_at and revenue were expected in each."
        )
    if last < assigned.first:
        raise BadInput(
            f"nobody can be followed: the log of orders ends on {last:%Y-%m-%d}, before the first assignment on "
            f"{assigned.first:%Y-%m-%d}. Give a log that goes on after the assignments."
        )
    if not counted:
        raise BadInput(
            f"--until {campaign.until} is before the first order on {first:%Y-%m-%d}: there is nothing to look at. Give "
            f"the last day up to which the log is complete."
        )
    if below > TURNED * orders:
        raise BadTable(
            f"{given.where}: discount is below zero in {below:,} of {orders:,} orders; it is what was taken off, 0 or more. "
            f"Turn the sign of the column."
        )
    has_margin = carries_margin(margins, counted, where=given.where, margin=campaign.margin)
    notes: list[Note] = []
    if cancels:
        notes.append(Note("cancelled-orders", {"orders": cancels}))
    if strangers:
        notes.append(
            Note("orders-without-customer", {"orders": strangers, "revenue": float(strange_money or 0)})
        )
    if unreadable:
        notes.append(Note("orders-unreadable", {"orders": unreadable}))
    if after:
        notes.append(Note("orders-after-until", {"orders": after, "until": campaign.until}))
    if not discounts:
        notes.append(Note("no-discounts"))
    elif below:
        notes.append(Note("discounts-below-zero", {"orders": below}))
    if returned:
        notes.append(Note("return-discounts-turned", {"returns": returned}))
    if free:
        notes.append(Note("orders-of-nothing", {"orders": free}))
    if not has_margin and campaign.margin is None:
        notes.append(Note("money-is-revenue"))
    last_day = _day(last_inside, campaign)
    if (campaign.until - last_day).days > STALE_DAYS:
        notes.append(Note("log-ends-early", {"last": last_day, "until": campaign.until}))
    # Rows without a customer find none to be joined to; what did not occur need not be looked for again.
    kept = ["true"]
    kept += [f"NOT ({cancelled})"] if cancels else []
    kept += ["revenue IS NOT NULL AND ordered_at IS NOT NULL"] if unreadable else []
    kept += [f"ordered_at < {end}"] if after else []
    return _Cleaned(
        where=" AND ".join(kept),
        has_discount=bool(discounts),
        has_margin=has_margin,
        turn_returns=bool(returned or below),
        notes=tuple(notes),
    )


def _day(moment: datetime, campaign: Campaign) -> date:
    """The day, in the campaign's zone, of a moment in UTC."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(campaign.timezone)).date()


def _place(
    connection: duckdb.DuckDBPyConnection,
    given: Given,
    assigned: Assigned,
    campaign: Campaign,
    cleaned: _Cleaned,
    *,
    exact: bool,
) -> None:
    number = "customer_id" in given.numbered and assigned.whole_ids
    ours, theirs = ("p.number", named("customer_id#")) if number else ("p.customer_id", "customer_id")
    discount = "0.0::DOUBLE"
    if cleaned.has_discount:
        discount = "coalesce(discount, 0)"
        if cleaned.turn_returns:
            # What comes back takes its discount with it; what is sold takes none below zero.
            discount = f"CASE WHEN revenue < 0 THEN -abs({discount}) ELSE greatest({discount}, 0) END"
    coded = _coded(assigned, campaign)
    key = "CAST(0 AS UBIGINT)"
    if "order_id" in given:
        own = named("order_id#") if "order_id" in given.numbered else "order_id"
        # An order without an id is an order by itself.
        key = f"CASE WHEN order_id IS NULL THEN hash(uuid()) ELSE hash({own}) END"
    margin = "margin, " if cleaned.has_margin else ""
    columns = ["ordered_at", "revenue"]
    columns += [name for name in ("discount", "margin", "promo_code") if name in given]
    # Two rows alike in every column that came are one row written twice.
    mark = f", {named(ROW)}" if exact else ""
    source = f"SELECT {', '.join(columns)}, {theirs} AS joined, {key} AS key{mark} FROM {given.view} WHERE {cleaned.where}"
    placed = (
        f"SELECT p.customer, {seconds_since('o.ordered_at')} AS seconds, "
        f"o.revenue, {discount} AS discount, {coded} AS coded, o.key{', o.margin' if cleaned.has_margin else ''}{mark} "
        f"FROM ({source}) o JOIN people p ON {ours} = o.joined"
    )
    if exact:
        placed = f"SELECT DISTINCT * FROM ({placed})"
    run(
        connection,
        f"CREATE OR REPLACE TABLE placed AS SELECT customer, seconds, revenue, discount, {margin}coded, key "
        f"FROM ({placed})",
    )


def _money(campaign: Campaign, cleaned: _Cleaned) -> str:
    """SQL of the margin of an order: the column's, else revenue less (1 − margin) of its list price."""
    share = campaign.margin
    own = "revenue" if share is None else f"revenue - {1 - share!r} * (revenue + discount)"
    return f"coalesce(margin, {own})" if cleaned.has_margin else own


def _coded(assigned: Assigned, campaign: Campaign) -> str:
    """SQL: whether an order carries the code of its customer's arm; codes are typed, so case does not matter."""
    if not campaign.promo_codes:
        return "false"
    cases = " ".join(
        f"WHEN {assigned.arms.index(arm)} THEN {quoted(code.strip().lower())}"
        for arm, code in campaign.promo_codes.items()
    )
    return f"(CASE WHEN o.promo_code IS NULL THEN false ELSE coalesce(lower(o.promo_code) = CASE p.arm {cases} END, false) END)"


def _twice(connection: duckdb.DuckDBPyConnection, assigned: Assigned) -> bool:
    """Whether any order has more than one row: its rows are of one customer, so parts can be looked at in turn."""
    for low in range(0, assigned.count, CHECKED):
        keys = arrow(
            connection, f"SELECT key FROM placed WHERE customer >= {low} AND customer < {low + CHECKED}"
        )
        found = np.sort(keys.column("key").to_numpy())
        if (found[1:] == found[:-1]).any():
            return True
    return False


def _check_any(connection: duckdb.DuckDBPyConnection, given: Given, assigned: Assigned) -> None:
    if one(connection, "SELECT count(*) FROM (SELECT 1 FROM placed LIMIT 1)")[0]:
        return
    ours = [row[0] for row in run(connection, "SELECT customer_id FROM people ORDER BY 1 LIMIT 3")]
    theirs = [
        row[0]
        for row in run(
            connection,
            f"SELECT DISTINCT customer_id FROM (SELECT customer_id FROM {given.view} WHERE customer_id IS NOT NULL "
            "LIMIT 1000) ORDER BY 1 LIMIT 3",
        )
    ]
    raise BadTable(
        f"{given.where}: no customer of the assignments has an order, before or after. Are the ids the same ones? "
        f"Assigned were {', '.join(ours)} …; orders are of {', '.join(theirs)} …"
    )


def _code_notes(connection: duckdb.DuckDBPyConnection, assigned: Assigned, campaign: Campaign) -> list[Note]:
    found: list[Note] = []
    for arm, code in campaign.promo_codes.items():
        used = one(
            connection,
            "SELECT count(*) FROM (SELECT 1 FROM placed JOIN people USING (customer) WHERE coded AND seconds >= 0 "
            f"AND arm = {assigned.arms.index(arm)} LIMIT 1)",
        )[0]
        if not used:
            found.append(Note("code-unseen", {"arm": arm, "code": code}))
    return found


def no_orders_after(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether nobody of the assigned has an order after his assignment."""
    return not one(
        connection, "SELECT count(*) FROM (SELECT 1 FROM placed WHERE seconds >= 0 AND revenue >= 0 LIMIT 1)"
    )[0]
