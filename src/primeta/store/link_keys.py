"""The keys that seal links to customers: the first is derived from the workspace's secret, later ones are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from primeta.errors import Conflict
from primeta.privacy.keys import Keys, new_secret
from primeta.store.schema import privacy_keys
from primeta.store.times import naive

NAME = "links-"
MOST_KEYS = 255


def link_secrets(connection: Connection, keys: Keys) -> dict[int, bytes]:
    """Number of a key → its secret, in the order in which they were made; all of them open links."""
    query = select(privacy_keys.c.name, privacy_keys.c.secret).where(privacy_keys.c.name.like(NAME + "%"))
    later = {int(row.name.removeprefix(NAME)): bytes(row.secret) for row in connection.execute(query)}
    return {1: keys.derived("links"), **dict(sorted(later.items()))}


def new_link_key(connection: Connection, keys: Keys, *, now: datetime) -> int:
    """A new key for links made from now on; returns its number."""
    number = max(link_secrets(connection, keys)) + 1
    if number > MOST_KEYS:
        raise Conflict(f"links can have at most {MOST_KEYS} keys, and there are so many already")
    connection.execute(
        insert(privacy_keys).values(name=f"{NAME}{number}", secret=new_secret(), made_at=naive(now))
    )
    return number
