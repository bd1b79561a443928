"""Counts, means and centred products of customers' columns: what merges, and all that the estimates need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DUST = 1e-13
"""Of Σ(v − shift)²: what rounding leaves of a variance that is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sufficient statistics of groups of customers over k columns.

    `n` (…,) customers; `mean` (…, k); `scatter` (…, k, k) = Σ (v − mean)(v − mean)ᵀ. The leading axes are
    groups (arms, days, strata, simulated runs); an empty group has mean 0. Kept centred, so that sums of large
    numbers lose no digits.
    """

    n: Floats
    mean: Floats
    scatter: Floats

    @classmethod
    def of_rows(cls, rows: npt.ArrayLike) -> Moments:
        """Of one group, from its customers' rows (n, k)."""
        values = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        mean = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
        centred = values - mean
        return cls(np.float64(len(values)), mean, centred.T @ centred)  # pyright: ignore[reportArgumentType]

    @classmethod
    def of_sums(
        cls, n: npt.ArrayLike, sums: npt.ArrayLike, products: npt.ArrayLike, *, shift: npt.ArrayLike = 0.0
    ) -> Moments:
        """From n, Σ(v − shift) (…, k) and Σ(v − shift)(v − shift)ᵀ (…, k, k).

        A `shift` (k,) near the mean keeps the digits that Σv² − (Σv)²/n would lose.
        """
        count = np.asarray(n, dtype=np.float64)
        total = np.asarray(sums, dtype=np.float64)
        safe = np.maximum(count, 1.0)[..., None]
        offset = total / safe
        squares = np.asarray(products, dtype=np.float64)
        scatter = squares - offset[..., :, None] * total[..., None, :]
        # A group in which nobody differs leaves rounding dust, which must not pass for variance.
        own, raw = (np.einsum("...ii->...i", part) for part in (scatter, squares))
        alike = own <= DUST * raw
        scatter = np.where(alike[..., :, None] | alike[..., None, :], 0.0, scatter)
        mean = np.where(count[..., None] > 0, offset + np.asarray(shift, dtype=np.float64), 0.0)
        return cls(count, mean, scatter)

    @property
    def columns(self) -> int:
        return self.mean.shape[-1]

    def __getitem__(self, place: Any) -> Moments:
        """Some groups: an index over the leading axes."""
        return Moments(self.n[place], self.mean[place], self.scatter[place])

    def take(self, columns: Sequence[int]) -> Moments:
        """Some columns, in this order."""
        at = np.asarray(columns, dtype=int)
        return Moments(self.n, self.mean[..., at], self.scatter[..., at[:, None], at[None, :]])

    def __add__(self, other: Moments) -> Moments:
        """Both groups as one.

        Source:
            Chan, Golub & LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
            variances".
        """
        return stacked([self, other]).merged(0)

    def merged(self, axis: int = 0) -> Moments:
        """The groups along one leading axis as one group."""
        axis = axis % self.n.ndim
        n = self.n.sum(axis=axis)
        weights = self.n[..., None]
        mean = (weights * self.mean).sum(axis=axis) / np.maximum(n, 1.0)[..., None]
        apart = self.mean - np.expand_dims(mean, axis)
        between = (weights * apart)[..., :, None] * apart[..., None, :]
        return Moments(n, mean, (self.scatter + between).sum(axis=axis))


def stacked(groups: Sequence[Moments]) -> Moments:
    """Groups of equal shape along a new first axis."""
    return Moments(
        np.stack([np.asarray(group.n) for group in groups]),
        np.stack([group.mean for group in groups]),
        np.stack([group.scatter for group in groups]),
    )
