"""Who came back by himself, who because of us, and what was given away to those who needed no discount."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit

from primeta.reactivation.behaviour import trait_mean
from primeta.reactivation.estimates import (
    LEAST_CUSTOMERS,
    assigned,
    depth,
    per_assigned,
    share_gap,
    skewness_of_mean,
    spread,
    wilson,
)
from primeta.reactivation.records import NAN, TOTALS, FollowUp, NormalAgain, Returners
from primeta.stats.effects import lopsided_reach

Floats = npt.NDArray[np.float64]
FEWEST_RETURNERS = 5
"""Behind a needless discount, in each of both arms; with fewer its interval is not told."""
FEWER_BY_CHANCE = 0.01
"""Below this p an arm with fewer returners than the control has driven some away: nobody knows whom."""


def returners(follow_up: FollowUp, arm: int, *, segment: str = "") -> Returners:
    """Shares of all assigned who came back within the window, and the needless discount of one arm.

    Under a lottery the control's share is that of the self-returners. Needless discount = the arm's depth of
    discount (of its code, where known) × the control's list price per assigned × the arm's size: it assumes that
    self-returners fill the same basket and redeem alike.

    Args:
        follow_up: Of one segment; the control is arm 0.
        arm: 1 …
    """
    campaign = follow_up.campaign
    days, level = campaign.window_days, campaign.level
    n = assigned(follow_up, arm)
    given = per_assigned(follow_up, arm, {"code_discount": 1.0}, until_day=days, least=1)
    if not follow_up.has_control:
        return _cannot(follow_up, arm, given.value * n, "no-control", segment)
    mine = per_assigned(follow_up, arm, {"first_returns": 1.0}, until_day=days)
    theirs = per_assigned(follow_up, 0, {"first_returns": 1.0}, until_day=days)
    if mine.why_not or theirs.why_not:
        return _cannot(follow_up, arm, given.value * n, mine.why_not or theirs.why_not, segment)
    induced = share_gap(mine, theirs, level=level)
    self_low, self_high = wilson(theirs, level=level)
    needless, low, high, why_not = needless_discount(follow_up, arm)
    bounds = trimming_bounds(follow_up, arm)
    return Returners(
        arm=follow_up.arms[arm],
        n=round(n),
        self_share=theirs.value,
        self_low=self_low,
        self_high=self_high,
        induced_share=induced.difference,
        induced_low=induced.low,
        induced_high=induced.high,
        needless_discount=needless * n,
        needless_low=low * n,
        needless_high=high * n,
        needless_bounds=(bounds[0] * n, bounds[1] * n),
        needless_per_assigned=needless,
        discount=given.value * n,
        why_not=why_not,
        segment=segment,
    )


def _cannot(follow_up: FollowUp, arm: int, discount: float, why_not: str, segment: str) -> Returners:
    return Returners(
        arm=follow_up.arms[arm],
        n=round(assigned(follow_up, arm)),
        self_share=NAN,
        self_low=NAN,
        self_high=NAN,
        induced_share=NAN,
        induced_low=NAN,
        induced_high=NAN,
        needless_discount=NAN,
        needless_low=NAN,
        needless_high=NAN,
        needless_bounds=(NAN, NAN),
        discount=discount,
        why_not=why_not,
        segment=segment,
    )


def needless_discount(follow_up: FollowUp, arm: int) -> tuple[float, float, float, str]:
    """Per assigned of the arm: the amount, its interval, and a code where the interval cannot be told.

    The interval is that of a product on the log scale, since a basket's mean is skewed: exp(ln D ± t·se), se² =
    var(depth)/depth² + var(list)/list²; the depth is a ratio of the arm (delta method), the list price the
    control's, and the two arms are independent. What skewness the logarithm leaves widens it on its side. An arm that gave no discount wasted none: 0, from 0 to 0.
    """
    days, level = follow_up.campaign.window_days, follow_up.campaign.level
    given = per_assigned(follow_up, arm, {"code_discount": 1.0}, until_day=days)
    if given.known and given.value == 0 and given.variance == 0:
        return 0.0, 0.0, 0.0, ""
    share = depth(follow_up, arm, until_day=days)
    basket = per_assigned(follow_up, 0, {"list_price": 1.0}, until_day=days)
    if not (share.known and basket.known):
        return NAN, NAN, NAN, share.why_not or basket.why_not
    amount = share.value * basket.value
    back = [_count(follow_up, place) for place in (arm, 0)]
    if min(back) < FEWEST_RETURNERS or not amount > 0:
        return amount, NAN, NAN, "few-returners"
    relative = [share.variance / share.value**2, basket.variance / basket.value**2]
    # who did not come back tells nothing of baskets: the spread is known from the returners alone
    free = [min(mean.df, count - 1) for mean, count in zip((share, basket), back, strict=True)]
    total = sum(relative)
    if not total > 0:
        return amount, amount, amount, ""
    df = total**2 / sum(part**2 / own for part, own in zip(relative, free, strict=True))
    # on the log scale a mean of skewness γ and relative error ε has the skewness γ − 3ε (delta method)
    skew = [
        skewness_of_mean(mean) - 3 * math.sqrt(own)
        for mean, own in zip((share, basket), relative, strict=True)
    ]
    skewed = sum(own**1.5 * each for own, each in zip(relative, skew, strict=True)) / total**1.5
    below, above = lopsided_reach(float(stdtrit(df, 0.5 + level / 2)), skewed)
    se = math.sqrt(total)
    return amount, amount * math.exp(-below * se), amount * math.exp(above * se), ""


def _count(follow_up: FollowUp, arm: int) -> float:
    """Returners within the window."""
    last = follow_up.edges.index(follow_up.campaign.window_days)
    return float(follow_up.sums["first_returns"][0, arm, :, :last].sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    value: float
    se: float


def trimming_bounds(follow_up: FollowUp, arm: int) -> tuple[float, float]:
    """What self-returners can have received of the arm's discounts, per assigned, whatever they buy and redeem.

    Of the arm's returners the self-returners are π = control's share / arm's share, if nobody was driven away.
    They hold at least the smallest discounts that make up that share and at most the largest. With p the control's
    share of returners and D the discounts of the arm's, 0 for who did not return:
        highest = p·q + E[(D − q)₊ · returned], q the quantile at 1 − π; lowest alike from below.
    Neither changes, to first order, with q, so their influences are those of two means of different customers.
    Sampling error is added so that the true amount, not the whole span, is covered at the level.

    Returns:
        low, high. From 0 to everything where the control returned more often than chance explains: then somebody
        was driven away and π says nothing. NaN where nobody is known.
    Source:
        Lee (2009), "Training, wages, and sample selection: estimating sharp bounds on treatment effects";
        Rockafellar & Uryasev (2000) for the mean beyond a quantile; Imbens & Manski (2004), eq. 6–7.
    """
    campaign = follow_up.campaign
    window = follow_up.window
    n_arm, n_control = (float(window.n[0, place]) for place in (arm, 0))
    if min(n_arm, n_control) < LEAST_CUSTOMERS:
        return NAN, NAN
    at = TOTALS.index("returned")
    money, bucket, _ = follow_up.discounts[arm]
    discounts = np.sort(np.asarray(money, dtype=np.float64))
    order = np.argsort(money, kind="stable")
    bucket = np.asarray(bucket)[order]
    p_arm, p_control = len(discounts) / n_arm, float(window.mean[0, 0, at])
    buckets = follow_up.n.shape[-1]
    lived = _lived(follow_up, arm)
    total = _mean_of(discounts, bucket, buckets, n_arm, lived)
    if len(discounts) == 0:
        return (0.0, 0.0) if p_control == 0 else (NAN, NAN)
    if discounts[-1] == 0 and discounts[0] == 0:
        return 0.0, 0.0
    pooled = (p_arm * n_arm + p_control * n_control) / (n_arm + n_control)
    apart = (p_arm - p_control) / math.sqrt(max(pooled * (1 - pooled), 1e-300) * (1 / n_arm + 1 / n_control))
    reach = float(ndtri(0.5 + campaign.level / 2))
    most = max(total.value + reach * total.se, 0.0)
    if ndtr(apart) < FEWER_BY_CHANCE:
        return min(0.0, total.value - reach * total.se), most
    share = min(p_control / p_arm, 1.0) if p_arm else 1.0
    kept = share * len(discounts)
    p_se = math.sqrt(max(p_control * (1 - p_control), 1 / n_control) / n_control)
    found = []
    for largest in (False, True):
        ranked = discounts[::-1] if largest else discounts
        place = min(math.ceil(kept - 1e-9), len(ranked)) - 1
        q = float(ranked[max(place, 0)])
        beyond = np.maximum(discounts - q, 0.0) if largest else -np.maximum(q - discounts, 0.0)
        mean = _mean_of(beyond, bucket, buckets, n_arm, lived)
        value = min(p_control, p_arm) * q + mean.value
        found.append(_Bound(value, math.hypot(mean.se, q * p_se)))
    low, high = _imbens_manski(found[0], found[1], level=campaign.level)
    floor = min(0.0, float(discounts[0]))
    return max(low, floor), min(max(high, 0.0), most)


def _lived(follow_up: FollowUp, arm: int) -> Floats:
    """(B,) customers who lived through the window."""
    last = follow_up.edges.index(follow_up.campaign.window_days)
    return follow_up.at_risk[0, arm, :, last - 1]


def _mean_of(values: Floats, bucket: npt.NDArray[np.int64], buckets: int, n: float, lived: Floats) -> _Bound:
    """Per assigned of a sum over returners, its error between buckets."""
    mean = float(values.sum()) / n
    sums = np.bincount(bucket, weights=values, minlength=buckets)[:buckets]
    variance, _ = spread((sums - mean * lived) / n, lived)
    return _Bound(mean, math.sqrt(variance) if math.isfinite(variance) else NAN)


def _imbens_manski(low: _Bound, high: _Bound, *, level: float) -> tuple[float, float]:
    """Ends such that a point anywhere between the bounds is covered at the level: Φ(c + Δ/σ) − Φ(−c) = level."""
    apart, largest = max(high.value - low.value, 0.0), max(low.se, high.se)
    if not largest > 0:
        return low.value, high.value
    miss = lambda c: float(ndtr(c + apart / largest) - ndtr(-c)) - level  # noqa: E731
    c = float(brentq(miss, 0.0, 10.0))  # pyright: ignore[reportArgumentType]
    return low.value - c * low.se, high.value + c * high.se


def normal_again(follow_up: FollowUp, arm: int, *, segment: str = "") -> NormalAgain | None:
    """Normal customers won back, of all assigned; None where a customer's own earlier rhythm is not known."""
    if "normal" not in follow_up.traits:
        return None
    mine = trait_mean(follow_up, arm, "normal")
    if not follow_up.has_control:
        return NormalAgain(
            arm=follow_up.arms[arm],
            control=NAN,
            difference=NAN,
            low=NAN,
            high=NAN,
            per_thousand=NAN,
            why_not="no-control",
            segment=segment,
        )
    theirs = trait_mean(follow_up, 0, "normal")
    found = share_gap(mine, theirs, level=follow_up.campaign.level)
    return NormalAgain(
        arm=follow_up.arms[arm],
        control=theirs.value,
        difference=found.difference,
        low=found.low,
        high=found.high,
        per_thousand=1000 * found.difference,
        why_not=found.why_not,
        segment=segment,
    )
