"""Where each customer stands at the end of what was seen of him, equal states put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from primeta.reactivation.follow_up_orders import DAY
from primeta.reactivation.follow_up_people import People
from primeta.reactivation.records import Floats, Tail

EXACT = 300_000
"""Up to so many who returned, times are kept to the second."""
MOST_ROWS = 2_000_000
"""Beyond, times are put together by weeks."""
KEYS = (
    "segment",
    "arm",
    "bucket",
    "followed",
    "returned_at",
    "later",
    "last",
    "half_returned_at",
    "half_later",
    "half_last",
)
SUMS = ("count", "then_orders", "then_present")


def stands_of(people: People, grain_days: float) -> pa.Table:
    """The states of a part of the customers, times rounded to the grain (0: to the second)."""
    covered = people["covered"].astype(float)
    first, last = people["first_seconds"] / DAY, people["until_last"] / DAY
    orders = people["until_orders"]
    returned, later, gap = _state(covered, first, last, orders, grain_days)
    half = _state(covered / 2, first, people["half_last"] / DAY, people["half_orders"], grain_days)
    columns = {
        "segment": people["segment"].astype(np.int16),
        "arm": people["arm"].astype(np.int16),
        "bucket": people["bucket"].astype(np.int16),
        "followed": covered,
        "returned_at": returned,
        "later": later,
        "last": gap,
        "half_returned_at": half[0],
        "half_later": half[1],
        "half_last": half[2],
        "count": np.ones(len(people)),
        "then_orders": orders - people["half_orders"],
        "then_present": people["then_present"],
    }
    return put_together(pa.table(columns))


def put_together(stands: pa.Table) -> pa.Table:
    """Equal states as one row."""
    found = stands.group_by(list(KEYS), use_threads=False).aggregate([(name, "sum") for name in SUMS])
    return found.rename_columns(
        [
            name.removesuffix("_sum") if name.removesuffix("_sum") in SUMS else name
            for name in found.column_names
        ]
    )


def coarser(stands: pa.Table, grain_days: float) -> pa.Table:
    """The same with times rounded to a coarser grain."""
    for name, of in (("", "followed"), ("half_", "followed")):
        limit = stands.column(of).to_numpy() / (2 if name else 1)
        returned = _rounded(stands.column(name + "returned_at").to_numpy(), grain_days)
        returned = np.minimum(returned, limit)
        last = _rounded(stands.column(name + "last").to_numpy(), grain_days)
        last = np.where(np.isnan(returned), last, np.minimum(last, limit - np.nan_to_num(returned)))
        for column, values in ((name + "returned_at", returned), (name + "last", last)):
            at = stands.column_names.index(column)
            stands = stands.set_column(at, column, pa.array(values))
    return put_together(stands)


def tail_of(stands: pa.Table) -> Tail:
    """The record that the tail model reads; rows in an order that is always the same."""
    order = pc.sort_indices(stands, sort_keys=[(name, "ascending") for name in KEYS])
    stands = stands.take(order)

    def column(name: str, kind: Any = np.float64) -> npt.NDArray[Any]:
        return stands.column(name).to_numpy().astype(kind)

    followed = column("followed")
    return Tail(
        segment=column("segment", np.int64),
        arm=column("arm", np.int64),
        bucket=column("bucket", np.int64),
        followed=followed,
        returned_at=column("returned_at"),
        later=column("later", np.int64),
        last=column("last"),
        count=column("count"),
        halfway={
            "followed": followed / 2,
            "returned_at": column("half_returned_at"),
            "later": column("half_later", np.int64),
            "last": column("half_last"),
            "then_orders": column("then_orders"),
            "then_present": column("then_present"),
        },
    )


def _state(
    limit: Floats, first: Floats, last: Floats, orders: Floats, grain_days: float
) -> tuple[Floats, Floats, Floats]:
    """(n,) days to the return (NaN: none yet), later orders, days from the return to the last of them."""
    back = orders > 0
    returned = np.where(back, np.minimum(_rounded(first, grain_days), limit), np.nan)
    later = np.maximum(orders - 1, 0)
    gap = np.where(later > 0, _rounded(last - first, grain_days), 0.0)
    gap = np.where(later > 0, np.minimum(gap, limit - np.nan_to_num(returned)), 0.0)
    return returned, later, gap


def _rounded(days: Floats, grain_days: float) -> Floats:
    """To the nearest day; of weeks the middle, since the model puts whole weeks together."""
    if grain_days > 1:
        return (np.floor(days / grain_days) + 0.5) * grain_days
    return np.floor(days / grain_days + 0.5) * grain_days if grain_days else days
