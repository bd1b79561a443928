"""Sums over customers from which a ratio and its standard error follow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from primeta.warehouse.people import Cells, Ints, People

Floats = npt.NDArray[np.float64]

# Customers with anything to count, customers with a denominator, and the sums of x, y, x², y², xy.
MOMENTS = ("n", "in_denominator", "x", "y", "xx", "yy", "xy")


def per_customer(
    rank: Ints, values: Floats, *, first: bool = False, any_row: bool = False
) -> tuple[Ints, Floats]:
    """One row a customer from rows that stand customer by customer.

    Args:
        rank: (n,) customers, equal ones side by side.
        values: (n,) what each row adds.
        first: Take each customer's first row instead of the sum.
        any_row: 1 where any row of the customer is above 0.
    """
    if not len(rank):
        return rank, values
    starts = np.flatnonzero(np.concatenate(([True], rank[1:] != rank[:-1])))
    if first:
        return rank[starts], values[starts]
    sums = np.add.reduceat(values, starts).astype(np.float64, copy=False)
    return rank[starts], (sums > 0).astype(np.float64) if any_row else sums


def aligned(left: tuple[Ints, Floats], right: tuple[Ints, Floats]) -> tuple[Ints, Floats, Floats]:
    """Two sums over customers on the customers that have either; 0 where one has none."""
    if len(left[0]) == len(right[0]) and np.array_equal(left[0], right[0]):
        return left[0], left[1], right[1]
    both = np.union1d(left[0], right[0])
    x, y = np.zeros(len(both)), np.zeros(len(both))
    x[np.searchsorted(both, left[0])] = left[1]
    y[np.searchsorted(both, right[0])] = right[1]
    return both, x, y


def slice_moments(people: People, rank: Ints, x: Floats, y: Floats) -> Floats:
    """Moments of (x, y) over the customers `rank`, for each slice and half: (slices, 2, 7)."""
    counted = (x != 0) | (y != 0)
    columns = (counted.astype(np.float64), (y != 0).astype(np.float64), x, y, x * x, y * y, x * y)
    return _by_slice(people, lambda cells: _binned(cells, cells.cell[rank], columns))


class MemberSizes:
    """How many members each cell has, carried on from the period before by who came and who left."""

    def __init__(self, people: People):
        self.people = people
        self.members = np.zeros(people.n, dtype=np.bool_)
        self.sizes = tuple(np.zeros(cells.count) for cells in people.cells)

    def of(self, members: npt.NDArray[np.bool_]) -> tuple[Floats, ...]:
        """(cells,) members for each of `People.cells`; whole numbers, so nothing is lost on the way."""
        changed = np.flatnonzero(members ^ self.members)
        if len(changed):
            step = np.where(members[changed], 1.0, -1.0)
            self.sizes = tuple(
                size + np.bincount(cells.cell[changed], weights=step, minlength=cells.count)
                for size, cells in zip(self.sizes, self.people.cells)
            )
            self.members = members
        return self.sizes


def member_moments(
    people: People, members: npt.NDArray[np.bool_], sizes: tuple[Floats, ...], rank: Ints, x: Floats
) -> Floats:
    """The same where the denominator is 1 for each of `members` (n,), and only theirs counts.

    `sizes` are the members of each cell, as `MemberSizes` counts them.
    """
    inside = members[rank]
    rank, x = rank[inside], x[inside]
    columns = (x, x * x)
    size_of = {id(cells): size for cells, size in zip(people.cells, sizes)}

    def of_cells(cells: Cells) -> Floats:
        size = size_of[id(cells)]
        sums = _binned(cells, cells.cell[rank], columns)
        return np.stack([size, size, sums[:, 0], size, sums[:, 1], size, sums[:, 0]], axis=1)

    return _by_slice(people, of_cells)


def _binned(cells: Cells, cell: Ints, columns: tuple[Floats, ...]) -> Floats:
    sums = np.empty((cells.count, len(columns)))
    for at, column in enumerate(columns):
        sums[:, at] = np.bincount(cell, weights=column, minlength=cells.count)
    return sums


def _by_slice(people: People, of_cells) -> Floats:
    out = np.zeros((len(people.slices), 2, len(MOMENTS)))
    for cells in people.cells:
        sums = cells.slices @ of_cells(cells)
        out[list(cells.members)] = sums.reshape(len(cells.members), 2, len(MOMENTS))
    return out


def ratio(moments: Floats) -> tuple[Floats, Floats]:
    """The ratio of sums and its standard error over customers, from (…, 7) moments.

    With R = Σx / Σy over n customers drawn independently, the delta method gives
    var R = n / (n − 1) · Σ (x − R y)² / (Σy)². NaN where there is no denominator; the error is NaN
    with fewer than two customers, or where all are alike, so that nothing can be said of noise.

    Source:
        Cochran, Sampling Techniques (3rd ed., 1977), eq. 2.47 without the finite population factor;
        Deng, Knoblich & Lu, Applying the Delta Method in Metric Analytics (KDD 2018), eq. 5.
    """
    n, _, x, y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(y != 0, x / y, np.nan)
        spread = xx - 2 * value * xy + value * value * yy
        # Rounding leaves a speck where all customers are alike.
        spread = np.where(spread > 1e-12 * (xx + value * value * yy), spread, np.nan)
        se = np.where(n >= 2, np.sqrt(n / (n - 1) * spread) / np.abs(y), np.nan)
    return value, se
