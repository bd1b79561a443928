"""How full the facts are: what acting on a trend can rely on."""

from __future__ import annotations

from primeta.facts import TABLES
from primeta.warehouse.engine import Warehouse


def fullness_of(warehouse: Warehouse) -> dict[str, float]:
    """`table.column` → share of rows that carry a value, for every column that is mapped."""
    found: dict[str, float] = {}
    for table in warehouse.tables():
        view = warehouse.clean(table)
        columns = [column.name for column in TABLES[table].columns if warehouse.has(table, column.name)]
        if table in warehouse.config.tables:
            columns += warehouse.mapped(table).attributes
        counted = ", ".join(f'avg(("{name}" is not null)::int)' for name in columns)
        row = warehouse.connection.execute(f"select {counted} from {view}").fetchone() if columns else None
        for name, share in zip(columns, row or (), strict=False):
            found[f"{table}.{name}"] = float(share or 0.0)
    return found


def consent_share(warehouse: Warehouse) -> float:
    """Share of customers whose last word on marketing is a consent; NaN where none are mapped."""
    if "consents" not in warehouse.tables():
        return float("nan")
    everybody = warehouse.clean("customers" if "customers" in warehouse.tables() else "orders")
    row = warehouse.connection.execute(
        f"""
        with last_word as (
            select customer_id, arg_max(state, happened_at) as state
            from {warehouse.clean("consents")} where processing = 'marketing' group by customer_id
        )
        select avg((coalesce(state, '') in ('given', 'granted', 'yes', 'true'))::int)
        from (select distinct customer_id from {everybody}) left join last_word using (customer_id)"""
    ).fetchone()
    return float(row[0]) if row and row[0] is not None else float("nan")
