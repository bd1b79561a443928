"""Kept replays on SQLite and PostgreSQL: the newest, drafts, how many stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from primeta.errors import NotFound
from primeta.store.database import Database
from primeta.store.replays import (
    DRAFTS_KEPT,
    WHOLE_KEPT,
    KeptReplay,
    load_drafts,
    load_replay,
    newest_mark,
    newest_replay,
    save_replay,
)
from primeta.store.schema import attention_replays

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)


@pytest.fixture
def database(state_url):
    opened = Database(state_url)
    opened.migrate()
    yield opened
    opened.close()


def a_replay(identity: str, *, at: datetime = NOW, policy=None, document=None) -> KeptReplay:
    return KeptReplay(
        id=identity, at=at, by="job", policy=policy, seal="s", mark=f"mark of {identity}", document=document, code="1",
        seconds=2.5,
    )  # fmt: skip


def test_a_replay_comes_back_as_it_was_saved(database):
    whole = a_replay("r-1", document={"promises": [{"promise": "p", "share": None}]})
    draft = a_replay("d-1", policy={"caps": []})
    with database.write() as connection:
        save_replay(connection, whole)
        save_replay(connection, draft)
    with database.read() as connection:
        assert newest_replay(connection) == whole
        assert load_drafts(connection) == (draft,)
        assert newest_mark(connection) == ("r-1", "mark of r-1", NOW)
        with pytest.raises(NotFound):
            load_replay(connection, "r-2")


def test_the_one_saved_last_is_the_newest_also_where_the_clock_went_backwards(database):
    with database.write() as connection:
        save_replay(connection, a_replay("r-1", at=NOW + timedelta(days=1)))
        save_replay(connection, a_replay("r-2"))
    with database.read() as connection:
        newest = newest_replay(connection)
        assert newest is not None
        assert newest.id == "r-2"


def test_old_ones_go_drafts_and_whole_ones_apart(database):
    with database.write() as connection:
        for number in range(DRAFTS_KEPT + 4):
            at = NOW + timedelta(minutes=number)
            save_replay(connection, a_replay(f"r-{number:02d}", at=at))
            save_replay(connection, a_replay(f"d-{number:02d}", at=at, policy={}))
    with database.read() as connection:
        assert len(load_drafts(connection)) == DRAFTS_KEPT
        whole = connection.scalars(select(attention_replays.c.id).where(attention_replays.c.policy.is_(None)))
        last = range(DRAFTS_KEPT + 4 - WHOLE_KEPT, DRAFTS_KEPT + 4)
        assert sorted(whole) == [f"r-{number:02d}" for number in last]
