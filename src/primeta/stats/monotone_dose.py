"""Response that can only grow with the dose: monotone fits and elasticity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def rising(value: npt.ArrayLike, weight: npt.ArrayLike) -> Floats:
    """(k,) the non-decreasing numbers that are nearest to `value` by weighted least squares.

    Source:
        Ayer, Brunk, Ewing, Reid & Silverman (1955): neighbours that fall are pooled until none does.
    """
    values, weights = np.asarray(value, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    blocks: list[list[float]] = []
    for v, w in zip(values, weights, strict=True):
        blocks.append([float(v), float(w), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            v2, w2, n2 = blocks.pop()
            v1, w1, n1 = blocks.pop()
            total = w1 + w2
            blocks.append([(v1 * w1 + v2 * w2) / total if total > 0 else (v1 + v2) / 2, total, n1 + n2])
    return np.concatenate([np.full(int(n), v) for v, _, n in blocks]) if blocks else np.zeros(0)


def elasticity(
    share: npt.ArrayLike, variance: npt.ArrayLike, depth: npt.ArrayLike, *, z: float
) -> tuple[Floats, Floats, Floats]:
    """Arc elasticity of orders to the price paid between neighbouring depths, with its interval; (k − 1,) each.

    ε = log(q₂ / q₁) / log((1 − d₂) / (1 − d₁)), so −2 means that a price lower by 1% brings 2% more orders. Its error
    is the delta method's on the logarithms.

    Args:
        share: (k,) orders or returns per customer at each depth. variance: (k,) of those means.
        depth: (k,) rising, from 0 to below 1.
    Returns:
        NaN where a share is 0.
    """
    q, v, d = (np.asarray(part, dtype=np.float64) for part in (share, variance, depth))
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.diff(np.log1p(-d))
        logs = np.where(q > 0, np.log(q), np.nan)
        relative = np.where(q > 0, v / q**2, np.nan)
        value = np.diff(logs) / step
        reach = z * np.sqrt(relative[1:] + relative[:-1]) / np.abs(step)
    return value, value - reach, value + reach
