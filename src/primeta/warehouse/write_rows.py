"""Rows to a file that a person asked for: CSV or Parquet by its ending, whole or not at all."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from primeta.errors import BadInput
from primeta.warehouse.duck import connect, plain_errors, quoted, run


def write_rows(rows: pa.Table, out: Path) -> None:
    """Write under a temporary name beside `out`, then rename.

    Raises:
        BadInput: the ending is none of these, or the folder is not there.
        DiskFull: no room; nothing is left behind.
    """
    low = out.name.lower()
    if not low.endswith((".csv", ".parquet")):
        raise BadInput(f"--out {out}: a file is CSV (.csv) or Parquet (.parquet) by its ending")
    if not out.parent.is_dir():
        raise BadInput(f"--out {out}: there is no folder {out.parent}; make it first")
    pending = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    form = "FORMAT parquet" if low.endswith(".parquet") else "FORMAT csv, HEADER"
    with closing(connect()) as connection, plain_errors(f"writing {out}"):
        run(connection, "SET preserve_insertion_order = true")
        connection.register("rows", rows)
        try:
            run(connection, f"COPY rows TO {quoted(str(pending))} ({form})")
            os.replace(pending, out)
        finally:
            pending.unlink(missing_ok=True)
