"""The most typical of many sequences of events: the one nearest to all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer[Any]]


def distances_to_all(streams: Iterable[Counts]) -> npt.NDArray[np.float64]:
    """Of each sequence the sum of its distances to all others.

    The distance of two sequences is the area between their cumulated counts, stream by stream: what it takes to move
    one's events onto the other's in time, and to add what is missing. In this L1 metric the sum over all pairs parts
    into coordinates, so that it is exact and takes time in proportion to the number of sequences, not to its square.

    Args:
        streams: For each kind of event (n, periods) counts of events.
    Returns:
        (n,); the medoid is where it is least.
    Source:
        Kaufman & Rousseeuw (1987), Clustering by Means of Medoids; Werman, Peleg & Rosenfeld (1985), A Distance Metric
        for Multidimensional Histograms (cumulated L1 is the match distance).
    """
    total: npt.NDArray[np.float64] | None = None
    for counts in streams:
        cumulated = np.cumsum(counts, axis=1)
        if total is None:
            total = np.zeros(len(cumulated))
        for column in cumulated.T:
            seen = np.bincount(column).astype(float)
            values = np.arange(len(seen))
            below, lower = np.cumsum(seen), np.cumsum(seen * values)
            of_value = values * (2 * below - below[-1]) + lower[-1] - 2 * lower
            total += of_value[column]
    return np.empty(0) if total is None else total
