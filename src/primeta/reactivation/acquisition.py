"""`pm.acquisition`: what the customers of each acquisition source bring, cost and pay back, beside how many there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import duckdb

from primeta.errors import BadInput, BadTable
from primeta.reactivation.acquisition_cells import LONGEST, Cells, flips_of
from primeta.reactivation.acquisition_result import LEAST, UNKNOWN, Cohort, Source, Sources
from primeta.reactivation.acquisition_tables import (
    Asked,
    Tables,
    make_days,
    make_expected,
    read_base,
    spend_of,
)
from primeta.reactivation.door import MEMORY, campaign_of, day_given, days_of
from primeta.reactivation.farms import farms_of
from primeta.reactivation.histories import day_of
from primeta.reactivation.inputs import Columns, open_given
from primeta.warehouse.duck import connect, one, plain_errors, run

HORIZONS = ("30d", "90d", "180d", "365d")
MOST_SOURCES = 200


def acquisition(
    orders: Any,
    customers: Any,
    *,
    until: date | str,
    margin: float | None = None,
    spend: Any = None,
    identities: Any = None,
    cohort: Cohort = "quarter",
    horizon: str | int = "365d",
    returns: Sequence[str | int] = HORIZONS,
    model: str = "bg-nbd",
    timezone: str = "UTC",
    currency: str = "",
    columns: Mapping[str, Any] | None = None,
) -> Sources:
    """What customers of each acquisition source bring, cost and pay back.

    Args:
        orders: As `ladder` takes them: `customer_id`, `ordered_at`, `revenue`, optional `discount`, `margin`.
        customers: `customer_id`, `source`.
        until: The last day of the log, inclusive.
        margin: Of list price, where orders carry no `margin`; None: money is revenue.
        spend: `source`, `day`, `money`.
        identities: `customer_id`, `kind`, `value_hash`: then the share of farms' accounts is told.
        cohort: Customers are split by the month, quarter or year of their first order; `all`: not at all.
        horizon: Of LTV, since the first order: what was seen of it, and the rest by the model.
        returns: Days since the first order at which money is held against the cost.
        model: As `ltv` has them.
    Raises:
        BadTable, BadInput, NotFound: what was given cannot be used; one message says what and where.
    """
    asked = asked_of(
        until=until,
        margin=margin,
        cohort=cohort,
        horizon=horizon,
        returns=returns,
        model=model,
        timezone=timezone,
        currency=currency,
    )
    for name, rows in (("orders", orders), ("customers", customers)):
        if rows is None:
            raise BadInput(f"{name} are missing: give --{name}")
    names = Columns(columns)
    with closing(connect()) as connection:
        run(connection, f"SET memory_limit = '{MEMORY}'")
        given = {
            table: open_given(connection, table, rows, columns=names, timezone=timezone)
            for table, rows in (
                ("orders", orders),
                ("customers", customers),
                ("spend", spend),
                ("identities", identities),
            )
            if rows is not None
        }
        names.check_used()
        return sources_of(connection, Tables(**given), asked)


def asked_of(
    *,
    until: date | str,
    margin: float | None = None,
    cohort: str = "quarter",
    horizon: str | int = "365d",
    returns: Sequence[str | int] = HORIZONS,
    model: str = "bg-nbd",
    timezone: str = "UTC",
    currency: str = "",
) -> Asked:
    """What is asked, checked.

    Raises:
        BadInput: an option that cannot be; the message names it.
    """
    from primeta.reactivation.ltv import Model

    if cohort not in get_args(Cohort):
        raise BadInput(f"--cohort {cohort}: expected one of {', '.join(get_args(Cohort))}")
    if model not in get_args(Model):
        raise BadInput(f"--model {model}: expected one of {', '.join(get_args(Model))}")
    # The ladder's own checks of margin, discount rate, zone and day.
    campaign_of(
        until=until,
        window=1,
        horizon=3650,
        margin=margin,
        timezone=timezone,
    )
    days = tuple(sorted({days_of(entry, "--returns") for entry in returns}))
    if days and days[-1] > LONGEST:
        raise BadInput(f"--returns {days[-1]}d: up to {LONGEST} days since the first order can be looked at")
    return Asked(
        until=day_given(until, "--until"),
        margin=margin,
        cohort=cohort,  # pyright: ignore[reportArgumentType]
        horizon_days=days_of(horizon, "--horizon"),
        returns=days,
        model=model,
        timezone=timezone,
        currency=currency,
    )


def sources_of(connection: duckdb.DuckDBPyConnection, tables: Tables, asked: Asked) -> Sources:
    """The same over open tables."""
    if "source" not in tables.customers:
        raise BadTable(
            f"{tables.customers.where}: source not found (where a customer came from); it has "
            f"{', '.join(tables.customers.theirs)}. Say which column it is: columns source=THEIRS."
        )
    with plain_errors("reading what customers of each source bring"):
        money_of = make_days(connection, tables, asked)
        blank = Sources(
            sources=(),
            cohorts=(),
            flips=(),
            until=asked.until,
            cohort=asked.cohort,
            horizon_days=asked.horizon_days,
            money_of=money_of,
            spend_known=tables.spend is not None,
            farms_known=tables.identities is not None,
            currency=asked.currency,
            why_not="no-customers",
        )
        if not one(connection, "SELECT count(*) FROM source_people")[0]:
            return blank
        names = [
            row[0] for row in run(connection, "SELECT DISTINCT source FROM source_people ORDER BY source")
        ]
        if len(names) > MOST_SOURCES:
            raise BadTable(
                f"{tables.customers.where}: {len(names):,} different sources; up to {MOST_SOURCES} can be told apart. Put "
                f"rare ones together (a column of channels instead of campaigns)."
            )
        if tables.identities is not None:
            farms_of(
                connection,
                tables.orders,
                tables.identities,
                tables.customers,
                until=asked.until,
                timezone=asked.timezone,
            )
        no_model = make_expected(connection, asked, money_of)
        base = read_base(connection, names, farms=tables.identities is not None)
        spent, since = spend_of(connection, tables.spend, asked)
    cells = Cells(connection, base, names, asked, spent, since, has_farms=tables.identities is not None)
    whole = [cells.row(at, "", base.source == at) for at in range(len(names))]
    whole.sort(key=lambda row: (-row.customers, row.source))
    # Who cost an unknown sum cannot be ranked among those whose cost is known.
    costed = any(math.isfinite(row.cost) for row in whole)
    known = [row for row in whole if math.isfinite(row.worth) and (math.isfinite(row.cost) or not costed)]
    ranks = {
        row.source: at for at, row in enumerate(sorted(known, key=lambda row: (-row.worth, row.source)), 1)
    }
    whole = [
        replace(row, rank_customers=at, rank_worth=ranks.get(row.source, 0))
        for at, row in enumerate(whole, 1)
    ]
    cohorts: list[Source] = []
    if asked.cohort != "all":
        labels = cells.labels()
        for at in range(len(names)):
            own = base.source == at
            cohorts += [
                cells.row(at, label, own & (labels == label)) for label in sorted(set(labels[own].tolist()))
            ]
    return replace(
        blank,
        sources=tuple(whole),
        cohorts=tuple(cohorts),
        flips=tuple(flips_of(whole)),
        spend_since=since if since is not None and since > day_of(int(base.first_day.min())) else None,
        unspent=tuple(sorted(set(spent) - set(names))),
        unknown=next((row.customers for row in whole if row.source == UNKNOWN), 0),
        no_model=no_model,
        why_not="" if any(row.customers >= LEAST for row in whole) else "few",
    )
