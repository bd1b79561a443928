"""The wait for a first order since assignment, where some never come: a hazard that falls, with a mass that stays away.

From a day `since` on, when the campaign's own burst is over, the share of those still away after a further wait u is
away + (1 − away)(1 + u/β)^−r: exponential waits whose rates follow a gamma, and a mass that never returns. Where all
arms together do not show that rates differ, r is so large that the waits are plainly exponential: a gamma would
only ever err to the side of more returns to come. The shape is that of all arms, the rest each arm's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from primeta.stats.scoring import curved, likeliest

Floats = npt.NDArray[np.float64]
PARAMETERS = ("logit away", "log r", "log beta")
CENTRE = np.array([0.0, 1.5, 5.5])
SPREAD = np.array([2.0, 2.5, 3.0])
"""Of the normal prior around `CENTRE`, in units of one customer: it only keeps a flat likelihood from running off."""
EXPONENTIAL = 7.0
"""Of log r, at which waits are exponential for all that a year can show."""
OWN = np.array([1.5, 0.3, 1.0])
"""How far an arm's parameters may lie from those of all arms together."""
CLEARLY = 1.0
"""Log likelihood by which differing rates must fit better: the price of one parameter more (Akaike)."""


@dataclass(frozen=True, slots=True, eq=False)
class WaitFit:
    """Parameters (3,), in the order of PARAMETERS, and the inverse curvature (3, 3)."""

    theta: Floats
    inverse: Floats


def still_away(theta: Floats, wait: Floats) -> Floats:
    """Share of those away at the start who are still away after `wait`; the shape of `wait`."""
    away = expit(theta[0])
    return away + (1 - away) * np.exp(-np.exp(theta[1]) * np.log1p(wait / np.exp(theta[2])))


def by_customer(theta: Floats, wait: Floats, came: Floats) -> tuple[Floats, Floats]:
    """Log likelihood (n,) and gradient (n, 3) of having waited so long, and then come (`came` 1) or not (0)."""
    away, r, beta = expit(theta[0]), np.exp(theta[1]), np.exp(theta[2])
    far = np.log1p(wait / beta)
    falling = np.exp(-r * far)
    ratio = wait / (beta + wait)
    survive = away + (1 - away) * falling
    value = np.where(came > 0, np.log1p(-away) + theta[1] - theta[2] - (r + 1) * far, np.log(survive))
    by_away = np.where(came > 0, -away, away * (1 - away) * (1 - falling) / survive)
    part = (1 - away) * falling / survive
    by_r = np.where(came > 0, 1 - r * far, -part * r * far)
    by_beta = np.where(came > 0, -1 + (r + 1) * ratio, part * r * ratio)
    return value, np.stack([by_away, by_r, by_beta], axis=1)


def fit(
    wait: Floats, came: Floats, count: Floats, *, centre: Floats = CENTRE, spread: Floats = SPREAD
) -> WaitFit:
    """The likeliest parameters under a weak normal prior around `centre`, which is also the start.

    Args:
        wait, came, count: (n,) time from `since` to the return or to the end of what was seen; whether it was a
            return; customers who waited so.
    """

    def climbing(theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient = by_customer(theta, wait, came)
        apart = (theta - centre) / spread
        total = float(count @ value) - 0.5 * float(apart @ apart)
        return total, count @ gradient - apart / spread, gradient

    inverse, theta = curved(lambda at: climbing(at)[1], likeliest(climbing, centre, count, spread), spread)
    return WaitFit(theta, inverse)


def shape(wait: Floats, came: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Where an arm's fit starts, and how far it may go: from the waits of all arms together."""
    plain = CENTRE + np.array([0.0, EXPONENTIAL - CENTRE[1], EXPONENTIAL - CENTRE[1]])
    fixed = np.array([SPREAD[0], 0.01, SPREAD[2]])
    found = [
        fit(wait, came, count, centre=centre, spread=spread).theta
        for centre, spread in ((CENTRE, SPREAD), (plain, fixed))
    ]
    gamma, exponential = (float(count @ by_customer(theta, wait, came)[0]) for theta in found)
    if gamma > exponential + CLEARLY:
        return found[0], OWN
    return found[1], np.array([OWN[0], 0.01, OWN[2]])
