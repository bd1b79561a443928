"""How large the scan statistic gets in series that never change.

With s the statistic of a series of n points, L = n·log(1 + s²/n) is close to a + b·log(1/p): p is the share of
stationary series that reach it. a and b depend on n and on the lag-1 autocorrelation of the series, and were
simulated (`python -m benchmarks.changepoint_null` prints this table) over AR(1) noise of coefficient 0 to 0.7
with normal and t-distributed (3, 4 and 8 degrees of freedom) innovations.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]

NULL: dict[int, tuple[tuple[float, ...], tuple[float, ...]]] = {
    8: ((0.19, 0.82, 1.25, 1.70, 2.86, 5.05), (0.38, 1.23, 1.64, 2.03, 3.19, 5.15)),
    10: ((0.42, 1.64, 2.22, 2.94, 3.98, 5.31), (0.56, 1.26, 1.62, 2.03, 2.94, 4.54)),
    12: ((0.84, 2.23, 3.06, 4.08, 5.08, 4.05), (0.63, 1.31, 1.64, 1.96, 2.86, 4.75)),
    15: ((1.24, 2.92, 3.88, 4.71, 5.16, 2.86), (0.75, 1.30, 1.60, 2.01, 3.02, 5.37)),
    20: ((1.86, 3.64, 4.70, 5.23, 4.73, 1.37), (0.81, 1.36, 1.65, 2.28, 3.57, 5.75)),
    25: ((2.29, 3.99, 5.07, 5.05, 3.19, 0.16), (0.93, 1.44, 1.77, 2.57, 4.20, 5.88)),
    30: ((1.91, 3.46, 4.22, 3.78, 1.94, -0.61), (0.96, 1.50, 1.91, 2.87, 4.25, 5.93)),
    40: ((2.47, 3.94, 4.48, 3.34, 1.95, -0.17), (1.06, 1.52, 2.11, 3.14, 3.97, 5.41)),
    50: ((2.90, 4.07, 4.12, 3.10, 2.17, 0.65), (1.11, 1.60, 2.45, 3.18, 3.69, 4.71)),
    65: ((3.36, 4.52, 4.46, 3.58, 2.77, 0.81), (1.17, 1.74, 2.56, 2.88, 3.36, 4.31)),
    80: ((3.50, 4.24, 4.03, 3.34, 2.66, 1.08), (1.08, 1.86, 2.49, 2.79, 3.08, 4.00)),
    100: ((1.88, 4.20, 4.74, 4.16, 3.69, 2.98), (1.99, 2.02, 2.44, 2.64, 2.77, 3.16)),
    125: ((2.19, 4.48, 4.85, 4.26, 3.82, 3.01), (2.00, 2.03, 2.37, 2.61, 2.67, 3.08)),
    156: ((2.05, 4.55, 4.76, 4.31, 3.87, 3.10), (1.99, 2.13, 2.32, 2.41, 2.51, 2.85)),
    200: ((2.73, 4.92, 5.19, 4.64, 4.25, 3.41), (2.06, 2.11, 2.34, 2.35, 2.42, 2.62)),
    250: ((3.30, 4.75, 5.32, 4.90, 4.37, 3.77), (2.17, 2.13, 2.27, 2.18, 2.28, 2.45)),
    350: ((3.64, 5.11, 5.40, 5.04, 4.63, 3.99), (2.18, 2.20, 2.29, 2.25, 2.22, 2.27)),
    500: ((3.80, 5.42, 5.61, 5.45, 4.93, 4.02), (2.19, 2.26, 2.22, 2.15, 2.14, 2.25)),
    700: ((4.38, 5.88, 6.01, 5.60, 5.08, 4.13), (2.18, 2.24, 2.21, 2.12, 2.19, 2.20)),
    1000: ((6.06, 5.96, 6.05, 5.82, 5.12, 4.36), (2.25, 2.17, 2.20, 2.21, 2.14, 2.20)),
    2000: ((6.37, 6.65, 6.55, 6.34, 5.76, 4.90), (2.23, 2.19, 2.18, 2.18, 2.10, 2.14)),
}
"""n: a at the six autocorrelations of `knots(n)`, b at the same."""


def knots(n: int) -> Floats:
    """Autocorrelations at which the table is given; beyond the ends the nearest one holds."""
    return np.array([-1.5 / np.sqrt(n), 0.0, 0.15, 0.3, 0.5, 0.7])


def p_value(statistic: Floats, autocorrelation: Floats, *, n: int) -> Floats:
    """Share of series without change whose scan statistic is as large: (m,), between 0 and 1.

    Args:
        statistic, autocorrelation: (m,), of `changepoint_scan.Scan`.
        n: Points of each series; beyond the table the nearest row holds, between rows it is interpolated.
    """
    sizes = np.array(sorted(NULL))
    at = np.interp(np.log(n), np.log(sizes), np.arange(len(sizes)))
    lower = min(int(at), len(sizes) - 2)
    share = at - lower
    a, b = (1 - share) * np.array(NULL[sizes[lower]]) + share * np.array(NULL[sizes[lower + 1]])
    offset = np.interp(autocorrelation, knots(n), a)
    slope = np.interp(autocorrelation, knots(n), b)
    return np.exp(-np.maximum(n * np.log1p(statistic**2 / n) - offset, 0) / slope)


def memory_p(autocorrelation: Floats, *, n: int) -> Floats:
    """Share of short-memory series (AR(1) up to .6) whose lag-1 autocorrelation is as large: (m,).

    A trend, a slope that changes or a wandering path correlates neighbours more than that. Normal in
    Fisher's z; its mean at coefficient .6 and its spread were simulated with the table above.
    """
    z = np.arctanh(np.clip(autocorrelation, -0.9999, 0.9999))
    return ndtr(-(z - (0.79 - 4 / n)) * np.sqrt(n) / 1.45)
