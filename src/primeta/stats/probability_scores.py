"""How good foretold probabilities are: log score, Brier score, calibration line, ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.stats.penalised_logit import fit_logit

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

LEAST = 1e-6


def log_scores(chance: Floats, outcome: Floats) -> Floats:
    """(n,) log of the probability given to what happened; higher is better."""
    kept = np.clip(chance, LEAST, 1 - LEAST)
    return np.where(outcome > 0.5, np.log(kept), np.log1p(-kept))


def brier_scores(chance: Floats, outcome: Floats) -> Floats:
    """(n,) squared errors; lower is better."""
    return np.square(chance - outcome)


def calibration_line(chance: Floats, outcome: Floats) -> tuple[float, float]:
    """Intercept and slope of outcome's log-odds on the foretold log-odds; (0, 1) is right. NaN with one outcome only.

    Source: Cox (1958), "Two further applications of a model for binary regression".
    """
    if len(outcome) == 0 or outcome.min() == outcome.max():
        return float("nan"), float("nan")
    kept = np.clip(chance, LEAST, 1 - LEAST)
    columns = np.column_stack([np.ones(len(kept)), np.log(kept / (1 - kept))])
    found, _ = fit_logit(
        columns, outcome.astype(float), prior_mean=np.array([0.0, 1.0]), prior_sd=np.array([100.0, 100.0])
    )
    return float(found[0]), float(found[1])


def area_under_curve(score: Floats, outcome: Floats) -> float:
    """Probability that one that happened ranks above one that did not, ties half; NaN with one outcome only."""
    from scipy.stats import rankdata

    happened = outcome > 0.5
    many, few = int((~happened).sum()), int(happened.sum())
    if not many or not few:
        return float("nan")
    rank = rankdata(score)
    return float((rank[happened].sum() - few * (few + 1) / 2) / (few * many))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Mean of paired differences with its standard error, rows of one cluster together."""

    mean: float
    error: float

    @property
    def clear(self) -> bool:
        """Above 0 by more than its standard error."""
        return bool(self.mean > self.error)


def clustered_difference(difference: Floats, cluster: Ints) -> Difference:
    """Of n paired differences in clusters (n,)."""
    n = len(difference)
    if n == 0:
        return Difference(mean=float("nan"), error=float("nan"))
    mean = float(difference.mean())
    sums = np.bincount(np.unique(cluster, return_inverse=True)[1], weights=difference - mean)
    groups = len(sums)
    if groups < 2:
        return Difference(mean=mean, error=float("nan"))
    return Difference(mean=mean, error=float(np.sqrt(np.square(sums).sum() * groups / (groups - 1)) / n))
