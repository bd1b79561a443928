"""How many of a list are false: step-up rules for p-values and e-values, and intervals for what was selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


def adjusted_bh(p: Floats) -> Floats:
    """(n,) p-values adjusted for the false share of a list (Benjamini & Hochberg 1995).

    Valid for independent or positively dependent p-values.
    """
    values = np.asarray(p, float)
    if values.size == 0:
        return values
    order = np.argsort(values)
    ranked = values[order] * values.size / np.arange(1, values.size + 1)
    result = np.empty_like(values)
    result[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1)
    return result


def adjusted_holm(p: Floats) -> Floats:
    """(n,) p-values adjusted so that any false one is as rare as promised, under any dependence; NaN is no test.

    Source:
        Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    values = np.asarray(p, float)
    result = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    stepped = values[order] * np.arange(order.size, 0, -1)
    result[order] = np.minimum(np.maximum.accumulate(stepped), 1) if order.size else stepped
    return result


def bh(p: Floats, *, share: float, tests: int | None = None) -> Bools:
    """(n,) which p-values pass at a false share; `tests` counts those not in the list, all at p = 1."""
    values = np.asarray(p, float)
    total = tests or values.size
    ranked = np.sort(values)
    fits = np.flatnonzero(ranked <= share * np.arange(1, values.size + 1) / total)
    if fits.size == 0:
        return np.zeros(values.shape, bool)
    return values <= ranked[fits[-1]]


def calibrated(p: Floats | float) -> Floats:
    """The e-value of a p-value: ∫₀¹ κ p^(κ−1) dκ = (1 − p + p·ln p) / (p·ln² p).

    Its mean is at most 1 wherever p is a p-value, so it may be averaged over dependent tests and used
    in e-BH. 1/2 at p = 1; p = .05 gives 1.8, .001 gives 21, 1e-6 gives 5,200.

    Source:
        Vovk & Wang (2021), Annals of Statistics 49, 1736, eq. 2.2.
    """
    p = np.clip(np.asarray(p, dtype=float), 1e-300, 1.0)
    log_p = np.log(np.minimum(p, 0.999))
    q = np.exp(log_p)
    return (1 - q + q * log_p) / (q * log_p**2)


def e_bh(e: Floats, *, share: float) -> Bools:
    """(n,) which e-values pass at a false share, under any dependence; NaN is no evidence.

    The k largest pass, k the largest number with e₍ₖ₎ ≥ n / (share · k). Also valid for *compound* e-values,
    whose null ones average at most 1.

    Source:
        Wang & Ramdas (2022), "False discovery rate control with e-values".
    """
    with np.errstate(divide="ignore"):
        return bh(1 / np.nan_to_num(np.maximum(np.asarray(e, float), 0), nan=0.0, posinf=np.inf), share=share)


def focused_e_bh(e: Floats, *, share: float, keep: Callable[[Bools], Bools]) -> Bools:
    """(n,) which nodes pass after `keep` has pruned those that say nothing of their own.

    The list that is shown is the pruned one, so its false share is what is held: the largest k whose
    R_k = {e ≥ n / (share · k)} has |keep(R_k)| ≥ k. Pruning after plain e-BH would shorten the list and so
    raise its false share.

    Args:
        keep: From the nodes that pass to those of them that are shown; must not shrink when more pass, as
            "no descendant passes" does not.
    Source:
        Katsevich, Sabatti & Bogomolov (2023), "Filtering the rejection set while preserving false discovery
        rate control", procedure 1, with e-values in the place of p-values.
    """
    values = np.asarray(e, float)
    size = int(e_bh(values, share=share).sum())
    while size > 0:
        shown = keep(values >= values.size / (share * size))
        if shown.sum() >= size:
            return shown
        size = int(shown.sum())
    return np.zeros(values.shape, bool)


def e_by_intervals(
    estimate: Floats, se: Floats, *, selected: int, tests: int, share: float
) -> tuple[Floats, Floats]:
    """Bounds whose share of misses among the selected is at most `share`.

    Each selected one gets an e-confidence interval at level 1 − share · selected / tests: the values m at which
    the e-value of Gaussian likelihood, exp(λ(x − m)/se − λ²/2) averaged over ±λ, stays below tests / (share ·
    selected). λ is the one that makes the interval shortest.

    Source:
        Xu, Wang & Ramdas (2024), "Post-selection inference for e-value based confidence intervals", the e-BY
        procedure.
    """
    level = share * max(selected, 1) / tests
    bet = np.sqrt(2 * np.log(2 / level))
    reach = (np.log(2 / level) + bet * bet / 2) / bet
    return estimate - reach * se, estimate + reach * se
