"""Each customer's own rhythm: how long a silence may last before it becomes unlikely for him.

While a customer is with us, the time between his orders is gamma with shape `regularity` (1: Poisson, larger: more
regular) and his own rate, and rates differ between customers by a gamma law (r, alpha). Having seen x repeat orders,
the last one a time t after the first, his rate is gamma(r + regularity·x, alpha + t), and the silence s after his
last order is (alpha + t) times a ratio of two gammas: P(silence > s) = I_u(r + regularity·x, regularity) with
u = (alpha + t)/(alpha + t + s) and I the regularised incomplete beta function. For regularity 1 this is the Lomax law
((alpha + t)/(alpha + t + s))^(r + x). Leaving is apart: after each order, the first one too, a customer leaves with
his own probability, beta(a, b) between customers (MBG/NBD: Batislam, Denizel & Filiztekin 2007; regular timing:
Reutterer, Platzer & Schröder 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from primeta.reactivation.histories import Collapsed, OrderLog

Floats = npt.NDArray[np.float64]

FEWEST_REPEATERS = 20
"""With fewer customers who came back at all, nothing can be said of the base's rhythm."""
RETURN_DAYS = 365
"""Whoever would come back later than this is no customer of the coming year."""
SAMPLE = 250_000
"""Customers from whom regularity is read in a large base: whole numbers of stages need no more."""
_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmPrior:
    """What the base says of a customer before he has said anything himself; times are in days."""

    r: float
    alpha: float
    """Days."""
    a: float
    b: float
    regularity: int = 1
    customers: int = 0
    repeats: int = 0

    # The customer's own rate

    def rate(self, repeats: npt.ArrayLike, last: npt.ArrayLike) -> Floats:
        """Orders a day while he is with us: mean of his rate given x repeat orders in `last` days."""
        x, t = np.asarray(repeats, float), np.asarray(last, float)
        return (self.r / self.regularity + x) / (self.alpha + t)

    def rate_sql(self, repeats: str, last: str) -> str:
        """The same in SQL."""
        return f"(({self.r!r} / {self.regularity} + {repeats}) / ({self.alpha!r} + {last}))"

    # His silence

    def silence(self, repeats: npt.ArrayLike, last: npt.ArrayLike, silent: npt.ArrayLike) -> Floats:
        """P(no order for so long), if he is still with us: (n,) of repeat orders, days to the last, days since."""
        from scipy.special import betainc

        x, t, s = (np.asarray(value, float) for value in (repeats, last, silent))
        reach = self.alpha + t
        share = reach / (reach + np.maximum(s, 0.0))
        if self.regularity == 1:
            return share ** (self.r + x)
        return betainc(self.r + self.regularity * x, self.regularity, share)

    def silence_of(self, repeats: npt.ArrayLike, last: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
        """Days of silence that are exceeded with this probability, if he is still with us."""
        from scipy.special import betaincinv

        x, t, p = (np.asarray(value, float) for value in (repeats, last, probability))
        if self.regularity == 1:
            with np.errstate(over="ignore"):
                # A customer of no rhythm in a base of no rhythm: the silence is longer than any number of days.
                return (self.alpha + t) * np.expm1(-np.log(p) / (self.r + x))
        share = betaincinv(self.r + self.regularity * x, self.regularity, p)
        with np.errstate(divide="ignore", over="ignore"):
            return (self.alpha + t) * (1.0 - share) / share

    def unlikely_after(self, repeats: npt.ArrayLike, last: npt.ArrayLike, level: float) -> Floats:
        """Days of silence after which it is less likely than `level`.

        Who has ordered once has no rhythm of his own, and the base holds people whom a century of silence would
        not surprise. For him the question is put to those who come back within a year: 1 − level of them have.
        """
        x, t = np.broadcast_arrays(np.asarray(repeats, float), np.asarray(last, float))
        beyond = self.silence(np.zeros_like(x), np.zeros_like(t), RETURN_DAYS)
        return self.silence_of(x, t, np.where(x == 0, level + (1.0 - level) * beyond, level))

    # Whether he is still here

    def p_alive(self, repeats: npt.ArrayLike, last: npt.ArrayLike, silent: npt.ArrayLike) -> Floats:
        """P(he has not left) after so long a silence: a / (b + x) are the odds that he left with his last order."""
        still = self.silence(repeats, last, silent)
        x = np.asarray(repeats, float)
        return (self.b + x) * still / ((self.b + x) * still + self.a)

    def p_return(
        self, repeats: npt.ArrayLike, last: npt.ArrayLike, silent: npt.ArrayLike, *, days: float = RETURN_DAYS
    ) -> Floats:
        """P(at least one order in the next `days`), having left or not."""
        still = self.silence(repeats, last, silent)
        later = self.silence(repeats, last, np.asarray(silent, float) + days)
        x = np.asarray(repeats, float)
        return (self.b + x) * (still - later) / ((self.b + x) * still + self.a)

    def gone_after(self, repeats: npt.ArrayLike, last: npt.ArrayLike, level: float) -> Floats:
        """Days of silence after which an order within a year is less likely than `level`, by bisection."""
        x, t = np.broadcast_arrays(np.asarray(repeats, float), np.asarray(last, float))
        low, high = np.zeros(x.shape), np.full(x.shape, 7.0)
        for _ in range(_STEPS):
            short = (self.p_return(x, t, high) >= level) & (high < 1e6)
            if not short.any():
                break
            high = np.where(short, high * 2, high)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            above = self.p_return(x, t, middle) >= level
            low, high = np.where(above, middle, low), np.where(above, high, middle)
            if float(np.max(high - low, initial=0.0)) < 0.25:
                break
        return high


def rhythm_prior(collapsed: Collapsed, *, log_gaps: float | None = None) -> RhythmPrior | None:
    """The base's law of rates and leaving, from collapsed histories; None where too few ever came back.

    MBG/CNBD-k is fitted in days: k = 1 is MBG/NBD, and more stages are taken where they fit better.

    Args:
        log_gaps: Sum of the natural logs of all gaps between orders in days, which tells how regular they are; None:
            the times of last orders have to tell it.
    """
    from primeta.stats.customer_base import fit

    repeaters = float(collapsed.count[collapsed.repeats > 0].sum())
    if repeaters < FEWEST_REPEATERS:
        return None
    repeats = float(collapsed.count @ collapsed.repeats)
    histories = collapsed.histories("day")
    if log_gaps is not None:
        # Only the sum over all customers matters, so each order may carry the mean.
        histories = replace(histories, log_gaps=collapsed.repeats * (log_gaps / repeats))
    found = fit(histories, model="mbg-cnbd")
    if found.why_not:
        return None
    values = found.parameters
    return RhythmPrior(
        r=values["r"],
        alpha=values["alpha"],
        a=values["a"],
        b=values["b"],
        regularity=found.stages,
        customers=collapsed.customers,
        repeats=int(repeats),
    )


def base_rhythm(log: OrderLog, table: str, until_day: int, collapsed: Collapsed) -> RhythmPrior | None:
    """`rhythm_prior` of a table made by `log.build`, with how regular the gaps are read from the log.

    In a large base the regularity is read from a sample of customers; the law of rates is always that of all.
    """
    every = max(collapsed.customers // SAMPLE, 1)
    if every == 1:
        return rhythm_prior(collapsed, log_gaps=log.log_gaps(until_day))
    sample = f"hash(customer) % {every} = 0"
    chosen = log.collapse(table, until_day, where=sample)
    part = rhythm_prior(chosen, log_gaps=log.log_gaps(until_day, where=sample))
    if part is None:
        return rhythm_prior(collapsed)
    from primeta.stats.customer_base import fit

    whole = fit(collapsed.histories("day"), model="mbg-cnbd", stages=part.regularity)
    if whole.why_not:
        return part
    values = whole.parameters
    return replace(
        part,
        r=values["r"],
        alpha=values["alpha"],
        a=values["a"],
        b=values["b"],
        customers=collapsed.customers,
        repeats=int(collapsed.count @ collapsed.repeats),
    )
