"""Three usual ways to find what emerges, on the same panel: 3-sigma on counts, popularity percentile, Kleinberg's bursts.

Each gives a score by candidate and week; it flags a candidate from the first week on in which the score reaches a
threshold, and calls it confirmed if at least two owners have told stories of it in the last eight weeks by then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from primeta.signals.texts.panel import Panel

Floats = npt.NDArray[Any]


def pooled(panel: Panel) -> tuple[Floats, Floats]:
    """(C, W) stories of each candidate, (W,) all stories."""
    weeks = len(panel.weeks)
    counts = np.bincount(
        panel.candidate * weeks + panel.week, weights=panel.stories, minlength=panel.candidates * weeks
    )
    return counts.reshape(panel.candidates, weeks), panel.volume.sum(axis=0).astype(float)


def three_sigma(counts: Floats, volume: Floats, first: int, *, in_a_row: int) -> Floats:
    """(C, T) standard deviations above the mean of the weeks before, as the least of `in_a_row` weeks.

    A standard deviation is at least that of one story in the history.
    """
    history = counts[:, :first]
    sd = np.maximum(history.std(axis=1), np.sqrt(1 / first))
    z = (counts[:, first:] - history.mean(axis=1)[:, None]) / sd[:, None]
    least = z.copy()
    for back in range(1, in_a_row):
        least[:, back:] = np.minimum(least[:, back:], z[:, :-back])
        least[:, :back] = 0
    return least


def percentile(counts: Floats, volume: Floats, first: int) -> Floats:
    """(C, T) rank among all candidates by stories of the last four weeks, as a share below; 0 where its history
    has been as popular."""
    total = np.cumsum(counts, axis=1)
    four = total.copy()
    four[:, 4:] -= total[:, :-4]
    rank = np.empty_like(four)
    for week in range(four.shape[1]):
        rank[:, week] = np.searchsorted(np.sort(four[:, week]), four[:, week]) / four.shape[0]
    before = rank[:, 3:first].max(axis=1)
    return np.where(rank[:, first:] > before[:, None], rank[:, first:], 0.0)


def kleinberg(counts: Floats, volume: Floats, first: int, *, times: float, gamma: float = 1.0) -> Floats:
    """(C, T) weight so far of the burst that a candidate is in, by the two-state automaton for batches.

    Cost of a state: −ln C(d, r) p^r (1 − p)^(d − r) with p₀ the share before (plus half a story) and p₁ = times · p₀;
    going up costs γ ln n. Weight: Σ of cost₀ − cost₁ over the burst. As it would stand each week, without what comes
    after.

    Source:
        Kleinberg (2002), "Bursty and hierarchical structure in streams", sections 2 and 4.
    """
    usual = (counts[:, :first].sum(axis=1) + 0.5) / volume[:first].sum()
    shares = np.stack([usual, np.minimum(usual * times, 0.9)])
    up = gamma * np.log(counts.shape[1])
    best = np.stack([np.zeros_like(usual), np.full_like(usual, up)])
    weight = np.zeros((2, usual.size))
    scores = np.zeros((usual.size, counts.shape[1] - first))
    for week in range(counts.shape[1]):
        r, d = counts[:, week], np.maximum(volume[week], counts[:, week])
        chosen = gammaln(d + 1) - gammaln(r + 1) - gammaln(d - r + 1)
        cost = -(chosen + r * np.log(shares) + (d - r) * np.log1p(-shares))
        stay_low = best[0] <= best[1]
        rise = best[0] + up < best[1]
        lifted = np.where(rise, 0.0, weight[1])
        best = np.stack([np.minimum(best[0], best[1]) + cost[0], np.minimum(best[1], best[0] + up) + cost[1]])
        weight[1] = np.maximum(lifted + cost[0] - cost[1], 0)
        weight[0] = np.where(stay_low, weight[0], 0)
        if week >= first:
            scores[:, week - first] = np.where(best[1] < best[0], weight[1], 0.0)
    return scores


def told_by_two(panel: Panel, first: int) -> npt.NDArray[np.bool_]:
    """(C, T) whether two owners told stories of it in the last eight weeks."""
    weeks = len(panel.weeks)
    flat = (panel.candidate * len(panel.owners) + panel.owner) * weeks + panel.week
    there = np.zeros((panel.candidates, weeks - first), dtype=np.int16)
    pairs, place = np.unique(flat // weeks, return_inverse=True)
    said = np.zeros((pairs.size, weeks), dtype=bool)
    said[place, panel.week] = True
    lately = said.copy()
    for back in range(1, 8):
        lately[:, back:] |= said[:, :-back]
    np.add.at(there, pairs // len(panel.owners), lately[:, first:].astype(np.int16))
    return there >= 2
