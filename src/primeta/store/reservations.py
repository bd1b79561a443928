"""Reserve, confirm, release: caps that hold while many senders write at once, on SQLite and on PostgreSQL.

One customer's reservations are taken one after another: SQLite has one writer at a time (BEGIN IMMEDIATE), on
PostgreSQL the row of the customer's state is locked first. Confirming writes the message into the ledger in the same
transaction, so that nothing that was confirmed is lost and nothing that is lost was confirmed. Each step may be told
again with the same message_id after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.records import Answer, Entry, Purpose, Question
from primeta.attention.reserve import HELD_FOR, Held, checked_message, decision_event, touch_event
from primeta.errors import Conflict
from primeta.store.attention_state import save_credit, unpack
from primeta.store.database import Database
from primeta.store.keys import keys_of
from primeta.store.ledger import append, load_entries, load_head, prepare
from primeta.store.schema import attention_states, reservations, suppressions
from primeta.store.times import aware, naive

Decide = Callable[[CustomerState | None, bytes | None, str, Sequence[SeenTouch]], Answer]
"""State, kept credit, zone and what else holds a place → the answer."""

Recount = Callable[[Sequence[Entry], Question, datetime], Callable[[int], bytes]]
"""A customer's entries, a message and when it was sent → his credit packed, once the number of its entry is known."""


def reserve(
    database: Database,
    question: Question,
    *,
    decide: Decide,
    back: timedelta,
    now: datetime,
    by: str,
    held_for: timedelta = HELD_FOR,
) -> Held:
    """Hold a place for a message, if it may be sent.

    Args:
        back: The longest window in which messages are counted.
    Returns:
        `reserved` with the time by which it must be confirmed; `refused` with the answer; `confirmed` where this
        message was sent before.
    Raises:
        BadInput: the question names no message or no customer.
        Conflict: this message_id belongs to another customer.
        Locked: another process holds the state too long; the sender's declared default holds.
    """
    question = checked_message(question)
    with database.write() as connection:
        state, credit, zone = locked_state(connection, question.customer_id)
        row = _row(connection, question.message_id)
        if row is not None:
            _same_customer(row, question)
            if row["state"] == "confirmed":
                return Held(message_id=question.message_id, state="confirmed")
            if row["state"] == "reserved" and aware(row["expires_at"]) > now:
                return Held(
                    message_id=question.message_id, state="reserved", expires_at=aware(row["expires_at"])
                )
        if state is not None and any(touch.message_id == question.message_id for touch in state.touches):
            return Held(message_id=question.message_id, state="confirmed")
        places = load_places(connection, question.customer_id, since=min(now, question.at) - back, now=now)
        answer = decide(state, credit, zone, places)
        if answer.allowed:
            expires = max(now, question.at) + held_for
            _hold(connection, question, answer, row is not None, now=now, expires=expires, by=by)
            return Held(message_id=question.message_id, state="reserved", answer=answer, expires_at=expires)
    _write_down(database, question, answer, now=now, by=by)
    return Held(message_id=question.message_id, state="refused", answer=answer)


def _write_down(database: Database, question: Question, answer: Answer, *, now: datetime, by: str) -> None:
    """A refusal goes into the ledger; what the lottery of caps kept back is data about caps, too.

    Nothing is written of the erased, nor of those of whom nothing is known.
    """
    if answer.rule in ("suppressed", "unknown-customer"):
        return
    events = [
        decision_event(
            question,
            allowed=False,
            rule=answer.rule,
            policy=answer.policy,
            probability=answer.probability,
            at=now,
            by=by,
            promise=answer.promise,
        )
    ]
    if answer.rule == "cap" and 0 < answer.probability < 1:
        events.append(
            touch_event(question, at=question.at, by=by, probability=1 - answer.probability, withheld=True)
        )
    keys = keys_of(database, now=now)
    prepared = prepare(events, keys)
    with database.write() as connection:
        append(connection, prepared, now=now, keys=keys)


def confirm(
    database: Database,
    question: Question,
    *,
    sent_at: datetime,
    now: datetime,
    by: str,
    recount: Recount | None = None,
) -> Held:
    """The message was sent: it goes into the ledger, and its place is taken for good.

    Also where its time was over or it was never reserved: what happened is written down.

    Args:
        recount: Works his credit out with this message, so that the next question finds what it cost; None: what is
            kept of credit stays.
    Raises:
        BadInput, Conflict, Locked: as `reserve`.
    """
    question = checked_message(question)
    keys = keys_of(database, now=now)
    seen, foreseen = 0, None
    if recount is not None:
        # Worked out before the transaction; done again in it only where somebody wrote about him meanwhile.
        with database.read() as connection:
            seen = _number(connection, question.customer_id)
            entries = load_entries(connection, question.customer_id)
            row = (
                connection.execute(
                    select(reservations).where(reservations.c.message_id == question.message_id)
                )
                .mappings()
                .first()
            )
        foreseen = recount(entries, question if row is None else _question(row), sent_at)
    with database.write() as connection:
        # Head, then state, then reservation: whoever takes more than one of them takes them in this order.
        load_head(connection, lock=True)
        locked_state(connection, question.customer_id)
        if _erased(connection, keys.suppression_digest(question.customer_id)):
            # His message was on its way while he was erased: nothing about him is written any more.
            return Held(message_id=question.message_id, state="confirmed", late=True)
        row = _row(connection, question.message_id)
        if row is not None:
            _same_customer(row, question)
            if row["state"] == "confirmed":
                return Held(message_id=question.message_id, state="confirmed")
            # What was reserved is what was sent.
            question = _question(row)
        late = row is None or row["state"] != "reserved" or aware(row["expires_at"]) < sent_at
        probability = 1.0 if row is None else row["probability"]
        events = [touch_event(question, at=sent_at, by=by, probability=probability)]
        if row is not None:
            events.append(
                decision_event(
                    question,
                    allowed=True,
                    rule="allowed",
                    policy=row["policy"],
                    probability=probability,
                    at=aware(row["made_at"]),
                    by=row["by"],
                )
            )
        before = _number(connection, question.customer_id)
        append(connection, prepare(events, keys), now=now, keys=keys)
        if recount is not None:
            if foreseen is None or before != seen:
                foreseen = recount(load_entries(connection, question.customer_id), question, sent_at)
            number = _number(connection, question.customer_id)
            save_credit(connection, {question.customer_id: foreseen(number)}, at=now)
        if row is None:
            _hold(connection, question, None, False, now=now, expires=now, by=by)
        connection.execute(
            update(reservations)
            .where(reservations.c.message_id == question.message_id)
            .values(state="confirmed", at=naive(sent_at))
        )
    return Held(message_id=question.message_id, state="confirmed", late=late)


def _number(connection: Connection, customer_id: str) -> int:
    """Of the entry up to which his state was made; 0: there is none."""
    query = select(attention_states.c.number).where(attention_states.c.customer_id == customer_id)
    return connection.scalar(query) or 0


def release(database: Database, message_id: str, *, now: datetime) -> Held:
    """The message is not going to be sent: its place is free at once. One that was sent stays."""
    with database.write() as connection:
        row = _row(connection, message_id)
        if row is not None and row["state"] == "confirmed":
            return Held(message_id=message_id, state="confirmed")
        connection.execute(
            update(reservations)
            .where((reservations.c.message_id == message_id) & (reservations.c.state == "reserved"))
            .values(state="released", expires_at=naive(now))
        )
    return Held(message_id=message_id, state="released")


def let_go(connection: Connection, stopped: Mapping[str, Collection[str]], *, now: datetime) -> int:
    """Release the places of customers who have opted out, but for service messages: a sender that asks again before it
    sends is refused.

    Args:
        stopped: Customer → channels; an empty channel is all of them.
    Returns:
        How many places there were.
    """
    table = reservations
    held = (table.c.state == "reserved") & (table.c.purpose != "service")
    query = select(table.c.customer_id).where(held, table.c.customer_id.in_(list(stopped))).distinct()
    done = 0
    for customer_id in connection.scalars(query).all():
        his = update(table).where(held, table.c.customer_id == customer_id)
        if "" not in stopped[customer_id]:
            his = his.where(table.c.channel.in_(list(stopped[customer_id])))
        done += connection.execute(his.values(state="released", expires_at=naive(now))).rowcount
    return done


def forget(connection: Connection, customer_id: str) -> int:
    """Delete all reservations of an erased customer; returns how many there were."""
    return connection.execute(delete(reservations).where(reservations.c.customer_id == customer_id)).rowcount


def load_places(
    connection: Connection, customer_id: str, *, since: datetime, now: datetime
) -> tuple[SeenTouch, ...]:
    """Messages of a customer that hold a place or were confirmed, oldest first."""
    table = reservations
    rows = connection.execute(
        select(
            table.c.at,
            table.c.message_id,
            table.c.channel,
            table.c.purpose,
            table.c.campaign,
            table.c.programme,
        )
        .where(
            table.c.customer_id == customer_id,
            table.c.at > naive(since),
            or_(
                table.c.state == "confirmed",
                (table.c.state == "reserved") & (table.c.expires_at > naive(now)),
            ),
        )
        .order_by(table.c.at)
    )
    return tuple(
        SeenTouch(
            at=aware(row[0]),
            message_id=row[1],
            channel=row[2],
            purpose=row[3],
            campaign=row[4],
            programme=row[5],
        )
        for row in rows
    )


def locked_state(connection: Connection, customer_id: str) -> tuple[CustomerState | None, bytes | None, str]:
    """State, kept credit and zone of a customer; on PostgreSQL nobody else reserves for him meanwhile."""
    table = attention_states
    row = connection.execute(
        select(table.c.state, table.c.credit, table.c.zone)
        .where(table.c.customer_id == customer_id)
        .with_for_update()
    ).first()
    if row is None:
        return None, None, ""
    return unpack(bytes(row[0])), None if row[1] is None else bytes(row[1]), row[2] or ""


def _erased(connection: Connection, digest: bytes) -> bool:
    """Whether he was erased, and has not consented anew since."""
    table = suppressions
    query = select(table.c.number).where(table.c.digest == digest, table.c.lifted_at.is_(None))
    return connection.execute(query).first() is not None


def _row(connection: Connection, message_id: str) -> RowMapping | None:
    query = select(reservations).where(reservations.c.message_id == message_id).with_for_update()
    return connection.execute(query).mappings().first()


def _same_customer(row: RowMapping, question: Question) -> None:
    if row["customer_id"] != question.customer_id:
        raise Conflict(
            f"the message {question.message_id!r} was reserved for another customer; a message_id belongs to one"
        )


def _question(row: RowMapping) -> Question:
    purpose: Purpose = row["purpose"]
    return Question(
        customer_id=row["customer_id"],
        channel=row["channel"],
        purpose=purpose,
        at=aware(row["at"]),
        campaign=row["campaign"],
        programme=row["programme"],
        message_id=row["message_id"],
        personal=bool(row["personal"]),
    )


def _hold(
    connection: Connection,
    question: Question,
    answer: Answer | None,
    known: bool,
    *,
    now: datetime,
    expires: datetime,
    by: str,
) -> None:
    values = {
        "customer_id": question.customer_id,
        "channel": question.channel,
        "purpose": question.purpose,
        "campaign": question.campaign,
        "programme": question.programme,
        "personal": question.personal or None,
        "at": naive(question.at),
        "state": "reserved",
        "probability": 1.0 if answer is None else answer.probability,
        "policy": 0 if answer is None else answer.policy,
        "made_at": naive(now),
        "expires_at": naive(expires),
        "by": by,
    }
    where = reservations.c.message_id == question.message_id
    if known:
        connection.execute(update(reservations).where(where).values(**values))
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(reservations).values(message_id=question.message_id, **values))
    except IntegrityError:
        # Only where nothing is known of the customer, so that there is no row to wait at.
        raise Conflict(f"the message {question.message_id!r} is being reserved just now; ask again") from None


def expired(connection: Connection, *, now: datetime) -> int:
    """How many reservations were never confirmed nor released: senders that died."""
    table = reservations
    query = select(table.c.message_id).where(table.c.state == "reserved", table.c.expires_at <= naive(now))
    return len(connection.execute(query).all())
