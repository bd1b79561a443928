"""Rising factorials in logs, with derivatives: ln Γ(a + n) − ln Γ(a) without the difference of two large numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, polygamma

Floats = npt.NDArray[np.float64]
LARGE = 20.0
"""From here on Stirling's series with five terms is exact to rounding."""


def log_rising(a: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    """ln (a)_n = ln Γ(a + n) − ln Γ(a), a > 0, n ≥ 0; broadcast.

    Source:
        For large a the difference of Stirling's series (DLMF 5.11.1), whose leading terms are subtracted by hand.
    """
    a, n = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(n, dtype=np.float64))
    plain = gammaln(a + n) - gammaln(a)
    large = a > LARGE
    if not large.any():
        return np.where(n == 0, 0.0, plain)
    safe = np.where(large, a, LARGE)
    top = safe + n
    stirling = n * np.log(safe) + (top - 0.5) * np.log1p(n / safe) - n + (_series(top) - _series(safe))
    return np.where(n == 0, 0.0, np.where(large, stirling, plain))


def rising_slopes(a: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    """First and second derivative of `log_rising` by a."""
    a, n = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(n, dtype=np.float64))
    return digamma(a + n) - digamma(a), polygamma(1, a + n) - polygamma(1, a)


def _series(z: Floats) -> Floats:
    inverse = 1 / z
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
