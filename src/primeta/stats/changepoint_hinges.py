"""Broken lines: continuous, with a slope that changes at knots.

Knots are added one by one where they lower the squared error most; after each, every knot is moved to its best
place with the others held. All places are tried: inner products of hinges come from running sums.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COARSE = 200
"""Places that are tried all along the series; then those near a knot."""


class _Hinges:
    """Inner products of 1, x and the hinges max(x − x[t], 0), for every t at once."""

    def __init__(self, y: Floats, weights: Floats) -> None:
        n = len(y)
        self.x = np.arange(n) / n

        def from_here(term: Floats) -> Floats:
            return np.cumsum(term[::-1])[::-1]

        self.w0, self.w1 = from_here(weights), from_here(weights * self.x)
        self.w2 = from_here(weights * self.x**2)
        self.y0, self.y1 = from_here(weights * y), from_here(weights * y * self.x)
        self.norm = self.w2 - 2 * self.x * self.w1 + self.x**2 * self.w0
        self.with_y = self.y1 - self.x * self.y0

    def between(self, knot: int, places: Ints) -> Floats:
        """Of the hinge at `knot` with those at `places`."""
        later = np.maximum(places, knot)
        x, at = self.x[places], self.x[knot]
        return self.w2[later] - (x + at) * self.w1[later] + x * at * self.w0[later]

    def gains(self, knots: list[int], places: Ints) -> Floats:
        """How much a further hinge at each of `places` lowers the squared error."""
        both = np.concatenate([places, np.array(knots, dtype=np.int64)])
        x = self.x[both]
        cross = np.stack(
            [
                self.w1[both] - x * self.w0[both],
                self.w2[both] - x * self.w1[both],
                *(self.between(knot, both) for knot in knots),
            ]
        )
        q, m = len(cross), len(places)
        gram = np.empty((q, q))
        gram[:2, :2] = [[self.w0[0], self.w1[0]], [self.w1[0], self.w2[0]]]
        gram[:, 2:] = cross[:, m:]
        gram[2:, :2] = cross[:2, m:].T
        right = np.concatenate([[self.y0[0], self.y1[0]], self.with_y[both[m:]]])
        # hinges that nearly coincide make the matrix nearly singular; the ridge is far below the noise
        gram[np.diag_indices(q)] *= 1 + 1e-10
        inverse = np.linalg.inv(gram)
        cross = cross[:, :m]
        left = self.norm[places] - np.einsum("ij,ij->j", cross, inverse @ cross)
        slope = self.with_y[places] - cross.T @ (inverse @ right)
        return np.where(left > 1e-9 * self.norm[0], slope**2 / np.maximum(left, 1e-300), -1.0)


def broken_lines(y: Floats, *, weights: Floats, most: int, shortest: int) -> Iterator[Ints]:
    """Knots (first points of the new slope) for 0, 1, … `most` changes of slope.

    Args:
        y, weights: (n,) finite, weights above 0.
        shortest: Points between neighbouring knots, and before the first and after the last.
    """
    n = len(y)
    hinges = _Hinges(y - y.mean(), weights)
    stride = -(-n // COARSE)
    everywhere = np.arange(shortest, n - shortest + 1, stride)

    def best(others: list[int], places: Ints) -> int | None:
        for knot in others:
            places = places[np.abs(places - knot) >= shortest]
        if not len(places):
            return None
        gain = hinges.gains(others, places)
        top = int(np.argmax(gain))
        return int(places[top]) if gain[top] > 0 else None

    knots: list[int] = []
    yield np.array([], dtype=np.int64)
    for _ in range(most):
        new = best(knots, everywhere)
        if new is None:
            return
        knots = [*knots, new]
        for moved in knots[:]:
            others = [knot for knot in knots if knot != moved]
            near = np.arange(max(moved - stride, shortest), min(moved + stride, n - shortest) + 1)
            place = best(others, near if len(knots) == 1 else np.unique(np.concatenate([everywhere, near])))
            knots = [*others, moved if place is None else place]
        knots.sort()
        yield np.array(knots, dtype=np.int64)


def broken_line(y: Floats, *, weights: Floats, knots: Ints) -> Floats:
    """The best broken line with these knots: (n,). Least squares on hinges."""
    x = np.arange(len(y)) / len(y)
    basis = np.column_stack([np.ones_like(x), x, *(np.maximum(x - x[knot], 0) for knot in knots)])
    root = np.sqrt(weights)
    q, _ = np.linalg.qr(basis * root[:, None])
    return q @ (q.T @ (y * root)) / root
