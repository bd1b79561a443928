"""Where a table's rows come from: files, globs, tables of the engine or SQL, each as one view of raw rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from primeta.config import Config, TableConfig, config_error
from primeta.errors import BadTable
from primeta.facts import TABLES
from primeta.warehouse.duck import named, one, plain_errors, quoted, run
from primeta.warehouse.files import FileFormat, csv_errors, csv_source, has_mixed_ends, narrow, sniff, to_utf8

FILE_COLUMN = "primeta file"
_DATABASE = re.compile(r"^duckdb://(?P<path>.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The raw rows of one canonical table.

    `view` is the name of a DuckDB view with the source's own columns and types, `types` those
    columns, `files` how each file is written (empty for a table or SQL). Rows of files carry
    their file's name in the column `FILE_COLUMN`, which `types` leaves out.
    """

    table: str
    view: str
    types: dict[str, str]
    files: tuple[FileFormat, ...] = ()
    wording: str = ""

    def name_of(self, column: str) -> str | None:
        """The source's own spelling of `column`: DuckDB does not tell upper from lower case."""
        return next((name for name in self.types if name.lower() == column.lower()), None)


def attach_engine(connection: duckdb.DuckDBPyConnection, config: Config) -> str:
    """Attach the database of `[warehouse] url`, read only; returns its prefix for table names.

    Raises:
        BadConfig: the URL is not DuckDB's, or its file is missing.
        Locked: another process has the file open for writing.
    """
    found = _DATABASE.match(config.warehouse_url)
    if not found:
        raise config_error(
            config,
            "warehouse",
            "url",
            f'this version reads DuckDB (url = "duckdb://" or "duckdb://path/to/file.duckdb"), not '
            f"{config.warehouse_url!r}; export the tables to Parquet and name the files in [tables.*] from",
        )
    place = found["path"]
    if not place or place == ":memory:":
        return ""
    # duckdb:///abs/path and duckdb://relative/path, as SQLAlchemy and Ibis write them.
    path = config.folder / place
    if not path.is_file():
        raise config_error(config, "warehouse", "url", f"there is no file {path}")
    with plain_errors(f"opening {path}"):
        run(connection, f"ATTACH {quoted(str(path))} AS warehouse (READ_ONLY)")
    return "warehouse."


def is_file(name: str) -> bool:
    """Whether `from` names files rather than a table of the engine."""
    return bool(re.search(r"[/\\*?\[]|\.(csv|tsv|txt|gz|parquet|pq)$", name, re.IGNORECASE))


def files_of(config: Config, table: TableConfig) -> list[Path]:
    """The files that `from` names, in the order of their names.

    Raises:
        BadConfig: nothing is there; names the line.
    """
    place = Path(table.from_)
    if re.search(r"[*?\[]", table.from_):
        root = Path(place.anchor) if place.is_absolute() else config.folder
        pattern = str(place.relative_to(place.anchor)) if place.is_absolute() else table.from_
        found = sorted(path for path in root.glob(pattern) if path.is_file())
        if not found:
            raise config_error(
                config, f"tables.{table.name}", "from", f"no file matches {table.from_!r} in {config.folder}"
            )
        return found
    path = config.folder / place
    if not path.exists():
        near = ", ".join(sorted(entry.name for entry in path.parent.glob("*") if entry.is_file())[:5])
        raise config_error(
            config,
            f"tables.{table.name}",
            "from",
            f"there is no file {path}" + (f"; {path.parent} holds {near}" if near else ""),
        )
    return [path]


def open_source(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    table: TableConfig,
    *,
    scratch: Callable[[], Path],
    prefix: str,
) -> Source:
    """Make the view of one table's raw rows.

    Args:
        scratch: Gives a folder that lives as long as the connection; copies of files in other
            encodings than UTF-8 go there.
        prefix: What `attach_engine` returned.
    Raises:
        BadTable, BadConfig, EngineFailed: the source cannot be read.
    """
    view = f"source_{table.name}"
    forms: tuple[FileFormat, ...] = ()
    if table.sql:
        body, wording = table.sql.strip().rstrip(";"), "SQL"
    elif is_file(table.from_):
        forms = tuple(
            sniff(path, encoding=table.encoding, delimiter=table.delimiter)
            for path in files_of(config, table)
        )
        body, wording = _files_body(connection, table, forms, scratch), table.from_
    else:
        if not prefix and not _exists(connection, table.from_):
            raise config_error(
                config,
                f"tables.{table.name}",
                "from",
                f"{table.from_!r} is no file (.csv, .parquet, a glob), and [warehouse] url names no database "
                f"that could hold such a table",
            )
        body, wording = f"SELECT * FROM {prefix}{table.from_}", table.from_
    with plain_errors(f"[tables.{table.name}] reading {wording}"):
        try:
            run(connection, f"CREATE OR REPLACE VIEW {view} AS {body}")
            described = run(connection, f"DESCRIBE {view}")
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
            key = "sql" if table.sql else "from"
            raise config_error(config, f"tables.{table.name}", key, _first_line(error)) from None
    types = {row[0]: row[1] for row in described if row[0] != FILE_COLUMN}
    return Source(table=table.name, view=view, types=types, files=forms, wording=wording)


def _files_body(
    connection: duckdb.DuckDBPyConnection,
    table: TableConfig,
    forms: tuple[FileFormat, ...],
    scratch: Callable[[], Path],
) -> str:
    kinds = {form.kind for form in forms}
    if len(kinds) > 1:
        raise BadTable(f"{table.from_}: CSV and Parquet files are mixed; name one kind.")
    for form in forms[1:]:
        missing = sorted(set(forms[0].names) ^ set(form.names))
        if missing:
            raise BadTable(
                f"{form.path}: its columns differ from those of {forms[0].path.name} ({', '.join(missing)}); "
                f"give all files of one table the same columns."
            )
    if kinds == {"parquet"}:
        parts = [
            f"SELECT *, {quoted(form.path.name)} AS {named(FILE_COLUMN)} "
            f"FROM read_parquet({quoted(_literal(form.path))})"
            for form in forms
        ]
        return " UNION ALL BY NAME ".join(parts)
    parts = []
    for at, form in enumerate(forms):
        place = form.path
        mixed = has_mixed_ends(form)
        if mixed or form.encoding not in ("utf-8", "utf-8-sig"):
            place = scratch() / f"{table.name}-{at}.csv"
            if not place.exists():
                with plain_errors(f"reading {form.path}"):
                    to_utf8(form, place, one_end=mixed)
        with csv_errors(form):
            # Read once here, so that a broken line is reported with its file and number.
            source = csv_source(form, place)
            one(connection, f"SELECT count(*) FROM (SELECT COLUMNS(*) FROM {source})")
        parts.append(f"SELECT *, {quoted(form.path.name)} AS {named(FILE_COLUMN)} FROM {source}")
    rows = f"({' UNION ALL BY NAME '.join(parts)})"
    select = narrow(connection, rows, forms[0], keep_text=_text_columns(table, forms[0]))
    return f"SELECT {select}, {named(FILE_COLUMN)} FROM {rows}"


def _text_columns(table: TableConfig, form: FileFormat) -> set[str]:
    """Columns that the mapping takes as ids or text: "007" and "1.0" must arrive as they are written."""
    spec = TABLES[table.name]
    texts: set[str] = set()
    mapped = {expression.strip().strip('"').lower(): name for name, expression in table.columns.items()}
    for name in form.names:
        column = spec.column(mapped.get(name.lower(), name))
        if column is None:
            if spec.free_columns:
                texts.add(name)
        elif column.kind in ("id", "text"):
            texts.add(name)
    return texts


def _literal(path: Path) -> str:
    """`path` with the glob characters of its own name taken literally."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _exists(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    try:
        run(connection, f"SELECT 1 FROM {name} LIMIT 0")
    except duckdb.Error:
        return False
    return True


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
