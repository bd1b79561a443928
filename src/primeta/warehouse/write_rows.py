"""Rows to a file that a person asked for: CSV or Parquet by its ending, whole or not at all."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa

from primeta.errors import BadInput
from primeta.warehouse.duck import connect, plain_errors, quoted, run

_PARQUET = (".parquet", ".pq")


def check_ending(out: Path) -> None:
    """Before long work: whether rows can be written under this name.

    Raises:
        BadInput: the ending is none of these.
    """
    if not out.name.lower().endswith((".csv", *_PARQUET)):
        raise BadInput(f"--out {out}: a file is written as .csv or .parquet, by its ending")


def write_rows(rows: pa.Table, out: Path) -> None:
    """As `write_query`, of rows that are in memory."""
    with closing(connect()) as connection:
        run(connection, "SET preserve_insertion_order = true")
        connection.register("rows", rows)
        write_query(connection, "FROM rows", out)


def write_query(connection: duckdb.DuckDBPyConnection, query: str, out: Path) -> None:
    """Write under a temporary name beside `out`, then rename.

    Raises:
        BadInput: the ending is none of these, or the folder is not there.
        DiskFull: no room; nothing is left behind.
    """
    check_ending(out)
    if not out.parent.is_dir():
        raise BadInput(f"--out {out}: there is no folder {out.parent}; make it first")
    pending = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    form = "FORMAT parquet" if out.name.lower().endswith(_PARQUET) else "FORMAT csv, HEADER"
    with plain_errors(f"writing {out}"):
        try:
            run(connection, f"COPY ({query}) TO {quoted(str(pending))} ({form})")
            os.replace(pending, out)
        finally:
            pending.unlink(missing_ok=True)
