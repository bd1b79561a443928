"""A table as it was found: rows, customers, ids, money, first and last time, and how full each column is."""

from __future__ import annotations

import math
from datetime import datetime

from primeta.warehouse.diagnosis import ColumnFill, TableSummary
from primeta.warehouse.duck import named, one
from primeta.warehouse.engine import Warehouse
from primeta.warehouse.mapping import Mapped

_EXACT_ROWS = 5_000_000


def amount_column(mapped: Mapped) -> str:
    """The column that holds a table's money, or nothing."""
    columns = (name for name in ("revenue", "cost", "money") if mapped.spec.column(name))
    return next((name for name in columns if name in mapped.mapped), "")


def summarise(warehouse: Warehouse, mapped: Mapped, *, rows: int, used: int) -> TableSummary:
    """The table before any rule; distinct values are exact up to five million rows, then approximate.

    Args:
        rows: Rows of the canonical view.
        used: Rows that no rule drops.
    """
    connection, has = warehouse.connection, mapped.mapped
    distinct = "count(DISTINCT {})" if rows <= _EXACT_ROWS else "approx_count_distinct({})"
    key = mapped.spec.key or next((name for name in ("order_id", "message_id") if name in has), "")
    time, amount = mapped.spec.time or "", amount_column(mapped)
    customers, ids, money, first, last = one(
        connection,
        f"SELECT {distinct.format('customer_id') if 'customer_id' in has else '0'}, "
        f"{distinct.format(key) if key in has else '0'}, "
        f"{f'sum(CAST({amount} AS DOUBLE))' if amount else 'NULL'}, "
        f"{f'min({time}), max({time})' if time in has else 'NULL, NULL'} FROM {mapped.view}",
    )
    names = list(mapped.source.types)
    counted = ", ".join(f"count({named(name)}), {distinct.format(named(name))}" for name in names)
    fills = one(connection, f"SELECT {counted} FROM {mapped.source.view}") if names else ()
    return TableSummary(
        table=mapped.spec.name,
        source=mapped.source.wording,
        rows=rows,
        used=used,
        customers=customers,
        ids=ids,
        money=math.nan if money is None else float(money),
        first=_iso(first),
        last=_iso(last),
        columns=tuple(
            ColumnFill(name=name, filled=fills[2 * at], distinct=fills[2 * at + 1])
            for at, name in enumerate(names)
        ),
        files=tuple(form.as_dict() for form in mapped.source.files),
        time_format=mapped.times[time].wording if time in mapped.times else "",
    )


def _iso(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""
