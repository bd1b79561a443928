"""Two rules that hold wherever orders are read: whose margin counts, and which orders were carried out."""

from __future__ import annotations

from collections.abc import Collection

from primeta.errors import BadTable
from primeta.warehouse.duck import named, quoted
from primeta.warehouse.mapping import CANCELLED


def carries_margin(filled: int, rows: int, *, where: str, margin: float | None) -> bool:
    """Whether orders carry a margin of their own; a column that is empty throughout is as none.

    Args:
        filled: Rows whose margin can be read, of `rows`.
        margin: `--margin`, which then counts for the rows without one.
    Raises:
        BadTable: some have one, some have none, and no `--margin` was given for those.
    """
    if 0 < filled < rows and margin is None:
        raise BadTable(
            f"{where}: margin is empty or unreadable in {rows - filled:,} of {rows:,} rows. Fill it in, or give --margin "
            f"(a share of the list price) for those rows."
        )
    return filled > 0


def carried_out(columns: Collection[str]) -> str:
    """SQL: the order of a row was not cancelled; money that was given back counts whatever became of the order."""
    if "status" not in columns:
        return "true"
    cancelled = ", ".join(quoted(word) for word in CANCELLED)
    return (
        f"coalesce(lower(trim(CAST({named('status')} AS VARCHAR))) NOT IN ({cancelled}) OR revenue < 0, true)"
    )
