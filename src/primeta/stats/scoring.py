"""The top of a log likelihood of many alike customers, found by their scores, and its curvature there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDS = 100
NEAR = 1e-3
"""Of log likelihood that a further step could gain: one step more, by the curvature itself, follows."""
LONGEST = 1.0
"""Of one step in any (logarithmic) parameter."""


def likeliest(
    climbing: Callable[[Floats], tuple[float, Floats, Floats]], start: Floats, count: Floats, spread: Floats
) -> Floats:
    """(p,) where the log posterior is highest.

    Args:
        climbing: Parameters (p,) → log posterior, its gradient (p,), and the customers' own scores (n, p).
        start: (p,) first guess.
        count: (n,) customers behind each score.
        spread: (p,) standard deviations of the normal prior, which keeps every step finite.
    Source:
        Berndt, Hall, Hall & Hausman (1974): the curvature is taken from the outer products of the scores.
    """
    theta = np.array(start, dtype=np.float64)
    height, slope, scores = climbing(theta)
    for _ in range(ROUNDS):
        curvature = (scores * count[:, None]).T @ scores + np.diag(spread**-2)
        step = np.linalg.solve(curvature, slope)
        gain = float(step @ slope)
        if gain < NEAR:
            break
        size = min(1.0, LONGEST / float(np.abs(step).max()))
        while True:
            moved = climbing(theta + size * step)
            if moved[0] >= height + 1e-4 * size * gain:
                break
            size /= 2
            if size < 1e-6:
                return theta
        theta = theta + size * step
        height, slope, scores = moved
    return theta


def curved(gradient: Callable[[Floats], Floats], theta: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """(p, p) inverse of the curvature of −log posterior at its top, and the top after one step more by it."""
    at, step = gradient(theta), 1e-4
    curvature = np.stack([(at - gradient(theta + step * axis)) / step for axis in np.eye(len(theta))])
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    inverse = (vectors / np.maximum(values, np.min(spread**-2) / 4)) @ vectors.T
    move = inverse @ at
    return inverse, theta + move * min(1.0, 0.1 / max(float(np.abs(move).max()), 1e-12))
