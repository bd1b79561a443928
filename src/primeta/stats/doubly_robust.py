"""What a policy would have earned, from customers who were treated by lot: weighting, and weighting with a model.

Everything rests on the recorded probability of what each customer got. Then the outcome of those who happened to get
what the policy wants, weighted by one over that probability, stands for everybody; a model of the outcome only takes
noise away and can be as wrong as it likes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
FOLDS = 5
RIDGE = 1e-3
"""Of the features' own spread: keeps a fit defined in a small arm and moves nothing elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its standard error and interval."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """Value per customer of a policy, three ways; `doubly_robust` is the one to read."""

    doubly_robust: Estimate
    weighted: Estimate
    """Inverse probability weighting, not normalised (Horvitz & Thompson 1952)."""
    normalised: Estimate
    """The same, with weights that sum to one (Hájek 1971)."""
    effective: float
    """(Σw)² / Σw²: customers with equal weights who would tell as much (Kish 1965)."""
    followed: int
    """Customers who got what the policy wants."""
    n: int


def standardised(features: npt.ArrayLike) -> Floats:
    """(n, q) features with mean 0 and spread 1; constant ones are left out, what is unknown stands at the mean."""
    x = np.asarray(features, dtype=np.float64)
    if x.size == 0:
        return np.zeros((len(x), 0))
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, x, 0.0).sum(axis=0) / count
    x = np.where(known, x, middle) - middle
    spread = np.sqrt((x * x).mean(axis=0))
    kept = spread > 1e-9 * np.maximum(np.abs(middle), 1.0)
    return x[:, kept] / spread[kept]


def linear_predictions(
    outcome: Floats, taken: Ints, features: Floats, *, actions: int, fold: Ints, weight: Floats | None = None
) -> Floats:
    """(n, A) outcome to expect of each customer under each action, from customers of the other folds only.

    Least squares with a hair of ridge, one fit an action; an action that nobody of the other folds got, or too few
    for the features, falls back to its mean.

    Args:
        taken: (n,) the action that each got, below 0 for one that does not count.
        features: (n, q), standardised.
    """
    n, q = features.shape
    weight = np.ones(n) if weight is None else weight
    x = np.column_stack([np.ones(n), features])
    predicted = np.full((n, actions), np.nan)
    for part in np.unique(fold):
        inside = fold == part
        for action in range(actions):
            use = ~inside & (taken == action)
            count = int(use.sum())
            if not count:
                continue
            mean = float(np.average(outcome[use], weights=weight[use]))
            if count < 5 * (q + 1) or q == 0:
                predicted[inside, action] = mean
                continue
            xw = x[use] * weight[use, None]
            gram = xw.T @ x[use]
            gram[np.diag_indices(q + 1)] += RIDGE * weight[use].sum() * np.r_[0.0, np.ones(q)]
            slope = np.linalg.solve(gram, xw.T @ outcome[use])
            # A line must not promise what nobody has done: beyond the features seen it stays at their ends.
            low, high = x[use].min(axis=0), x[use].max(axis=0)
            predicted[inside, action] = np.clip(x[inside], low, high) @ slope
    return predicted


def scores(outcome: Floats, taken: Ints, probability: Floats, predictions: Floats) -> Floats:
    """(n, A) doubly robust scores: their mean over customers is the value of an action for everybody.

    Args:
        outcome: (n,). taken: (n,) action that each got, in 0 … A − 1, or below 0 for none of them.
        probability: (n,) of the action that each got, given what was known before.
        predictions: (n, A), made without the customer himself (`linear_predictions`).
    Source:
        Robins, Rotnitzky & Zhao (1994); Dudík, Langford & Li (2011), "Doubly robust policy evaluation and learning".
    """
    found = np.array(predictions, dtype=np.float64)
    rows = np.flatnonzero(taken >= 0)
    at = taken[rows]
    found[rows, at] += (outcome[rows] - found[rows, at]) / probability[rows]
    return found


def policy_value(
    outcome: Floats,
    taken: Ints,
    probability: Floats,
    wanted: Ints,
    *,
    against: Ints | None = None,
    predictions: Floats | None = None,
    level: float = 0.95,
) -> PolicyValue:
    """Value per customer of giving everybody the action that the policy wants for him.

    Args:
        wanted: (n,) actions; one that nobody got has no value here: check the support first (`support`).
        against: (n,) another policy, whose value is taken off, customer by customer.
        predictions: (n, A) as in `scores`; None: the policy's own weighted mean.
    Returns:
        NaN where fewer than two customers got what a policy wants.
    Source:
        Intervals: the spread of each customer's influence over √n, t quantile at the effective sample less one.
    """
    n = len(outcome)
    mine = _influences(outcome, taken, probability, wanted, predictions)
    parts, effective, count = mine
    if against is not None:
        other, other_effective, other_count = _influences(outcome, taken, probability, against, predictions)
        parts = tuple(own - rest for own, rest in zip(parts, other, strict=True))
        count_least, df = min(count, other_count), min(effective, other_effective) - 1
    else:
        count_least, df = count, effective - 1
    if count_least < 2:
        nothing = Estimate(value=np.nan, se=np.nan, low=np.nan, high=np.nan)
        found = (nothing, nothing, nothing)
    else:
        found = tuple(estimate(part, df=max(df, 1.0), level=level) for part in parts)
    return PolicyValue(
        doubly_robust=found[0],
        weighted=found[1],
        normalised=found[2],
        effective=effective,
        followed=count,
        n=n,
    )


def _influences(
    outcome: Floats, taken: Ints, probability: Floats, wanted: Ints, predictions: Floats | None
) -> tuple[tuple[Floats, ...], float, int]:
    """(n,) doubly robust, weighted and normalised influences; the effective sample; who got what was wanted."""
    n = len(outcome)
    followed = (taken == wanted) & (wanted >= 0)
    weight = np.where(followed, 1.0 / probability, 0.0)
    total = float(weight.sum())
    if total == 0:
        return (np.zeros(n),) * 3, 0.0, 0
    hajek = float(weight @ outcome) / total
    own = np.full(n, hajek) if predictions is None else predictions[np.arange(n), wanted]
    own = np.where(np.isfinite(own), own, hajek)
    parts = (
        own + weight * (outcome - own),
        weight * outcome,
        hajek + (weight * n / total) * (outcome - hajek),
    )
    return parts, total**2 / float((weight**2).sum()), int(followed.sum())


def estimate(influence: Floats, *, df: float, level: float = 0.95) -> Estimate:
    """Mean of n customers' influences with its t interval."""
    n = len(influence)
    value = float(influence.mean())
    se = float(influence.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    reach = float(stdtrit(df, 0.5 + level / 2)) * se
    return Estimate(value=value, se=se, low=value - reach, high=value + reach)


def support(taken: Ints, wanted: Ints, context: Ints, *, least: int = 1) -> Bools:
    """(n,) whether the lottery could have given a customer of this context what the policy wants for him.

    Args:
        context: (n,) groups within which the lottery's probabilities are the same.
        least: Customers of the context who must have got the action.
    """
    found = np.zeros(len(taken), dtype=bool)
    for group in np.unique(context):
        inside = context == group
        for action in np.unique(wanted[inside]):
            got = int((taken[inside] == action).sum()) if action >= 0 else 0
            found[inside & (wanted == action)] = got >= least
    return found
