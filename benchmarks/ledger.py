"""The ledger: entries appended with the states of their customers, the chain checked, consents imported.

Seconds are of processor time of this process: other work beside does not count, a wait for the disk does not either.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from primeta.attention.chain import check
from primeta.attention.ledger import Event
from primeta.store.database import Database
from primeta.store.ledger import append_all, each_entry, load_head
from primeta.workspace import open_workspace
from primeta.workspace.consents import import_consents
from primeta.workspace.create import create_workspace

NAME = "ledger"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def run(*, quick: bool) -> list[dict[str, Any]]:
    entries, rows = (20_000, 20_000) if quick else (200_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/state.sqlite")
        database.migrate()
        touched = _rate(entries, lambda: append_all(database, _touches(entries), now=NOW))
        consented = _rate(entries, lambda: append_all(database, _consents(entries), now=NOW))
        with database.read() as connection:
            began = time.process_time()
            found = check(each_entry(connection), head=load_head(connection))
            verified = found.entries / (time.process_time() - began)
        database.close()
        imported = _imported(Path(folder), rows)
    return [
        {
            "what": f"{entries:,} entries appended with their customers' states, SQLite",
            "aim": "20,000 a second",
            "reached": f"{consented:,.0f} consents, {touched:,.0f} touches a second",
            "note": "of processor time; batches of 5,000",
        },
        {
            "what": "the chain checked",
            "reached": f"{verified:,.0f} entries a second",
            "note": "whole" if found.ok else f"{found.found} faults",
        },
        {
            "what": f"{rows:,} consents imported",
            "aim": "a million in a minute",
            "reached": f"{imported:,.0f} a second, a million in {1e6 / imported:.0f} s",
        },
    ]


def _rate(count: int, work: Any) -> float:
    began = time.process_time()
    work()
    return count / (time.process_time() - began)


def _touches(count: int):
    for n in range(count):
        yield Event(
            key=f"touch-{n}",
            kind="touch",
            customer_id=f"{n // 4:07d}",
            happened_at=NOW - timedelta(seconds=count - n),
            payload={
                "message_id": f"m-{n}",
                "channel": "push",
                "purpose": "useful",
                "campaign": f"c{n % 50}",
            },
        )


def _consents(count: int):
    told = {
        "processing": "marketing",
        "state": "given",
        "text_hash": "ab" * 32,
        "surface": "checkout",
        "version": "3",
    }
    payloads = [{**told, "channel": channel} for channel in ("push", "email")]
    for n in range(count):
        yield Event(
            key=f"consent-{n}",
            kind="consent",
            customer_id=f"n{n // 2:07d}",
            happened_at=NOW - timedelta(seconds=count - n),
            payload=payloads[n % 2],
        )


def _imported(folder: Path, rows: int) -> float:
    create_workspace(folder / "shop")
    file = folder / "consents.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select (hash(i) % {rows // 2})::varchar customer_id, 'marketing' processing, "
            "['push', 'email', 'sms'][(i % 3) + 1] channel, if(i % 10 = 0, 'withdrawn', 'given') state, "
            "timestamp '2024-01-01' + interval (i) second happened_at, "
            "if(i % 5 = 0, null, 'I agree to receive offers') \"text\", '3' version, 'checkout' surface "
            f"from range({rows}) t(i)) to '{file}'"
        )
    ws = open_workspace(folder / "shop")
    try:
        return _rate(rows, lambda: import_consents(ws, file, now=NOW, by="benchmark"))
    finally:
        ws.close()
