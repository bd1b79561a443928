"""The ledger in a database: order, duplicates, states beside it, triggers, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.chain import check
from primeta.attention.ledger import Event
from primeta.store.attention_state import load_state
from primeta.store.database import Database
from primeta.store.ledger import append_all, each_entry, load_entries, load_head

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
