"""What came of each touch within 72 hours: welcomed, drove away, or silence.

Welcomed: a human click or reply, a visit or an order. Drove away: an opt-out or a complaint. Opens weigh nothing, a
machine's clicks neither. A visit within 72 hours of several touches welcomes each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.attention.records import PURPOSES
from primeta.errors import BadTable
from primeta.warehouse.duck import arrow, named, plain_errors, run

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

WITHIN = timedelta(hours=72)
WELCOMING = ("clicked", "replied")
DRIVING_AWAY = ("unsubscribed", "complained")
DAY_US = 86_400_000_000
UNKNOWN_PURPOSE = "offer"
"""A message that does not say what it is for, or says something else than the four, counts as an offer everywhere: the
safe side, since offers count under every cap and earn nothing."""


def days_of(at: datetime) -> float:
    """Days since 1970-01-01 UTC."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * DAY_US + since.seconds * 1_000_000 + since.microseconds) / DAY_US


def time_of(days: float) -> datetime:
    """The other way round, to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(days * DAY_US))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TouchLog:
    """Touches that were sent, by customer, channel, time and message; all arrays (n,)."""

    customers: tuple[str, ...]
    channels: tuple[str, ...]
    customer: Ints
    """Index into `customers`, ascending."""
    channel: Ints
    """Index into `channels`."""
    sent: Floats
    """Days since 1970-01-01 UTC."""
    purpose: Ints
    """Index into `PURPOSES`."""
    welcomed: Floats
    """Days after `sent`, NaN where it was not."""
    drove: Floats
    """Days after `sent` at which it drove away, NaN where it did not."""
    until: float
    """Day at which the log ends."""
    message_id: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=object))
    campaign: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, dtype=object))
    asked: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    """(n,) rows at which credit is only asked for: nothing was sent. Empty: none."""
    broken_customer: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(b,) index of the customer to whom a promise was broken, any order."""
    broken_at: Floats = field(default_factory=lambda: np.empty(0))
    kept_customer: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(k,) likewise of promises kept."""
    kept_at: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def touches(self) -> int:
        return len(self.sent)

    @property
    def sequence(self) -> Ints:
        """(n,) 0 … S−1: one customer on one channel."""
        if not self.touches:
            return np.empty(0, dtype=np.int64)
        key = self.customer.astype(np.int64) * len(self.channels) + self.channel
        return np.cumsum(np.concatenate([[False], key[1:] != key[:-1]])).astype(np.int64)

    @property
    def closed(self) -> npt.NDArray[np.bool_]:
        """(n,) whether its 72 hours are over. Before that only reactions are known and no silence: it would be too rosy."""
        return (self.sent + WITHIN / timedelta(days=1) <= self.until) & self.real

    @property
    def real(self) -> npt.NDArray[np.bool_]:
        """(n,) whether it was sent."""
        return ~self.asked if len(self.asked) else np.ones(self.touches, dtype=bool)

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """(n,) welcomed and not driven away: what credit foretells."""
        return np.isfinite(self.welcomed) & ~np.isfinite(self.drove)

    def of_customers(self, chosen: npt.NDArray[np.bool_]) -> TouchLog:
        """Only the touches of customers for whom `chosen` (len(customers),) is true, numbered anew."""
        rows = chosen[self.customer]
        number = np.cumsum(chosen) - 1
        broken, kept = chosen[self.broken_customer], chosen[self.kept_customer]
        return replace(
            self,
            customers=tuple(np.asarray(self.customers, dtype=object)[chosen].tolist()),
            customer=number[self.customer[rows]],
            channel=self.channel[rows],
            sent=self.sent[rows],
            purpose=self.purpose[rows],
            welcomed=self.welcomed[rows],
            drove=self.drove[rows],
            message_id=self.message_id[rows] if len(self.message_id) else self.message_id,
            campaign=self.campaign[rows] if len(self.campaign) else self.campaign,
            asked=self.asked[rows] if len(self.asked) else self.asked,
            broken_customer=number[self.broken_customer[broken]],
            broken_at=self.broken_at[broken],
            kept_customer=number[self.kept_customer[kept]],
            kept_at=self.kept_at[kept],
        )

    def settled(self) -> TouchLog:
        """Only the touches whose 72 hours are over: those to learn from."""
        rows = self.closed
        return replace(
            self,
            customer=self.customer[rows],
            channel=self.channel[rows],
            sent=self.sent[rows],
            purpose=self.purpose[rows],
            welcomed=self.welcomed[rows],
            drove=self.drove[rows],
            message_id=self.message_id[rows] if len(self.message_id) else self.message_id,
            campaign=self.campaign[rows] if len(self.campaign) else self.campaign,
            asked=self.asked[rows] if len(self.asked) else self.asked,
        )

    def of_range(self, first: int, last: int) -> TouchLog:
        """Only the customers `first` … `last` − 1, numbered from 0; columns are views, not copies."""
        since, to = np.searchsorted(self.customer, [first, last])
        rows = slice(int(since), int(to))

        def cut(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return column[rows] if len(column) else column

        broken = (self.broken_customer >= first) & (self.broken_customer < last)
        kept = (self.kept_customer >= first) & (self.kept_customer < last)
        return replace(
            self,
            customers=self.customers[first:last],
            customer=self.customer[rows] - first,
            channel=self.channel[rows],
            sent=self.sent[rows],
            purpose=self.purpose[rows],
            welcomed=self.welcomed[rows],
            drove=self.drove[rows],
            message_id=cut(self.message_id),
            campaign=cut(self.campaign),
            asked=cut(self.asked),
            broken_customer=self.broken_customer[broken] - first,
            broken_at=self.broken_at[broken],
            kept_customer=self.kept_customer[kept] - first,
            kept_at=self.kept_at[kept],
        )

    def before(self, day: float) -> TouchLog:
        """As it was known at `day`: later touches and later outcomes left out."""
        rows = self.sent <= day
        broken, kept = self.broken_at <= day, self.kept_at <= day
        sent = self.sent[rows]
        return replace(
            self,
            customer=self.customer[rows],
            channel=self.channel[rows],
            sent=sent,
            purpose=self.purpose[rows],
            welcomed=np.where(sent + self.welcomed[rows] <= day, self.welcomed[rows], np.nan),
            drove=np.where(sent + self.drove[rows] <= day, self.drove[rows], np.nan),
            until=min(day, self.until),
            message_id=self.message_id[rows] if len(self.message_id) else self.message_id,
            campaign=self.campaign[rows] if len(self.campaign) else self.campaign,
            asked=self.asked[rows] if len(self.asked) else self.asked,
            broken_customer=self.broken_customer[broken],
            broken_at=self.broken_at[broken],
            kept_customer=self.kept_customer[kept],
            kept_at=self.kept_at[kept],
        )


def with_asked(log: TouchLog, *, customer: Ints, channel: Ints, at: Floats) -> tuple[TouchLog, Ints]:
    """The log with rows more at which credit is only asked for.

    Args:
        customer, channel, at: (m,) whom, where, and the day.
    Returns:
        The log, and where each of the m rows stands in it.
    """
    many = len(at)

    def joined(column: npt.NDArray[Any], value: Any) -> npt.NDArray[Any]:
        if not len(column) and log.touches:
            return column
        return np.concatenate([column, np.full(many, value, dtype=column.dtype)])

    who, where, when = (
        np.concatenate([first, second])
        for first, second in ((log.customer, customer), (log.channel, channel), (log.sent, at))
    )
    asked = np.concatenate([~log.real, np.ones(many, dtype=bool)])
    # asked after whatever is sent at the same time
    order = np.lexsort((asked, when, where, who))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))

    def sorted_(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return column[order] if len(column) == len(order) else column

    return replace(
        log,
        customer=who[order],
        channel=where[order],
        sent=when[order],
        purpose=sorted_(joined(log.purpose, PURPOSES.index("useful"))),
        welcomed=sorted_(joined(log.welcomed, np.nan)),
        drove=sorted_(joined(log.drove, np.nan)),
        message_id=sorted_(joined(log.message_id, "")),
        campaign=sorted_(joined(log.campaign, "")),
        asked=asked[order],
    ), place[log.touches :]


def columns_of(connection: duckdb.DuckDBPyConnection, view: str) -> set[str]:
    return {row[0] for row in run(connection, f"DESCRIBE {named(view)}")}


def touch_log(
    connection: duckdb.DuckDBPyConnection,
    *,
    messages: str = "messages",
    reactions: str = "",
    orders: str = "",
    visits: str = "",
    until: datetime | None = None,
) -> TouchLog:
    """Touches and what came of them, from views with canonical columns.

    Args:
        messages, reactions, orders, visits: names of views; empty: not known.
        until: End of the log: what happened later is left out; default: the latest time in the views.
    Raises:
        BadTable: a needed column is missing.
    """
    have = columns_of(connection, messages)
    for column in ("message_id", "customer_id", "sent_at", "channel"):
        if column not in have:
            raise BadTable(f"{messages} has no column {column}; it is needed to know what came of a message")
    with plain_errors("reading what came of each message"):
        end = _end(connection, messages, reactions, orders, visits) if until is None else until
        cut = f"epoch_us(TIMESTAMP '{end.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}')"
        purpose = "purpose" if "purpose" in have else "NULL"
        withheld = "coalesce(withheld, false)" if "withheld" in have else "false"
        campaign = "coalesce(campaign, '')" if "campaign" in have else "''"
        run(
            connection,
            f"""CREATE OR REPLACE TEMP TABLE credit_touch AS
            SELECT CAST(message_id AS VARCHAR) AS message_id, CAST(any_value(customer_id) AS VARCHAR) AS customer_id,
                coalesce(CAST(min(channel) AS VARCHAR), '') AS channel, min(epoch_us(CAST(sent_at AS TIMESTAMP))) AS sent,
                min(lower({purpose})) AS purpose, min({campaign}) AS campaign
            FROM {named(messages)}
            WHERE message_id IS NOT NULL AND customer_id IS NOT NULL AND sent_at IS NOT NULL AND NOT ({withheld})
            GROUP BY message_id HAVING min(epoch_us(CAST(sent_at AS TIMESTAMP))) <= {cut}""",
        )
        signs: list[str] = []
        if reactions:
            human = (
                "AND NOT coalesce(r.machine, false)" if "machine" in columns_of(connection, reactions) else ""
            )
            # an opt-out is a person's or is taken as one: the safe side
            for kinds, target, limit in ((WELCOMING, "welcomed", human), (DRIVING_AWAY, "drove", "")):
                listed = ", ".join(f"'{kind}'" for kind in kinds)
                signs.append(
                    f"""SELECT t.message_id, '{target}' AS what, epoch_us(CAST(r.happened_at AS TIMESTAMP)) - t.sent AS delay
                    FROM {named(reactions)} r JOIN credit_touch t ON CAST(r.message_id AS VARCHAR) = t.message_id
                    WHERE r.kind IN ({listed}) {limit}"""
                )
        for view, column in ((orders, "ordered_at"), (visits, "happened_at")):
            if view:
                signs.append(
                    f"""SELECT t.message_id, 'welcomed' AS what, v.moment - t.sent AS delay
                    FROM credit_touch t ASOF JOIN (
                        SELECT CAST(customer_id AS VARCHAR) AS customer_id, epoch_us(CAST({column} AS TIMESTAMP)) AS moment
                        FROM {named(view)} WHERE customer_id IS NOT NULL AND {column} IS NOT NULL
                    ) v ON t.customer_id = v.customer_id AND v.moment >= t.sent"""
                )
        span = int(WITHIN.total_seconds() * 1e6)
        told = (
            f"""SELECT message_id, min(delay) FILTER (what = 'welcomed') AS welcomed,
                min(delay) FILTER (what = 'drove') AS drove
            FROM ({" UNION ALL ".join(signs)}) s JOIN credit_touch t USING (message_id)
            WHERE delay BETWEEN 0 AND {span} AND t.sent + delay <= {cut} GROUP BY message_id"""
            if signs
            else "SELECT '' AS message_id, NULL::BIGINT AS welcomed, NULL::BIGINT AS drove WHERE false"
        )
        table = arrow(
            connection,
            f"""SELECT t.customer_id, t.channel, t.sent, t.purpose, t.campaign, t.message_id, o.welcomed, o.drove
            FROM credit_touch t LEFT JOIN ({told}) o USING (message_id)
            ORDER BY t.customer_id, t.channel, t.sent, t.message_id""",
        )
        run(connection, "DROP TABLE credit_touch")
    customers, customer = _coded(table.column("customer_id"))
    channels, channel = _coded(table.column("channel"))
    purposes, purpose_code = _coded(table.column("purpose").fill_null(UNKNOWN_PURPOSE))
    place = np.array(
        [PURPOSES.index(name if name in PURPOSES else UNKNOWN_PURPOSE) for name in purposes] or [1],
        dtype=np.int64,
    )
    number = {
        name: table.column(name).to_numpy().astype(np.float64) / DAY_US
        for name in ("sent", "welcomed", "drove")
    }
    return TouchLog(
        customers=customers,
        channels=channels,
        customer=customer,
        channel=channel,
        sent=number["sent"],
        purpose=place[purpose_code] if len(purpose_code) else purpose_code,
        welcomed=number["welcomed"],
        drove=number["drove"],
        until=days_of(end),
        message_id=table.column("message_id").to_numpy(),
        campaign=table.column("campaign").to_numpy(),
    )


def _coded(column: Any) -> tuple[tuple[str, ...], Ints]:
    """Distinct values in ascending order and the code of each row."""
    import pyarrow as pa

    encoded = column.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([], type=column.type)
    encoded = encoded.dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(names, kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return tuple(names[order].tolist()), rank[codes] if len(codes) else codes


def _end(connection: duckdb.DuckDBPyConnection, messages: str, *others: str) -> datetime:
    reactions, orders, visits = others
    parts = [f"SELECT max(sent_at) AS moment FROM {named(messages)}"]
    parts += [f"SELECT max(happened_at) FROM {named(view)}" for view in (reactions, visits) if view]
    parts += [f"SELECT max(ordered_at) FROM {named(orders)}"] if orders else []
    latest = run(
        connection, f"SELECT max(epoch_us(CAST(moment AS TIMESTAMP))) FROM ({' UNION ALL '.join(parts)})"
    )[0][0]
    return time_of((latest or 0) / DAY_US)
