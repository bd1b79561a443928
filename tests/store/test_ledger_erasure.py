"""Erasing a customer from the ledger, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from primeta.attention.chain import check
from primeta.attention.ledger import Event
from primeta.store.attention_state import load_state
from primeta.store.database import Database
from primeta.store.erasure import end_erasure, erase_customer
from primeta.store.ledger import append_all, each_entry, load_entries, load_head

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def database(state_url):
    opened = Database(state_url)
    opened.migrate()
    yield opened
    opened.close()


def consent(customer: str, at: datetime, key: str) -> Event:
    payload = {
        "processing": "marketing",
        "channel": "",
        "state": "given",
        "text": "I agree",
        "surface": "shop",
    }
    return Event(key=key, kind="consent", customer_id=customer, happened_at=at, payload=payload)


def touch(customer: str, at: datetime, key: str) -> Event:
    payload = {"message_id": key, "channel": "push", "purpose": "offer"}
    return Event(key=key, kind="touch", customer_id=customer, happened_at=at, payload=payload)


def test_nothing_of_an_erased_customer_is_left_and_the_chain_holds(database):
    ivan = [consent("ivan@example.com", NOW - DAY, "ivan-1"), touch("ivan@example.com", NOW, "ivan-2")]
    append_all(database, [ivan[0], consent("8", NOW - DAY, "k8"), ivan[1]], now=NOW)
    done = erase_customer(
        database, "ivan@example.com", now=NOW + DAY, by="Olga", reason="asked", request="17"
    )
    assert (done.entries, done.kept, done.number) == (2, 0, 4)
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
        left = [entry for entry in each_entry(connection) if "ivan" in repr(entry)]
        dumped = connection.execute(text("select * from suppressions")).all()
        assert load_state(connection, "ivan@example.com") is None
        assert load_state(connection, "8") is not None
    assert (found.ok, found.erased, left) == (True, 2, [])
    assert "ivan" not in repr(dumped)
    assert found.head.chain == done.chain
    # Late webhooks and an old file bring neither the entries nor the consent back.
    append_all(database, [*ivan, consent("ivan@example.com", NOW - 9 * DAY, "old file")], now=NOW + 2 * DAY)
    with database.read() as connection:
        assert load_entries(connection, "ivan@example.com") == ()
        assert load_state(connection, "ivan@example.com") is None


def test_what_happens_after_an_erasure_is_not_written_until_he_consents_anew_with_proof(database):
    append_all(database, [consent("7", NOW - DAY, "k1")], now=NOW)
    first = erase_customer(database, "7", now=NOW, by="Olga", reason="asked")
    end_erasure(database, first.number)
    late = touch("7", NOW + DAY, "m1")
    claim = Event(
        key="claim",
        kind="consent",
        customer_id="7",
        happened_at=NOW + DAY,
        payload={"processing": "marketing", "channel": "", "state": "given"},
    )
    done = append_all(database, [late, claim], now=NOW + DAY)
    assert (done.new, done.erased, done.fates) == (0, 2, ("erased", "erased"))
    back = consent("7", NOW + 2 * DAY, "k2")
    done = append_all(
        database, [touch("7", NOW - DAY, "old"), back, touch("7", NOW + 3 * DAY, "m2")], now=NOW + 3 * DAY
    )
    assert (done.new, done.erased, done.fates) == (2, 1, ("erased", "new", "new"))
    with database.read() as connection:
        state = load_state(connection, "7")
    assert state is not None
    assert not state.suppressed(at=NOW + 3 * DAY)
    assert state.standing("marketing", "push", at=NOW + 3 * DAY).given
    # Erased once more, all of it counts anew.
    erase_customer(database, "7", now=NOW + 4 * DAY, by="Olga", reason="asked")
    assert append_all(database, [touch("7", NOW + 5 * DAY, "m3")], now=NOW + 5 * DAY).erased == 1


def test_nothing_of_him_stays_readable_in_the_file(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite'}")
    database.migrate()
    events = [
        touch(name, NOW, f"{name}-{n}")
        for n in range(40)
        for name in ("ivan@example.com", "olga@example.com")
    ]
    append_all(database, events, now=NOW)
    erase_customer(database, "ivan@example.com", now=NOW, by="Olga", reason="asked")
    files = b"".join(file.read_bytes() for file in tmp_path.glob("state.sqlite*"))
    database.close()
    assert b"ivan@example.com" not in files
    assert b"olga@example.com" in files


def test_what_the_law_lets_one_keep_stays_with_a_state_that_forbids(database):
    append_all(database, [consent("7", NOW - DAY, "k1"), touch("7", NOW, "k2")], now=NOW)
    done = erase_customer(database, "7", now=NOW + DAY, by="Olga", reason="asked", keep_kinds=("consent",))
    with database.read() as connection:
        found = check(each_entry(connection), head=load_head(connection))
        state = load_state(connection, "7")
    assert (done.entries, done.kept, found.ok) == (1, 1, True)
    assert state is not None
    assert state.touches == ()
    assert not state.standing("marketing", "push", at=NOW + DAY).given


def test_erased_twice_or_never_known(database):
    append_all(database, [consent("7", NOW - DAY, "k1")], now=NOW)
    first = erase_customer(database, "7", now=NOW, by="Olga", reason="asked")
    end_erasure(database, first.number)
    again = erase_customer(database, "7", now=NOW + DAY, by="Olga", reason="asked")
    nobody = erase_customer(database, "9", now=NOW + DAY, by="Olga", reason="asked")
    assert (first.entries, again.entries, nobody.entries) == (1, 0, 0)
    assert first.digest == again.digest != nobody.digest
    with database.read() as connection:
        assert check(each_entry(connection), head=load_head(connection)).ok
