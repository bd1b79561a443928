"""The two simple ways that the credit model must beat: counts over 1, 7 and 30 days, and a fading Beta-Binomial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log1p
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.credit_features import COUNT_WINDOWS
from primeta.attention.outcomes import TouchLog
from primeta.stats.discounted_beta import beta_mean, discounted_counts, fit_discounted_beta
from primeta.stats.penalised_logit import fit_logit

Floats = npt.NDArray[np.floating[Any]]


def windows_before(log: TouchLog) -> Floats:
    """(n, 6): touches sent, and welcomes known, on this channel in the 1, 7 and 30 days before each touch."""
    n = log.touches
    found = np.zeros((n, 2 * len(COUNT_WINDOWS)))
    if not n:
        return found
    sequence = log.sequence
    # one line of time per sequence: far enough from the next for any window
    span = float(log.sent.max() - log.sent.min()) + 100.0
    line = sequence * span + (log.sent - log.sent.min())
    happy = np.isfinite(log.welcomed) & (log.sent + np.nan_to_num(log.welcomed) <= log.until)
    joy = np.sort(line[happy] + log.welcomed[happy])
    sent = np.cumsum(log.real) - log.real
    sent_before = np.append(sent, log.real.sum())
    for place, days in enumerate(COUNT_WINDOWS):
        found[:, place] = sent - sent_before[np.searchsorted(line, line - days)]
        found[:, 3 + place] = np.searchsorted(joy, line, side="right") - np.searchsorted(joy, line - days)
    return found


def count_columns(log: TouchLog, windows: Floats) -> Floats:
    """(n, 10) of the counts baseline."""
    purposes = [log.purpose == code for code in (0, 2, 3)]
    return np.column_stack([np.ones(log.touches), *purposes, np.log1p(windows)]).astype(np.float64)


def count_row(purpose: int, sent: tuple[int, ...], welcomed: tuple[int, ...]) -> Floats:
    return np.array(
        [
            1.0,
            purpose == 0,
            purpose == 2,
            purpose == 3,
            *(log1p(k) for k in sent),
            *(log1p(k) for k in welcomed),
        ]
    )


def beta_columns(log: TouchLog, mean: Floats) -> Floats:
    """(n, 5): its mean on the log-odds scale, and purposes, so that the rival knows as much of the message."""
    kept = np.clip(mean, 1e-6, 1 - 1e-6)
    purposes = [log.purpose == code for code in (0, 2, 3)]
    return np.column_stack([np.ones(log.touches), np.log(kept / (1 - kept)), *purposes]).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baselines:
    """Both, fitted, each for welcome and for driving away."""

    counts_welcome: Floats
    """(10,)"""
    counts_drive: Floats
    beta_memory: float
    """Days."""
    beta_share: float
    beta_strength: float
    beta_welcome: Floats
    """(5,) of `beta_columns`."""
    beta_drive: Floats
    """(5,): it ranks opt-outs by its mean of welcome and the purpose."""
    counts_concentration: float = 10.0
    """How near the true probability lies to that of the counts, as the sum of a Beta's parameters."""
    beta_concentration: float = 10.0

    def as_dict(self) -> dict[str, Any]:
        return {
            name: (value.tolist() if isinstance(value, np.ndarray) else value)
            for name in self.__slots__
            for value in (getattr(self, name),)
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Baselines:
        numbers: dict[str, Any] = {
            name: (np.array(value, dtype=float) if isinstance(value, list) else value)
            for name, value in kept.items()
        }
        return cls(**numbers)


def _sds(size: int) -> tuple[Floats, Floats]:
    mean = np.zeros(size)
    sd = np.full(size, 2.0)
    sd[0] = 10.0
    return mean, sd


def fit_baselines(log: TouchLog, rows: npt.NDArray[np.bool_]) -> Baselines:
    """By the outcomes of the touches `rows` (n,), whose 72 hours must be over."""
    good, drove = log.good[rows].astype(float), np.isfinite(log.drove)[rows].astype(float)
    counts = count_columns(log, windows_before(log))[rows]
    mean, sd = _sds(counts.shape[1])
    counts_welcome, _ = fit_logit(counts, good, prior_mean=mean, prior_sd=sd)
    counts_drive, _ = fit_logit(counts, drove, prior_mean=mean, prior_sd=sd)
    memory, share, strength = fit_discounted_beta(
        log.sequence, log.sent, log.welcomed, until=log.until, scored=rows
    )
    fading = discounted_counts(
        log.sequence, log.sent, log.welcomed, memory=memory, until=log.until, asked=log.asked
    )
    beta = beta_columns(log, beta_mean(*fading, share=share, strength=strength))[rows]
    mean, sd = _sds(beta.shape[1])
    mean[1] = 1.0
    beta_welcome, _ = fit_logit(beta, good, prior_mean=mean, prior_sd=sd)
    mean[1] = 0.0
    beta_drive, _ = fit_logit(beta, drove, prior_mean=mean, prior_sd=sd)
    fitted = Baselines(
        counts_welcome=counts_welcome,
        counts_drive=counts_drive,
        beta_memory=memory,
        beta_share=share,
        beta_strength=strength,
        beta_welcome=beta_welcome,
        beta_drive=beta_drive,
    )
    return replace(
        fitted,
        counts_concentration=concentration_of(log, foretold_by_counts(fitted, log).good),
        beta_concentration=concentration_of(log, foretold_by_beta(fitted, log).good),
    )


def concentration_of(log: TouchLog, chance: Floats) -> float:
    """How near true probabilities lie to the foretold, as the sum of the parameters of a Beta around them.

    From the mean product of the errors of two touches in a row, both foretold before the first.
    """
    sequence = log.sequence
    settled = log.closed
    pairs = np.flatnonzero((sequence[1:] == sequence[:-1]) & settled[1:] & settled[:-1])
    if len(pairs) < 200:
        return 10.0
    first = chance[pairs]
    shared = float(((log.good[pairs] - first) * (log.good[pairs + 1] - first)).sum())
    share = shared / max(float((first * (1 - first)).sum()), 1e-12)
    return float(np.clip(1 / max(share, 1e-6) - 1, 1.0, 500.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """By one rival, for each touch (n,): welcomed and not driven away; driven away."""

    good: Floats
    drive: Floats


def foretold_by_counts(baselines: Baselines, log: TouchLog) -> Foretold:
    columns = count_columns(log, windows_before(log))
    return Foretold(
        good=_chance(columns @ baselines.counts_welcome), drive=_chance(columns @ baselines.counts_drive)
    )


def foretold_by_beta(baselines: Baselines, log: TouchLog) -> Foretold:
    fading = discounted_counts(
        log.sequence, log.sent, log.welcomed, memory=baselines.beta_memory, until=log.until, asked=log.asked
    )
    mean = beta_mean(*fading, share=baselines.beta_share, strength=baselines.beta_strength)
    columns = beta_columns(log, mean)
    return Foretold(
        good=_chance(columns @ baselines.beta_welcome), drive=_chance(columns @ baselines.beta_drive)
    )


def _chance(eta: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(eta, -35, 35)))
