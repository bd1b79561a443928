"""What each day of a simulated company is like: season, weekday, promotions and what is planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput
from primeta.worlds.planted import Floats, Parameter, Planted

# Promotions: one a quarter, a week long.
PROMOTION_LIFT, PULL_FORWARD, PULL_DAYS, PROMOTION_DISCOUNTS, PROMOTION_DEPTH = 1.35, 0.85, 14, 1.8, 0.2

WEEKDAY = np.array([0.95, 0.90, 0.92, 1.00, 1.15, 1.20, 0.88])


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A week in which orders come early and at a discount."""

    name: str
    starts: date
    ends: date
    depth: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """What each day does to each parameter, for every combination of planted slices.

    `bits` lists, per parameter, what is planted on a slice; `factor[parameter]` is
    (2 ** len(bits), days), its row being the binary number of the slices a customer is in.
    """

    bits: dict[Parameter, tuple[Planted, ...]]
    factor: dict[Parameter, Floats]
    rate: Floats
    """(days,) of orders, without what is planted; about 1 on average."""
    discounts: Floats
    """(days,) what promotions multiply the chance of a discount with."""
    clock: Floats
    """(2 ** bits, days + 1) operational time: the running integral of rate × factor, in weeks."""


def draw_promotions(rng: np.random.Generator, *, start: date, weeks: int) -> tuple[Promotion, ...]:
    """One promotion in each quarter of 13 weeks, at least two weeks apart from its edges."""
    promotions = []
    for quarter in range(weeks // 13):
        starts = start + timedelta(weeks=13 * quarter + int(rng.integers(2, 10)))
        promotions.append(
            Promotion(
                name=f"promotion-{quarter + 1}",
                starts=starts,
                ends=starts + timedelta(days=7),
                depth=PROMOTION_DEPTH,
            )
        )
    return tuple(promotions)


def make_calendar(
    planted: Sequence[Planted], promotions: Sequence[Promotion], *, start: date, days: int
) -> Calendar:
    day = np.arange(days)
    season = _season(start, days)
    rate = season * WEEKDAY[day % 7]
    discounts = np.ones(days)
    for promotion in promotions:
        first = (promotion.starts - start).days
        rate[first : first + 7] *= PROMOTION_LIFT
        rate[first + 7 : first + 7 + PULL_DAYS] *= PULL_FORWARD
        discounts[first : first + 7] *= PROMOTION_DISCOUNTS
    bits: dict[Parameter, tuple[Planted, ...]] = {}
    factor: dict[Parameter, Floats] = {}
    parameters: tuple[Parameter, ...] = (
        *("order_rate", "basket", "price", "discount", "open", "unsubscribe"),
        *("copies", "tracking"),
    )
    for parameter in parameters:
        here = [entry for entry in planted if entry.parameter == parameter]
        bits[parameter] = tuple(entry for entry in here if entry.segment)
        if len(bits[parameter]) > 10:
            raise BadInput(
                f"at most 10 changes of {parameter} can be planted in slices, not {len(bits[parameter])}"
            )
        rows = np.ones((2 ** len(bits[parameter]), days))
        for entry in here:
            if not entry.segment:
                rows *= entry.by_day(start, days)
        for place, entry in enumerate(bits[parameter]):
            rows[(np.arange(len(rows)) >> place & 1) == 1] *= entry.by_day(start, days)
        factor[parameter] = rows
    clock = np.zeros((len(factor["order_rate"]), days + 1))
    np.cumsum(rate * factor["order_rate"] / 7, axis=1, out=clock[:, 1:])
    return Calendar(bits=bits, factor=factor, rate=rate, discounts=discounts, clock=clock)


def _season(start: date, days: int) -> Floats:
    """(days,) a slow yearly wave with a peak before Christmas and a pause after it."""
    dates = np.datetime64(start, "D") + np.arange(days)
    of_year = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    year = np.arange(365)

    def wave(day: npt.NDArray) -> Floats:
        value = 1 + 0.10 * np.cos(2 * np.pi * (day - 350) / 365.25)
        return value + 0.35 * ((day >= 334) & (day < 358)) - 0.15 * (day < 14)

    return wave(of_year) / wave(year).mean()
