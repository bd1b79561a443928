"""Evidence that something is said more often than before: a gamma–Poisson mixture e-process with capped weeks.

For one candidate let `counts` be its stories week by week and `expected` what each owner's own share leads to expect.
Null: counts are Poisson with mean ψ·expected and one ψ for good, about which the past says Gamma(a, b). From a start
s on, the alternative draws a new ψ around r times the old one. Both marginals are closed forms of sums over s … t:

    log m(Y, E | a, b) = lnΓ(a + Y) − lnΓ(a) + a ln b − (a + Y) ln(b + E)          (negative binomial)

Their ratio, mixed over r, is a test martingale in t under the null (ψ integrated over what the past says, which
makes it a *compound* e-value over candidates: Ignatiadis, Wang & Ramdas 2024); so is the mixture over starts with
weights 1/promise. Each week may multiply it by at most exp(cap), so no echo of one week, however loud, weighs more
(in the spirit of Huber 1965; Saha & Ramdas 2024 for e-processes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, gammaln

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
RISES = (2.0, 4.0, 16.0, 64.0, 256.0)
"""How many times the share before; small ones for what is common, large ones for what is new."""
SPREAD = 1.5
"""Shape of the gamma law around each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """n candidates over T weeks of the promise."""

    log_e: Floats
    """(n, T) logarithm of the e-process as it stands each week; its running maximum must be `looked_often`."""
    onset: Ints
    """(n,) week of the most probable start, as told when the evidence was greatest."""


def log_marginal(counts: Floats, expected: Floats, shape: Floats, rate: Floats) -> Floats:
    """log m(Y, E | a, b) without the terms that null and alternative share; elementwise."""
    return (
        gammaln(shape + counts)
        - gammaln(shape)
        + shape * np.log(rate)
        - (shape + counts) * np.log(rate + expected)
    )


def log_ratio(counts: Floats, expected: Floats, shape: Floats, rate: Floats) -> Floats:
    """Logarithm of "raised" against "as before" for sums of counts and expectations; elementwise.

    Args:
        shape, rate: Gamma law of ψ before.
    """
    before = log_marginal(counts, expected, shape, rate)
    rises = gammaln(SPREAD + counts) - gammaln(SPREAD)
    best = np.full(np.shape(before), -np.inf)
    for rise in RISES:
        narrow = SPREAD * rate / (rise * shape)
        one = SPREAD * np.log(narrow) - (SPREAD + counts) * np.log(narrow + expected)
        best = np.logaddexp(best, one)
    return rises + best - np.log(len(RISES)) - before


def raised_evidence(
    counts: Floats,
    expected: Floats,
    *,
    shape: Floats,
    most: Floats,
    first: Ints,
    new: Bools,
    promise: int,
    cap: float,
) -> Evidence:
    """The e-process of n candidates over the T ≤ promise weeks seen.

    Args:
        counts, expected: (n, T); weeks before `first` are not looked at.
        shape: (n,) mentions that the past's share rests on, above 0.
        most: (n,) no past is taken to say more than that many mentions do (1 / wander).
        first: (n,) first week of the promise that may count: the one after the first mention of something new.
        new: (n,) spoken of for the first time in the week before `first`: half of the start weights lie there.
        cap: Largest gain of a week, in natural logarithms.
    """
    n, weeks = counts.shape
    weights = np.full((n, weeks), 1 / promise)
    fresh = np.flatnonzero(new & (first < weeks))
    weights[fresh] /= 2
    weights[fresh, first[fresh]] += 0.5
    order = np.arange(weeks)
    allowed = order[None, :] >= first[:, None]
    seen, told = np.where(allowed, counts, 0.0), np.where(allowed, expected, 0.0)
    so_far = np.concatenate([np.zeros((n, 1)), np.cumsum(seen, axis=1)], axis=1)
    by_now = np.concatenate([np.zeros((n, 1)), np.cumsum(told, axis=1)], axis=1)
    started = np.full((n, weeks, weeks), -np.inf, dtype=np.float32)
    for start in range(weeks):
        rows = np.flatnonzero((first < start) & (seen[:, start] > 0) | (first == start))
        if rows.size == 0:
            continue
        sums = so_far[rows, start + 1 :] - so_far[rows, start, None]
        means = by_now[rows, start + 1 :] - by_now[rows, start, None]
        known = shape[rows] + so_far[rows, start]
        trust = np.minimum(1.0, most[rows] / known)
        a = trust * known
        b = trust * (shape[rows] + by_now[rows, start])
        total = log_ratio(sums, means, a[:, None], b[:, None])
        alone = log_ratio(seen[rows, start:], told[rows, start:], a[:, None], b[:, None])
        started[rows, start, start:] = _capped(total, alone, cap) + np.log(weights[rows, start, None])
    top = np.max(started, axis=1, initial=0.0)
    mixed = np.exp(started - top[:, None, :]).sum(axis=1)
    # Starts that have not come, or were not allowed, bet nothing and stay at 1. Those that open with a week of silence
    # are worth something below 1 and are given up: that only lowers the evidence.
    idle = 1 - np.cumsum(np.where(allowed, weights, 0.0), axis=1)
    log_e = top + np.log(mixed + np.maximum(idle, 1e-12) * np.exp(-top))
    # where it began is told by what the weeks say in full: capped gains would place it too early
    peak = np.argmax(log_e, axis=1)
    rows = np.arange(n)
    sums = so_far[rows, peak + 1][:, None] - so_far[:, :-1]
    means = by_now[rows, peak + 1][:, None] - by_now[:, :-1]
    known = shape[:, None] + so_far[:, :-1]
    trust = np.minimum(1.0, most[:, None] / known)
    may = np.isfinite(started[:, order, order]) & (order[None, :] <= peak[:, None])
    said = log_ratio(
        np.maximum(sums, 0), np.maximum(means, 0), trust * known, trust * (shape[:, None] + by_now[:, :-1])
    )
    return Evidence(log_e=log_e, onset=np.argmax(np.where(may, said + np.log(weights), -np.inf), axis=1))


def _capped(total: Floats, alone: Floats, cap: float) -> Floats:
    """(n, T) log evidence that a week raises by at most `cap`, never above `total`.

    What a loud week was denied is handed out in later weeks, as far as these speak for it by themselves (`alone`). It
    stays below `total` everywhere, so it is worth no more than the martingale; and T weeks bring at most T · cap.
    """
    result = np.empty_like(total)
    now, before = np.zeros(total.shape[0]), np.zeros(total.shape[0])
    for week in range(total.shape[1]):
        late = np.minimum(total[:, week] - now, alone[:, week])
        now = now + np.minimum(np.maximum(total[:, week] - before, late), cap)
        before = total[:, week]
        result[:, week] = now
    return result


def looked_often(log_e: Floats) -> Floats:
    """Logarithm of the e-value that a running maximum is worth: log ((M − 1 − ln M) / ln² M).

    Source:
        Shafer, Shen, Vereshchagin & Vovk (2011), "Test martingales, Bayes factors and p-values", the calibrator of
        Vovk & Wang (2021), eq. 2.2, at p = 1/M.
    """
    height = np.maximum(np.asarray(log_e, float), 1e-3)
    return height + np.log1p(-(1 + height) * np.exp(-height)) - 2 * np.log(height)


def share_interval(count: Floats, expected: Floats, *, level: float) -> tuple[Floats, Floats]:
    """Bounds of count/expected at which a Poisson count of that mean would still be seen (Garwood 1936)."""
    tail = (1 - level) / 2
    low = np.where(count > 0, gammaincinv(np.maximum(count, 1e-9), tail), 0.0)
    high = gammaincinv(count + 1, 1 - tail)
    with np.errstate(divide="ignore", invalid="ignore"):
        return low / expected, high / expected


def turned_evidence(counts: Floats, expected: Floats, *, rise: float, horizon: int = 104) -> float:
    """E-value now against "at least half of the rise is still there", for weeks after first sight.

    Args:
        counts: (T,).
        expected: (T,) at the share before.
        rise: Share since the onset over the share before, frozen at first sight; above 1.
    Returns:
        Mixture over starts with weights 1/horizon of ∏ Poisson(y; expected) / Poisson(y; expected · half-way). For
        any share above half-way the expectation is at most 1, the ratio falls in y. Once it reaches 20 it stays.
    """
    half = (1 + max(rise, 1.0)) / 2
    weeks = counts.size
    if weeks == 0 or half <= 1.0:
        return 1.0
    gains = counts * -np.log(half) + expected * (half - 1)
    total = np.concatenate([[0.0], np.cumsum(np.clip(gains, None, 5.0))])
    span = max(horizon, weeks)
    e = [
        (np.exp(np.minimum(total[now] - total[:now], 300)).sum() + span - now) / span
        for now in range(1, weeks + 1)
    ]
    ever = float(max(e))
    return ever if ever >= 20 else float(e[-1])
