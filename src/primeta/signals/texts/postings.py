"""A multimap from 64-bit keys to rows that lives in two sorted arrays: quick to search, quick to save, small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int32]

MERGE_FROM = 200_000
"""Entries that gather beside the large arrays before they are merged into them."""


def _no_keys() -> Keys:
    return np.zeros(0, dtype=np.uint64)


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int32)


@dataclass(slots=True)
class Postings:
    """Key → rows, those of one key in the order in which they were put in."""

    keys: Keys = field(default_factory=_no_keys)
    rows: Rows = field(default_factory=_no_rows)
    _new_keys: Keys = field(default_factory=_no_keys)
    _new_rows: Rows = field(default_factory=_no_rows)

    def put(self, keys: npt.ArrayLike, rows: npt.ArrayLike) -> None:
        """Put (key, row) pairs in, (n,) each."""
        added = np.asarray(keys, dtype=np.uint64)
        places = np.asarray(rows, dtype=np.int32)
        order = np.argsort(added, kind="stable")
        self._new_keys, self._new_rows = _merged(self._new_keys, self._new_rows, added[order], places[order])
        if len(self._new_keys) >= MERGE_FROM:
            self.settle()

    def settle(self) -> None:
        """Merge what was put in of late into the large arrays."""
        self.keys, self.rows = _merged(self.keys, self.rows, self._new_keys, self._new_rows)
        self._new_keys, self._new_rows = _no_keys(), _no_rows()

    def find(self, keys: npt.ArrayLike, *, most: int = 0) -> tuple[npt.NDArray[np.int64], Rows]:
        """Rows of each key.

        Args:
            keys: (n,)
            most: Of one key, only so many of those put in last; 0: all.
        Returns:
            Which of `keys`, and a row of it; (m,) each.
        """
        wanted = np.asarray(keys, dtype=np.uint64)
        parts = [
            _found(there, rows, wanted, most)
            for there, rows in ((self.keys, self.rows), (self._new_keys, self._new_rows))
            if len(there)
        ]
        if not parts:
            return np.zeros(0, dtype=np.int64), _no_rows()
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """For a file; `from_arrays` reads them back."""
        self.settle()
        return {f"{name}_keys": self.keys, f"{name}_rows": self.rows}

    @classmethod
    def from_arrays(cls, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Postings:
        return cls(keys=arrays[f"{name}_keys"], rows=arrays[f"{name}_rows"])


def _merged(keys: Keys, rows: Rows, more: Keys, more_rows: Rows) -> tuple[Keys, Rows]:
    if not len(more):
        return keys, rows
    if not len(keys):
        return more, more_rows
    at = np.searchsorted(keys, more, "right")
    return np.insert(keys, at, more), np.insert(rows, at, more_rows)


def _found(there: Keys, rows: Rows, wanted: Keys, most: int) -> tuple[npt.NDArray[np.int64], Rows]:
    low, high = np.searchsorted(there, wanted, "left"), np.searchsorted(there, wanted, "right")
    if most:
        low = np.maximum(low, high - most)
    counts = high - low
    which = np.repeat(np.arange(len(wanted)), counts)
    inside = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, rows[np.repeat(low, counts) + inside]
