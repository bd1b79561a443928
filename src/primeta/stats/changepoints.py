"""Where one series changed, and by how much.

First one question, with a stated error: is this short-memory noise round one level (and a season)? Only where it
is not, the series is cut into pieces; which story fits, with how many changes, is judged by the noise that is left
after cutting, autocorrelation included. A series may turn out to trend or to wander without any change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from primeta.errors import BadInput
from primeta.stats.changepoint_null import memory_p, p_value
from primeta.stats.changepoint_scan import SHORTEST_SERIES, clip_outliers, scan
from primeta.stats.changepoint_season import without_season
from primeta.stats.changepoint_segment import Pieces, Story, cut
from primeta.stats.longrun import lag_one
from primeta.stats.multiplicity import calibrated

Floats = npt.NDArray[np.float64]
LEVEL = 0.95
MEMORY_SHARE = 0.05
"""Part of the error that is spent on asking whether the series remembers more than short-memory noise does."""


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
    """That of the whole series (`Segmentation.e_value`): evidence that something changed, not that this did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """What is known of one series: whether it changed at all, and where."""

    changes: tuple[Change, ...]
    p_value: float
    """Share of stationary short-memory series that look as much changed; NaN with `why_not`."""
    e_value: float
    """`calibrated(p_value)`: a calibrated e-value, not a bet that was made point by point. Its null is
    short-memory noise round one level and a season; below p = .001 the simulated tail is extrapolated."""
    fitted: Floats
    """(n,) the piecewise level or line; NaN where the value is missing."""
    story: Story | Literal[""] = ""
    """What the pieces are, or what the series does without a change; empty where it stayed at one level."""
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
    values, se = _checked(values, se)
    p = float(stable_p(values[None, :], None if se is None else se[None, :])[0])
    return segmentation(values, se=se, p_value=p, changed=p <= error)


def segmentation(values: Floats, *, se: Floats | None = None, p_value: float, changed: bool) -> Segmentation:
    """What is known of a series that `stable_p` has judged: cut into pieces where it did change.

    Args:
        values: (n,) without infinite ones; se: (n,) above 0 where the value is known, or None.
        p_value: Of `stable_p`, NaN where it could not tell.
        changed: Whether it was rejected, by an error or in a list.
    """
    known = ~np.isnan(values)
    fitted = np.full(len(values), np.nan)
    e_value = float(calibrated(p_value)) if not math.isnan(p_value) else math.nan
    se = None if se is None else se[known]
    if not changed:
        if known.any():
            fitted[known] = np.average(values[known], weights=None if se is None else se**-2.0)
        why_not = "too_short" if math.isnan(p_value) else ""
        return Segmentation(changes=(), p_value=p_value, e_value=e_value, fitted=fitted, why_not=why_not)
    y = _deseasoned(values, known)
    pieces = cut(y, se=se)
    fitted[known] = pieces.fitted
    changes = _changes(y, se, pieces, np.flatnonzero(known), e_value=e_value)
    return Segmentation(changes=changes, p_value=p_value, e_value=e_value, fitted=fitted, story=pieces.story)


def stable_p(values: Floats, se: Floats | None = None) -> Floats:
    """P-values of "short-memory noise round one level and a season" for m series at once: (m,).

    Args:
        values: (m, n), NaN is a missing value, no infinite ones; se: (m, n) above 0, or None.
    Returns:
        NaN where fewer than `SHORTEST_SERIES` values are known.
    """
    m, n = values.shape
    p = np.full(m, np.nan)
    known = ~np.isnan(values)
    whole = np.flatnonzero(known.all(axis=1)) if n >= SHORTEST_SERIES else np.array([], dtype=int)
    rows = max(1, 250_000 // max(n, 1))
    for first in range(0, len(whole), rows):
        part = whole[first : first + rows]
        p[part] = _p(without_season(values[part]), None if se is None else se[part])
    for row in np.flatnonzero(~known.all(axis=1) & (known.sum(axis=1) >= SHORTEST_SERIES)):
        y = _deseasoned(values[row], known[row])
        p[row] = _p(y[None, :], None if se is None else se[row, known[row]][None, :])[0]
    return p


def _p(y: Floats, se: Floats | None) -> Floats:
    seen = scan(y, se)
    n = y.shape[1]
    moved = p_value(seen.statistic, seen.autocorrelation, n=n)
    wanders = memory_p(seen.autocorrelation, n=n)
    return np.minimum(1.0, np.minimum(moved / (1 - MEMORY_SHARE), wanders / MEMORY_SHARE))


def _deseasoned(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """The known values less their season; gaps are bridged by lines while the season is read."""
    places = np.arange(len(values))
    whole = np.interp(places, places[known], values[known])
    return without_season(whole[None, :])[0][known]


def _checked(values: Floats, se: Floats | None) -> tuple[Floats, Floats | None]:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise BadInput(f"a series is one row of numbers; an array of shape {values.shape} was given")
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise BadInput(f"the value at index {infinite[0]} is infinite; leave it out (NaN counts as missing)")
    if se is None:
        return values, None
    se = np.asarray(se, dtype=float)
    if se.shape != values.shape:
        raise BadInput(f"{len(values)} values and {se.size} standard errors; one for each value is needed")
    wrong = np.flatnonzero(~np.isnan(values) & ~(np.isfinite(se) & (se > 0)))
    if len(wrong):
        raise BadInput(f"the standard error at index {wrong[0]} is {se[wrong[0]]}; it must be above 0")
    return values, se


def _changes(
    y: Floats, se: Floats | None, pieces: Pieces, places: npt.NDArray[np.int64], *, e_value: float
) -> tuple[Change, ...]:
    edges = [0, *pieces.starts, len(y)]
    n = len(y)
    w = np.ones(n) if se is None else se**-2.0
    w = w / w.mean()
    tame = clip_outliers(y[None, :], None if se is None else se[None, :])[0]
    residuals = np.sqrt(w) * (tame - pieces.fitted)
    free = n - pieces.parameters
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
