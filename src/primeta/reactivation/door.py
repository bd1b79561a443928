"""`pm.ladder`: from files or tables to all rungs of a campaign side by side."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from primeta.errors import BadInput
from primeta.reactivation.follow_up import Tables, follow
from primeta.reactivation.inputs import Columns, open_given
from primeta.reactivation.records import Campaign, FollowUp
from primeta.warehouse.duck import connect, run

if TYPE_CHECKING:
    import duckdb

    from primeta.reactivation.ladder_result import Ladder

MEMORY = "8GB"
"""Of the engine; what does not fit is spilled to the temporary folder."""
_UNITS = {"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7}
_LONGEST = 3650


def ladder(
    orders: Any,
    assignments: Any,
    *,
    until: date | str,
    control: str = "",
    window: str | int = "30d",
    horizon: str | int = "365d",
    margin: float | None = None,
    lines: Any = None,
    visits: Any = None,
    messages: Any = None,
    reactions: Any = None,
    by: str = "",
    promo_code: Mapping[str, str] | None = None,
    contact_cost: Mapping[str, float] | None = None,
    annual_discount: float = 0.0,
    attribution: str | int = "7d",
    shares: Mapping[str, float] | None = None,
    level: float = 0.95,
    timezone: str = "UTC",
    currency: str = "",
    columns: Mapping[str, Any] | None = None,
    experiment: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Ladder:
    """All rungs of a campaign side by side, in money: what each claims and what it silently assumes.

    Args:
        orders: A path or a glob of CSV or Parquet files, an Arrow table, a data frame or a mapping of columns:
            `customer_id`, `ordered_at`, `revenue`, optional `order_id` (rows of one order are summed), `discount`,
            `margin`, `promo_code`, `status`. None where `lines` carry customer, time and money.
        assignments: The same: `customer_id`, `arm`, `assigned_at`, optional `experiment`, and the column of `by`.
        until: The last day up to which the log is complete, inclusive.
        control: The arm left alone; empty: there was none, and nothing above rung 1 can be known.
        window, horizon, attribution: Days, as a number or as "30d", "52w".
        margin: Of list price, where orders carry no `margin` of their own; None: money is revenue.
        lines, visits, messages, reactions: What else is known, by their canonical columns.
        by: Column of the assignments, known before, by which everything is split.
        promo_code: Arm → its code; then only discounts of orders with the code are the campaign's.
        contact_cost: Arm → money once per assigned customer, where messages carry no cost.
        annual_discount: Of later money, back to the assignment; .1 is 10% a year.
        shares: Arm → share that the lottery was to give it, for the check of the split.
        timezone: Of times that carry none; `until` ends in it.
        columns: Canonical name → theirs, for all tables; for one table write `orders.revenue`, or nest the names
            under the table's.
        experiment: Which one, where the assignments hold several.
    Raises:
        BadTable, BadInput, NotFound: what was given cannot be used; one message says what and where.
    """
    from primeta.reactivation.ladder import climb_ladder
    from primeta.reactivation.ladder_result import Ladder
    from primeta.reactivation.tail import rung_four

    campaign = campaign_of(
        until=until,
        control=control,
        window=window,
        horizon=horizon,
        margin=margin,
        by=by,
        promo_code=promo_code,
        contact_cost=contact_cost,
        annual_discount=annual_discount,
        attribution=attribution,
        shares=shares,
        level=level,
        timezone=timezone,
        currency=currency,
        experiment=experiment,
    )
    followed = follow_given(
        orders,
        assignments,
        campaign,
        lines=lines,
        visits=visits,
        messages=messages,
        reactions=reactions,
        columns=columns,
        progress=progress,
    )
    # Without a control there is nothing that a model could be held against.
    beyond = rung_four(followed) if campaign.control else None
    return Ladder(facts=climb_ladder(followed, beyond))


def follow_given(
    orders: Any,
    assignments: Any,
    campaign: Campaign,
    *,
    lines: Any = None,
    visits: Any = None,
    messages: Any = None,
    reactions: Any = None,
    columns: Mapping[str, Any] | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
    units: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> FollowUp:
    """The follow-up in sums of tables as `ladder` takes them.

    Args:
        connection: Where tables given as `inputs.Query` live; by default one is opened for the call.
        units: As `follow` takes it, a table on `connection`.
    """
    if orders is None and lines is None:
        raise BadInput(
            "orders are missing: give a table of orders, or order lines with customer, time and money"
        )
    if assignments is None:
        raise BadInput("assignments are missing: who was assigned to which arm, and when")
    if connection is None:
        with closing(connect()) as own:
            run(own, f"SET memory_limit = '{MEMORY}'")
            return follow_given(
                orders,
                assignments,
                campaign,
                lines=lines,
                visits=visits,
                messages=messages,
                reactions=reactions,
                columns=columns,
                connection=own,
                progress=progress,
            )
    names = Columns(columns)

    def opened(table: str, rows: Any, keep: tuple[str, ...] = ()) -> Any:
        if rows is None:
            return None
        return open_given(connection, table, rows, columns=names, timezone=campaign.timezone, keep=keep)

    tables = Tables(
        assignments=opened("assignments", assignments, (campaign.by,) if campaign.by else ()),
        orders=opened("orders", orders),
        lines=opened("order_lines", lines),
        visits=opened("visits", visits),
        messages=opened("messages", messages),
        reactions=opened("reactions", reactions),
    )
    names.check_used()
    return follow(connection, tables, campaign, units=units, progress=progress)


def campaign_of(
    *,
    until: date | str,
    control: str = "",
    window: str | int = "30d",
    horizon: str | int = "365d",
    margin: float | None = None,
    by: str = "",
    promo_code: Mapping[str, str] | None = None,
    contact_cost: Mapping[str, float] | None = None,
    annual_discount: float = 0.0,
    attribution: str | int = "7d",
    shares: Mapping[str, float] | None = None,
    level: float = 0.95,
    timezone: str = "UTC",
    currency: str = "",
    experiment: str = "",
) -> Campaign:
    """What is measured and how, checked.

    Raises:
        BadInput: an option that cannot be; the message names it.
    """
    window_days, horizon_days = days_of(window, "--window"), days_of(horizon, "--horizon")
    if window_days > horizon_days:
        raise BadInput(
            f"--window of {window_days} days is longer than --horizon of {horizon_days}: both begin at assignment, and "
            f"the window is the beginning of the horizon. Give a shorter window or a longer horizon."
        )
    if margin is not None and not (math.isfinite(margin) and margin <= 1):
        raise BadInput(f"--margin is a share of the list price, such as .4 for 40%; {margin:g} was given")
    if not (math.isfinite(annual_discount) and 0 <= annual_discount < 10):
        raise BadInput(
            f"--annual-discount is a rate a year, such as .1 for 10%; {annual_discount:g} was given"
        )
    if not 0.5 <= level < 1:
        raise BadInput(f"--level is that of the intervals, such as .95; {level:g} was given")
    for arm, cost in (contact_cost or {}).items():
        if not (math.isfinite(cost) and cost >= 0):
            raise BadInput(
                f"--contact-cost {arm}={cost:g}: money per assigned customer, 0 or more, was expected"
            )
    for arm, share in (shares or {}).items():
        if not 0 < share <= 1:
            raise BadInput(f"--shares {arm}={share:g}: a share between 0 and 1 was expected")
    for arm, code in (promo_code or {}).items():
        if not str(code).strip():
            raise BadInput(f"--promo-code {arm}: the code is empty; write {arm}=CODE")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        from zoneinfo import available_timezones

        near = difflib.get_close_matches(timezone, available_timezones(), n=1)
        hint = f" Is it {near[0]!r}?" if near else ""
        raise BadInput(
            f"no time zone is called {timezone!r}; write one such as Europe/Moscow.{hint}"
        ) from None
    return Campaign(
        control=control,
        until=day_given(until, "--until"),
        window_days=window_days,
        horizon_days=horizon_days,
        attribution_days=days_of(attribution, "--attribution"),
        margin=margin,
        promo_codes={arm: str(code) for arm, code in (promo_code or {}).items()},
        contact_costs=dict(contact_cost or {}),
        annual_discount=annual_discount,
        by=by,
        timezone=timezone,
        currency=currency,
        shares=dict(shares or {}),
        level=level,
        name=experiment,
    )


def days_of(given: str | int, option: str) -> int:
    """`30`, "30d" or "52w" in days."""
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise BadInput(f"{option}: a number of days was expected, such as 30d; {given!r} was given")
    found = re.fullmatch(r"\s*([0-9]+)\s*([a-z]*)\s*", str(given).lower())
    unit = _UNITS.get(found[2] or "d") if found else None
    if not found or unit is None:
        raise BadInput(f"{option}: a number of days was expected, such as 30d or 4w; {given!r} was given")
    days = int(found[1]) * unit
    if not 1 <= days <= _LONGEST:
        raise BadInput(f"{option}: 1 to {_LONGEST:,} days were expected; {given!r} was given")
    return days


def day_given(given: date | str, option: str) -> date:
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given).strip())
    except ValueError:
        raise BadInput(f"{option}: a day such as 2026-11-26 was expected; {given!r} was given") from None
