"""The hot read of may-send: the packed state of one customer, or of many, by primary key.

On SQLite a connection of its own reads beside all writers and never waits for them; elsewhere the database's pool.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import func, select

from primeta.attention.fold import SeenTouch
from primeta.errors import Unavailable
from primeta.store.database import Database
from primeta.store.schema import attention_policies, attention_states, reservations, suppressions
from primeta.store.times import aware, naive

AT_ONCE = 500
"""Ids in one query."""
MAPPED_BYTES = 1 << 32


class Packed(NamedTuple):
    """A row as it is kept."""

    state: bytes
    credit: bytes | None
    zone: str


def _written(moment: datetime) -> str:
    """As SQLAlchemy writes a time on SQLite; such texts are in the order of times."""
    return naive(moment).strftime("%Y-%m-%d %H:%M:%S.%f")


class StateReader:
    """Reads states; one thread at a time uses it."""

    def __init__(self, database: Database):
        self.database = database
        self.file: sqlite3.Connection | None = None
        if database.url.startswith("sqlite") and database.engine.url.database:
            path = database.engine.url.database
            try:
                self.file = sqlite3.connect(
                    f"file:{path}?mode=ro",
                    uri=True,
                    check_same_thread=False,
                    isolation_level=None,
                    timeout=1,
                    cached_statements=64,
                )
                self.file.execute(f"pragma mmap_size = {MAPPED_BYTES}")
            except sqlite3.Error as error:
                raise Unavailable(f"the state ({path}) cannot be read: {error}") from None

    def one(self, customer_id: str) -> Packed | None:
        """One customer; None: the ledger holds nothing of him."""
        if self.file is not None:
            row = self._ask(
                "select state, credit, zone from attention_states where customer_id = ?", (customer_id,)
            ).fetchone()
            return None if row is None else Packed(row[0], row[1], row[2] or "")
        return self.many([customer_id]).get(customer_id)

    def many(self, customers: Sequence[str]) -> dict[str, Packed]:
        """Those of whom there is a state."""
        wanted, found = sorted(set(customers)), {}
        for at in range(0, len(wanted), AT_ONCE):
            some = wanted[at : at + AT_ONCE]
            if self.file is not None:
                marks = ",".join("?" * len(some))
                rows = self._ask(
                    f"select customer_id, state, credit, zone from attention_states where customer_id in ({marks})",
                    some,
                )
            else:
                table = attention_states
                query = select(table.c.customer_id, table.c.state, table.c.credit, table.c.zone).where(
                    table.c.customer_id.in_(some)
                )
                with self.database.read() as connection:
                    rows = connection.execute(query).all()
            found.update(
                (
                    row[0],
                    Packed(bytes(row[1]), None if row[2] is None else bytes(row[2]), row[3] or ""),
                )
                for row in rows
            )
        return found

    def places(
        self, customers: Sequence[str], *, since: datetime, now: datetime
    ) -> dict[str, tuple[SeenTouch, ...]]:
        """Messages that hold a place, by customer; those of whom there are none are left out."""
        if self.file is not None:
            return self._places_in_file(sorted(set(customers)), since=since, now=now)
        table = reservations
        wanted = sorted(set(customers))
        query = select(
            table.c.customer_id,
            table.c.at,
            table.c.message_id,
            table.c.channel,
            table.c.purpose,
            table.c.campaign,
            table.c.programme,
        ).where(
            table.c.at > naive(since),
            (table.c.state == "confirmed")
            | ((table.c.state == "reserved") & (table.c.expires_at > naive(now))),
        )
        lists: dict[str, list[SeenTouch]] = {}
        with self.database.read() as connection:
            for at in range(0, len(wanted), AT_ONCE):
                for row in connection.execute(
                    query.where(table.c.customer_id.in_(wanted[at : at + AT_ONCE]))
                ):
                    lists.setdefault(row[0], []).append(
                        SeenTouch(
                            at=aware(row[1]),
                            message_id=row[2],
                            channel=row[3],
                            purpose=row[4],
                            campaign=row[5],
                            programme=row[6],
                        )
                    )
        return {customer: tuple(sorted(seen)) for customer, seen in lists.items()}

    def _places_in_file(
        self, customers: Sequence[str], *, since: datetime, now: datetime
    ) -> dict[str, tuple[SeenTouch, ...]]:
        assert self.file is not None
        if self._ask("select 1 from reservations limit 1").fetchone() is None:
            return {}
        lists: dict[str, list[SeenTouch]] = {}
        for begin in range(0, len(customers), AT_ONCE):
            some = customers[begin : begin + AT_ONCE]
            rows = self._ask(
                "select customer_id, at, message_id, channel, purpose, campaign, programme from reservations "
                f"where customer_id in ({','.join('?' * len(some))}) and at > ? "
                "and (state = 'confirmed' or (state = 'reserved' and expires_at > ?))",
                [*some, _written(since), _written(now)],
            )
            for row in rows:
                lists.setdefault(row[0], []).append(
                    SeenTouch(
                        at=datetime.fromisoformat(row[1]).replace(tzinfo=UTC),
                        message_id=row[2],
                        channel=row[3],
                        purpose=row[4],
                        campaign=row[5],
                        programme=row[6],
                    )
                )
        return {customer: tuple(sorted(seen)) for customer, seen in lists.items()}

    def policy_version(self) -> int:
        """Of the newest policy; 0: none was ever taken over."""
        if self.file is not None:
            return self._ask("select max(version) from attention_policies").fetchone()[0] or 0
        with self.database.read() as connection:
            return connection.scalar(select(func.max(attention_policies.c.version))) or 0

    def forbidden(self, digest: bytes) -> datetime | None:
        """Since when an erased customer must not be written to."""
        with self.database.read() as connection:
            since = connection.scalar(select(suppressions.c.since).where(suppressions.c.digest == digest))
        return None if since is None else aware(since)

    def forbidden_of(self, digests: Iterable[bytes]) -> dict[bytes, datetime]:
        """The same of many: those of whom it holds, and since when."""
        table, found = suppressions, {}
        with self.database.read() as connection:
            if connection.execute(select(table.c.number).limit(1)).first() is None:
                return found
            wanted = list(digests)
            for at in range(0, len(wanted), AT_ONCE):
                some = wanted[at : at + AT_ONCE]
                query = select(table.c.digest, table.c.since).where(table.c.digest.in_(some))
                found.update((bytes(row[0]), aware(row[1])) for row in connection.execute(query))
        return found

    def _ask(self, query: str, values: Sequence[str] = ()) -> sqlite3.Cursor:
        assert self.file is not None
        try:
            return self.file.execute(query, values)
        except sqlite3.Error as error:
            raise Unavailable(f"the state does not answer: {error}") from None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
