"""The ledger as it is kept: appended in batches under one lock, numbered without gaps, told twice written once.

Writers compute before they open the transaction (`prepare`); inside, the row of the head is locked, numbers and
chain are given, and the states of the customers follow in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from primeta.attention.chain import EMPTY, Head, link, stamp
from primeta.attention.fold import Told, extend, fold, newcomer
from primeta.attention.ledger import Event
from primeta.attention.records import Entry
from primeta.privacy.keys import Keys
from primeta.store.attention_state import AT_ONCE, load_states, save_states
from primeta.store.database import Database
from primeta.store.erased import barred, erased_among, lift
from primeta.store.keys import keys_of, load_keys
from primeta.store.ledger_rows import insert_rows, kept_content, kept_time, known_numbers, same_as_kept
from primeta.store.prepared import Prepared, prepare, same, under_own_key
from primeta.store.schema import RARE, ledger, ledger_head, suppressions
from primeta.store.times import aware, naive

Fate = Literal["new", "known", "both", "erased"]
"""Written; told before; written beside another that has its key; about an erased customer: not written."""
_payload = msgspec.json.Decoder(dict[str, Any]).decode
BATCH = 5_000
"""Entries in one transaction of `append_all`: other writers wait no longer than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What came of an append."""

    new: int
    duplicates: int
    """Told before, word for word, or erased since: nothing was written."""
    conflicts: int
    """Same key, other content: both are kept, the second under a key of its own; among `new`."""
    numbers: tuple[int, ...]
    """Of each event in the order given; of a duplicate its entry's, 0 where it stands in the batch twice."""
    head: Head
    clock_behind: bool = False
    """The ledger's last time was later than `now`, and was kept."""
    fates: tuple[Fate, ...] = ()
    """Of each event in the order given."""
    erased: int = 0
    """About customers who were erased: not written."""


def append_all(database: Database, events: Iterable[Event], *, now: datetime, batch: int = BATCH) -> Appended:
    """Write events in batches, each in a transaction of its own; after a kill, tell all of them again.

    Args:
        now: When they are learnt; where the ledger is ahead of this clock, its last time is taken.
    Raises:
        BadInput: an event cannot be kept; batches before it are written.
        Locked: another process holds the state too long.
    """
    keys = keys_of(database, now=now)
    new = duplicates = conflicts = erased = 0
    behind = False
    numbers: list[int] = []
    fates: list[Fate] = []
    last = EMPTY
    waiting: list[Event] = []

    def write() -> None:
        nonlocal new, duplicates, conflicts, erased, last, behind
        prepared = prepare(waiting, keys)
        with database.write() as connection:
            done = append(connection, prepared, now=now, keys=keys)
        waiting.clear()
        new, duplicates, conflicts = new + done.new, duplicates + done.duplicates, conflicts + done.conflicts
        erased += done.erased
        numbers.extend(done.numbers)
        fates.extend(done.fates)
        last, behind = done.head, behind or done.clock_behind

    for event in events:
        waiting.append(event)
        if len(waiting) >= batch:
            write()
    if waiting or not numbers:
        write()
    return Appended(
        new=new,
        duplicates=duplicates,
        conflicts=conflicts,
        numbers=tuple(numbers),
        head=last,
        clock_behind=behind,
        fates=tuple(fates),
        erased=erased,
    )


def append(connection: Connection, prepared: Sequence[Prepared], *, now: datetime, keys: Keys) -> Appended:
    """Write prepared events inside a write transaction: all or none."""
    head = load_head(connection, lock=True)
    known = known_numbers(connection, [entry.digest for entry in prepared])
    kept = kept_content(connection, known.values())
    numbers = [0] * len(prepared)
    fates: list[Fate] = ["known"] * len(prepared)
    taken: dict[bytes, int] = {}
    fresh: list[tuple[int, Prepared]] = []
    duplicates = conflicts = erased = 0
    learnt_at = now if head.learnt_at is None else max(now, head.learnt_at)
    about = {entry.event.customer_id for entry in prepared} - {""}
    shut, back = barred(
        erased_among(connection, about, keys=keys),
        [entry.event for entry in prepared],
        learnt_at=learnt_at,
    )
    for place, entry in enumerate(prepared):
        digest = entry.digest
        number = known.get(digest)
        if place in shut and number is None:
            fates[place] = "erased"
            erased += 1
            continue
        if number is None and digest not in taken:
            taken[digest] = place
            fates[place] = "new"
            fresh.append((place, entry))
            continue
        if same(prepared[taken[digest]], entry) if number is None else same_as_kept(kept[number], entry):
            numbers[place] = number or 0
            duplicates += 1
            continue
        if place in shut:
            fates[place] = "erased"
            erased += 1
            continue
        other = under_own_key(entry, keys)
        again = known_numbers(connection, [other.digest])
        if other.digest in again or other.digest in taken:
            numbers[place] = again.get(other.digest, 0)
            duplicates += 1
            continue
        conflicts += 1
        fates[place] = "both"
        taken[other.digest] = place
        fresh.append((place, other))
    written, as_kept = stamp(learnt_at), kept_time(connection)
    written_kept = as_kept(written)
    by_customer: dict[str, list[Told]] = {}
    rows: list[tuple[Any, ...]] = []
    chain, number = head.chain, head.number
    for place, entry in fresh:
        event, text, happened_at, salt, commitment, digest = entry
        kind, customer_id = event.kind, event.customer_id
        number += 1
        chain = link(
            chain,
            number=number,
            kind=kind,
            happened_at=happened_at,
            learnt_at=written,
            by=event.by,
            commitment=commitment,
        )
        numbers[place] = number
        rows.append(
            (
                number, event.key, digest, kind, customer_id, as_kept(happened_at), written_kept, text,
                bytes.fromhex(salt), bytes.fromhex(commitment), bytes.fromhex(chain), event.by,
            )
        )  # fmt: skip
        if customer_id:
            told = Told(event.key, kind, customer_id, event.happened_at, learnt_at, event.payload, salt)
            by_customer.setdefault(customer_id, []).append(told)
    if rows:
        insert_rows(connection, rows)
        head = Head(number=number, chain=chain, learnt_at=learnt_at)
        connection.execute(
            update(ledger_head).values(number=number, chain=bytes.fromhex(chain), learnt_at=naive(learnt_at))
        )
        _extend_states(connection, by_customer, number=number, keys=keys)
        lift(connection, back, at=learnt_at)
    return Appended(
        new=len(rows),
        duplicates=duplicates,
        conflicts=conflicts,
        numbers=tuple(numbers),
        head=head,
        clock_behind=learnt_at > now,
        fates=tuple(fates),
        erased=erased,
    )


def load_head(connection: Connection, *, lock: bool = False) -> Head:
    """The end of the chain; `lock`: nobody else appends until this transaction ends."""
    query = select(ledger_head.c.number, ledger_head.c.chain, ledger_head.c.learnt_at)
    row = connection.execute(query.with_for_update() if lock else query).one()
    return Head(
        number=row.number,
        chain=bytes(row.chain).hex(),
        learnt_at=None if row.learnt_at is None else aware(row.learnt_at),
    )


def first_learnt(connection: Connection) -> datetime | None:
    """When the first entry was written; None: the ledger is empty."""
    found = connection.scalar(select(ledger.c.learnt_at).where(ledger.c.number == 1))
    return None if found is None else aware(found)


def load_entries(
    connection: Connection, customer_id: str, *, learnt_until: datetime | None = None
) -> tuple[Entry, ...]:
    """All entries about one customer, in order."""
    query = select(ledger).where(ledger.c.customer_id == customer_id).order_by(ledger.c.number)
    if learnt_until is not None:
        query = query.where(ledger.c.learnt_at <= naive(learnt_until))
    return tuple(_entry(row) for row in connection.execute(query))


class Brief(NamedTuple):
    """As much of an entry as credit needs."""

    kind: str
    happened_at: datetime
    payload: Mapping[str, Any]
    salt: str = "kept"


def load_brief(
    connection: Connection, customers: Sequence[str], kinds: Sequence[str]
) -> dict[str, list[Brief]]:
    """Entries of some kinds of many customers, in order, without what was erased; a tenth of the time of
    `load_entries`."""
    found: dict[str, list[Brief]] = {customer: [] for customer in customers}
    sqlite = connection.dialect.name == "sqlite"
    for at in range(0, len(customers), AT_ONCE):
        some = list(customers[at : at + AT_ONCE])
        marks = ", ".join("?" * len(some)) if sqlite else ""
        of_kinds = ", ".join("?" * len(kinds)) if sqlite else ""
        query = (
            "select customer_id, kind, happened_at, payload from ledger where "
            + (
                f"customer_id in ({marks}) and kind in ({of_kinds})"
                if sqlite
                else "customer_id = any(%s) and kind = any(%s)"
            )
            + " and length(salt) > 0 order by number"
        )
        values = (*some, *kinds) if sqlite else (some, list(kinds))
        for customer, kind, happened, payload in connection.exec_driver_sql(query, values):
            moment = datetime.fromisoformat(happened) if sqlite else happened
            found[customer].append(Brief(kind, moment.replace(tzinfo=UTC), _payload(payload)))
    return found


def numbers_of(connection: Connection, event_keys: Collection[str], *, keys: Keys) -> dict[str, int]:
    """Of these keys of events those that the ledger holds, with the numbers of their entries; erased ones too."""
    digests = {keys.event_digest(key): key for key in event_keys}
    return {digests[digest]: number for digest, number in known_numbers(connection, list(digests)).items()}


def load_numbers(connection: Connection, numbers: Collection[int]) -> tuple[Entry, ...]:
    """Entries by their numbers, in order."""
    query = select(ledger).where(ledger.c.number.in_(list(numbers))).order_by(ledger.c.number)
    return tuple(_entry(row) for row in connection.execute(query))


def load_kind(connection: Connection, *kinds: str) -> tuple[Entry, ...]:
    """All entries of rare kinds (`notice`, `promise`, `wish`, `wish-confirmed`, `broken`, `suppressed`, `erased`), in
    order; other kinds give none."""
    # The condition of the index stands in the query word for word: else no database would see that it fits.
    query = select(ledger).where(RARE, ledger.c.kind.in_(kinds)).order_by(ledger.c.number)
    return tuple(_entry(row) for row in connection.execute(query))


def load_entry(connection: Connection, number: int) -> Entry | None:
    """One entry; None: there is none of this number."""
    row = connection.execute(select(ledger).where(ledger.c.number == number)).first()
    return None if row is None else _entry(row)


def load_numbered(connection: Connection, numbers: Collection[int]) -> dict[int, Entry]:
    """Entries by their numbers, those that there are; for a page of them."""
    rows = connection.execute(select(ledger).where(ledger.c.number.in_(sorted(set(numbers)))))
    return {row.number: _entry(row) for row in rows}


def wish_keys(connection: Connection) -> list[tuple[str, int]]:
    """Key and number of every wish that is not erased, the one that was said first first; their texts are not read."""
    query = select(ledger.c.key, ledger.c.number).where(RARE, ledger.c.kind == "wish", ledger.c.key != "")
    return [
        (row[0], row[1]) for row in connection.execute(query.order_by(ledger.c.happened_at, ledger.c.number))
    ]


def load_notices(connection: Connection) -> tuple[Entry, ...]:
    """Texts that were shown to everybody: consents carry their hashes."""
    query = select(ledger).where(RARE, ledger.c.kind == "notice", ledger.c.customer_id == "")
    return tuple(_entry(row) for row in connection.execute(query.order_by(ledger.c.number)))


def each_entry(connection: Connection, *, after: int = 0, page: int = 20_000) -> Iterator[Entry]:
    """Every entry in the order of its number, a page of them in memory at a time."""
    query = select(ledger).order_by(ledger.c.number).limit(page)
    while True:
        rows = connection.execute(query.where(ledger.c.number > after)).all()
        if not rows:
            return
        for row in rows:
            yield _entry(row)
        after = rows[-1].number


def head_at(connection: Connection, number: int) -> Head | None:
    """What stands at a number of the chain; None: nothing does."""
    row = connection.execute(
        select(ledger.c.chain, ledger.c.learnt_at).where(ledger.c.number == number)
    ).first()
    return (
        None
        if row is None
        else Head(number=number, chain=bytes(row.chain).hex(), learnt_at=aware(row.learnt_at))
    )


def customers_in(connection: Connection) -> tuple[str, ...]:
    """Ids of all customers of whom the ledger holds anything."""
    query = select(ledger.c.customer_id).where(ledger.c.customer_id != "").distinct()
    return tuple(connection.scalars(query))


def erase(connection: Connection, numbers: Collection[int]) -> int:
    """Empty key, customer, payload and salt of entries; the caller appends the `erased` entry that names them.

    Returns:
        How many there were.
    """
    wanted, done = sorted(set(numbers)), 0
    for at in range(0, len(wanted), AT_ONCE):
        done += connection.execute(
            update(ledger)
            .where(ledger.c.number.in_(wanted[at : at + AT_ONCE]))
            .values(key="", customer_id="", payload="", salt=b"")
        ).rowcount
    return done


def rebuild_states(connection: Connection, customers: Collection[str]) -> None:
    """Work the states of customers out of all their entries again, inside a write transaction."""
    head = load_head(connection, lock=True)
    keys = load_keys(connection)
    if keys is None:
        # The first entry makes the keys: without them there is nothing to rebuild.
        return
    forbidden = _forbidden(connection, customers, keys)
    by_customer: dict[str, list[Entry]] = {customer_id: [] for customer_id in customers}
    query = select(ledger).where(ledger.c.customer_id.in_(list(by_customer))).order_by(ledger.c.number)
    for row in connection.execute(query):
        by_customer[row.customer_id].append(_entry(row))
    # What was emptied for its age the kept states alone know: they are joined with what the ledger still says.
    before = load_states(connection, list(by_customer)) if _emptied_for_age(connection) else {}
    states = [
        extend(before[customer_id], entries)
        if customer_id in before
        else fold(entries, customer_id=customer_id, suppressed_at=forbidden.get(customer_id))
        for customer_id, entries in by_customer.items()
    ]
    save_states(connection, states, number=head.number, keys=keys)


def _emptied_for_age(connection: Connection) -> bool:
    """Whether retention has emptied any entry."""
    query = select(ledger.c.number).where(
        RARE, ledger.c.kind == "erased", ledger.c.payload.like('%"retention":%')
    )
    return connection.execute(query.limit(1)).first() is not None


def suppress(
    connection: Connection, customer_id: str, *, since: datetime, reason: str, number: int, keys: Keys
) -> None:
    """Remember by a digest alone that an erased customer must not be written; the later time of two counts.

    Args:
        number: Of the entry that says so.
    """
    digest = keys.suppression_digest(customer_id)
    known = suppressed_since(connection, customer_id, keys=keys)
    values = {
        "since": naive(since if known is None else max(since, known)),
        "reason": reason,
        "number": number,
        "lifted_at": None,
    }
    if known is None:
        connection.execute(insert(suppressions).values(digest=digest, **values))
    else:
        connection.execute(update(suppressions).where(suppressions.c.digest == digest).values(values))


def suppressed_since(connection: Connection, customer_id: str, *, keys: Keys) -> datetime | None:
    """Since when an erased customer must not be written; None: he never was erased."""
    return _forbidden(connection, [customer_id], keys).get(customer_id)


def _forbidden(connection: Connection, customers: Collection[str], keys: Keys) -> dict[str, datetime]:
    """Of these customers those who were erased, with the time since when they must not be written."""
    return {name: one.since for name, one in erased_among(connection, customers, keys=keys).items()}


def _extend_states(
    connection: Connection, by_customer: Mapping[str, Sequence[Told]], *, number: int, keys: Keys
) -> None:
    if not by_customer:
        return
    states = load_states(connection, by_customer)
    new = [customer_id for customer_id in by_customer if customer_id not in states]
    forbidden = _forbidden(connection, new, keys) if new else {}
    for customer_id in new:
        states[customer_id] = newcomer(customer_id, suppressed_at=forbidden.get(customer_id))
    for customer_id, told in by_customer.items():
        states[customer_id] = extend(states[customer_id], told)
    save_states(connection, states.values(), number=number, keys=keys)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        number=row.number,
        key=row.key,
        kind=row.kind,
        customer_id=row.customer_id,
        happened_at=aware(row.happened_at),
        learnt_at=aware(row.learnt_at),
        payload=json.loads(row.payload) if row.payload else {},
        salt=bytes(row.salt).hex(),
        commitment=bytes(row.commitment).hex(),
        chain=bytes(row.chain).hex(),
        by=row.by,
    )
