"""Days on which far more new accounts than usual came with one promo code, or from one source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb
import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from primeta.warehouse.duck import run
from primeta.warehouse.mapping import local_day

Ints = npt.NDArray[np.int64]
Kind = Literal["code", "source"]
REACH = 28
"""Days to each side of a day with which it is compared; the nearest `NEAR` are left out, so that a burst of several
days is no part of its own baseline."""
NEAR = 2
FEWEST = 5
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Accounts that were new on one day, alike in one thing, and too many."""

    kind: Kind
    name: str
    """The code or the source."""
    day: date
    accounts: int
    expected: float
    p: float
    only_codes: int
    """Of them, those that ordered once or twice, each time with a code."""


def burst_p(counts: Ints, others: Ints, at: int) -> tuple[float, float]:
    """How likely so many on a day by chance, and how many were to be expected.

    Given the key's count of the day and of the days around together, its share that falls on the day is binomial, with
    the share of all other new accounts that the day had: an exact comparison of two Poisson rates (Przyborowski &
    Wilenski 1940) in which a rush of everybody is no burst and the baseline's own error counts. Where the key's days
    scatter more than Poisson, all counts are divided by how much more.

    Args:
        counts: (D,) the key's new accounts by day; `others` (D,) all others'.
        at: The day.
    """
    days = np.arange(max(0, at - REACH), min(len(counts), at + REACH + 1))
    days = days[np.abs(days - at) > NEAR]
    around, weight = counts[days].astype(float), others[days] + 1.0
    own = others[at] + 1.0
    total = float(weight.sum())
    if not len(days):
        return 1.0, float("nan")
    rate = float(around.sum()) / total
    expected = rate * own
    scatter = 1.0
    if rate > 0 and len(days) > 2:
        scatter = max(1.0, float(((around - rate * weight) ** 2 / (rate * weight)).sum()) / (len(days) - 1))
    n, rest = float(counts[at]) / scatter, float(around.sum()) / scatter
    # The binomial's tail as an incomplete beta function, which also knows counts that are not whole.
    p = float(betainc(n, rest + 1, own / (own + total))) if n > 0 else 1.0
    return p, expected


def find_bursts(
    counts: npt.NDArray[np.int64],
    codes: npt.NDArray[np.int64],
    everybody: Ints,
    keys: Sequence[tuple[Kind, str]],
    *,
    first_day: int,
    error: float = 0.05,
) -> tuple[Burst, ...]:
    """Bursts of K keys over D days, the least likely first.

    Args:
        counts: (K, D) new accounts of each key by day; `codes` (K, D) those that look like a farm's.
        everybody: (D,) all new accounts.
        first_day: Days since 1970 of the first.
        error: Chance that anything at all is reported where nothing happens (Bonferroni over keys and days).
    """
    level = error / max(1, counts.size)
    found = []
    for key, day in zip(*np.nonzero(counts >= FEWEST)):
        p, expected = burst_p(counts[key], everybody - counts[key], int(day))
        if p <= level:
            kind, name = keys[key]
            found.append(
                Burst(
                    kind=kind,
                    name=name,
                    day=date.fromordinal(EPOCH + first_day + int(day)),
                    accounts=int(counts[key, day]),
                    expected=expected,
                    p=p,
                    only_codes=int(codes[key, day]),
                )
            )
    return tuple(sorted(found, key=lambda burst: (burst.p, burst.day, burst.name)))


def bursts_of(
    connection: duckdb.DuckDBPyConnection, *, timezone: str = "UTC", error: float = 0.05
) -> tuple[Burst, ...]:
    """Of the table `farm_base` (customer_id, born, first_code, source, orders, codes); days are the zone's."""
    kinds: tuple[tuple[Kind, str], ...] = (("code", "first_code"), ("source", "source"))
    day = f"({local_day('born', timezone)} - DATE '1970-01-01')::INTEGER"
    rows: list[tuple[Kind, str, int, int, int]] = []
    for kind, column in kinds:
        for name, on, n, alike in run(
            connection,
            f"SELECT {column}, {day} AS on_day, count(*), count(*) FILTER (orders BETWEEN 1 AND 2 AND codes = orders) "
            f"FROM farm_base WHERE born IS NOT NULL AND {column} IS NOT NULL GROUP BY ALL",
        ):
            rows.append((kind, str(name), int(on), int(n), int(alike)))
    whole = [
        (int(on), int(n))
        for on, n in run(
            connection,
            f"SELECT {day} AS on_day, count(*) FROM farm_base WHERE born IS NOT NULL GROUP BY ALL",
        )
    ]
    if not rows or not whole:
        return ()
    first, last = min(on for on, _ in whole), max(on for on, _ in whole)
    keys: list[tuple[Kind, str]] = sorted({(kind, name) for kind, name, *_ in rows})
    place = {key: at for at, key in enumerate(keys)}
    everybody = np.zeros(last - first + 1, dtype=np.int64)
    for on, n in whole:
        everybody[on - first] = n
    counts = np.zeros((len(keys), len(everybody)), dtype=np.int64)
    codes = np.zeros_like(counts)
    for kind, name, on, n, alike in rows:
        counts[place[kind, name], on - first] = n
        codes[place[kind, name], on - first] = alike
    return find_bursts(counts, codes, everybody, keys, first_day=first, error=error)
