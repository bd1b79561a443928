"""Evidence that a level has shifted, at any week of a promised year: a mixture e-process."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
EFFECTS = (0.6, 1.2)
"""Sizes of the bets, in long-run sd: small ones lose little on large changes and cannot be won by a glitch."""
CLIP = 2.75
"""A week's prediction error counts up to so many sd."""
DRIFT_CAP = 1.25


class ScoreLaw:
    """Log moment generating function of clipped, standardised prediction errors, symmetrised.

    From errors pooled over a panel's baselines; never below the normal's with the same variance.
    """

    def __init__(self, scores: Floats, *, largest: float = max(EFFECTS) * DRIFT_CAP):
        self._grid = np.linspace(0, largest, 61)
        sample = scores.ravel()
        self.variance = float(np.mean(sample * sample))
        moments = np.array([np.mean(np.cosh(a * sample)) for a in self._grid])
        self._log_mgf = np.log(moments)

    def log_mgf(self, bet: Floats) -> Floats:
        """log E exp(bet · score), elementwise; `bet` within the largest given at the start."""
        return np.interp(np.abs(bet), self._grid, self._log_mgf)


def mixture_log_evidence(scores: Floats, drift: Floats, *, law: ScoreLaw) -> tuple[Floats, Floats]:
    """Log evidence for a shift up and for a shift down, week by week.

    For each start τ and effect λ the product over weeks t ≥ τ of exp(λ d(τ,t) s(t)) / E exp(λ d(τ,t) s) is a
    test martingale under "no change"; so is their mixture with start weights 1/P and equal effect weights: it
    ever exceeds 1/α with probability at most α (Ville). Before τ a component is worth 1.

    Args:
        scores: (n, W) clipped standardised prediction errors of the promise weeks seen so far, W ≤ P.
        drift: (P, P) from `baseline.drift`; any predictable weights are valid, these are the powerful ones.
    Returns:
        Two (n, W) arrays.
    Source:
        Shin, Ramdas & Rinaldo (2022), "E-detectors", with start weights that sum to one.
    """
    count, seen = scores.shape
    promise = drift.shape[0]
    up = np.zeros((count, seen), dtype=np.float32)
    down = np.zeros((count, seen), dtype=np.float32)
    share = np.float32(1 / (promise * len(EFFECTS)))
    narrow = scores.astype(np.float32, copy=False)
    for start in range(seen):
        weights = np.clip(drift[start, start:seen], 0, DRIFT_CAP)
        total = np.cumsum(narrow[:, start:] * weights.astype(np.float32), axis=1)
        for effect in EFFECTS:
            cost = np.cumsum(law.log_mgf(effect * weights)).astype(np.float32)
            stake = np.float32(effect) * total
            up[:, start:] += share * np.exp(np.minimum(stake - cost, 80))
            down[:, start:] += share * np.exp(np.minimum(-stake - cost, 80))
    # components that have not started yet are worth 1 each
    waiting = (promise - 1 - np.arange(seen, dtype=np.float32)) / promise
    return np.log(up + waiting), np.log(down + waiting)


def probable_start(scores: Floats, drift: Floats) -> int:
    """The middle of where a shift up began: median of the starts' profile likelihoods after `scores` (W,).

    With start τ and the best size for it the log likelihood gains (Σ d·s)² / (2 Σ d²). The bets of the mixture
    are smaller than most changes that are found and would place the start too early.
    """
    gains = np.zeros(scores.size)
    for start in range(scores.size):
        weights = np.clip(drift[start, start : scores.size], 0, DRIFT_CAP)
        gains[start] = max(float(scores[start:] @ weights), 0.0) ** 2 / (2 * float(weights @ weights))
    share = np.exp(gains - gains.max()).cumsum()
    return int(np.searchsorted(share, share[-1] / 2))
