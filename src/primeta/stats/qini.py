"""What ranking customers by uplift is worth, from doubly robust scores of customers who were held out.

Everything here is a mean over customers of something linear in their scores: the value of a policy, a point of the
Qini curve, the area between the curve and a random choice, the mean effect in a tenth of the customers. So outcomes
may be any amounts of money, and errors come from influences.

Cross-fitting holds everybody out once, but the folds are not independent: what lies in one fold trains the policy
that is tried on another, and the other way round. Where the policy follows noise, both err in the same direction and
the plain standard error is too small, up to √2 times. `folded` adds that covariance, read from policies that were
trained without both folds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """n customers in order of a score, the highest first: the stretch of [0, 1] that each stands on.

    Who cannot be told apart stands on one stretch together, as if a lottery were drawn among them.
    """

    begin: Floats
    end: Floats

    @property
    def middle(self) -> Floats:
        """(n,) share of customers above, from 0 (the first) to 1."""
        return (self.begin + self.end) / 2

    def within(self, low: float, high: float) -> Floats:
        """(n,) probability of standing between two shares, by lot among the equal."""
        held = np.minimum(self.end, high) - np.maximum(self.begin, low)
        return np.clip(held / (self.end - self.begin), 0.0, 1.0)


def ranked(score: Floats) -> Ranked:
    """Customers by score, the highest first; NaN stands last."""
    n = len(score)
    key = np.where(np.isnan(score), -np.inf, score)
    distinct, place, count = np.unique(-key, return_inverse=True, return_counts=True)
    end = np.cumsum(count) / max(n, 1)
    begin = end - count / max(n, 1)
    place = place.reshape(-1)
    del distinct
    return Ranked(begin=begin[place], end=end[place])


def area_influence(difference: Floats, order: Ranked) -> tuple[Floats, Floats]:
    """(n,) parts whose mean is the Qini area, and (n,) influences whose spread is its error.

    The area lies between Q(s), the gain per customer when the best share s is treated, and the straight line to Q(1),
    over s from 0 to 1: money per customer by which the order beats a random choice, on average over shares.

    Args:
        difference: (n,) score of the treatment less score of none.
    Source:
        Radcliffe (2007), with doubly robust scores for outcomes (Yadlowsky, Fleming, Shah, Brunskill & Wager 2025,
        "Evaluating treatment prioritization rules via rank-weighted average treatment effects", eq. 2.6 with the
        weights of their Qini coefficient). ∫ (Q(s) − s Q(1)) ds = E[d (½ − r)] with r the share standing above.
    """
    part = difference * (0.5 - order.middle)
    # The order is only known from the customers at hand: whoever stands above pushes those below down.
    by = np.argsort(order.middle, kind="stable")
    below = np.cumsum(difference[by][::-1])[::-1] / max(len(difference), 1)
    pushed = np.empty_like(below)
    pushed[by] = below
    return part, part - (pushed - pushed.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """F means over customers with their standard errors."""

    value: Floats
    se: Floats
    plain_se: Floats
    """As if folds were independent."""

    def interval(self, df: float, level: float) -> tuple[Floats, Floats]:
        reach = float(stdtrit(max(df, 1.0), 0.5 + level / 2)) * self.se
        return self.value - reach, self.value + reach


def folded(part: Floats, influence: Floats, shared: Floats, *, repeats: int, folds: int) -> Folded:
    """Means over customers who were each held out once in each of several splits.

    Args:
        part: (n, F) averaged over the repeats; its mean is the value.
        influence: (n, F) the same with what estimating the order adds; its spread is the error.
        shared: (F,) mean over repeats of Σ h_jk h_kj over ordered pairs of folds, with h_jk = (sum over fold j of
            the part under its own policy, less the same under a policy trained without k as well) / n.
    Source:
        Var(Σ_j A_j) = Σ_j Var(A_j) + Σ_{j≠k} E[A_j A_k] for A_j = (what fold j shows) − (the true value of its
        policy). Given the rest, E[A_j A_k] = E[h_jk h_kj]: all other products have mean nought, as the fold that is
        left over is then independent of the policy. The share of pairs of customers that are apart in a split is
        1 − 1/folds, by which the product shrinks when splits are averaged.
    """
    n = len(part)
    value = part.mean(axis=0)
    plain = influence.var(axis=0, ddof=1) / n
    kept = 1 / repeats + (1 - 1 / repeats) * (1 - 1 / folds)
    # It is a square in the limit, so below nought it is noise; and it cannot be more than the rest, whatever is learnt.
    both = plain + np.clip(kept * shared, 0.0, plain)
    return Folded(value=value, se=np.sqrt(both), plain_se=np.sqrt(plain))
