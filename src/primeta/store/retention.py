"""Emptying what is older than its class may be kept: in batches, each a transaction with an entry that names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from primeta.attention.chain import ranges_of
from primeta.attention.ledger import Event, key_of
from primeta.privacy.keys import Keys
from primeta.store.ledger import append, erase, prepare
from primeta.store.personal import Person, take_out
from primeta.store.schema import document_marks, documents, ledger, reservations, touch_marks
from primeta.store.times import naive

BATCH = 5_000
EMPTIED = {"emptied": "retention"}
"""The attributes of a document whose words were emptied: it is not filled again."""
_BEARS_AN_OPT_OUT = (
    '"kind":"unsubscribed"', '"kind":"complained"', '"unverifiable":true',
)  # fmt: skip
"""In the payload of a reaction: the proof of an opt-out is kept as consents are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A batch of entries that are too old."""

    numbers: tuple[int, ...]
    looked_up_to: int
    """Number of the last entry that was looked at; 0: none was left."""


def old_entries(
    connection: Connection, kind: str, *, before: datetime, after: int, limit: int = BATCH
) -> Old:
    """The next entries of a kind that happened before a time and are not empty yet, behind a number."""
    query = (
        select(ledger.c.number)
        .where(
            ledger.c.number > after,
            ledger.c.kind == kind,
            ledger.c.happened_at < naive(before),
            ledger.c.payload != "",
        )
        .order_by(ledger.c.number)
        .limit(limit)
    )
    if kind == "reaction":
        for mark in _BEARS_AN_OPT_OUT:
            query = query.where(ledger.c.payload.not_like(f"%{mark}%"))
    numbers = tuple(connection.scalars(query))
    return Old(numbers=numbers, looked_up_to=numbers[-1] if len(numbers) == limit else 0)


def empty_entries(
    connection: Connection,
    kind: str,
    numbers: Sequence[int],
    *,
    before: datetime,
    now: datetime,
    by: str,
    keys: Keys,
) -> None:
    """Empty a batch and append the entry that says so, inside a write transaction. States are not touched: what caps and
    first messages need stands in them."""
    event = Event(
        key=key_of("retention", kind, numbers[0], numbers[-1], now),
        kind="erased",
        customer_id="",
        happened_at=now,
        payload={
            "numbers": ranges_of(numbers),
            "reason": "retention",
            "retention": kind,
            "before": before.isoformat(),
        },
        by=by,
    )
    append(connection, prepare([event], keys), now=now, keys=keys)
    erase(connection, numbers)


def old_documents(
    connection: Connection, kinds: Sequence[str], *, before: datetime, limit: int = BATCH
) -> tuple[str, ...]:
    """Ids of documents of some kinds of source whose words are still there though they are too old."""
    query = select(documents.c.id).where(
        documents.c.kind.in_(list(kinds)), documents.c.at < naive(before), documents.c.text != ""
    )
    return tuple(connection.scalars(query.order_by(documents.c.number).limit(limit)))


def empty_documents(connection: Connection, ids: Sequence[str]) -> int:
    """Empty words, author, address and customer of documents, and take their quotes out; that they were there stays."""
    done = 0
    for at in range(0, len(ids), 500):
        some = list(ids[at : at + 500])
        done += connection.execute(
            update(documents)
            .where(documents.c.id.in_(some))
            .values(
                title="", text="", url="", author="", forwarded_from="", customer_id="", links=[], raw="",
                attributes=EMPTIED,
            )
        ).rowcount  # fmt: skip
        connection.execute(delete(document_marks).where(document_marks.c.document.in_(some)))
    take_out(connection, Person(ids=frozenset(ids), words=frozenset()))
    return done


def count_old(connection: Connection, kind: str, *, before: datetime) -> int:
    """How many entries of a kind are too old."""
    query = (
        select(func.count())
        .select_from(ledger)
        .where(ledger.c.kind == kind, ledger.c.happened_at < naive(before), ledger.c.payload != "")
    )
    if kind == "reaction":
        for mark in _BEARS_AN_OPT_OUT:
            query = query.where(ledger.c.payload.not_like(f"%{mark}%"))
    return int(connection.scalar(query) or 0)


def count_old_documents(connection: Connection, kinds: Sequence[str], *, before: datetime) -> int:
    query = select(func.count()).select_from(documents)
    query = query.where(documents.c.kind.in_(list(kinds)), documents.c.at < naive(before))
    return int(connection.scalar(query.where(documents.c.text != "")) or 0)


ROWS = {"reservation": reservations, "mark": touch_marks}


def count_old_rows(connection: Connection, what: str, *, before: datetime) -> int:
    table = ROWS[what]
    query = select(func.count()).select_from(table).where(table.c.at < naive(before))
    return int(connection.scalar(query) or 0)


def drop_old_rows(connection: Connection, what: str, *, before: datetime) -> int:
    """Delete rows of a table that hold a customer and are too old."""
    table = ROWS[what]
    return connection.execute(delete(table).where(table.c.at < naive(before))).rowcount
