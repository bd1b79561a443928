"""Operational time: a clock that runs faster in the weeks of the year in which this base orders more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput
from primeta.reactivation.histories import UNIT_DAYS, Clock, OrderLog, day_of, week_of_year

Floats = npt.NDArray[np.float64]
YEAR = 364
"""Days over which a season evens out: whole weeks."""
FEWEST_DAYS = 2 * 365
"""A season that was seen once cannot be told from a single good autumn."""
_KERNEL = np.array([0.25, 0.5, 0.25])
"""Neighbouring weeks lend each other strength; a sale of one week still stands out."""


def seasonal_clock(log: OrderLog, until_day: int, *, unit: str) -> Clock:
    """The pace of each week of the year, from the repeat orders of all customers.

    A day's orders are held against their mean over the year round it, so that growth of the base does not pass for
    season; days with less than half a year on either side are not used. Orders of each week of the year are then
    divided by what those means would have given, and the pace is scaled to mean 1.

    Raises:
        BadInput: the log is shorter than two years.
    """
    days = until_day - log.first_day + 1
    if days < FEWEST_DAYS:
        raise BadInput(
            f"--season needs two years of orders, to see every week of the year twice; the log runs from "
            f"{day_of(log.first_day)} to {day_of(until_day)} ({days} days). Leave --season out."
        )
    counts = log.per_day(log.first_day, until_day, acquired_by=until_day)
    return Clock(
        unit_days=UNIT_DAYS[unit],
        rate=pace_of(counts, np.arange(log.first_day, until_day + 1)),
        origin=log.first_day,
    )


def pace_of(counts: Floats, days: npt.NDArray[np.int64]) -> Floats:
    """(53,) relative pace of each week of the year, from orders on consecutive days."""
    half = YEAR // 2
    total = np.concatenate([[0.0], np.cumsum(counts)])
    middle = np.arange(half, len(counts) - half)
    level = (total[middle + half] - total[middle - half]) / YEAR
    week = week_of_year(days[middle])
    seen = np.bincount(week, weights=counts[middle], minlength=53)
    even = np.bincount(week, weights=level, minlength=53)
    pace = np.where(even > 0, seen / np.where(even > 0, even, 1.0), 1.0)
    around = np.concatenate([pace[-1:], pace, pace[:1]])
    # Never at a standstill: orders in a week without any in the past would be impossible.
    pace = np.maximum(np.convolve(around, _KERNEL, mode="valid"), 0.02)
    weights = np.bincount(week_of_year(np.arange(365) + 0), minlength=53)
    return pace / np.average(pace, weights=weights)
