"""How full the facts are: what acting on a trend can rely on."""

from __future__ import annotations

from primeta.warehouse.duck import named, one, quoted, run
from primeta.warehouse.engine import Warehouse
from primeta.warehouse.facts_store import Facts

RECENT_MONTHS = 3
"""A column that was filled years ago and is no longer does not help anybody now."""


def fullness_of(warehouse: Warehouse, facts: Facts) -> dict[str, float]:
    """`table.column` → share of rows of the last months that carry a value, for every mapped column."""
    files = {
        table: [str(facts.path(part)) for part in parts[-RECENT_MONTHS:]]
        for table, parts in facts.parts.items()
    }
    if facts.customers_file:
        files["customers"] = [str(facts.customers_path)]
    found: dict[str, float] = {}
    for table, paths in files.items():
        if not paths:
            continue
        rows = f"read_parquet([{', '.join(quoted(path) for path in paths)}])"
        columns = [name for name, *_ in run(warehouse.connection, f"describe select * from {rows}")]
        counted = ", ".join(f"avg(({named(name)} is not null)::int)" for name in columns)
        for name, share in zip(
            columns, one(warehouse.connection, f"select {counted} from {rows}"), strict=True
        ):
            found[f"{table}.{name}"] = float(share or 0.0)
    return found


def consent_share(warehouse: Warehouse) -> float:
    """Share of customers whose last word on marketing is a consent; NaN where none are mapped."""
    if "consents" not in warehouse.tables():
        return float("nan")
    everybody = warehouse.clean("customers" if "customers" in warehouse.tables() else "orders")
    (share,) = one(
        warehouse.connection,
        f"""
        with last_word as (
            select customer_id, arg_max(state, happened_at) as state
            from {warehouse.clean("consents")} where processing = 'marketing' group by customer_id
        )
        select avg((coalesce(state, '') in ('given', 'granted', 'yes', 'true'))::int)
        from (select distinct customer_id from {everybody}) left join last_word using (customer_id)""",
    )
    return float("nan") if share is None else float(share)
