"""Blindness seen early: of a customer, by the probability that he no longer looks; of a segment, by evidence.

The customer's alarm goes off where the odds of a long silence, set off against what is usual of him (`alarm_score`), cross
a threshold that is learnt from the log (`alarm_threshold`). A segment's alarm is a bet against "it welcomes as much as it did": weekly deficits against its own first weeks, purpose by purpose
and channel by channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log as ln
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.credit_model import CreditModel, Foreseen, foresee, parts_of
from primeta.attention.credit_rest import rest_days
from primeta.attention.credit_words import tell
from primeta.attention.outcomes import TouchLog, days_of, time_of, with_asked
from primeta.show import locale
from primeta.stats.eprocess import CLIP, ScoreLaw, mixture_log_evidence

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


def first_of_sequence(log: TouchLog) -> npt.NDArray[np.bool_]:
    sequence = log.sequence
    return (
        np.concatenate([[True], sequence[1:] != sequence[:-1]]) if len(sequence) else np.zeros(0, dtype=bool)
    )


def with_probe(log: TouchLog, at: float) -> tuple[TouchLog, Ints]:
    """The log as known at the day `at`, asking there for the credit of each customer on each of his channels.

    Returns:
        The log, and where the asking rows stand in it, in the order of customer and channel.
    """
    known = log.before(at)
    start = np.flatnonzero(first_of_sequence(known))
    return with_asked(
        known, customer=known.customer[start], channel=known.channel[start], at=np.full(len(start), at)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseCredit:
    """Credit of everybody at one time, one row for each customer and channel; all (m,)."""

    customer: Ints
    """Index into the log's customers."""
    channel: Ints
    credit: Foreseen
    gone: npt.NDArray[np.bool_]
    """Driven away on this channel and not heard of since."""
    unanswered: Ints
    """Touches since the last welcome."""
    silent_since: Floats
    """Day of the first of them, NaN where there is none."""


def credits_at(model: CreditModel, log: TouchLog, at: datetime, *, intervals: bool = True) -> BaseCredit:
    """Credit for the next useful touch of every customer on every channel on which he has been written to."""
    day = days_of(at)
    parts: list[BaseCredit] = []
    offset = 0
    for part in parts_of(log):
        probed, rows = with_probe(part, day)
        if len(rows):
            told = foresee(model, probed, intervals=intervals)
            parts.append(_of_part(probed, rows, told, offset))
        offset += len(part.customers)
    if not parts:
        nothing = np.zeros(0)
        return BaseCredit(
            customer=np.zeros(0, dtype=np.int64),
            channel=np.zeros(0, dtype=np.int64),
            credit=Foreseen(**dict.fromkeys(Foreseen.__slots__, nothing)),
            gone=np.zeros(0, dtype=bool),
            unanswered=np.zeros(0, dtype=np.int64),
            silent_since=nothing,
        )
    credit = Foreseen(
        **{
            name: np.concatenate([getattr(part.credit, name) for part in parts])
            for name in Foreseen.__slots__
        }
    )
    columns = ("customer", "channel", "gone", "unanswered", "silent_since")
    return BaseCredit(
        credit=credit, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    )


def _of_part(probed: TouchLog, rows: Ints, told: Foreseen, offset: int) -> BaseCredit:
    n = probed.touches
    index = np.arange(n)
    start = np.concatenate([[0], rows[:-1] + 1])
    glad_at = np.where(np.isfinite(probed.welcomed), probed.sent + probed.welcomed, -np.inf)
    drove_at = np.where(np.isfinite(probed.drove), probed.sent + probed.drove, -np.inf)
    glad = np.maximum.reduceat(glad_at, start)
    drove = np.maximum.reduceat(drove_at, start)
    last_glad = np.repeat(glad, rows - start + 1)
    silent = (probed.sent > last_glad) & (index < np.repeat(rows, rows - start + 1))
    unanswered = np.add.reduceat(silent.astype(np.int64), start)
    earliest = np.minimum.reduceat(np.where(silent, probed.sent, np.inf), start)
    return BaseCredit(
        customer=probed.customer[rows] + offset,
        channel=probed.channel[rows],
        credit=Foreseen(**{name: getattr(told, name)[rows] for name in Foreseen.__slots__}),
        gone=np.isfinite(drove) & (drove > glad),
        unanswered=unanswered,
        silent_since=np.where(np.isfinite(earliest), earliest, np.nan),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindnessAlarm:
    """One customer who most probably no longer looks at one channel, and what to do."""

    customer_id: str
    channel: str
    probability: float
    unanswered: int
    silent_since: datetime | None
    rest_days: float
    """Send nothing but service messages so long, then one useful message."""
    probe_at: datetime

    def line(self, lang: str = "en") -> str:
        """What is seen and what to do."""
        return tell(
            lang,
            "rest",
            channel=self.channel,
            blind=locale.percent(self.probability, lang, digits=0),
            unanswered=locale.number(self.unanswered, lang),
            days=locale.number(round(self.rest_days), lang),
            day=locale.day(self.probe_at.date(), lang),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "customer_id": self.customer_id,
            "channel": self.channel,
            "probability": self.probability,
            "unanswered": self.unanswered,
            "silent_since": self.silent_since.isoformat() if self.silent_since else None,
            "rest_days": self.rest_days,
            "probe_at": self.probe_at.isoformat(),
        }


def alarms_of(
    model: CreditModel, log: TouchLog, base: BaseCredit, at: datetime
) -> tuple[BlindnessAlarm, ...]:
    """Those over the threshold, the surest first; those driven away are not written to anyway."""
    blind = base.credit.blind
    score = base.credit.alarm
    rows = np.flatnonzero((score >= model.alarm_above) & ~base.gone)
    rows = rows[np.lexsort((rows, -score[rows]))]
    found: list[BlindnessAlarm] = []
    for row in rows.tolist():
        rest = rest_days(float(blind[row]), model.filter.recovery)
        since = float(base.silent_since[row])
        found.append(
            BlindnessAlarm(
                customer_id=log.customers[int(base.customer[row])],
                channel=log.channels[int(base.channel[row])],
                probability=float(blind[row]),
                unanswered=int(base.unanswered[row]),
                silent_since=time_of(since) if np.isfinite(since) else None,
                rest_days=rest,
                probe_at=time_of(days_of(at) + rest),
            )
        )
    return tuple(found)


def blind_share(base: BaseCredit) -> float:
    """Expected share of customers × channels still written to that no longer look; NaN where there are none."""
    here = ~base.gone
    return float(base.credit.blind[here].mean()) if here.any() else float("nan")


BASELINE_WEEKS = 12
LEAST_BASELINE_WEEKS = 6
PROMISED_WEEKS = 52


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentBlindness:
    """Whether a segment welcomes less than in its first weeks."""

    segment: str
    weeks: int
    """After the first ones."""
    expected: float
    """Share of welcomed touches of the last four weeks, as in the first weeks with the same purposes and channels."""
    observed: float
    log_evidence: float
    """Of the bet against "as much as before", at its highest; NaN where it cannot be told."""
    alarm_week: int | None
    """The first week after the first ones in which it was enough."""
    why_not: str = ""

    def line(self, lang: str = "en") -> str:
        """Whether fewer look there, in words."""
        from primeta.attention.blind_words import tell as said

        if self.why_not:
            return said(lang, f"segment.{self.why_not}", segment=self.segment)
        figures = {
            "segment": self.segment,
            "observed": locale.percent(self.observed, lang),
            "expected": locale.percent(self.expected, lang),
        }
        if self.alarm_week is None:
            return said(lang, "segment.holds", **figures)
        return said(lang, "segment.falls", **figures, week=locale.number(self.alarm_week + 1, lang))

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in SegmentBlindness.__slots__}


NORMAL_SCORES = 100
FIRST_JUDGED = 2
"""The first week that is held against the weeks before it."""


def _against_earlier_weeks(week: Ints, cell: Ints, good: Floats, weeks: int) -> tuple[Floats, Floats, Floats]:
    """Welcomes of each week that all earlier weeks make expect of its cells, those seen, and their variance.

    Errors of such forecasts are independent from week to week while nothing changes, which those against a fixed
    beginning are not: its own error would return in every week.

    Returns:
        (weeks,) three times; the variance has that of the week's lots and that of the shares from earlier weeks.
    """
    cells = int(cell.max()) + 1 if len(cell) else 1
    place = week * cells + cell
    sent = np.bincount(place, minlength=weeks * cells).reshape(weeks, cells).astype(float)
    glad = np.bincount(place, weights=good, minlength=weeks * cells).reshape(weeks, cells)
    known, won = np.cumsum(sent, axis=0) - sent, np.cumsum(glad, axis=0) - glad
    overall = won.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    share = (won + 10 * overall) / (known + 10)
    lots = share * (1 - share)
    variance = (lots * (sent + np.square(sent) / (known + 10))).sum(axis=1)
    return (sent * share).sum(axis=1), glad.sum(axis=1), np.where(known.sum(axis=1) > 0, variance, 0.0)


def segment_alarms(
    log: TouchLog, segment: Sequence[str], *, error: float = 0.05
) -> tuple[SegmentBlindness, ...]:
    """Segments in which fewer touches are welcomed than in their first 12 weeks.

    A week's score is the deficit of welcomes against what all the segment's earlier weeks make expect of these purposes
    and channels, in its own sd among the first weeks. The alarm goes off at evidence of (number of segments) / error:
    all segments together give a false alarm with probability `error` in a year (Ville's inequality).

    Args:
        segment: Of each customer of the log.
    """
    if not log.touches:
        return ()
    names, code = np.unique(np.asarray(segment, dtype=object).astype(str), return_inverse=True)
    rows = log.closed
    week = np.floor((log.sent[rows] - log.sent.min()) / 7).astype(np.int64)
    # the last week is over only where a whole week can be followed for 72 hours
    last = int((log.until - 3 - log.sent.min()) // 7)
    cell = log.purpose[rows] * len(log.channels) + log.channel[rows]
    where, good = code[log.customer[rows]], log.good[rows].astype(float)
    scores: list[Floats] = []
    shares: list[tuple[Floats, Floats, Floats]] = []
    told: list[int] = []
    found: dict[int, SegmentBlindness] = {}
    first = min(BASELINE_WEEKS, last // 2)
    for number, name in enumerate(names.tolist()):
        here = (where == number) & (week < last)
        sent = np.bincount(week[here], minlength=max(last, 1)).astype(float)
        base = here & (week < first)
        if first < LEAST_BASELINE_WEEKS or (sent[:first] < 20).any() or good[base].sum() < 20:
            found[number] = SegmentBlindness(
                segment=name,
                weeks=max(last - first, 0),
                expected=float("nan"),
                observed=float("nan"),
                log_evidence=float("nan"),
                alarm_week=None,
                why_not="too-few-weeks" if first < LEAST_BASELINE_WEEKS else "too-few-touches",
            )
            continue
        expected, observed, variance = _against_earlier_weeks(week[here], cell[here], good[here], last)
        score = np.zeros(last)
        np.divide(observed - expected, np.sqrt(variance), out=score, where=variance > 0)
        # weeks vary more than lots do: their own spread in the first ones, no less than that of lots
        spread = max(float(np.sqrt(np.mean(np.square(score[FIRST_JUDGED:first])))), 1.0)
        scores.append(np.clip(score / spread, -CLIP, CLIP))
        overall = good[base].mean()
        cells = np.bincount(cell[base], minlength=int(cell.max()) + 1)
        share = (np.bincount(cell[base], weights=good[base], minlength=len(cells)) + 10 * overall) / (
            cells + 10
        )
        as_first = np.bincount(week[here], weights=share[cell[here]], minlength=last).astype(float)
        shares.append((sent, as_first, observed))
        told.append(number)
    if told:
        from scipy.special import ndtri

        table = np.array(scores)[:, :last]
        # few segments have few first weeks: normal scores among them keep the law's tails
        normal = np.clip(ndtri((np.arange(NORMAL_SCORES) + 0.5) / NORMAL_SCORES), -CLIP, CLIP)
        law = ScoreLaw(np.concatenate([table[:, FIRST_JUDGED:first].ravel(), normal]))
        weeks = min(last - first, PROMISED_WEEKS)
        # a lasting deficit fades from the scores as the weeks that have it join those it is held against
        grown = first + np.arange(PROMISED_WEEKS)
        drift = grown[:, None] / grown[None, :]
        _, down = mixture_log_evidence(table[:, first : first + weeks], drift, law=law)
        bar = ln(len(told) / error)
        for place, number in enumerate(told):
            over = np.flatnonzero(down[place] >= bar)
            sent, expected, observed = shares[place]
            late = slice(max(first, last - 4), last)
            touches = max(float(sent[late].sum()), 1.0)
            found[number] = SegmentBlindness(
                segment=str(names[number]),
                weeks=weeks,
                expected=float(expected[late].sum()) / touches,
                observed=float(observed[late].sum()) / touches,
                log_evidence=float(down[place].max()) if weeks else 0.0,
                alarm_week=int(over[0]) if len(over) else None,
            )
    return tuple(found[number] for number in range(len(names)))
