"""`pm.farms`: one person behind many accounts: what they order and get, and the campaign's effects without them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from primeta.errors import BadInput
from primeta.reactivation.door import MEMORY, campaign_of, day_given, follow_given
from primeta.reactivation.farm_bursts import Burst, bursts_of
from primeta.reactivation.farm_clusters import SMALLEST, WIDE, Accounts, Cluster, Wide, find_clusters
from primeta.reactivation.farms_words import WORDS, said
from primeta.reactivation.histories import check_zone
from primeta.reactivation.inputs import Columns, Given, Query, open_given
from primeta.reactivation.ladder import climb_ladder
from primeta.reactivation.records import NAN, Campaign, LadderFacts, Rung
from primeta.reactivation.tail import rung_four
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.warehouse.duck import arrow, connect, one, plain_errors, run
from primeta.warehouse.write_rows import write_rows

ERROR = 0.05
UNITS = "farm_units"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One rung of one arm as it stands, and with the farms' accounts taken out; per assigned."""

    rung: int
    arm: str
    everybody: Rung
    """All assigned; accounts of one cluster count as one draw, so that the interval is true."""
    without: Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Farms:
    """Clusters of accounts that look like one person's, their part of the base, and the effects without them."""

    clusters: tuple[Cluster, ...]
    """Those with a second reason; then those that only share."""
    wide: tuple[Wide, ...]
    customers: int
    orders: int
    discount: float
    until: date
    effects: tuple[Beside, ...] = ()
    split_clusters: int = 0
    """Farms whose accounts stand in several arms."""
    assigned_accounts: int = 0
    """Farms' accounts among the assigned."""
    bursts: tuple[Burst, ...] = ()
    """Days with too many new accounts alike, whether or not they share anything; counted in no share."""
    error: float = ERROR
    out: Path | None = None
    currency: str = ""
    codes_known: bool = True
    why_not: str = ""

    @property
    def farms(self) -> tuple[Cluster, ...]:
        return tuple(cluster for cluster in self.clusters if cluster.farm)

    def share(self, what: str) -> float:
        """Of all customers, orders or discounts; NaN where there are none."""
        whole = getattr(self, what)
        return sum(getattr(cluster, what) for cluster in self.farms) / whole if whole else NAN

    def line(self, lang: str = "en") -> str:
        """How many, and what part of the base they are."""
        if self.why_not:
            return said(f"cannot.{self.why_not}", lang)
        farms = self.farms
        if not farms:
            return said("none", lang, customers=locale.number(self.customers, lang))
        discount = self.share("discount")
        return said(
            ("line.one" if len(farms) == 1 else "line") + ("" if math.isfinite(discount) else ".no-discount"),
            lang,
            accounts=locale.number(sum(farm.customers for farm in farms), lang),
            people=locale.number(len(farms), lang),
            customers=locale.percent(self.share("customers"), lang),
            orders=locale.percent(self.share("orders"), lang),
            discount=locale.percent(discount, lang),
        )

    def table(self, lang: str = "en", *, most: int = 20) -> Table:
        """The largest clusters, a row each, with the reasons in words."""
        heads = (
            Head(WORDS["cluster"][lang]),
            Head(WORDS["accounts"][lang], "right"),
            Head(WORDS["orders"][lang], "right"),
            Head(WORDS["discount"][lang], "right"),
            Head(WORDS["why"][lang]),
        )
        rows = tuple(
            (
                cluster.cluster,
                locale.number(cluster.customers, lang),
                locale.number(cluster.orders, lang),
                self._money(cluster.discount, lang),
                self.reasons(cluster, lang),
            )
            for cluster in self.clusters[:most]
        )
        return Table(heads=heads, rows=rows, note="\n".join(self.remarks(lang)))

    def reasons(self, cluster: Cluster, lang: str) -> str:
        """Why they look like one person's, in words."""
        kinds = locale.listed([WORDS.get(f"kind.{kind}", {}).get(lang, kind) for kind in cluster.kinds], lang)
        words = [
            said(
                f"reason.{reason}",
                lang,
                kinds=kinds,
                accounts=cluster.only_codes,
                of=cluster.customers,
                burst=cluster.burst,
            )
            for reason in cluster.reasons
        ]
        return "; ".join(words) + ("" if cluster.farm else " " + WORDS["only-shares"][lang])

    def bursts_table(self, lang: str = "en", *, most: int = 20) -> Table:
        """Days on which far more new accounts than usual were alike."""
        heads = (
            Head(WORDS["burst.alike"][lang]),
            Head(WORDS["burst.day"][lang]),
            Head(WORDS["accounts"][lang], "right"),
            Head(WORDS["burst.expected"][lang], "right"),
            Head(WORDS["burst.codes"][lang], "right"),
        )
        rows = tuple(
            (
                said(f"burst.{burst.kind}", lang, name=burst.name),
                locale.day(burst.day, lang),
                locale.number(burst.accounts, lang),
                locale.number(burst.expected, lang, digits=1),
                locale.number(burst.only_codes, lang),
            )
            for burst in self.bursts[:most]
        )
        note = said("burst.caution", lang, error=locale.percent(self.error, lang)) if rows else ""
        return Table(heads=heads, rows=rows, title=WORDS["burst.title"][lang], note=note)

    def effects_table(self, lang: str = "en") -> Table:
        """Each rung of each arm, with all and without the farms."""
        heads = tuple(
            Head(WORDS[code][lang], "left" if at < 2 else "right")
            for at, code in enumerate(("rung", "arm", "with", "interval", "without", "interval"))
        )
        rows = []
        for row in self.effects:
            cells = [str(row.rung), row.arm]
            for rung in (row.everybody, row.without):
                cells += [
                    self._money(rung.value_per_assigned, lang, sign=row.rung > 1),
                    locale.interval(rung.low, rung.high, lang) if math.isfinite(rung.low) else "",
                ]
            rows.append(tuple(cells))
        return Table(heads=heads, rows=tuple(rows), title=WORDS["effects"][lang])

    def remarks(self, lang: str) -> list[str]:
        """What a reader must know beside the numbers."""
        told = [said("caution", lang, error=locale.percent(self.error, lang))]
        if not self.codes_known:
            told.append(WORDS["no-codes"][lang])
        if self.wide:
            told.append(
                said(
                    "wide",
                    lang,
                    values=locale.number(len(self.wide), lang),
                    accounts=locale.number(self.wide[0].accounts, lang),
                )
            )
        if self.split_clusters:
            told.append(said("split", lang, farms=locale.number(self.split_clusters, lang)))
        return told

    def _money(self, value: float, lang: str, *, sign: bool = False) -> str:
        if not math.isfinite(value):
            return locale.CANNOT_TELL[lang]
        if not self.currency:
            return locale.number(value, lang, digits=locale.decimals_alone(value), sign=sign)
        return locale.money(value, lang, self.currency, sign=sign)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""

        def side(rung: Rung) -> dict[str, Any]:
            return {
                "n": rung.n,
                "value_per_assigned": rung.value_per_assigned,
                "low": rung.low,
                "high": rung.high,
                "why_not": rung.why_not or None,
            }

        return {
            "until": self.until,
            "customers": self.customers,
            "clusters": [
                {
                    "cluster": cluster.cluster,
                    "farm": cluster.farm,
                    "customers": cluster.customers,
                    "orders": cluster.orders,
                    "revenue": cluster.revenue,
                    "discount": cluster.discount,
                    "codes": cluster.only_codes,
                    "kinds": list(cluster.kinds),
                    "burst": cluster.burst,
                    "burst_p": cluster.burst_p,
                    "reasons": list(cluster.reasons),
                    "first": cluster.born_first,
                    "last": cluster.born_last,
                }
                for cluster in self.clusters
            ],
            "wide": [
                {"kind": each.kind, "accounts": each.accounts, "codes": each.only_codes} for each in self.wide
            ],
            "bursts": [
                {
                    "kind": burst.kind,
                    "name": burst.name,
                    "day": burst.day,
                    "accounts": burst.accounts,
                    "expected": burst.expected,
                    "p": burst.p,
                    "codes": burst.only_codes,
                }
                for burst in self.bursts
            ],
            "share_of_customers": self.share("customers"),
            "share_of_orders": self.share("orders"),
            "share_of_discount": self.share("discount"),
            "assigned": self.assigned_accounts,
            "split_clusters": self.split_clusters,
            "effects": [
                {"rung": row.rung, "arm": row.arm, "with": side(row.everybody), "without": side(row.without)}
                for row in self.effects
            ],
            "error": self.error,
            "out": str(self.out) if self.out else None,
            "notes": self.remarks("en") if not self.why_not else [],
            "why_not": self.why_not or None,
        }

    def _repr_html_(self) -> str:
        return self.table().html() + (self.effects_table().html() if self.effects else "")


def farms(
    orders: Any,
    identities: Any,
    *,
    until: date | str,
    customers: Any = None,
    assignments: Any = None,
    control: str = "",
    window: str | int = "30d",
    horizon: str | int = "365d",
    margin: float | None = None,
    promo_code: Mapping[str, str] | None = None,
    contact_cost: Mapping[str, float] | None = None,
    annual_discount: float = 0.0,
    smallest: int = SMALLEST,
    wide: int = WIDE,
    error: float = ERROR,
    timezone: str = "UTC",
    currency: str = "",
    columns: Mapping[str, Any] | None = None,
    experiment: str = "",
    out: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Farms:
    """Accounts that look like one person's, and what the campaign's effects are without them.

    Args:
        orders: As `ladder` takes them: a path, a glob, an Arrow table, a data frame or a mapping of columns.
        identities: `customer_id`, `kind` (phone, device, address, payment …), `value_hash`.
        until: The last day of the log, inclusive.
        customers: `customer_id`, `registered_at`; else an account is made at its first order.
        assignments: Then the ladder is climbed twice, with and without the farms; with `control` and all that follows
            as in `ladder`. Accounts of one cluster count as one draw.
        smallest: Accounts that make a cluster worth a look.
        wide: A value that more accounts share joins them only if most look like a farm's accounts.
        error: Chance that any cluster at all is called a burst where accounts are made independently.
        out: CSV or Parquet file: each account of a farm with its cluster.
    Raises:
        BadTable, BadInput, NotFound: what was given cannot be used; one message says what and where.
    """
    check_options(smallest, error)
    check_zone(timezone)
    if assignments is None and control:
        raise BadInput("--control needs --assignments: who was assigned to which arm, and when")
    end = day_given(until, "until")
    with closing(connect()) as connection:
        run(connection, f"SET memory_limit = '{MEMORY}'")
        names = Columns(columns)
        found = {
            table: open_given(connection, table, rows, columns=names, timezone=timezone)
            for table, rows in (("orders", orders), ("identities", identities), ("customers", customers))
            if rows is not None
        }
        if assignments is None:
            names.check_used()
        with plain_errors("looking for accounts that belong together"):
            told = farms_of(
                connection,
                found["orders"],
                found["identities"],
                found.get("customers"),
                until=end,
                timezone=timezone,
                smallest=smallest,
                wide=wide,
                error=error,
            )
        told = replace(told, currency=currency)
        if assignments is not None:
            campaign = campaign_of(
                until=until,
                control=control,
                window=window,
                horizon=horizon,
                margin=margin,
                promo_code=promo_code,
                contact_cost=contact_cost,
                annual_discount=annual_discount,
                timezone=timezone,
                currency=currency,
                experiment=experiment,
            )
            told = with_effects(connection, told, assignments, campaign, names, progress=progress)
            names.check_used()
        if out is not None:
            write_rows(accounts_of(connection), Path(out))
            told = replace(told, out=Path(out))
        return told


def check_options(smallest: int, error: float) -> None:
    """Raises BadInput where they cannot be."""
    if smallest < 2:
        raise BadInput(f"--smallest {smallest}: a cluster has at least 2 accounts")
    if not 0 < error < 1:
        raise BadInput(f"--error {error}: a chance between 0 and 1 was expected, such as .05")


def farms_of(
    connection: duckdb.DuckDBPyConnection,
    orders: Given,
    identities: Given,
    customers: Given | None,
    *,
    until: date,
    timezone: str = "UTC",
    smallest: int = SMALLEST,
    wide: int = WIDE,
    error: float = ERROR,
) -> Farms:
    """Clusters of the canonical tables; leaves the table `farm_units` (customer_id, unit, farm) on the connection."""
    end = datetime.combine(until + timedelta(days=1), time(), ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))
    before = f"TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}'"
    key = "order_id" if "order_id" in orders else "ordered_at"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE farm_orders AS SELECT customer_id, count(*) FILTER (bought) AS orders, "
        "count(*) FILTER (bought AND code) AS codes, sum(revenue) AS revenue, sum(discount) AS discount, "
        "min(moment) FILTER (bought) AS first, max(moment) FILTER (bought) AS last, "
        "arg_min(coalesce(word, ''), moment) FILTER (bought) AS first_code FROM ("
        f"SELECT customer_id, min(ordered_at) AS moment, sum(revenue) AS revenue, sum(coalesce({orders.or_null('discount')}, 0)) "
        f"AS discount, bool_or(nullif(trim({orders.or_null('promo_code')}), '') IS NOT NULL) AS code, "
        f"min(nullif(trim({orders.or_null('promo_code')}), '')) AS word, "
        f"bool_or(revenue >= 0) AS bought FROM {orders.view} WHERE customer_id IS NOT NULL AND ordered_at < {before} "
        f"AND {orders.carried_out} GROUP BY customer_id, {key}) GROUP BY customer_id",
    )
    since = customers.or_null("registered_at") if customers is not None else "NULL::TIMESTAMP"
    source = customers.or_null("source") if customers is not None else "NULL::VARCHAR"
    registered = (
        f"SELECT customer_id, min({since}) AS registered, nullif(trim(any_value({source})), '') AS source "
        f"FROM {customers.view} WHERE customer_id IS NOT NULL GROUP BY 1"
        if customers is not None
        else f"SELECT NULL::VARCHAR AS customer_id, {since} AS registered, {source} AS source WHERE false"
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE farm_base AS SELECT coalesce(o.customer_id, r.customer_id) AS customer_id, "
        "coalesce(orders, 0) AS orders, coalesce(codes, 0) AS codes, coalesce(revenue, 0)::DOUBLE AS revenue, "
        "coalesce(discount, 0)::DOUBLE AS discount, first, last, coalesce(registered, first) AS born, "
        "nullif(first_code, '') AS first_code, source "
        f"FROM farm_orders o FULL JOIN ({registered}) r ON o.customer_id = r.customer_id "
        f"WHERE coalesce(registered, first) < {before} OR coalesce(registered, first) IS NULL",
    )
    count, total, given = one(connection, "SELECT count(*), sum(orders), sum(discount) FROM farm_base")
    # A value of one account joins nobody; of ten million accounts only those that share are looked at.
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE farm_pairs AS SELECT DISTINCT i.customer_id, lower(trim(kind)) AS kind, value_hash "
        f"FROM {identities.view} i SEMI JOIN farm_base b USING (customer_id) WHERE value_hash IS NOT NULL AND kind IS NOT NULL",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE farm_values AS SELECT kind, value_hash, row_number() OVER (ORDER BY kind, value_hash) "
        "- 1 AS value FROM farm_pairs GROUP BY kind, value_hash HAVING count(*) > 1",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE farm_accounts AS SELECT b.*, row_number() OVER (ORDER BY customer_id) - 1 AS account "
        "FROM farm_base b SEMI JOIN (SELECT customer_id FROM farm_pairs JOIN farm_values USING (kind, value_hash)) USING (customer_id)",
    )
    if not one(connection, "SELECT count(*) FROM farm_pairs")[0] and count:
        why = "no-identities"
    else:
        why = "" if count else "no-orders"
    rows = arrow(
        connection,
        "SELECT customer_id, orders, codes, revenue, discount, epoch(born) / 86400 AS born, epoch(first) / 86400 AS first, "
        "epoch(last) / 86400 AS last FROM farm_accounts ORDER BY account",
    )
    pairs = arrow(
        connection,
        "SELECT account, value FROM farm_pairs JOIN farm_values USING (kind, value_hash) JOIN farm_accounts USING (customer_id) "
        "ORDER BY ALL",
    )
    kinds = arrow(connection, "SELECT kind FROM farm_values ORDER BY value")
    born = arrow(
        connection, "SELECT epoch(born) / 86400 AS born FROM farm_base WHERE born IS NOT NULL ORDER BY 1"
    )

    def numbers(table: pa.Table, name: str, kind: type = np.float64) -> Any:
        return table[name].to_numpy(zero_copy_only=False).astype(kind)

    accounts = Accounts(
        customer=np.array(rows["customer_id"].to_pylist(), dtype=object),
        orders=numbers(rows, "orders", np.int64),
        code_orders=numbers(rows, "codes", np.int64),
        revenue=numbers(rows, "revenue"),
        discount=numbers(rows, "discount"),
        born=numbers(rows, "born"),
        first=numbers(rows, "first"),
        last=numbers(rows, "last"),
    )
    clusters, aside = find_clusters(
        accounts,
        account=numbers(pairs, "account", np.int64),
        value=numbers(pairs, "value", np.int64),
        kind=np.array(kinds["kind"].to_pylist(), dtype=object),
        born=numbers(born, "born"),
        smallest=smallest,
        wide=wide,
        error=error,
    )
    _leave_units(connection, accounts, clusters)
    return Farms(
        clusters=clusters,
        wide=aside,
        customers=int(count),
        orders=int(total or 0),
        discount=float(given or 0),
        until=until,
        error=error,
        codes_known="promo_code" in orders,
        bursts=bursts_of(connection, timezone=timezone, error=error),
        why_not=why,
    )


def _leave_units(
    connection: duckdb.DuckDBPyConnection, accounts: Accounts, clusters: tuple[Cluster, ...]
) -> None:
    """Which accounts belong together, and whether that is a farm, as a table on the connection."""
    members = [(place, cluster) for cluster in clusters for place in cluster.members]
    units = pa.table(
        {
            "customer_id": pa.array([accounts.customer[place] for place, _ in members], pa.string()),
            "unit": pa.array([cluster.cluster for _, cluster in members], pa.string()),
            "farm": pa.array([cluster.farm for _, cluster in members], pa.bool_()),
        }
    )
    connection.register("farm_units_rows", units)
    run(connection, f"CREATE OR REPLACE TEMP TABLE {UNITS} AS SELECT * FROM farm_units_rows")
    connection.unregister("farm_units_rows")


def accounts_of(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Each account of a farm with its cluster, ordered."""
    return arrow(
        connection,
        f"SELECT unit AS cluster, customer_id FROM {UNITS} WHERE farm ORDER BY cluster, customer_id",
    )


def with_effects(
    connection: duckdb.DuckDBPyConnection,
    found: Farms,
    assignments: Any,
    campaign: Campaign,
    names: Columns,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> Farms:
    """The ladder with all assigned and without the farms' accounts, side by side."""
    given = open_given(connection, "assignments", assignments, columns=names, timezone=campaign.timezone)
    columns = ", ".join(sorted(given.columns))
    run(connection, f"CREATE OR REPLACE TEMP TABLE farm_assigned AS SELECT {columns} FROM {given.view}")
    run(connection, "CREATE OR REPLACE TEMP TABLE farm_log AS SELECT * FROM canonical_orders")
    split, accounts = one(
        connection,
        "SELECT count(*) FILTER (arms > 1), coalesce(sum(accounts), 0) FROM (SELECT count(DISTINCT arm) AS arms, "
        f"count(DISTINCT customer_id) AS accounts FROM farm_assigned JOIN {UNITS} USING (customer_id) WHERE farm GROUP BY unit)",
    )
    sides = []
    for condition in ("true", f"customer_id NOT IN (SELECT customer_id FROM {UNITS} WHERE farm)"):
        followed = follow_given(
            Query("SELECT * FROM farm_log", "the orders"),
            Query(f"SELECT * FROM farm_assigned WHERE {condition}", given.where),
            campaign,
            connection=connection,
            units=UNITS,
            progress=progress,
        )
        sides.append(climb_ladder(followed, rung_four(followed) if campaign.control else None))
    return replace(
        found,
        effects=tuple(_beside(*sides)),
        split_clusters=int(split),
        assigned_accounts=int(accounts),
    )


def _beside(everybody: LadderFacts, without: LadderFacts) -> list[Beside]:
    other = {(rung.rung, rung.arm): rung for rung in without.rungs}
    return [
        Beside(rung=rung.rung, arm=rung.arm, everybody=rung, without=other[rung.rung, rung.arm])
        for rung in everybody.rungs
        if (rung.rung, rung.arm) in other
    ]
