"""An open warehouse: the workspace's tables under their canonical names, over DuckDB and Ibis."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from primeta.config import Config
from primeta.errors import BadTable, NotFound
from primeta.facts import TABLES
from primeta.privacy.erased import Erased
from primeta.warehouse.clean import clean_view
from primeta.warehouse.duck import connect, plain_errors, quoted, run
from primeta.warehouse.duck import named as quote_name
from primeta.warehouse.erased import without_erased
from primeta.warehouse.mapping import Mapped, derive_orders, map_table
from primeta.warehouse.sources import FILE_COLUMN, Source, attach_engine, open_source

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir


class Warehouse:
    """The customer facts of one workspace.

    Sources are opened when they are first asked for. A warehouse is closed after use (it is a
    context manager): it may hold re-encoded copies of files in a temporary folder.
    """

    def __init__(self, config: Config, connection: duckdb.DuckDBPyConnection):
        self.config = config
        self.connection = connection
        # SQL of the team's names files as the workspace file does: from its own folder.
        run(connection, f"SET file_search_path = {quoted(str(config.folder.resolve()))}")
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._prefix: str | None = None
        self._mapped: dict[str, Mapped] = {}
        self._erased: Erased | None = config.erased() if config.erased is not None else None
        self._backend: Any = None

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _scratch_folder(self) -> Path:
        """A folder for copies of files in other encodings; it goes when the warehouse is closed."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="primeta-")
        return Path(self._scratch.name)

    def tables(self) -> tuple[str, ...]:
        """The canonical tables that there are: those mapped, and orders where lines give them."""
        named = [name for name in TABLES if name in self.config.tables]
        if "orders" not in named and "order_lines" in named:
            named.insert(named.index("order_lines"), "orders")
        return tuple(named)

    def source(self, name: str) -> Source:
        return self.mapped(name).source

    def mapped(self, name: str) -> Mapped:
        """The mapping of a table that `primeta.toml` names.

        Raises:
            NotFound: it is not mapped.
        """
        if name not in self.config.tables:
            raise NotFound(
                f"the table {name} is not mapped; {self.config.path.name} maps "
                f"{', '.join(self.config.tables) or 'none'}. Add a section [tables.{name}]."
            )
        if name not in self._mapped:
            if self._prefix is None:
                self._prefix = attach_engine(self.connection, self.config)
            table = self.config.tables[name]
            source = open_source(
                self.connection, self.config, table, scratch=self._scratch_folder, prefix=self._prefix
            )
            self._mapped[name] = map_table(self.connection, self.config, table, source)
        return self._mapped[name]

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table is there and gives these canonical columns a value."""
        if table not in self.tables():
            return False
        if table == "orders" and "orders" not in self.config.tables:
            lines = self.mapped("order_lines").mapped
            return all(name in lines and name not in ("margin", "promo_code", "channel") for name in columns)
        return set(columns) <= self.mapped(table).mapped

    def rows(self, name: str, *, files: tuple[str, ...] | None = None) -> str:
        """The name of the view with all canonical rows of a table; nothing dropped but rows of the erased.

        Args:
            files: Only the rows of these files, by name; for a table that is mapped to files.
        Raises:
            NotFound: the table is not mapped.
            BadTable: a required column is missing; says which.
        """
        derived = name == "orders" and name not in self.config.tables and "order_lines" in self.config.tables
        mapped = self.mapped("order_lines" if derived else name)
        self._complete(mapped)
        view = mapped.view
        if files is not None:
            listed = ", ".join(quoted(file) for file in files) or "NULL"
            run(
                self.connection,
                f"CREATE OR REPLACE VIEW some_{view} AS SELECT * FROM {view} "
                f"WHERE {quote_name(FILE_COLUMN)} IN ({listed})",
            )
            view = f"some_{view}"
        if self._erased is not None:
            view = without_erased(self, mapped, view, self._erased)
        return derive_orders(self.connection, mapped, view) if derived else view

    def clean(self, name: str, *, files: tuple[str, ...] | None = None) -> str:
        """The name of the view of a table without the rows that cannot be used (see `clean`)."""
        with plain_errors(f"[tables.{name}]"):
            return clean_view(self.connection, name, self.rows(name, files=files))

    def table(self, name: str) -> ir.Table:
        """A canonical table as an Ibis expression: canonical columns and types, times in UTC.

        Raises:
            NotFound, BadTable: it is not mapped, or a required column is missing.
        """
        view = self.clean(name)
        if self._backend is None:
            import ibis

            self._backend = ibis.duckdb.from_connection(self.connection)
            run(self.connection, "SET TimeZone = 'UTC'")
        columns = [column.name for column in TABLES[name].columns]
        if name in self.config.tables:
            columns += self.mapped(name).attributes
        with warnings.catch_warnings():
            # Ibis 12 still calls a method that DuckDB 2 has renamed.
            warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
            table = self._backend.table(view)
        return table.select(columns)

    def _complete(self, mapped: Mapped) -> None:
        if mapped.missing:
            name = mapped.spec.name
            raise BadTable(
                f"{name}: {', '.join(mapped.missing)} not found. {mapped.source.wording} has "
                f"{', '.join(mapped.source.types)}; say which of them it is under [tables.{name}] columns."
            )


def open_warehouse(config: Config) -> Warehouse:
    """Open the facts of a workspace; sources are read when they are asked for.

    Raises:
        BadConfig: `[warehouse] url` is no engine that this version reads (when a table is opened).
    """
    return Warehouse(config, connect())
