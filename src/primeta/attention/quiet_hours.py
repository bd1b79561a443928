"""Hours of the day where the customer lives: whether a moment lies in them, and exactly when they end.

Hours are a pair (from, to) of whole hours 0–24, from inclusive, to exclusive; (22, 8) goes over midnight. Clocks that
are put forward or back are those of the customer's own zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)


@lru_cache(maxsize=16384)
def within(at: datetime, zone: ZoneInfo, hours: tuple[int, int]) -> bool:
    """Whether the wall clock in this zone stands between the hours."""
    begin, end = hours
    hour = at.astimezone(zone).hour
    if begin < end:
        return begin <= hour < end
    return begin != end and (hour >= begin or hour < end)


@lru_cache(maxsize=16384)
def end_of(at: datetime, zone: ZoneInfo, hours: tuple[int, int]) -> datetime | None:
    """The first moment from `at` on (UTC) outside the hours; None: they never end."""
    begin, end = hours
    if (begin, end) == (0, 24):
        return None
    return _until(at, zone, end % 24, lambda moment: not within(moment, zone, hours))


@lru_cache(maxsize=16384)
def start_of(at: datetime, zone: ZoneInfo, hours: tuple[int, int]) -> datetime | None:
    """The first moment from `at` on (UTC) within the hours; None: there is none."""
    begin, end = hours
    if begin == end or (begin, end) == (24, 0):
        return None
    return _until(at, zone, begin % 24, lambda moment: within(moment, zone, hours))


def _until(at: datetime, zone: ZoneInfo, hour: int, reached) -> datetime:
    """The first moment at which `reached`; it begins when the wall clock shows a full hour or is put forward."""
    moment = at.astimezone(UTC)
    if reached(moment):
        return moment
    wall = moment.astimezone(zone).replace(minute=0, second=0, microsecond=0, fold=0)
    for days in range(4):
        # An hour that the clock jumps over becomes, by the offset before the jump, the moment of the jump; an
        # hour that comes twice is met the first time, and the second time where the first lies behind.
        day = (wall.replace(tzinfo=None) + days * DAY).replace(hour=hour)
        for fold in (0, 1):
            candidate = day.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if candidate > moment and reached(candidate):
                return candidate
    # A zone in which a whole day is missing (Samoa 2011): walk.
    for _ in range(7 * 24 * 4):
        moment += timedelta(minutes=15)
        if reached(moment):
            break
    return moment


@lru_cache(maxsize=1024)
def zone_of(name: str, default: str = "UTC") -> ZoneInfo:
    """The zone of a customer; one that is not told or does not exist is the workspace's."""
    if name:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return ZoneInfo(default)
