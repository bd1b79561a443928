"""What the assigned did afterwards, arm against control: how often, at what price, how broadly, in what manner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from primeta.reactivation.estimates import (
    LEAST_CUSTOMERS,
    Gap,
    Mean,
    gap,
    per_assigned,
    ratio,
    share_gap,
    spread,
    unknown,
)
from primeta.reactivation.records import NAN, Behaviour, FollowUp

Floats = npt.NDArray[np.float64]
Basis = Literal["assigned", "returned"]
Good = Literal[-1, 0, 1]

SHARES: dict[str, Good] = {"returned": 1, "normal": 1, "lapsed_again": -1}
"""Traits that a customer has or has not, of all assigned → whether more is good."""
COUNTS: dict[str, Good] = {"later_orders": 1, "categories": 1, "categories_viewed": 1, "visits": 1}
"""Traits that are counted, per assigned."""
RATIOS: dict[str, tuple[str, str, Good]] = {
    "gap_days": ("gap_days", "gaps", -1),
    "discounted_share": ("later_discounted", "later_orders", -1),
    "discount_depth": ("later_discount", "later_list_price", -1),
    "visits_before": ("visits_before", "visited_orders", -1),
}
"""Two traits' sums, among those who ordered: they describe and do not prove."""
ORDER = (
    "returned",
    "normal",
    "orders",
    "later_orders",
    "gap_days",
    "discounted_share",
    "discount_depth",
    "average_order_value",
    "categories",
    "categories_viewed",
    "visits",
    "visits_before",
    "lapsed_again",
)


def behaviour(follow_up: FollowUp, arm: int, *, segment: str = "") -> tuple[Behaviour, ...]:
    """Every trait that is known, over the time that at least half of each arm has lived through.

    Args:
        follow_up: Of one segment; the control is arm 0.
    """
    if follow_up.seen_days <= 0:
        return ()
    found: dict[str, Behaviour] = {}

    def put(metric: str, of: Callable[[int], Mean], good: Good, basis: Basis, *, share: bool = False) -> None:
        mine = of(arm)
        theirs = of(0) if follow_up.has_control else unknown("no-control")
        apart = share_gap if share else gap
        between = apart(mine, theirs, level=follow_up.campaign.level)
        found[metric] = _row(follow_up, arm, metric, mine, theirs, between, good, basis, segment)

    for trait, good in SHARES.items():
        if trait in follow_up.traits:
            put(
                trait,
                lambda place, trait=trait: trait_mean(follow_up, place, trait),
                good,
                "assigned",
                share=True,
            )
    for trait, good in COUNTS.items():
        if trait in follow_up.traits:
            put(trait, lambda place, trait=trait: trait_mean(follow_up, place, trait), good, "assigned")
    for metric, (top, bottom, good) in RATIOS.items():
        if top in follow_up.traits and bottom in follow_up.traits:
            put(
                metric,
                lambda place, top=top, bottom=bottom: trait_ratio(follow_up, place, top, bottom),
                good,
                "returned",
            )
    days = follow_up.seen_days
    put(
        "orders", lambda place: per_assigned(follow_up, place, {"orders": 1.0}, until_day=days), 1, "assigned"
    )
    put("average_order_value", lambda place: average_order(follow_up, place, until_day=days), 1, "returned")
    return tuple(found[metric] for metric in ORDER if metric in found)


def average_order(follow_up: FollowUp, arm: int, *, until_day: int) -> Mean:
    """Revenue over orders."""
    last = follow_up.edges.index(until_day)
    return ratio(
        per_assigned(follow_up, arm, {"revenue": 1.0}, until_day=until_day),
        per_assigned(follow_up, arm, {"orders": 1.0}, until_day=until_day),
        customers=follow_up.sums["orders"][0, arm, :, :last].sum(axis=1),
    )


def trait_mean(follow_up: FollowUp, arm: int, trait: str) -> Mean:
    """A trait per customer who lived through the time seen; the spread is that of customers (Welch)."""
    each = follow_up.traits_n[0, arm]
    n = float(each.sum())
    if n < LEAST_CUSTOMERS:
        return unknown("small-arm", len(each))
    sums = follow_up.traits[trait][0, arm]
    value = float(sums.sum()) / n
    squares = None if follow_up.clustered else follow_up.traits_squared.get(trait)
    parts = (sums - value * each) / n
    if squares is None:
        variance, df = spread(parts, each)
    else:
        own = max(float(squares[0, arm].sum()) - n * value**2, 0.0)
        variance, df = own / (n - 1) / n, n - 1
    return Mean(value=value, variance=variance, df=df, parts=parts, n=n)


def trait_ratio(follow_up: FollowUp, arm: int, top: str, bottom: str) -> Mean:
    """Two traits' sums over each other, linearised over buckets."""
    return ratio(
        trait_mean(follow_up, arm, top),
        trait_mean(follow_up, arm, bottom),
        customers=follow_up.traits[bottom][0, arm],
    )


def _row(
    follow_up: FollowUp,
    arm: int,
    metric: str,
    mine: Mean,
    theirs: Mean,
    between: Gap,
    good: Good,
    basis: Basis,
    segment: str,
) -> Behaviour:
    return Behaviour(
        arm=follow_up.arms[arm],
        metric=metric,
        control=theirs.value if theirs.known else NAN,
        value=mine.value,
        difference=between.difference,
        low=between.low,
        high=between.high,
        p=between.p,
        basis=basis,
        window=follow_up.seen_days,
        good=good,
        why_not=between.why_not,
        segment=segment,
    )
