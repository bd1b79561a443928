"""May we send this to them? A file of customers, the same rows with the answer to each.

The file is read once in pieces; each piece is answered by one of a few processes and written in order, so that memory
does not grow with the file. A file that is there under the name to write is replaced when all is done, not before; what
a killed run has left behind is removed by the next one.
"""

from __future__ import annotations

import glob
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.attention.answer_words import WORDS
from primeta.attention.records import Question
from primeta.errors import BadInput, BadTable, NotFound
from primeta.show import locale
from primeta.show.result import Head, Table

if TYPE_CHECKING:
    import pyarrow as pa

    from primeta.workspace.workspace import Progress, Workspace

ROWS = 20_000
"""In one piece."""
SMALL_BYTES = 2 << 20
"""A file up to this size is answered in this process alone."""
ADDED = ("allowed", "rule", "earliest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """How many of an audience may be written to, and what refused the others."""

    out: Path
    customers: int
    allowed: int
    rules: dict[str, int]
    """Deciding rule → customers; without those that are allowed."""

    def line(self, lang: str) -> str:
        return WORDS["filtered"][lang].format(
            customers=locale.number(self.customers, lang),
            allowed=locale.number(self.allowed, lang),
            out=self.out.name,
        )

    def table(self, lang: str) -> Table:
        rows = sorted(self.rules.items(), key=lambda pair: (-pair[1], pair[0]))
        heads = (Head(WORDS["filtered.rule"][lang]), Head(WORDS["filtered.customers"][lang], "right"))
        return Table(
            heads=heads,
            rows=tuple((WORDS[f"rule.{rule}"][lang], locale.number(count, lang)) for rule, count in rows),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "customers": self.customers,
            "allowed": self.allowed,
            "rules": self.rules,
        }


def filter_audience(
    ws: Workspace,
    audience: Path,
    question: Question,
    *,
    out: Path,
    now: datetime,
    columns: str = "",
    processes: int = 0,
    progress: Progress | None = None,
) -> Filtered:
    """Ask the same question of each customer of a file; write its rows with `allowed`, `rule`, `earliest`.

    Args:
        audience: CSV or Parquet with customer_id, optionally timezone; other columns are passed on as they are.
        question: Its customer is left empty.
        columns: `canonical=theirs` for customer_id and timezone.
        processes: 0: two for large files, one for small ones.
    Raises:
        NotFound: there is no such file.
        BadTable: it cannot be read, has no column customer_id, or has columns that are added.
        BadInput: the ending of `out` is neither .csv nor .parquet.
    """
    from primeta.workspace.may_send import Desk

    if not audience.exists():
        raise NotFound(f"there is no file {audience}")
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise BadInput(f"--out {out}: a name ending in .csv or .parquet was expected")
    names = _names(columns)
    Desk(ws, now=now).close()
    many = processes or (1 if audience.stat().st_size <= SMALL_BYTES else min(2, os.cpu_count() or 1))
    job = (str(ws.folder), question, now, names)
    rules: Counter[str] = Counter()
    done = 0
    _sweep(out)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        writer = None
        for piece in _answered(_pieces(audience, names), job, many):
            if writer is None:
                writer = _writer(unfinished, out, piece.schema)
            writer.write(piece)
            rules.update(dict(_counts(piece)))
            done += piece.num_rows
            if progress is not None:
                progress("customers", done, max(done, 1))
        if writer is None:
            raise BadTable(f"{audience}: it holds no rows")
        writer.close()
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
    allowed = rules.pop("allowed", 0)
    return Filtered(out=out, customers=done, allowed=allowed, rules=dict(sorted(rules.items())))


def _sweep(out: Path) -> None:
    """Remove what a run that was killed had begun to write under this name."""
    for left in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        number = left.name.split(".")[-2]
        if number.isdigit() and not _runs(int(number)):
            left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process != os.getpid()


def _names(columns: str) -> dict[str, str]:
    names = {"customer_id": "customer_id", "timezone": "timezone"}
    for pair in filter(None, columns.split(",")):
        canonical, sign, theirs = pair.partition("=")
        if not sign or canonical.strip() not in names:
            raise BadInput(
                f"--columns: customer_id=theirs or timezone=theirs was expected, {pair!r} was given"
            )
        names[canonical.strip()] = theirs.strip()
    return names


def _pieces(audience: Path, names: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """The file in order; everything that is no id stays what it is, texts of a CSV untouched."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if audience.suffix.lower() == ".parquet":
        try:
            file = pq.ParquetFile(audience)
            _check(audience, file.schema_arrow.names, names)
            yield from file.iter_batches(batch_size=ROWS)
        except (pa.ArrowException, OSError) as error:
            raise BadTable(f"{audience}: {error}") from None
        return
    from primeta.warehouse.files import readable, sniff

    form = sniff(audience)
    with readable(form) as path:
        try:
            delimiter = form.delimiter or ","
            head = pc.open_csv(path, parse_options=pc.ParseOptions(delimiter=delimiter)).schema.names
            _check(audience, head, names)
            reader = pc.open_csv(
                path,
                read_options=pc.ReadOptions(block_size=1 << 20),
                parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                # Everything is text: leading zeros stay.
                convert_options=pc.ConvertOptions(
                    column_types={name: pa.string() for name in head}, strings_can_be_null=False
                ),
            )
            for batch in reader:
                for at in range(0, batch.num_rows, ROWS):
                    yield batch.slice(at, ROWS)
        except pa.ArrowException as error:
            raise BadTable(f"{audience}: {error}") from None


def _check(audience: Path, head: list[str], names: dict[str, str]) -> None:
    if names["customer_id"] not in head:
        raise BadTable(
            f"{audience}: there is no column {names['customer_id']}; it has {', '.join(head)}. "
            "Name it with --columns customer_id=theirs"
        )
    if both := [name for name in ADDED if name in head]:
        raise BadTable(
            f"{audience}: it has a column {both[0]} already; rename it, the answer is written there"
        )


def _answered(
    pieces: Iterator[pa.RecordBatch], job: tuple[str, Question, datetime, dict[str, str]], many: int
) -> Iterator[pa.RecordBatch]:
    """Each piece with its answers, in order; a few wait at a time."""
    if many <= 1:
        asked = _Asked(*job)
        try:
            for piece in pieces:
                yield asked.answered(piece)
        finally:
            asked.close()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(many, mp_context=context, initializer=_begin, initargs=job) as pool:
        waiting: list[Any] = []
        for piece in pieces:
            waiting.append(pool.submit(_answer, piece))
            if len(waiting) >= 2 * many:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


class _Asked:
    """One process that answers pieces."""

    def __init__(self, folder: str, question: Question, now: datetime, names: dict[str, str]):
        from primeta.workspace import open_workspace
        from primeta.workspace.may_send import Desk

        self.ws = open_workspace(folder)
        self.desk = Desk(self.ws, now=now)
        self.question, self.now, self.names = question, now, names

    def close(self) -> None:
        self.desk.close()
        self.ws.close()

    def answered(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        from primeta.workspace.verdicts import verdicts_on

        ids = [_identity(value) for value in piece.column(self.names["customer_id"]).to_pylist()]
        zones = None
        if self.names["timezone"] in piece.schema.names:
            zones = [str(value or "") for value in piece.column(self.names["timezone"]).to_pylist()]
        answers = verdicts_on(self.desk, self.question, ids, now=self.now, zones=zones)
        added = {
            "allowed": pa.array([answer.allowed for answer in answers], pa.bool_()),
            "rule": pa.array([answer.rule for answer in answers], pa.string()),
            "earliest": pa.array([answer.earliest for answer in answers], pa.timestamp("s", tz="UTC")),
        }
        for name, column in added.items():
            piece = piece.append_column(name, column)
        return piece


def _identity(value: Any) -> str:
    """Ids are text; an integral float loses its ".0"."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_HERE: _Asked | None = None


def _begin(folder: str, question: Question, now: datetime, names: dict[str, str]) -> None:
    import gc

    global _HERE
    _HERE = _Asked(folder, question, now, names)
    # Answers hold no cycles: they are looked for rarely.
    gc.set_threshold(500_000, 50, 1_000)


def _answer(piece: pa.RecordBatch) -> pa.RecordBatch:
    assert _HERE is not None
    return _HERE.answered(piece)


def _counts(piece: pa.RecordBatch) -> Iterator[tuple[str, int]]:
    for row in piece.column("rule").value_counts().to_pylist():
        yield row["values"], row["counts"]


def _writer(unfinished: Path, out: Path, schema: pa.Schema) -> Any:
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if out.suffix.lower() == ".parquet":
        return _Parquet(pq.ParquetWriter(unfinished, schema, compression="zstd"))
    return _Csv(unfinished, pc, schema)


class _Parquet:
    def __init__(self, writer: Any):
        self.writer = writer

    def write(self, piece: pa.RecordBatch) -> None:
        self.writer.write_batch(piece)

    def close(self) -> None:
        self.writer.close()


class _Csv:
    """Times as ISO 8601 with Z, as everywhere."""

    def __init__(self, path: Path, pc: Any, schema: pa.Schema):
        import pyarrow as pa

        self.schema = pa.schema(
            [pa.field(entry.name, pa.string()) if entry.name == "earliest" else entry for entry in schema]
        )
        self.writer = pc.CSVWriter(path, self.schema, write_options=pc.WriteOptions(quoting_style="needed"))

    def write(self, piece: pa.RecordBatch) -> None:
        import pyarrow as pa
        import pyarrow.compute as compute

        # The compute function writes UTC times; Z says so.
        said = compute.strftime(  # pyright: ignore[reportAttributeAccessIssue]
            piece.column("earliest"), format="%Y-%m-%dT%H:%M:%SZ"
        )
        columns = [said if entry.name == "earliest" else piece.column(entry.name) for entry in self.schema]
        self.writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self.schema))

    def close(self) -> None:
        self.writer.close()
