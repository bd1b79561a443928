"""What it is worth to know an effect before acting on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import norm


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Money of acting on what is believed, on a test's result, and on the truth, over all customers to come."""

    without: float
    """Act on the belief alone, or leave it, whichever is better: 0 or more."""
    with_test: float
    """Expected from acting where the test's result says that it pays."""
    with_truth: float
    """Expected if the effect were known for sure."""

    @property
    def of_test(self) -> float:
        """What the test adds, before its own cost."""
        return self.with_test - self.without

    @property
    def of_truth(self) -> float:
        """No test can be worth more."""
        return self.with_truth - self.without


def worth_of_knowing(
    *, mean: float, sd: float, se: float, value: float, cost: float, customers: float
) -> Worth:
    """The value of a test that measures an effect with standard error `se`.

    Args:
        mean, sd: What is believed of the effect per customer before the test, a normal; `sd` above 0.
        se: Standard error of the test's estimate, 0 or more; infinite is no test.
        value: Money of one unit of the effect. cost: money per customer of acting.
        customers: To whom it would be done after the decision.
    Source:
        Raiffa & Schlaifer (1961), Applied Statistical Decision Theory, §5.5: the mean of the belief after the test is
        normal around `mean` with sd²/√(sd² + se²), and the rest is the unit normal loss.
    """
    gain = value * mean - cost
    if math.isinf(se):
        known = 0.0
    else:
        known = abs(value) * sd * sd / math.sqrt(sd * sd + se * se)
    return Worth(
        without=customers * max(gain, 0.0),
        with_test=customers * _expected_best(gain, known),
        with_truth=customers * _expected_best(gain, abs(value) * sd),
    )


def _expected_best(gain: float, spread: float) -> float:
    """E max(G, 0) for G ~ N(gain, spread²)."""
    if spread <= 1e-9 * abs(gain) or spread == 0:
        return max(gain, 0.0)
    z = gain / spread
    return float(gain * norm.cdf(z) + spread * norm.pdf(z))
