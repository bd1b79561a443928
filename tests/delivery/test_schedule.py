"""The hours of a channel: weekdays, zones, summer time, missed runs."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.config import DeliveryConfig
from primeta.delivery.schedule import hour_of, last_hour, next_hour, scheduler

NEW_YORK, MOSCOW = ZoneInfo("America/New_York"), ZoneInfo("Europe/Moscow")


def channel(**changes) -> DeliveryConfig:
    return DeliveryConfig(**({"name": "team", "to": "json://127.0.0.1"} | changes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_monday_nine_in_moscow_is_six_utc():
    # 2026-11-16 is a Monday; Moscow is UTC+3 the whole year.
    weekly = channel()
    assert next_hour(weekly, at("2026-11-14T00:00"), MOSCOW) == at("2026-11-16T06:00")
    assert last_hour(weekly, at("2026-11-16T06:00"), MOSCOW) == at("2026-11-16T06:00")
    assert last_hour(weekly, at("2026-11-16T05:59"), MOSCOW) == at("2026-11-09T06:00")


def test_weekdays_leave_the_weekend_out():
    # Friday the 13th, then Monday the 16th.
    assert next_hour(channel(every="weekday"), at("2026-11-13T07:00"), MOSCOW) == at("2026-11-16T06:00")


def test_nine_stays_nine_through_summer_time():
    # New York: summer time began on Sunday 2026-03-08 at 2:00 (UTC−5 to UTC−4).
    daily = channel(every="day")
    assert next_hour(daily, at("2026-03-06T20:00"), NEW_YORK) == at("2026-03-07T14:00")
    assert next_hour(daily, at("2026-03-07T20:00"), NEW_YORK) == at("2026-03-08T13:00")


def test_an_hour_that_the_day_skips_comes_an_hour_later():
    # 2:30 of 2026-03-08 does not exist in New York; 3:30 is 7:30 UTC.
    early = channel(every="day", at=time(2, 30))
    assert next_hour(early, at("2026-03-08T00:00") + timedelta(hours=5), NEW_YORK) == at("2026-03-08T07:30")


def test_an_hour_that_a_day_has_twice_comes_once():
    # 1:30 of 2026-11-01 is there twice in New York: 5:30 and 6:30 UTC.
    twice = channel(every="day", at=time(1, 30))
    first = next_hour(twice, at("2026-11-01T00:00"), NEW_YORK)
    assert first == at("2026-11-01T05:30")
    assert next_hour(twice, first, NEW_YORK) == at("2026-11-02T06:30")


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["day", "weekday", "week"]),
    st.times().map(lambda value: value.replace(microsecond=0)),
    st.sampled_from(["Europe/Moscow", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_hours_follow_each_other_without_gap_or_repeat(moment: datetime, every: str, hour: time, zone: str):
    there, one = ZoneInfo(zone), channel(every=every, at=hour)
    now = moment.replace(tzinfo=UTC)
    last, coming = last_hour(one, now, there), next_hour(one, now, there)
    assert last <= now < coming
    assert next_hour(one, last, there) == coming
    assert last_hour(one, coming, there) == coming
    assert coming - last <= timedelta(days={"day": 1, "weekday": 3, "week": 7}[every], hours=2)
    assert hour_of(one, coming.astimezone(there).date(), there) == coming


def test_the_scheduler_runs_at_once_and_again():
    ran = threading.Semaphore(0)
    hours = scheduler(
        [channel()], zone=MOSCOW, run=ran.release, now=datetime.now(UTC), look_again=timedelta(seconds=1)
    )
    hours.start()
    try:
        assert ran.acquire(timeout=5)
        assert ran.acquire(timeout=5)
        job = hours.get_job("channel team")
        assert job.next_run_time == next_hour(channel(), datetime.now(UTC), MOSCOW)
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    finally:
        hours.shutdown()


@pytest.mark.parametrize("missed", [1, 5])
def test_missed_hours_are_one_run(missed: int):
    # However many weeks were missed, the latest hour is the one that is due.
    now = at("2026-11-16T06:00") + timedelta(weeks=missed, days=2)
    assert last_hour(channel(), now, MOSCOW) == at("2026-11-16T06:00") + timedelta(weeks=missed)
