"""Files of rows: CSV (plain or .gz) and Parquet, with delimiter, encoding and types found out and reported."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import json
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from primeta.errors import BadTable
from primeta.warehouse.duck import arrow, connect, named, one, plain_errors, quoted, run

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_CSV_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_SAMPLE = 1 << 18
# Bytes in a call of `count` would break the search for messages to translate, which takes it for one of ours.
_LINE_END, _WINDOWS_END = b"\n", b"\r\n"
# The commonest small letters of Russian: more than half of any running text in it.
_COMMON_RUSSIAN = frozenset("оеаинтсрвлкмдпуыяьз")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How a file is written; `names` are its columns in order."""

    path: Path
    kind: Literal["csv", "parquet"]
    names: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path), "names": list(self.names)}


def read_table(
    path: Path | str,
    *,
    encoding: str = "",
    delimiter: str = "",
    columns: Mapping[str, str] | None = None,
    text: Collection[str] = (),
) -> pa.Table:
    """All rows of a CSV or Parquet file, in their order.

    A CSV column becomes a number or an ISO date only where every value of it is one; a column in
    which any value begins with a needless zero ("007") stays text, so that ids keep their zeros. An
    empty value is null. The format that was found is in the schema's metadata under `primeta`.

    Args:
        encoding: Of a CSV file; empty: found out (UTF-8 and UTF-16 with or without a mark, cp1251,
            koi8-r, cp866, cp1252).
        delimiter: Of a CSV file; empty: found out.
        columns: Canonical name → the name in the file; such columns come out renamed.
        text: Columns (by their name in the result) that stay text whatever they look like.
    Raises:
        BadTable: no such file, empty, not a table, wrong delimiter or encoding, duplicated
            columns, a row with too many or too few values (with its line), a column that is missing.
    """
    form = sniff(path, encoding=encoding, delimiter=delimiter)
    renames = _renames(form, columns or {})
    keep_text = {theirs for theirs, ours in renames.items() if ours in text}
    if form.kind == "parquet":
        with plain_errors(f"reading {form.path}"):
            table = pq.ParquetFile(form.path).read()
    else:
        with closing(connect()) as connection, readable(form) as source, csv_errors(form):
            run(connection, "SET preserve_insertion_order = true")
            run(connection, f"CREATE TEMP TABLE rows AS SELECT * FROM {csv_source(form, source)}")
            shape = narrow(connection, "rows", form, keep_text=keep_text)
            table = arrow(connection, f"SELECT {shape} FROM rows")
    table = table.rename_columns([renames[name] for name in table.column_names])
    note = json.dumps(form.as_dict(), ensure_ascii=False)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"primeta": note.encode()})


def sniff(path: Path | str, *, encoding: str = "", delimiter: str = "") -> FileFormat:
    """How a file is written, from its ending and its bytes; the whole file is checked for its encoding.

    Raises:
        BadTable: as `read_table`, but for what only reading every row can show.
    """
    path = Path(path)
    if not path.exists():
        near = ", ".join(sorted(entry.name for entry in path.parent.glob("*") if entry.is_file())[:5])
        hint = f" The folder {path.parent} holds {near}." if near else ""
        raise BadTable(f"{path}: no such file.{hint} Check the name and the folder.")
    if path.is_dir():
        raise BadTable(f'{path} is a folder; name a file in it, or a glob such as "{path}/*.parquet".')
    if path.stat().st_size == 0:
        raise BadTable(f"{path}: the file is empty (0 bytes); a header and rows were expected.")
    low = path.name.lower()
    if low.endswith((".parquet", ".pq")):
        return _parquet_format(path)
    if low.endswith(_CSV_ENDINGS):
        return _csv_format(path, encoding, delimiter)
    raise BadTable(
        f"{path}: a file is CSV (.csv, .tsv, .txt, also .gz) or Parquet (.parquet) by its ending; "
        f"save it as one of these."
    )


def csv_source(form: FileFormat, source: Path) -> str:
    """The DuckDB table function that reads a CSV file, every column as text."""
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in form.names)
    return (
        f"read_csv({quoted(str(source))}, auto_detect=false, header=true, delim={quoted(form.delimiter)}, "
        f"quote='\"', escape='\"', columns={{{columns}}}, null_padding=false, ignore_errors=false, "
        f"strict_mode=true, max_line_size=20000000)"
    )


@contextmanager
def readable(form: FileFormat) -> Iterator[Path]:
    """The file itself where DuckDB reads its encoding and its ends of lines, else a copy that lives for the block."""
    plain = form.encoding in ("utf-8", "utf-8-sig")
    mixed = has_mixed_ends(form)
    if plain and not mixed:
        yield form.path
        return
    with tempfile.TemporaryDirectory(prefix="primeta-") as folder, plain_errors(f"reading {form.path}"):
        copy = Path(folder) / "utf8.csv"
        to_utf8(form, copy, one_end=mixed)
        yield copy


def has_mixed_ends(form: FileFormat) -> bool:
    """Whether lines end now as on Windows and now as elsewhere, as when a script adds rows to a file of Excel's."""
    if form.encoding.startswith(("utf-16", "utf-32")):
        return False
    ends = windows = 0
    last = b""
    with _bytes_of(form.path) as raw:
        while block := raw.read(1 << 20):
            ends += block.count(_LINE_END)
            windows += block.count(_WINDOWS_END) + (last == b"\r" and block[:1] == b"\n")
            last = block[-1:]
    return 0 < windows < ends


def to_utf8(form: FileFormat, copy: Path, *, one_end: bool = False) -> None:
    """Write `form`'s file again in UTF-8.

    Args:
        one_end: End every row alike; what stands in quotes stays as it is.
    """
    with _bytes_of(form.path) as raw, copy.open("w", encoding="utf-8", newline="") as out:
        reader = codecs.getreader(form.encoding)(raw)
        held, quoted_now = "", False
        while block := reader.read(1 << 20):
            if one_end:
                block, held = held + block, ""
                if block.endswith("\r"):  # its "\n" may stand at the start of the next block
                    block, held = block[:-1], "\r"
                parts = block.split('"')
                first = 1 if quoted_now else 0
                parts[first::2] = [part.replace("\r\n", "\n") for part in parts[first::2]]
                quoted_now ^= len(parts) % 2 == 0
                block = '"'.join(parts)
            out.write(block)
        out.write(held)


def narrow(
    connection: duckdb.DuckDBPyConnection, table: str, form: FileFormat, *, keep_text: Collection[str] = ()
) -> str:
    """The select list that gives each all-text column of `table` the narrowest type all its values have."""
    if not form.names:
        return "*"
    tests = [_tests(f"trim({named(name)})") for name in form.names]
    checks = [f"bool_and({test})" for column in tests for test in column.values()]
    row = one(connection, f"SELECT {', '.join(checks)} FROM {table}")
    parts: list[str] = []
    for at, name in enumerate(form.names):
        width = len(tests[at])
        found = dict(zip(tests[at], row[at * width : (at + 1) * width]))
        cast_to = "" if name in keep_text else _narrowest(f"trim({named(name)})", found, form.delimiter)
        parts.append(f"{cast_to or named(name)} AS {named(name)}")
    return ", ".join(parts)


def _unknown(value: str) -> str:
    return f"(lower({value}) IN ('', 'null', 'nan', 'na', 'n/a', 'none', '\\n'))"


def _tests(value: str) -> dict[str, str]:
    """What every value of a column may be; unknown passes each (bool_and leaves nulls out)."""
    unknown = _unknown(value)

    def matches(pattern: str) -> str:
        return f"({unknown} OR regexp_full_match({value}, '{pattern}'))"

    day = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    return {
        "blank": unknown,
        "whole": matches("[+-]?(0|[1-9][0-9]{0,17})"),
        "number": matches(
            "[+-]?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|Inf|INF|infinity|Infinity)"
        ),
        "comma": matches("[+-]?(0|[1-9][0-9]*|[1-9][0-9]{0,2}([ \u00a0\u202f][0-9]{3})+)(,[0-9]+)?"),
        "day": f"({matches(day)} AND ({unknown} OR try_cast({value} AS DATE) IS NOT NULL))",
        "moment": f"({matches(day + '[ T][0-9:.]+')} AND ({unknown} OR try_cast({value} AS TIMESTAMP) IS NOT NULL))",
    }


def _narrowest(value: str, found: dict[str, bool | None], delimiter: str) -> str:
    """The expression for one column; empty where it stays text."""

    def as_type(kind: str, expression: str = value) -> str:
        return f"CASE WHEN {_unknown(value)} THEN NULL ELSE CAST({expression} AS {kind}) END"

    if found["blank"] in (True, None):
        return ""
    if found["whole"]:
        return as_type("BIGINT")
    if found["number"]:
        return as_type("DOUBLE")
    if found["comma"] and delimiter != ",":
        plain = value
        for mark in (" ", "\u00a0", "\u202f"):
            plain = f"replace({plain}, '{mark}', '')"
        return as_type("DOUBLE", f"replace({plain}, ',', '.')")
    if found["day"]:
        return as_type("DATE")
    if found["moment"]:
        return as_type("TIMESTAMP")
    return ""


@contextmanager
def csv_errors(form: FileFormat) -> Iterator[None]:
    """Say which line of a CSV file cannot be read, and why."""
    try:
        with plain_errors(f"reading {form.path}"):
            yield
    except BadTable:
        raise
    except Exception as error:
        text = str(error.__cause__ or "")
        line = re.search(r"CSV Error on Line: (\d+)", text)
        if not line:
            raise
        counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
        delimiter = _NAMES.get(form.delimiter, repr(form.delimiter))
        if counts:
            raise BadTable(
                f"{form.path}, line {line[1]}: {counts[2]} values where the header has {counts[1]} columns "
                f"(delimiter: {delimiter}). Put values that hold the delimiter in quotes, or repair the line."
            ) from None
        if "unterminated quote" in text:
            raise BadTable(
                f"{form.path}, line {line[1]}: a quotation mark is opened and never closed; repair the line."
            ) from None
        raise BadTable(f"{form.path}, line {line[1]}: {text.splitlines()[0]}") from None


def _renames(form: FileFormat, columns: Mapping[str, str]) -> dict[str, str]:
    theirs_to_ours = {theirs: ours for ours, theirs in columns.items()}
    for ours, theirs in columns.items():
        if theirs not in form.names:
            raise BadTable(
                f"{form.path}: no column {theirs!r} (asked for as {ours}); it has {', '.join(form.names)}."
            )
    renames = {name: theirs_to_ours.get(name, name) for name in form.names}
    # A column of the file that bears a canonical name given to another one steps aside.
    taken = set(theirs_to_ours.values())
    return {
        name: f"{name} (file)" if name not in theirs_to_ours and ours in taken else ours
        for name, ours in renames.items()
    }


def _parquet_format(path: Path) -> FileFormat:
    try:
        names = tuple(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadTable(f"{path}: not a Parquet file, or a broken one ({reason}); write it again.") from None
    _no_duplicates(path, names)
    return FileFormat(path=path, kind="parquet", names=names)


def _csv_format(path: Path, encoding: str, delimiter: str) -> FileFormat:
    if encoding:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise BadTable(f"{path}: no encoding is called {encoding!r}; try utf-8 or cp1251.") from None
        _check_encoding(path, encoding)
    else:
        encoding = _sniff_encoding(path)
    with _bytes_of(path) as raw:
        head = codecs.getincrementaldecoder(encoding)("strict").decode(raw.read(_SAMPLE))
    head = head.removeprefix("\ufeff")
    if not head.strip():
        raise BadTable(f"{path}: the file holds no header and no rows.")
    found = delimiter or _sniff_delimiter(head)
    names = next(csv.reader(io.StringIO(head), delimiter=found), [])
    names = [name.strip() or f"column_{at}" for at, name in enumerate(names, start=1)]
    if len(names) == 1:
        other = next((mark for mark in DELIMITERS if mark != found and mark in names[0]), "")
        if other:
            raise BadTable(
                f"{path}: with delimiter {_NAMES.get(found, repr(found))} there is one column, named {names[0]!r}; "
                f"the delimiter seems to be a {_NAMES[other]}: give that one."
            )
    _no_duplicates(path, tuple(names))
    return FileFormat(path=path, kind="csv", names=tuple(names), encoding=encoding, delimiter=found)


def _no_duplicates(path: Path, names: tuple[str, ...]) -> None:
    # DuckDB does not tell Revenue from revenue, so neither may be there twice.
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise BadTable(
                f"{path}: two columns are called {name!r}"
                + (f" and {seen[name.lower()]!r}" if seen[name.lower()] != name else "")
                + "; rename one of them."
            )
        seen[name.lower()] = name


def _sniff_delimiter(head: str) -> str:
    lines = head.splitlines()
    complete = "\n".join(lines[:-1] if len(lines) > 1 and len(head) > _SAMPLE // 8 else lines)

    def fit(mark: str) -> tuple[float, int]:
        try:
            rows = [
                row for _, row in zip(range(200), csv.reader(io.StringIO(complete), delimiter=mark)) if row
            ]
        except csv.Error:
            return (0.0, 0)
        width = len(rows[0]) if rows else 0
        if width < 2:
            return (0.0, 0)
        return (sum(len(row) == width for row in rows) / len(rows), width)

    best = max(DELIMITERS, key=fit)
    return best if fit(best)[1] >= 2 else ","


def _sniff_encoding(path: Path) -> str:
    with _bytes_of(path) as raw:
        head = raw.read(_SAMPLE)
    if head.startswith(codecs.BOM_UTF8):
        _check_encoding(path, "utf-8-sig")
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check_encoding(path, "utf-16")
        return "utf-16"
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        for encoding, nulls, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
            # Commas, digits and line ends are in every table: fewer zeros are damage, not another encoding.
            if nulls >= max(2, len(head) // 100) and others <= nulls // 20:
                _check_encoding(path, encoding)
                return encoding
        raise BadTable(f"{path}: this is no text (it holds zero bytes); save the table as CSV or Parquet.")
    broken = _first_undecodable(path, "utf-8")
    if broken is None:
        return "utf-8"
    return _eight_bit(path, broken)


def _eight_bit(path: Path, broken: int) -> str:
    """Which eight-bit encoding a file that is not UTF-8 is in."""
    with _bytes_of(path) as raw:
        raw.read(max(0, broken - 1000))
        sample = raw.read(_SAMPLE)
    whole = sample.decode("utf-8", errors="replace")
    bad = whole.count("\ufffd")
    good = sum(ord(letter) > 127 for letter in whole) - bad
    foreign = bytes(byte for byte in sample if byte > 127)
    pairs = sum(first > 127 and second > 127 for first, second in itertools.pairwise(sample))
    if good <= 2 * bad and pairs >= 0.5 * len(foreign):
        shares = {
            encoding: sum(letter in _COMMON_RUSSIAN for letter in foreign.decode(encoding, errors="replace"))
            / len(foreign)
            for encoding in ("cp1251", "koi8-r", "cp866")
        }
        best = max(shares, key=lambda name: shares[name])
        # Names and cities begin with capitals, but even then most letters are small and common.
        if shares[best] >= 0.4 and _first_undecodable(path, best) is None:
            return best
    elif good <= 2 * bad:
        # Letters with accents stand alone among plain ones; Cyrillic ones stand together.
        western = foreign.decode("cp1252", errors="replace")
        letters = sum(letter.isalpha() for letter in western) / len(western)
        if letters >= 0.8 and _first_undecodable(path, "cp1252") is None:
            return "cp1252"
    raise BadTable(
        f"{path}: byte {broken + 1:,} is not UTF-8, and no other encoding fits. "
        f'Say which it is (encoding = "cp1251", for example), or save the file as UTF-8.'
    )


def _check_encoding(path: Path, encoding: str) -> None:
    broken = _first_undecodable(path, encoding)
    if broken is not None:
        raise BadTable(
            f"{path}: byte {broken + 1:,} is not {encoding}. Say which encoding it is, or save the file as UTF-8."
        )


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """The 0-based place of the first byte that is not `encoding`, or nothing."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    at = 0
    with _bytes_of(path) as raw:
        while True:
            block = raw.read(1 << 20)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return at - held + error.start
            if not block:
                return None
            at += len(block)


@contextmanager
def _bytes_of(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".gz":
        with path.open("rb") as raw:
            yield raw
        return
    try:
        with gzip.open(path, "rb") as raw:
            yield cast("IO[bytes]", raw)
    except (gzip.BadGzipFile, EOFError) as error:
        raise BadTable(
            f"{path}: the compressed file is broken ({error}); copy or compress it again."
        ) from None
