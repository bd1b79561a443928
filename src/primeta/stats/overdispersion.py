"""How much more counts of what is said vary than independent mentions would: by threads, by shocks, by wandering.

Somebody who speaks of a thing tells several stories at once (threads); a piece of news makes everybody speak of it
for a week (shocks); a share that stays the same over a year still wanders from quarter to quarter. All three belong
to "as often as before", and all three are learnt from the panel's own past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

BLOCK = 13
"""Weeks of a block over which a share is taken to stay where it wandered to."""
_LARGEST = 30.0
_TRIMMED = 0.02
"""Share of candidates left out as being no quiet ones."""
_OWN_WEIGHT = 8.0
"""A candidate's own wandering counts against the panel's as this many blocks do."""
_LEAST_WANDER = 0.02
"""Variance of a share from block to block that is always allowed for: an sd of 14%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Learnt from n candidates."""

    week: float
    """Variance over mean of a week's count around its expectation, ≥ 1."""
    wander: Floats
    """(n,) relative variance of the share from block to block."""


def thread_factor(stories: Ints, mean: Floats, group: Ints, groups: int) -> Floats:
    """How many stories one occasion to speak brings, by owner: variance over mean of weekly counts, 1 to 30.

    Args:
        stories: (N,) the counts that are not zero, of one candidate, owner and week each.
        mean: (N,) what the owner's own share over all weeks leads to expect there.
        group: (N,) owner.
    Returns:
        (groups,) by a ratio of sums, drawn towards the panel's where an owner has few.
    Source:
        Moment estimator of quasi-Poisson dispersion (McCullagh & Nelder 1989, §6.2.4). Cells without a story have
        (0 − mean)² = mean²; their sum is that of all cells less that of those seen and is at most the mean for
        rare candidates, so it is left out: what is left, E x(x − 1) / E x, is too small by less than the mean.
    """
    many = np.minimum(stories, 50).astype(float)
    # pairs beyond what independent mentions at this mean would bring
    extra = many * (many - 1) - mean * many
    top = np.maximum(np.bincount(group, weights=extra, minlength=groups), 0.0)
    bottom = np.bincount(group, weights=many, minlength=groups)
    overall = top.sum() / max(bottom.sum(), 1.0)
    return np.clip(1 + (top + 50 * overall) / (bottom + 50), 1.0, _LARGEST)


def learn_excess(counts: Floats, expected: Floats) -> Excess:
    """Shocks and wandering of n candidates over T past weeks.

    Args:
        counts: (n, T) what was counted, threads already damped.
        expected: (n, T) at a share that stays the same; its sum over the weeks is that of `counts`.
    Source:
        Moments of Poisson counts whose rate is multiplied by a gamma factor of each block (as in Cameron & Trivedi
        2013, §3.3): Var = φ·mean + wander·mean². The candidates that vary most are left out, they may be no quiet ones.
    """
    n, weeks = counts.shape
    nothing = Excess(week=1.0, wander=np.full(n, _LEAST_WANDER))
    if n == 0 or weeks < 4:
        return nothing
    blocks = max(weeks // BLOCK, 2)
    edges: Ints = np.linspace(0, weeks, blocks + 1).astype(np.int64)[:-1]
    total = expected.sum(axis=1)
    known = total >= 3
    if not known.any():
        return nothing
    # around the mean of its own block: wandering from block to block is not a week's noise
    length = np.diff(np.append(edges, weeks))
    in_block = np.add.reduceat(counts, edges, axis=1)
    told = np.add.reduceat(expected, edges, axis=1)
    level = np.repeat(in_block / np.maximum(told, 1e-9), np.asarray(length, np.int64), axis=1)
    fitted = expected * level
    off = np.minimum(np.abs(counts - fitted), 6 * np.sqrt(fitted) + 4)
    noise = np.sum(off**2, axis=1) * weeks / (weeks - blocks)
    week = float(np.clip(_trimmed_ratio(noise[known], total[known]), 1.0, _LARGEST))
    ratio = np.minimum(in_block, 5 * told + 4) - told
    surplus = np.sum(ratio**2, axis=1) * blocks / (blocks - 1) - week * total
    square = np.sum(told**2, axis=1)
    level_of_block = total / blocks
    enough = level_of_block >= 0.5
    own = np.where(enough, surplus / np.maximum(square, 1e-9), np.nan)
    # how much a candidate tells of wandering, beside the noise of its counts
    weight = np.where(enough, (level_of_block / (level_of_block + 2 * week)) ** 2, 0.0)
    pooled = _LEAST_WANDER
    if enough.sum() >= 20:
        kept = enough & (own <= np.nanquantile(own, 1 - _TRIMMED))
        pooled = max(float(np.sum(weight[kept] * own[kept]) / np.sum(weight[kept])), _LEAST_WANDER)
    trust = weight * (blocks - 1)
    own = np.where(enough, np.maximum(own, 0), pooled)
    wander = (trust * own + _OWN_WEIGHT * pooled) / (trust + _OWN_WEIGHT)
    return Excess(week=week, wander=np.clip(np.maximum(wander, pooled), _LEAST_WANDER, 4.0))


def _trimmed_ratio(top: Floats, bottom: Floats) -> float:
    """Sum over sum without the candidates of the largest ratios."""
    ratio = top / bottom
    kept = ratio <= np.quantile(ratio, 1 - _TRIMMED)
    return float(top[kept].sum() / bottom[kept].sum())


def held_out_discount(
    first: Floats, second: Floats, *, volume: tuple[float, float], weight: Floats | None = None
) -> float:
    """By how much one mention overstates the share: what was seen once is seen 1 − discount times in as much again.

    Args:
        first, second: (n,) counts of the candidates in two spans of time.
        volume: Stories of the two spans.
        weight: (n,) how many terms each stands for; None for one.
    Returns:
        Within [−2, .8]; below 0 where candidates were picked for being frequent over the whole time. It is the
        discount of a Pitman–Yor process, whose predictive share after n mentions is (n − discount) / volume.
    Source:
        Good (1953); held-out estimation after Jelinek & Mercer (1985); Pitman & Yor (1997) for the form.
    """
    once = (first > 0) & (first < 1.5)
    if volume[0] <= 0 or volume[1] <= 0:
        return 0.0
    again = np.minimum(second[once], 10 * volume[1] / volume[0]) * volume[0] / volume[1]
    # twenty candidates' worth of "no discount" where few are known
    stands = np.ones(again.size) if weight is None else weight[once]
    return float(np.clip(1 - (stands @ again + 20) / (stands.sum() + 20), -2.0, 0.8))
