"""The difference between two groups that nobody drew by lot, within strata that are alike, with customers as clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratified:
    """`exposed` − `others`, each the mean over strata with the same weights; NaN where no stratum has both."""

    exposed: float
    others: float
    difference: float
    low: float
    high: float
    se: float
    n: int
    """Rows of the exposed in strata that have both."""
    n_others: int
    clusters: int
    clusters_others: int


def stratified_difference(
    outcome: npt.ArrayLike,
    exposed: npt.ArrayLike,
    stratum: Ints,
    cluster: Ints,
    *,
    level: float,
    beside: npt.ArrayLike | None = None,
) -> Stratified:
    """Compare the exposed with the others of their own stratum.

    The difference is the coefficient of `exposed` in a regression on it and on every stratum: a mean of the strata's
    differences in which a stratum weighs n₁n₀/n, most where both are many. Its standard error is the larger
    of the one that lets a customer's rows hang together, and the one from the strata's common variance. The first alone
    is far too small where few of the exposed had the outcome: none of 40 has no spread of its own.

    Args:
        outcome: (n,) finite.
        exposed: (n,) bool.
        stratum: (n,) 0 or above.
        cluster: (n,) the customer, 0 or above.
        level: Of the interval; t with one degree of freedom less than the smaller group has customers.
        beside: (n, k) what else may go with the outcome and with `exposed`: it is held equal.
    Returns:
        `others` is `exposed` − `difference`: what the exposed would show if they were as the others, `beside` held equal.
        NaN where `beside` leaves nothing to tell the exposed by.
    Source:
        Angrist (1998), Econometrica 66, 249: the weights. Liang & Zeger (1986), Biometrika 73, 13, with the correction
        (G / (G − 1)) · ((n − 1) / (n − k)) of Cameron & Miller (2015), J. Human Resources 50, 317, eq. 11.
    """
    y = np.asarray(outcome, dtype=np.float64)
    x = np.asarray(exposed, dtype=bool)
    count = np.bincount(stratum)
    ones = np.bincount(stratum, weights=x, minlength=len(count))
    both = (ones > 0) & (ones < count)
    kept = both[stratum]
    y, x, cluster = y[kept], x[kept], cluster[kept]
    stratum = (np.cumsum(both) - 1)[stratum[kept]]
    count, ones = count[both].astype(np.float64), ones[both]
    n, n_others = int(x.sum()), int((~x).sum())
    groups, groups_others = len(np.unique(cluster[x])), len(np.unique(cluster[~x]))
    if not n or not n_others:
        return _nothing()
    weight = ones * (count - ones) / count
    mean = np.bincount(stratum, weights=y * x) / ones
    mean_others = np.bincount(stratum, weights=y * ~x) / (count - ones)
    said, others = (float(weight @ each / weight.sum()) for each in (mean, mean_others))
    difference = said - others
    centred = x - (ones / count)[stratum]
    left = y - (np.bincount(stratum, weights=y) / count)[stratum]
    all_of_it = float(centred @ centred)
    parameters = len(count) + 1
    if beside is not None:
        # Frisch, Waugh and Lovell: what is left of each once `beside` is taken out.
        aside = np.asarray(beside, dtype=np.float64)[kept]
        mean = (
            np.stack([np.bincount(stratum, weights=each) / count for each in aside.T], axis=1)
            if aside.size
            else aside
        )
        aside = aside - mean[stratum] if aside.size else aside
        fitted, _, rank, _ = np.linalg.lstsq(aside, np.stack([centred, left], axis=1), rcond=1e-10)
        centred, left = centred - aside @ fitted[:, 0], left - aside @ fitted[:, 1]
        parameters += int(rank)
    total = float(centred @ centred)
    if total < 1e-6 * all_of_it:
        return _nothing()
    if beside is not None:
        difference = float(centred @ left) / total
        others = said - difference
    left = left - difference * centred
    rows = len(y)
    se = NAN
    if rows > parameters and min(groups, groups_others) > 1:
        all_groups = len(np.unique(cluster))
        scores = np.bincount(cluster, weights=centred * left)
        correction = all_groups / (all_groups - 1) * (rows - 1) / (rows - parameters)
        apart = math.sqrt(correction * float(scores @ scores)) / total
        common = math.sqrt(float(left @ left) / (rows - parameters) / total)
        se = max(apart, common)
    reach = float(stdtrit(max(1, min(groups, groups_others) - 1), 0.5 + level / 2)) * se
    return Stratified(
        exposed=said,
        others=others,
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        se=se,
        n=n,
        n_others=n_others,
        clusters=groups,
        clusters_others=groups_others,
    )


def _nothing() -> Stratified:
    return Stratified(
        exposed=NAN, others=NAN, difference=NAN, low=NAN, high=NAN, se=NAN, n=0, n_others=0, clusters=0, clusters_others=0
    )  # fmt: skip
