"""What is known of a customer just before a touch, as numbers: for many touches at once, and for one."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, log1p, pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.outcomes import TouchLog
from primeta.stats.attention_filter import LAST_DAYS
from primeta.stats.decayed import decayed_counts, run_lengths

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

SERVICE, USEFUL, OFFER, PRESS, WELCOMED, DROVE = range(6)
MARKS = 6
"""What is counted per channel: touches of the four purposes, welcomes, times driven away."""
ALL_TOUCHES, BROKEN = 0, 1
"""What is counted per customer: touches but service ones on all channels, promises broken."""
CHANNELS_KNOWN = 6
"""Channels with a level of their own, the most used ones; further ones share that of all."""

WELCOME_NAMES = (
    "level", "service", "offer", "press", "recent 1", "recent 7", "recent 30", "selling 7", "pressing 7",
    "service 7", "other channels 1", "other channels 7", "broken", "hour sin", "hour cos", "weekend", "tenure",
    "season",
)  # fmt: skip
ONSET_NAMES = ("level", "service", "offer", "press", "recent 7", "broken")
WEAR_NAMES = ("level", "service", "offer", "press")
DRIVE_NAMES = (
    "level", "service", "offer", "press", "recent 1", "recent 7", "recent 30", "selling 7", "pressing 1", "pressing 7",
    "other channels 7", "broken", "first", "tenure", "unanswered", "welcomed 7", "welcomed 30", "drove 30",
    "log-odds of welcome", "blind",
)  # fmt: skip
COUNT_WINDOWS = (1.0, 7.0, 30.0)
"""Days of the counts baseline."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """Of n touches, just before each."""

    own: Floats
    """(n, 6, 3) fading counts on its channel."""
    all: Floats
    """(n, 2, 3) fading counts of the customer."""
    earlier: Ints
    """(n,) touches before it on its channel."""
    unanswered: Ints
    """(n,) touches since the last welcome."""


def known_before(log: TouchLog) -> Known:
    """Fading counts and runs for each touch of a log."""
    n = log.touches
    sequence = log.sequence
    index = np.arange(n)
    happy = np.flatnonzero(
        np.isfinite(log.welcomed) & (log.sent + np.nan_to_num(log.welcomed) <= log.until)
    )
    gone = np.flatnonzero(np.isfinite(log.drove) & (log.sent + np.nan_to_num(log.drove) <= log.until))
    # order at equal times: welcome, driven away, broken, touch — as events are told one by one
    which = np.concatenate([index, happy, gone])
    what = np.concatenate([log.purpose, np.full(len(happy), WELCOMED), np.full(len(gone), DROVE)])
    when = np.concatenate([log.sent, log.sent[happy] + log.welcomed[happy], log.sent[gone] + log.drove[gone]])
    turn = np.where(what == WELCOMED, 0, np.where(what == DROVE, 1, 5))
    group = sequence[which]
    order = np.lexsort((which, turn, when, group))
    marks = np.zeros((len(which), MARKS))
    marks[np.arange(len(which)), what[order]] = 1.0
    counts = decayed_counts(group[order], when[order], marks)
    touch = what[order] < WELCOMED
    own = np.empty((n, MARKS, 3))
    own[which[order][touch]] = counts[touch]
    runs = run_lengths(group[order], touch.astype(np.int64), (what[order] == WELCOMED).astype(np.int64))
    unanswered = np.empty(n, dtype=np.int64)
    unanswered[which[order][touch]] = runs[touch]
    start = np.concatenate([[True], sequence[1:] != sequence[:-1]]) if n else np.zeros(0, dtype=bool)
    earlier = index - np.maximum.accumulate(np.where(start, index, 0)) if n else index

    broken = len(log.broken_at)
    which = np.concatenate([index, np.full(broken, n)])
    owner = np.concatenate([log.customer, log.broken_customer])
    when = np.concatenate([log.sent, log.broken_at])
    turn = np.concatenate([np.full(n, 5), np.full(broken, 2)])
    order = np.lexsort((which, turn, when, owner))
    dense = np.unique(owner[order], return_inverse=True)[1]
    marks = np.zeros((len(which), 2))
    marks[:, ALL_TOUCHES] = np.concatenate([log.purpose != SERVICE, np.zeros(broken)])[order]
    marks[:, BROKEN] = which[order] == n
    counts = decayed_counts(dense, when[order], marks)
    touch = which[order] < n
    everywhere = np.empty((n, 2, 3))
    everywhere[which[order][touch]] = counts[touch]
    return Known(own=own, all=everywhere, earlier=earlier, unanswered=unanswered)


def welcome_columns(log: TouchLog, known: Known, *, season: Floats, known_channels: tuple[str, ...]) -> Floats:
    """(n, 18 + channels): what the log-odds of welcome are linear in.

    Args:
        season: (n,) how much more the whole base welcomed lately than in general, log-odds.
    """
    own, purpose = known.own, log.purpose
    ours = own[:, USEFUL] + own[:, OFFER] + own[:, PRESS]
    others = np.maximum(known.all[:, ALL_TOUCHES] - ours, 0.0)
    hour = 2 * np.pi * (log.sent - np.floor(log.sent))
    columns = [
        np.ones(log.touches),
        purpose == SERVICE,
        purpose == OFFER,
        purpose == PRESS,
        *np.log1p(ours).T,
        np.log1p(own[:, OFFER, 1] + own[:, PRESS, 1]),
        np.log1p(own[:, PRESS, 1]),
        np.log1p(own[:, SERVICE, 1]),
        np.log1p(others[:, 0]),
        np.log1p(others[:, 1]),
        np.log1p(known.all[:, BROKEN, 2]),
        np.sin(hour),
        np.cos(hour),
        (np.floor(log.sent) + 3) % 7 >= 5,
        np.log1p(known.earlier),
        season,
        *channel_columns(log, known_channels),
    ]
    return np.column_stack(columns).astype(np.float64)


def channel_columns(log: TouchLog, known_channels: tuple[str, ...]) -> list[npt.NDArray[np.bool_]]:
    return [
        log.channel == log.channels.index(name) if name in log.channels else np.zeros(log.touches, dtype=bool)
        for name in known_channels
    ]


def onset_columns(columns: Floats) -> Floats:
    """(n, 6) of `welcome_columns`: what blinding is linear in."""
    return np.ascontiguousarray(columns[:, [0, 1, 2, 3, 5, 12]])


def wear_columns(columns: Floats) -> Floats:
    """(n, 4) of `welcome_columns`."""
    return np.ascontiguousarray(columns[:, :4])


def drive_columns(log: TouchLog, known: Known, columns: Floats, *, logit: Floats, blind: Floats) -> Floats:
    """(n, 20 + channels): what the log-odds of being driven away are linear in.

    Args:
        columns: of `welcome_columns`.
        logit, blind: (n,) of the filter.
    """
    own = known.own
    return np.column_stack(
        [
            columns[:, [0, 1, 2, 3, 4, 5, 6, 7]],
            np.log1p(own[:, PRESS, 0]),
            columns[:, [8, 11, 12]],
            known.earlier == 0,
            columns[:, 16],
            np.log1p(known.unanswered),
            np.log1p(own[:, WELCOMED, 1]),
            np.log1p(own[:, WELCOMED, 2]),
            np.log1p(own[:, DROVE, 2]),
            logit,
            blind,
            columns[:, len(WELCOME_NAMES) :],
        ]
    ).astype(np.float64)


def welcome_row(
    *,
    purpose: int,
    at: float,
    own: Floats,
    everywhere: Floats,
    earlier: int,
    season: float,
    place: int,
    channels: int,
) -> Floats:
    """`welcome_columns` of one touch; `place` of its channel among the known ones, −1 where it is not."""
    ours = (own[USEFUL] + own[OFFER] + own[PRESS]).tolist()
    total = everywhere[ALL_TOUCHES].tolist()
    selling = float(own[OFFER, 1] + own[PRESS, 1])
    day = at // 1.0
    hour = 2 * pi * (at - day)
    row = np.zeros(len(WELCOME_NAMES) + channels)
    row[: len(WELCOME_NAMES)] = (
        1.0,
        purpose == SERVICE,
        purpose == OFFER,
        purpose == PRESS,
        log1p(ours[0]),
        log1p(ours[1]),
        log1p(ours[2]),
        log1p(selling),
        log1p(own[PRESS, 1]),
        log1p(own[SERVICE, 1]),
        log1p(max(total[0] - ours[0], 0.0)),
        log1p(max(total[1] - ours[1], 0.0)),
        log1p(everywhere[BROKEN, 2]),
        sin(hour),
        cos(hour),
        (day + 3) % 7 >= 5,
        log1p(earlier),
        season,
    )
    if place >= 0:
        row[len(WELCOME_NAMES) + place] = 1.0
    return row


def drive_row(
    row: Floats, *, own: Floats, earlier: int, unanswered: int, logit: float, blind: float
) -> Floats:
    """`drive_columns` of one touch from its `welcome_row`."""
    return np.concatenate(
        [
            row[:8],
            (
                log1p(own[PRESS, 0]),
                row[8],
                row[11],
                row[12],
                earlier == 0,
                row[16],
                log1p(unanswered),
                log1p(own[WELCOMED, 1]),
                log1p(own[WELCOMED, 2]),
                log1p(own[DROVE, 2]),
                logit,
                blind,
            ),
            row[len(WELCOME_NAMES) :],
        ]
    )


SEASON_DAYS = 14
SEASON_PRIOR = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """How the whole base has been answering lately against in general, by day: log of a ratio."""

    first: int
    values: tuple[float, ...]

    def at(self, day: Floats) -> Floats:
        if not self.values:
            return np.zeros(len(day))
        place = np.clip(np.floor(day).astype(np.int64) - self.first, 0, len(self.values) - 1)
        return np.asarray(self.values)[place]

    def one(self, day: float) -> float:
        if not self.values:
            return 0.0
        return self.values[min(max(int(day // 1.0) - self.first, 0), len(self.values) - 1)]


def season_of(log: TouchLog) -> Season:
    """From touches of the 14 days whose outcome was known at each day's beginning."""
    if not log.touches:
        return Season(first=0, values=())
    whole = log.closed
    day = np.floor(log.sent[whole]).astype(np.int64)
    if not len(day):
        return Season(first=0, values=())
    cell = log.purpose[whole] * len(log.channels) + log.channel[whole]
    happy = log.good[whole].astype(np.float64)
    cells = np.bincount(cell)
    share = np.bincount(cell, weights=happy) / np.maximum(cells, 1)
    first, last = int(day.min()), int(np.floor(log.until))
    length = last - first + 2
    observed = np.concatenate([[0.0], np.cumsum(np.bincount(day - first, weights=happy, minlength=length))])
    expected = np.concatenate(
        [[0.0], np.cumsum(np.bincount(day - first, weights=share[cell], minlength=length))]
    )
    lag = int(np.ceil(LAST_DAYS)) + 1
    to = np.maximum(np.arange(length) - lag + 1, 0)
    since = np.maximum(to - SEASON_DAYS, 0)
    ratio = (observed[to] - observed[since] + SEASON_PRIOR) / (
        expected[to] - expected[since] + SEASON_PRIOR
    )
    return Season(first=first, values=tuple(np.round(np.log(ratio), 6).tolist()))
