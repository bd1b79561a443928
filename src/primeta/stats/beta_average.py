"""Averages over a Beta-distributed share, by a trapezoid rule in its log-odds; no hypergeometric function.

On the log-odds scale y a Beta(a, b) density times a function such as (1 − (1 + τp)^−c)/p is analytic in a strip
about the real line and falls off exponentially on both sides. For such functions the trapezoid rule converges
exponentially (Trefethen & Weideman 2014, SIAM Review 56, 385). Small a or b make a long tail, which a stretched
variable shortens to its logarithm, so that no parameters are out of reach.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import polygamma

Floats = npt.NDArray[np.float64]
FALL = 38.0
"""The density is followed down to e^−38 of its peak."""
SPACING = 0.28
SMALLEST = -650.0
"""Log-odds below which the share is as good as 0 and would leave the range of floats."""


def beta_nodes(a: npt.ArrayLike, b: npt.ArrayLike, reach: npt.ArrayLike = 1.0) -> tuple[Floats, Floats]:
    """Shares and weights with E f(p) ≈ Σ weight · f(share), for m Beta distributions at once.

    Args:
        a, b: (m,) above 0.
        reach: (m,) f may grow like min(reach, 1/p) towards p = 0.
    Returns:
        Two (m, J); the weights of a row sum to 1.
    """
    a, b, reach = (np.atleast_1d(part).astype(np.float64) for part in np.broadcast_arrays(a, b, reach))
    peak = np.log(a / b)
    mean = a / (a + b)
    top = _log_density(peak, a, b)
    left = _fall(a, b, peak, top - FALL - np.log(np.maximum(1.0, reach * mean)))
    right = -_fall(b, a, -peak, top - FALL)
    # between these the integrand may turn; beyond them it is a plain exponential, and nodes may go apart
    turn_left = np.minimum(np.minimum(-np.log1p(reach), peak) - 3.0, right)
    turn_right = np.maximum(np.maximum(0.0, peak) + 3.0, left)
    spread = np.sqrt(polygamma(1, a) + polygamma(1, b))
    start = np.where(left < turn_left - 8.0, turn_left - np.log1p(np.maximum(turn_left - left, 0.0)), left)
    end = np.where(
        right > turn_right + 8.0, turn_right + np.log1p(np.maximum(right - turn_right, 0.0)), right
    )
    spacing = np.minimum(SPACING, 0.65 * spread)
    size = int(np.ceil(((end - start) / spacing).max())) + 1
    step = (end - start) / (size - 1)
    u = start[:, None] + step[:, None] * np.arange(size)
    y = u
    slope = np.ones_like(u)
    for far, sign, turn in (
        (left < turn_left - 8.0, -1.0, turn_left),
        (right > turn_right + 8.0, 1.0, turn_right),
    ):
        if far.any():
            extra = np.where(far[:, None], np.exp(np.minimum(sign * (u - turn[:, None]), 60.0)), 0.0)
            y = y + sign * extra
            slope = slope + extra
    log_weight = _log_density(y, a[:, None], b[:, None]) - top[:, None]
    weight = np.exp(log_weight) * slope
    share = 1 / (1 + np.exp(-np.clip(y, SMALLEST, None)))
    return share, weight / weight.sum(axis=1, keepdims=True)


def _log_density(y: Floats, a: Floats, b: Floats) -> Floats:
    """Of the log-odds, without the constant: a ln p + b ln(1 − p)."""
    return -a * np.logaddexp(0.0, -y) - b * np.logaddexp(0.0, y)


def _fall(a: Floats, b: Floats, peak: Floats, level: Floats) -> Floats:
    """Where the log density, left of its peak, is down at `level`; Newton from the far left, where it is concave."""
    y = np.minimum(level / a, peak - 1.0)
    for _ in range(60):
        value = _log_density(y, a, b)
        slope = a / (1 + np.exp(np.clip(y, -700, 700))) - b / (1 + np.exp(np.clip(-y, -700, 700)))
        step = (level - value) / np.maximum(slope, 1e-300)
        y = np.minimum(y + np.maximum(step, 0.0), peak)
        if (step < 0.05).all():
            break
    return y
