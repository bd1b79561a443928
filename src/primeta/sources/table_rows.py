"""Rows of a CSV, Parquet or Excel file in batches, every file alike."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from primeta.errors import BadTable
from primeta.sources.apart import apart
from primeta.sources.records import Trouble

EXCEL_BATCH = 200_000
"""Rows that one reading of a workbook gives: it cannot be entered in the middle."""
EXCEL_SECONDS = 300.0
LARGEST_EXCEL = 256 * 2**20
LARGEST_UNPACKED = 2 * 2**30
_HEAD_ROWS = 30
"""Rows among which the header of a sheet is looked for: above it stand titles and filters."""


class Rows(Protocol):
    """A table that is open."""

    names: tuple[str, ...]

    def first(self, count: int) -> list[tuple[Any, ...]] | Trouble: ...

    def has(self, rows: int) -> bool:
        """Whether it has at least so many rows."""
        ...

    def batches(self, *, start: int, size: int) -> Iterator[list[tuple[Any, ...]] | Trouble]:
        """All rows from `start` on, in their order."""
        ...


def rows_of(path: Path, *, encoding: str = "") -> Rows | Trouble:
    """The rows of a file by its ending.

    Raises:
        BadTable: it is none of the three, broken, or does not exist.
    """
    low = path.name.lower()
    if low.endswith((".xlsx", ".xlsm")):
        return _excel(path)
    if low.endswith(".xls"):
        raise BadTable(
            f"{path}: the old Excel format (.xls) is not read; save it as .xlsx or CSV and name that file."
        )
    from primeta.warehouse.files import sniff

    form = sniff(path, encoding=encoding if not low.endswith((".parquet", ".pq")) else "")
    if form.kind == "parquet":
        return ParquetRows(path, form.names)
    return CsvRows(form.path, form.names, form)


@dataclass(slots=True)
class CsvRows:
    """A CSV file; every value a text."""

    path: Path
    names: tuple[str, ...]
    form: Any

    def first(self, count: int) -> list[tuple[Any, ...]] | Trouble:
        return next(self._read(0, count, limit=count), [])

    def has(self, rows: int) -> bool:
        return any(self._read(rows - 1, 1, limit=1)) if rows else True

    def batches(self, *, start: int, size: int) -> Iterator[list[tuple[Any, ...]] | Trouble]:
        yield from self._read(start, size)

    def _read(self, start: int, size: int, *, limit: int = 0) -> Iterator[list[tuple[Any, ...]]]:
        from primeta.warehouse.duck import connect, run
        from primeta.warehouse.files import csv_errors, csv_source, readable

        with ExitStack() as stack:
            connection = stack.enter_context(closing(connect()))
            source = stack.enter_context(readable(self.form))
            stack.enter_context(csv_errors(self.form))
            # One thread: rows come in their order, and as they are read.
            run(connection, "SET threads = 1")
            run(connection, "SET preserve_insertion_order = true")
            sql = f"SELECT * FROM {csv_source(self.form, source)}"
            if limit:
                sql += f" LIMIT {int(limit)}"
            if start:
                sql += f" OFFSET {int(start)}"
            cursor = connection.execute(sql)
            while rows := cursor.fetchmany(size):
                yield rows


@dataclass(slots=True)
class ParquetRows:
    """A Parquet file."""

    path: Path
    names: tuple[str, ...]

    def first(self, count: int) -> list[tuple[Any, ...]] | Trouble:
        return next(self.batches(start=0, size=count), [])

    def has(self, rows: int) -> bool:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            return file.metadata.num_rows >= rows

    def batches(self, *, start: int, size: int) -> Iterator[list[tuple[Any, ...]] | Trouble]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path) as file:
                skip = start
                groups: list[int] = []
                for at in range(file.metadata.num_row_groups):
                    rows = file.metadata.row_group(at).num_rows
                    if not groups and skip >= rows:
                        skip -= rows  # groups that were read before are not touched
                    else:
                        groups.append(at)
                for batch in file.iter_batches(batch_size=size, row_groups=groups):
                    if skip >= batch.num_rows:
                        skip -= batch.num_rows
                        continue
                    part = batch.slice(skip)
                    skip = 0
                    yield list(zip(*(column.to_pylist() for column in part.columns), strict=True))
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise BadTable(f"{self.path}: the Parquet file is broken ({reason}); write it again.") from None


@dataclass(slots=True)
class ExcelRows:
    """The first sheet of a workbook that holds a table; it is parsed in a process apart."""

    path: Path
    names: tuple[str, ...]
    sheet: str
    header: int
    """0-based row of the header."""
    sample: list[tuple[Any, ...]]

    def first(self, count: int) -> list[tuple[Any, ...]] | Trouble:
        return self.sample[:count]

    def has(self, rows: int) -> bool:
        if rows <= len(self.sample):
            return True
        return any(isinstance(found, list) and found for found in self.batches(start=rows - 1, size=1))

    def batches(self, *, start: int, size: int) -> Iterator[list[tuple[Any, ...]] | Trouble]:
        content = self.path.read_bytes()
        step = EXCEL_BATCH if size > 1 else 1
        while True:
            read = apart(
                excel_rows,
                content,
                sheet=self.sheet,
                header=self.header,
                width=len(self.names),
                start=start,
                count=step,
                seconds=EXCEL_SECONDS,
            )
            if isinstance(read, Trouble):
                yield read
                return
            for at in range(0, len(read), size):
                yield read[at : at + size]
            if len(read) < step:
                return
            start += step


def _excel(path: Path) -> ExcelRows | Trouble:
    if not path.exists():
        raise BadTable(f"{path}: no such file. Check the name and the folder.")
    size = path.stat().st_size
    if size > LARGEST_EXCEL:
        return Trouble(
            code="too-large",
            values={"reason": "reading", "bytes": size, "largest": LARGEST_EXCEL},
            permanent=True,
        )
    try:
        with zipfile.ZipFile(path) as parts:
            unpacked = sum(entry.file_size for entry in parts.infolist())
    except (zipfile.BadZipFile, OSError):
        raise BadTable(
            f"{path}: not a workbook of Excel (.xlsx), or one that is locked with a password; save it again without one."
        ) from None
    if unpacked > LARGEST_UNPACKED:
        return Trouble(code="bomb", values={"reason": "reading"}, permanent=True)
    read = apart(excel_head, path.read_bytes(), seconds=EXCEL_SECONDS)
    if isinstance(read, Trouble):
        return read
    if read is None:
        raise BadTable(
            f"{path}: no sheet holds a table (a row of column names with rows below); see what is in it."
        )
    sheet, header, names, sample = read
    return ExcelRows(path, names, sheet, header, sample)


def excel_head(content: bytes) -> tuple[str, int, tuple[str, ...], list[tuple[Any, ...]]] | None:
    """The first sheet with a table: its name, the row of its header, the columns, and up to 500 rows."""
    with closing(_workbook(content)) as book:
        for sheet in book.worksheets:
            rows = [tuple(row) for row in islice(sheet.iter_rows(values_only=True), _HEAD_ROWS)]
            header = _header(rows)
            if header is None:
                continue
            names = _names(rows[header])
            sample = [
                _wide(row, len(names))
                for row in islice(sheet.iter_rows(min_row=header + 2, values_only=True), 2_000)
            ]
            sample = [row for row in sample if any(value not in (None, "") for value in row)][:500]
            return sheet.title, header, names, sample
    return None


def excel_rows(
    content: bytes, *, sheet: str, header: int, width: int, start: int, count: int
) -> list[tuple[Any, ...]]:
    """Filled rows `start` … of a sheet."""
    with closing(_workbook(content)) as book:
        rows = (_wide(row, width) for row in book[sheet].iter_rows(min_row=header + 2, values_only=True))
        filled = (row for row in rows if any(value not in (None, "") for value in row))
        return list(islice(filled, start, start + count))


def _workbook(content: bytes) -> Any:
    import warnings

    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations, which nobody reads here
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        # Some programs write a wrong size of the sheet, and rows would be lost.
        sheet.reset_dimensions()
    return book


def _header(rows: Sequence[tuple[Any, ...]]) -> int | None:
    """The row of column names: the first one whose filled cells are texts, about as many as below, nearly all different."""
    widths = [sum(value not in (None, "") for value in row) for row in rows]
    widest = max(widths, default=0)
    for at, row in enumerate(rows[:-1]):
        filled = [value for value in row if value not in (None, "")]
        texts = [value for value in filled if isinstance(value, str) and len(value) <= 100]
        below = max(widths[at + 1 :], default=0)
        if len(filled) >= max(1, 0.6 * widest) and len(texts) == len(filled) and below >= 1:
            return at
    return None


def _names(row: Sequence[Any]) -> tuple[str, ...]:
    cells = list(row)
    while cells and cells[-1] in (None, ""):
        cells.pop()
    names: list[str] = []
    for at, cell in enumerate(cells, start=1):
        name = " ".join(str(cell).split()) if cell not in (None, "") else f"column_{at}"
        twice = sum(each == name or each.startswith(f"{name} (") for each in names)
        names.append(f"{name} ({twice + 1})" if twice else name)
    return tuple(names)


def _wide(row: Sequence[Any], width: int) -> tuple[Any, ...]:
    return (*row[:width], *([None] * (width - len(row))))
