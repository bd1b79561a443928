"""Opening the state: one engine, short write transactions, errors that a person understands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from primeta.errors import BadInput, DiskFull, Locked, NewerWorkspace, PrimetaError, Unavailable

BUSY_TIMEOUT_S = 30
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """The state of one workspace on SQLite (WAL) or PostgreSQL.

    Args:
        url: A SQLAlchemy URL; `sqlite:///PATH` or `postgresql+psycopg://…`.
        busy_timeout_s: How long a write waits for another process, in seconds.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S):
        self.url = url
        try:
            self.engine = _engine(url, busy_timeout_s)
        except (SQLAlchemyError, ModuleNotFoundError, ValueError) as error:
            raise BadInput(
                f"the state address {_without_password(url)!r} cannot be used ({error}); expected "
                "sqlite:///path or postgresql+psycopg://user@host/database"
            ) from None

    def migrate(self) -> None:
        """Bring an empty or older database to this version's schema.

        Raises:
            NewerWorkspace: a newer Primeta wrote it; nothing was touched.
        """
        script = ScriptDirectory.from_config(self._alembic())
        with self.read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == script.get_current_head():
            return
        if current is not None and current not in {entry.revision for entry in script.walk_revisions()}:
            raise NewerWorkspace(
                f"this workspace was written by a newer Primeta (its state is at revision {current}, "
                f"this version knows up to {script.get_current_head()}). Install the newer version; "
                "nothing was changed."
            )
        with self.write() as connection:
            # A second process may have migrated while this one waited for the lock.
            if MigrationContext.configure(connection).get_current_revision() != script.get_current_head():
                configuration = self._alembic()
                configuration.attributes["connection"] = connection
                command.upgrade(configuration, "head")

    def _alembic(self) -> AlembicConfig:
        configuration = AlembicConfig()
        configuration.set_main_option("script_location", str(MIGRATIONS))
        logging.getLogger("alembic").setLevel(logging.WARNING)
        return configuration

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading one consistent picture."""
        with _told(self.url), self.engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One short transaction: all of it or nothing. Compute before you open it."""
        with (
            _told(self.url),
            self.engine.connect().execution_options(primeta_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str, busy_timeout_s: float) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # pysqlite's own implicit BEGIN is deferred: two writers would deadlock on the upgrade.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"pragma busy_timeout = {int(busy_timeout_s * 1000)}")
        cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma synchronous = full")
        # What is deleted or overwritten is zeroed in its page, so that an erasure finds no copy left behind.
        cursor.execute("pragma secure_delete = on")
        cursor.execute("pragma foreign_keys = on")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get("primeta_write")
        connection.exec_driver_sql("begin immediate" if is_write else "begin")

    return engine


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn a database's complaint into one of ours, in plain words."""
    try:
        yield
    except PrimetaError:
        raise
    except (OperationalError, DatabaseError) as error:
        raise _plain(error, url) from None


def _plain(error: DatabaseError, url: str) -> PrimetaError:
    cause = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error).__name__
    where = _without_password(url)
    if "locked" in cause or "could not obtain lock" in cause:
        return Locked(
            f"another process holds the state ({where}) for longer than {BUSY_TIMEOUT_S} s; "
            "wait until it has finished, then run the command again. Nothing was written."
        )
    if "disk is full" in cause or "disk I/O error" in cause or "No space left" in cause:
        return DiskFull(
            f"there is no room to write the state ({where}): {cause}. Free some space and run the "
            "command again; nothing was half-written."
        )
    if "file is not a database" in cause or "malformed" in cause:
        return BadInput(f"{where} is no Primeta state ({cause}); restore it from a backup or move it away")
    if "readonly" in cause or "unable to open" in cause:
        return Unavailable(f"the state ({where}) cannot be opened for writing: {cause}; check the rights")
    return Unavailable(f"the state ({where}) does not answer: {cause}")


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    if not at:
        return url.removeprefix("sqlite:///")
    scheme, _, login = head.partition("://")
    return f"{scheme}://{login.partition(':')[0]}@{tail}"
