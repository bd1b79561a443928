"""Rows of the ledger by the database's own fastest way: known keys looked up, known content compared, rows written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy import text as sql

from primeta.store.attention_state import AT_ONCE
from primeta.store.prepared import Prepared
from primeta.store.times import naive

COLUMNS = (
    "number", "key", "key_digest", "kind", "customer_id", "happened_at", "learnt_at", "payload", "salt", "commitment",
    "chain", "by",
)  # fmt: skip
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
COPIED_FROM = 50
"""From so many rows on, PostgreSQL copies instead of inserting."""


def kept_time(connection: Connection) -> Callable[[str], str]:
    """From a time as it is hashed to one as it is written."""
    if connection.dialect.name == "sqlite":
        # As SQLAlchemy writes times there: a space, no Z.
        return lambda stamped: f"{stamped[:10]} {stamped[11:-1]}"
    return lambda stamped: stamped[:-1]


def insert_rows(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Write rows of COLUMNS with times by `kept_time`."""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(COLUMNS))
        connection.exec_driver_sql(f"insert into ledger ({_NAMES}) values ({marks})", rows)
        return
    if len(rows) < COPIED_FROM:
        names = [f"c{place}" for place in range(len(COLUMNS))]
        values = [dict(zip(names, row, strict=True)) for row in rows]
        marks = ", ".join(f":{name}" for name in names)
        marks = marks.replace(":c5,", "cast(:c5 as timestamp),").replace(":c6,", "cast(:c6 as timestamp),")
        connection.execute(sql(f"insert into ledger ({_NAMES}) values ({marks})"), values)
        return
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"copy ledger ({_NAMES}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def known_numbers(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """The numbers of those that the ledger holds."""
    found: dict[bytes, int] = {}
    for some in _pieces(digests):
        rows = _among(connection, "key_digest, number", "key_digest", some)
        found.update((bytes(row[0]), row[1]) for row in rows)
    return found


class Kept(NamedTuple):
    """What an entry says, as far as it is compared with what is told again."""

    kind: str
    customer_id: str
    happened_at: datetime
    payload: str
    erased: bool


def kept_content(connection: Connection, numbers: Iterable[int]) -> dict[int, Kept]:
    """What entries say, by their numbers."""
    found: dict[int, Kept] = {}
    sqlite = connection.dialect.name == "sqlite"
    for some in _pieces(sorted(set(numbers))):
        rows = _among(
            connection, "number, kind, customer_id, happened_at, payload, length(salt)", "number", some
        )
        for number, kind, customer_id, happened, payload, salted in rows:
            moment = datetime.fromisoformat(happened) if sqlite else happened
            found[number] = Kept(kind, customer_id, moment, payload, not salted)
    return found


def same_as_kept(kept: Kept, entry: Prepared) -> bool:
    """Whether an entry says what is told again; one that was erased is never written again."""
    event = entry.event
    return kept.erased or (
        kept.payload == entry.text
        and (kept.kind, kept.customer_id, kept.happened_at)
        == (event.kind, event.customer_id, naive(event.happened_at))
    )


def _pieces(values: Sequence[Any]) -> Iterable[list[Any]]:
    return (list(values[at : at + AT_ONCE]) for at in range(0, len(values), AT_ONCE))


def _among(connection: Connection, names: str, column: str, values: list[Any]) -> Iterable[Any]:
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(values))
        query = f"select {names} from ledger where {column} in ({marks})"
        return connection.exec_driver_sql(query, tuple(values))
    return connection.exec_driver_sql(f"select {names} from ledger where {column} = any(%s)", (values,))
