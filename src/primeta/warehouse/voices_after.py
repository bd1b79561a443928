"""What customers did before and after they spoke: last order, revenue of a year, orders and opting out within a window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.warehouse.duck import arrow, connect, named, plain_errors, quoted, run
from primeta.warehouse.facts_store import Facts

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

YEAR_DAYS = 365
OPTED_OUT = ("unsubscribed", "complained")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AfterVoices:
    """What n voices were followed by, in the order in which they were given."""

    known: Bools
    """(n,) whether the facts have the customer."""
    silent_days: Floats
    """(n,) since his last order up to the voice; NaN where there was none."""
    value: Floats
    """(n,) his revenue of the year up to the voice, returns taken off; 0 where there was none."""
    orders: Floats
    """(n,) within the window after it."""
    opted_out: Floats
    """(n,) 1 where he unsubscribed or complained within it; NaN where the workspace has no reactions."""
    attribute: tuple[str | None, ...]
    """(n,) as the customers' table has it."""


def after_voices(
    facts: Facts, customers: list[str], said_at: list[datetime], *, window_days: int, attribute: str = ""
) -> AfterVoices:
    """Join voices to the facts.

    Args:
        customers: (n,) ids.
        said_at: (n,) aware; what happened at that very moment was before it.
        attribute: Of the customers; empty: none.
    Raises:
        EngineFailed: the facts cannot be read.
    """
    voices = pa.table({
        "row": pa.array(range(len(customers)), pa.int64()),
        "customer_id": pa.array(customers, pa.string()),
        "said_at": pa.array([at.astimezone(UTC).replace(tzinfo=None) for at in said_at], pa.timestamp("us")),
    })  # fmt: skip
    with plain_errors("reading what customers did after they spoke"):
        connection = connect()
        try:
            connection.register("given", voices)
            run(connection, "CREATE TEMP TABLE voices AS SELECT * FROM given")
            listed = f", CAST({named(attribute)} AS VARCHAR) AS attribute" if attribute else ""
            people = f"read_parquet({quoted(str(facts.customers_path))})"
            found = arrow(
                connection,
                f"SELECT v.row, c.customer_id IS NOT NULL AS known{', c.attribute' if attribute else ''} FROM voices v "
                f"LEFT JOIN (SELECT customer_id{listed} FROM {people}) c USING (customer_id) ORDER BY v.row",
            )
            orders = _orders(connection, facts, window_days)
            opted = _opted_out(connection, facts, window_days)
        finally:
            connection.close()
    return AfterVoices(
        known=found["known"].to_numpy(zero_copy_only=False).astype(bool),
        silent_days=_floats(orders, "silent_days"),
        value=_floats(orders, "value"),
        orders=_floats(orders, "orders"),
        opted_out=_floats(opted, "opted_out") if opted is not None else np.full(len(customers), np.nan),
        attribute=tuple(found["attribute"].to_pylist()) if attribute else (None,) * len(customers),
    )


def _orders(connection: Any, facts: Facts, window_days: int) -> pa.Table:
    source = _parts(facts, "orders")
    if source is None:
        return arrow(
            connection,
            "SELECT row, NULL::DOUBLE AS silent_days, 0.0::DOUBLE AS value, NULL::DOUBLE AS orders FROM voices ORDER BY row",
        )
    year, window = f"INTERVAL {YEAR_DAYS} DAY", f"INTERVAL {int(window_days)} DAY"
    return arrow(
        connection,
        f"""
        WITH bought AS (
            SELECT customer_id, CAST(ordered_at AS TIMESTAMP) AS at, CAST(revenue AS DOUBLE) AS revenue, is_return
            FROM {source} WHERE customer_id IN (SELECT customer_id FROM voices)
        )
        SELECT v.row,
            date_diff('second', max(b.at) FILTER (b.at <= v.said_at AND NOT b.is_return), any_value(v.said_at)) / 86400.0e0
                AS silent_days,
            coalesce(sum(b.revenue) FILTER (b.at <= v.said_at AND b.at > v.said_at - {year}), 0) AS value,
            CAST(count(*) FILTER (b.at > v.said_at AND b.at <= v.said_at + {window} AND NOT b.is_return) AS DOUBLE)
                AS orders
        FROM voices v LEFT JOIN bought b USING (customer_id) GROUP BY v.row ORDER BY v.row
        """,
    )


def _opted_out(connection: Any, facts: Facts, window_days: int) -> pa.Table | None:
    reactions, messages = _parts(facts, "reactions"), _parts(facts, "messages")
    if reactions is None or messages is None:
        return None
    kinds = ", ".join(quoted(kind) for kind in OPTED_OUT)
    return arrow(
        connection,
        f"""
        WITH gone AS (
            SELECT m.customer_id, CAST(r.happened_at AS TIMESTAMP) AS at
            FROM {reactions} r JOIN {messages} m USING (message_id)
            WHERE r.kind IN ({kinds}) AND m.customer_id IN (SELECT customer_id FROM voices)
        )
        SELECT v.row, CAST(count(g.at) FILTER (g.at > v.said_at AND g.at <= v.said_at + INTERVAL {int(window_days)} DAY) > 0
            AS DOUBLE) AS opted_out
        FROM voices v LEFT JOIN gone g USING (customer_id) GROUP BY v.row ORDER BY v.row
        """,
    )


def _parts(facts: Facts, table: str) -> str | None:
    parts = facts.parts.get(table, ())
    if not parts:
        return None
    return f"read_parquet([{', '.join(quoted(str(facts.path(part))) for part in parts)}])"


def _floats(table: pa.Table, column: str) -> Floats:
    values = table[column].to_numpy(zero_copy_only=False)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
