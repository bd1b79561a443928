"""Days that hold no rows, or far fewer than the same weekday usually does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

_WEEKS = 8
_LEAST = 20
_LOW = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Days without rows and days with too few; `usual` is the weekday's median of the weeks around."""

    empty: tuple[date, ...]
    low: tuple[date, ...]
    usual: Mapping[date, float]


def daily_gaps(rows: Mapping[date, int], *, last_whole: date) -> Volume:
    """Compare each day with the same weekday in the eight weeks around it.

    Args:
        rows: Day → rows; days without any may be missing.
        last_whole: The last day that is known to be whole; later ones are not judged.
    Returns:
        Days with nothing, and days below 30% of usual, where at least 20 rows are usual. A weekday
        on which a shop is closed is usual at 0 and never a gap.
    """
    if not rows:
        return Volume(empty=(), low=(), usual={})
    first = min(rows)
    empty: list[date] = []
    low: list[date] = []
    usual: dict[date, float] = {}
    day = first
    while day <= last_whole:
        around = [
            rows.get(other, 0)
            for week in range(-_WEEKS // 2, _WEEKS // 2 + 1)
            if week and first <= (other := day + timedelta(weeks=week)) <= last_whole
        ]
        if len(around) >= 3:
            expected = median(around)
            if expected >= _LEAST and rows.get(day, 0) < _LOW * expected:
                usual[day] = expected
                (low if rows.get(day, 0) else empty).append(day)
        day += timedelta(days=1)
    return Volume(empty=tuple(empty), low=tuple(low), usual=usual)


def longest_run(days: tuple[date, ...]) -> int:
    """The most days in a row."""
    best = run = 0
    for at, day in enumerate(days):
        run = run + 1 if at and day - days[at - 1] == timedelta(days=1) else 1
        best = max(best, run)
    return best
