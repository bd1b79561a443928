"""What an arm brought per assigned customer, from sums by bucket and block of days, with its spread.

The follow-up is cut into blocks of days. Each block's mean is taken over the customers who have lived through it,
and the means add up, so that who was assigned late counts as far as he goes. Everybody belongs to one hash bucket;
buckets are independent, so the spread between them is the estimate's own, whatever one customer's orders look like
over the blocks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from primeta.reactivation.records import NAN, TOTALS, FollowUp
from primeta.stats.effects import influence, lopsided_reach
from primeta.stats.moments import Moments

Floats = npt.NDArray[np.float64]
LEAST_CUSTOMERS = 30
"""Of an arm: below it neither a normal limit nor a spread can be relied on."""
VALUE: Mapping[str, float] = {"money": 1.0, "contact": -1.0}
"""What an arm is worth: the margin of its orders less the contact."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mean:
    """One arm's figure with its spread; `value` is NaN, and `why_not` a code, where it cannot be told."""

    value: float
    variance: float
    """Of the estimate, not of one customer."""
    df: float
    parts: Floats
    """(B,) what each bucket adds to the error; they sum to 0. The variance of anything made of several of one arm's
    figures is that of the same combination of their parts."""
    n: float
    """Customers with the whole of it behind them who would give this spread."""
    why_not: str = ""

    @property
    def known(self) -> bool:
        return math.isfinite(self.value)

    def interval(self, level: float) -> tuple[float, float]:
        reach = _t(self.df, level) * math.sqrt(self.variance)
        return self.value - reach, self.value + reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The difference of two arms; `low`, `high` and `p` are NaN where nothing is known of noise."""

    difference: float
    low: float
    high: float
    se: float
    p: float
    why_not: str = ""


def unknown(why_not: str, buckets: int = 0) -> Mean:
    return Mean(value=NAN, variance=NAN, df=NAN, parts=np.zeros(buckets), n=0.0, why_not=why_not)


def _t(df: float, level: float) -> float:
    return float(stdtrit(df, 0.5 + level / 2)) if df < 1e8 else float(ndtri(0.5 + level / 2))


# Parts of a follow-up


def pooled(follow_up: FollowUp) -> FollowUp:
    """All segments as one."""
    if len(follow_up.segments) == 1:
        return follow_up
    tail = follow_up.tail
    return replace(
        follow_up,
        segments=("",),
        n=follow_up.n.sum(axis=0, keepdims=True),
        at_risk=follow_up.at_risk.sum(axis=0, keepdims=True),
        sums={name: table.sum(axis=0, keepdims=True) for name, table in follow_up.sums.items()},
        window=_merged(follow_up.window),
        seen=_merged(follow_up.seen),
        traits_n=follow_up.traits_n.sum(axis=0, keepdims=True),
        traits={name: table.sum(axis=0, keepdims=True) for name, table in follow_up.traits.items()},
        traits_squared={
            name: table.sum(axis=0, keepdims=True) for name, table in follow_up.traits_squared.items()
        },
        discounts=tuple(
            (money, bucket, np.zeros_like(segment)) for money, bucket, segment in follow_up.discounts
        ),
        tail=replace(tail, segment=np.zeros_like(tail.segment)),
        before={name: table.sum(axis=0, keepdims=True) for name, table in follow_up.before.items()},
    )


def _merged(moments: Moments) -> Moments:
    return moments.merged(0)[None]


def of_segment(follow_up: FollowUp, place: int) -> FollowUp:
    """One segment alone."""
    here = slice(place, place + 1)
    tail = follow_up.tail
    mine = tail.segment == place
    halfway = tail.halfway
    return replace(
        follow_up,
        segments=(follow_up.segments[place],),
        n=follow_up.n[here],
        at_risk=follow_up.at_risk[here],
        sums={name: table[here] for name, table in follow_up.sums.items()},
        window=follow_up.window[here],
        seen=follow_up.seen[here],
        traits_n=follow_up.traits_n[here],
        traits={name: table[here] for name, table in follow_up.traits.items()},
        traits_squared={name: table[here] for name, table in follow_up.traits_squared.items()},
        discounts=tuple(
            (money[segment == place], bucket[segment == place], segment[segment == place] * 0)
            for money, bucket, segment in follow_up.discounts
        ),
        tail=replace(
            tail,
            segment=tail.segment[mine] * 0,
            arm=tail.arm[mine],
            bucket=tail.bucket[mine],
            followed=tail.followed[mine],
            returned_at=tail.returned_at[mine],
            later=tail.later[mine],
            last=tail.last[mine],
            count=tail.count[mine],
            halfway=None if halfway is None else {name: column[mine] for name, column in halfway.items()},
        ),
        before={name: table[here] for name, table in follow_up.before.items()},
    )


def assigned(follow_up: FollowUp, arm: int) -> float:
    """Customers of an arm, over all segments of this follow-up."""
    return float(follow_up.n[:, arm].sum())


# Means per assigned


def per_assigned(
    follow_up: FollowUp,
    arm: int,
    what: Mapping[str, float],
    *,
    until_day: int,
    from_day: int = 0,
    least: int = LEAST_CUSTOMERS,
) -> Mean:
    """A weighted sum of measures per assigned customer over the days from `from_day` to `until_day`.

    Args:
        follow_up: Of one segment (`pooled`, `of_segment`).
        what: Measure → its weight: {"money": 1, "contact": −1}.
        until_day, from_day: Edges of the follow-up.
        least: Customers who must have lived through every block; 1 for a claim, which knows no error.
    Returns:
        `why_not` small-arm or short-follow-up, with NaN, where fewer have.
    Source:
        Lin, Feuer, Etzioni & Wax (1997), "Estimating medical costs from incomplete follow-up data"; Bang & Tsiatis
        (2000), the partitioned estimator, here with censoring by the day of assignment alone. With B buckets that
        are not empty, the variance is B / (B − 1) · Σ_b I_b², I_b = Σ_k (sum_bk − mean_k · n_bk) / n_k.
    """
    buckets = follow_up.n.shape[-1]
    if assigned(follow_up, arm) < least:
        return unknown("small-arm", buckets)
    if until_day not in follow_up.edges:
        return unknown("short-follow-up", buckets)
    first, last = follow_up.edges.index(from_day), follow_up.edges.index(until_day)
    at_risk = follow_up.at_risk[0, arm, :, first:last]
    lived = at_risk.sum(axis=0)
    if (lived < least).any():
        return unknown("short-follow-up", buckets)
    table = np.zeros_like(at_risk)
    for measure, weight in what.items():
        table = table + weight * follow_up.sums[measure][0, arm, :, first:last]
    means = table.sum(axis=0) / lived
    parts = ((table - means * at_risk) / lived).sum(axis=1)
    value = float(means.sum())
    count = float(lived.min()) if lived.size else assigned(follow_up, arm)
    variance, df = spread(parts, at_risk[:, -1] if at_risk.shape[1] else follow_up.n[0, arm])
    exact = _customers(follow_up, arm, what, from_day=from_day, until_day=until_day)
    if exact is not None:
        variance, df = exact
    return Mean(value=value, variance=variance, df=df, parts=parts, n=count)


def spread(parts: Floats, customers: Floats) -> tuple[float, float]:
    """Variance of an estimate and its degrees of freedom, from what each bucket with customers adds to its error."""
    filled = int((customers > 0).sum())
    if filled < 2:
        return NAN, NAN
    squares = float(parts @ parts)
    return filled / (filled - 1) * squares, float(filled - 1)


def _customers(
    follow_up: FollowUp, arm: int, what: Mapping[str, float], *, from_day: int, until_day: int
) -> tuple[float, float] | None:
    """Variance and degrees of freedom from customers' own totals, where everybody lived through the time."""
    moments = _whole(follow_up, arm, from_day=from_day, until_day=until_day)
    column = _column(what)
    if moments is None or column is None:
        return None
    n = float(moments.n)
    return float(moments.scatter[column, column]) / (n - 1) / n, n - 1


def _column(what: Mapping[str, float]) -> int | None:
    """Which of TOTALS this is; `money` there is less contact."""
    if dict(what) == dict(VALUE):
        return TOTALS.index("money")
    if len(what) != 1 or "money" in what:
        return None
    ((name, weight),) = what.items()
    name = "returned" if name == "first_returns" else name
    return TOTALS.index(name) if weight == 1 and name in TOTALS else None


def _whole(follow_up: FollowUp, arm: int, *, from_day: int, until_day: int) -> Moments | None:
    """Customers' totals of this time, if every one of the arm has lived through it."""
    if from_day or follow_up.clustered:
        return None
    for days, moments in (
        (follow_up.campaign.window_days, follow_up.window),
        (follow_up.seen_days, follow_up.seen),
    ):
        mine = moments[0, arm]
        if days == until_day and mine.n > 1 and mine.n == follow_up.n[0, arm].sum():
            return mine
    return None


def ratio(top: Mean, bottom: Mean, *, customers: Floats, least: int = 10) -> Mean:
    """One figure of an arm over another of the same arm.

    Args:
        customers: (B,) what the bottom counts in each bucket, so that it is known how many stand behind it.
        least: Buckets that must hold some of it.
    Source:
        Deng, Knoblich & Lu (2018), "Applying the delta method in metric analytics", eq. 5, over buckets.
    """
    if top.why_not or bottom.why_not:
        return unknown(top.why_not or bottom.why_not, len(top.parts))
    if bottom.value == 0 or int((customers > 0).sum()) < least:
        return unknown("few-orders", len(top.parts))
    value = top.value / bottom.value
    parts = (top.parts - value * bottom.parts) / bottom.value
    variance, df = spread(parts, customers)
    return Mean(value=value, variance=variance, df=df, parts=parts, n=top.n)


def depth(follow_up: FollowUp, arm: int, *, until_day: int) -> Mean:
    """An arm's (code-)discount over its list price."""
    found = [
        per_assigned(follow_up, arm, {name: 1.0}, until_day=until_day)
        for name in ("code_discount", "list_price")
    ]
    last = follow_up.edges.index(until_day) if until_day in follow_up.edges else 0
    bought = follow_up.sums["list_price"][0, arm, :, :last].sum(axis=1)
    told = ratio(found[0], found[1], customers=bought, least=2)
    whole = _whole(follow_up, arm, from_day=0, until_day=until_day)
    if whole is None or not told.known:
        return told
    mine = influence(
        whole[None], numerator=TOTALS.index("code_discount"), denominator=TOTALS.index("list_price")
    )
    n = float(whole.n)
    return replace(told, variance=float(mine.variance[0]) / n, df=n - 1)


# Differences


def gap(arm: Mean, control: Mean, *, level: float) -> Gap:
    """`arm − control`, which are made of different customers; Welch's degrees of freedom.

    Where a few large customers decide, arms of unequal size err to one side; the interval is then widened there
    (`stats.effects.lopsided_reach`), and the p-value with it.
    """
    if arm.why_not or control.why_not:
        return Gap(difference=NAN, low=NAN, high=NAN, se=NAN, p=NAN, why_not=arm.why_not or control.why_not)
    variance = arm.variance + control.variance
    difference = arm.value - control.value
    if not variance > 0:
        return Gap(difference=difference, low=NAN, high=NAN, se=NAN, p=NAN, why_not="no-spread")
    df = variance**2 / (arm.variance**2 / arm.df + control.variance**2 / control.df)
    se = math.sqrt(variance)
    reach = _t(df, level)
    below, above = lopsided_reach(reach, _skewness(arm, control, se))
    toward_zero = below if difference > 0 else above
    return Gap(
        difference=difference,
        low=difference - below * se,
        high=difference + above * se,
        se=se,
        p=float(2 * stdtr(df, -abs(difference) / se * reach / toward_zero)),
    )


def _skewness(arm: Mean, control: Mean, se: float) -> float:
    """Of the difference, with one customer's third moment taken from both arms: the small one has not seen its tail."""
    sizes, means = np.array([arm.n, control.n]), (arm, control)
    if not sizes.min() > 0:
        return 0.0
    # Σ_b I_b³ is the third cumulant of the mean: that of one customer over n²
    third = np.array([float((mean.parts**3).sum()) for mean in means]) * sizes**2
    common = float((third * sizes).sum() / sizes.sum())
    return common * (sizes[0] ** -2 - sizes[1] ** -2) / se**3


def skewness_of_mean(mean: Mean) -> float:
    """Third cumulant of a mean over its standard error cubed."""
    return float((mean.parts**3).sum()) / mean.variance**1.5 if mean.variance > 0 else 0.0


def effective(share: Mean) -> float:
    """Customers of whom a plain share would have this spread."""
    product = share.value * (1 - share.value)
    return product / share.variance if share.variance > 0 and product > 0 else share.n


def wilson(share: Mean, *, level: float) -> tuple[float, float]:
    """Interval of a share that holds for small counts too (Wilson 1927); never outside 0 and 1."""
    if not share.known:
        return NAN, NAN
    n, z = effective(share), float(ndtri(0.5 + level / 2))
    middle = (share.value + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share.value * (1 - share.value) / n + z * z / (4 * n * n))
    low = 0.0 if share.value <= 0 else max(middle - reach, 0.0)
    return low, 1.0 if share.value >= 1 else min(middle + reach, 1.0)


def share_gap(arm: Mean, control: Mean, *, level: float) -> Gap:
    """The difference of two shares.

    Source:
        Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10:
        Wilson's limits of both, squared and added. The p-value is that of the pooled variance (score test).
    """
    if arm.why_not or control.why_not:
        return Gap(difference=NAN, low=NAN, high=NAN, se=NAN, p=NAN, why_not=arm.why_not or control.why_not)
    difference = arm.value - control.value
    mine, theirs = wilson(arm, level=level), wilson(control, level=level)
    low = difference - math.hypot(arm.value - mine[0], theirs[1] - control.value)
    high = difference + math.hypot(mine[1] - arm.value, control.value - theirs[0])
    sizes = effective(arm), effective(control)
    common = (arm.value * sizes[0] + control.value * sizes[1]) / sum(sizes)
    se = math.sqrt(common * (1 - common) * (1 / sizes[0] + 1 / sizes[1]))
    p = float(2 * ndtr(-abs(difference) / se)) if se > 0 else 1.0
    return Gap(difference=difference, low=low, high=high, se=se, p=p)
