"""How long an experiment must run, from the noise that a team's own series show."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from scipy.stats import norm


def weeks_to_see(
    effect: float,
    *,
    relative_se: Mapping[int, float],
    level: float = 0.95,
    power: float = 0.8,
    longest: int = 104,
) -> float:
    """Weeks until two halves of a group can be told apart when they differ by `effect`.

    Args:
        effect: Relative difference to see, above 0: .02 is 2%.
        relative_se: Length in weeks (1, 4, 13 …) → relative standard error of the metric over
            that length in the whole group. Longer windows matter because one customer's weeks
            resemble each other: noise falls slower than one over the root of time.
        level: Of the two-sided test.
        longest: Weeks after which the answer is "never".
    Returns:
        Whole weeks; infinity beyond `longest`; NaN where no standard error is known.
    Source:
        Two-sample z-test on halves: var(difference) = 4 var(group). se(w) is interpolated on
        log-log axes between the lengths given and goes on with the last slope, never steeper than
        w^-1/2.
    """
    known = sorted((weeks, se) for weeks, se in relative_se.items() if math.isfinite(se) and se > 0)
    if not known or not effect > 0:
        return math.nan
    needed = float(norm.ppf(0.5 + level / 2) + norm.ppf(power))
    for weeks in range(1, longest + 1):
        if needed * 2 * _se_at(weeks, known) <= effect:
            return float(weeks)
    return math.inf


def _se_at(weeks: int, known: list[tuple[int, float]]) -> float:
    if weeks <= known[0][0] or len(known) == 1:
        return known[0][1] * math.sqrt(known[0][0] / weeks)
    for (w0, se0), (w1, se1) in itertools.pairwise(known):
        if weeks <= w1:
            return se0 * (weeks / w0) ** _slope(w0, se0, w1, se1)
    (w0, se0), (w1, se1) = known[-2:]
    return se1 * (weeks / w1) ** _slope(w0, se0, w1, se1)


def _slope(w0: int, se0: float, w1: int, se1: float) -> float:
    return max(-0.5, min(0.0, math.log(se1 / se0) / math.log(w1 / w0)))
