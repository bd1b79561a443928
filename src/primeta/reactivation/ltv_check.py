"""Does it fit? A model's word held against orders it had not seen, and against the counts of repeat orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.reactivation.histories import Clock, OrderLog, day_of
from primeta.reactivation.ltv_model import Base, fit_base, group_sql
from primeta.reactivation.ltv_money import money_after, people_of, worth_of
from primeta.reactivation.ltv_totals import Interval, totals_of
from primeta.reactivation.records import NAN
from primeta.stats.customer_base import ModelName, expected_new, probability_of_count
from primeta.warehouse.duck import run

Floats = npt.NDArray[np.float64]
SHORTEST_LOG_DAYS = 84
"""A shorter log leaves no part to hold back."""
HELD_SHARE = 1 / 3
MOST = 7
"""Customers with so many repeat orders or more are shown together."""
SMALLEST_CELL = 5.0
CLOSE = 0.1
"""A total so near is good enough for a decision, whatever its interval says."""
MOVED = 0.05
"""With many customers any test rejects any model: so small a part in the wrong place does no harm."""
SURE_P = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Holdout:
    """What the model promised for the held-back end of the log, and what was seen."""

    after: date | None
    """The last day that the model had seen."""
    days: int = 0
    customers: int = 0
    expected: Interval = field(default_factory=lambda: Interval(value=NAN))
    actual: float = NAN
    money_expected: Interval = field(default_factory=lambda: Interval(value=NAN))
    money_actual: float = NAN
    by_repeats: tuple[tuple[int, int, float, float], ...] = ()
    """Repeat orders before (the last one: or more), customers, orders promised and seen, per customer."""
    tracking: tuple[tuple[date, float, float], ...] = ()
    """Week by week: repeat orders so far, as seen and as the model says."""
    why_not: str = ""

    @property
    def error(self) -> float:
        """Promised over seen, less one."""
        return self.expected.value / self.actual - 1.0 if self.actual else NAN

    @property
    def ok(self) -> bool:
        inside = self.expected.low <= self.actual <= self.expected.high
        return bool(inside or abs(self.error) <= CLOSE)

    def as_dict(self) -> dict[str, Any]:
        return {
            "after": self.after,
            "days": self.days,
            "customers": self.customers,
            "expected": self.expected.value,
            "low": self.expected.low,
            "high": self.expected.high,
            "actual": self.actual,
            "error": self.error,
            "money_expected": self.money_expected.value,
            "money_low": self.money_expected.low,
            "money_high": self.money_expected.high,
            "money_actual": self.money_actual,
            "by_repeats": [
                {"repeats": k, "customers": n, "expected": expected, "actual": actual}
                for k, n, expected, actual in self.by_repeats
            ],
            "tracking": [
                {"day": day, "actual": actual, "expected": expected}
                for day, actual, expected in self.tracking
            ],
            "why_not": self.why_not or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Customers by number of repeat orders, seen and as the model says; the last cell holds MOST and more."""

    seen: tuple[float, ...]
    expected: tuple[float, ...]
    chi_square: float
    degrees: int
    p: float
    moved: float
    """Share of customers that would have to change their cell."""

    @property
    def ok(self) -> bool:
        return bool(self.p >= SURE_P or self.moved <= MOVED)

    def as_dict(self) -> dict[str, Any]:
        return {
            "seen": list(self.seen),
            "expected": list(self.expected),
            "chi_square": self.chi_square,
            "degrees": self.degrees,
            "p": self.p,
            "moved": self.moved,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the model fits, with the reasons as codes and figures."""

    state: Literal["fits", "misses", "unknown"]
    reasons: tuple[tuple[str, dict[str, float]], ...]


def verdict_of(histogram: Histogram | None, holdout: Holdout) -> Verdict:
    """Fits: the held-back total within its interval or 10%, and the counts by repeat orders as they should be."""
    reasons: list[tuple[str, dict[str, float]]] = []
    good: list[bool] = []
    if holdout.why_not:
        reasons.append((holdout.why_not, {}))
    else:
        good.append(holdout.ok)
        figures = {
            "expected": holdout.expected.value,
            "actual": holdout.actual,
            "days": float(holdout.days),
            "error": holdout.error,
        }
        reasons.append(("holdout-ok" if holdout.ok else "holdout-off", figures))
    if histogram is not None:
        good.append(histogram.ok)
        figures = {"p": histogram.p, "moved": histogram.moved}
        code = "histogram-ok" if histogram.p >= SURE_P else "histogram-close"
        reasons.append((code if histogram.ok else "histogram-off", figures))
    if not all(good):
        return Verdict(state="misses", reasons=tuple(reasons))
    # A model that was never put to the test of time has not been shown to fit.
    return Verdict(state="unknown" if holdout.why_not else "fits", reasons=tuple(reasons))


def histogram_of(base: Base) -> Histogram:
    """Customers by number of repeat orders against what the model says of customers of their ages.

    Source:
        Fader, Hardie & Lee (2005), figure 2; cells with fewer than 5 expected are put together.
    """
    collapsed, age = base.collapsed, base.histories.age
    seen = np.bincount(
        np.minimum(collapsed.repeats, MOST), weights=collapsed.count, minlength=MOST + 1
    ).astype(float)
    expected = np.zeros(MOST + 1)
    for place, own in enumerate(base.fits_by_group()):
        mine = base.place == place
        ages, at = np.unique(age[mine], return_inverse=True)
        if not len(ages):
            continue
        customers = np.bincount(at, weights=collapsed.count[mine], minlength=len(ages))
        for k in range(MOST):
            expected[k] += customers @ probability_of_count(own, np.full(len(ages), float(k)), ages)
    expected[MOST] = max(collapsed.count.sum() - expected[:MOST].sum(), 0.0)
    cells_seen, cells_expected = _merged_cells(seen, expected)
    chi = float(((cells_seen - cells_expected) ** 2 / np.maximum(cells_expected, 1e-12)).sum())
    degrees = len(cells_seen) - 1 - 4
    p = NAN
    if degrees >= 1:
        from scipy.stats import chi2

        p = float(chi2.sf(chi, degrees))
    return Histogram(
        seen=tuple(seen.tolist()),
        expected=tuple(expected.tolist()),
        chi_square=chi,
        degrees=degrees,
        p=p,
        moved=float(np.abs(seen - expected).sum() / 2 / max(seen.sum(), 1.0)),
    )


def _merged_cells(seen: Floats, expected: Floats) -> tuple[Floats, Floats]:
    kept_seen, kept_expected = [float(seen[0])], [float(expected[0])]
    for s, e in zip(seen[1:], expected[1:]):
        if kept_expected[-1] < SMALLEST_CELL:
            kept_seen[-1] += float(s)
            kept_expected[-1] += float(e)
        else:
            kept_seen.append(float(s))
            kept_expected.append(float(e))
    if len(kept_expected) > 1 and kept_expected[-1] < SMALLEST_CELL:
        s, e = kept_seen.pop(), kept_expected.pop()
        kept_seen[-1] += s
        kept_expected[-1] += e
    return np.array(kept_seen), np.array(kept_expected)


def default_holdout(log: OrderLog) -> int | None:
    """The last day that a model may see for the check: two thirds of the log; None where it is too short."""
    span = log.until_day - log.first_day
    if span < SHORTEST_LOG_DAYS:
        return None
    held = max(int(span * HELD_SHARE) // 7 * 7, 7)
    return log.until_day - held


def check_holdout(
    log: OrderLog,
    after_day: int,
    *,
    model: ModelName,
    unit: str,
    clock: Clock,
    by: str,
    draws: int,
    rng: np.random.Generator,
) -> Holdout:
    """Fit to what was known on `after_day` and hold the promise against the rest of the log."""
    after = day_of(after_day)
    if after_day - log.first_day < 7 or log.until_day - after_day < 1:
        return Holdout(after=None, why_not="short-log")
    table = log.build("ltv_then", after_day, money=log.has_money)
    group = group_sql(log, by)
    base = fit_base(log.collapse(table, after_day, group=group), model=model, unit=unit, clock=clock)
    days = log.until_day - after_day
    if base.fit.why_not:
        return Holdout(after=None, why_not="few-repeats")
    horizon = float(clock.at(np.array(log.until_day)) - clock.at(np.array(after_day)))
    orders = base.orders(horizon)
    people = people_of(log, table, base.collapsed, group, ids=False)
    worth = worth_of(people, known=log.has_money, may_lose=log.has_returns or log.has_losses)
    totals = totals_of(
        base, people, worth, orders=orders, discounted=orders, horizon=horizon, draws=draws, rng=rng
    )
    rows = run(
        log.connection,
        f"SELECT least(repeats, {MOST}) AS k, count(*), sum(n) FROM (SELECT repeats, coalesce(n, 0) AS n FROM {table} "
        f"LEFT JOIN (SELECT customer, count(*) AS n FROM order_days WHERE is_order AND day > {after_day} GROUP BY "
        f"customer) USING (customer)) GROUP BY k ORDER BY k",
    )
    promised = np.bincount(
        np.minimum(base.collapsed.repeats, MOST), weights=base.collapsed.count * orders, minlength=MOST + 1
    )
    held = Holdout(
        after=after,
        days=days,
        customers=base.collapsed.customers,
        expected=totals.orders,
        actual=float(sum(int(n) for _, _, n in rows)),
        money_expected=totals.money,
        money_actual=money_after(log, table, after_day, log.until_day) if log.has_money else NAN,
        by_repeats=tuple((int(k), int(c), float(promised[int(k)] / c), float(n) / c) for k, c, n in rows),
        tracking=_tracking(log, base, after_day, clock),
    )
    run(log.connection, f"DROP TABLE IF EXISTS {table}")
    return held


def _tracking(
    log: OrderLog, base: Base, after_day: int, clock: Clock
) -> tuple[tuple[date, float, float], ...]:
    """Cumulative repeat orders by week of customers acquired by `after_day`, seen and expected of new ones."""
    collapsed = base.collapsed
    start, end = log.first_day, log.until_day
    weeks = np.arange(start + 6, end + 1, 7)
    if not len(weeks) or weeks[-1] != end:
        weeks = np.append(weeks, end)
    seen = np.cumsum(log.per_day(start, end, acquired_by=after_day))[weeks - start]
    expected = np.zeros(len(weeks))
    for place, own in enumerate(base.fits_by_group()):
        mine = base.place == place
        firsts, at = np.unique(collapsed.first_day[mine], return_inverse=True)
        if not len(firsts):
            continue
        customers = np.bincount(at, weights=collapsed.count[mine], minlength=len(firsts))
        if clock.rate is None:
            # With an even clock only the age counts, so that the curve is needed once for each age.
            curve = expected_new(own, np.arange(end - start + 1) / clock.unit_days)
            for place_of, week in enumerate(weeks):
                age = week - firsts
                expected[place_of] += customers @ np.where(age >= 0, curve[np.maximum(age, 0)], 0.0)
            continue
        begun = clock.at(firsts)
        for place_of, week in enumerate(weeks):
            known = firsts <= week
            if known.any():
                ages = np.maximum(clock.at(np.array(week)) - begun[known], 0.0)
                expected[place_of] += customers[known] @ expected_new(own, ages)
    return tuple(
        (day_of(int(week)), float(actual), float(model))
        for week, actual, model in zip(weeks, seen, expected, strict=True)
    )
