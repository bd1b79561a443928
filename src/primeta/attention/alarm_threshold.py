"""From which score the blindness alarm goes off: as low as false alarms allow, by what the log shows of them.

Whether an alarm was false is never seen, but part of the false ones show themselves: something is welcomed within the next
touches. Who still looks at a fifth of his usual rate p shows it within k touches with 1 − (1 − p/5)^k, so the alarms that were
shown to be false, divided by that, are all of them, or more where people look as usual. Whoever looks still less is called
blind.

The threshold keeps an upper bound of that number within what is allowed. Where the log is too short for a bound, or the
filter thinks that there are fewer, the filter is believed as far as the number itself, without its bound, allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.credit_features import DROVE, LONG, WELCOMED, Known
from primeta.attention.credit_model import NEVER_TUNED
from primeta.attention.outcomes import TouchLog

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]

FALSE_PER_TOUCH = 0.05 / 100
"""False alarms allowed per touch of those who look: 5% per 100 touches."""
FALSE_BY_FILTER = 0.035 / 100
"""Where only the filter's opinion is asked, which may be somewhat wrong."""
FOLLOWED = 20
"""Touches after an alarm within which a welcome shows that it was false."""
STILL_LOOKS = 0.2
"""Share of his usual rate below which a customer is said not to look."""
SURE = 0.8
"""One-sided confidence of the bound."""
PRIOR_TOUCHES = 5.0
"""Of the base's rate in a customer's own."""
THRESHOLDS = 1 - np.geomspace(0.5, 1e-4, 150)
"""Quantiles of the score that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """What came of each touch if an alarm goes off there; all (n,)."""

    shown: Flags
    """Something was welcomed of it or of the touches that follow, `FOLLOWED` in all."""
    share: Floats
    """Chance of that where the customer still looks, at a fifth of his usual rate."""


def followed(log: TouchLog, known: Known) -> Followed:
    """What shows of the alarms of a log.

    His usual rate is that before the silence, of touches and welcomes that fade with 120 days.

    Args:
        known: just before each touch.
    """
    n = log.touches
    index = np.arange(n)
    begun = index - known.unanswered
    glad = known.own[:, WELCOMED:DROVE, LONG].sum(axis=1)
    sent = known.own[:, :WELCOMED, LONG].sum(axis=1)
    base = float(log.good[log.closed].mean()) if log.closed.any() else 0.0
    usual = np.minimum((glad + PRIOR_TOUCHES * base) / (sent + PRIOR_TOUCHES), 1.0)[begun]
    sequence = log.sequence
    end = np.minimum(index + FOLLOWED, np.searchsorted(sequence, sequence, side="right"))
    total = np.concatenate([[0], np.cumsum(np.isfinite(log.welcomed))])
    return Followed(shown=total[end] > total[index], share=1 - np.power(1 - STILL_LOOKS * usual, end - index))


def threshold_by_signs(
    score: Floats,
    followed: Followed,
    blind: Floats,
    starts: Flags,
    *,
    sure: float | None = SURE,
    false_per_touch: float = FALSE_PER_TOUCH,
) -> float:
    """The lowest threshold with so few false alarms as far as they show; infinite where there is none.

    Those who look have the touches below the threshold, or fewer where the filter thinks so.

    Args:
        score: (n,) of customers who had no part in its coefficients.
        blind: (n,) probability of blindness by the filter.
        starts: (n,) the first touch of each sequence.
        sure: of an upper bound of a Poisson count (Garwood 1936); None: without bound.
    """
    from scipy.special import gammaincinv

    seeing = float((1 - blind).sum())
    before = _before(score, starts)
    for threshold in np.unique(np.quantile(score, THRESHOLDS)).tolist() if len(score) else ():
        crossed = (score >= threshold) & (before < threshold)
        alarms, shown = int(crossed.sum()), float(followed.shown[crossed].sum())
        most = shown if sure is None else float(gammaincinv(shown + 1, sure))
        share = float(followed.share[crossed].mean()) if alarms else 0.0
        allowed = false_per_touch * min(seeing, float((score < threshold).sum()))
        if min(most / share if share > 0 else np.inf, alarms) <= allowed:
            return float(threshold)
    return float("inf")


def threshold_by_filter(
    score: Floats, blind: Floats, starts: Flags, *, false_per_touch: float = FALSE_BY_FILTER
) -> float:
    """The lowest threshold with so few false alarms in the filter's opinion, the highest score where none has.

    Args:
        score: (n,) of `alarm_score.alarm_scores`, sequence after sequence.
        blind: (n,) probability of blindness: an alarm there is false with 1 − blind.
        starts: (n,) the first touch of each sequence.
    """
    if not len(score):
        return NEVER_TUNED
    seeing = float((1 - blind).sum())
    before = _before(score, starts)
    for threshold in np.unique(np.quantile(score, 1 - np.geomspace(0.5, 1e-5, 300))).tolist():
        crossed = (score >= threshold) & (before < threshold)
        if float((1 - blind[crossed]).sum()) <= false_per_touch * seeing:
            return float(threshold)
    return float(score.max())


def threshold_of(score: Floats, followed: Followed, blind: Floats, starts: Flags) -> float:
    """The threshold by both: that of the signs with their bound, or the filter's where it is lower and the signs bear it."""
    bounded = threshold_by_signs(score, followed, blind, starts)
    lower = min(bounded, threshold_by_filter(score, blind, starts))
    borne = threshold_by_signs(score, followed, blind, starts, sure=None)
    return max(lower, borne) if np.isfinite(borne) else lower


def _before(score: Floats, starts: Flags) -> Floats:
    """An alarm is a crossing from below: (n,) the score of the touch before, −∞ at the first."""
    return np.where(starts, -np.inf, np.concatenate([[-np.inf], score[:-1]])) if len(score) else score
