"""The follow-up of a simulated world straight from its arrays, beside the one that SQL makes of its files.

It is written apart from `primeta.reactivation` on purpose: where both agree on every sum, neither has a slip of its
own, and 2,000 draws take minutes instead of hours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.reactivation.records import (
    BUCKETS,
    MEASURES,
    TOTALS,
    Campaign,
    Floats,
    FollowUp,
    Ints,
    Tail,
)
from primeta.stats.buckets import buckets
from primeta.stats.moments import Moments, stacked
from primeta.worlds.reactivation import ReactivationWorld, ids_of

SALT = "primeta"


def campaign_of(world: ReactivationWorld, *, full: bool = False, **changed: Any) -> Campaign:
    """How the world's lottery is to be measured; `full`: with a log in which everybody lived through the horizon."""
    setting = world.setting
    given: dict[str, Any] = {
        "control": setting.control,
        "until": world.until_full if full else world.until,
        "window_days": setting.window_days,
        "horizon_days": setting.horizon_days,
        "margin": setting.margin,
        "promo_codes": {arm.name: arm.code for arm in setting.arms if arm.code},
        "shares": {arm.name: arm.share for arm in setting.arms},
    }
    return Campaign(**{**given, **changed})


@lru_cache(maxsize=8)
def buckets_of(customers: int) -> Ints:
    """(n,) the hash bucket of each customer."""
    return np.floor(buckets(SALT, ids_of(customers)) * BUCKETS).astype(np.int64)


def edges_of(campaign: Campaign) -> tuple[int, ...]:
    """0 … horizon: weeks, and the window's end."""
    weeks = range(0, campaign.horizon_days, 7)
    return tuple(sorted({*weeks, campaign.window_days, campaign.horizon_days}))


def follow_up(world: ReactivationWorld, campaign: Campaign | None = None) -> FollowUp:
    """What the assigned did, as sums."""
    campaign = campaign or campaign_of(world)
    setting, orders, n = world.setting, world.orders, world.n
    names = [arm.name for arm in setting.arms]
    arms = tuple(sorted(names, key=lambda name: (name != campaign.control, name)))
    arm = np.array([arms.index(name) for name in names])[world.arm]
    followed = np.minimum(world.followed(campaign.until), campaign.horizon_days)
    bucket = buckets_of(n)
    edges = edges_of(campaign)
    shape = (1, len(arms), BUCKETS, len(edges) - 1)
    cell = arm * BUCKETS + bucket

    seen = orders.at < followed[orders.who]
    who, at, place = orders.who[seen], orders.at[seen], orders.place[seen]
    listed, discount, coded = orders.list_price[seen], orders.discount[seen], orders.with_code[seen]
    # the arm's own code; where it has none, any discount counts
    has_code = np.array([bool(campaign.promo_codes.get(name)) for name in arms])
    own = np.where(has_code[arm[who]], coded, True)
    sent = orders.message_at < followed[orders.message_who]
    message_who, message_at = orders.message_who[sent], orders.message_at[sent]
    cost = np.array([entry.cost for entry in setting.arms])[orders.message_arm[sent]]
    attributed = coded | _after_message(who, at, message_who, message_at, n=n, days=campaign.attribution_days)
    gone_at = orders.back_at[seen]
    gone = gone_at < followed[who]

    day = np.floor(at).astype(int)
    worth = (1 + campaign.annual_discount) ** (-at / 365)
    margin = 1.0 if campaign.margin is None else campaign.margin
    revenue = listed - discount
    money = revenue - (1 - margin) * listed

    block_of_day = np.searchsorted(np.array(edges), np.arange(campaign.horizon_days), side="right") - 1
    ends = np.array(edges[1:])
    blocks_lived = np.searchsorted(ends, followed, side="right")

    def summed(customer: Ints, days: npt.NDArray[np.int64], weight: Floats) -> Floats:
        block = block_of_day[days]
        counted = block < blocks_lived[customer]
        flat = cell[customer[counted]] * shape[3] + block[counted]
        return np.bincount(flat, weight[counted], minlength=int(np.prod(shape))).reshape(shape)

    back_day = np.floor(gone_at[gone]).astype(int)
    back_worth = (1 + campaign.annual_discount) ** (-gone_at[gone] / 365)

    def kept(weight: Floats) -> Floats:
        return summed(who, day, weight) - summed(who[gone], back_day, weight[gone])

    first = (place == 0).astype(float)
    discounted = (discount > 0).astype(float)
    sums = {
        "orders": summed(who, day, np.ones(len(who))),
        "revenue": kept(revenue),
        "list_price": kept(listed),
        "discount": kept(discount),
        "code_discount": kept(discount * own),
        "money": kept(money),
        "present": summed(who, day, money * worth) - summed(who[gone], back_day, money[gone] * back_worth),
        "contact": summed(message_who, np.floor(message_at).astype(int), cost),
        "discounted_orders": summed(who, day, discounted),
        "first_returns": summed(who, day, first),
        "first_money": summed(who, day, first * money),
        "first_list_price": summed(who, day, first * listed),
        "first_discount": summed(who, day, first * discount),
        "attributed_orders": summed(who, day, attributed.astype(float)),
        "attributed_revenue": summed(who, day, attributed * revenue),
        "attributed_money": summed(who, day, attributed * money),
        "visits": np.zeros(shape),
    }
    assert tuple(sums) == MEASURES

    lived = (blocks_lived[:, None] > np.arange(shape[3])).astype(float)
    at_risk = np.stack(
        [
            np.bincount(cell, lived[:, k], minlength=shape[1] * shape[2]).reshape(shape[:3])
            for k in range(shape[3])
        ],
        axis=-1,
    )
    halves = [
        sum(edge <= value for edge in edges[1:])
        for value in (np.median(followed[arm == a]) if np.any(arm == a) else 0.0 for a in range(len(arms)))
    ]
    seen_days = edges[min(halves)]

    def totals(days: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
        early, back = at < days, gone & (gone_at < days)

        def total(weight: Floats) -> Floats:
            return np.bincount(who[early], weight[early], minlength=n) - np.bincount(
                who[back], weight[back], minlength=n
            )

        contact = np.bincount(message_who[message_at < days], cost[message_at < days], minlength=n)
        counts = np.bincount(who[early], minlength=n).astype(float)
        columns = {
            "money": total(money) - contact,
            "revenue": total(revenue),
            "orders": counts,
            "returned": (counts > 0).astype(float),
            "list_price": total(listed),
            "discount": total(discount),
            "code_discount": total(discount * own),
        }
        return np.stack([columns[name] for name in TOTALS], axis=-1), followed >= days

    def moments(days: float) -> Moments:
        rows, whole = totals(days)
        own = [Moments.of_rows(rows[whole & (arm == a)]) for a in range(len(arms))]
        return Moments(*(part[None] for part in (lambda m: (m.n, m.mean, m.scatter))(stacked(own))))

    window_rows, whole = totals(campaign.window_days)
    code_column, returned_column = TOTALS.index("code_discount"), TOTALS.index("returned")
    came = whole & (window_rows[:, returned_column] > 0)
    discounts = tuple(
        (
            window_rows[came & (arm == a), code_column],
            bucket[came & (arm == a)],
            np.zeros(int((came & (arm == a)).sum()), dtype=np.int64),
        )
        for a in range(len(arms))
    )
    traits_n, traits, squared = _traits(
        seen_days,
        n=n,
        who=who,
        at=at,
        place=place,
        listed=listed,
        discount=discount,
        followed=followed,
        cell=cell,
        shape=shape[:3],
    )
    return FollowUp(
        campaign=campaign,
        arms=arms,
        segments=("",),
        edges=edges,
        n=np.bincount(cell, minlength=shape[1] * shape[2]).reshape(shape[:3]).astype(float),
        at_risk=at_risk,
        sums=sums,
        seen_days=seen_days,
        window=moments(campaign.window_days),
        seen=moments(seen_days),
        traits_n=traits_n,
        traits=traits,
        traits_squared=squared,
        discounts=discounts,
        tail=_tail(
            n=n,
            who=who,
            at=at,
            present=(
                np.concatenate([who, who[gone]]),
                np.concatenate([at, gone_at[gone]]),
                np.concatenate([money * worth, -money[gone] * back_worth]),
            ),
            arm=arm,
            bucket=bucket,
            covered=np.array(edges)[blocks_lived].astype(np.float64),
        ),
        before={},
        contamination={},
        has_code=tuple(bool(value) for value in has_code),
    )


def _after_message(
    who: Ints, at: Floats, message_who: Ints, message_at: Floats, *, n: int, days: int
) -> npt.NDArray[np.bool_]:
    """Whether an order falls within so many days after a message to the same customer."""
    if not len(message_who):
        return np.zeros(len(who), dtype=bool)
    # one axis for all customers: far enough apart for none to meet another's messages
    far = 10_000.0
    order = np.sort(message_who * far + message_at)
    asked = who * far + at
    place = np.searchsorted(order, asked, side="right") - 1
    last = np.where(place >= 0, order[np.maximum(place, 0)], -np.inf)
    return asked - last < days


def _traits(
    days: int, *, n: int, who: Ints, at: Floats, place: Ints, listed: Floats, discount: Floats,
    followed: Floats, cell: Ints, shape: tuple[int, ...],
) -> tuple[Floats, dict[str, Floats], dict[str, Floats]]:  # fmt: skip
    whole = (followed >= days) & (days > 0)
    early = at < days
    w, t, j = who[early], at[early], place[early]
    later = j > 0

    def per_customer(weight: Floats) -> Floats:
        return np.bincount(w, weight, minlength=n)

    # rows stand place by place; one customer's orders follow each other in time
    order = np.lexsort((t, w))
    gap = np.zeros(len(t))
    gap[order[1:]] = np.where(w[order][1:] == w[order][:-1], np.diff(t[order]), 0.0)
    columns = {
        "returned": per_customer((j == 0).astype(float)),
        "later_orders": per_customer(later.astype(float)),
        "later_discounted": per_customer((later & (discount[early] > 0)).astype(float)),
        "later_list_price": per_customer(later * listed[early]),
        "later_discount": per_customer(later * discount[early]),
        "gap_days": per_customer(gap),
        "gaps": per_customer(later.astype(float)),
    }

    def by_bucket(column: Floats) -> Floats:
        return np.bincount(cell[whole], column[whole], minlength=int(np.prod(shape))).reshape(shape)

    return (
        by_bucket(np.ones(n)),
        {name: by_bucket(column) for name, column in columns.items()},
        {name: by_bucket(column**2) for name, column in columns.items()},
    )


def _state(until: Floats, *, n: int, who: Ints, at: Floats) -> tuple[Floats, Ints, Floats]:
    """Where each customer stands at his day `until` (n,): first return, later orders, days from one to the last."""
    early = at < until[who]
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, who[early], at[early])
    np.maximum.at(last, who[early], at[early])
    later = np.maximum(np.bincount(who[early], minlength=n) - 1, 0)
    returned = np.where(np.isfinite(first), first, np.nan)
    return returned, later.astype(np.int64), np.where(later > 0, last - first, 0.0)


def _tail(
    *,
    n: int,
    who: Ints,
    at: Floats,
    present: tuple[Ints, Floats, Floats],
    arm: Ints,
    bucket: Ints,
    covered: Floats,
) -> Tail:
    """States at the last edge that each follow-up covers; `present`: whose, when and how much, returns as below 0."""
    returned, later, last = _state(covered, n=n, who=who, at=at)
    half = covered / 2
    half_returned, half_later, half_last = _state(half, n=n, who=who, at=at)
    then = (at >= half[who]) & (at < covered[who])
    whose, when, money = present
    paid = (when >= half[whose]) & (when < covered[whose])
    halfway: dict[str, npt.NDArray[Any]] = {
        "followed": half,
        "returned_at": half_returned,
        "later": half_later,
        "last": half_last,
        "then_orders": np.bincount(who[then], minlength=n).astype(float),
        "then_present": np.bincount(whose[paid], money[paid], minlength=n),
    }
    # nobody is alike who has ordered; the silent differ only in bucket, arm and time of entry
    silent = np.isnan(returned)
    keys = np.stack([arm[silent], bucket[silent], covered[silent].astype(np.int64)])
    _, at_first, counts = np.unique(keys, axis=1, return_index=True, return_counts=True)
    rows = np.concatenate([np.flatnonzero(silent)[at_first], np.flatnonzero(~silent)])
    count = np.concatenate([counts.astype(float), np.ones(int((~silent).sum()))])
    return Tail(
        segment=np.zeros(len(rows), dtype=np.int64),
        arm=arm[rows],
        bucket=bucket[rows],
        followed=covered[rows],
        returned_at=returned[rows],
        later=later[rows],
        last=last[rows],
        count=count,
        halfway={name: column[rows] for name, column in halfway.items()},
    )
