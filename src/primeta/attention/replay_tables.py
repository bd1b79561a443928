"""Tables of a replay: files, Arrow tables or queries, each as one view with canonical columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.facts import Column
from primeta.warehouse.duck import named, plain_errors, run
from primeta.warehouse.file_sets import forms_of, parquet_source
from primeta.warehouse.files import csv_errors, csv_source, narrow, readable
from primeta.warehouse.mapping import canonical_value
from primeta.warehouse.times import read_time

COLUMNS: dict[str, tuple[str, str]] = {
    "messages": (
        "message_id:id customer_id:id sent_at:time channel",
        "campaign programme purpose cost:number withheld:flag probability:number learnt_at:time team personal:flag",
    ),
    "reactions": ("message_id:id kind happened_at:time", "machine:flag learnt_at:time"),
    "customers": ("customer_id:id", "timezone registered_at:time"),
    "consents": ("customer_id:id state happened_at:time", "processing channel learnt_at:time"),
    "orders": ("customer_id:id ordered_at:time", "revenue:number"),
    "visits": ("customer_id:id happened_at:time", ""),
}
"""Table → needed and optional columns; a kind that is not named is text."""
SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
}


@dataclass(frozen=True, slots=True)
class Query:
    """Rows that the engine has already: SQL to select them, and how to call them in a message."""

    sql: str
    wording: str = "the table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One table that was given: `view` has every canonical column, a typed null where it is absent."""

    view: str
    where: str
    columns: frozenset[str]
    """Those that are there."""

    def __contains__(self, column: str) -> bool:
        return column in self.columns


def columns_of(table: str) -> tuple[Column, ...]:
    """The canonical columns of one table."""
    found: list[Column] = []
    for names, needed in zip(COLUMNS[table], (True, False), strict=True):
        for entry in names.split():
            name, _, kind = entry.partition(":")
            found.append(Column(name, kind or "text", needed))  # pyright: ignore[reportArgumentType]
    return tuple(found)


def open_given(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Any,
    *,
    timezone: str = "UTC",
    columns: Mapping[str, str] | None = None,
) -> Given:
    """Make the canonical view `replay_TABLE` of one table.

    Args:
        rows: A path or a glob of CSV or Parquet files, a list of paths, an Arrow table, a data frame, a mapping of
            columns, or a `Query` over `connection`.
        timezone: Of times that carry none.
        columns: Canonical name, or `table.name`, → theirs.
    Raises:
        BadTable: it cannot be read, or a column is missing.
    """
    raw, view = f"given_{table}", f"replay_{table}"
    where = _open_raw(connection, table, rows, raw, columns or {})
    types = {str(row[0]): str(row[1]) for row in run(connection, f"DESCRIBE SELECT * FROM {raw}")}
    theirs = _theirs(table, list(types), columns or {}, where)
    missing = [column.name for column in columns_of(table) if column.required and column.name not in theirs]
    if missing:
        raise BadTable(
            f"{where} (as {table}): {', '.join(missing)} not found; it has {', '.join(types)}. Rename the column, or say "
            f"which it is: --columns {table}.{missing[0]}=THEIRS."
        )
    parts: list[str] = []
    with plain_errors(f"reading {where}"):
        for column in columns_of(table):
            if column.name not in theirs:
                parts.append(f"CAST(NULL AS {SQL_TYPES[column.kind]}) AS {column.name}")
                continue
            own = theirs[column.name]
            if column.kind == "time":
                reading = read_time(connection, raw, named(own), types[own], timezone=timezone)
                value = f"CAST({reading.utc} AS TIMESTAMP)"
            else:
                value = canonical_value(named(own), types[own], column)
            value = f"lower({value})" if column.name == "kind" else value
            parts.append(f"{value} AS {column.name}")
        run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {', '.join(parts)} FROM {raw}")
    return Given(view=view, where=where, columns=frozenset(theirs))


def check_columns(columns: Mapping[str, str]) -> None:
    """Every name on the left is a canonical column.

    Raises:
        BadInput: one is not.
    """
    for name in columns:
        table, dot, column = name.rpartition(".")
        known = {
            entry.name
            for one in ((table,) if dot else COLUMNS)
            if one in COLUMNS
            for entry in columns_of(one)
        }
        if column not in known:
            raise BadInput(
                f"columns: {name!r} is no canonical column; write canonical=theirs, such as sent_at=date"
            )


def _theirs(table: str, names: Sequence[str], columns: Mapping[str, str], where: str) -> dict[str, str]:
    spelled = {name.lower(): name for name in names}
    found: dict[str, str] = {}
    for column in columns_of(table):
        own = columns.get(f"{table}.{column.name}")
        if own is not None and own.lower() not in spelled:
            raise BadTable(
                f"{where}: no column {own!r} (asked for as {table}.{column.name}); it has {', '.join(names)}"
            )
        for name in (own, columns.get(column.name), column.name):
            if name is not None and name.lower() in spelled:
                found[column.name] = spelled[name.lower()]
                break
    return found


def _open_raw(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Any, view: str, columns: Mapping[str, str]
) -> str:
    """Make the view of the rows as they came; how to call them in a message is returned."""
    if isinstance(rows, Query):
        with plain_errors(f"reading {rows.wording}"):
            run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS {rows.sql}")
        return rows.wording
    if isinstance(rows, str | Path) or (
        isinstance(rows, list | tuple) and rows and all(isinstance(entry, str | Path) for entry in rows)
    ):
        return _open_files(connection, table, rows, view, columns)
    try:
        found = rows if isinstance(rows, pa.Table) else pa.table(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(
            f"{table}: a path, an Arrow table, a data frame or a mapping of columns was expected ({error})"
        ) from None
    connection.register(f"arrow_{table}", found)
    run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM arrow_{table}")
    return f"the table {table}"


def _open_files(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Any, view: str, columns: Mapping[str, str]
) -> str:
    forms, where = forms_of(rows)
    if forms[0].kind == "parquet":
        with plain_errors(f"reading {where}"):
            run(
                connection,
                f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {parquet_source(forms)}",
            )
        return where
    # A CSV is read once: what its columns are is only known from all rows.
    for place, form in enumerate(forms):
        with readable(form) as source, csv_errors(form):
            body = f"SELECT * FROM {csv_source(form, source)}"
            begin = "CREATE OR REPLACE TEMP TABLE" if place == 0 else "INSERT INTO"
            link = "AS" if place == 0 else "BY NAME"
            run(connection, f"{begin} text_{table} {link} {body}")
    texts = _theirs(table, list(forms[0].names), columns, where)
    kept = {
        texts[column.name]
        for column in columns_of(table)
        if column.name in texts and column.kind in ("id", "text")
    }
    with plain_errors(f"reading {where}"):
        shape = narrow(connection, f"text_{table}", forms[0], keep_text=kept)
        run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {shape} FROM text_{table}")
    return where
