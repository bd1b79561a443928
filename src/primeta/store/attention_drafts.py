"""The draft of a policy: one at a time, each save a row of its own, so that nobody's text is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeta.attention.policy import policy_from, policy_values, seal_of
from primeta.attention.records import Policy
from primeta.errors import Conflict
from primeta.store.schema import attention_drafts
from primeta.store.times import aware, naive

DraftState = Literal["draft", "dropped", "on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDraft:
    """A policy that is not in force, as it was saved."""

    number: int
    """Grows with every save; who edits names the one that he has read."""
    state: DraftState
    base: int
    """The version that was in force when it was begun."""
    policy: Policy
    seal: str
    by: str
    at: datetime


def newest_number(connection: Connection) -> int:
    """Of the last save, whatever became of it; 0 before the first."""
    table = attention_drafts
    return connection.scalar(select(table.c.number).order_by(table.c.number.desc()).limit(1)) or 0


def load_draft(connection: Connection, number: int = 0) -> KeptDraft | None:
    """The draft as it was saved last; None where there is none, or where it was switched on or dropped.

    Args:
        number: Of an earlier save instead, whatever became of it.
    """
    table = attention_drafts
    query = select(table).order_by(table.c.number.desc()).limit(1)
    if number:
        query = select(table).where(table.c.number == number)
    row = connection.execute(query).mappings().first()
    if row is None or (not number and row["state"] != "draft"):
        return None
    return _kept(row)


def save_draft(
    connection: Connection, policy: Policy, *, base: int, read: int, by: str, now: datetime
) -> KeptDraft:
    """Keep it as the draft.

    Args:
        read: Number of the newest save that its writer has seen.
    Raises:
        Conflict: somebody saved another one since.
    """
    newest = newest_number(connection)
    if newest != read:
        raise _conflict(load_draft(connection, newest))
    values = {
        "number": newest + 1,
        "state": "draft",
        "base": base,
        "policy": policy_values(policy),
        "seal": seal_of(policy),
        "by": by,
        "at": naive(now),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(attention_drafts).values(**values))
    except IntegrityError:
        raise _conflict(load_draft(connection, newest + 1)) from None
    return KeptDraft(
        number=newest + 1, state="draft", base=base, policy=policy, seal=values["seal"], by=by, at=now
    )


def settle_draft(connection: Connection, number: int, state: DraftState) -> None:
    """It was switched on or dropped.

    Raises:
        Conflict: it is not the newest save, or no draft any more.
    """
    newest = load_draft(connection)
    if newest is None or newest.number != number:
        raise changed_draft(connection)
    connection.execute(
        update(attention_drafts).where(attention_drafts.c.number == number).values(state=state)
    )


def changed_draft(connection: Connection) -> Conflict:
    """What to raise where the draft is not the one that was read."""
    return _conflict(load_draft(connection, newest_number(connection)))


def _conflict(other: KeptDraft | None) -> Conflict:
    if other is None:
        return Conflict("there is no such draft any more; look at the rules as they are now")
    told = {"draft": "saved", "dropped": "dropped", "on": "switched on"}[other.state]
    return Conflict(f"{other.by} {told} the draft (number {other.number}) meanwhile; look at it first")


def _kept(row: RowMapping) -> KeptDraft:
    policy = policy_from(row["policy"])
    return KeptDraft(
        number=row["number"],
        state=row["state"],
        base=row["base"],
        policy=policy,
        seal=seal_of(policy),
        by=row["by"],
        at=aware(row["at"]),
    )
