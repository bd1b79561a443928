"""Taking customers out of the workspace's own copy of the facts, file by file, without reading their sources again."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import closing
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from primeta.facts import TABLES
from primeta.privacy.erased import Erased
from primeta.warehouse.duck import connect, named, one, plain_errors, quoted, run
from primeta.warehouse.erased import TABLE, digest_of, write_erased
from primeta.warehouse.facts_store import (
    MANIFEST,
    Facts,
    Part,
    digest_rows,
    load_facts,
    replace_file,
    sweep,
    version_of,
    write_parquet,
)

if TYPE_CHECKING:
    import duckdb


def forget_in_facts(folder: Path, erased: Erased, *, only_count: bool = False) -> dict[str, int]:
    """Leave out what the copy holds of erased customers; their ids go, the integers that stood for them are never
    given again.

    Only months in which they are are written anew; the manifest that names them is replaced last, and what it no longer
    names is deleted at once. Run again, nothing is left to do.

    Args:
        only_count: Touch nothing.
    Returns:
        Table → rows that went.
    """
    facts = load_facts(folder)
    if facts is None:
        return {}
    with closing(connect()) as connection, plain_errors("forgetting customers in the facts"):
        write_erased(connection, erased)
        gone = _customers(connection, facts, erased)
        if not gone:
            if not only_count:
                sweep(folder, facts, None)
            return {}
        run(connection, "CREATE TEMP TABLE gone (customer INTEGER)")
        connection.executemany("INSERT INTO gone VALUES (?)", [(number,) for number in gone])
        counts: dict[str, int] = {}
        messages = [str(facts.path(part)) for part in facts.parts.get("messages", ())]
        run(connection, "CREATE TEMP TABLE gone_messages (message_id VARCHAR)")
        if messages:
            listed = ", ".join(quoted(path) for path in messages)
            run(
                connection,
                f"INSERT INTO gone_messages SELECT DISTINCT message_id FROM read_parquet([{listed}]) "
                "SEMI JOIN gone USING (customer) WHERE message_id IS NOT NULL",
            )
        parts = {
            name: tuple(
                kept
                for part in entries
                if (kept := _without(connection, facts, name, part, counts, only_count)) is not None
            )
            for name, entries in facts.parts.items()
        }
        counts["customers"] = len(gone)
        if only_count:
            return counts
        file = _without_ids(connection, facts)
    _commit(folder, facts, parts, file)
    return counts


def _customers(connection: duckdb.DuckDBPyConnection, facts: Facts, erased: Erased) -> list[int]:
    rows = run(
        connection,
        f"SELECT c.customer FROM read_parquet({quoted(str(facts.customers_path))}) c JOIN {TABLE} e "
        f"ON e.digest = {digest_of(erased, 'c.customer_id')} AND NOT e.lifted ORDER BY 1",
    )
    return [row[0] for row in rows]


def _without(
    connection: duckdb.DuckDBPyConnection,
    facts: Facts,
    name: str,
    part: Part,
    counts: dict[str, int],
    only_count: bool,
) -> Part | None:
    """A month without them: the same file where they are not in it, nothing where nobody else is."""
    rows = f"read_parquet({quoted(str(facts.path(part)))})"
    columns = [row[0] for row in run(connection, f"DESCRIBE SELECT * FROM {rows}")]
    of_customers = "customer" in columns
    other, key = ("gone", "customer") if of_customers else ("gone_messages", "message_id")
    if key not in columns:
        return part
    found = one(connection, f"SELECT count(*) FROM {rows} SEMI JOIN {other} USING ({key})")[0]
    if not found:
        return part
    counts[name] = counts.get(name, 0) + found
    if only_count:
        return part
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE one_month AS SELECT * FROM {rows} ANTI JOIN {other} USING ({key})",
    )
    spec = TABLES[name]
    count, last = one(connection, f"SELECT count(*), max({spec.time}) FROM one_month")
    if not count:
        return None
    listed = [named(column) for column in columns if column != "customer"]
    channels: tuple[str, ...] = ()
    if name == "messages":
        there = run(connection, "SELECT DISTINCT channel FROM one_month WHERE channel IS NOT NULL ORDER BY 1")
        channels = tuple(row[0] for row in there)
    digest = digest_rows(connection, "one_month", listed)
    kept = Part(
        month=part.month,
        file=f"{name}/{part.month}-{digest}.parquet",
        rows=count,
        digest=digest,
        last=last.replace(tzinfo=UTC).isoformat(),
        channels=channels,
    )
    first = [column for column in ("customer_id" if of_customers else "message_id", spec.time) if column]
    rest = [named(column) for column in columns if column not in first and column != "customer"]
    order = ", ".join([*first, *(f"{column} NULLS LAST" for column in rest)])
    write_parquet(connection, f"SELECT * FROM one_month ORDER BY {order}", facts.folder / kept.file)
    return kept


def _without_ids(connection: duckdb.DuckDBPyConnection, facts: Facts) -> str:
    """The file of customers with nothing but the integer of those who are gone."""
    rows = f"read_parquet({quoted(str(facts.customers_path))})"
    columns = [row[0] for row in run(connection, f"DESCRIBE SELECT * FROM {rows}")]
    kept = ("customer", "first_half")
    emptied = {"customer_id": "''", "listed": "false"}
    told = ", ".join(
        named(column)
        if column in kept
        else f"CASE WHEN customer IN (FROM gone) THEN {emptied.get(column, 'NULL')} ELSE {named(column)} END AS "
        f"{named(column)}"
        for column in columns
    )
    run(connection, f"CREATE OR REPLACE TEMP TABLE all_customers AS SELECT {told} FROM {rows}")
    digest = digest_rows(connection, "all_customers", [named(column) for column in columns])
    file = f"customers-{digest}.parquet"
    write_parquet(connection, "SELECT * FROM all_customers ORDER BY customer_id", facts.folder / file)
    return file


def _commit(folder: Path, facts: Facts, parts: dict[str, tuple[Part, ...]], customers_file: str) -> None:
    body = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    body["parts"] = {name: [asdict(part) for part in entries] for name, entries in parts.items()}
    body["customers_file"] = customers_file
    body["attributes_version"] = hashlib.sha256(customers_file.encode()).hexdigest()[:16]
    body["version"] = version_of(body)
    replace_file(folder / MANIFEST, json.dumps(body, indent=1, ensure_ascii=False).encode())
    now = load_facts(folder)
    assert now is not None
    sweep(folder, now, None)


def forget_in_file(file: Path, erased: Erased, *, only_count: bool = False) -> int:
    """Leave erased customers out of a Parquet file of the workspace's own that has a column `customer_id`; what is
    written beside its rows stays.

    Returns:
        How many rows went.
    """
    import pyarrow.parquet as pq

    if "customer_id" not in pq.read_schema(file).names:
        return 0
    with closing(connect()) as connection, plain_errors(f"forgetting customers in {file.name}"):
        write_erased(connection, erased)
        ids = run(
            connection,
            f"SELECT DISTINCT CAST(x.customer_id AS VARCHAR) FROM read_parquet({quoted(str(file))}) x JOIN {TABLE} e "
            f"ON e.digest = {digest_of(erased, 'CAST(x.customer_id AS VARCHAR)')} AND NOT e.lifted",
        )
    if not ids:
        return 0
    gone = {row[0] for row in ids}
    table = pq.read_table(file)
    stays = [str(value) not in gone for value in table["customer_id"].to_pylist()]
    found = stays.count(False)
    if found and not only_count:
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            pq.write_table(table.filter(stays), unfinished, compression="zstd")
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
    return found
