"""A follow-up made by hand from customers and orders, apart from the SQL and from the simulated worlds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from primeta.reactivation.records import MEASURES, TOTALS, TRAITS, Campaign, FollowUp, Tail
from primeta.stats.moments import Moments, stacked

BUCKETS = 64
EDGES = (0, 7, 14, 21, 28, 30, 35, 42, 49, 56, 63, 70, 77, 84, 90)


def campaign(**given: Any) -> Campaign:
    told = {"control": "control", "until": date(2026, 6, 30), "window_days": 30, "horizon_days": 90, **given}
    return Campaign(**told)


def follow_up(
    arm: Sequence[int],
    orders: Sequence[tuple[int, float, float, float]],
    *,
    arms: Sequence[str] = ("control", "a", "b"),
    followed: Any = 90.0,
    segment: Any = 0,
    segments: Sequence[str] = ("",),
    contact: Sequence[float] = (),
    margin: float = 1.0,
    traits: Sequence[str] = ("returned", "later_orders"),
    before: Any = None,
    **given: Any,
) -> FollowUp:
    """Sums over customers.

    Args:
        arm: (n,) number of the arm of each customer.
        orders: (customer, day since assignment, list price, discount), in order of time for each customer.
        followed: Days of each customer, or one number. segment: alike.
        contact: Per customer of each arm, once.
    """
    asked = campaign(**given)
    n = len(arm)
    of_arm = np.asarray(arm)
    lived = np.broadcast_to(np.asarray(followed, dtype=float), n)
    of_segment = np.broadcast_to(np.asarray(segment), n)
    bucket = np.arange(n) % BUCKETS
    shape = (len(segments), len(arms), BUCKETS)
    blocks = len(EDGES) - 1
    at_risk = np.zeros((*shape, blocks))
    counts = np.zeros(shape)
    np.add.at(counts, (of_segment, of_arm, bucket), 1.0)
    for k, end in enumerate(EDGES[1:]):
        np.add.at(at_risk[..., k], (of_segment, of_arm, bucket), (lived >= end).astype(float))
    sums = {name: np.zeros((*shape, blocks)) for name in MEASURES}
    for customer in range(n):
        place = (of_segment[customer], of_arm[customer], bucket[customer], 0)
        sums["contact"][place] += (
            contact[of_arm[customer]] if contact and lived[customer] >= EDGES[1] else 0.0
        )
    totals = {days: np.zeros((n, len(TOTALS))) for days in (30, 90)}
    seen_days = min(
        max(
            (edge for edge in EDGES if 2 * (lived[of_arm == a] >= edge).sum() >= (of_arm == a).sum()),
            default=0,
        )
        for a in range(len(arms))
    )
    totals.setdefault(seen_days, np.zeros((n, len(TOTALS))))
    if contact:
        for rows in totals.values():
            rows[:, 0] -= np.asarray(contact)[of_arm]
    own = {name: np.zeros(n) for name in TRAITS}
    have: dict[int, int] = {}
    for customer, day, listed, discount in orders:
        if day >= lived[customer]:
            continue
        k = int(np.searchsorted(EDGES, day, side="right")) - 1
        first = customer not in have
        have[customer] = have.get(customer, 0) + 1
        revenue = listed - discount
        money = revenue - (1 - margin) * listed
        values = {
            "orders": 1.0,
            "revenue": revenue,
            "list_price": listed,
            "discount": discount,
            "code_discount": discount,
            "money": money,
            "present": money,
            "discounted_orders": float(discount > 0),
            "first_returns": float(first),
            "attributed_orders": float(day < 7),
            "attributed_revenue": revenue * (day < 7),
            "attributed_money": money * (day < 7),
        }
        if EDGES[k + 1] <= lived[customer]:
            for name, value in values.items():
                sums[name][of_segment[customer], of_arm[customer], bucket[customer], k] += value
        for days, rows in totals.items():
            if day < days:
                row = {**values, "returned": float(rows[customer, TOTALS.index("returned")] == 0)}
                rows[customer] += [row[name] for name in TOTALS]
        if day < seen_days:
            own["returned"][customer] = 1.0
            own["later_orders"][customer] += not first
            own["later_discounted"][customer] += (not first) and discount > 0
    whole = lived >= seen_days

    def moments(days: int) -> Moments:
        through = lived >= days
        rows = totals[days]
        return stacked(
            [
                stacked(
                    [
                        Moments.of_rows(rows[through & (of_arm == a) & (of_segment == s)])
                        for a in range(len(arms))
                    ]
                )
                for s in range(len(segments))
            ]
        )

    def by_bucket(column: np.ndarray) -> np.ndarray:
        table = np.zeros(shape)
        np.add.at(table, (of_segment[whole], of_arm[whole], bucket[whole]), column[whole])
        return table

    back = [
        (lived >= 30) & (of_arm == a) & (totals[30][:, TOTALS.index("returned")] > 0)
        for a in range(len(arms))
    ]
    none = np.zeros(0)
    return FollowUp(
        campaign=asked,
        arms=tuple(arms),
        segments=tuple(segments),
        edges=EDGES,
        n=counts,
        at_risk=at_risk,
        sums=sums,
        seen_days=seen_days,
        window=moments(30),
        seen=moments(seen_days),
        traits_n=by_bucket(np.ones(n)),
        traits={name: by_bucket(own[name]) for name in traits},
        traits_squared={name: by_bucket(own[name] ** 2) for name in traits},
        discounts=tuple(
            (totals[30][rows, TOTALS.index("code_discount")], bucket[rows], of_segment[rows]) for rows in back
        ),
        tail=Tail(
            segment=np.zeros(0, dtype=np.int64),
            arm=np.zeros(0, dtype=np.int64),
            bucket=np.zeros(0, dtype=np.int64),
            followed=none,
            returned_at=none,
            later=np.zeros(0, dtype=np.int64),
            last=none,
            count=none,
        ),
        before=before or {},
        contamination={},
        has_code=tuple(name in asked.promo_codes for name in arms),
    )


def drawn(
    rng: np.random.Generator,
    *,
    n: int = 900,
    shares: Sequence[float] = (0.15, 0.22, 0.25),
    depth: Sequence[float] = (0.0, 0.0, 0.1),
    basket: float = 40.0,
    late: bool = False,
    **given: Any,
) -> FollowUp:
    """n customers dealt over three arms in turn; a share of each comes back once within the window."""
    arm = np.arange(n) % 3
    returns = rng.random(n) < np.asarray(shares)[arm]
    day = rng.integers(0, 90 if late else 30, n)
    listed = rng.gamma(4.0, basket / 4, n)
    orders = [
        (who, float(day[who]), float(listed[who]), float(listed[who] * depth[arm[who]]))
        for who in np.flatnonzero(returns)
    ]
    return follow_up(arm, orders, **given)
