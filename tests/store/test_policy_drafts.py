"""Drafts, versions and counts are kept alike on SQLite and PostgreSQL; of two writers one is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.ledger import Event
from primeta.attention.policy import seal_of
from primeta.attention.records import Cap, Policy
from primeta.errors import Conflict
from primeta.store.attention_counts import KeptCount, count_states, load_count, save_count, some_states
from primeta.store.attention_drafts import load_draft, newest_number, save_draft, settle_draft
from primeta.store.database import Database
from primeta.store.ledger import append_all, load_entry, load_notices, load_numbered, wish_keys
from primeta.store.policies import load_policies, save_policy

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DRAFT = Policy(caps=(Cap(max=1, window=timedelta(days=7)),))


@pytest.fixture
def database(state_url):
    database = Database(state_url)
    database.migrate()
    yield database
    database.close()


def test_each_save_is_kept_and_who_has_not_seen_the_last_one_is_told(database):
    with database.write() as connection:
        assert newest_number(connection) == 0
        first = save_draft(connection, DRAFT, base=1, read=0, by="Anna", now=NOW)
    with pytest.raises(Conflict, match="Anna saved the draft"), database.write() as connection:
        save_draft(connection, Policy(first_useful=1), base=1, read=0, by="Boris", now=NOW)
    with database.write() as connection:
        second = save_draft(
            connection, Policy(first_useful=1), base=1, read=first.number, by="Boris", now=NOW
        )
    with database.read() as connection:
        kept, earlier = load_draft(connection), load_draft(connection, 1)
    # Unknown numbers are NaN, which equals nothing: the seal says what a policy says.
    assert (kept.number, kept.by, kept.seal) == (second.number, "Boris", seal_of(Policy(first_useful=1)))
    assert earlier.seal == seal_of(DRAFT)
    with pytest.raises(Conflict, match="Boris saved"), database.write() as connection:
        settle_draft(connection, 1, "on")
    with database.write() as connection:
        settle_draft(connection, 2, "dropped")
        assert load_draft(connection) is None
    with pytest.raises(Conflict, match="Boris dropped"), database.write() as connection:
        settle_draft(connection, 2, "on")


def test_a_version_keeps_why_it_was_switched_on(database):
    with database.write() as connection:
        save_policy(connection, Policy(), origin="file", by="primeta.toml", now=NOW)
        save_policy(connection, DRAFT, origin="page", by="Anna", now=NOW, note="a trial")
    with database.read() as connection:
        newest, first = load_policies(connection)
    assert (newest.policy.version, newest.note, first.note) == (2, "a trial", "")


def test_counts_and_single_entries(database):
    wished = {"means": "stop-all", "sentence": "stop", "channels": []}
    shown = {"name": "consent", "text": "yes"}
    events = [
        Event(key="n", kind="notice", customer_id="", happened_at=NOW, payload=shown),
        Event(key="w2", kind="wish", customer_id="b", happened_at=NOW, payload=wished),
        Event(key="w1", kind="wish", customer_id="a", happened_at=NOW - timedelta(days=1), payload=wished),
    ]
    append_all(database, events, now=NOW)
    with database.write() as connection:
        for number in (3, 4):
            kept = KeptCount(name="consents", number=number, document={"customers": 2}, by="job", at=NOW)
            save_count(connection, kept)
        assert load_count(connection, "consents") == kept
        assert load_count(connection, "checked") is None
        assert count_states(connection) == 2
        assert [customer for customer, _ in some_states(connection, after="", most=1)] == ["a"]
        assert [customer for customer, _ in some_states(connection, after="a", most=9)] == ["b"]
        # The one that was said first first.
        assert wish_keys(connection) == [("w1", 3), ("w2", 2)]
        assert [entry.key for entry in load_notices(connection)] == ["n"]
        assert set(load_numbered(connection, [2, 9])) == {2}
        assert load_entry(connection, 9) is None
