"""Rung 4 on customers who do not live by its model: coverage, width, refusals, and whether it picks the right arm.

`reactivation_calibration` runs rung 4 on the worlds of Primeta; here it meets worlds made to break it
(`rung_four_worlds`). Each interval stands beside that of the same lottery in a log in which everybody lived through
the horizon.

`python -m benchmarks "rung four"`, or `python -m benchmarks.rung_four [--runs 100] [--customers 12000] [WORLD …]`.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.reactivation_worlds import campaign_of, follow_up
from benchmarks.rung_four_worlds import WORLDS, truth_of, world_of
from primeta.reactivation.records import Rung, Rung4
from primeta.reactivation.tail import rung_four

NAME = "rung four"
RUNS, QUICK = 1_000, 30
CUSTOMERS = 12_000
SEED = 7_000_000


@dataclass(slots=True, kw_only=True)
class Seen:
    """One arm of one world over the runs."""

    told: list[tuple[float, float, float]] = field(default_factory=list)
    """Value, low, high where rung 4 answered."""
    full: list[tuple[float, float, float]] = field(default_factory=list)
    """The same lotteries with the horizon seen."""
    observed: list[float] = field(default_factory=list)
    refused: int = 0


def some(name: str, first: int, last: int, customers: int) -> tuple[dict[str, Seen], dict[str, int]]:
    """Runs `first` to `last` of a world, and how often each way of choosing picks the arm that is best in truth."""
    truth = truth_of(name)
    best = max(truth, key=lambda arm: truth[arm])
    arms = {arm: Seen() for arm in truth if arm != "control"}
    right = {"rung 4": 0, "seen": 0, "whole": 0}
    for number in range(first, last):
        world = world_of(name, seed=SEED + number, customers=customers)
        told = rung_four(follow_up(world))
        whole = rung_four(follow_up(world, campaign_of(world, full=True)))
        for rung, known in zip(told.rungs, whole.rungs, strict=True):
            seen = arms[rung.arm]
            seen.observed.append(rung.observed)
            seen.full.append((known.value_per_assigned, known.low, known.high))
            if rung.why_not:
                seen.refused += 1
            else:
                seen.told.append((rung.value_per_assigned, rung.low, rung.high))
        right["rung 4"] += _leader(told, lambda rung: rung.value_per_assigned) == best
        right["seen"] += _leader(told, lambda rung: rung.observed) == best
        right["whole"] += _leader(whole, lambda rung: rung.value_per_assigned) == best
    return arms, right


def _leader(told: Rung4, value: Any) -> str:
    values: dict[str, float] = {rung.arm: float(value(rung)) for rung in told.rungs if isinstance(rung, Rung)}
    values["control"] = 0.0
    return max(values, key=lambda arm: values[arm])


def table(names: list[str], *, runs: int, customers: int) -> list[dict[str, Any]]:
    rows = []
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        for name in names:
            truth = truth_of(name)
            ends = np.unique(np.linspace(0, runs, 9).astype(int)).tolist()
            jobs = [pool.submit(some, name, low, high, customers) for low, high in pairwise(ends)]
            found = [job.result() for job in jobs]
            for arm in sorted(found[0][0]):
                parts = [one[0][arm] for one in found]
                told = np.array([row for part in parts for row in part.told]).reshape(-1, 3)
                full = np.array([row for part in parts for row in part.full]).reshape(-1, 3)
                refused = sum(part.refused for part in parts)
                rows.append(_row(name, arm, truth[arm], told, full, refused, runs))
            right = {way: sum(one[1][way] for one in found) / runs for way in found[0][1]}
            rows.append(
                {
                    "what": f"{name}: picks the arm that is best in truth",
                    "reached": f"{right['rung 4']:.0%}",
                    "note": f"by what was seen alone {right['seen']:.0%}, with the horizon seen {right['whole']:.0%}",
                }
            )
    return rows


def _row(
    name: str, arm: str, truth: float, told: np.ndarray, full: np.ndarray, refused: int, runs: int
) -> dict[str, Any]:
    def cover(found: np.ndarray) -> float:
        inside = (found[:, 1] <= truth) & (truth <= found[:, 2])
        return float(inside.mean()) if len(found) else math.nan

    width = (
        float((told[:, 2] - told[:, 1]).mean() / (full[:, 2] - full[:, 1]).mean()) if len(told) else math.nan
    )
    share = cover(told)
    band = 2.58 * math.sqrt(0.95 * 0.05 / max(len(told), 1))
    error = (told[:, 0] - truth).mean() / told[:, 0].std() if len(told) > 1 else math.nan
    return {
        "what": f"{name}: {arm}",
        "aim": "93–97%",
        "reached": f"{share:.1%} ± {100 * band:.1f}",
        "note": f"with the horizon seen {cover(full):.1%}; width {width:.2f} of that; bias {error:+.2f} of its standard "
        f"deviation; refused {refused / runs:.1%}; truth {truth:.2f}",
    }


def run(*, quick: bool) -> list[dict[str, Any]]:
    return table(list(WORLDS), runs=QUICK if quick else RUNS, customers=CUSTOMERS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("worlds", nargs="*", default=list(WORLDS))
    parser.add_argument("--runs", type=int, default=QUICK)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    given = parser.parse_args()
    for line in table(given.worlds, runs=given.runs, customers=given.customers):
        sys.stdout.write(f"{line['what']} | {line['reached']} | {line.get('note', '')}\n")
