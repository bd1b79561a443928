"""What is counted over the whole ledger and kept: coverage of consents, the last check of the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from primeta.store.schema import attention_counts, attention_states
from primeta.store.times import aware, naive


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCount:
    """One document."""

    name: str
    number: int
    """The last entry of the ledger that it knows."""
    document: Mapping[str, Any]
    by: str
    at: datetime


def load_count(connection: Connection, name: str) -> KeptCount | None:
    """A document; None: it was never made."""
    table = attention_counts
    row = connection.execute(select(table).where(table.c.name == name)).mappings().first()
    if row is None:
        return None
    return KeptCount(
        name=name, number=row["number"], document=row["document"], by=row["by"], at=aware(row["at"])
    )


def save_count(connection: Connection, kept: KeptCount) -> None:
    """In place of what was kept before."""
    table = attention_counts
    values = {
        "number": kept.number,
        "document": dict(kept.document),
        "by": kept.by,
        "at": naive(kept.at),
    }
    if not connection.execute(update(table).where(table.c.name == kept.name).values(values)).rowcount:
        connection.execute(insert(table).values(name=kept.name, **values))


def count_states(connection: Connection) -> int:
    """How many customers the ledger knows."""
    return connection.scalar(select(func.count()).select_from(attention_states)) or 0


def some_states(connection: Connection, *, after: str, most: int) -> list[tuple[str, bytes]]:
    """Customers and their packed states in the order of ids, from the one after `after` on; empty: no more."""
    table = attention_states
    query = (
        select(table.c.customer_id, table.c.state)
        .where(table.c.customer_id > after)
        .order_by(table.c.customer_id)
        .limit(most)
    )
    return [(row[0], bytes(row[1])) for row in connection.execute(query)]
