"""The top of a smooth hill in few dimensions: Newton's steps with exact curvature, inside a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Hill = Callable[[Floats], tuple[float, Floats, Floats]]
"""Point (p,) → height, slope (p,), curvature (p, p)."""


@dataclass(frozen=True, slots=True, eq=False)
class Top:
    at: Floats
    height: float
    slope: Floats
    curvature: Floats
    steps: int
    converged: bool
    on_edge: npt.NDArray[np.bool_]
    """(p,) held by the box, with the hill still rising beyond it."""


def climb(
    hill: Hill,
    start: Floats,
    low: Floats,
    high: Floats,
    *,
    gain: float = 1e-9,
    longest: float = 2.0,
    most_steps: int = 200,
) -> Top:
    """Climb from `start` until no step promises more than `gain`.

    Where the hill is not concave the curvature is taken by its absolute value, so that every step leads upwards
    (saddle-free Newton); a step that does not bring what it promised is shortened.

    Args:
        low, high: (p,) the box.
        longest: Of a step in any direction of the (log) parameters.
    Source:
        Nocedal & Wright (2006), Numerical Optimization, algorithm 4.1 (trust region), §3.4 (modified Hessian).
    """
    at = np.clip(np.asarray(start, dtype=np.float64), low, high)
    height, slope, curvature = hill(at)
    radius = longest
    steps = 0
    converged = False
    edge = np.zeros(len(at), dtype=bool)
    while steps < most_steps:
        edge = ((at <= low) & (slope < 0)) | ((at >= high) & (slope > 0))
        free = np.flatnonzero(~edge)
        if not len(free):
            converged = True
            break
        step = np.zeros(len(at))
        step[free], promised, concave = _step(slope[free], curvature[np.ix_(free, free)], radius)
        if promised < gain and (concave or np.abs(slope[free]).max() < gain):
            converged = True
            break
        target = np.clip(at + step, low, high)
        moved = target - at
        promised = float(slope @ moved + 0.5 * moved @ curvature @ moved)
        new_height, new_slope, new_curvature = hill(target)
        steps += 1
        rise = new_height - height
        # near the top the difference of two large heights is rounding: then the slope must have fallen instead
        dust = 1e-13 * (abs(height) + 1)
        good = np.isfinite(new_height) and np.isfinite(new_slope).all()
        if good and (rise > 0.05 * max(promised, 0.0) or (abs(rise) <= dust and promised < 1e3 * dust)):
            small = abs(rise) <= dust and promised < 1e3 * dust
            at, height, slope, curvature = target, new_height, new_slope, new_curvature
            if rise > 0.7 * promised:
                radius = min(longest, 2.5 * radius)
            if small:
                converged = True
                edge = ((at <= low) & (slope < 0)) | ((at >= high) & (slope > 0))
                break
        else:
            radius = 0.3 * min(radius, float(np.abs(moved).max()))
            if radius < 1e-12:
                break
    return Top(at, float(height), slope, curvature, steps, converged, edge)


def _step(slope: Floats, curvature: Floats, radius: float) -> tuple[Floats, float, bool]:
    """The step within the radius, what the quadratic model promises for it, and whether the hill is concave here."""
    values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
    along = vectors.T @ slope
    scale = max(float(np.abs(values).max()), 1e-300)
    bend = np.maximum(np.abs(values), 1e-14 * scale)
    step = along / bend
    norm = float(np.sqrt(step @ step))
    if norm > radius:
        # (|H| + λ) s = g with ‖s‖ = radius; bisection on λ in logs is cheap in so few dimensions
        low, high = 0.0, float(np.sqrt(along @ along)) / radius
        for _ in range(60):
            middle = 0.5 * (low + high)
            step = along / (bend + middle)
            if float(np.sqrt(step @ step)) > radius:
                low = middle
            else:
                high = middle
        step = along / (bend + high)
    promised = float(along @ step - 0.5 * (step * bend) @ step)
    return vectors @ step, promised, bool((values < 0).all())
