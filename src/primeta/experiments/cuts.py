"""Cut points that split a closed list exactly as planned, and by which whoever comes later is assigned too.

A stateless hash gives each arm its share only on average. Where the list is known at the start, the points
at which one arm ends and the next begins are placed, within each stratum, between the buckets of the units
themselves, so that the counts come out as planned. They are kept: a later unit is drawn by the same hash
against the same points, and nobody of the list ever moves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput
from primeta.experiments.ids import value_text
from primeta.experiments.records import Hash
from primeta.stats.buckets import FNV_BUCKETS, MD5_BUCKETS, bounds, bucket

if TYPE_CHECKING:
    from primeta.experiments.assignment import Lottery

Floats = npt.NDArray[np.float64]
MOST_STRATA = 1_000
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Where in [0, 1) the arms end within each stratum; `points` holds k − 1 rising numbers for k arms."""

    salt: str
    hash: Hash
    arms: tuple[tuple[str, float], ...]
    strata: tuple[str, ...]
    points: dict[str, tuple[float, ...]]
    """By the key of the stratum, `region=North&tier=gold`. For a stratum that is not here the planned shares
    hold."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "salt": self.salt,
            "hash": self.hash,
            "arms": dict(self.arms),
            "strata": list(self.strata),
            "cuts": {key: list(points) for key, points in self.points.items()},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Cuts:
        """From what `as_dict` gave.

        Raises:
            BadInput: it is no such document.
        """
        try:
            found = cls(
                salt=str(document["salt"]),
                hash=document["hash"],
                arms=tuple((str(name), float(share)) for name, share in document["arms"].items()),
                strata=tuple(str(name) for name in document["strata"]),
                points={str(key): tuple(map(float, points)) for key, points in document["cuts"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"no cut points: {type(error).__name__}, {error}") from None
        for key, points in found.points.items():
            if len(points) != len(found.arms) - 1 or list(points) != sorted(points):
                raise BadInput(
                    f"stratum {key}: {len(found.arms) - 1} rising cut points were expected, {points} found"
                )
        return found


def read_cuts(path: Path) -> Cuts:
    """Raises BadInput where the file holds no cut points."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path}: no JSON ({error}); name a file that --cuts wrote, or one that is not there yet"
        ) from None
    try:
        return Cuts.of(document)
    except BadInput as error:
        raise BadInput(
            f"{path}: {error}; name a file that --cuts wrote, or one that is not there yet"
        ) from None


def stratum_key(names: Sequence[str], values: Sequence[Any]) -> str:
    """`region=North&tier=gold`; an unknown value is empty."""
    return "&".join(f"{name}={value_text(value)}" for name, value in zip(names, values))


def place_cuts(lottery: Lottery, *, strata: Any, drawn: Floats) -> Cuts:
    """Cut points that split the units of a list within each stratum as the shares say.

    Each arm gets, of a stratum of n units, its share of n rounded down or up; which of the two is drawn, so
    that every unit has each arm with exactly the planned probability. Between the units that they part, the
    points lie as near as they can to the planned shares, for those who come later.

    Args:
        strata: (n,) key of each unit's stratum (`stratum_key`), a sequence of texts or an Arrow array; only of
            units that take part. With GrowthBook's hash each unit stands here once.
        drawn: (n,) their buckets under the lottery's salt and hash.
    Raises:
        BadInput: more than a thousand strata; a unit that stands in two of them (seen by md5 only).
    Source:
        Systematic sampling (Madow & Madow 1944) of the units in the order of their buckets; the offsets of
        successive strata follow the golden ratio, so that the roundings cancel over the whole list.
    """
    keys, which = _coded(strata)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(keys)))[:-1]
    parts = np.split(np.asarray(drawn, dtype=np.float64)[order], ends)
    if lottery.hash == "md5":
        # One bucket is one unit, however often it stands here.
        parts = [np.unique(part) for part in parts]
        together = np.sort(np.concatenate(parts)) if parts else np.zeros(0)
        if (np.diff(together) == 0).any():
            raise BadInput("a customer stands in two strata; give each one value, the one known at the start")
        finest = 1 / MD5_BUCKETS
    else:
        parts = [np.sort(part) for part in parts]
        finest = 1 / (2 * FNV_BUCKETS)
    planned = bounds([share for _, share in lottery.arms])
    start = bucket(f"{lottery.salt}:cuts", ",".join(lottery.strata))
    return Cuts(
        salt=lottery.salt,
        hash=lottery.hash,
        arms=lottery.arms,
        strata=lottery.strata,
        points={
            key: _points(part, planned, offset=(start + at * _GOLDEN) % 1.0, finest=finest)
            for at, (key, part) in enumerate(zip(keys, parts))
        },
    )


def _coded(strata: Any) -> tuple[list[str], npt.NDArray[np.uint16]]:
    """The different keys in lexical order, and (n,) each unit's place among them."""
    given = strata if isinstance(strata, pa.Array | pa.ChunkedArray) else pa.array(list(strata), pa.string())
    column = pa.table({"key": given}).column("key").combine_chunks().dictionary_encode()
    found = np.array(column.dictionary.to_pylist(), dtype=object)
    if len(found) > MOST_STRATA:
        raise BadInput(
            f"{len(found):,} strata; at most {MOST_STRATA:,} are balanced. Take fewer attributes or coarser values."
        )
    order = np.argsort(found)
    # Sixteen bits are sorted by counting.
    place = np.empty(len(found), dtype=np.uint16)
    place[order] = np.arange(len(found), dtype=np.uint16)
    return found[order].tolist(), place[column.indices.to_numpy()]


def _points(drawn: Floats, planned: Floats, *, offset: float, finest: float) -> tuple[float, ...]:
    """Cut points for one stratum: `drawn` (n,) rising, `planned` (k − 1,) rising."""
    n = len(drawn)
    found: list[float] = []
    for share in planned:
        before = min(n, math.floor(n * share + offset))
        if before < n:
            # Units that share a bucket (GrowthBook's are few) cannot be parted: the nearer side.
            left, right = (
                np.searchsorted(drawn, drawn[before], "left"),
                np.searchsorted(drawn, drawn[before], "right"),
            )
            before = int(left if before - left <= right - before else right)
        lowest = drawn[before - 1] + finest if before else 0.0
        highest = drawn[before] if before < n else 1.0
        found.append(float(min(max(share, lowest), highest)))
    return tuple(found)
