"""The state on SQLite and PostgreSQL: migrations, round trips, conflicts, plain errors."""

from __future__ import annotations

import math
import multiprocessing
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from primeta.errors import BadInput, Conflict, Locked, NewerWorkspace
from primeta.signals.signal import Block, Frozen, Signal
from primeta.store import signals as signal_rows
from primeta.store import trends as trend_rows
from primeta.store.database import Database
from primeta.store.schema import audit
from primeta.trends.records import Card, Decision, Event, Evidence

NOW = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
NOTHING = Evidence(
    grade="noticed", since=None, origins=(), weeks=(0, 0), months=(0, 0), quarters=(0, 0), why=()
)


def a_signal(identity: str = "s-1", grade="noticed", e_value: float = 12.5) -> Signal:
    return Signal(
        id=identity,
        frozen=Frozen(
            about="orders_per_customer",
            slice="age=35-44",
            direction="down",
            since=date(2026, 10, 5),
            smallest_effect=0.02,
            first_seen=NOW,
            expected=1.31,
            origin="metric",
        ),
        observed=1.2,
        expected=1.31,
        low=-0.2,
        high=-0.02,
        e_value=e_value,
        grade=grade,
        weeks=(Block(code="2026-W45", effect=0.08, low=0.01, high=0.15, e_value=3.0, passes=True),),
        why=("below_yearly_level",),
    )


@pytest.fixture
def database(state_url):
    opened = Database(state_url)
    opened.migrate()
    yield opened
    opened.close()


def test_a_signal_comes_back_as_it_was_saved_unknown_numbers_too(database):
    signal = a_signal()
    with database.write() as connection:
        signal_rows.save_signals(connection, [signal], promise_start=date(2026, 1, 5), seen_until=NOW)
    with database.read() as connection:
        (back,) = signal_rows.load_signals(connection)
    assert all(math.isnan(half) for half in back.halves)
    assert replace(back, halves=signal.halves) == signal


def test_what_was_frozen_at_first_sight_is_never_overwritten(database):
    first, later = a_signal(), a_signal(grade="holding", e_value=800.0)
    moved_goal = replace(later, frozen=replace(later.frozen, smallest_effect=0.5, since=date(2026, 11, 2)))
    with database.write() as connection:
        signal_rows.save_signals(connection, [first], promise_start=date(2026, 1, 5), seen_until=NOW)
    with database.write() as connection:
        moves = signal_rows.save_signals(
            connection, [moved_goal], promise_start=date(2026, 1, 5), seen_until=NOW + timedelta(days=7)
        )
    assert [(move.was, move.now) for move in moves] == [("noticed", "holding")]
    with database.read() as connection:
        (back,) = signal_rows.load_signals(connection)
    assert back.frozen == first.frozen
    assert back.e_value == 800.0


def test_the_same_watch_twice_writes_nothing_twice(database):
    def watch() -> None:
        with database.write() as connection:
            signal_rows.save_signals(connection, [a_signal()], promise_start=date(2026, 1, 5), seen_until=NOW)
            signal_rows.save_run(
                connection,
                signal_rows.Run(
                    seen_until=NOW,
                    facts_version="v1",
                    promise_start=date(2026, 1, 5),
                    watched=10,
                    finished_at=NOW,
                    summary={},
                ),
            )

    watch()
    watch()
    with database.read() as connection:
        assert connection.scalar(text("select count(*) from grade_moves")) == 1
        assert connection.scalar(text("select count(*) from runs")) == 1


def test_an_edit_of_an_old_version_of_a_card_is_a_conflict(database):
    with database.write() as connection:
        trend_rows.add_trend(connection, "t-1", Card(name="Smaller baskets"), NOTHING, by="Anna", at=NOW)
        trend_rows.add_card(
            connection, "t-1", Card(name="Smaller baskets", owner="Anna"), version=1, by="Anna", at=NOW
        )
    with pytest.raises(Conflict, match="Anna meanwhile"), database.write() as connection:
        trend_rows.add_card(connection, "t-1", Card(name="Other"), version=1, by="Oleg", at=NOW)
    with database.read() as connection:
        (trend,) = trend_rows.load_trends(connection)
    assert (trend.version, trend.card.owner) == (2, "Anna")


def test_decisions_and_history_are_append_only_and_in_order(database):
    def decision(answer, at):
        return Decision(
            trend="t-1",
            answer=answer,
            criteria="+2% orders",
            due=date(2026, 12, 14),
            owner="Anna",
            decided_by="Anna",
            decided_at=at,
        )

    with database.write() as connection:
        trend_rows.add_trend(connection, "t-1", Card(name="x"), NOTHING, by="Anna", at=NOW)
        trend_rows.add_decision(connection, decision("observe", NOW))
        trend_rows.add_decision(connection, decision("experiment", NOW + timedelta(days=1)))
        for _ in range(2):
            trend_rows.add_events(connection, "t-1", [Event(at=NOW, who="primeta", kind="grade")], mark="w1")
    with database.read() as connection:
        (trend,) = trend_rows.load_trends(connection, "t-1")
    assert [entry.answer for entry in trend.decisions] == ["observe", "experiment"]
    assert trend.decision is not None
    assert trend.decision.answer == "experiment"
    assert len(trend.history) == 1


def test_a_failed_transaction_leaves_nothing_behind(database):
    with pytest.raises(RuntimeError, match="killed"), database.write() as connection:
        trend_rows.add_audit(connection, who="x", verb="x", what={}, at=NOW)
        raise RuntimeError("killed")
    with database.read() as connection:
        assert connection.scalar(text("select count(*) from audit")) == 0


def test_a_state_of_a_newer_primeta_is_refused_and_left_alone(database):
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(NewerWorkspace, match="9999"):
        database.migrate()
    with database.read() as connection:
        assert connection.scalar(text("select version_num from alembic_version")) == "9999"


def test_an_address_that_is_no_database_says_what_was_expected():
    with pytest.raises(BadInput, match="postgresql"):
        Database("nonsense://x")


def test_a_file_that_is_no_database_is_said_in_plain_words(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_bytes(
        b"this is a text file, not a database at all, and long enough to be read as a header" * 20
    )
    with pytest.raises(BadInput, match="is no Primeta state"):
        Database(f"sqlite:///{path}").migrate()


def test_a_held_database_is_reported_as_locked_and_nothing_is_written(tmp_path):
    path = tmp_path / "state.sqlite"
    ours = Database(f"sqlite:///{path}", busy_timeout_s=0.2)
    ours.migrate()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Locked, match="another process holds"), ours.write() as connection:
        trend_rows.add_audit(connection, who="x", verb="x", what={}, at=NOW)
    other.execute("rollback")
    other.close()
    with ours.read() as connection:
        assert connection.scalar(text("select count(*) from audit")) == 0


def _write_many(url: str, who: str, n: int) -> None:
    database = Database(url)
    for number in range(n):
        with database.write() as connection:
            connection.execute(
                insert(audit).values(at=datetime(2026, 1, 1), who=who, verb="test", what={"number": number})  # noqa: DTZ001
            )
    database.close()


def test_eight_processes_write_and_nothing_is_lost(state_url):
    database = Database(state_url)
    database.migrate()
    # One process imports the library (a second each) and the eight begin from there, not as copies of this one.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["primeta.store.database", "primeta.store.trend_rows", "psycopg", "pytest"]
    )
    workers = [context.Process(target=_write_many, args=(state_url, f"p{n}", 40)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    with database.read() as connection:
        assert connection.scalar(text("select count(*) from audit")) == 8 * 40
    database.close()
