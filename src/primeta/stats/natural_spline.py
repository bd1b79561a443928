"""Natural cubic splines: a smooth curve through a few knots, straight beyond the outer ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

Floats = npt.NDArray[np.float64]


def basis(x: npt.ArrayLike, knots: npt.ArrayLike) -> Floats:
    """(n, K) weights of the K knots' heights in the curve at each x: row sums are 1, at a knot its own weight is 1.

    So the coefficients of a regression on it are the curve's heights at the knots. One knot: a constant; two: a line.

    Source:
        The natural interpolating spline is linear in its heights (de Boor 1978, ch. IV).
    """
    at, points = np.asarray(knots, dtype=np.float64), np.asarray(x, dtype=np.float64)
    k = len(at)
    if k == 1:
        return np.ones((len(points), 1))
    if k == 2:
        right = (points - at[0]) / (at[1] - at[0])
        return np.column_stack([1 - right, right])
    spline = CubicSpline(at, np.eye(k), bc_type="natural")
    inside = np.clip(points, at[0], at[-1])
    found = spline(inside)
    # straight lines beyond the ends
    return found + (points - inside)[:, None] * spline(inside, 1)
