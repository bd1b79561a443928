"""What is known of a customer just before a touch, as numbers: for many touches at once, and for one."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, log, log1p, pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.attention.outcomes import TouchLog
from primeta.stats.attention_filter import LAST_DAYS
from primeta.stats.decayed import MEMORIES, decayed_counts, run_lengths

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

SERVICE, USEFUL, OFFER, PRESS = range(4)
WELCOMED, DROVE, MARKS = 4, 8, 9
"""What is counted per channel: touches of the four purposes, welcomes of each (from 4 on), times driven away."""
ALL_TOUCHES, ALL_WELCOMED, BROKEN, KEPT = range(4)
"""What is counted per customer: touches but service ones and welcomes on all channels, promises broken and kept."""
CHANNELS_KNOWN = 6
"""Channels with a level of their own, the most used ones; further ones share that of all."""

WELCOME_NAMES = (
    "level", "service", "offer", "press", "recent 1", "recent 7", "recent 30", "selling 7", "pressing 7",
    "service 7", "other channels 1", "other channels 7", "broken", "hour sin", "hour cos", "weekend", "tenure",
    "season", "kept",
)  # fmt: skip
ONSET_NAMES = ("level", "service", "offer", "press", "recent 7", "broken")
WEAR_NAMES = ("level", "service", "offer", "press")
DRIVE_NAMES = (
    "level", "service", "offer", "press", "recent 1", "recent 7", "recent 30", "selling 7", "pressing 1", "pressing 7",
    "other channels 7", "broken", "first", "tenure", "unanswered", "welcomed 7", "welcomed 30", "drove 30",
    "log-odds of welcome", "blind",
)  # fmt: skip
ONSET_PLACES = (0, 1, 2, 3, 5, 12)
"""Of `ONSET_NAMES` among `WELCOME_NAMES`."""
COUNT_WINDOWS = (1.0, 7.0, 30.0)
"""Days of the counts baseline."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """Of n touches, just before each."""

    own: Floats
    """(n, 9, 4) fading counts on its channel."""
    all: Floats
    """(n, 4, 4) fading counts of the customer."""
    earlier: Ints
    """(n,) touches before it on its channel."""
    unanswered: Ints
    """(n,) touches since the last welcome."""


def known_before(log: TouchLog) -> Known:
    """Fading counts and runs for each touch of a log."""
    n = log.touches
    sequence = log.sequence
    index = np.arange(n)
    happy = np.flatnonzero(np.isfinite(log.welcomed) & (log.sent + np.nan_to_num(log.welcomed) <= log.until))
    gone = np.flatnonzero(np.isfinite(log.drove) & (log.sent + np.nan_to_num(log.drove) <= log.until))
    joy = log.sent[happy] + log.welcomed[happy]
    # order at equal times: welcome, driven away, broken or kept, touch, as events are told one by one
    which = np.concatenate([index, happy, gone])
    what = np.concatenate([log.purpose, WELCOMED + log.purpose[happy], np.full(len(gone), DROVE)])
    when = np.concatenate([log.sent, joy, log.sent[gone] + log.drove[gone]])
    turn = np.where(what < WELCOMED, 5, np.where(what == DROVE, 1, 0))
    group = sequence[which]
    order = np.lexsort((which, turn, when, group))
    marks = np.zeros((len(which), MARKS))
    marks[np.arange(len(which)), what[order]] = 1.0
    real = log.real
    touch = what[order] < WELCOMED
    sent = touch & real[which[order]]
    marks[touch & ~sent] = 0.0
    counts = decayed_counts(group[order], when[order], marks)
    own = np.empty((n, MARKS, len(MEMORIES)))
    own[which[order][touch]] = counts[touch]
    welcome = (what[order] >= WELCOMED) & (what[order] < DROVE)
    runs = run_lengths(group[order], sent.astype(np.int64), welcome.astype(np.int64))
    unanswered = np.empty(n, dtype=np.int64)
    unanswered[which[order][touch]] = runs[touch]
    start = np.concatenate([[True], sequence[1:] != sequence[:-1]]) if n else np.zeros(0, dtype=bool)
    before = np.cumsum(real) - real
    earlier = before - before[np.maximum.accumulate(np.where(start, index, 0))] if n else index

    parts = (
        (index, log.customer, log.sent, ALL_TOUCHES, 5),
        (np.full(len(happy), n), log.customer[happy], joy, ALL_WELCOMED, 0),
        (np.full(len(log.broken_at), n), log.broken_customer, log.broken_at, BROKEN, 2),
        (np.full(len(log.kept_at), n), log.kept_customer, log.kept_at, KEPT, 2),
    )
    which, owner, when = (np.concatenate([part[k] for part in parts]) for k in range(3))
    what, turn = (np.concatenate([np.full(len(part[0]), part[k]) for part in parts]) for k in (3, 4))
    order = np.lexsort((which, turn, when, owner))
    which, what = which[order], what[order]
    dense = np.unique(owner[order], return_inverse=True)[1]
    marks = np.zeros((len(which), 4))
    marks[np.arange(len(which)), what] = 1.0
    touch = what == ALL_TOUCHES
    marks[touch, ALL_TOUCHES] = (log.purpose[which[touch]] != SERVICE) & real[which[touch]]
    counts = decayed_counts(dense, when[order], marks)
    everywhere = np.empty((n, 4, len(MEMORIES)))
    everywhere[which[touch]] = counts[touch]
    return Known(own=own, all=everywhere, earlier=earlier, unanswered=unanswered)


def welcome_columns(
    log: TouchLog, known: Known, *, season: Floats, known_channels: tuple[str, ...]
) -> Floats:
    """(n, 19 + channels): what the log-odds of welcome are linear in.

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
        *np.log1p(ours[:, :3]).T,
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
        np.log1p(known.all[:, KEPT, 2]),
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
    return np.ascontiguousarray(columns[:, list(ONSET_PLACES)])


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
            np.log1p(own[:, WELCOMED:DROVE, 1:3].sum(axis=1)),
            np.log1p(own[:, DROVE, 2]),
            logit,
            blind,
            columns[:, len(WELCOME_NAMES) :],
        ]
    ).astype(np.float64)


def welcome_values(
    *, purpose: int, at: float, own: Floats, everywhere: Floats, earlier: int, season: float
) -> tuple[float, ...]:
    """The first 19 of `welcome_columns` of one touch: all but its channel."""
    service, useful, offer, press = own[:WELCOMED].tolist()
    ours = (
        useful[0] + offer[0] + press[0],
        useful[1] + offer[1] + press[1],
        useful[2] + offer[2] + press[2],
    )
    total, _, broken, kept = everywhere.tolist()
    selling = offer[1] + press[1]
    day = at // 1.0
    hour = 2 * pi * (at - day)
    return (
        1.0,
        purpose == SERVICE,
        purpose == OFFER,
        purpose == PRESS,
        log1p(ours[0]),
        log1p(ours[1]),
        log1p(ours[2]),
        log1p(selling),
        log1p(press[1]),
        log1p(service[1]),
        log1p(max(total[0] - ours[0], 0.0)),
        log1p(max(total[1] - ours[1], 0.0)),
        log1p(broken[2]),
        sin(hour),
        cos(hour),
        (day + 3) % 7 >= 5,
        log1p(earlier),
        season,
        log1p(kept[2]),
    )


def welcome_row(values: tuple[float, ...], *, place: int, channels: int) -> Floats:
    """`welcome_columns` of one touch; `place` of its channel among the known ones, −1 where it is not."""
    row = np.zeros(len(WELCOME_NAMES) + channels)
    row[: len(WELCOME_NAMES)] = values
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
                log1p(own[WELCOMED:DROVE, 1].sum()),
                log1p(own[WELCOMED:DROVE, 2].sum()),
                log1p(own[DROVE, 2]),
                logit,
                blind,
            ),
            row[len(WELCOME_NAMES) :],
        ]
    )


STACK_NAMES = (
    "level", "log-odds", "welcomed 7", "welcomed 30", "recent 7", "recent 30", "unanswered", "blind", "purpose",
    "other channels", "other channels early",
)  # fmt: skip
"""What the last correction of the filter's log-odds is linear in."""
SHRINK = 4.0
"""Touches that a share of one purpose, or of the other channels, is pulled towards the filter's probability by."""
EARLY_TOUCHES = 5.0
"""Touches on a channel after which other channels count half as much."""
LONG = 3


def stack_columns(log: TouchLog, known: Known, columns: Floats, *, raw: Floats, blind: Floats) -> Floats:
    """(n, 11) of the last correction.

    Args:
        columns: of `welcome_columns`.
        raw, blind: (n,) of the filter.
    """
    row = np.arange(log.touches)
    same_sent = known.own[row, log.purpose, LONG]
    same_welcomed = known.own[row, WELCOMED + log.purpose, LONG]
    glad = known.own[:, WELCOMED:DROVE].sum(axis=1)
    ours = known.own[:, USEFUL : PRESS + 1, LONG].sum(axis=1)
    other_sent = np.maximum(known.all[:, ALL_TOUCHES, LONG] - ours, 0.0)
    other_welcomed = np.maximum(known.all[:, ALL_WELCOMED, LONG] - glad[:, LONG], 0.0)
    pull = SHRINK * raw
    other = np.log((other_welcomed + pull) / ((other_sent + SHRINK) * raw))
    return np.column_stack(
        [
            np.ones(log.touches),
            np.log(raw) - np.log1p(-raw),
            np.log1p(glad[:, 1:3]),
            columns[:, 5],
            columns[:, 6],
            np.log1p(known.unanswered),
            blind,
            np.log((same_welcomed + pull) / ((same_sent + SHRINK) * raw)),
            other,
            other / (1 + known.earlier / EARLY_TOUCHES),
        ]
    )


def stack_row(
    row: Floats,
    *,
    purpose: int,
    own: Floats,
    everywhere: Floats,
    earlier: int,
    unanswered: int,
    raw: float,
    blind: float,
) -> Floats:
    """`stack_columns` of one touch from its `welcome_row`."""
    glad = own[WELCOMED:DROVE].sum(axis=0).tolist()
    other_sent = max(float(everywhere[ALL_TOUCHES, LONG] - own[USEFUL : PRESS + 1, LONG].sum()), 0.0)
    other_welcomed = max(float(everywhere[ALL_WELCOMED, LONG]) - glad[LONG], 0.0)
    pull = SHRINK * raw
    other = log((other_welcomed + pull) / ((other_sent + SHRINK) * raw))
    return np.array(
        [
            1.0,
            log(raw) - log1p(-raw),
            log1p(glad[1]),
            log1p(glad[2]),
            row[5],
            row[6],
            log1p(unanswered),
            blind,
            log((own[WELCOMED + purpose, LONG] + pull) / ((own[purpose, LONG] + SHRINK) * raw)),
            other,
            other / (1 + earlier / EARLY_TOUCHES),
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
    ratio = (observed[to] - observed[since] + SEASON_PRIOR) / (expected[to] - expected[since] + SEASON_PRIOR)
    return Season(first=first, values=tuple(np.round(np.log(ratio), 6).tolist()))
