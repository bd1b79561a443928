"""Files whose rows are passed on with columns added: read in pieces, written in order, texts of a CSV untouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.errors import BadTable

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 20_000
"""In one piece."""


def pieces_of(file: Path, *, needs: str, adds: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a CSV or Parquet in order; of a CSV every value is the text that stands there.

    Args:
        needs: The column of customers.
        adds: Columns that will be added.
    Raises:
        BadTable: it cannot be read, lacks `needs`, or has one of `adds`.
    """
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if file.suffix.lower() == ".parquet":
        try:
            table = pq.ParquetFile(file)
            _check(file, table.schema_arrow.names, needs, adds)
            yield from table.iter_batches(batch_size=ROWS)
        except (pa.ArrowException, OSError) as error:
            raise BadTable(f"{file}: {error}") from None
        return
    from primeta.warehouse.files import readable, sniff

    form = sniff(file)
    with readable(form) as path:
        try:
            parse = pc.ParseOptions(delimiter=form.delimiter or ",", newlines_in_values=True)
            head = pc.open_csv(path, parse_options=parse).schema.names
            _check(file, head, needs, adds)
            reader = pc.open_csv(
                path,
                read_options=pc.ReadOptions(block_size=1 << 20),
                parse_options=parse,
                convert_options=pc.ConvertOptions(
                    column_types={name: pa.string() for name in head}, strings_can_be_null=False
                ),
            )
            for batch in reader:
                for at in range(0, batch.num_rows, ROWS):
                    yield batch.slice(at, ROWS)
        except pa.ArrowException as error:
            raise BadTable(f"{file}: {error}") from None


def _check(file: Path, head: Sequence[str], needs: str, adds: Sequence[str]) -> None:
    if needs not in head:
        raise BadTable(
            f"{file}: there is no column {needs}; it has {', '.join(head)}. "
            "Name it with --columns customer_id=theirs"
        )
    if both := [name for name in adds if name in head]:
        raise BadTable(
            f"{file}: it has a column {both[0]} already; rename it, what is added is written there"
        )


def writer_to(path: Path, suffix: str, schema: pa.Schema) -> Any:
    """A writer of pieces with `write_batch` and `close`; `suffix` says which sort of file."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if suffix.lower() == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd")
    return pc.CSVWriter(path, schema, write_options=pc.WriteOptions(quoting_style="needed"))
