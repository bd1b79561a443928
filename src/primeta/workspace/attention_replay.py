"""A replay of a workspace's own log: its tables, its promises, its ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from primeta.attention.promise_file import read_promises
from primeta.attention.replay import MEMORY, Sources, read_policy, replay
from primeta.attention.replay_tables import Query, columns_of
from primeta.errors import BadInput
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all
from primeta.warehouse.duck import run
from primeta.warehouse.engine import open_warehouse
from primeta.workspace.may_send import promises_in_force

if TYPE_CHECKING:
    from primeta.attention.replay_result import AttentionReplay
    from primeta.warehouse.engine import Warehouse
    from primeta.workspace.workspace import Workspace

TABLES = ("messages", "reactions", "customers", "consents", "orders", "visits")


def replay_workspace(
    ws: Workspace,
    *,
    now: datetime,
    by: str,
    promises: Path | None = None,
    policy: Path | None = None,
    credit: bool = True,
    record: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> AttentionReplay:
    """The log of the mapped tables held against promises; customers are shown by their pseudonyms.

    Args:
        promises: A file; default: the one that `[attention] promises` names.
        policy: A draft to replay.
        record: Write what was kept and broken into the ledger, each once.
    Raises:
        NotFound: `messages` is not mapped, or there is no such file.
        BadInput: no promises are named.
    """
    if promises is None and not ws.config.attention.promises:
        raise BadInput(
            f"{ws.config.path}: no promises; give --promises FILE, or name the file as promises under [attention]"
        )
    promised = read_promises(promises, zone=ws.config.zone) if promises is not None else promises_in_force(ws)
    draft = read_policy(policy) if policy is not None else None
    keys = keys_of(ws.database, now=now)
    with open_warehouse(ws.config) as warehouse:
        run(warehouse.connection, f"SET memory_limit = '{MEMORY}'")
        mapped = warehouse.tables()
        rows = {
            name: _rows(warehouse, name)
            for name in TABLES
            if name == "messages" or name in mapped
        }
        found = replay(
            Sources(**rows),
            promised,
            policy=draft,
            # Mapped times are UTC by now; the zone is that of customers whose own is not known.
            timezone=ws.config.timezone,
            times="UTC",
            credit=credit,
            connection=warehouse.connection,
            shown_as=keys.pseudonym,
            progress=progress,
        )
    if record:
        append_all(ws.database, found.events(by=by), now=now)
    return found


def _rows(warehouse: Warehouse, name: str) -> Query:
    """The rows of a table with the columns that are mapped: what is not there cannot be checked."""
    view = warehouse.rows(name)
    wanted = [column.name for column in columns_of(name)]
    if name in warehouse.config.tables:
        wanted = [column for column in wanted if warehouse.has(name, column)]
    return Query(f"SELECT {', '.join(wanted)} FROM {view}", f"[tables.{name}]")
