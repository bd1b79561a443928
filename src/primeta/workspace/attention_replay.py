"""A replay of a workspace's own log: its tables, its promises, its ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from primeta.attention.consents import marks_of
from primeta.attention.policy import policy_from
from primeta.attention.promise_file import promise_from, read_promises
from primeta.attention.replay import MEMORY, Sources, read_policy, replay
from primeta.attention.replay_tables import Query, columns_of
from primeta.errors import BadInput
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, each_entry, load_kind
from primeta.warehouse.duck import run
from primeta.warehouse.engine import open_warehouse
from primeta.workspace.may_send import policy_in_force, promises_in_force

if TYPE_CHECKING:
    from primeta.attention.credit_model import CreditModel
    from primeta.attention.records import Policy, Promise
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
    policy: Policy | Mapping[str, Any] | Path | None = None,
    credit: bool | Literal["stopped"] = True,
    model: CreditModel | None = None,
    record: bool = False,
    account: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> AttentionReplay:
    """The log of the mapped tables held against promises; customers are shown by their pseudonyms.

    Promises made to single customers, opt-outs and consents are read from the ledger too.

    Args:
        promises: A file; default: the one that `[attention] promises` names.
        policy: A draft to replay: a policy, the keys of `[attention]`, or a TOML file of them.
        credit: As `attention.replay.replay` takes it.
        model: Of credit, learnt from these messages before; None: it is learnt now.
        record: Write what was kept and broken into the ledger, each once.
        account: Also the account of promises and campaigns and the health of the base; it goes on where no promises
            are named.
    Raises:
        NotFound: `messages` is not mapped, or there is no such file.
        BadInput: no promises are named.
    """
    promised = read_promises(promises, zone=ws.config.zone) if promises is not None else promises_in_force(ws)
    promised = (*promised, *_promised_to_some(ws))
    if not promised and promises is None and policy is None and not account:
        raise BadInput(
            f"{ws.config.path}: no promises; give --promises FILE, or name the file as promises under [attention]"
        )
    draft = read_policy(policy) if isinstance(policy, Path) else policy
    if isinstance(draft, Mapping):
        draft = policy_from(draft)
    keys = keys_of(ws.database, now=now)
    with open_warehouse(ws.config) as warehouse:
        run(warehouse.connection, f"SET memory_limit = '{MEMORY}'")
        mapped = warehouse.tables()
        rows = {name: _rows(warehouse, name) for name in TABLES if name == "messages" or name in mapped}
        told = _from_ledger(ws)
        if told.num_rows:
            warehouse.connection.register("ledger_consents", told)
            rows["consents"] = _with_ledger(rows.get("consents"))
        found = replay(
            Sources(**rows),
            promised,
            policy=draft,
            # Mapped times are UTC by now; the zone is that of customers whose own is not known.
            timezone=ws.config.timezone,
            times="UTC",
            credit=credit,
            model=model,
            levels=policy_in_force(ws, now=now, promises=promised) if account else None,
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


def _promised_to_some(ws: Workspace) -> tuple[Promise, ...]:
    """Promises that the ledger says were made to single customers; the same one made to many is one."""
    customers: dict[Promise, set[str]] = {}
    with ws.database.read() as connection:
        entries = load_kind(connection, "promise")
    for entry in entries:
        if entry.customer_id:
            promise = promise_from(entry.payload, customer_id=entry.customer_id)
            customers.setdefault(replace(promise, customers="all"), set()).add(entry.customer_id)
    return tuple(replace(promise, customers=tuple(sorted(who))) for promise, who in customers.items())


def _from_ledger(ws: Workspace) -> pa.Table:
    """Opt-outs and proven consents to marketing in the ledger, with when they were learnt."""
    found: list[tuple[str, str, datetime, str, datetime]] = []
    with ws.database.read() as connection:
        for entry in each_entry(connection):
            if entry.kind not in ("consent", "reaction", "suppressed") or not entry.customer_id:
                continue
            marks = marks_of(
                kind=entry.kind,
                key=entry.key,
                happened_at=entry.happened_at,
                learnt_at=entry.learnt_at,
                payload=entry.payload,
            )
            for (processing, channel, _), mark in marks:
                if processing == "marketing" and (mark.state != "given" or mark.proven):
                    state = "given" if mark.state == "given" else "withdrawn"
                    found.append((entry.customer_id, state, entry.happened_at, channel, entry.learnt_at))
    time = pa.timestamp("us", "UTC")
    names = {
        "customer_id": pa.string(),
        "state": pa.string(),
        "happened_at": time,
        "channel": pa.string(),
        "learnt_at": time,
    }
    columns = zip(*found, strict=True) if found else ([] for _ in names)
    return pa.table(
        {name: pa.array(column, kind) for (name, kind), column in zip(names.items(), columns, strict=True)}
    )


def _with_ledger(mapped: Query | None) -> Query:
    """The mapped consents, where there are any, and those of the ledger."""
    own = "SELECT customer_id, state, happened_at, channel, learnt_at, 'marketing' AS processing FROM ledger_consents"
    if mapped is None:
        return Query(own, "the ledger")
    # Mapped times are UTC without saying so.
    told = own.replace("happened_at,", "timezone('UTC', happened_at) AS happened_at,").replace(
        "learnt_at,", "timezone('UTC', learnt_at) AS learnt_at,"
    )
    return Query(f"{mapped.sql} UNION ALL BY NAME {told}", f"{mapped.wording} and the ledger")
