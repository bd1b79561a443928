"""A Beta-Binomial whose memory fades: the simple rival of the attention filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.attention_filter import LAST_DAYS, step_major

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


def discounted_counts(
    sequence: Ints,
    sent: Floats,
    welcomed: Floats,
    *,
    memory: float,
    until: float,
    asked: npt.NDArray[np.bool_] | None = None,
) -> tuple[Floats, Floats]:
    """Fading numbers of welcomes and of silences known just before each touch.

    Args:
        sequence: (n,) ascending; within one, touches stand in the order of time.
        sent, welcomed: (n,) days; days after, NaN where it was not.
        memory: Days after which an outcome counts 1/e.
        asked: (n,) rows that are only asked about and have no outcome.
    Returns:
        (n,), (n,).
    """
    n = len(sent)
    if not n:
        return np.zeros(0), np.zeros(0)
    hit = np.isfinite(welcomed)
    delay = np.where(hit, np.nan_to_num(welcomed), LAST_DAYS)
    known = sent + delay <= until
    if asked is not None and len(asked):
        known &= ~asked
    which = np.concatenate([np.arange(n), np.flatnonzero(known)])
    told = np.concatenate([np.zeros(n, dtype=bool), np.ones(int(known.sum()), dtype=bool)])
    when = np.concatenate([sent, (sent + delay)[known]])
    turn = np.where(told, np.where(hit[which], 0, 2), 5)
    group = sequence[which]
    order = np.lexsort((which, turn, when, group))
    which, when, told, group = which[order], when[order], told[order], group[order]
    place, bounds, _ = step_major(group)
    state = np.zeros((int(bounds[1]), 2))
    last = np.zeros(len(state))
    found = np.zeros((n, 2))
    for step in range(len(bounds) - 1):
        rows = place[bounds[step] : bounds[step + 1]]
        active = len(rows)
        if step:
            state[:active] *= np.exp(-np.maximum(when[rows] - last[:active], 0.0) / memory)[:, None]
        last[:active] = when[rows]
        asked = ~told[rows]
        found[which[rows[asked]]] = state[:active][asked]
        heard = np.flatnonzero(told[rows])
        state[heard, np.where(hit[which[rows[heard]]], 0, 1)] += 1.0
    return found[:, 0], found[:, 1]


def beta_mean(welcomes: Floats, silences: Floats, *, share: float, strength: float) -> Floats:
    """(n,) posterior mean with a prior of `strength` outcomes at `share`."""
    return (welcomes + share * strength) / (welcomes + silences + strength)


MEMORIES_TRIED = (10.0, 30.0, 90.0, 300.0)
STRENGTHS_TRIED = (1.0, 3.0, 8.0, 20.0)


def fit_discounted_beta(
    sequence: Ints, sent: Floats, welcomed: Floats, *, until: float, scored: npt.NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Memory (days), share and strength with the best one-step-ahead log score on `scored` touches (n,)."""
    outcome = np.isfinite(welcomed)
    share = float((outcome[scored].sum() + 1) / (scored.sum() + 20))
    best = (-np.inf, MEMORIES_TRIED[2], STRENGTHS_TRIED[1])
    for memory in MEMORIES_TRIED:
        welcomes, silences = discounted_counts(sequence, sent, welcomed, memory=memory, until=until)
        for strength in STRENGTHS_TRIED:
            chance = np.clip(
                beta_mean(welcomes[scored], silences[scored], share=share, strength=strength), 1e-6, 1 - 1e-6
            )
            value = float(np.where(outcome[scored], np.log(chance), np.log1p(-chance)).sum())
            if value > best[0]:
                best = (value, memory, strength)
    return best[1], share, best[2]
