"""How surely a customer no longer looks: log-odds of a long silence, set off against what is usual of him.

Blindness itself is never seen, a long silence is. Its probability is learnt from the log: a regression of "nothing of
the next 20 touches is welcomed" on what is known at a touch. Customers who hardly ever answer have it high from the
beginning, so half of what it was when this silence began is taken off, and a little of the filter's own opinion added.

All figures are those just after the last event before a touch, so that a score does not change while nothing happens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.credit_features import DROVE, LONG, WELCOMED, Known
from primeta.stats.attention_interval import logit
from primeta.stats.decayed import MEMORIES

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

ALARM_NAMES = (
    "level",
    "log-odds of blindness",
    "log-odds at rest",
    "unanswered",
    "welcomed 120",
    "sent 120",
    "touches",
)
PRIOR_ALARM = (0.0, 0.8, -0.25, 0.0, 0.0, 0.0, 0.0)
"""Before a log is known: the filter's opinion alone."""
USUAL_WEIGHT = 0.5
"""Of what the score was at the beginning of the silence: 1 would look for change alone, 0 for silence alone."""
BLIND_WEIGHT = 0.2
LONG_SILENCES = (20, 10, 5)
"""Touches of a silence that is learnt; the first that the log holds often enough."""


def alarm_columns(known: Known, *, blind: Floats, hope: Floats, gap: Floats) -> Floats:
    """(n, 7) of `ALARM_NAMES`.

    Args:
        known: just before each touch.
        blind, hope: (n,) `stood_blind`, `stood_hope` of the filter.
        gap: (n,) days since the last event.
    """
    back = np.exp(gap / MEMORIES[LONG])
    return np.column_stack(
        [
            np.ones(len(blind)),
            logit(blind),
            logit(hope),
            np.log1p(known.unanswered),
            np.log1p(known.own[:, WELCOMED:DROVE, LONG].sum(axis=1) * back),
            np.log1p(known.own[:, :WELCOMED, LONG].sum(axis=1) * back),
            np.log1p(known.earlier),
        ]
    )


def alarm_scores(columns: Floats, unanswered: Ints, alarm: Floats) -> Floats:
    """(n,) score of each touch, the highest since the last welcome; sequence after sequence.

    Args:
        columns: of `alarm_columns`.
        unanswered: (n,) touches since the last welcome; 0 begins a silence.
        alarm: (7,) coefficients.
    """
    silence = columns @ alarm
    begun = np.maximum.accumulate(np.where(unanswered == 0, np.arange(len(silence)), 0))
    score = silence - USUAL_WEIGHT * silence[begun] + BLIND_WEIGHT * columns[:, 1]
    return peaks_since_welcome(score, unanswered)


def peaks_since_welcome(score: Floats, unanswered: Ints) -> Floats:
    """(n,) the highest score since the last welcome: one alarm for one silence, without flicker.

    Args:
        unanswered: (n,) touches since the last welcome, known before each touch, sequence after sequence.
    """
    if not len(score):
        return score
    # each silence lies above the one before, so that one running maximum serves all
    apart = (float(score.max() - score.min()) + 1.0) * np.cumsum(unanswered == 0)
    return np.maximum.accumulate(score + apart) - apart


def silent_next(welcomed: Floats, sequence: Ints, touches: int) -> Ints:
    """(n,) 1 where this touch and the following ones, so many in all, were not welcomed; −1 where there are fewer."""
    n = len(sequence)
    total = np.concatenate([[0], np.cumsum(np.isfinite(welcomed))])
    index = np.arange(n)
    last = np.minimum(index + touches, n)
    whole = (index + touches <= n) & (sequence[last - 1] == sequence)
    return np.where(whole, total[last] == total[index], -1)
