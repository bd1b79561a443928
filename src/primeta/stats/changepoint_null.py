"""How large the scan statistic gets in series that never change.

With s the statistic of a series of n points, L = n·log(1 + s²/n) is close to a + b·log(1/p): p is the share of
stationary series that reach it. a and b depend on n and on the lag-1 autocorrelation of the series, and were
simulated (`python -m benchmarks.changepoint_null` prints this table) over AR(1) noise of coefficient 0 to 0.7
with normal and t-distributed (4 and 8 degrees of freedom) innovations.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NULL: dict[int, tuple[tuple[float, ...], tuple[float, ...]]] = {
    8: ((0.22, 1.16, 1.78, 2.68, 4.0, 7.39), (0.5, 1.28, 1.75, 2.04, 3.5, 5.52)),
    10: ((0.54, 1.75, 2.44, 3.29, 5.05, 8.06), (0.55, 1.32, 1.65, 2.18, 2.96, 5.04)),
    12: ((0.89, 2.32, 3.21, 4.28, 5.63, 6.91), (0.63, 1.33, 1.69, 2.1, 3.03, 5.44)),
    15: ((1.14, 2.8, 3.7, 4.56, 4.87, 4.67), (0.75, 1.34, 1.73, 2.25, 3.46, 6.06)),
    20: ((1.73, 3.38, 4.53, 5.09, 4.46, 2.5), (0.84, 1.44, 1.85, 2.45, 4.07, 6.59)),
    25: ((2.04, 3.73, 4.78, 4.69, 3.24, 1.21), (0.94, 1.55, 1.95, 2.91, 4.44, 6.67)),
    30: ((2.37, 4.27, 5.28, 4.65, 3.33, 2.14), (1.04, 1.53, 2.05, 3.17, 4.49, 5.93)),
    40: ((2.81, 4.73, 5.49, 4.24, 2.8, 1.56), (1.19, 1.62, 2.25, 3.32, 4.32, 5.7)),
    50: ((3.31, 4.97, 5.31, 3.82, 3.16, 1.83), (1.28, 1.76, 2.54, 3.58, 4.02, 5.41)),
    75: ((3.38, 4.6, 4.37, 3.67, 3.39, 1.79), (1.34, 1.91, 2.84, 3.13, 3.36, 4.61)),
    100: ((2.34, 4.92, 5.43, 4.88, 4.49, 4.21), (1.97, 2.1, 2.61, 2.7, 2.99, 3.43)),
    156: ((3.39, 5.78, 6.19, 5.6, 5.18, 4.7), (2.05, 2.19, 2.56, 2.58, 2.78, 3.07)),
    250: ((4.16, 6.75, 7.29, 6.72, 6.29, 5.6), (2.16, 2.29, 2.35, 2.33, 2.54, 2.6)),
    500: ((4.88, 7.17, 7.16, 6.84, 6.46, 5.92), (2.17, 2.43, 2.29, 2.31, 2.33, 2.36)),
    1000: ((6.64, 7.26, 7.23, 6.73, 6.72, 6.08), (2.23, 2.26, 2.27, 2.14, 2.28, 2.25)),
    2000: ((7.39, 7.06, 7.06, 6.76, 6.53, 6.0), (2.26, 2.23, 2.29, 2.22, 2.29, 2.25)),
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
