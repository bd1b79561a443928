"""Reviewers' marks of single messages: would you wait for the next one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select

from primeta.store.schema import touch_marks
from primeta.store.times import aware, naive

MarkCode = Literal["yes", "no", "neutral"]
MARKS: tuple[MarkCode, ...] = ("yes", "no", "neutral")
"""He would wait for the next one; he would not; it does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchMark:
    """What one reviewer thinks of one message."""

    message_id: str
    reviewer: str
    customer_id: str
    mark: MarkCode
    at: datetime
    note: str = ""
    channel: str = ""
    purpose: str = ""
    campaign: str = ""
    programme: str = ""


def save_mark(connection: Connection, mark: TouchMark) -> None:
    """Write a mark; the same reviewer's earlier one of the same message gives way."""
    drop_mark(connection, mark.message_id, mark.reviewer)
    connection.execute(
        insert(touch_marks).values(
            message_id=mark.message_id,
            reviewer=mark.reviewer,
            customer_id=mark.customer_id,
            mark=mark.mark,
            note=mark.note,
            channel=mark.channel,
            purpose=mark.purpose,
            campaign=mark.campaign,
            programme=mark.programme,
            at=naive(mark.at),
        )
    )


def drop_mark(connection: Connection, message_id: str, reviewer: str) -> None:
    """Take a mark back."""
    connection.execute(
        delete(touch_marks).where(touch_marks.c.message_id == message_id, touch_marks.c.reviewer == reviewer)
    )


def load_marks(connection: Connection, *, customer_id: str | None = None) -> tuple[TouchMark, ...]:
    """All marks, or those of one customer's messages, oldest first."""
    query = select(touch_marks).order_by(touch_marks.c.at, touch_marks.c.message_id, touch_marks.c.reviewer)
    if customer_id is not None:
        query = query.where(touch_marks.c.customer_id == customer_id)
    rows: Sequence[Any] = connection.execute(query).all()
    return tuple(
        TouchMark(
            message_id=row.message_id,
            reviewer=row.reviewer,
            customer_id=row.customer_id,
            mark=row.mark,
            at=aware(row.at),
            note=row.note,
            channel=row.channel,
            purpose=row.purpose,
            campaign=row.campaign,
            programme=row.programme,
        )
        for row in rows
    )


def marks_version(connection: Connection) -> tuple[int, str]:
    """Changes whenever a mark is written or taken back."""
    many, last = connection.execute(select(func.count(), func.max(touch_marks.c.at))).one()
    return int(many), "" if last is None else str(last)
