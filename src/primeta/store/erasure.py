"""Erasing one customer from the state: his rows go, the ledger's chain stays, a keyed digest remembers not to write."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from primeta.attention.chain import ranges_of
from primeta.attention.ledger import Event, key_of
from primeta.errors import Locked
from primeta.store.database import Database
from primeta.store.keys import keys_of
from primeta.store.ledger import append, erase, load_head, prepare, rebuild_states, suppress
from primeta.store.personal import forget_rows, person_of, take_out
from primeta.store.schema import attention_states, documents, erasures, ledger, suppressions
from primeta.store.times import aware, naive

WAIT_S = 30.0
"""How long readers may keep the old pages of SQLite's log from being written back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEntries:
    """What an erasure did to the state: the receipt's proof."""

    entries: int
    """Of the ledger, emptied."""
    kept: int
    """Left as they are, of `keep_kinds`."""
    number: int
    """Of the entry that names them."""
    chain: str
    """The chain after that entry."""
    digest: str
    """By which the customer is recognised if he comes up again; who has not the workspace's secret cannot go back
    from it."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """Kind of entry → how many were emptied."""
    kept_kinds: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    """Table of the state → rows or places that went."""
    at: datetime | None = None
    by: str = ""
    reason: str = ""
    request: str = ""
    copies: Mapping[str, int] = field(default_factory=dict)
    """Copy or file of the workspace → rows that go from it."""
    files: tuple[str, ...] = ()
    """Files of the workspace that are still to be deleted."""
    resumed: bool = False
    """This erasure was begun before and had not ended."""


def erase_customer(
    database: Database,
    customer_id: str,
    *,
    now: datetime,
    by: str,
    reason: str,
    request: str = "",
    keep_kinds: Collection[str] = (),
    files: Sequence[str] = (),
    copies: Mapping[str, int] | None = None,
) -> ErasedEntries:
    """Empty all entries about a customer, delete his rows, take quotes of him out, and remember by a digest alone not to
    write to him.

    One transaction: nobody can write anything about him in the middle of it. A customer of whom nothing is known is
    remembered all the same. Told again, nothing is left to empty, and a second entry says so; where the one before was
    never ended (`end_erasure`), that one is told again and goes on.

    Args:
        request: The number of his request, for the receipt; never anything about him.
        keep_kinds: Kinds of entries that the law lets you keep, such as `consent` as proof against claims.
        files: That are still to be deleted once this is done; kept until the erasure is ended.
        copies: What goes from copies and files once this is done: only written down.
    """
    keys = keys_of(database, now=now)
    digest = keys.suppression_digest(customer_id)
    with database.write() as connection:
        load_head(connection, lock=True)
        begun = _unfinished(connection, digest)
        if begun is None:
            rows = connection.execute(
                select(ledger.c.number, ledger.c.kind).where(ledger.c.customer_id == customer_id)
            ).all()
            emptied = [row for row in rows if row.kind not in keep_kinds]
            numbers = [row.number for row in emptied]
            his = _documents_of(connection, customer_id)
            person = person_of(
                (
                    customer_id,
                    keys.pseudonym(customer_id),
                    *_messages_of(connection, numbers),
                    *(row.id for row in his),
                ),
                (text for row in his for text in (row.text, row.title)),
            )
            event = Event(
                key=key_of("erased", digest.hex(), request, now),
                kind="erased",
                customer_id="",
                happened_at=now,
                payload={
                    "numbers": ranges_of(numbers),
                    "digest": digest.hex(),
                    "reason": reason,
                    "request": request,
                },
                by=by,
            )
            done = append(connection, prepare([event], keys), now=now, keys=keys)
            suppress(connection, customer_id, since=now, reason=reason, number=done.numbers[0], keys=keys)
            erase(connection, numbers)
            gone = forget_rows(connection, customer_id, [row.id for row in his])
            gone.pop(attention_states.name, None)
            words = take_out(connection, person)
            if len(rows) > len(numbers):
                rebuild_states(connection, [customer_id])
            told = ErasedEntries(
                entries=len(numbers),
                kept=len(rows) - len(numbers),
                number=done.numbers[0],
                chain=done.head.chain,
                digest=digest.hex(),
                kinds=_counted(row.kind for row in emptied),
                kept_kinds=_counted(row.kind for row in rows if row.kind in keep_kinds),
                rows=dict(sorted({**gone, **words}.items())),
                at=now,
                by=by,
                reason=reason,
                request=request,
                copies=dict(copies or {}),
                files=tuple(files),
            )
            connection.execute(
                insert(erasures).values(
                    number=told.number,
                    digest=digest,
                    state="running",
                    at=naive(now),
                    by=by,
                    work={"files": list(files)},
                    done=_document(told),
                )
            )
        else:
            told = begun
    off_the_disk(database)
    return told


def end_erasure(database: Database, number: int) -> None:
    """All of it is gone, from files too."""
    with database.write() as connection:
        connection.execute(
            update(erasures).where(erasures.c.number == number).values(state="done", work={"files": []})
        )


def unfinished_erasures(connection: Connection) -> tuple[int, ...]:
    """Numbers of those that were begun and have not ended."""
    query = select(erasures.c.number).where(erasures.c.state == "running").order_by(erasures.c.number)
    return tuple(connection.scalars(query))


def last_erasure(connection: Connection) -> int:
    """Number of the last one that was begun; 0: nobody was ever erased."""
    return connection.scalar(select(func.max(erasures.c.number))) or 0


def load_erasure(connection: Connection, number: int) -> ErasedEntries | None:
    """What an erasure did, by the number of its entry; None: there is none."""
    row = connection.execute(select(erasures).where(erasures.c.number == number)).first()
    return None if row is None else _told(row)


def erasures_of(connection: Connection, digest: bytes) -> tuple[ErasedEntries, ...]:
    """All that one customer had, oldest first."""
    query = select(erasures).where(erasures.c.digest == digest).order_by(erasures.c.number)
    return tuple(_told(row) for row in connection.execute(query))


def _unfinished(connection: Connection, digest: bytes) -> ErasedEntries | None:
    """The one that was begun last and has not ended; none where he has consented anew since."""
    query = (
        select(erasures)
        .join(suppressions, suppressions.c.digest == erasures.c.digest)
        .where(erasures.c.digest == digest, erasures.c.state == "running", suppressions.c.lifted_at.is_(None))
    )
    row = connection.execute(query.order_by(erasures.c.number.desc()).limit(1)).first()
    return None if row is None else _told(row, resumed=True)


def _document(told: ErasedEntries) -> dict[str, Any]:
    return {
        "entries": told.entries,
        "kept": told.kept,
        "chain": told.chain,
        "kinds": dict(told.kinds),
        "kept_kinds": dict(told.kept_kinds),
        "rows": dict(told.rows),
        "copies": dict(told.copies),
        "reason": told.reason,
        "request": told.request,
    }


def _told(row: Any, *, resumed: bool = False) -> ErasedEntries:
    return ErasedEntries(
        **row.done,
        number=row.number,
        digest=bytes(row.digest).hex(),
        at=aware(row.at),
        by=row.by,
        files=tuple(row.work["files"]),
        resumed=resumed,
    )


def _documents_of(connection: Connection, customer_id: str) -> Sequence[Any]:
    query = select(documents.c.id, documents.c.title, documents.c.text)
    return connection.execute(query.where(documents.c.customer_id == customer_id)).all()


def _messages_of(connection: Connection, numbers: Sequence[int]) -> list[str]:
    """Ids of the messages of which entries speak."""
    import json

    found: set[str] = set()
    for at in range(0, len(numbers), 5_000):
        query = select(ledger.c.payload).where(ledger.c.number.in_(numbers[at : at + 5_000]))
        for payload in connection.scalars(query):
            message = json.loads(payload).get("message_id") if payload else None
            if isinstance(message, str):
                found.add(message)
    return sorted(found)


def _counted(kinds: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def off_the_disk(database: Database) -> None:
    """SQLite keeps the old pages in its log until it is written back; PostgreSQL keeps old rows until its vacuum.

    Raises:
        Locked: somebody reads the old pages for too long; run the erasure again.
    """
    if database.engine.dialect.name != "sqlite":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("ledger", "documents", "attention_states", "reservations", "touch_marks"):
                connection.exec_driver_sql(f"vacuum {table}")
        return
    until = time.monotonic() + WAIT_S
    while True:
        with database.engine.connect() as connection:
            plain = connection.connection.cursor()
            plain.execute("pragma wal_checkpoint(truncate)")
            busy = plain.fetchall()[0][0]
            plain.close()
        if not busy:
            return
        if time.monotonic() > until:
            raise Locked(
                "the customer is erased from the state, but somebody still reads what stood there before, so it is not off "
                "the disk yet; run the same command again once he has finished"
            )
        time.sleep(0.2)
