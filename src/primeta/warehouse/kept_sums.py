"""Sums that an experiment's looks are made of, by outcome, arm, segment and day of entry; and their file.

They merge, so a later look adds the days that are new and reads nothing else. The file is a cache: it may be
deleted at any time, and what cannot be read counts as missing.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.moments import Moments
from primeta.warehouse.facts_store import replace_file

Floats = npt.NDArray[np.float64]

FORMAT = 1
_MAGIC = b"PRIMSUMS"
_HEAD = struct.Struct("<8sIQ")
"""Magic, checksum of what follows, length of the header."""
WHOLE = ""
"""The view that does not cut customers into segments; by strata, where the plan has them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """One outcome in one view: `table` (A, V, C, 2 + k + k²) over arms, values of the attribute, days of entry.

    Its last axis: customers; the sum over them of the third power of the whole total (0 where it is not
    needed); means (k,) and centred products (k, k) of the columns. `keys` (C,) change with everything that a
    day's sums depend on.
    """

    values: tuple[str, ...]
    days: tuple[date, ...]
    keys: tuple[str, ...]
    table: Floats

    @property
    def columns(self) -> int:
        # 2 + k + k² is this wide.
        return round((-1 + (1 + 4 * (self.table.shape[-1] - 2)) ** 0.5) / 2)

    @property
    def third(self) -> Floats:
        return self.table[..., 1]

    def moments(self) -> Moments:
        """(A, V, C) moments of k columns."""
        k = self.columns
        flat = self.table[..., 2 + k :]
        return Moments(self.table[..., 0], self.table[..., 2 : 2 + k], flat.reshape(*flat.shape[:-1], k, k))

    def only(self, days: Sequence[date]) -> Cells:
        """The days that are wanted and there, in their order."""
        at = [self.days.index(day) for day in days if day in self.days]
        return Cells(
            values=self.values,
            days=tuple(self.days[place] for place in at),
            keys=tuple(self.keys[place] for place in at),
            table=self.table[:, :, at],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptSums:
    """The cells of every outcome and view; `about` is what the workspace keeps beside them."""

    arms: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cells] = field(default_factory=dict)
    """(key of the outcome, view) → cells."""
    about: Mapping[str, Any] = field(default_factory=dict)


def joined(parts: Sequence[Cells]) -> Cells:
    """Cells of different days as one, days in their order; a value that one of them lacks has no customers there."""
    values = tuple(sorted({value for part in parts for value in part.values}))
    width = max(part.table.shape[-1] for part in parts)
    arms = parts[0].table.shape[0]
    order = sorted(
        ((day, place, at) for place, part in enumerate(parts) for at, day in enumerate(part.days)),
        key=lambda entry: entry[0],
    )
    table = np.zeros((arms, len(values), len(order), width))
    at_value = {value: place for place, value in enumerate(values)}
    moved = [[at_value[value] for value in part.values] for part in parts]
    for column, (_, place, at) in enumerate(order):
        table[:, moved[place], column] = parts[place].table[:, :, at]
    return Cells(
        values=values,
        days=tuple(day for day, _, _ in order),
        keys=tuple(parts[place].keys[at] for _, place, at in order),
        table=table,
    )


def save_kept(path: Path, kept: KeptSums) -> None:
    """Write the file whole or not at all."""
    index = [
        {
            "outcome": outcome,
            "view": view,
            "values": cells.values,
            "days": [day.isoformat() for day in cells.days],
            "keys": cells.keys,
            "shape": cells.table.shape,
        }
        for (outcome, view), cells in kept.cells.items()
    ]
    header = json.dumps({"format": FORMAT, "arms": kept.arms, "about": kept.about, "index": index}).encode()
    body = b"".join(np.ascontiguousarray(cells.table, "<f8").tobytes() for cells in kept.cells.values())
    check = zlib.crc32(body, zlib.crc32(header))
    replace_file(path, _HEAD.pack(_MAGIC, check, len(header)) + header + body)


def load_kept(path: Path) -> KeptSums | None:
    """What was kept; None where there is nothing that this version reads."""
    try:
        content = path.read_bytes()
        magic, check, length = _HEAD.unpack_from(content)
        rest = memoryview(content)[_HEAD.size :]
        if magic != _MAGIC or zlib.crc32(rest) != check:
            return None
        header = json.loads(bytes(rest[:length]))
        if header["format"] != FORMAT:
            return None
        sums = np.frombuffer(rest[length:], "<f8")
        cells: dict[tuple[str, str], Cells] = {}
        first = 0
        for entry in header["index"]:
            size = math.prod(entry["shape"])
            cells[entry["outcome"], entry["view"]] = Cells(
                values=tuple(entry["values"]),
                days=tuple(date.fromisoformat(day) for day in entry["days"]),
                keys=tuple(entry["keys"]),
                table=sums[first : first + size].reshape(entry["shape"]),
            )
            first += size
        return KeptSums(arms=tuple(header["arms"]), cells=cells, about=header["about"])
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        # A cache may be lost or cut off at any time; what it held is computed again.
        return None
