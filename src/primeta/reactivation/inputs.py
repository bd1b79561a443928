"""What a ladder is given: files, globs, Arrow tables or data frames, each as one view with canonical columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.facts import TABLES, Column, TableSpec
from primeta.reactivation.order_money import carried_out
from primeta.warehouse.clean import PLACEHOLDERS
from primeta.warehouse.duck import named, plain_errors, quoted, run
from primeta.warehouse.file_sets import forms_of, parquet_source
from primeta.warehouse.files import csv_errors, csv_source, narrow, readable
from primeta.warehouse.mapping import canonical_value
from primeta.warehouse.times import read_time

# Needed of each table here; everything else of its spec may be absent.
NEEDED = {
    "orders": ("customer_id", "ordered_at", "revenue"),
    "order_lines": ("order_id",),
    "assignments": ("customer_id", "arm", "assigned_at"),
    "messages": ("customer_id", "sent_at"),
    "reactions": ("message_id", "kind", "happened_at"),
    "visits": ("customer_id", "happened_at"),
    "customers": ("customer_id",),
    "identities": ("customer_id", "kind", "value_hash"),
    "spend": ("source", "day", "money"),
    "consents": ("customer_id", "processing", "state", "happened_at"),
}
ROW = "row#"
"""A hash of all columns of a row as it came: rows that are there twice, value for value, share it."""
NOBODY = "nobody#"
"""Whether a row has no customer, told without making its id canonical."""
_WHOLE = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?")


@dataclass(frozen=True, slots=True)
class Query:
    """Rows that the engine has already: SQL to select them, and how to call them in a message."""

    sql: str
    wording: str = "the table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One table that was given.

    `view` holds the canonical columns that it has, in canonical types (money as DOUBLE, times in UTC); ids that
    are whole numbers there stand beside as `NAME#` (BIGINT), by which joins are faster. `raw` is the view of the
    rows as they came, row by row the same.
    """

    table: str
    view: str
    raw: str
    where: str
    columns: frozenset[str]
    numbered: frozenset[str]
    """Ids that have a `NAME#`."""
    theirs: tuple[str, ...]
    """The columns as they came."""

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    @property
    def carried_out(self) -> str:
        """SQL: the order of a row was not cancelled; money that was given back counts whatever became of the order."""
        return carried_out(self.columns)

    def or_null(self, column: str) -> str:
        """SQL of a column, a typed null where it is absent."""
        if column in self.columns:
            return named(column)
        spec = TABLES[self.table].column(column)
        kind = spec.kind if spec else "text"
        return f"CAST(NULL AS {_SQL[kind]})"


_SQL = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "money": "DOUBLE",
    "number": "DOUBLE",
    "flag": "BOOLEAN",
}


class Columns:
    """Canonical name → theirs, for all tables or (`orders.revenue`) for one; remembers which were of use."""

    def __init__(self, columns: Mapping[str, Any] | None) -> None:
        self._wanted: dict[tuple[str, str], str] = {}
        for name, theirs in (columns or {}).items():
            entries = theirs.items() if isinstance(theirs, Mapping) else [(None, theirs)]
            for inner, column in entries:
                table, canonical = (name, inner) if inner else _split(name)
                self._add(table, str(canonical), str(column))
        self._used: set[tuple[str, str]] = set()

    def _add(self, table: str, canonical: str, theirs: str) -> None:
        if table and table not in TABLES:
            raise BadInput(f"columns: {table!r} is no table; expected one of {', '.join(NEEDED)}")
        if not any(TABLES[name].column(canonical) for name in ((table,) if table else NEEDED)):
            raise BadInput(
                f"columns: {canonical!r} is no canonical column; write canonical=theirs, such as "
                f"ordered_at=order_date"
            )
        self._wanted[table, canonical] = theirs

    def of(self, table: str, names: Sequence[str], where: str) -> dict[str, str]:
        """Canonical column → the column of the table that bears it."""
        spelled = {name.lower(): name for name in names}
        found: dict[str, str] = {}
        for column in TABLES[table].columns:
            own, shared = (table, column.name), ("", column.name)
            if own in self._wanted and self._wanted[own].lower() not in spelled:
                raise BadTable(
                    f"{where}: no column {self._wanted[own]!r} (asked for as {table}.{column.name}); it has "
                    f"{', '.join(names)}"
                )
            for key in (own, shared):
                if key in self._wanted and (theirs := spelled.get(self._wanted[key].lower())):
                    found[column.name] = theirs
                    self._used.add(key)
                    break
            else:
                if theirs := spelled.get(column.name.lower()):
                    found[column.name] = theirs
        return found

    def check_used(self) -> None:
        """Every column that was asked for was found somewhere."""
        for (table, canonical), theirs in self._wanted.items():
            if (table, canonical) not in self._used:
                what = f"{table}.{canonical}" if table else canonical
                raise BadTable(f"no table has a column {theirs!r} (asked for as {what}); check its name")


def _split(name: str) -> tuple[str, str]:
    table, dot, column = name.partition(".")
    return (table, column) if dot else ("", name)


def open_given(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Any,
    *,
    columns: Columns,
    timezone: str,
    keep: Sequence[str] = (),
) -> Given:
    """Make the canonical view of one table that was given.

    Args:
        rows: A path or a glob of CSV or Parquet files (or a list of paths), an Arrow table, a data frame, a
            mapping of columns, or a `Query` over `connection`.
        keep: Further columns of the table, kept as text under their own names.
    Raises:
        BadTable: cannot be read, or a column is missing.
    """
    raw = f"given_{table}"
    where = _open_raw(connection, table, rows, raw, columns, keep)
    types = {str(row[0]): str(row[1]) for row in run(connection, f"DESCRIBE SELECT * FROM {raw}")}
    spec = TABLES[table]
    theirs = columns.of(table, list(types), where)
    if table == "order_lines" and "revenue" not in theirs and {"quantity", "price"} <= theirs.keys():
        product = f"(CAST({named(theirs['quantity'])} AS DOUBLE) * CAST({named(theirs['price'])} AS DOUBLE))"
    else:
        product = ""
    missing = [name for name in NEEDED[table] if name not in theirs]
    if missing:
        raise BadTable(
            f"{where} (as {table}): {', '.join(missing)} not found; it has {', '.join(types)}. Say which column "
            f"each is: columns {missing[0]}=THEIRS."
        )
    parts: list[str] = []
    numbered: set[str] = set()
    with plain_errors(f"reading {where}"):
        for column in spec.columns:
            if column.name not in theirs:
                continue
            value, whole = _value(connection, raw, theirs[column.name], types, column, timezone)
            parts.append(f"{value} AS {named(column.name)}")
            if column.name == "customer_id":
                parts.append(f"{_nobody(named(theirs[column.name]), whole)} AS {named(NOBODY)}")
            if column.kind == "id" and whole:
                parts.append(f"CAST({named(theirs[column.name])} AS BIGINT) AS {named(column.name + '#')}")
                numbered.add(column.name)
        if product:
            parts.append(f"{product} AS revenue")
        # Costs nothing where nobody asks for it.
        parts.append(f"hash({', '.join(named(name) for name in types)}) AS {named(ROW)}")
        for name in keep:
            kept = next((own for own in types if own.lower() == name.lower()), None)
            if kept is not None and name not in theirs:
                value = canonical_value(named(kept), types[kept], Column(name, "text"))
                parts.append(f"{value} AS {named(name)}")
        view = f"canonical_{table}"
        run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {', '.join(parts)} FROM {raw}")
    return Given(
        table=table,
        view=view,
        raw=raw,
        where=where,
        columns=frozenset(theirs) | ({"revenue"} if product else set()),
        numbered=frozenset(numbered),
        theirs=tuple(types),
    )


def _value(
    connection: duckdb.DuckDBPyConnection,
    raw: str,
    theirs: str,
    types: Mapping[str, str],
    column: Column,
    timezone: str,
) -> tuple[str, bool]:
    """SQL of a canonical value, and whether it is a whole number there."""
    kind = types[theirs].upper()
    whole = bool(_WHOLE.fullmatch(kind)) and kind != "UBIGINT"
    if column.kind == "time":
        reading = read_time(connection, raw, named(theirs), types[theirs], timezone=timezone)
        return f"CAST({reading.utc} AS TIMESTAMP)", whole
    if column.kind == "money":
        if kind in ("DOUBLE", "FLOAT"):
            number = f"CAST({named(theirs)} AS DOUBLE)"
            return f"CASE WHEN isfinite({number}) THEN {number} END", whole
        return f"try_cast({named(theirs)} AS DOUBLE)", whole
    return canonical_value(named(theirs), types[theirs], column), whole


def _nobody(theirs: str, whole: bool) -> str:
    """SQL: there is no customer, or a word that systems write where there is none, in its usual spellings."""
    if whole:
        return f"({theirs} IS NULL)"
    spelled = {form for word in PLACEHOLDERS for form in (word, word.upper(), word.capitalize())}
    words = ", ".join(quoted(word) for word in sorted(spelled | {"", " ", "NaN"}))
    return f"coalesce(CAST({theirs} AS VARCHAR) IN ({words}), true)"


def _open_raw(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Any,
    view: str,
    columns: Columns,
    keep: Sequence[str],
) -> str:
    """Make the view of the rows as they came; how to call them in a message is returned."""
    if isinstance(rows, Query):
        with plain_errors(f"reading {rows.wording}"):
            run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS {rows.sql}")
        return rows.wording
    if isinstance(rows, str | Path) or (
        isinstance(rows, Sequence) and rows and all(isinstance(entry, str | Path) for entry in rows)
    ):
        return _open_files(connection, table, rows, view, columns, keep)
    try:
        found: Any = rows if isinstance(rows, pa.Table) else pa.table(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(
            f"{table}: a path, an Arrow table, a data frame or a mapping of columns was expected ({error})"
        ) from None
    names: dict[str, str] = {}
    for name in found.column_names:
        if name.lower() in names:
            raise BadTable(f"{table}: two columns are called {name!r}; rename one of them")
        names[name.lower()] = name
    connection.register(f"arrow_{table}", found)
    run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM arrow_{table}")
    return f"the table {table}"


def _open_files(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Any,
    view: str,
    columns: Columns,
    keep: Sequence[str],
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
    for at, form in enumerate(forms):
        with readable(form) as source, csv_errors(form):
            body = f"SELECT * FROM {csv_source(form, source)}"
            if at == 0:
                run(connection, f"CREATE OR REPLACE TEMP TABLE text_{table} AS {body}")
            else:
                run(connection, f"INSERT INTO text_{table} BY NAME {body}")
    kept = {name.lower() for name in keep}
    texts = _text_columns(TABLES[table], columns.of(table, list(forms[0].names), where))
    texts |= {name for name in forms[0].names if name.lower() in kept}
    with plain_errors(f"reading {where}"):
        shape = narrow(connection, f"text_{table}", forms[0], keep_text=texts)
        run(connection, f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {shape} FROM text_{table}")
    return where


def _text_columns(spec: TableSpec, theirs: Mapping[str, str]) -> set[str]:
    """Ids and texts stay as they are written: "007" keeps its zeros."""
    return {
        theirs[column.name]
        for column in spec.columns
        if column.name in theirs and column.kind in ("id", "text")
    }
