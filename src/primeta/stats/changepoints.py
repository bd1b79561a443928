"""Where one series changed, and by how much.

First one question, with a stated error: did the series stay at one level (`changepoint_scan`)? Only where it did
not, it is cut into pieces; how many is judged by the noise that is left after cutting, autocorrelation included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from primeta.errors import BadInput
from primeta.stats.changepoint_evidence import calibrated
from primeta.stats.changepoint_null import p_value
from primeta.stats.changepoint_scan import SHORTEST_SERIES, clip_outliers, scan
from primeta.stats.changepoint_segment import Pieces, cut
from primeta.stats.longrun import lag_one

Floats = npt.NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: the first point of the new regime, and the levels on its two sides."""

    index: int
    """0-based, in the series as it was given (missing values keep their place)."""
    before: float
    after: float
    """Means between the neighbouring changes (or ends)."""
    low: float
    high: float
    """95% interval of after − before, where the change is; NaN where the noise cannot be known."""
    e_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """What is known of one series: whether it changed at all, and where."""

    changes: tuple[Change, ...]
    p_value: float
    """Share of stationary short-memory series that look as much changed; NaN with `why_not`."""
    e_value: float
    """`calibrated(p_value)`: e-value against "this series never changed"."""
    fitted: Floats
    """(n,) the piecewise level or line; NaN where the value is missing."""
    why_not: str = ""
    """A code: `too_short` (fewer than `SHORTEST_SERIES` known points)."""


def change_points(values: Floats, *, se: Floats | None = None, error: float = 0.05) -> Segmentation:
    """The change points of one series.

    Args:
        values: (n,); NaN is a missing value and is left out.
        se: (n,) standard error of each value, up to a common factor; None: all alike.
        error: Share of stationary short-memory series that may be reported as changed.
    Raises:
        BadInput: an infinite value, or a standard error that is not above 0 (with the position).
    """
    values, known, se_known = _checked(values, se)
    y = values[known]
    n = len(y)
    fitted = np.full(len(values), np.nan)
    if n < SHORTEST_SERIES:
        fitted[known] = y.mean() if n else np.nan
        return Segmentation(
            changes=(), p_value=math.nan, e_value=math.nan, fitted=fitted, why_not="too_short"
        )
    p = float(stable_p(y[None, :], None if se_known is None else se_known[None, :])[0])
    if p > error:
        fitted[known] = np.average(y, weights=None if se_known is None else se_known**-2.0)
        return Segmentation(changes=(), p_value=p, e_value=float(calibrated(p)), fitted=fitted)
    pieces = cut(y, se=se_known)
    fitted[known] = pieces.fitted
    changes = _changes(y, se_known, pieces, np.flatnonzero(known), e_value=float(calibrated(p)))
    return Segmentation(changes=changes, p_value=p, e_value=float(calibrated(p)), fitted=fitted)


def stable_p(values: Floats, se: Floats | None = None) -> Floats:
    """P-values of "never changed" for m series of equal length at once: (m,).

    Args:
        values: (m, n) finite, n ≥ `SHORTEST_SERIES`; se: (m, n) above 0, or None.
    """
    m, n = values.shape
    p = np.empty(m)
    rows = max(1, 1_000_000 // (4 * n))
    for first in range(0, m, rows):
        part = slice(first, first + rows)
        seen = scan(values[part], None if se is None else se[part])
        p[part] = p_value(seen.statistic, seen.autocorrelation, n=n)
    return p


def _checked(values: Floats, se: Floats | None) -> tuple[Floats, npt.NDArray[np.bool_], Floats | None]:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise BadInput(f"a series is one row of numbers; an array of shape {values.shape} was given")
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise BadInput(
            f"the value at index {infinite[0]} is infinite; leave it out (an empty value counts as missing)"
        )
    known = ~np.isnan(values)
    if se is None:
        return values, known, None
    se = np.asarray(se, dtype=float)
    if se.shape != values.shape:
        raise BadInput(f"{len(values)} values and {se.size} standard errors; one for each value is needed")
    wrong = np.flatnonzero(known & ~(np.isfinite(se) & (se > 0)))
    if len(wrong):
        raise BadInput(f"the standard error at index {wrong[0]} is {se[wrong[0]]}; it must be above 0")
    return values, known, se[known]


def _changes(
    y: Floats, se: Floats | None, pieces: Pieces, places: npt.NDArray[np.int64], *, e_value: float
) -> tuple[Change, ...]:
    edges = [0, *pieces.starts, len(y)]
    n = len(y)
    w = np.ones(n) if se is None else se**-2.0
    w = w / w.mean()
    residuals = np.sqrt(w) * (clip_outliers(y[None, :])[0] - pieces.fitted)
    parameters = pieces.parameters
    free = n - parameters
    rho = lag_one(residuals, levels=len(edges) - 1, most=0.95)
    noise = float(residuals @ residuals) / free if free > 0 else math.nan
    # an AR(1) series of n points tells as much of its mean as this many independent ones
    free = max(1.0, free * (1 - rho) / (1 + rho))
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, free))
    out = []
    for left, at, right in zip(edges, edges[1:], edges[2:]):
        before = float(np.average(y[left:at], weights=w[left:at]))
        after = float(np.average(y[at:right], weights=w[at:right]))
        variance = noise * (1 + rho) / (1 - rho) * (1 / w[left:at].sum() + 1 / w[at:right].sum())
        half = reach * math.sqrt(variance)
        out.append(
            Change(
                index=int(places[at]),
                before=before,
                after=after,
                low=after - before - half,
                high=after - before + half,
                e_value=e_value,
            )
        )
    return tuple(out)
