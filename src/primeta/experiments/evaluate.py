"""From sufficient statistics to effects: every metric of every arm, with the interval that decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from scipy.special import chdtrc, stdtr, stdtrit

from primeta.experiments.decide import Money
from primeta.experiments.records import Amount, Effect, Kind, Role, SampleRatio
from primeta.stats.effects import (
    METHODS,
    Difference,
    Estimates,
    Influence,
    adjusted,
    bayes,
    difference,
    fisher_exact,
    lift,
    lift_se,
    lopsided_reach,
    lopsidedness,
    sample_ratio_p,
    skewness_needs,
    skewness_of_difference,
)
from primeta.stats.multiplicity import adjusted_bh
from primeta.stats.sequential import always_multiplier, as_t

DEFAULT_TUNED = 5_000
"""Customers in all at which the always-valid interval is narrowest, where no end is planned."""
SAMPLE_RATIO_P = 0.001
SAMPLE_RATIO_ALWAYS_P = 0.01
FEW_EVENTS = 10
SMALL_ARM = 100
MOST_SKEW = 0.15
"""Of the difference's own distribution: it moves a tail of 2.5% by 1.3 points (Edgeworth, (2t² + 1)/6 · φ(t) · skewness)
before the deciding interval is widened for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How the deciding interval is made at this look.

    `always`: valid at every look; `fixed`: one look at a planned end; `planned`: the bound of this look of a
    group-sequential design, in standard errors (at the level shared between the arms).
    """

    how: Literal["always", "fixed", "planned"] = "always"
    tuned: float = DEFAULT_TUNED
    bound: float = math.nan

    def multiplier(self, n: float, df: float, *, alpha: float) -> float:
        """Standard errors that the deciding interval reaches to either side."""
        if not df > 0:
            return math.nan
        if self.how == "fixed":
            return float(-stdtrit(df, alpha / 2))
        if self.how == "planned":
            return float(as_t(self.bound, df))
        return always_reach(n, df, alpha=alpha, tuned=self.tuned)


def always_reach(n: float, df: float, *, alpha: float, tuned: float) -> float:
    """Standard errors to either side of an interval that is valid at every look; n customers in all."""
    return float(as_t(always_multiplier(n, alpha=alpha, tuned=tuned), df))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One metric in every arm, as far as it has been seen.

    `influence` holds the arms in the order of the test's arms, on its last axis. `events` (successes of a
    share) and `skewness` are by arm, or empty where unknown. `n_effective`: customers whose window has
    passed, counting parts.
    """

    name: str
    kind: Kind
    influence: Influence
    role: Role = "secondary"
    good: Literal["up", "down"] = "up"
    smallest: Amount | None = None
    covariates: int = 0
    events: Sequence[float] = ()
    skewness: Sequence[float] = ()
    n_effective: float = math.nan
    mature_share: float = 1.0
    cautions: tuple[str, ...] = field(default_factory=tuple)


def effects_of(
    measured: Sequence[Measured],
    *,
    arms: Sequence[str],
    control: str,
    level: float,
    looking: Looking,
    bayesian: bool = False,
    segment: str = "",
) -> tuple[Effect, ...]:
    """Every metric of every treated arm against control.

    The deciding interval's level is shared between the arms: with K − 1 of them each is at 1 − (1 − level)/(K − 1)
    (Bonferroni), so that the chance of scaling any arm that does nothing stays within one level.
    """
    at = {name: place for place, name in enumerate(arms)}
    treated = [name for name in arms if name != control]
    alpha = (1 - level) / max(len(treated), 1)
    found = []
    for metric in measured:
        estimates = adjusted(_with_rare_events(metric))
        n_all = metric.n_effective if metric.n_effective == metric.n_effective else float(estimates.n.sum())
        for name in treated:
            found.append(
                _effect(
                    metric,
                    estimates,
                    at[name],
                    at[control],
                    arm=name,
                    level=level,
                    alpha=alpha,
                    n_all=n_all,
                    looking=looking,
                    bayesian=bayesian,
                    segment=segment,
                )
            )
    return adjusted_p(found)


def _with_rare_events(metric: Measured) -> Influence:
    """A share's noise where an arm has fewer than ten events (or customers without one).

    An arm of three hundred without any event has no variance of its own, and would be taken for proof. There one
    event and one customer without it are added for the noise; the estimate stays.

    Source:
        Agresti & Caffo (2000), "Simple and effective confidence intervals for proportions and differences of
        proportions result from adding two successes and two failures" (one of each an arm).
    """
    if metric.kind != "share" or not len(metric.events):
        return metric.influence
    n, events = metric.influence.n, np.asarray(metric.events, dtype=float)
    share = (events + 1) / (n + 2)
    rare = (np.minimum(events, n - events) < FEW_EVENTS) & (n >= 2)
    # Where nobody in any arm has had one, there is nothing to compare, rare or not.
    rare &= (events.sum() > 0) & ((n - events).sum() > 0)
    variance = metric.influence.variance
    floor = np.maximum(variance, share * (1 - share) * n / np.maximum(n - 1, 1))
    return replace(metric.influence, variance=np.where(rare, floor, variance))


def adjusted_p(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """The same rows with Benjamini–Hochberg p-values over those that have one."""
    known = [place for place, effect in enumerate(effects) if math.isfinite(effect.p)]
    values = dict(zip(known, adjusted_bh(np.array([effects[place].p for place in known])).tolist()))
    return tuple(
        replace(effect, p_adjusted=values.get(place, math.nan)) for place, effect in enumerate(effects)
    )


def _effect(
    metric: Measured,
    estimates: Estimates,
    arm_at: int,
    control_at: int,
    *,
    arm: str,
    level: float,
    alpha: float,
    n_all: float,
    looking: Looking,
    bayesian: bool,
    segment: str,
) -> Effect:
    gap = difference(estimates, arm_at, control_at)
    df = float(gap.df)
    value, se = float(gap.difference), float(gap.se)
    low, high = (float(bound) for bound in gap.t_bounds(level))
    relative, lift_low, lift_high, method = lift(estimates, arm_at, control_at, level=level)
    always = always_reach(n_all, df, alpha=1 - level, tuned=looking.tuned) if df > 0 else math.nan
    decides = looking.multiplier(n_all, df, alpha=alpha) if df > 0 else math.nan
    shape = _Shape.of(metric, estimates, arm_at, control_at, n_all)
    always_low, always_high = shape.bounds(gap, always)
    decision_low, decision_high = shape.bounds(gap, decides)
    beyond = _beyond(estimates, arm_at, control_at, gap, metric.smallest, decides, shape)
    exact = math.nan
    if metric.kind == "share" and not metric.covariates and len(metric.events):
        counts = int(metric.events[arm_at]), int(metric.events[control_at])
        exact = fisher_exact(counts, (int(estimates.n[arm_at]), int(estimates.n[control_at])))
    better = risk_arm = risk_control = math.nan
    relative_se = float(lift_se(estimates, arm_at, control_at))
    if bayesian:
        spread = float(lift_se(estimates, arm_at, control_at, large=metric.kind == "share"))
        better, risk_arm, risk_control = (float(part) for part in bayes(relative, spread))
    with np.errstate(divide="ignore", invalid="ignore"):
        lift_p = float(2 * stdtr(df, -abs(np.float64(relative) / relative_se))) if df > 0 else math.nan
    why_not = _why_not(metric, estimates, arm_at, control_at) if not math.isfinite(se) else ""
    return Effect(
        metric=metric.name,
        arm=arm,
        n_control=int(estimates.n[control_at]),
        n_arm=int(estimates.n[arm_at]),
        control_mean=float(estimates.value[control_at]),
        arm_mean=float(estimates.value[arm_at]),
        difference=value,
        se=se,
        low=low,
        high=high,
        p=float(gap.p),
        p_adjusted=math.nan,
        lift=math.nan if why_not else float(relative),
        lift_low=math.nan if why_not else float(lift_low),
        lift_high=math.nan if why_not else float(lift_high),
        lift_method=METHODS[int(method)],
        lift_p=math.nan if why_not else lift_p,
        always_low=always_low,
        always_high=always_high,
        decision_low=decision_low,
        decision_high=decision_high,
        beyond_low=beyond[0],
        beyond_high=beyond[1],
        level=level,
        role=metric.role,
        kind=metric.kind,
        good=metric.good,
        smallest=metric.smallest,
        variance_kept=float(estimates.kept),
        p_exact=exact,
        better=better,
        risk_arm=risk_arm,
        risk_control=risk_control,
        mature_share=metric.mature_share,
        segment=segment,
        cautions=(*metric.cautions, *_cautions(metric, estimates, arm_at, control_at)),
        why_not=why_not,
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    """How skewed one customer is in an arm and in the control, and how many there are: 0 where it is not known."""

    skewness: tuple[float, float] = (0.0, 0.0)
    n: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def of(cls, metric: Measured, estimates: Estimates, arm: int, control: int, n_all: float) -> _Shape:
        if metric.kind == "share":
            # of one customer who says yes with this probability
            p = np.clip(estimates.value[[arm, control]].astype(float), 0.0, 1.0)
            if not (np.isfinite(p).all() and (p > 0).all() and (p < 1).all()):
                return cls()
            skewness = tuple((1 - 2 * p) / np.sqrt(p * (1 - p)))
        elif len(metric.skewness):
            skewness = metric.skewness[arm], metric.skewness[control]
        else:
            return cls()
        everybody = float(estimates.n.sum())
        whole = min(n_all / everybody, 1.0) if everybody > 0 and n_all > 0 else 1.0
        size = float(estimates.n[arm]) * whole, float(estimates.n[control]) * whole
        return cls(skewness=skewness, n=size)

    def bounds(self, gap: Difference, reach: float, *, factor: float = 1.0) -> tuple[float, float]:
        below, above = lopsided_reach(reach, lopsidedness(self.skewness, self.n, factor=factor))
        value, se = float(gap.difference), float(gap.se)
        return value - below * se, value + above * se


def _beyond(
    estimates: Estimates,
    arm: int,
    control: int,
    gap: Difference,
    amount: Amount | None,
    reach: float,
    shape: _Shape,
) -> tuple[float, float]:
    """The deciding interval of "arm − control − amount"; a relative amount moves with the control's own noise."""
    if amount is None:
        return math.nan, math.nan
    if amount.relative:
        factor = 1 + amount.value
        return shape.bounds(difference(estimates, arm, control, factor=factor), reach, factor=factor)
    low, high = shape.bounds(gap, reach)
    return low - amount.value, high - amount.value


def _why_not(metric: Measured, estimates: Estimates, arm: int, control: int) -> str:
    values = float(estimates.value[arm]), float(estimates.value[control])
    if min(float(estimates.n[arm]), float(estimates.n[control])) < 2:
        return "too-few-customers"
    if any(math.isnan(value) for value in values):
        return "no-denominator" if metric.kind == "ratio" else "not-seen-yet"
    return "no-variance"


def _cautions(metric: Measured, estimates: Estimates, arm: int, control: int) -> tuple[str, ...]:
    found = []
    n = float(estimates.n[arm]), float(estimates.n[control])
    if min(n) < SMALL_ARM:
        found.append("small-arm")
    if len(metric.events):
        events = float(metric.events[arm]), float(metric.events[control])
        if min(*events, n[0] - events[0], n[1] - events[1]) < FEW_EVENTS:
            found.append("few-events")
    if len(metric.skewness):
        skew = metric.skewness[arm], metric.skewness[control]
        variance = float(metric.influence.variance[arm]), float(metric.influence.variance[control])
        if skewness_of_difference(skew, variance, n) > MOST_SKEW or any(
            size < skewness_needs(value) for size, value in zip(n, skew)
        ):
            found.append("heavy-tail")
    return tuple(found)


def money_of(
    measured: Measured | None, *, arms: Sequence[str], control: str, costs: dict[str, float], level: float,
    looking: Looking,
) -> dict[str, Money]:  # fmt: skip
    """Money per customer assigned of each treated arm: what its customers brought more, less what it cost more.

    `measured` is a metric whose unit is money per customer; None where no value is known.
    """
    if measured is None:
        return {}
    rows = effects_of([measured], arms=arms, control=control, level=level, looking=looking)
    found = {}
    for row in rows:
        cost = costs.get(row.arm, 0.0) - costs.get(control, 0.0)
        found[row.arm] = Money(
            value=row.difference - cost, low=row.decision_low - cost, high=row.decision_high - cost
        )
    return found


def sample_ratio(
    counts: dict[str, int], planned: dict[str, float], *, always_p: float = 1.0, repeated: bool = False
) -> SampleRatio:
    """Whether the arms are as large as planned.

    Args:
        repeated: The test has been looked at before: then the check that is valid at every look decides
            (`always_p` below .01), else the chi-square of this look (p below .001).
    """
    names = list(planned)
    p = sample_ratio_p([counts[name] for name in names], [planned[name] for name in names])
    ok = always_p >= SAMPLE_RATIO_ALWAYS_P if repeated else not p < SAMPLE_RATIO_P
    return SampleRatio(counts=counts, planned=planned, p=p, always_p=always_p, ok=ok)


def differ_between(effects: Sequence[Effect]) -> float:
    """p-value of "the effect is the same in every segment" (Cochran's Q); NaN with fewer than two segments."""
    known = [(effect.difference, effect.se) for effect in effects if math.isfinite(effect.se)]
    if len(known) < 2:
        return math.nan

    values, errors = np.array(known).T
    weights = 1 / errors**2
    middle = (weights * values).sum() / weights.sum()
    return float(chdtrc(len(known) - 1, (weights * (values - middle) ** 2).sum()))
