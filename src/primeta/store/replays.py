"""Replays as they are kept: the newest of the whole year, and those of draft policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from primeta.errors import NotFound
from primeta.store.schema import attention_replays
from primeta.store.times import aware, naive

WHOLE_KEPT = 3
"""Replays of the whole year that stay, so that the last one can be compared with the one before."""
DRAFTS_KEPT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReplay:
    """One replay."""

    id: str
    at: datetime
    """When it was asked for; when it was worked out, once it was."""
    by: str
    policy: Mapping[str, Any] | None
    """Keys of `[attention]` of a draft; None: the year as it was sent."""
    seal: str
    """Of that policy."""
    mark: str
    """Changes with everything that it is made of."""
    document: Mapping[str, Any] | None
    """None: it waits for its turn."""
    code: str
    seconds: float


def save_replay(connection: Connection, kept: KeptReplay) -> None:
    """Write it, in place of one with the same id; the oldest ones go.

    One of the whole year is the newest from then on, also where the clock went backwards.
    """
    table = attention_replays
    if kept.policy is None:
        later = table.c.policy.is_(None) & (table.c.at >= naive(kept.at)) & (table.c.id != kept.id)
        connection.execute(delete(table).where(later))
    values = {
        "at": naive(kept.at),
        "by": kept.by,
        "policy": None if kept.policy is None else dict(kept.policy),
        "seal": kept.seal,
        "mark": kept.mark,
        "document": None if kept.document is None else dict(kept.document),
        "code": kept.code,
        "seconds": kept.seconds,
    }
    if not connection.execute(update(table).where(table.c.id == kept.id).values(values)).rowcount:
        connection.execute(insert(table).values(id=kept.id, **values))
    for own, most in ((table.c.policy.is_(None), WHOLE_KEPT), (table.c.policy.is_not(None), DRAFTS_KEPT)):
        newest = select(table.c.id).where(own).order_by(table.c.at.desc(), table.c.id).offset(most)
        old = list(connection.scalars(newest))
        if old:
            connection.execute(delete(table).where(table.c.id.in_(old)))


def newest_replay(connection: Connection) -> KeptReplay | None:
    """The last one of the whole year; None: there is none."""
    table = attention_replays
    query = select(table).where(table.c.policy.is_(None)).order_by(table.c.at.desc(), table.c.id).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _kept(row)


def newest_mark(connection: Connection) -> tuple[str, str, datetime] | None:
    """Id, mark and time of the newest one, without its document."""
    table = attention_replays
    query = (
        select(table.c.id, table.c.mark, table.c.at)
        .where(table.c.policy.is_(None))
        .order_by(table.c.at.desc(), table.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1], aware(row[2]))


def load_replay(connection: Connection, identity: str) -> KeptReplay:
    """One by its id.

    Raises:
        NotFound: there is none.
    """
    table = attention_replays
    row = connection.execute(select(table).where(table.c.id == identity)).mappings().first()
    if row is None:
        raise NotFound(f"there is no replay {identity!r}; it may have been superseded by newer ones")
    return _kept(row)


def load_drafts(connection: Connection) -> tuple[KeptReplay, ...]:
    """Those of draft policies, the newest first."""
    table = attention_replays
    query = select(table).where(table.c.policy.is_not(None)).order_by(table.c.at.desc(), table.c.id)
    return tuple(_kept(row) for row in connection.execute(query).mappings())


def _kept(row: RowMapping) -> KeptReplay:
    return KeptReplay(
        id=row["id"],
        at=aware(row["at"]),
        by=row["by"],
        policy=row["policy"],
        seal=row["seal"],
        mark=row["mark"],
        document=row["document"],
        code=row["code"],
        seconds=row["seconds"],
    )
