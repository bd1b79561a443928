"""Quiet hours end when the wall clock where the customer lives says so, also when it is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.quiet_hours import end_of, start_of, within, zone_of


@pytest.mark.parametrize(
    ("zone", "at", "hours", "end"),
    [
        # Moscow has had UTC+3 all the year since 2014.
        ("Europe/Moscow", "2026-11-26T20:00", (21, 9), "2026-11-27T06:00"),
        # New York puts its clock forward on 2026-03-08 at 2:00 (EST, −5): 9:00 EDT is 13:00 UTC.
        ("America/New_York", "2026-03-08T06:30", (21, 9), "2026-03-08T13:00"),
        # The hour at which they end is jumped over: they end when the clock jumps, 7:00 UTC.
        ("America/New_York", "2026-03-08T06:30", (23, 2), "2026-03-08T07:00"),
        # Berlin puts it back on 2026-10-25 at 3:00 (CEST): 3:00 comes at 2:00 UTC, an hour later than the day before.
        ("Europe/Berlin", "2026-10-24T23:30", (22, 3), "2026-10-25T02:00"),
        # Lord Howe moves by half an hour on 2026-10-04 at 2:00 (+10:30): 15:30 UTC.
        ("Australia/Lord_Howe", "2026-10-03T15:00", (22, 2), "2026-10-03T15:30"),
    ],
)
def test_the_end_of_quiet_hours(zone, at, hours, end):
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert end_of(moment, ZoneInfo(zone), hours) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@given(
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"]
    ),
    st.integers(0, 24),
    st.integers(0, 24),
    st.integers(0, 2 * 365 * 24 * 4),
)
@settings(max_examples=60, deadline=None)
def test_ends_and_starts_agree_with_looking_at_the_clock_every_quarter_of_an_hour(zone, begin, end, quarter):
    there, step = ZoneInfo(zone), timedelta(minutes=15)
    at = datetime(2026, 1, 1, tzinfo=UTC) + quarter * step
    moments = [at + number * step for number in range(27 * 4)]
    inside = [within(moment, there, (begin, end)) for moment in moments]
    out = next((moment for moment, yes in zip(moments, inside, strict=True) if not yes), None)
    into = next((moment for moment, yes in zip(moments, inside, strict=True) if yes), None)
    assert end_of(at, there, (begin, end)) == out
    assert start_of(at, there, (begin, end)) == into


def test_a_zone_that_does_not_exist_is_the_workspaces():
    assert zone_of("Mars/Olympus", "Europe/Moscow") == ZoneInfo("Europe/Moscow")
    assert zone_of("", "Europe/Moscow") == ZoneInfo("Europe/Moscow")
