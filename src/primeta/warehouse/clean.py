"""What of the mapped rows cannot be used, rule by rule: the one list that facts and doctor share."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from primeta.facts import TABLES
from primeta.warehouse.duck import quoted, run
from primeta.warehouse.mapping import CANCELLED


@dataclass(frozen=True, slots=True)
class Drop:
    """Rows of `table` under which `condition` (SQL over the canonical columns) holds are left out."""

    rule: str
    table: str
    condition: str


PLACEHOLDERS = ("null", "none", "nan", "n/a", "na", "unknown", "undefined", "guest", "anonymous", "-", "?")


def drops(table: str) -> tuple[Drop, ...]:
    """The rules by which rows of a canonical table are left out, in order."""
    spec = TABLES[table]
    found: list[Drop] = []
    if spec.key:
        found.append(Drop("null-ids", table, f"{spec.key} IS NULL"))
    for name in ("order_id", "message_id"):
        if name in spec.required and name != spec.key:
            found.append(Drop("null-ids", table, f"{name} IS NULL"))
    if table != "customers" and spec.column("customer_id") and table not in ("voices", "order_lines"):
        found.append(Drop("null-customers", table, f"customer_id IS NULL OR {placeholder('customer_id')}"))
    if spec.time and spec.time in spec.required:
        found.append(Drop("null-times", table, f"{spec.time} IS NULL"))
    if table == "orders":
        words = ", ".join(quoted(word) for word in CANCELLED)
        found.append(
            Drop("cancelled-orders", table, f"coalesce(lower(status) IN ({words}), false) AND NOT is_return")
        )
    return tuple(found)


def placeholder(column: str) -> str:
    """SQL: the id is one of the words that systems write where there is none."""
    words = ", ".join(quoted(word) for word in PLACEHOLDERS)
    return f"lower({column}) IN ({words})"


# Tables in which a row that is there twice, value for value, was written twice. A receipt may well
# list the same product twice, and a day hold two visits alike: those are kept.
DISTINCT_TABLES = ("orders", "messages", "reactions")


def clean_view(connection: duckdb.DuckDBPyConnection, table: str, view: str) -> str:
    """Make the view of `view` without the rows of `drops`; its name is returned."""
    conditions = [f"NOT coalesce({drop.condition}, false)" for drop in drops(table)]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    name = f"clean_{table}"
    run(connection, f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {view}{where}")
    return name
