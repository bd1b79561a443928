"""Counts that fade: for each event of a sequence, exponentially weighted counts of what came before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.attention_filter import step_major

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

MEMORIES: Floats = np.array([1.0, 7.0, 30.0, 120.0])
"""Days after which a mark counts 1/e."""


def decayed_counts(group: Ints, at: Floats, marks: Floats) -> Floats:
    """Σ over earlier events of the group of mark × exp(−age / memory).

    Args:
        group: (n,) 0 … G−1, ascending; within a group rows stand in the order of time.
        at: (n,) days.
        marks: (n, m) what each event adds, seen by later ones only.
    Returns:
        (n, m, 4), one column per memory of `MEMORIES`.
    """
    count, kinds = marks.shape
    found = np.zeros((count, kinds, len(MEMORIES)))
    if not count:
        return found
    order, bounds, _ = step_major(group)
    groups = int(bounds[1])
    kept = np.zeros((groups, kinds, len(MEMORIES)))
    last = np.zeros(groups)
    for step in range(len(bounds) - 1):
        rows = order[bounds[step] : bounds[step + 1]]
        active = len(rows)
        when = at[rows]
        if step:
            age = np.maximum(when - last[:active], 0.0)
            kept[:active] *= np.exp(-age[:, None] / MEMORIES)[:, None, :]
        found[rows] = kept[:active]
        kept[:active] += marks[rows][:, :, None]
        last[:active] = when
    return found


def run_lengths(group: Ints, adds: Ints, resets: Ints) -> Ints:
    """For each event: how many `adds` came before it in its group since the last reset (n,)."""
    total = np.cumsum(adds) - adds
    place = np.arange(len(group))
    first = np.concatenate([[True], group[1:] != group[:-1]]) if len(group) else np.zeros(0, dtype=bool)
    # at a reset the count begins anew after it; a group's first event sees 0
    mark = np.where(first, place, 0)
    after_reset = np.zeros(len(group), dtype=np.int64)
    after_reset[1:] = np.where(resets[:-1] > 0, place[1:], 0)
    begin = np.maximum.accumulate(np.maximum(mark, after_reset)) if len(group) else mark
    return total - total[begin]
