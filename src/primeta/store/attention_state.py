"""The state of each customer as may-send reads it: one row, packed, written together with the entries.

How to ask (the hot question; no ledger is read):

    state = load_state(connection, customer_id)          # None: nothing is known of him
    state.standing("marketing", "push", at=now).given
    state.wish("push"), state.preference("max_per_week"), state.promises_at(now), state.touches, state.broken
    state.suppressed(at=now)

`pack` writes compact JSON (UTF-8), so that any reader may decode it; times are whole microseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from primeta.attention.chain import canonical
from primeta.attention.consents import Mark, Slot
from primeta.attention.fold import LONG_AGO, BrokenMark, CustomerState, SeenTouch, Wish
from primeta.attention.preferences import Setting
from primeta.privacy.keys import Keys
from primeta.store.schema import attention_states

FORMAT = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
AT_ONCE = 5_000
"""Ids in one query."""


def pack(state: CustomerState) -> bytes:
    """The state as it is kept; equal states give equal bytes."""
    packed: dict[str, Any] = {"f": FORMAT, "i": state.customer_id, "a": _us(state.as_of)}
    if state.consents:
        packed["c"] = [
            [
                *where,
                [_mark(mark) for mark in slot.given],
                slot.no and _mark(slot.no),
                slot.claim and _mark(slot.claim),
            ]
            for where, slot in sorted(state.consents.items())
        ]
    if state.preferences:
        packed["p"] = {name: [_us(kept.at), kept.value, kept.key] for name, kept in state.preferences.items()}
    if state.wishes:
        packed["w"] = [
            [
                wish.key,
                None if wish.at is None else _us(wish.at),
                wish.means,
                list(wish.channels),
                wish.asked_per_week,
                wish.granted_per_week,
                wish.verdict,
                # Confirmed as he said is what a confirmation says without this.
                *([[list(names) for names in wish.granted]] if any(wish.granted) else []),
            ]
            for _, wish in sorted(state.wishes.items())
        ]
    if state.suppressed_at is not None:
        packed["s"] = _us(state.suppressed_at)
    if state.first_touches:
        packed["t"] = [_touch(touch) for touch in state.first_touches]
        # Where all touches are among the first, they are not written twice.
        if state.touches != state.first_touches:
            packed["r"] = [_touch(touch) for touch in state.touches]
    if state.promises:
        packed["o"] = [
            [name, version, dict(told)] for (name, version), told in sorted(state.promises.items())
        ]
    if state.broken:
        packed["b"] = [
            [_us(mark.at), mark.promise, mark.version, mark.message_id, mark.channel] for mark in state.broken
        ]
    if state.notices:
        packed["n"] = {name: [_us(shown[0]), *shown[1:]] for name, shown in state.notices.items()}
    if state.unverifiable:
        packed["u"] = list(state.unverifiable)
    return canonical(packed).encode("utf-8")


def unpack(kept: bytes) -> CustomerState:
    """What `pack` wrote."""
    told = json.loads(kept)
    first = tuple(_seen(row) for row in told.get("t", ()))
    return CustomerState(
        customer_id=told["i"],
        as_of=_at(told["a"]),
        consents={
            (row[0], row[1], row[2]): Slot(
                given=tuple(_marked(mark) for mark in row[3]),
                no=row[4] and _marked(row[4]),
                claim=row[5] and _marked(row[5]),
            )
            for row in told.get("c", ())
        },
        preferences={
            name: Setting(at=_at(row[0]), value=row[1], key=row[2]) for name, row in told.get("p", {}).items()
        },
        wishes={
            row[0]: Wish(
                key=row[0],
                at=None if row[1] is None else _at(row[1]),
                means=row[2],
                channels=tuple(row[3]),
                asked_per_week=row[4],
                granted_per_week=row[5],
                verdict=row[6],
                granted=_granted(row),
            )
            for row in told.get("w", ())
        },
        suppressed_at=_at(told["s"]) if "s" in told else None,
        first_touches=first,
        touches=tuple(_seen(row) for row in told["r"]) if "r" in told else first,
        promises={(name, version): promise for name, version, promise in told.get("o", ())},
        broken=tuple(
            BrokenMark(at=_at(row[0]), promise=row[1], version=row[2], message_id=row[3], channel=row[4])
            for row in told.get("b", ())
        ),
        notices={name: (_at(row[0]), row[1], row[2], row[3]) for name, row in told.get("n", {}).items()},
        unverifiable=tuple(told.get("u", ())),
    )


def load_state(connection: Connection, customer_id: str) -> CustomerState | None:
    """One customer's state; None: the ledger holds nothing of him."""
    kept = connection.scalar(
        select(attention_states.c.state).where(attention_states.c.customer_id == customer_id)
    )
    return None if kept is None else unpack(bytes(kept))


def load_states(connection: Connection, customers: Collection[str]) -> dict[str, CustomerState]:
    """The states of those of whom there are any."""
    return {customer: unpack(kept) for customer, kept in load_packed(connection, customers).items()}


def load_packed(connection: Connection, customers: Collection[str]) -> dict[str, bytes]:
    """The same, as they are kept: for many customers at once, where not each is looked into."""
    wanted = sorted(set(customers))
    found: dict[str, bytes] = {}
    for at in range(0, len(wanted), AT_ONCE):
        some = wanted[at : at + AT_ONCE]
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(some))
            query = f"select customer_id, state from attention_states where customer_id in ({marks})"
            rows = connection.exec_driver_sql(query, tuple(some))
        else:
            query = "select customer_id, state from attention_states where customer_id = any(%s)"
            rows = connection.exec_driver_sql(query, (some,))
        found.update((row[0], bytes(row[1])) for row in rows)
    return found


_SAVE = (
    "insert into attention_states (customer_id, number, state, pseudonym) values ({0}, {0}, {0}, {0}) "
    "on conflict (customer_id) do update set number = excluded.number, state = excluded.state"
)


def save_states(connection: Connection, states: Iterable[CustomerState], *, number: int, keys: Keys) -> None:
    """Write states that hold every entry up to `number`; what is kept of credit stays."""
    # In one order everywhere: two writers on PostgreSQL would otherwise wait for each other's rows.
    rows = sorted(
        (state.customer_id, number, pack(state), keys.pseudonym(state.customer_id)) for state in states
    )
    if rows:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(_SAVE.format(mark), rows)


def customer_of(connection: Connection, pseudonym: str) -> str:
    """Whose pseudonym this is; empty: of nobody of whom there is a state."""
    query = select(attention_states.c.customer_id).where(attention_states.c.pseudonym == pseudonym)
    return connection.scalar(query) or ""


def sample_credits(connection: Connection, *, many: int) -> tuple[tuple[str, bytes], ...]:
    """Pseudonym and kept credit of the first customers in the order of pseudonyms, which are keyed hashes."""
    # Who has no credit yet is passed over here, so that the index alone says where to stop.
    table = attention_states
    rows = connection.execute(
        select(table.c.pseudonym, table.c.credit).order_by(table.c.pseudonym).limit(many)
    )
    return tuple((row.pseudonym, bytes(row.credit)) for row in rows if row.credit is not None)


def kept_credits(
    connection: Connection, *, after: str = "", many: int = 2_000
) -> tuple[tuple[str, str, bytes | None], ...]:
    """(customer, pseudonym, kept credit) of the next customers in the order of their ids."""
    table = attention_states
    rows = connection.execute(
        select(table.c.customer_id, table.c.pseudonym, table.c.credit)
        .where(table.c.customer_id > after)
        .order_by(table.c.customer_id)
        .limit(many)
    )
    return tuple(
        (row.customer_id, row.pseudonym, None if row.credit is None else bytes(row.credit)) for row in rows
    )


def save_credit(connection: Connection, credits: Mapping[str, bytes], *, at: datetime) -> None:
    """Keep what was worked out of credit beside the state of customers who have one."""
    rows = [
        {"id": customer, "credit": packed, "at": at.astimezone(UTC).replace(tzinfo=None)}
        for customer, packed in credits.items()
    ]
    if rows:
        connection.execute(
            text("update attention_states set credit = :credit, credit_at = :at where customer_id = :id"),
            rows,
        )


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def _at(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us) if us > _LONG_AGO_US else LONG_AGO


_LONG_AGO_US = (LONG_AGO - EPOCH) // _MICROSECOND


def _mark(mark: Mark) -> list[Any]:
    return [
        _us(mark.at),
        _us(mark.effective),
        mark.state,
        mark.proven,
        mark.basis,
        mark.version,
        mark.text_hash,
        mark.surface,
        mark.key,
    ]


def _marked(row: list[Any]) -> Mark:
    return Mark(
        at=_at(row[0]),
        effective=_at(row[1]),
        state=row[2],
        proven=row[3],
        basis=row[4],
        version=row[5],
        text_hash=row[6],
        surface=row[7],
        key=row[8],
    )


def _granted(row: list[Any]) -> tuple[tuple[str, ...], ...]:
    if len(row) > 7:
        return tuple(tuple(names) for names in row[7])
    return ((),) if row[6] == "confirmed" else ()


def _touch(touch: SeenTouch) -> list[Any]:
    return [_us(touch.at), touch.message_id, touch.channel, touch.purpose, touch.campaign, touch.programme]


def _seen(row: list[Any]) -> SeenTouch:
    return SeenTouch(
        at=_at(row[0]), message_id=row[1], channel=row[2], purpose=row[3], campaign=row[4], programme=row[5]
    )
