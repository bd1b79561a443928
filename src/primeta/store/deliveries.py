"""What was delivered to whom: a subject is claimed before it is sent, so that it goes out once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeta.store.schema import deliveries, delivery_hours, feeds
from primeta.store.times import aware, naive

KeptState = Literal["sending", "delivered", "deferred", "refused", "unclear"]
SENDING_AT_MOST = timedelta(minutes=10)
"""A claim that is older belongs to a process that has died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One subject on one channel, as it stands."""

    channel: str
    subject: str
    """`digest 2026-W46`, `review TREND 2026-12-31 due`."""
    state: KeptState
    why: str = ""
    answer: str = ""
    accepted: frozenset[str] = frozenset()
    tries: int = 0
    first_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed's secret and the id that its entries carry for ever."""

    id: str
    token: str


def load_deliveries(connection: Connection, channel: str | None = None) -> tuple[Delivery, ...]:
    """What was sent or tried, the latest first."""
    query = select(deliveries).order_by(deliveries.c.at.desc(), deliveries.c.channel, deliveries.c.subject)
    if channel is not None:
        query = query.where(deliveries.c.channel == channel)
    return tuple(_delivery(row) for row in connection.execute(query).mappings())


def claim(
    connection: Connection,
    channel: str,
    subject: str,
    *,
    now: datetime,
    again: bool = False,
    alone: bool = False,
) -> tuple[bool, Delivery]:
    """Take a subject for sending, unless it was delivered or another process sends it.

    Args:
        again: Also what was delivered, refused or broken off.
        alone: No other process can be sending now: a claim that is found belongs to a dead one.
    Returns:
        Whether it may be sent, and the row as it was (a new one as it is).
    """
    where = (deliveries.c.channel == channel) & (deliveries.c.subject == subject)
    row = connection.execute(select(deliveries).where(where).with_for_update()).mappings().first()
    if row is None:
        fresh = {"state": "sending", "why": "", "answer": "", "accepted": [], "tries": 0}
        times = {"first_at": naive(now), "at": naive(now)}
        try:
            with connection.begin_nested():
                new = {"channel": channel, "subject": subject, **fresh, **times}
                connection.execute(insert(deliveries).values(new))
        except IntegrityError:
            # On a shared database another machine was faster; it sends.
            return False, _delivery(connection.execute(select(deliveries).where(where)).mappings().one())
        return True, Delivery(channel=channel, subject=subject, state="sending", first_at=now, at=now)
    kept = _delivery(row)
    if kept.state == "sending" and (alone or now - kept.at > SENDING_AT_MOST):
        kept = Delivery(
            channel=channel,
            subject=subject,
            state="unclear",
            why="died",
            accepted=kept.accepted,
            tries=kept.tries,
            first_at=kept.first_at,
            at=kept.at,
        )
        connection.execute(update(deliveries).where(where).values(state="unclear", why="died"))
    if kept.state == "sending" or (kept.state in ("delivered", "unclear") and not again):
        return False, kept
    # Sent again from the start only where everybody had it; else to those who had not.
    whole = {"accepted": []} if kept.state == "delivered" else {}
    values = {"state": "sending", "at": naive(now)} | whole
    connection.execute(update(deliveries).where(where).values(values))
    return True, kept


def settle(
    connection: Connection,
    channel: str,
    subject: str,
    *,
    state: KeptState,
    why: str,
    answer: str,
    accepted: frozenset[str],
    tries: int,
    now: datetime,
) -> None:
    """Write down what became of a claimed subject; `tries` are added to those before."""
    where = (deliveries.c.channel == channel) & (deliveries.c.subject == subject)
    connection.execute(
        update(deliveries)
        .where(where)
        .values(
            state=state,
            why=why,
            answer=answer,
            accepted=sorted(accepted),
            tries=deliveries.c.tries + tries,
            at=naive(now),
        )
    )


def last_worked_off(connection: Connection, channel: str) -> datetime | None:
    """The last hour of the channel's schedule that was worked off; None where it was never seen."""
    hour = connection.scalar(select(delivery_hours.c.hour).where(delivery_hours.c.channel == channel))
    return None if hour is None else aware(hour)


def work_off(connection: Connection, channel: str, hour: datetime) -> None:
    where = delivery_hours.c.channel == channel
    if not connection.execute(update(delivery_hours).where(where).values(hour=naive(hour))).rowcount:
        connection.execute(insert(delivery_hours).values(channel=channel, hour=naive(hour)))


def load_feed(connection: Connection, name: str) -> Feed | None:
    row = connection.execute(select(feeds).where(feeds.c.name == name)).mappings().first()
    return None if row is None else Feed(id=row["id"], token=row["token"])


def make_feed(connection: Connection, name: str, *, by: str, now: datetime) -> Feed:
    """A feed with a new secret; the id of one that exists stays."""
    kept = load_feed(connection, name)
    made = Feed(id=kept.id if kept else secrets.token_hex(8), token=secrets.token_urlsafe(32))
    values = {"id": made.id, "token": made.token, "at": naive(now), "by": by}
    if kept:
        connection.execute(update(feeds).where(feeds.c.name == name).values(values))
    else:
        connection.execute(insert(feeds).values(name=name, **values))
    return made


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(
        channel=row["channel"],
        subject=row["subject"],
        state=row["state"],
        why=row["why"],
        answer=row["answer"],
        accepted=frozenset(row["accepted"]),
        tries=row["tries"],
        first_at=aware(row["first_at"]),
        at=aware(row["at"]),
    )
