"""Money per customer by day since he came, where some have been here longer than others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cumulated:
    """Cumulative mean by day; `value[d]` is of the days 0 … d."""

    value: Floats
    low: Floats
    high: Floats

    @property
    def days(self) -> int:
        """Days that enough customers have lived through."""
        return len(self.value)


def cumulated(
    *,
    age: Ints,
    money: Floats,
    group: Ints,
    followed: Ints,
    group_of: Ints,
    groups: int,
    least: int = 30,
    level: float = 0.95,
) -> Cumulated:
    """The partitioned estimator: each day's mean is over those whose follow-up covers it, and the means add up.

    Args:
        age: (E,) day since he came, from 0, of each sum of money; `group` (E,) of its customer.
        followed: (n,) whole days for which each customer was followed; `group_of` (n,) his hash group.
        groups: Independent of each other; their spread is the estimate's.
        least: The course ends where fewer customers than this are left.
    Returns:
        Days up to that end; interval between groups, t with one fewer than the groups in use.
    Source:
        Bang & Tsiatis (2000), Biometrika 87, 329: the partitioned estimator of a mean cost under censoring.
    """
    longest = int(followed.max(initial=0))
    leaving = np.zeros((groups, longest + 1))
    np.add.at(leaving, (group_of, followed), 1.0)
    # (groups, longest): customers followed for more than d days.
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1][:, 1:]
    here = at_risk.sum(axis=0)
    days = int((here >= least).sum())
    if not days:
        return Cumulated(value=np.zeros(0), low=np.zeros(0), high=np.zeros(0))
    at_risk, here = at_risk[:, :days], here[:days]
    inside = age < days
    sums = np.zeros((groups, days))
    np.add.at(sums, (group[inside], age[inside]), money[inside])
    mean = sums.sum(axis=0) / here
    # What each group adds to the error; over groups it sums to 0.
    parts = np.cumsum((sums - mean * at_risk) / here, axis=1)
    used = int((at_risk[:, 0] > 0).sum())
    value = np.cumsum(mean)
    if used < 2:
        blank = np.full(days, np.nan)
        return Cumulated(value=value, low=blank, high=blank)
    variance = used / (used - 1) * (parts**2).sum(axis=0)
    reach = float(stdtrit(used - 1, 0.5 + level / 2)) * np.sqrt(variance)
    return Cumulated(value=value, low=value - reach, high=value + reach)
