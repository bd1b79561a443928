"""What the mapped tables know, into the ledger: consents, messages, reactions, and where customers live.

Each row is one entry however often it is taken over, so a sync that was killed is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from primeta.attention.answer_words import WORDS
from primeta.attention.fold import CustomerState, fold
from primeta.attention.ledger import Event
from primeta.attention.outcomes import UNKNOWN_PURPOSE
from primeta.attention.records import PURPOSES, Entry
from primeta.show import locale
from primeta.store.ledger import append_all
from primeta.warehouse.duck import plain_errors, quoted, run
from primeta.warehouse.engine import Warehouse, open_warehouse

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

AT_ONCE = 20_000
"""Rows in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """How many rows of each table were taken over, and how many of them were new."""

    consents: int = 0
    messages: int = 0
    reactions: int = 0
    zones: int = 0
    credits: int = 0
    """Customers whose credit was worked out anew."""
    new: int = 0
    without_purpose: int = 0

    def line(self, lang: str) -> str:
        told = {name: locale.number(getattr(self, name), lang) for name in self.__slots__}
        said = [WORDS["synced"][lang].format(**told)]
        if self.without_purpose:
            said.append(WORDS["synced.without-purpose"][lang].format(**told))
        return " ".join(said)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def sync(
    ws: Workspace, *, now: datetime, by: str, since: date | None = None, progress: Progress | None = None
) -> Synced:
    """Take over what is mapped: consents, messages, reactions to them, zones of customers.

    Args:
        since: Messages and reactions from this day on; None: all.
    Raises:
        BadTable: a table cannot be read or lacks a column.
    """
    consents = new = 0
    if "consents" in ws.config.tables:
        from primeta.workspace.consents import import_consents

        taken = import_consents(
            ws, now=now, by=by, controller=ws.config.attention.controller, progress=progress
        )
        consents, new = taken.counts.rows, taken.new
    counts = {"messages": 0, "reactions": 0, "without_purpose": 0}
    zones = 0
    with open_warehouse(ws.config) as warehouse:
        if "messages" in ws.config.tables:
            done = append_all(
                ws.database, _events(warehouse, counts, by=by, since=since, progress=progress), now=now
            )
            new += done.new
        if warehouse.has("customers", "timezone"):
            zones = _keep_zones(ws, warehouse)
    from primeta.workspace.attention_coverage import count_consents
    from primeta.workspace.attention_keep_credit import keep_credit

    count_consents(ws, now=now, by=by, progress=progress)
    credits = keep_credit(ws, now=now, progress=progress)
    return Synced(
        credits=credits,
        consents=consents,
        messages=counts["messages"],
        reactions=counts["reactions"],
        without_purpose=counts["without_purpose"],
        zones=zones,
        new=new,
    )


def told_by_tables(
    ws: Workspace, customer_id: str, *, at: datetime
) -> tuple[CustomerState | None, tuple[Entry, ...]]:
    """What the mapped tables say of one customer of whom the ledger holds nothing; nothing is written.

    Returns:
        His state (None where they do not know him either), and what it was made of, as entries.
    """
    names = {"consents", "messages", "customers"} & set(ws.config.tables)
    if not names:
        return None, ()
    who = f"customer_id = {quoted(customer_id)}"
    entries: list[Entry] = []
    with open_warehouse(ws.config) as warehouse:
        known = False
        if "customers" in names:
            known = bool(
                run(warehouse.connection, f"SELECT 1 FROM {warehouse.rows('customers')} WHERE {who} LIMIT 1")
            )
        if "consents" in names:
            entries += _as_entries(_consents(ws, warehouse, who, at), at)
        if "messages" in names:
            counts = {"messages": 0, "reactions": 0, "without_purpose": 0}
            entries += _as_entries(_events(warehouse, counts, by="tables", where=who), at)
    entries = [entry for entry in entries if entry.happened_at <= at]
    if not entries:
        return (CustomerState(customer_id=customer_id) if known else None), ()
    return fold(entries, customer_id=customer_id, until=at), tuple(entries)


def zone_in_tables(ws: Workspace, customer_id: str) -> str:
    """Where a customer lives, as the mapped table of customers tells; empty: it does not."""
    if "customers" not in ws.config.tables:
        return ""
    with open_warehouse(ws.config) as warehouse:
        if not warehouse.has("customers", "timezone"):
            return ""
        found = run(
            warehouse.connection,
            f"SELECT timezone FROM {warehouse.rows('customers')} WHERE customer_id = {quoted(customer_id)} LIMIT 1",
        )
    return str(found[0][0] or "") if found else ""


def _as_entries(events: Iterator[Event], at: datetime) -> list[Entry]:
    """Events as if they had been written when they happened: only for looking, they are in no ledger."""
    return [
        Entry(
            number=number,
            key=event.key,
            kind=event.kind,
            customer_id=event.customer_id,
            happened_at=event.happened_at,
            learnt_at=min(event.happened_at, at),
            payload=event.payload,
            salt="tables",
            commitment="",
            chain="",
            by=event.by,
        )
        for number, event in enumerate(events, start=1)
    ]


def _consents(ws: Workspace, warehouse: Warehouse, who: str, at: datetime) -> Iterator[Event]:
    from primeta.attention.import_consents import COLUMNS, Counts, events_of
    from primeta.warehouse.duck import named

    view = warehouse.rows("consents")
    rows = run(
        warehouse.connection, f"SELECT {', '.join(named(name) for name in COLUMNS)} FROM {view} WHERE {who}"
    )
    declared = ws.config.attention
    yield from events_of(
        iter(rows),
        Counts(),
        now=at,
        by="tables",
        undated_at=None,
        controller=declared.controller,
        accepted_by=declared.accept_unproven_by,
        accepted_reason=declared.accept_unproven_reason,
    )


def _events(
    warehouse: Warehouse,
    counts: dict[str, int],
    *,
    by: str,
    since: date | None = None,
    where: str = "",
    progress: Progress | None = None,
) -> Iterator[Event]:
    """Messages and what came of them, those of one customer side by side."""
    connection = warehouse.connection
    view = warehouse.rows("messages")
    kept = ["customer_id IS NOT NULL", "message_id IS NOT NULL", "sent_at IS NOT NULL"]
    if where:
        kept.append(where)
    day = f"TIMESTAMP '{since.isoformat()}'" if since else ""
    if day:
        kept.append(f"sent_at >= {day}")
    with plain_errors("reading messages"):
        run(connection, "SET preserve_insertion_order = true")
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE told_messages AS SELECT customer_id, sent_at AS moment, 0 AS turn, message_id, "
            "lower(trim(channel)) AS channel, purpose, campaign, programme, coalesce(withheld, false) AS withheld, "
            f"CAST(probability AS DOUBLE) AS probability FROM {view} WHERE {' AND '.join(kept)}",
        )
        queries = ["SELECT *, NULL AS kind, NULL AS machine FROM told_messages"]
        if "reactions" in warehouse.config.tables:
            reactions = warehouse.rows("reactions")
            later = f"AND r.happened_at >= {day} " if day else ""
            queries.append(
                "SELECT m.customer_id, r.happened_at AS moment, 1 AS turn, r.message_id, m.channel, NULL, NULL, NULL, NULL, "
                f"NULL, r.kind, r.machine FROM {reactions} r JOIN told_messages m USING (message_id) "
                f"WHERE r.happened_at IS NOT NULL AND r.kind IS NOT NULL {later}"
            )
        found = connection.execute(" UNION ALL ".join(queries) + " ORDER BY customer_id, moment, turn")
        done = 0
        while some := found.fetchmany(AT_ONCE):
            for row in some:
                yield _event(row, counts, by)
            done += len(some)
            if progress is not None:
                progress("messages", done, done)


def _event(row: tuple[Any, ...], counts: dict[str, int], by: str) -> Event:
    (
        customer,
        at,
        turn,
        message,
        channel,
        purpose,
        campaign,
        programme,
        withheld,
        probability,
        kind,
        machine,
    ) = row
    moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    if turn:
        counts["reactions"] += 1
        told: dict[str, Any] = {"message_id": message, "kind": kind, "channel": channel or ""}
        if machine is not None:
            told["machine"] = bool(machine)
        stamp = moment.isoformat()
        return Event(
            key=f"reaction:{message}:{kind}:{stamp}",
            kind="reaction",
            customer_id=customer,
            happened_at=moment,
            payload=told,
            by=by,
        )
    counts["messages"] += 1
    if purpose not in PURPOSES:
        counts["without_purpose"] += 1
    told = {
        "message_id": message,
        "channel": channel or "",
        "purpose": purpose if purpose in PURPOSES else UNKNOWN_PURPOSE,
    }
    for name, value in (("campaign", campaign), ("programme", programme)):
        if value:
            told[name] = str(value)
    if probability is not None:
        told["probability"] = float(probability)
    if withheld:
        told["withheld"] = True
    return Event(
        key=f"{'withheld' if withheld else 'touch'}:{message}",
        kind="touch",
        customer_id=customer,
        happened_at=moment,
        payload=told,
        by=by,
    )


_ZONE = text("update attention_states set zone = :zone where customer_id = :customer")


def _keep_zones(ws: Workspace, warehouse: Warehouse) -> int:
    """Write where customers live beside their states."""
    view = warehouse.rows("customers")
    found = warehouse.connection.execute(
        f"SELECT customer_id, trim(timezone) FROM {view} WHERE customer_id IS NOT NULL AND trim(timezone) <> ''"
    )
    kept = 0
    while some := found.fetchmany(AT_ONCE):
        with ws.database.write() as connection:
            connection.execute(_ZONE, [{"customer": customer, "zone": zone[:64]} for customer, zone in some])
        kept += len(some)
    return kept
