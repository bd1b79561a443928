"""Regular timing: MBG/CNBD-k and BG/CNBD-k, whose gaps between orders are Erlang with k stages.

Reutterer, Platzer & Schröder (2020), "Leveraging purchase regularity for predicting customer behavior the easy
way", International Journal of Research in Marketing 38, 194. k = 1 is MBG/NBD or BG/NBD; k is chosen by likelihood.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from primeta.stats.beta_geometric import BetaGeometric
from primeta.stats.histories import Histories

MOST_STAGES = 12


def regular(stages: int, *, leaves_at_start: bool = True) -> BetaGeometric:
    """The model with k = `stages`."""
    name = "mbg-cnbd" if leaves_at_start else "bg-cnbd"
    return BetaGeometric(name=name, leaves_at_start=leaves_at_start, stages=stages)


def timing_terms(histories: Histories, stages: int) -> np.ndarray:
    """(n,) what the times of orders between the first and the last add to the log-likelihood of k stages.

    It does not depend on the parameters and is 0 at k = 1, so that it only serves to choose k. With `log_gaps`,
    every gap is used: (k − 1) Σ ln gap − x ln Γ(k). Without, only the time of the last order is: its density given
    x orders, (k − 1) x ln t_x − ln Γ(kx) + ln Γ(x), which knows less of how regular the gaps are.
    """
    x, last = histories.repeats, histories.last
    if stages == 1:
        return np.zeros(len(x))
    if histories.log_gaps is not None:
        return (stages - 1) * histories.log_gaps - x * gammaln(stages)
    some = x > 0
    orders = np.where(some, x, 1.0)
    time = np.where(some, last, 1.0)
    value = (stages - 1) * orders * np.log(time) - gammaln(stages * orders) + gammaln(orders)
    return np.where(some, value, 0.0)
