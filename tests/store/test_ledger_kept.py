"""The ledger in a database: order, duplicates, states beside it, triggers, on SQLite and PostgreSQL."""

from __future__ import annotations

import multiprocessing
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import text

from primeta.attention.chain import check
from primeta.attention.ledger import Event, checked
from primeta.errors import BadInput, Unavailable
from primeta.store.attention_state import load_state, load_states
from primeta.store.database import Database
from primeta.store.keys import keys_of
from primeta.store.ledger import (
    append_all,
    each_entry,
    erase,
    load_entries,
    load_head,
    load_kind,
    rebuild_states,
    suppress,
)
from primeta.store.schema import RARE

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def database(state_url):
    opened = Database(state_url)
    opened.migrate()
    yield opened
    opened.close()


def consent(customer: str, state: str, at: datetime, key: str = "", channel: str = "push") -> Event:
    return Event(
        key=key or f"{customer}-{state}-{at.isoformat()}-{channel}",
        kind="consent",
        customer_id=customer,
        happened_at=at,
        payload={
            "processing": "marketing",
            "channel": channel,
            "state": state,
            "text": "I agree to receive offers",
            "surface": "checkout",
        },
    )


def test_what_is_appended_is_chained_numbered_and_known_in_the_state(database):
    yesterday = NOW - timedelta(days=1)
    done = append_all(database, [consent("007", "given", yesterday), consent("8", "refused", NOW)], now=NOW)
    assert (done.new, done.numbers) == (2, (1, 2))
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
        state = load_state(connection, "007")
        (entry,) = load_entries(connection, "007")
    assert (found.ok, found.entries, found.head) == (True, 2, done.head)
    assert entry.payload["surface"] == "checkout"
    assert state is not None
    assert state.standing("marketing", "push", at=NOW).given
    assert not state.standing("marketing", "email", at=NOW).given


def test_told_twice_is_one_entry_in_one_batch_and_in_two(database):
    event = consent("7", "given", NOW, key="webhook-1")
    first = append_all(database, [event, event], now=NOW)
    again = append_all(database, [event], now=NOW + timedelta(hours=1))
    assert (first.new, first.duplicates, first.numbers) == (1, 1, (1, 0))
    assert (again.new, again.duplicates, again.numbers, again.head) == (0, 1, (1,), first.head)


def test_the_few_wishes_among_many_touches_are_found_by_an_index(database):
    wish = Event(
        key="w1",
        kind="wish",
        customer_id="1",
        happened_at=NOW,
        payload={"means": "stop-all", "sentence": "stop"},
    )
    append_all(database, [consent(str(n), "given", NOW) for n in range(60)] + [wish], now=NOW)
    with database.read() as connection:
        assert [entry.key for entry in load_kind(connection, "wish", "wish-confirmed")] == ["w1"]
        if database.url.startswith("sqlite"):
            query = f"explain query plan select * from ledger where {RARE} and kind in ('wish')"
            assert "ix_ledger_rare" in str(connection.execute(text(query)).all())


def test_odd_letters_come_back_as_they_were(database):
    odd = (
        "tab\tand\nline",
        "back\\slash \\N \\.",
        "«ёлочки» 🌲",
        "nul \0 inside",
        "quote \" and '",
        "\ud83d half",
        "x" * 5_000,
    )
    # From 50 rows on PostgreSQL copies; fewer are inserted.
    for count_, at in ((8, 0), (80, 100)):
        events = []
        for n in range(at, at + count_):
            text_ = odd[n % len(odd)]
            plain = text_.replace("\0", "")
            events.append(
                Event(
                    key=f"{n} {plain[:40]}",
                    kind="notice",
                    customer_id=f"{plain[:20]}{n}",
                    happened_at=NOW - timedelta(microseconds=n),
                    payload={"name": "odd", "text": text_},
                    by=plain[:30],
                )
            )
        append_all(database, events, now=NOW)
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
        texts = {entry.payload["text"] for entry in each_entry(connection)}
    assert (found.ok, found.entries) == (True, 88)
    assert texts == {text_.replace("\ud83d", "?") for text_ in odd}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"happened_at": datetime(9999, 12, 31, tzinfo=UTC)}, "check the year"),
        ({"happened_at": NOW.replace(tzinfo=None)}, "no time zone"),
        ({"customer_id": "a\0b"}, "zero byte"),
        ({"key": "k" * 600}, "1 to 512 letters"),
        (
            {"payload": {"processing": "marketing", "channel": "", "state": "given", "text": "x" * 300_000}},
            "at most 200,000",
        ),
        (
            {"payload": {"processing": "marketing", "channel": "", "state": "given", "surface": object()}},
            "cannot be kept",
        ),
        (
            {"payload": {"processing": "marketing", "channel": "", "state": "given", "colour": "red"}},
            "is not known",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(change, message):
    with pytest.raises(BadInput, match=message):
        checked(replace(consent("1", "given", NOW), **change))


def test_one_key_with_two_contents_loses_neither(database):
    given = consent("7", "given", NOW - timedelta(days=2), key="webhook-1")
    withdrawn = consent("7", "withdrawn", NOW - timedelta(days=1), key="webhook-1")
    append_all(database, [given], now=NOW)
    done = append_all(database, [withdrawn, withdrawn], now=NOW)
    assert (done.new, done.duplicates, done.conflicts) == (1, 1, 1)
    assert append_all(database, [withdrawn], now=NOW).new == 0
    with database.read() as connection:
        state = load_state(connection, "7")
        assert len(load_entries(connection, "7")) == 2
    assert state is not None
    assert not state.standing("marketing", "push", at=NOW).given


def test_a_clock_that_goes_backwards_does_not_take_the_ledger_back(database):
    append_all(database, [consent("1", "given", NOW)], now=NOW)
    done = append_all(database, [consent("2", "given", NOW)], now=NOW - timedelta(days=3))
    assert (done.head.learnt_at, done.clock_behind) == (NOW, True)
    with database.read() as connection:
        assert check(each_entry(connection)).ok


def test_a_bad_event_leaves_nothing_half_written(database):
    good, bad = consent("1", "given", NOW), consent("2", "perhaps", NOW)
    with pytest.raises(BadInput, match="expected one of given, withdrawn, refused, never"):
        append_all(database, [good, bad], now=NOW)
    with database.read() as connection:
        assert load_head(connection).number == 0


FORBIDDEN = (
    "update ledger set payload = 'x' where number = 1",
    "update ledger set number = 9 where number = 1",
    "update ledger set key = '', customer_id = '', payload = '', salt = {empty}, kind = 'touch'",
    "update ledger set customer_id = ''",
    "delete from ledger",
    "delete from ledger_head",
)


def test_the_database_itself_refuses_to_change_or_delete_an_entry(database):
    append_all(database, [consent("1", "given", NOW)], now=NOW)
    empty = "x''" if database.url.startswith("sqlite") else "''::bytea"
    for statement in FORBIDDEN:
        with pytest.raises(Unavailable, match="append-only"), database.write() as connection:
            connection.execute(text(statement.replace("{empty}", empty)))


def test_an_erased_entry_is_empty_for_good_and_the_chain_holds(database):
    done = append_all(database, [consent("1", "given", NOW), consent("2", "given", NOW, key="hook")], now=NOW)
    with database.write() as connection:
        assert erase(connection, [done.numbers[1]]) == 1
    named = Event(key="e1", kind="erased", customer_id="", happened_at=NOW, payload={"numbers": [[2, 2]]})
    append_all(database, [named], now=NOW)
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
        assert load_entries(connection, "2") == ()
    assert (found.ok, found.erased) == (True, 1)
    # A late webhook of what was erased brings nothing back.
    again = append_all(database, [consent("2", "given", NOW, key="hook")], now=NOW)
    assert (again.new, again.duplicates) == (0, 1)


def test_who_was_erased_and_comes_up_again_is_not_written_on_an_old_consent(database):
    keys = keys_of(database, now=NOW)
    yesterday, tomorrow = NOW - timedelta(days=1), NOW + timedelta(days=1)
    with database.write() as connection:
        suppress(connection, "7", since=NOW, reason="asked", number=1, keys=keys)
    append_all(database, [consent("7", "given", yesterday), consent("8", "given", yesterday)], now=NOW)
    with database.read() as connection:
        states = load_states(connection, ["7", "8"])
    assert ("7" in states, states["8"].suppressed(at=NOW)) == (False, False)
    append_all(database, [consent("7", "given", tomorrow)], now=tomorrow)
    with database.write() as connection:
        before = load_states(connection, ["7"])["7"]
        rebuild_states(connection, ["7"])
        state = load_states(connection, ["7"])["7"]
    assert state == before
    assert not state.suppressed(at=tomorrow)
    assert state.standing("marketing", "push", at=tomorrow).given


TAMPERED = {
    "update ledger set payload = replace(payload, 'withdrawn', 'given') where number = 3": (3, "changed"),
    "update ledger set happened_at = learnt_at where number = 2": (2, "changed"),
    "update ledger set \"by\" = 'Mallory' where number = 4": (4, "unchained"),
    "delete from ledger where number = 3": (3, "missing"),
    "delete from ledger where number = 5": (5, "head"),
}


class Undo(Exception):
    """Ends a transaction without writing."""


def test_what_is_done_behind_the_triggers_is_found(database):
    events = [consent(str(n), "withdrawn", NOW - timedelta(days=n)) for n in range(1, 6)]
    append_all(database, events, now=NOW)
    for statement, expected in TAMPERED.items():
        with pytest.raises(Undo), database.write() as connection:
            if database.url.startswith("sqlite"):
                connection.execute(text("drop trigger ledger_is_kept"))
                connection.execute(text("drop trigger ledger_is_whole"))
            else:
                connection.execute(text("alter table ledger disable trigger all"))
            connection.execute(text(statement))
            found = check(each_entry(connection), head=load_head(connection))
            assert expected in {(fault.number, fault.kind) for fault in found.faults}
            raise Undo


def test_states_worked_out_again_are_the_same(database):
    moments = [NOW - timedelta(days=day) for day in range(6)]
    events = [consent(str(n % 3), ("given", "withdrawn")[n % 2], moments[n]) for n in range(6)]
    for event in events:
        append_all(database, [event], now=NOW)
    with database.read() as connection:
        before = load_states(connection, ["0", "1", "2"])
    with database.write() as connection:
        rebuild_states(connection, ["0", "1", "2"])
    with database.read() as connection:
        assert load_states(connection, ["0", "1", "2"]) == before
    assert len(before) == 3


def test_writers_at_once_leave_no_gap_and_lose_nothing(state_url):
    """Four threads with connections of their own; the slow test below has eight processes that are killed."""
    fresh = Database(state_url)
    fresh.migrate()
    fresh.close()

    def write(worker: int) -> None:
        mine = Database(state_url)
        for number in range(12):
            append_all(mine, [consent("1", "given", NOW, key=f"{worker}-{number}")], now=NOW)
            append_all(mine, [consent("2", "given", NOW, key=f"shared-{number}")], now=NOW)
        mine.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    database = Database(state_url)
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
    database.close()
    assert (found.ok, found.entries) == (True, 4 * 12 + 12)


def _write_for_ever(url: str, worker: int, told: str) -> None:
    """What it was told is written, it notes in a file of its own."""
    database = Database(url)
    with open(told, "a") as note:
        for number in count():
            keys = [f"{worker}-{number}-{part}" for part in range(3)]
            append_all(database, [consent(f"c{number % 5}", "given", NOW, key=key) for key in keys], now=NOW)
            note.write(f"{number}\n")
            note.flush()


@pytest.mark.slow
def test_eight_processes_killed_at_random_lose_no_entry_that_was_acknowledged(state_url, tmp_path):
    fresh = Database(state_url)
    fresh.migrate()
    fresh.close()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["primeta.store.ledger", "psycopg", "pytest"])
    chance = random.Random(6)

    def start(worker: int):
        process = context.Process(
            target=_write_for_ever, args=(state_url, worker, str(tmp_path / f"{worker}.txt"))
        )
        process.start()
        return process

    workers = {worker: start(worker) for worker in range(8)}
    time.sleep(6)
    for restart in range(8):
        time.sleep(chance.uniform(0.1, 0.5))
        victim = chance.randrange(8)
        workers[victim].kill()
        workers[victim].join()
        if restart < 4:
            # It comes again as another writer: its numbers begin anew.
            workers[victim] = start(100 + restart)
    time.sleep(4)
    for process in workers.values():
        process.kill()
        process.join()
    database = Database(state_url)
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
        keys = {entry.key for entry in each_entry(connection)}
    with database.read() as connection:
        states = load_states(connection, [f"c{n}" for n in range(5)])
    with database.write() as connection:
        rebuild_states(connection, list(states))
    with database.read() as connection:
        assert load_states(connection, list(states)) == states
    database.close()
    acknowledged = 0
    for note in tmp_path.glob("*.txt"):
        for number in note.read_text().split():
            acknowledged += 1
            assert all(f"{note.stem}-{number}-{part}" in keys for part in range(3))
    assert found.ok, found.faults
    assert acknowledged > 50
    assert found.entries == len(keys)
    # Batches are whole or not at all.
    assert found.entries % 3 == 0
