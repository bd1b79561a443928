"""Where each customer stands at the end of what was seen of him, equal states put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.follow_up_people import People
from primeta.reactivation.records import BUCKETS, Floats, Tail

Columns = Mapping[str, npt.NDArray[Any]]
NAMES = (
    "segment", "arm", "bucket", "followed", "returned_at", "later", "last", "count", "half_returned_at",
    "half_later", "half_last", "then_orders", "then_present",
)  # fmt: skip


def stands_of(people: People) -> Columns:
    """The states of a part of the customers.

    Who has not ordered since his assignment is told apart by arm, bucket and follow-up alone, and those are put
    together; of those who have, hardly two in one bucket are alike, whatever their times are rounded to.
    """
    covered = people["covered"]
    back = np.flatnonzero(people["until_orders"] > 0)
    limit = covered[back].astype(np.float64)
    first, last = people["first_seconds"][back] / DAY, people["until_last"][back] / DAY
    orders, half_orders = people["until_orders"][back], people["half_orders"][back]
    returned, later, gap = _state(first, last, orders)
    half = _state(first, people["half_last"][back] / DAY, half_orders)
    here = {
        "segment": people["segment"][back],
        "arm": people["arm"][back],
        "bucket": people["bucket"][back],
        "followed": limit,
        "returned_at": returned,
        "later": later,
        "last": gap,
        "count": np.ones(len(back)),
        "half_returned_at": half[0],
        "half_later": half[1],
        "half_last": half[2],
        "then_orders": orders - half_orders,
        "then_present": people["then_present"][back],
    }
    away = _away(people, covered)
    return {name: np.concatenate([away[name], here[name]]) for name in NAMES}


def _away(people: People, covered: npt.NDArray[Any]) -> Columns:
    """Those who have not come back, equal ones as one row; returns of older orders may still move their money."""
    silent = people["until_orders"] == 0
    width = int(covered.max(initial=0)) + 1
    key = people.cell[silent] * width + covered[silent]
    cells, place, count = np.unique(key, return_inverse=True, return_counts=True)
    cell, followed = np.divmod(cells, width)
    group, bucket = np.divmod(cell, BUCKETS)
    segment, arm = np.divmod(group, people.shape[1])
    nothing, never = np.zeros(len(cells)), np.full(len(cells), np.nan)
    return {
        "segment": segment,
        "arm": arm,
        "bucket": bucket,
        "followed": followed.astype(np.float64),
        "returned_at": never,
        "later": nothing,
        "last": nothing,
        "count": count.astype(np.float64),
        "half_returned_at": never,
        "half_later": nothing,
        "half_last": nothing,
        "then_orders": nothing,
        "then_present": np.bincount(place.reshape(-1), people["then_present"][silent], minlength=len(cells)),
    }


def tail_of(parts: Sequence[Columns]) -> Tail:
    """The record that the tail model reads."""

    def column(name: str) -> npt.NDArray[Any]:
        values = np.concatenate([part[name] for part in parts])
        return (
            values.astype(np.int64) if name in ("segment", "arm", "bucket", "later", "half_later") else values
        )

    followed = column("followed")
    return Tail(
        segment=column("segment"),
        arm=column("arm"),
        bucket=column("bucket"),
        followed=followed,
        returned_at=column("returned_at"),
        later=column("later"),
        last=column("last"),
        count=column("count"),
        halfway={
            "followed": followed / 2,
            "returned_at": column("half_returned_at"),
            "later": column("half_later"),
            "last": column("half_last"),
            "then_orders": column("then_orders"),
            "then_present": column("then_present"),
        },
    )


def _state(first: Floats, last: Floats, orders: Floats) -> tuple[Floats, Floats, Floats]:
    """(n,) days to the return (NaN: none yet), later orders, days from the return to the last of them."""
    later = np.maximum(orders - 1, 0)
    return np.where(orders > 0, first, np.nan), later, np.where(later > 0, last - first, 0.0)
