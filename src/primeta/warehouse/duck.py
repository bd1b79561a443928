"""The engine under the facts: a DuckDB connection with sane limits, and its errors in plain words."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from primeta.errors import BadTable, DiskFull, EngineFailed, Locked, PrimetaError
from primeta.warehouse.buckets import create_bucket


def connect(*, threads: int = 0, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection in memory: nothing of it outlives the process, so no second process is locked out.

    Args:
        threads: Worker threads; 0 takes as many as the machine lets this process use, at least 2.
        spill: Folder for what does not fit into memory; default: a folder in the system's temporary one.
    """
    spill = spill or Path(tempfile.gettempdir()) / f"primeta-spill-{os.getpid()}"
    connection = duckdb.connect(":memory:")
    # A person's own extensions and settings never decide what a number is.
    run(connection, f"SET threads = {threads or max(2, _cores())}")
    run(connection, f"SET temp_directory = {quoted(str(spill))}")
    run(connection, "SET preserve_insertion_order = false")
    # After two seconds it would print a bar to standard output, into the middle of a JSON document.
    run(connection, "SET enable_progress_bar = false")
    run(connection, "SET TimeZone = 'UTC'")
    run(connection, create_bucket())
    return connection


def run(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of one statement. DuckDB 2 refuses the next statement until a result is read to its end."""
    return connection.execute(sql).fetchall()


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """The single row of a query that always has one."""
    return run(connection, sql)[0]


def arrow(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The result of a query as an Arrow table."""
    return connection.sql(sql).to_arrow_table()


def quoted(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def plain_errors(doing: str) -> Iterator[None]:
    """Turn what the engine or the disk complains about into one of Primeta's errors.

    Args:
        doing: What was being done, to begin the message: "reading orders".
    Raises:
        DiskFull: no room, a quota or a limit on file sizes.
        Locked: another process holds a database file.
        EngineFailed: everything else that the engine refuses.
    """
    try:
        yield
    except PrimetaError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"{doing}: no room left to write ({error.strerror}). Nothing was half-written; "
                f"free some space, or raise the limit, and run the same again."
            ) from error
        raise EngineFailed(f"{doing}: {error}") from error
    except MemoryError as error:
        raise EngineFailed(f"{doing}: out of memory; close other programs and run the same again.") from error
    except duckdb.Error as error:
        raise _translated(error, doing) from error


def _translated(error: duckdb.Error, doing: str) -> PrimetaError:
    text = str(error)
    low = text.lower()
    first = re.sub(r"^\w+( \w+)? Error: ", "", text.strip().splitlines()[0] if text.strip() else text)
    if (
        "no space left" in low
        or "file too large" in low
        or "quota" in low
        or "max_temp_directory_size" in low
    ):
        return DiskFull(
            f"{doing}: no room left to write. Nothing was half-written; "
            f"free some space, or raise the limit, and run the same again."
        )
    if "could not set lock" in low or "conflicting lock" in low:
        return Locked(
            f"{doing}: another process holds the database file; end it, or try again later. ({first})"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return EngineFailed(f"{doing}: out of memory; close other programs and run the same again. ({first})")
    if isinstance(error, duckdb.InvalidInputException) and "parquet" in low:
        return BadTable(f"{doing}: {first}")
    return EngineFailed(f"{doing}: {first}")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 2
