"""Rung 4: what an arm changes in customers' value up to the horizon, the part that was seen and the part modelled.

Each customer's money counts as far as he was followed; what he will still bring is expected from where he stands
(`tail_model`). All of it is discounted to the assignment and summed over everybody assigned. The tail is only
believed where the same model, given the first half of the follow-up, would have foretold the second (`tail_check`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from primeta.reactivation.estimates import LEAST_CUSTOMERS, Mean, gap, of_segment, pooled, spread
from primeta.reactivation.records import NAN, Curve, FollowUp, Rung, Rung4, TailCheck
from primeta.reactivation.tail_check import Promise, checks_of, promise_of
from primeta.reactivation.tail_model import (
    Ahead,
    ArmFit,
    Standing,
    ahead,
    fit_arm,
    halfway,
    sample_of,
    standing,
    states_of,
    waits_of,
)
from primeta.reactivation.tail_seen import Part, observed
from primeta.stats import first_return, repeat_after
from primeta.stats.repeat_after import Returned
from primeta.stats.threads import each

Floats = npt.NDArray[np.float64]
LEAST_ORDERS = 100
"""By which money per order is known; else wider sets of orders are used."""
LEAST_FOLLOWED = 1 / 3
"""Of the horizon, that customers must be followed for the tail to be tested and believed."""
LEAST_RETURNERS = 100
"""Of each arm and at half of the follow-up, for the same."""
SAMPLED = 3_000
"""States by which the timing is chosen and fits are started."""
CLEARLY = 4.0
"""Log likelihood by which another timing must beat exponential gaps."""
SPANS = 4
"""Spans of the time beyond what was seen, at whose ends the curve is drawn."""
MOST_SEGMENTS = 12
"""The largest ones that get models of their own: each takes seconds, whatever its size."""
ASSUMES = ("random", "everyone-assigned", "tail-model", "later-money-stays", "no-season")


def rung_four(follow_up: FollowUp) -> Rung4:
    """Every treated arm against the control, to the horizon; where the campaign is split, in each segment too.

    Returns:
        Rungs of the treated arms in their order, with the control's own value beside; where `why_not` is set, the
        value is that of the observed part alone and `modelled` is NaN. Where everybody was followed to the horizon
        there is no model and nothing to test. `segments` are answers of the same kind, in the segments' order.
    Source:
        The spread is that between hash buckets of customers, of money and of the model's parameters together: each
        bucket moves the parameters by inverse information × its score. This is what a Poisson bootstrap over
        buckets gives with endless draws (Efron 1982, the infinitesimal jackknife), without its own noise.
    """
    told, learnt = _answer(replace(pooled(follow_up), segments=("",)), Learnt())
    if not follow_up.campaign.by:
        return told
    return replace(told, segments=_of_segments(follow_up, told, learnt))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnt:
    """What all customers together say beforehand of a part of them, who could not show it alone."""

    timing: int = -1
    """Of orders after a return; −1: to be found."""
    failed: Mapping[int, str] = field(default_factory=dict)
    """Arm → why its tail is not believed. The test of a part has less power, so it does not acquit."""
    missed: Mapping[int, float] = field(default_factory=dict)
    """Arm → by what share of itself the promise missed beyond chance."""


def _of_segments(follow_up: FollowUp, told: Rung4, learnt: Learnt) -> tuple[Rung4, ...]:
    """The same of each segment's customers, by models of their own.

    They share the timing, which is the shop's and takes most customers to tell.
    """
    names = follow_up.segments
    if len(names) == 1:
        return (replace(told, rungs=tuple(replace(rung, segment=names[0]) for rung in told.rungs)),)
    size = follow_up.n.sum(axis=(1, 2))
    largest = set(np.argsort(-size, kind="stable")[:MOST_SEGMENTS].tolist())
    found: dict[int, Rung4] = {}

    def one(place: int) -> None:
        found[place], _ = _answer(of_segment(follow_up, place), learnt, modelled=place in largest)

    each([(place,) for place in range(len(names))], one)
    return tuple(found[place] for place in range(len(names)))


def _answer(whole: FollowUp, learnt: Learnt, *, modelled: bool = True) -> tuple[Rung4, Learnt]:
    """Of customers of one segment, and what it says of parts of them.

    Args:
        modelled: Whether there is time for a model.
    """
    if not whole.has_control:
        return _no_answer(whole, "no-control"), learnt
    n = whole.n[0].sum(axis=-1)
    if n[0] < LEAST_CUSTOMERS:
        return _no_answer(whole, "small-arm"), learnt
    seen = [observed(whole, arm) for arm in range(len(whole.arms))]
    now = [standing(whole.tail, arm) for arm in range(len(whole.arms))]
    horizon = float(whole.campaign.horizon_days)
    if all((rows.followed >= horizon).all() for rows in now):
        return _told(whole, seen, [None] * len(seen)), learnt
    used = [arm for arm in range(len(whole.arms)) if n[arm] >= LEAST_CUSTOMERS]
    refused = _too_early(whole, used) or ("" if modelled else "many-segments")
    if refused:
        why_not = dict.fromkeys(range(len(whole.arms)), refused)
        return _told(whole, seen, [None] * len(seen), why_not=why_not), learnt

    daily = math.log1p(whole.campaign.annual_discount) / 365
    since = _since(whole)
    cuts = _cuts(whole, now)
    fits = _fits(whole, {arm: now[arm] for arm in used}, since=since, timing=learnt.timing)
    tails = [
        _modelled(whole, arm, now[arm], fits[arm], cuts=cuts, daily=daily) if arm in fits else None
        for arm in range(len(whole.arms))
    ]
    timing = fits[used[0]].repeat.timing
    promises = _promises(
        whole,
        used,
        timing=timing,
        rates={arm: model.rate for arm, model in fits.items()},
        daily=daily,
    )
    checks, why_not, missed = checks_of(whole, promises)
    missed = {arm: max(share, learnt.missed.get(arm, 0.0)) for arm, share in missed.items()}
    why_not = {**why_not, **learnt.failed}
    tails = [
        tail and replace(tail, doubt=missed.get(arm, 0.0) * abs(tail.money)) for arm, tail in enumerate(tails)
    ]
    told = _told(whole, seen, tails, why_not=why_not, checks=checks, fits=fits, cuts=cuts)
    return told, replace(learnt, timing=timing, failed=why_not, missed=missed)


def _since(follow_up: FollowUp) -> float:
    """Day from which the wait for a first return follows its curve: when the campaign's own burst is over."""
    typical = _typical(follow_up)
    return float(max(7.0, min(float(follow_up.campaign.window_days), typical / 3)))


def _typical(follow_up: FollowUp) -> float:
    """Median follow-up, in days."""
    followed, count = follow_up.tail.followed, follow_up.tail.count
    day = followed.astype(np.int64)
    if np.array_equal(day, followed):
        # edges are whole days, so that millions of rows are counted and not sorted
        reached = np.cumsum(np.bincount(day, weights=count))
        return float(np.searchsorted(reached, reached[-1] / 2))
    order = np.argsort(followed)
    reached = np.cumsum(count[order])
    return float(followed[order][np.searchsorted(reached, reached[-1] / 2)])


def _too_early(follow_up: FollowUp, arms: list[int]) -> str:
    """Why the tail cannot be tested; empty where it can."""
    if follow_up.tail.halfway is None:
        return "tail-untested"
    if _typical(follow_up) < LEAST_FOLLOWED * follow_up.campaign.horizon_days:
        return "short-follow-up"
    if any(halfway(follow_up.tail, arm).returners < LEAST_RETURNERS for arm in arms):
        return "tail-untested"
    return ""


def _cuts(follow_up: FollowUp, now: list[Standing]) -> Floats:
    """Days between the least follow-up and the horizon that bound the spans."""
    least = min(float(rows.followed.min()) for rows in now if len(rows.followed))
    horizon = float(follow_up.campaign.horizon_days)
    first = max(least, min(_typical(follow_up), horizon * 0.9))
    cuts = np.linspace(first, horizon, SPANS + 1)
    return np.unique(np.append(least, cuts)) if least < first - 1 else cuts


def _fits(
    follow_up: FollowUp,
    rows: Mapping[int, Standing],
    *,
    since: float,
    timing: int = -1,
    rates: Mapping[int, str] | None = None,
) -> dict[int, ArmFit]:
    """Each arm's model; the timing is that which fits a sample of all arms together best, unless it is given."""
    buckets = follow_up.n.shape[-1]
    states = {arm: states_of(own) for arm, own in rows.items()}
    together = _together([sample_of(own, SAMPLED // len(rows)) for own in rows.values()])
    common = _timed(together) if timing < 0 else repeat_after.fit(together, timing=timing, spread_known=False)
    waits = {arm: waits_of(own, since) for arm, own in rows.items()}
    joined = (
        np.concatenate([getattr(one, name) for one in waits.values()]) for name in ("wait", "came", "count")
    )
    wait_shape = first_return.shape(*joined)
    return {
        arm: fit_arm(
            own,
            states[arm],
            since=since,
            timing=common.timing,
            buckets=buckets,
            centre=common.theta,
            waits=waits[arm],
            wait_shape=wait_shape,
            rate=None if rates is None else rates[arm],
        )
        for arm, own in rows.items()
    }


def _timed(states: Returned) -> repeat_after.RepeatFit:
    """The fit with exponential gaps, unless another timing is clearly likelier."""
    plain = repeat_after.fit(states, timing=1, spread_known=False)
    others = [
        repeat_after.fit(states, timing=one, spread_known=False) for one in repeat_after.TIMINGS if one != 1
    ]
    best = max(others, key=lambda found: found.log_likelihood)
    return best if best.log_likelihood > plain.log_likelihood + CLEARLY else plain


def _together(parts: list[Returned]) -> Returned:
    return Returned(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("later", "last", "age", "delay", "count")
        )
    )


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """Money of an order to come, with the error that each bucket adds; revenue beside."""

    first: float
    first_parts: Floats
    later: float
    later_parts: Floats
    revenue: float


def worth_of(follow_up: FollowUp, arm: int) -> Worth:
    """What first and later orders of the arm bring, by those after the window where there are enough of them."""
    sums = {name: table[0, arm] for name, table in follow_up.sums.items()}
    late = np.array(follow_up.edges[:-1]) >= _since(follow_up)
    everything = np.ones_like(late)

    def ratio(money: Floats, orders: Floats) -> tuple[float, Floats]:
        total = orders.sum()
        value = money.sum() / total
        return float(value), (money - value * orders) / total

    later_orders = sums["orders"] - sums["first_returns"]
    later_money = sums["money"] - sums["first_money"]
    choices = [(later_money, later_orders, late), (later_money, later_orders, everything)]
    every = (sums["money"], sums["orders"], everything)
    later = next((c for c in choices if (c[1] * c[2]).sum() >= LEAST_ORDERS), every)
    choices = [(sums["first_money"], sums["first_returns"], late), (sums["money"], sums["orders"], late)]
    first = next((c for c in choices if (c[1] * c[2]).sum() >= LEAST_ORDERS), every)
    if not sums["orders"].sum():
        nothing = np.zeros(follow_up.n.shape[-1])
        return Worth(0.0, nothing, 0.0, nothing, 0.0)
    of_later = ratio(later[0] @ later[2], later[1] @ later[2])
    of_first = ratio(first[0] @ first[2], first[1] @ first[2])
    recent = late if (sums["orders"] * late).sum() >= LEAST_ORDERS else everything
    revenue = float((sums["revenue"] * recent).sum() / (sums["orders"] * recent).sum())
    return Worth(*of_first, *of_later, revenue)


def _modelled(
    follow_up: FollowUp, arm: int, rows: Standing, model: ArmFit, *, cuts: Floats, daily: float
) -> Part:
    """What the arm's customers will still bring."""
    buckets = follow_up.n.shape[-1]
    found = ahead(rows, model, cuts=cuts, daily_discount=daily, buckets=buckets)
    worth = worth_of(follow_up, arm)
    money, parts = in_money(follow_up, arm, found, worth)
    plain = found
    if daily:
        plain = ahead(rows, model, cuts=cuts, daily_discount=0.0, buckets=buckets, errors=False)
    n = max(float(follow_up.n[0, arm].sum()), 1.0)
    orders = float((plain.first + plain.later).sum()) / n
    return Part(
        money=float(money.sum()),
        parts=parts.sum(axis=1),
        revenue=orders * worth.revenue,
        orders=orders,
        by_block=money,
        by_block_parts=parts,
    )


def in_money(follow_up: FollowUp, arm: int, found: Ahead, worth: Worth) -> tuple[Floats, Floats]:
    """(J,) money per assigned of the orders to come, and (B, J) the error that each bucket adds."""
    n = follow_up.n[0, arm]
    total = max(float(n.sum()), 1.0)
    by_bucket = worth.first * found.first + worth.later * found.later
    mean = by_bucket.sum(axis=0) / total
    parts = (
        by_bucket
        - mean * n[:, None]
        + worth.first * found.first_parts
        + worth.later * found.later_parts
        + np.outer(worth.first_parts, found.first.sum(axis=0))
        + np.outer(worth.later_parts, found.later.sum(axis=0))
    ) / total
    return mean, parts


def _promises(
    follow_up: FollowUp, arms: list[int], *, timing: int, rates: Mapping[int, str], daily: float
) -> dict[int, Promise]:
    """What each arm's model would have said at half of the follow-up."""
    then = {arm: halfway(follow_up.tail, arm) for arm in arms}
    since = min(_since(follow_up), _typical(follow_up) / 4)
    fits = _fits(follow_up, then, since=since, timing=timing, rates=rates)
    buckets = follow_up.n.shape[-1]
    found = {}
    for arm in arms:
        found[arm] = promise_of(
            follow_up,
            arm,
            then[arm],
            fits[arm],
            daily=daily,
            buckets=buckets,
            in_money=lambda ahead_of, arm=arm: in_money(follow_up, arm, ahead_of, worth_of(follow_up, arm)),
        )
    return found


def _told(
    follow_up: FollowUp,
    seen: list[Part],
    tails: list[Part | None],
    *,
    why_not: Mapping[int, str] | None = None,
    checks: tuple[TailCheck, ...] = (),
    fits: Mapping[int, ArmFit] | None = None,
    cuts: Floats | None = None,
) -> Rung4:
    """Rungs, curves and differences between arms."""
    why_not = dict(why_not or {})
    campaign = follow_up.campaign
    small = [count < LEAST_CUSTOMERS for count in follow_up.n[0].sum(axis=-1)]
    rungs = []
    for arm in range(1, len(follow_up.arms)):
        reason = "small-arm" if small[arm] else why_not.get(arm, "") or why_not.get(0, "")
        rungs.append(_rung(follow_up, arm, seen, tails, reason=reason))
    between, errors = {}, {}
    for arm in range(len(follow_up.arms)):
        for other in range(arm):
            if small[arm] or small[other]:
                continue
            with_tail = not any(why_not.get(one) for one in (0, arm, other))
            mine, theirs = (_mean(follow_up, one, seen, tails, with_tail=with_tail) for one in (arm, other))
            found = gap(mine, theirs, level=campaign.level)
            between[follow_up.arms[arm], follow_up.arms[other]] = (found.difference, found.low, found.high)
            if other == 0 and not rungs[arm - 1].why_not:
                errors[follow_up.arms[arm]] = found.se
    curves = (
        ()
        if cuts is None
        else tuple(
            _curve(follow_up, arm, seen, tails, cuts)
            for arm in range(1, len(follow_up.arms))
            if not small[arm] and not why_not.get(arm) and not why_not.get(0)
        )
    )
    reasons = {rung.why_not for rung in rungs}
    return Rung4(
        rungs=tuple(rungs),
        curves=curves,
        checks=checks,
        parameters=_parameters(follow_up, fits or {}),
        why_not=reasons.pop() if len(reasons) == 1 else "",
        between=between,
        errors=errors,
    )


def _mean(
    follow_up: FollowUp, arm: int, seen: list[Part], tails: list[Part | None], *, with_tail: bool
) -> Mean:
    """An arm's money per assigned."""
    tail = tails[arm] if with_tail else None
    value, parts = seen[arm].money, seen[arm].parts
    if tail is not None:
        value, parts = value + tail.money, parts + tail.parts
    n = follow_up.n[0, arm]
    variance, df = spread(parts, n)
    variance += tail.doubt**2 if tail is not None else 0.0
    return Mean(value=value, variance=variance, df=df, parts=parts, n=float(n.sum()))


def _rung(follow_up: FollowUp, arm: int, seen: list[Part], tails: list[Part | None], *, reason: str) -> Rung:
    n = float(follow_up.n[0, arm].sum())
    campaign = follow_up.campaign
    base = {
        "rung": 4,
        "arm": follow_up.arms[arm],
        "n": int(n),
        "window": campaign.horizon_days,
        "until": campaign.until,
        "assumes": ASSUMES,
        "why_not": reason,
        "segment": follow_up.segments[0],
    }
    if reason == "small-arm":
        return Rung(**base, value_per_assigned=NAN, revenue_per_assigned=NAN, orders_per_assigned=NAN)
    mine, theirs = tails[arm], tails[0]
    modelled = 0.0
    with_tail = not reason and mine is not None and theirs is not None
    revenue, orders = seen[arm].revenue - seen[0].revenue, seen[arm].orders - seen[0].orders
    if with_tail:
        assert mine is not None
        assert theirs is not None
        modelled = mine.money - theirs.money
        revenue, orders = revenue + mine.revenue - theirs.revenue, orders + mine.orders - theirs.orders
    own, control = (_mean(follow_up, one, seen, tails, with_tail=with_tail) for one in (arm, 0))
    found = gap(own, control, level=campaign.level)
    control_low, control_high = control.interval(campaign.level)
    return Rung(
        **base,
        value_per_assigned=found.difference,
        revenue_per_assigned=revenue,
        orders_per_assigned=orders,
        low=found.low,
        high=found.high,
        money=found.difference * n,
        observed=seen[arm].money - seen[0].money,
        modelled=NAN if reason else modelled,
        control=control.value,
        control_low=control_low,
        control_high=control_high,
        p=found.p,
    )


def _curve(follow_up: FollowUp, arm: int, seen: list[Part], tails: list[Part | None], cuts: Floats) -> Curve:
    """Cumulative difference at the ends of the spans, each with what is seen and what is expected until then."""
    edges = np.array(follow_up.edges)
    days, found = [], []
    for span in range(len(cuts) - 1):
        blocks = edges[1:] <= cuts[span + 1] + 1e-9
        if not blocks.any() or cuts[span + 1] < follow_up.seen_days:
            continue
        until = []
        for one in (arm, 0):
            tail, n = tails[one], follow_up.n[0, one]
            assert tail is not None
            parts = seen[one].by_block_parts[:, blocks].sum(axis=1)
            parts = parts + tail.by_block_parts[:, : span + 1].sum(axis=1)
            value = float(seen[one].by_block[blocks].sum() + tail.by_block[: span + 1].sum())
            variance, df = spread(parts, n)
            variance += (tail.doubt * (span + 1) / (len(cuts) - 1)) ** 2
            until.append(Mean(value=value, variance=variance, df=df, parts=parts, n=float(n.sum())))
        days.append(round(cuts[span + 1]))
        found.append(gap(*until, level=follow_up.campaign.level))
    return Curve(
        arm=follow_up.arms[arm],
        day=np.array(days, dtype=np.int64),
        difference=np.array([one.difference for one in found]),
        low=np.array([one.low for one in found]),
        high=np.array([one.high for one in found]),
        modelled=np.ones(len(days), dtype=np.bool_),
    )


def _parameters(follow_up: FollowUp, fits: Mapping[int, ArmFit]) -> dict[str, dict[str, float]]:
    """Arm → what was fitted, for the analyst; times in days, for a return half-way through the first month."""
    told = {}
    for arm, model in fits.items():
        theta, wait = model.repeat.theta, model.wait.theta
        leaving, size = float(expit(theta[3])), float(np.exp(theta[4]))
        told[follow_up.arms[arm]] = {
            "timing": float(model.repeat.timing),
            "r": float(np.exp(theta[0])),
            "alpha": float(np.exp(theta[1])),
            "alpha_by_delay": float(theta[2]),
            "a": leaving * size,
            "b": (1 - leaving) * size,
            "leaving_by_delay": float(theta[5]),
            "since": model.since,
            "r2": float(np.exp(theta[6])),
            "alpha2": float(np.exp(theta[7])),
            "leaving2": float(expit(theta[8])),
            "size2": float(np.exp(theta[9])),
            "second": float(expit(theta[10])),
            "second_by_delay": float(theta[11]),
            "fading": float(theta[12]) / 100,
            "slow_start": float(theta[13]),
            "slow_days": float(np.exp(theta[14])),
            "never": float(expit(wait[0])),
            "wait_r": float(np.exp(wait[1])),
            "wait_beta": float(np.exp(wait[2])),
        }
    return told


def _no_answer(follow_up: FollowUp, why_not: str) -> Rung4:
    return Rung4(
        rungs=tuple(
            Rung(
                rung=4,
                arm=name,
                n=int(follow_up.n[0, place].sum()),
                value_per_assigned=NAN,
                revenue_per_assigned=NAN,
                orders_per_assigned=NAN,
                window=follow_up.campaign.horizon_days,
                until=follow_up.campaign.until,
                assumes=ASSUMES,
                why_not=why_not,
                segment=follow_up.segments[0],
            )
            for place, name in enumerate(follow_up.arms)
            if name != follow_up.campaign.control
        ),
        why_not=why_not,
    )
