"""`pm.sources`: what the customers of each acquisition source bring, cost and pay back, beside how many there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, get_args

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.facts import start_of
from primeta.reactivation.acquisition_words import WORDS, said
from primeta.reactivation.door import MEMORY, campaign_of, day_given, days_of
from primeta.reactivation.farms import UNITS, farms_of
from primeta.reactivation.histories import OrderLog, day_number, day_of
from primeta.reactivation.inputs import Columns, Given, open_given
from primeta.reactivation.records import NAN
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.stats.cumulated import Cumulated, cumulated
from primeta.warehouse.duck import arrow, connect, one, plain_errors, quoted, run
from primeta.warehouse.mapping import local_day

Floats = npt.NDArray[np.float64]
Cohort = Literal["month", "quarter", "year", "all"]
HORIZONS = ("30d", "90d", "180d", "365d")
LEAST = 30
"""Customers of a source or a cohort below which no money is told."""
GROUPS = 64
"""Hash groups of customers between which spread is known."""
LONGEST = 730
"""Days since the first order over which payback is looked for."""
UNKNOWN = "?"
SEED = 20_26
MOST_SOURCES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Money per customer within so many days of his first order, over what he cost."""

    days: int
    money: float
    """Cumulative, per customer."""
    value: float
    """1 is break-even."""
    low: float
    high: float
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """The first day since the first order on which customers have brought what they cost."""

    day: int | None
    """None: not yet, or not known."""
    low: int | None
    high: int | None
    """None: perhaps never."""
    seen: int
    """Days that enough customers have lived through."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source, over all cohorts (`cohort` empty) or in one of them."""

    source: str
    cohort: str
    customers: int
    """With a first order."""
    observed: float
    """Money so far within the horizon since the first order, per customer."""
    modelled: float
    """Expected of what is left of it."""
    ltv: float
    low: float
    high: float
    discount_share: float
    farm_share: float
    spend: float
    cost: float
    """Spend per customer acquired while spend is known."""
    returns: tuple[Return, ...]
    payback: Payback
    rank_customers: int = 0
    rank_worth: int = 0
    """By LTV less cost among those whose cost is known (by LTV, where none is); 0: not ranked."""
    why_not: str = ""

    @property
    def worth(self) -> float:
        """LTV less what a customer cost; without a known cost LTV."""
        return self.ltv - self.cost if math.isfinite(self.cost) else self.ltv


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Two sources that first orders rank otherwise than worth does."""

    more: str
    """Brings more first orders."""
    better: str
    """Brings customers worth more, for sure."""
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All sources side by side."""

    sources: tuple[Source, ...]
    """Over all cohorts, most first orders first."""
    cohorts: tuple[Source, ...]
    flips: tuple[Flip, ...]
    until: date
    cohort: Cohort
    horizon_days: int
    money_of: str
    spend_known: bool
    farms_known: bool
    spend_since: date | None = None
    unspent: tuple[str, ...] = ()
    """Spend without customers."""
    unknown: int = 0
    no_model: str = ""
    currency: str = ""
    why_not: str = ""

    def line(self, lang: str = "en") -> str:
        """Who brings most and who brings the best."""
        if self.why_not:
            return said(f"cannot.{self.why_not}", lang, n=LEAST)
        named = [row for row in self.sources if row.source != UNKNOWN]
        first = named[0] if named else self.sources[0]
        if len(self.sources) == 1:
            return said("line.one", lang, first=self._name(first.source, lang))
        by_name = {row.source: row for row in self.sources}
        flips = [flip for flip in self.flips if flip.more == first.source]
        if flips:
            best = by_name[max(flips, key=lambda flip: by_name[flip.better].worth).better]
            both = math.isfinite(best.cost) and math.isfinite(first.cost)
            values = (best.worth, first.worth) if both else (best.ltv, first.ltv)
            return said(
                "line.flip",
                lang,
                first=self._name(first.source, lang),
                best=self._name(best.source, lang),
                cost=WORDS["after-cost"][lang] if both else "",
                value=self._money(values[0], lang),
                other=self._money(values[1], lang),
            )
        code = "line.same" if first.rank_worth == 1 else "line.unsure"
        return said(code, lang, first=self._name(first.source, lang))

    def table(self, lang: str = "en") -> Table:
        """Sources side by side, most first orders first."""
        return self._table(self.sources, lang, cohorts=False)

    def cohort_table(self, lang: str = "en") -> Table:
        """The same by time of the first order."""
        return self._table(self.cohorts, lang, cohorts=True)

    def _table(self, rows: Sequence[Source], lang: str, *, cohorts: bool) -> Table:
        days = self.returns_shown
        heads = [Head(WORDS["source"][lang])]
        if cohorts:
            heads.append(Head(WORDS["cohort"][lang]))
        heads += [
            Head(WORDS[code][lang], "right")
            for code in ("customers", "observed", "ltv", "interval", "discount_share")
        ]
        if self.farms_known:
            heads.append(Head(WORDS["farm_share"][lang], "right"))
        if self.spend_known:
            heads.append(Head(WORDS["cost"][lang], "right"))
            if days:
                heads.append(Head(said("return", lang, days=days), "right"))
            heads.append(Head(WORDS["payback"][lang], "right"))
        if not cohorts:
            heads.append(Head(WORDS["rank"][lang], "right"))
        body = []
        for row in rows:
            cells = [self._name(row.source, lang)]
            if cohorts:
                cells.append(row.cohort)
            interval = ""
            if math.isfinite(row.low):
                shown = locale.figure(
                    row.ltv,
                    lang,
                    unit="money" if self.currency else "count",
                    low=row.low,
                    high=row.high,
                    currency=self.currency,
                )
                interval = shown.interval
            cells += [
                locale.number(row.customers, lang),
                self._money(row.observed, lang),
                self._money(row.ltv, lang),
                interval,
                _share(row.discount_share, lang),
            ]
            if self.farms_known:
                cells.append(_share(row.farm_share, lang))
            if self.spend_known:
                cells.append(self._money(row.cost, lang) if math.isfinite(row.cost) else "")
                if days:
                    told = next((entry for entry in row.returns if entry.days == days), None)
                    cells.append(_share(told.value, lang) if told else "")
                cells.append(self._paid(row.payback, lang))
            if not cohorts:
                cells.append(f"{row.rank_customers} → {row.rank_worth}" if row.rank_worth else "")
            body.append(tuple(cells))
        return Table(
            heads=tuple(heads),
            rows=tuple(body),
            note="" if cohorts else "\n".join(self.remarks(lang)),
        )

    @property
    def returns_shown(self) -> int:
        """The longest horizon that every source with a cost has lived through; 0: none."""
        rows = [row for row in self.sources if math.isfinite(row.cost)]
        days = [entry.days for row in rows[:1] for entry in row.returns]
        good = [
            day
            for day in days
            if all(
                math.isfinite(entry.value)
                for row in rows
                for entry in row.returns
                if entry.days == day and not row.why_not
            )
        ]
        return max(good, default=0)

    def _paid(self, payback: Payback, lang: str) -> str:
        if payback.day is not None:
            return said("day", lang, n=payback.day) if payback.day else WORDS["at-once"][lang]
        if payback.why_not == "not-yet":
            return said("not-yet", lang, n=payback.seen)
        return ""

    def remarks(self, lang: str = "en") -> list[str]:
        """What must be known beside the numbers."""
        if self.why_not:
            return []
        told = []
        if self.no_model:
            told.append(said("note.no-model", lang, reason=self.no_model))
        else:
            told.append(said("note.ltv", lang, days=self.horizon_days))
        if self.money_of == "revenue":
            told.append(WORDS["note.revenue"][lang])
        if self.spend_known:
            without = [self._name(row.source, lang) for row in self.sources if not math.isfinite(row.cost)]
            if without:
                told.append(said("note.no-spend", lang, sources=locale.listed(without, lang)))
            if self.unspent:
                told.append(said("note.spend-only", lang, sources=locale.listed(self.unspent, lang)))
            if self.spend_since is not None:
                told.append(said("note.spend-since", lang, day=locale.day(self.spend_since, lang)))
        if self.unknown:
            told.append(said("note.unknown", lang, n=locale.number(self.unknown, lang)))
        told.append(WORDS["note.choice"][lang])
        return told

    def _name(self, source: str, lang: str) -> str:
        return WORDS["unknown-source"][lang] if source == UNKNOWN else source

    def _money(self, value: float, lang: str) -> str:
        if not math.isfinite(value):
            return locale.CANNOT_TELL[lang]
        if self.currency:
            return locale.money(value, lang, self.currency)
        return locale.number(value, lang, digits=locale.decimals_alone(value))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""

        def row(entry: Source) -> dict[str, Any]:
            return {
                "source": None if entry.source == UNKNOWN else entry.source,
                "cohort": entry.cohort or None,
                "customers": entry.customers,
                "observed": entry.observed,
                "modelled": entry.modelled,
                "ltv": entry.ltv,
                "low": entry.low,
                "high": entry.high,
                "discount_share": entry.discount_share,
                "farm_share": entry.farm_share,
                "spend": entry.spend,
                "cost": entry.cost,
                "returns": [
                    {
                        "days": told.days,
                        "money": told.money,
                        "value": told.value,
                        "low": told.low,
                        "high": told.high,
                        "why_not": told.why_not or None,
                    }
                    for told in entry.returns
                ],
                "payback": {
                    "day": entry.payback.day,
                    "low": entry.payback.low,
                    "high": entry.payback.high,
                    "seen": entry.payback.seen,
                    "why_not": entry.payback.why_not or None,
                },
                "rank_customers": entry.rank_customers or None,
                "rank_worth": entry.rank_worth or None,
                "why_not": entry.why_not or None,
            }

        return {
            "until": self.until,
            "horizon_days": self.horizon_days,
            "value_of": self.money_of,
            "sources": [row(entry) for entry in self.sources],
            "cohorts": [row(entry) for entry in self.cohorts],
            "flips": [
                {
                    "more": flip.more,
                    "better": flip.better,
                    "difference": flip.difference,
                    "low": flip.low,
                    "high": flip.high,
                }
                for flip in self.flips
            ],
            "notes": self.remarks("en"),
            "why_not": self.why_not or None,
        }

    def _repr_html_(self) -> str:
        return self.table().html()


def _share(value: float, lang: str) -> str:
    return locale.percent(value, lang) if math.isfinite(value) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the sources."""

    until: date
    margin: float | None = None
    cohort: Cohort = "quarter"
    horizon_days: int = 365
    returns: tuple[int, ...] = (30, 90, 180, 365)
    model: str = "bg-nbd"
    timezone: str = "UTC"
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What it is answered from; each is open on the connection."""

    orders: Given
    customers: Given
    spend: Given | None = None
    identities: Given | None = None


def sources(
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Base:
    """Every customer with an order, n rows, in the order of `people`."""

    source: npt.NDArray[np.int64]
    first_day: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    observed: Floats
    modelled: Floats
    revenue: Floats
    discount: Floats
    farm: npt.NDArray[np.bool_]


def sources_of(connection: duckdb.DuckDBPyConnection, tables: Tables, asked: Asked) -> Sources:
    """The same over open tables."""
    if "source" not in tables.customers:
        raise BadTable(
            f"{tables.customers.where}: source not found (where a customer came from); it has "
            f"{', '.join(tables.customers.theirs)}. Say which column it is: columns source=THEIRS."
        )
    with plain_errors("reading what customers of each source bring"):
        money_of = _make_days(connection, tables, asked)
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
        no_model = _make_expected(connection, asked, money_of)
        base = _read(connection, names, farms=tables.identities is not None)
        spent, since = _spend(connection, tables.spend, asked)
    cells = _Cells(connection, base, names, asked, spent, since, has_farms=tables.identities is not None)
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
        flips=tuple(_flips(whole)),
        spend_since=since if since is not None and since > day_of(int(base.first_day.min())) else None,
        unspent=tuple(sorted(set(spent) - set(names))),
        unknown=next((row.customers for row in whole if row.source == UNKNOWN), 0),
        no_model=no_model,
        why_not="" if any(row.customers >= LEAST for row in whole) else "few",
    )


def _make_days(connection: duckdb.DuckDBPyConnection, tables: Tables, asked: Asked) -> str:
    """`order_days` (as `OrderLog` wants it, with each customer's source as attribute) and `source_people`."""
    orders = tables.orders
    day = f"({local_day('ordered_at', asked.timezone)} - DATE '1970-01-01')::INTEGER"
    discount = f"coalesce({orders.or_null('discount')}, 0)"
    money, kind = "revenue", "revenue"
    if asked.margin is not None:
        money, kind = f"(revenue - {1 - asked.margin} * (revenue + {discount}))", "margin"
    if "margin" in orders:
        # A workspace's orders always have the column; it is empty where nobody mapped it.
        counted, filled = one(connection, f"SELECT count(*), count(margin) FROM {orders.view}")
        if filled and filled < counted and asked.margin is None:
            raise BadTable(
                f"{orders.where}: margin is empty in {counted - filled:,} of {counted:,} rows. Fill it in, or give "
                "--margin (a share of the list price) for those rows."
            )
        if filled:
            money, kind = (f"coalesce(margin, {money})" if filled < counted else "margin"), "margin"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE source_of AS SELECT customer_id AS customer, "
        f"coalesce(nullif(trim(any_value(source)), ''), {quoted(UNKNOWN)}) AS attribute FROM {tables.customers.view} "
        "WHERE customer_id IS NOT NULL GROUP BY customer_id",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE order_days AS SELECT o.*, coalesce(s.attribute, "
        f"{quoted(UNKNOWN)}) AS attribute FROM (SELECT customer_id AS customer, {day} AS day, bool_or(revenue >= 0) AS is_order, "
        f"sum({money})::DOUBLE AS money, sum(revenue)::DOUBLE AS revenue, sum({discount})::DOUBLE AS discount FROM {orders.view} "
        f"WHERE customer_id IS NOT NULL AND {orders.carried_out} AND {day} <= {day_number(asked.until)} GROUP BY ALL) o "
        "LEFT JOIN source_of s USING (customer)",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE source_people AS SELECT row_number() OVER (ORDER BY customer) - 1 AS person, customer, "
        f"source, first_day, CAST(floor(bucket('primeta', customer) * {GROUPS}) AS INTEGER) AS grp, observed, revenue, discount "
        "FROM (SELECT customer, attribute AS source, first_day, coalesce(sum(money) FILTER (day - first_day BETWEEN 0 AND "
        f"{asked.horizon_days - 1}), 0) AS observed, sum(revenue) AS revenue, sum(discount) AS discount FROM order_days JOIN "
        "(SELECT customer, min(day) AS first_day FROM order_days WHERE is_order GROUP BY customer) USING (customer) GROUP BY ALL)",
    )
    return kind


def _make_expected(connection: duckdb.DuckDBPyConnection, asked: Asked, money_of: str) -> str:
    """`source_expected`: money to expect of each customer from now to the end of his horizon, which began with his
    first order; why there is none, where the model cannot be fitted.
    """
    from primeta.reactivation.histories import Clock
    from primeta.reactivation.ltv_model import fit_base, group_sql
    from primeta.reactivation.ltv_money import people_of, worth_of
    from primeta.reactivation.ltv_totals import totals_of

    first, last, returns, lost, least = one(
        connection,
        "SELECT min(day) FILTER (is_order), max(day) FILTER (is_order), count(*) FILTER (NOT is_order), "
        "coalesce(bool_or(is_order AND money < 0), false), (SELECT min(n) FROM (SELECT count(*) AS n FROM source_people "
        "GROUP BY source)) FROM order_days",
    )
    end = day_number(asked.until)
    youngest = one(connection, "SELECT max(first_day) FROM source_people")[0]
    if end - int(youngest) + 1 >= asked.horizon_days:
        # Everybody was seen to the end of his horizon: nothing is left to a model.
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE source_expected AS SELECT customer, 0.0::DOUBLE AS value, 0.0::DOUBLE AS spread "
            "FROM source_people",
        )
        return ""
    log = OrderLog(
        connection=connection,
        source="the orders",
        until_day=end,
        first_day=int(first),
        last_day=int(last),
        has_money=True,
        money_kind=money_of,
        has_returns=bool(returns),
        has_losses=bool(lost),
        # Sources of a few customers have no parameters of their own.
        by="source" if int(least) >= LEAST else "",
        notes=(),
    )
    table, group = log.build("source_histories", end, money=True), group_sql(log, log.by)
    base = fit_base(
        log.collapse(table, end, group=group),
        model=asked.model,  # pyright: ignore[reportArgumentType]
        unit="day",
        clock=Clock.calendar("day"),
    )
    values, ids, spread = np.zeros(0), pa.array([], pa.string()), 0.0
    why = base.fit.why_not
    left = np.maximum(asked.horizon_days - (end - base.collapsed.first_day + 1), 0).astype(np.float64)
    if not why:
        people = people_of(log, table, base.collapsed, group, ids=True)
        worth = worth_of(people, known=True, may_lose=log.has_returns or log.has_losses)
        # What is left of the horizon differs from customer to customer: between a few horizons the expectation is
        # smooth and monotone.
        grid = np.unique(np.concatenate([[0.0], np.geomspace(1.0, asked.horizon_days, 14)]))
        course = np.stack([base.orders(float(days)) if days else np.zeros(len(left)) for days in grid])
        at = np.clip(np.searchsorted(grid, left, side="right") - 1, 0, len(grid) - 2)
        share = (left - grid[at]) / (grid[at + 1] - grid[at])
        rows = np.arange(len(left))
        orders = course[at, rows] * (1 - share) + course[at + 1, rows] * share
        values, ids = worth.each * orders[people.row], people.ids
        whole = base.orders(float(asked.horizon_days))
        money = totals_of(
            base,
            people,
            worth,
            orders=whole,
            discounted=whole,
            horizon=float(asked.horizon_days),
            draws=200,
            rng=np.random.default_rng(SEED),
        ).money
        if math.isfinite(money.low) and money.value:
            spread = (money.high - money.low) / (2 * 1.959964 * abs(money.value))
    rows = pa.table({"customer": ids, "value": values})
    connection.register("source_value_rows", rows)
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE source_expected AS SELECT customer, value, {spread} AS spread "
        "FROM source_value_rows",
    )
    connection.unregister("source_value_rows")
    return why


def _read(connection: duckdb.DuckDBPyConnection, names: Sequence[str], *, farms: bool) -> _Base:
    farm = f"customer IN (SELECT customer_id FROM {UNITS} WHERE farm)" if farms else "false"
    rows = arrow(
        connection,
        f"SELECT source, first_day, grp, observed, value, revenue, discount, {farm} AS farm FROM source_people "
        "LEFT JOIN source_expected USING (customer) ORDER BY person",
    )
    place = {name: at for at, name in enumerate(names)}

    def floats(name: str) -> Floats:
        return rows[name].to_numpy(zero_copy_only=False).astype(np.float64)

    return _Base(
        source=np.array([place[name] for name in rows["source"].to_pylist()], dtype=np.int64),
        first_day=rows["first_day"].to_numpy().astype(np.int64),
        group=rows["grp"].to_numpy().astype(np.int64),
        observed=floats("observed"),
        modelled=floats("value"),
        revenue=floats("revenue"),
        discount=floats("discount"),
        farm=rows["farm"].to_numpy(zero_copy_only=False).astype(bool),
    )


def _spend(
    connection: duckdb.DuckDBPyConnection, spend: Given | None, asked: Asked
) -> tuple[dict[str, list[tuple[int, float]]], date | None]:
    """Source → (day, money), and the first day on which any spend is known."""
    if spend is None:
        return {}, None
    day = f"({local_day('day', asked.timezone)} - DATE '1970-01-01')::INTEGER"
    rows = run(
        connection,
        f"SELECT coalesce(nullif(trim(source), ''), {quoted(UNKNOWN)}), {day} AS on_day, sum(money)::DOUBLE FROM {spend.view} "
        f"WHERE day IS NOT NULL AND money IS NOT NULL GROUP BY ALL HAVING on_day <= {day_number(asked.until)} ORDER BY ALL",
    )
    if any(money < 0 for _, _, money in rows):
        raise BadTable(f"{spend.where}: negative spend; money that was spent is above 0")
    found: dict[str, list[tuple[int, float]]] = {}
    for source, on_day, money in rows:
        found.setdefault(source, []).append((int(on_day), float(money)))
    return found, day_of(min(row[1] for row in rows)) if rows else None


class _Cells:
    """What is told of the customers of one source, or of one source and cohort."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        base: _Base,
        names: Sequence[str],
        asked: Asked,
        spent: Mapping[str, list[tuple[int, float]]],
        since: date | None,
        *,
        has_farms: bool,
    ) -> None:
        self._base, self._names, self._asked = base, names, asked
        self._spent, self._since, self._farms = spent, since, has_farms
        self._end = day_number(asked.until)
        rows = arrow(
            connection,
            "SELECT person, day - first_day AS age, money FROM order_days JOIN source_people USING (customer) "
            f"WHERE day - first_day BETWEEN 0 AND {LONGEST - 1}",
        )
        self._person = rows["person"].to_numpy().astype(np.int64)
        self._age = rows["age"].to_numpy().astype(np.int64)
        self._money = rows["money"].to_numpy(zero_copy_only=False).astype(np.float64)
        self._spread = float(one(connection, "SELECT coalesce(max(spread), 0) FROM source_expected")[0])

    def labels(self) -> npt.NDArray[np.object_]:
        """(n,) the cohort of each customer: 2026-03, 2026-Q1 or 2026."""
        days, place = np.unique(self._base.first_day, return_inverse=True)
        return np.array([self._label(day_of(int(day))) for day in days], dtype=object)[place]

    def _label(self, day: date) -> str:
        grain = self._asked.cohort
        if grain == "year":
            return str(day.year)
        start = start_of(day, grain)  # pyright: ignore[reportArgumentType]
        if grain == "month":
            return f"{start:%Y-%m}"
        return f"{start.year}-Q{(start.month + 2) // 3}"

    def row(self, at: int, cohort: str, own: npt.NDArray[np.bool_]) -> Source:
        base, name = self._base, self._names[at]
        n = int(own.sum())
        spend, cost, counted = self._cost(name, cohort, own)
        observed, modelled = base.observed[own], base.modelled[own]
        whole = observed + modelled
        few = n < LEAST
        ltv = low = high = NAN
        if not few:
            ltv = float(whole.mean())
            low, high = self._interval(whole, modelled, base.group[own], n)
        list_price = float((base.revenue[own] + base.discount[own]).sum())
        course = self._course(counted if math.isfinite(cost) else own)
        return Source(
            source=name,
            cohort=cohort,
            customers=n,
            observed=NAN if few else float(observed.mean()),
            modelled=NAN if few else float(modelled.mean()),
            ltv=ltv,
            low=low,
            high=high,
            discount_share=float(base.discount[own].sum()) / list_price if list_price > 0 else NAN,
            farm_share=float(base.farm[own].mean()) if self._farms else NAN,
            spend=spend,
            cost=cost,
            returns=tuple(_return(course, days, cost) for days in self._asked.returns),
            payback=_payback(course, cost),
            why_not="few" if few else "",
        )

    def _interval(
        self, whole: Floats, modelled: Floats, group: npt.NDArray[np.int64], n: int
    ) -> tuple[float, float]:
        """Of the mean: customers as drawn (between hash groups), and the model's own error beside it.

        The model's relative error of the whole base's total is taken up by the square root of how much smaller the
        source is, as if its parameters were its own; that counts some of the customers' luck twice, on the wide side.
        """
        mean = whole.mean()
        parts = np.bincount(group, whole - mean, minlength=GROUPS) / n
        used = int((np.bincount(group, minlength=GROUPS) > 0).sum())
        if used < 2 or not np.isfinite(mean):
            return NAN, NAN
        from scipy.special import stdtrit

        variance = used / (used - 1) * float(parts @ parts)
        own = self._spread * math.sqrt(len(self._base.source) / n) * abs(float(modelled.mean()))
        reach = float(stdtrit(used - 1, 0.975)) * math.sqrt(variance + own**2)
        return float(mean - reach), float(mean + reach)

    def _cost(
        self, name: str, cohort: str, own: npt.NDArray[np.bool_]
    ) -> tuple[float, float, npt.NDArray[np.bool_]]:
        """Spend, spend per customer, and the customers whom it is held against: acquired since spend is known."""
        rows = self._spent.get(name)
        if rows is None or self._since is None:
            return NAN, NAN, own
        since = day_number(self._since)
        if cohort:
            first = self._base.first_day[own]
            # A cohort that began before spend was known has spend nobody can tell.
            if min(self._start(int(first.min())), int(first.min())) < since:
                return NAN, NAN, own
            rows = [row for row in rows if self._label(day_of(row[0])) == cohort]
        counted = own & (self._base.first_day >= since)
        spend = sum(money for _, money in rows)
        n = int(counted.sum())
        return spend, spend / n if n >= LEAST else NAN, counted

    def _start(self, day: int) -> int:
        moment, grain = day_of(day), self._asked.cohort
        start = moment.replace(month=1, day=1) if grain == "year" else start_of(moment, grain)  # pyright: ignore[reportArgumentType]
        return day_number(start)

    def _course(self, own: npt.NDArray[np.bool_]) -> Cumulated:
        base = self._base
        rows = own[self._person]
        person = self._person[rows]
        return cumulated(
            age=self._age[rows],
            money=self._money[rows],
            group=base.group[person],
            followed=np.minimum(self._end - base.first_day[own] + 1, LONGEST),
            group_of=base.group[own],
            groups=GROUPS,
            least=LEAST,
        )


def _return(course: Cumulated, days: int, cost: float) -> Return:
    if days > course.days:
        return Return(days=days, money=NAN, value=NAN, low=NAN, high=NAN, why_not="young")
    at = days - 1
    money = float(course.value[at])
    if not (math.isfinite(cost) and cost > 0):
        return Return(days=days, money=money, value=NAN, low=NAN, high=NAN, why_not="no-spend")
    return Return(
        days=days,
        money=money,
        value=money / cost,
        low=float(course.low[at]) / cost,
        high=float(course.high[at]) / cost,
    )


def _payback(course: Cumulated, cost: float) -> Payback:
    if not math.isfinite(cost):
        return Payback(day=None, low=None, high=None, seen=course.days, why_not="no-spend")

    def first(curve: Floats) -> int | None:
        reached = np.flatnonzero(curve >= cost)
        return int(reached[0]) if len(reached) else None

    day = first(course.value)
    why = "" if day is not None else "not-yet" if course.days else "few"
    return Payback(day=day, low=first(course.high), high=first(course.low), seen=course.days, why_not=why)


def _flips(rows: Sequence[Source]) -> list[Flip]:
    """Pairs where fewer first orders go with customers worth more, for sure (Bonferroni over all pairs)."""
    from scipy.special import ndtri

    known = [row for row in rows if math.isfinite(row.low) and row.source != UNKNOWN]
    pairs = [(more, other) for at, more in enumerate(known) for other in known[at + 1 :]]
    if not pairs:
        return []
    reach = float(ndtri(1 - 0.025 / len(pairs)))
    found = []
    for more, other in pairs:
        both = math.isfinite(more.cost) and math.isfinite(other.cost)
        gap = other.worth - more.worth if both else other.ltv - more.ltv
        error = math.hypot(more.high - more.low, other.high - other.low) / (2 * 1.959964)
        if other.customers < more.customers and gap - reach * error > 0:
            found.append(
                Flip(
                    more=more.source,
                    better=other.source,
                    difference=gap,
                    low=gap - reach * error,
                    high=gap + reach * error,
                )
            )
    return found
