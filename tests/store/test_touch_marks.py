"""Reviewers' marks and the look-up by pseudonym as they are kept, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from primeta.attention.ledger import Event
from primeta.store.attention_state import customer_of, sample_credits, save_credit
from primeta.store.database import Database
from primeta.store.erasure import erase_customer
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, first_learnt
from primeta.store.touch_marks import MarkCode, TouchMark, drop_mark, load_marks, marks_version, save_mark

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def database(state_url):
    opened = Database(state_url)
    opened.migrate()
    yield opened
    opened.close()


def mark(
    message: str, reviewer: str, code: MarkCode, *, customer: str = "7", at: datetime = NOW
) -> TouchMark:
    return TouchMark(
        message_id=message,
        reviewer=reviewer,
        customer_id=customer,
        mark=code,
        at=at,
        note="«»",
        purpose="offer",
    )


def test_a_reviewer_has_one_mark_a_message_and_may_take_it_back(database):
    with database.write() as connection:
        save_mark(connection, mark("m1", "Anna", "yes"))
        save_mark(connection, mark("m1", "Anna", "no", at=NOW + timedelta(hours=1)))
        save_mark(connection, mark("m1", "Борис", "neutral", customer="8"))
    with database.read() as connection:
        assert [(one.reviewer, one.mark) for one in load_marks(connection)] == [
            ("Борис", "neutral"),
            ("Anna", "no"),
        ]
        assert [one.note for one in load_marks(connection, customer_id="7")] == ["«»"]
        before = marks_version(connection)
    with database.write() as connection:
        drop_mark(connection, "m1", "Anna")
    with database.read() as connection:
        assert load_marks(connection, customer_id="7") == ()
        assert marks_version(connection) != before


def test_a_customer_is_found_by_pseudonym_until_he_is_erased(database):
    event = Event(
        key="k",
        kind="touch",
        customer_id="7",
        happened_at=NOW,
        payload={"message_id": "m1", "channel": "push", "purpose": "offer"},
    )
    append_all(database, [event], now=NOW)
    pseudonym = keys_of(database, now=NOW).pseudonym("7")
    with database.write() as connection:
        save_mark(connection, mark("m1", "Anna", "yes"))
        save_credit(connection, {"7": b"{}"}, at=NOW)
    with database.read() as connection:
        assert customer_of(connection, pseudonym) == "7"
        assert sample_credits(connection, many=10) == ((pseudonym, b"{}"),)
        assert first_learnt(connection) == NOW
    erase_customer(database, "7", now=NOW + timedelta(days=1), by="Olga", reason="asked")
    with database.read() as connection:
        assert customer_of(connection, pseudonym) == ""
        assert load_marks(connection) == ()
