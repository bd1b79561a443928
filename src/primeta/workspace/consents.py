"""Consents that exist already, from a file or the workspace's table `consents`, into the ledger with their proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from primeta.attention.import_consents import COLUMNS, Counts, ImportedConsents, events_of
from primeta.config import TableConfig
from primeta.errors import BadInput
from primeta.store.ledger import append_all
from primeta.warehouse.duck import named, plain_errors, run
from primeta.warehouse.engine import open_warehouse

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

AT_ONCE = 50_000
"""Rows in memory."""


def import_consents(
    ws: Workspace,
    file: Path | None = None,
    *,
    now: datetime,
    by: str,
    columns: Mapping[str, str] | None = None,
    controller: str = "",
    accepted_by: str = "",
    accepted_reason: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> ImportedConsents:
    """Take consents over, each row once however often it is imported; a killed import is simply run again.

    Args:
        file: CSV or Parquet; None: the table `consents` of `primeta.toml`.
        columns: Canonical name → column (or SQL expression) of the file.
        controller: Who is responsible for the processing, where the rows do not say; empty: as `[attention]` says.
        accepted_by: Who takes it upon himself that consents without proof count, with `accepted_reason`; empty: as
            `[attention]` says.
    Raises:
        NotFound: no file is given and `consents` is not mapped.
        BadTable: the file cannot be read or lacks a column.
        BadInput: columns are given without a file, or a name without a reason.
    """
    config, declared = ws.config, ws.config.attention
    if not (accepted_by or accepted_reason):
        accepted_by, accepted_reason = declared.accept_unproven_by, declared.accept_unproven_reason
    if file is not None:
        table = TableConfig(name="consents", from_=str(file.resolve()), columns=dict(columns or {}))
        config = replace(config, tables={"consents": table})
    elif columns:
        raise BadInput("--columns says what the columns of a file mean; name the file too")
    counts = Counts()
    with open_warehouse(config) as warehouse:
        view = warehouse.rows("consents")
        run(warehouse.connection, "SET preserve_insertion_order = true")
        with plain_errors("reading consents"):
            run(warehouse.connection, f"CREATE TEMP TABLE given_consents AS SELECT * FROM {view}")
            until = now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
            ((total, latest),) = run(
                warehouse.connection,
                f"SELECT count(*), max(happened_at) FILTER (happened_at <= TIMESTAMP '{until}') FROM given_consents",
            )

        def rows() -> Iterator[tuple[Any, ...]]:
            names = ", ".join(named(name) for name in COLUMNS)
            # Rows of one customer side by side: his state is read and written once.
            found = warehouse.connection.execute(
                f"SELECT {names} FROM given_consents ORDER BY customer_id, happened_at, {names}"
            )
            done = 0
            while some := found.fetchmany(AT_ONCE):
                yield from some
                done += len(some)
                if progress:
                    progress("consents", done, total)

        events = events_of(
            rows(),
            counts,
            now=now,
            by=by,
            undated_at=None if latest is None else latest.replace(tzinfo=UTC),
            controller=controller or declared.controller,
            accepted_by=accepted_by,
            accepted_reason=accepted_reason,
        )
        done = append_all(ws.database, events, now=now)
    return ImportedConsents(
        counts=counts,
        new=done.new,
        duplicates=done.duplicates,
        conflicts=done.conflicts,
        source=str(file) if file is not None else f"{ws.config.path.name} [tables.consents]",
    )
