"""When a channel's hour comes: by the workspace's wall clock, through changes of summer time.

An hour that a day skips is taken an hour later, one that a day has twice comes once. A run that was
missed, however many of them, is caught up once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from primeta.config import WEEKDAYS, DeliveryConfig

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

LOOK_AGAIN = timedelta(minutes=10)
"""How often what was put off, or missed while the machine slept, is looked for."""


def is_day(channel: DeliveryConfig, day: date) -> bool:
    """Whether the channel has an hour on that day."""
    if channel.every == "week":
        return day.weekday() == WEEKDAYS.index(channel.on)
    return channel.every == "day" or day.weekday() < 5


def hour_of(channel: DeliveryConfig, day: date, zone: ZoneInfo) -> datetime:
    """The channel's hour on a day, in UTC."""
    # The first of two equal hours (fold 0). In a gap Python takes the offset from before it, which lands as
    # long after the gap as the hour lay within it: PEP 495.
    return datetime.combine(day, channel.at, tzinfo=zone).astimezone(UTC)


def last_hour(channel: DeliveryConfig, now: datetime, zone: ZoneInfo) -> datetime:
    """The latest hour of the channel at or before `now`, in UTC."""
    day = now.astimezone(zone).date()
    for back in range(9):
        before = day - timedelta(days=back)
        if is_day(channel, before) and hour_of(channel, before, zone) <= now:
            return hour_of(channel, before, zone)
    raise AssertionError("a week has every weekday")


def next_hour(channel: DeliveryConfig, after: datetime, zone: ZoneInfo) -> datetime:
    """The first hour of the channel after `after`, in UTC."""
    day = after.astimezone(zone).date()
    for on in range(9):
        later = day + timedelta(days=on)
        if is_day(channel, later) and hour_of(channel, later, zone) > after:
            return hour_of(channel, later, zone)
    raise AssertionError("a week has every weekday")


def scheduler(
    channels: Iterable[DeliveryConfig],
    *,
    zone: ZoneInfo,
    run: Callable[[], Any],
    now: datetime,
    look_again: timedelta = LOOK_AGAIN,
) -> BackgroundScheduler:
    """A scheduler, not started, that calls `run` at each channel's hour, at once and every ten minutes.

    `run` finds out by itself what is due: a call too many does nothing.
    """
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.base import BaseTrigger
    from apscheduler.triggers.interval import IntervalTrigger

    class ChannelHour(BaseTrigger):
        def __init__(self, channel: DeliveryConfig):
            self.channel = channel

        def get_next_fire_time(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, previous_fire_time: datetime | None, now: datetime
        ) -> datetime:
            after = max(previous_fire_time or now - timedelta(microseconds=1), now - timedelta(days=1))
            return next_hour(self.channel, after, zone)

    made = BackgroundScheduler(
        timezone=UTC,
        executors={"default": {"type": "threadpool", "max_workers": 1}},
        # However late the machine wakes up, a missed hour is worth one run.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    for channel in channels:
        made.add_job(run, ChannelHour(channel), id=f"channel {channel.name}")
    made.add_job(
        run,
        IntervalTrigger(seconds=int(look_again.total_seconds()), timezone=UTC),
        id="look again",
        next_run_time=now,
    )
    return made
