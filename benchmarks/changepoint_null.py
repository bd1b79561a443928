"""Where the table in `primeta.stats.changepoint_null` comes from: `python -m benchmarks.changepoint_null`.

Series that never change are simulated (AR(1) noise of coefficient 0 to 0.7; normal, or t with 8, 4 or 3 degrees of
freedom), the scan statistic is taken, and −log of the share that reaches it is fitted by a line in n·log(1 + s²/n)
at six autocorrelations. About ten minutes on one core.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from primeta.stats.changepoint_null import knots
from primeta.stats.changepoint_scan import scan

Floats = npt.NDArray[np.float64]

SIZES = (8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80, 100, 125, 156, 200, 250, 350, 500, 700, 1000, 2000)
MEMORIES = (0, 0, 0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.5, 0.6, 0.7)
TAILS = (None, None, None, None, None, None, 8, 8, 4, 3)
SHARES = np.array([0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001])
ALWAYS_KNOWN = 100
"""From here on the tail is held near the theoretical slope of 2 (1/2 s² per unit of log p)."""


def noise(rng: np.random.Generator, m: int, n: int, *, memory: float, tails: int | None) -> Floats:
    """(m, n) stationary AR(1) noise; `tails` are degrees of freedom, None is normal."""
    shocks = rng.standard_normal((m, n + 60)) if tails is None else rng.standard_t(tails, (m, n + 60))
    return lfilter([1], [1, -memory], shocks, axis=1)[:, 60:]


def simulated(n: int, *, series: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Scan statistics and autocorrelations of `series` unchanging series of n points."""
    seen = []
    for _ in range(series // 100):
        tails = TAILS[rng.integers(len(TAILS))]
        seen.append(scan(noise(rng, 100, n, memory=MEMORIES[rng.integers(len(MEMORIES))], tails=tails)))
    return np.concatenate([s.statistic for s in seen]), np.concatenate([s.autocorrelation for s in seen])


def row(n: int, statistic: Floats, autocorrelation: Floats) -> tuple[Floats, Floats]:
    """a and b at the knots, by weighted least squares on quantiles within sixteen bins of autocorrelation."""
    at = knots(n)
    edges = np.quantile(autocorrelation, np.linspace(0, 1, 17))
    left, right, weight = [], [], []
    for low, high in itertools.pairwise(edges):
        inside = (autocorrelation >= low) & (autocorrelation <= high)
        clipped = np.clip(autocorrelation[inside], at[0], at[-1])
        hats = np.stack([np.interp(clipped, at, unit) for unit in np.eye(len(at))]).mean(axis=1)
        for share in SHARES[SHARES * inside.sum() > 5]:
            reached = np.quantile(statistic[inside], 1 - share)
            left.append(np.concatenate([hats, -hats * np.log(share)]))
            right.append(n * np.log1p(reached**2 / n))
            weight.append(np.sqrt(share * inside.sum()) * (3 if share in (0.05, 0.03) else 1))
    w = np.array(weight)
    rows, wanted = [np.array(left) * w[:, None]], [np.array(right) * w]
    # neighbouring knots differ smoothly
    for block in (0, 6):
        for i in range(block + 1, block + 5):
            bend = np.zeros(12)
            bend[i - 1 : i + 2] = 6.0, -12.0, 6.0
            rows.append(bend[None, :])
            wanted.append(np.zeros(1))
    if n >= ALWAYS_KNOWN:
        rows.append(np.hstack([np.zeros((6, 6)), 60 * np.eye(6)]))
        wanted.append(np.full(6, 60 * 2.25))
    solved = np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]
    return solved[:6], solved[6:]


def main() -> None:
    """Print the table as it stands in the source."""
    for n in SIZES:
        series = 80_000 if n <= 200 else 40_000 if n <= 500 else 20_000
        a, b = row(n, *simulated(n, series=series, rng=np.random.default_rng(n)))
        first, second = (", ".join(f"{value:.2f}" for value in values) for values in (a, b))
        sys.stdout.write(f"    {n}: (({first}), ({second})),\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
