"""Order logs of small simulated bases: MBG/CNBD-k customers whose leaving is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

FIRST = 19_000
"""Day number of the first day of a log."""


def day(offset: int) -> date:
    return date(1970, 1, 1) + timedelta(days=FIRST + offset)


@dataclass(frozen=True, kw_only=True)
class OrderWorld:
    """Orders as (customer, day offset), and the offset from which each customer orders no more (inf: never)."""

    customer: np.ndarray
    offset: np.ndarray
    left: np.ndarray

    def table(self, revenue: np.ndarray | None = None, until: int | None = None) -> pa.Table:
        keep = slice(None) if until is None else self.offset <= until
        columns = {
            "customer_id": pa.array(self.customer[keep].astype(str)),
            "ordered_at": pa.array((self.offset[keep] + FIRST).astype("datetime64[D]")),
        }
        if revenue is not None:
            columns["revenue"] = pa.array(revenue[keep])
        return pa.table(columns)


def order_world(
    n: int,
    rng: np.random.Generator,
    *,
    r: float = 1.2,
    alpha: float = 40.0,
    a: float = 0.8,
    b: float = 4.0,
    stages: int = 1,
    entry_days: int = 365,
    end: int = 1095,
) -> OrderWorld:
    """n customers: rates gamma(r, alpha) a day, gaps Erlang(stages), leaving after any order by beta(a, b)."""
    rate, leaves = rng.gamma(r, 1 / alpha, n) * stages, rng.beta(a, b, n)
    time = rng.integers(0, entry_days, n).astype(float)
    stays = rng.random(n) > leaves
    left = np.where(stays, np.inf, time)
    customers, offsets = [np.arange(n)], [time.astype(int)]
    here = np.flatnonzero(stays)
    while len(here):
        time[here] += rng.gamma(stages, 1 / rate[here])
        here = here[time[here] < end]
        customers.append(here)
        offsets.append(time[here].astype(int))
        gone = rng.random(len(here)) < leaves[here]
        left[here[gone]] = time[here[gone]]
        here = here[~gone]
    return OrderWorld(customer=np.concatenate(customers), offset=np.concatenate(offsets), left=left)
