"""What a customer-base model sees of each customer: repeat orders, the time of the last one, and age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Unit = Literal["day", "week"]

DAYS_IN_UNIT: dict[str, float] = {"day": 1.0, "week": 7.0}
DAYS_IN_YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histories:
    """n histories, each counted from the customer's first order; times in `unit`, whole or not."""

    repeats: Floats
    """(n,) orders after the first one (x): whole numbers from 0."""
    last: Floats
    """(n,) time of the last of them (t_x); 0 where there is none, above 0 where there is one."""
    age: Floats
    """(n,) time from the first order to the end of what was seen (T), not before `last`."""
    unit: Unit
    count: Floats | None = None
    """(n,) customers with this history, or their weight; None: one each."""
    log_gaps: Floats | None = None
    """(n,) sum of the natural logs of the gaps between successive orders, mean over the row's customers; only
    regular timing reads it, to choose how regular."""

    def __post_init__(self) -> None:
        for name in ("repeats", "last", "age", "count", "log_gaps"):
            column = getattr(self, name)
            if column is not None:
                object.__setattr__(self, name, np.atleast_1d(np.asarray(column, dtype=np.float64)))
        if self.count is None:
            object.__setattr__(self, "count", np.ones(len(self.repeats)))
        if self.unit not in DAYS_IN_UNIT:
            raise BadInput(f"the unit of histories is {self.unit!r}; expected 'day' or 'week'")
        for name in ("repeats", "last", "age", "count", "log_gaps"):
            column = getattr(self, name)
            if column is None:
                continue
            if column.shape != self.repeats.shape or column.ndim != 1:
                raise BadInput(
                    f"histories have {self.repeats.shape} repeats but {column.shape} {name}; expected one each"
                )
            # the sum is finite only where all are: one pass without a temporary, looked into only when it is not
            if not np.isfinite(column.sum()):
                _refuse(name, column, ~np.isfinite(column), "a finite number")
        _refuse(
            "repeats",
            self.repeats,
            (self.repeats < 0) | (self.repeats != np.floor(self.repeats)),
            "0, 1, 2, …",
        )
        _refuse("count", self.weights, self.weights < 0, "0 or more")
        _refuse("last", self.last, (self.last < 0) | (self.last > self.age), "between 0 and the age")
        _refuse("last", self.last, (self.repeats == 0) & (self.last != 0), "0 where there is no repeat order")
        _refuse(
            "last",
            self.last,
            (self.repeats > 0) & (self.last == 0),
            "above 0 where there is a repeat order (orders of one moment are one order)",
        )

    def __len__(self) -> int:
        return len(self.repeats)

    @property
    def weights(self) -> Floats:
        """(n,) `count`, which is always there once the record is built."""
        assert self.count is not None
        return self.count

    @property
    def customers(self) -> float:
        return float(self.weights.sum())

    def collapsed(self) -> Histories:
        """The same customers with equal (x, t_x, T) in one row; the order of rows is not kept."""
        first, place = distinct(self.repeats, self.last, self.age)
        count = summed(place, self.weights, len(first))
        gaps = None
        if self.log_gaps is not None:
            gaps = summed(place, self.weights * self.log_gaps, len(first))
            gaps = np.divide(gaps, count, out=np.zeros_like(gaps), where=count > 0)
        return Histories(
            repeats=self.repeats[first],
            last=self.last[first],
            age=self.age[first],
            count=count,
            unit=self.unit,
            log_gaps=gaps,
        )


def distinct(*columns: npt.NDArray[np.generic]) -> tuple[Ints, Ints]:
    """Rows that differ in some column.

    Rows are sorted by a hash of their columns and compared with their neighbours in full: a clash of hashes can
    leave two equal rows apart, and never puts two different rows together.

    Args:
        columns: Each (n,), numbers.
    Returns:
        (m,) a row of each kind, and (n,) which of the m kinds each row is.
    """
    n = len(columns[0])
    if len(columns) == 1 and n and columns[0].min() >= 0 and columns[0].max() <= 2 * n:
        whole = columns[0].astype(np.int64)
        if (whole == columns[0]).all():
            return _distinct_whole(whole)
    values = [np.ascontiguousarray(column, dtype=np.float64) + 0.0 for column in columns]  # −0 becomes 0
    key = np.zeros(n, dtype=np.uint64)
    for column in values:
        key ^= column.view(np.uint64)
        key *= np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    order = np.argsort(key)
    new = np.zeros(n, dtype=bool)
    new[:1] = True
    for column in values:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    place = np.empty(n, dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return order[new], place


def _distinct_whole(column: Ints) -> tuple[Ints, Ints]:
    """`distinct` for whole numbers that are not far apart, without sorting."""
    first = np.full(int(column.max()) + 1, -1, dtype=np.int64)
    first[column[::-1]] = np.arange(len(column) - 1, -1, -1)
    kinds = first[first >= 0]
    number = np.cumsum(first >= 0) - 1
    return kinds, number[column]


def summed(place: Ints, weights: Floats, kinds: int) -> Floats:
    """(kinds,) sums of weights by where `distinct` placed their rows."""
    return np.bincount(place, weights=weights, minlength=kinds).astype(np.float64, copy=False)


def per_unit_discount(annual_discount: float, unit: Unit) -> float:
    """The force of interest δ in one `unit` of time: (1 + annual)^(1 / units in 365 days) = e^δ."""
    if not annual_discount > -1:
        raise BadInput(f"annual discount {annual_discount}; expected a rate such as 0.15, above −1")
    return float(np.log1p(annual_discount)) * DAYS_IN_UNIT[unit] / DAYS_IN_YEAR


def _refuse(name: str, column: Floats, wrong: npt.NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(f"{name} of history {row + 1} is {column[row]:g}; expected {expected}")
