"""The calendar's feed: what RFC 5545 demands, and entries that keep their identity."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from primeta.delivery.calendar import Entry, feed, uid

CHANGED = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)


def entry(**changes) -> Entry:
    given = {
        "kind": "review",
        "id": "t-1",
        "day": date(2026, 12, 31),
        "title": "Подвести итоги: ужин",
        "changed_at": CHANGED,
    }
    return Entry(**(given | changes))  # fmt: skip


def events(content: bytes):
    return list(Calendar.from_ical(content).walk("VEVENT"))


def test_an_entry_is_a_whole_day_with_two_alarms():
    (event,) = events(feed([entry(text="a, b; c\nd")], name="Kalina", feed_id="f"))
    # RFC 5545 §3.6.1: DTEND of a day is the day after, not included.
    assert (event["dtstart"].dt, event["dtend"].dt) == (date(2026, 12, 31), date(2027, 1, 1))
    assert event["dtstart"].params["VALUE"] == "DATE"
    assert event["dtstamp"].dt == CHANGED
    assert event["uid"] == "review-t-1@f.primeta"
    assert event["description"] == "a, b; c\nd"
    # 9 o'clock of the day before and of the day, counted from the midnight on which it begins.
    triggers = [alarm["trigger"].dt for alarm in event.walk("VALARM")]
    assert triggers == [timedelta(hours=-15), timedelta(hours=9)]


def test_a_moved_review_keeps_its_uid_and_raises_its_sequence():
    (before,) = events(feed([entry()], name="K", feed_id="f"))
    (after,) = events(feed([entry(day=date(2027, 1, 15), sequence=1)], name="K", feed_id="f"))
    assert before["uid"] == after["uid"]
    assert (before["sequence"], after["sequence"]) == (0, 1)


def test_the_same_entries_give_the_same_file_in_any_order():
    rows = [entry(id=f"t-{number}") for number in range(5)]
    assert feed(rows, name="K", feed_id="f") == feed(rows[::-1], name="K", feed_id="f")


def test_ids_that_differ_in_any_sign_have_different_uids():
    assert uid(entry(id="ужин/1"), "f") != uid(entry(id="ужин_1"), "f")
    assert uid(entry(id="a b"), "f").isascii()


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=120))
def test_any_text_gives_a_file_that_reads_back(text: str, title: str):
    content = feed([entry(title=title, text=text)], name=title, feed_id="f")
    # RFC 5545 §3.1: lines end in CRLF and hold at most 75 octets.
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert not any(sign in line for line in lines for sign in (b"\n", b"\r", b"\x00"))
    for line in lines:
        line.decode("utf-8")
    (event,) = events(content)
    assert event["uid"] == "review-t-1@f.primeta"


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_a_feed_without_entries_is_still_a_calendar(lang: str):
    calendar = Calendar.from_ical(
        feed([], name={"en": "Kalina: reviews", "ru": "Калина: сроки"}[lang], feed_id="f")
    )
    assert calendar["version"] == "2.0"
    assert calendar["x-wr-calname"] == {"en": "Kalina: reviews", "ru": "Калина: сроки"}[lang]
