"""The workspace's secret, made on first use and never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from primeta.privacy.keys import Keys, new_secret
from primeta.store.database import Database
from primeta.store.schema import privacy_keys
from primeta.store.times import naive

WORKSPACE = "workspace"


def load_keys(connection: Connection) -> Keys | None:
    """The keys; None before the first use."""
    secret = connection.scalar(select(privacy_keys.c.secret).where(privacy_keys.c.name == WORKSPACE))
    return None if secret is None else Keys(bytes(secret))


def keys_of(database: Database, *, now: datetime) -> Keys:
    """The keys of a workspace. Two processes that make them at once get the same."""
    with database.read() as connection:
        kept = load_keys(connection)
    if kept is not None:
        return kept
    with database.write() as connection:
        kept = load_keys(connection)
        if kept is None:
            try:
                with connection.begin_nested():
                    connection.execute(
                        insert(privacy_keys).values(name=WORKSPACE, secret=new_secret(), made_at=naive(now))
                    )
            except IntegrityError:
                # On a shared database another process was faster.
                pass
            kept = load_keys(connection)
    assert kept is not None
    return kept
