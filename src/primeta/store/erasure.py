"""Erasing one customer from the ledger: content and salt go, the chain stays, a keyed digest remembers not to write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from primeta.attention.chain import ranges_of
from primeta.attention.ledger import Event, key_of
from primeta.store import reservations
from primeta.store.attention_state import drop_states
from primeta.store.database import Database
from primeta.store.keys import keys_of
from primeta.store.ledger import append, erase, load_head, prepare, rebuild_states, suppress
from primeta.store.schema import ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEntries:
    """What an erasure did to the ledger: the receipt's proof."""

    entries: int
    """Emptied."""
    kept: int
    """Left as they are, of `keep_kinds`."""
    number: int
    """Of the entry that names them."""
    chain: str
    """The chain after that entry."""
    digest: str
    """By which the customer is recognised if he comes up again; who has not the workspace's secret cannot go back
    from it."""


def erase_customer(
    database: Database,
    customer_id: str,
    *,
    now: datetime,
    by: str,
    reason: str,
    request: str = "",
    keep_kinds: Collection[str] = (),
) -> ErasedEntries:
    """Empty all entries about a customer, forget his state, and remember by a digest alone not to write to him.

    One transaction: nobody can append an entry about him in the middle of it. A customer of whom nothing is known is
    remembered all the same. Told again, nothing is left to empty, and a second entry says so.

    Args:
        request: The number of his request, for the receipt; never anything about him.
        keep_kinds: Kinds of entries that the law lets you keep, such as `consent` as proof against claims.
    """
    keys = keys_of(database, now=now)
    digest = keys.suppression_digest(customer_id).hex()
    with database.write() as connection:
        load_head(connection, lock=True)
        rows = connection.execute(
            select(ledger.c.number, ledger.c.kind).where(ledger.c.customer_id == customer_id)
        ).all()
        numbers = [row.number for row in rows if row.kind not in keep_kinds]
        event = Event(
            key=key_of("erased", digest, request, now),
            kind="erased",
            customer_id="",
            happened_at=now,
            payload={"numbers": ranges_of(numbers), "digest": digest, "reason": reason, "request": request},
            by=by,
        )
        done = append(connection, prepare([event], keys), now=now, keys=keys)
        suppress(connection, customer_id, since=now, reason=reason, number=done.numbers[0], keys=keys)
        erase(connection, numbers)
        drop_states(connection, [customer_id])
        reservations.forget(connection, customer_id)
        if len(rows) > len(numbers):
            rebuild_states(connection, [customer_id])
    _off_the_disk(database)
    return ErasedEntries(
        entries=len(numbers),
        kept=len(rows) - len(numbers),
        number=done.numbers[0],
        chain=done.head.chain,
        digest=digest,
    )


def _off_the_disk(database: Database) -> None:
    """SQLite keeps the old pages in its log until it is written back; PostgreSQL does both in its own time (vacuum)."""
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            plain = connection.connection.cursor()
            plain.execute("pragma wal_checkpoint(truncate)")
            plain.fetchall()
            plain.close()
