"""Is he a normal customer again? What came after a return, under his own earlier rhythm and that of loyal customers.

While a customer is with us his orders come at his own rate, gamma between customers (`RhythmPrior`). His earlier
orders, k gaps in t days, make it gamma(r + k, alpha + t); the number of orders in T days from an order on is then
negative binomial, P(N <= n) = I_p(r + k, n + 1) with p = (alpha + t) / (alpha + t + T). The long silence before the
assignment belongs to no rhythm and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from primeta.reactivation.rhythm import RhythmPrior

Floats = npt.NDArray[np.float64]

LOYAL_ORDERS = 4
"""Earlier orders that make a customer loyal."""
FEWEST_LOYAL = 20
"""With fewer of them nothing can be said of loyal customers."""
FEW = 0.1
"""Fewer orders since the return than in this share of cases under his own rate: not normal."""
MUCH = 0.9
"""A larger share of discount than this share of loyal customers had: not normal."""
SILENCE = 0.05
"""A silence less likely than this under his own rhythm: lapsed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What is normal in this base, learnt before assignment only."""

    prior: RhythmPrior
    loyal_shape: float
    loyal_reach: float
    """Rates of loyal customers, as gamma: for who has no history of his own."""
    discount_share: float
    """That `MUCH` of loyal customers stayed below; infinite where there are too few of them."""
    loyal: int


def norm_of(prior: RhythmPrior, *, gaps: Floats, gap_days: Floats, shares: Floats, orders: Floats) -> Norm:
    """From customers' earlier orders (n,): gaps between them, the days that these took, share of discount."""
    loyal = orders >= LOYAL_ORDERS
    count = int(loyal.sum())
    g = prior.regularity
    shape, reach = prior.r + g * gaps[loyal], prior.alpha + gap_days[loyal]
    if count < FEWEST_LOYAL:
        return Norm(
            prior=prior,
            loyal_shape=prior.r,
            loyal_reach=prior.alpha,
            discount_share=np.inf,
            loyal=count,
        )
    mean = shape / reach
    # The mixture of loyal customers' own laws, as the gamma of the same mean and variance.
    middle = float(mean.mean())
    variance = float((shape / reach**2).mean() + mean.var())
    return Norm(
        prior=prior,
        loyal_shape=middle**2 / variance,
        loyal_reach=middle / variance,
        discount_share=float(np.quantile(shares[loyal], MUCH)),
        loyal=count,
    )


def lapsed_again(norm: Norm, *, gaps: Floats, gap_days: Floats, silent_days: Floats) -> npt.NDArray[np.bool_]:
    """(n,) whether the silence after the last order is unlikely under his own rhythm, by all gaps but the lapse."""
    return silent_days > norm.prior.unlikely_after(gaps, gap_days, SILENCE)


def normal(
    norm: Norm,
    *,
    earlier_orders: Floats,
    earlier_gap_days: Floats,
    later_orders: Floats,
    days_since: Floats,
    discount_share: Floats,
    lapsed: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """(n,) of customers who returned: is he normal again?

    He is if he ordered again after the return; if such few orders, or fewer, since then have a probability of at
    least `FEW` under his own earlier rate (that of loyal customers where he has no history); if his share of
    discount since is not above what `MUCH` of loyal customers had; and if he has not lapsed again. Who had no time
    to order again by his own rhythm does not count as normal: nobody knows yet.

    Args:
        earlier_orders, earlier_gap_days: Before assignment; days from the first to the last of them.
        later_orders: After the return.
        days_since: From the return to the end of the time seen.
        discount_share: Of the list price of the later orders.
    """
    again = later_orders >= 1
    found = again & ~lapsed & (discount_share <= norm.discount_share + 1e-12)
    at = np.flatnonzero(found)
    if not len(at):
        return found
    g = norm.prior.regularity
    new = earlier_orders[at] < 1
    gaps = np.maximum(earlier_orders[at] - 1, 0)
    shape = np.where(new, norm.loyal_shape, norm.prior.r + g * gaps)
    reach = np.where(new, norm.loyal_reach, norm.prior.alpha + earlier_gap_days[at])
    n, days = later_orders[at], np.maximum(days_since[at], 0.0)
    # At or above the mean the probability of so few is never small; the rest is looked up.
    short = n * g < shape / reach * days
    where = at[short]
    p = reach[short] / (reach[short] + days[short])
    # A regular order is every g-th of a Poisson stream that begins with the return.
    likely = betainc(shape[short], g * (n[short] + 1), p)
    found[where] = likely >= FEW
    return found
