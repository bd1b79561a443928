"""Assignments that were made elsewhere: read into the canonical table, and refused where they contradict."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from primeta.errors import BadTable
from primeta.facts import TABLES, Column
from primeta.warehouse.duck import arrow, connect, named, one, plain_errors, quoted, run
from primeta.warehouse.files import read_table
from primeta.warehouse.mapping import SQL_TYPES, canonical_value
from primeta.warehouse.times import read_time

if TYPE_CHECKING:
    import duckdb

SPEC = TABLES["assignments"]


def read_assignments(
    rows: Any,
    *,
    columns: Mapping[str, str] | None = None,
    experiment: str = "",
    arms: Collection[str] = (),
    timezone: str = "UTC",
    date_format: str = "",
) -> pa.Table:
    """The canonical table `assignments` out of a file or a table.

    Args:
        rows: A path to a CSV or Parquet file, an Arrow table, a data frame or a mapping of columns.
        columns: Canonical name → the name in the file.
        experiment: Name of the experiment, where the file has no column of it.
        arms: The arms that there are; others are refused. Empty: any.
        timezone: Zone of times that carry none.
        date_format: Of `assigned_at`, where it cannot be told from the values: "dd.mm.yyyy HH:MM".
    Returns:
        The required columns and those optional ones that the file has, in canonical types, times in UTC; rows
        in their order, without those that are there twice, value for value.
    Raises:
        BadTable: a column is missing; a customer, an arm or a time is missing or cannot be read; a customer
            stands in two arms of one experiment (of one stage of it, where there are stages). Names the first
            row or customer and says how many there are.
    """
    table, where = _table_of(rows, columns or {})
    if experiment and "experiment" not in table.column_names:
        table = table.append_column("experiment", pa.array([experiment] * len(table), type=pa.string()))
    missing = [name for name in SPEC.required if name not in table.column_names]
    if missing:
        raise BadTable(
            f"{where}: {', '.join(missing)} not found; it has {', '.join(table.column_names)}. "
            f"Say which column each is (columns={{'{missing[0]}': …}})."
        )
    present = [column for column in SPEC.columns if column.name in table.column_names]
    with closing(connect()) as connection, plain_errors(f"reading {where}"):
        run(connection, "SET preserve_insertion_order = true")
        connection.register("given", table)
        types = {row[0]: row[1] for row in run(connection, "DESCRIBE SELECT * FROM given")}
        parts: list[str] = []
        for column in present:
            if column.kind == "time":
                reading = read_time(
                    connection,
                    "given",
                    named(column.name),
                    types[column.name],
                    timezone=timezone,
                    date_format=date_format,
                )
                parts.append(f"{reading.utc} AS {named(column.name)}")
            else:
                value = canonical_value(named(column.name), types[column.name], column)
                parts.append(f"CAST({value} AS {SQL_TYPES[column.kind]}) AS {named(column.name)}")
        # The order of an Arrow table is kept, so that a row can be named.
        run(
            connection,
            f"CREATE TEMP TABLE assignments AS SELECT {', '.join(parts)}, row_number() OVER () AS place FROM given",
        )
        for column in present:
            _check_values(connection, column, where)
        _check_arms(connection, arms, where)
        _check_one_arm(connection, "stage" in table.column_names, where)
        listed = ", ".join(named(column.name) for column in present)
        found = arrow(
            connection,
            f"SELECT {listed} FROM assignments GROUP BY {listed} ORDER BY min(place)",
        )
    zoned = pa.timestamp("us", tz="UTC")
    at = found.column_names.index("assigned_at")
    return found.set_column(
        at, "assigned_at", found.column("assigned_at").cast(pa.timestamp("us")).cast(zoned)
    )


def _table_of(rows: Any, columns: Mapping[str, str]) -> tuple[pa.Table, str]:
    unknown = [name for name in columns if SPEC.column(name) is None]
    if unknown:
        known = ", ".join(column.name for column in SPEC.columns)
        raise BadTable(f"{unknown[0]!r} is no column of assignments; expected some of {known}")
    if isinstance(rows, str | Path):
        texts = [column.name for column in SPEC.columns if column.kind in ("id", "text")]
        return read_table(rows, columns=columns, text=texts), str(rows)
    try:
        table = rows if isinstance(rows, pa.Table) else pa.table(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(f"the table cannot be read: {error}") from None
    for name, theirs in columns.items():
        if theirs not in table.column_names:
            raise BadTable(
                f"no column {theirs!r} (asked for as {name}); there is {', '.join(table.column_names)}"
            )
        table = table.drop([name]) if name in table.column_names and name != theirs else table
        table = table.rename_columns([name if entry == theirs else entry for entry in table.column_names])
    return table, "the table"


def _check_values(connection: duckdb.DuckDBPyConnection, column: Column, where: str) -> None:
    """A required value that is missing, any value that is there and cannot be read, a share out of range."""
    name = named(column.name)
    raw = f"nullif(trim(CAST(g.{name} AS VARCHAR)), '')"
    broken = f"a.{name} IS NULL" + ("" if column.required else f" AND {raw} IS NOT NULL")
    if column.name == "probability":
        broken = f"({broken}) OR a.{name} <= 0 OR a.{name} > 1"
    elif column.minimum is not None:
        broken = f"({broken}) OR a.{name} < {column.minimum}"
    place, text, count = one(
        connection,
        f"SELECT min(a.place), arg_min({raw}, a.place), count(*) FROM assignments a POSITIONAL JOIN given g "
        f"WHERE {broken}",
    )
    if not count:
        return
    words = {
        "id": "an id was expected",
        "time": "a time such as 2026-11-26 or 2026-11-26 14:30 was expected",
        "money": "an amount was expected",
        "number": "a number was expected",
    }
    expected = words.get(column.kind, "a text was expected")
    if column.name == "probability":
        expected = "the probability of this arm, above 0 and up to 1, was expected"
    given = f"{column.name} is {text!r}" if text is not None else f"{column.name} is empty"
    more = f" ({count:,} such rows in all)" if count > 1 else ""
    raise BadTable(f"{where}, row {place:,} of the data{more}: {given}; {expected}.")


def _check_arms(connection: duckdb.DuckDBPyConnection, arms: Collection[str], where: str) -> None:
    if not arms:
        return
    known = ", ".join(quoted(name) for name in arms)
    place, arm, count = one(
        connection,
        f"SELECT min(place), arg_min(arm, place), count(*) FROM assignments WHERE arm NOT IN ({known})",
    )
    if not count:
        return
    near = difflib.get_close_matches(arm.casefold(), [name.casefold() for name in arms], n=1)
    meant = next((name for name in arms if near and name.casefold() == near[0]), "")
    hint = f" Is it {meant!r}?" if meant else ""
    more = f" ({count:,} rows with unknown arms in all)" if count > 1 else ""
    raise BadTable(
        f"{where}, row {place:,} of the data{more}: arm {arm!r} is none of {', '.join(arms)}.{hint} "
        f"Correct the file, or the arms of the plan."
    )


def _check_one_arm(connection: duckdb.DuckDBPyConnection, stages: bool, where: str) -> None:
    """Nobody stands in two arms of one experiment; where there are stages, of one stage."""
    key = "experiment, customer_id" + (", stage" if stages else "")
    customer, name, first, second, count = one(
        connection,
        f"SELECT arg_min(customer_id, place), arg_min(experiment, place), arg_min(first_arm, place), "
        f"arg_min(other, place), count(*) FROM (SELECT {key}, min(place) AS place, arg_min(arm, place) AS first_arm, "
        f"CASE WHEN min(arm) <> arg_min(arm, place) THEN min(arm) ELSE max(arm) END AS other "
        f"FROM assignments GROUP BY {key} HAVING count(DISTINCT arm) > 1)",
    )
    if count:
        more = f" ({count:,} such customers in all)" if count > 1 else ""
        raise BadTable(
            f"{where}: customer {customer} stands in two arms of {name}, {first} and {second}{more}. Nobody can be "
            f"in both: keep the arm that was drawn first, and find out how the second one came about."
        )
