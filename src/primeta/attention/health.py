"""Health of the base: how much credit customers give, month by month, who rose and who fell silent.

At the end of each month credit is asked for every customer on every channel that wrote to him, by what was known then
and by one model, so that months can be compared. Each pair of a customer and a channel stands in one of six states; a
customer as a whole stands where his best channel does.

Doubt: credit is drawn from each pair's interval (normal in log-odds) and customers are drawn anew (Poisson weights,
one of the bootstraps of Chamandy et al., 2012); shares are told with the central 95% of the draws. The parameters of the
model are taken as known, so that the intervals are somewhat too narrow. How many no longer look is only inferred from
silence, and how fast that means blindness differs from base to base: its level carries an error of its own, and mean
credit a smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from primeta.attention.blindness import first_of_sequence
from primeta.attention.credit_levels import HARSHER, PRESS_AT, SELL_AT, WELCOMES_PER_LOSS, in_money
from primeta.attention.credit_model import CreditModel, foresee
from primeta.attention.outcomes import TouchLog, days_of, time_of, with_asked
from primeta.attention.records import PURPOSES, Policy
from primeta.stats.attention_interval import logit

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
State = Literal["press", "sell", "useful", "blind", "none", "gone"]
STATES: tuple[State, ...] = ("press", "sell", "useful", "blind", "none", "gone")
"""From the best to the worst: it bears pressing, selling, useful messages; he most probably no longer looks; nothing
should be sent now; he opted out."""
NEW = "new"
"""Not written to before."""
BLIND_FROM = 0.5
LEVEL_ERROR = 0.6
"""Standard error of the log-odds of the share that no longer looks, over simulated bases of three forms (benchmark
`attention-health`, seeds 7001 to 7008): parameters and the form of the model together."""
MEAN_ERROR = 0.07
"""Standard error of mean credit as a share of it, from the same worlds: parameters and the form of the model."""
MONTHS = 13
"""Ends of months that are looked at, the end of the log among them."""
DRAWS = 200
SEED = 20_261
TENTHS = 10
LEAST_STARTERS = 10
"""New customers of a month below which nothing is told of them."""
FIRST = 3
"""First messages of a new customer that are looked at."""
Z95 = 1.959963984540054
LEAST_DAYS = 7.0
"""A month of which less is in the log is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share, or a mean, with its 95% interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


UNKNOWN = Share(value=float("nan"), low=float("nan"), high=float("nan"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where customers stood on one channel at the end of a month."""

    month: str
    """`2025-11`."""
    until: datetime
    channel: str
    """Empty: each customer by his best channel."""
    customers: float
    """Written to by then."""
    states: Mapping[State, Share]
    """Shares of them."""
    blind: Share
    """Expected share, of those still written to, that no longer look."""
    credit: Share
    """Mean credit of those still written to."""
    blind_steady: Share = UNKNOWN
    """The share that no longer looks as it would be known if the model were right: an error of the level is the same in
    every month, so that months are compared by this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How many customers went from one state to another within a month."""

    month: str
    channel: str
    was: str
    """A state, or `new`."""
    now: State
    customers: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenth:
    """A tenth of the customers, those with most credit first."""

    channel: str
    tenth: int
    credit: Share
    welcomes: Share
    """Share of all welcomes that a useful message to everybody would bring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bears:
    """The share that would bear selling and pressing if credit were known exactly, at the end of the log."""

    channel: str
    sell: Share
    press: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Starters:
    """New customers of a month: their first three messages."""

    month: str
    customers: float
    useful: Share
    """Share of these messages that were useful or service."""
    welcomed: Share
    gone: Share
    """Share of the customers whom they drove away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Credit of the base over the months."""

    channels: tuple[str, ...]
    """Those with most customers first."""
    standings: tuple[Standing, ...]
    moves: tuple[Move, ...]
    tenths: tuple[Tenth, ...]
    bears: tuple[Bears, ...]
    starters: tuple[Starters, ...]


NOTHING = Health(channels=(), standings=(), moves=(), tenths=(), bears=(), starters=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Base:
    """Every pair of customer and channel at every end of a month; arrays (months, pairs)."""

    ends: Floats
    customer: Ints
    """(pairs,)"""
    channel: Ints
    known: npt.NDArray[np.bool_]
    """Written to by then."""
    gone: npt.NDArray[np.bool_]
    value: Floats
    low: Floats
    high: Floats
    drive: Floats
    blind: Floats
    weights: npt.NDArray[np.uint8]
    """(draws, customers)"""

    @property
    def here(self) -> npt.NDArray[np.bool_]:
        return self.known & ~self.gone


def health_of(
    model: CreditModel, log: TouchLog, *, policy: Policy, zone: ZoneInfo | None = None, share: float = 1.0
) -> Health:
    """Health over a log.

    Args:
        policy: Whose thresholds make the levels.
        zone: In which months end.
        share: Of all customers that the log holds; numbers of customers are those of all.
    """
    if not log.touches:
        return NOTHING
    rng = np.random.default_rng(SEED)
    months, ends = month_ends(float(log.sent.min()), log.until, zone or ZoneInfo("UTC"))
    base = _base(model, log, ends, rng)
    states = _states(base, log, policy)
    sizes = np.bincount(base.channel[base.known[-1]], minlength=len(log.channels))
    order = sorted(range(len(log.channels)), key=lambda place: (-sizes[place], log.channels[place]))
    standings: list[Standing] = []
    moves: list[Move] = []
    for place in (-1, *order):
        name = "" if place < 0 else log.channels[place]
        owner, grid = _of_channel(base, states, place)
        for number, month in enumerate(months):
            standings.append(_standing(base, owner, grid[number], number, place, name, month, share))
            before = grid[number - 1] if number else np.full(len(owner), -1)
            if number:
                moves += _moves(before, grid[number], name, month, share)
    return Health(
        channels=tuple(log.channels[place] for place in order),
        standings=tuple(standings),
        moves=tuple(moves),
        tenths=tuple(row for place in order for row in _tenths(base, place, log.channels[place])),
        bears=tuple(_bears(base, place, log.channels[place], policy, rng) for place in order),
        starters=_starters(log, base, months, share),
    )


def month_ends(first: float, last: float, zone: ZoneInfo) -> tuple[list[str], Floats]:
    """Months (`2025-11`) and the days (since 1970) at which they end, the last one at the end of the log.

    A beginning month of less than a week is left out, and a running one shorter than that belongs to the one before.
    """
    until = time_of(last).astimezone(zone)
    year, month = until.year, until.month
    found, names = [last], [f"{year:04d}-{month:02d}"]
    while len(found) < MONTHS:
        start = days_of(datetime(year, month, 1, tzinfo=zone).astimezone(UTC))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        if start - first < LEAST_DAYS:
            break
        found.append(start)
        names.append(f"{year:04d}-{month:02d}")
    if len(found) > 1 and found[0] - found[1] < LEAST_DAYS:
        del found[1], names[0]
    return names[::-1], np.array(found[::-1])


def _base(model: CreditModel, log: TouchLog, ends: Floats, rng: np.random.Generator) -> _Base:
    start = np.flatnonzero(first_of_sequence(log))
    pairs, months = len(start), len(ends)
    asked, rows = with_asked(
        log,
        customer=np.repeat(log.customer[start], months),
        channel=np.repeat(log.channel[start], months),
        at=np.tile(ends, pairs),
    )
    told = foresee(model, asked, useful=True)

    def grid(column: Floats) -> Floats:
        return column[rows].reshape(pairs, months).T

    sequence = log.sequence
    known = np.zeros((months, pairs), dtype=bool)
    gone = np.zeros((months, pairs), dtype=bool)
    glad_at, left_at = log.sent + log.welcomed, log.sent + log.drove
    for number, end in enumerate(ends.tolist()):
        known[number] = log.sent[start] <= end
        last = np.full((2, pairs), -np.inf)
        for place, at in enumerate((glad_at, left_at)):
            by_then = at <= end
            np.maximum.at(last[place], sequence[by_then], at[by_then])
        gone[number] = np.isfinite(last[1]) & (last[1] > last[0])
    return _Base(
        ends=ends,
        customer=log.customer[start],
        channel=log.channel[start],
        known=known,
        gone=gone,
        value=grid(told.value),
        low=grid(told.low),
        high=grid(told.high),
        drive=grid(told.drive_away),
        blind=grid(told.blind),
        weights=rng.poisson(1.0, (DRAWS, len(log.customers))).astype(np.uint8),
    )


def levels_by(
    value: Floats, low: Floats, drive: Floats, policy: Policy, *, channel: str = ""
) -> npt.NDArray[np.int64]:
    """`credit_levels.level_by` of many at once: index into press, sell, useful and (4) none."""
    money = not isnan(policy.loss_of_customer) and bool(policy.gain_per_touch)
    cost = policy.cost_per_message.get(channel, policy.cost_per_message.get("", 0.0))

    def worth(purpose: str, chance: Floats) -> npt.NDArray[np.bool_]:
        asked = {"offer": policy.sell_at, "press": policy.press_at}.get(purpose, float("nan"))
        if not isnan(asked):
            return np.ones(len(chance), dtype=bool)
        drives = np.minimum(drive * HARSHER[purpose], 1.0)
        if not in_money(policy, purpose):
            return chance >= drives * (1.0 if purpose == "useful" else WELCOMES_PER_LOSS)
        gain = policy.gain_per_touch.get(purpose, 0.0)  # pyright: ignore[reportCallIssue, reportArgumentType]
        return gain * chance - cost - policy.loss_of_customer * drives >= 0

    def above(asked: float, default: float) -> npt.NDArray[np.bool_]:
        if not isnan(asked):
            return low >= asked
        return np.ones(len(low), dtype=bool) if money else low >= default

    useful = worth("useful", value)
    sell = useful & above(policy.sell_at, SELL_AT) & worth("offer", low)
    press = sell & above(policy.press_at, PRESS_AT) & worth("press", low)
    found = np.where(press, 0, np.where(sell, 1, np.where(useful, 2, STATES.index("none"))))
    return np.where(np.isnan(value), STATES.index("useful"), found)


def _states(base: _Base, log: TouchLog, policy: Policy) -> npt.NDArray[np.int64]:
    """(months, pairs) index into STATES; −1: not written to yet."""
    found = np.full(base.value.shape, -1)
    for number in range(len(base.ends)):
        for place, channel in enumerate(log.channels):
            here = base.channel == place
            found[number, here] = levels_by(
                base.value[number, here],
                base.low[number, here],
                base.drive[number, here],
                policy,
                channel=channel,
            )
    found[base.blind >= BLIND_FROM] = STATES.index("blind")
    found[base.gone] = STATES.index("gone")
    found[~base.known] = -1
    return found


def _of_channel(base: _Base, states: npt.NDArray[np.int64], place: int) -> tuple[Ints, npt.NDArray[np.int64]]:
    """Customers and their states (months, customers) on one channel; −1: on his best one."""
    if place >= 0:
        mine = base.channel == place
        return base.customer[mine], states[:, mine]
    owner, code = np.unique(base.customer, return_inverse=True)
    worst = len(STATES)
    best = np.full((len(states), len(owner)), worst)
    for number, row in enumerate(states):
        np.minimum.at(best[number], code, np.where(row < 0, worst, row))
    return owner, np.where(best == worst, -1, best)


def _standing(
    base: _Base,
    owner: Ints,
    row: npt.NDArray[np.int64],
    number: int,
    place: int,
    name: str,
    month: str,
    share: float,
) -> Standing:
    known = row >= 0
    weights = base.weights[:, owner[known]].astype(np.float32)
    total = weights.sum(axis=1)
    states: dict[State, Share] = {}
    for code, state in enumerate(STATES):
        hits = row[known] == code
        value = float(hits.mean()) if len(hits) else float("nan")
        states[state] = _spread(value, weights @ hits.astype(np.float32), total)
    pairs = base.here[number] & ((base.channel == place) if place >= 0 else True)
    steady, credit = _means(base, number, np.flatnonzero(pairs))
    return Standing(
        month=month,
        until=time_of(float(base.ends[number])),
        channel=name,
        customers=float(known.sum() / share),
        states=states,
        blind=_with_level_error(steady),
        credit=credit,
        blind_steady=steady,
    )


def _means(base: _Base, number: int, pairs: Ints) -> tuple[Share, Share]:
    """Of blindness and of credit over some pairs."""
    if not len(pairs):
        return UNKNOWN, UNKNOWN
    weights = base.weights[:, base.customer[pairs]].astype(np.float32)
    total = weights.sum(axis=1)
    blind = base.blind[number, pairs].astype(np.float32)
    # a draw for each customer in each replicate would be noise on noise: its variance is added instead
    told = _spread(
        float(base.blind[number, pairs].mean()),
        weights @ blind,
        total,
        more=float((blind * (1 - blind)).sum()) / len(pairs) ** 2,
    )
    value, spread = base.value[number, pairs], _width(base, number, pairs)
    credit = _spread(
        float(value.mean()),
        weights @ value.astype(np.float32),
        total,
        more=float(np.square(spread).sum()) / len(pairs) ** 2 + float(MEAN_ERROR * value.mean()) ** 2,
    )
    return told, credit


def _with_level_error(steady: Share) -> Share:
    """The interval with `LEVEL_ERROR` in it."""
    if not 0 < steady.value < 1:
        return steady
    own = (steady.high - steady.low) / (2 * Z95 * steady.value * (1 - steady.value))
    wide, middle = Z95 * float(np.hypot(own, LEVEL_ERROR)), float(logit(np.array([steady.value]))[0])
    low, high = (float(1 / (1 + np.exp(-(middle + side)))) for side in (-wide, wide))
    return Share(value=steady.value, low=min(low, steady.low), high=max(high, steady.high))


def _width(base: _Base, number: int, pairs: Ints) -> Floats:
    """Standard errors of credit, from its interval."""
    return (base.high[number, pairs] - base.low[number, pairs]) / (2 * Z95)


def _spread(value: float, sums: Floats, total: Floats, *, more: float = 0.0) -> Share:
    """The central 95% over the draws of customers, widened by a variance within customers."""
    means = sums / np.maximum(total, 1.0)
    error = float(np.sqrt(np.var(means) + more))
    low, high = value - Z95 * error, value + Z95 * error
    return Share(value=value, low=max(low, 0.0), high=min(high, 1.0))


def _tenths(base: _Base, place: int, name: str) -> list[Tenth]:
    """At the end of the log."""
    pairs = np.flatnonzero(base.here[-1] & (base.channel == place))
    if len(pairs) < TENTHS:
        return []
    pairs = pairs[np.lexsort((pairs, -base.value[-1, pairs]))]
    whole = base.value[-1, pairs].sum()
    found: list[Tenth] = []
    sums, counts = [], []
    groups = np.array_split(pairs, TENTHS)
    for group in groups:
        weights = base.weights[:, base.customer[group]].astype(np.float32)
        sums.append(weights @ base.value[-1, group].astype(np.float32))
        counts.append(weights.sum(axis=1))
    everything = np.sum(sums, axis=0)
    for number, group in enumerate(groups):
        more = float(np.square(_width(base, -1, group)).sum())
        mean = float(base.value[-1, group].mean())
        part = float(base.value[-1, group].sum() / whole) if whole else float("nan")
        found.append(
            Tenth(
                channel=name,
                tenth=number + 1,
                credit=_spread(mean, sums[number], counts[number], more=more / len(group) ** 2),
                welcomes=_spread(part, sums[number], everything, more=more / float(whole) ** 2)
                if whole
                else UNKNOWN,
            )
        )
    return found


def _bears(base: _Base, place: int, name: str, policy: Policy, rng: np.random.Generator) -> Bears:
    """Shares of those still written to, over draws of their credit and of the customers."""
    pairs = np.flatnonzero(base.here[-1] & (base.channel == place))
    if not len(pairs):
        return Bears(channel=name, sell=UNKNOWN, press=UNKNOWN)
    value, low, high = (
        np.clip(column[-1, pairs], 1e-9, 1 - 1e-9) for column in (base.value, base.low, base.high)
    )
    middle, error = logit(value), np.maximum(logit(high) - logit(low), 0.0) / (2 * Z95)
    drive = base.drive[-1, pairs]
    sells, presses = np.zeros(DRAWS), np.zeros(DRAWS)
    for draw in range(DRAWS):
        credit = 1 / (1 + np.exp(-(middle + error * rng.standard_normal(len(pairs)))))
        level = levels_by(credit, credit, drive, policy, channel=name)
        weight = base.weights[draw, base.customer[pairs]].astype(np.float64)
        total = max(float(weight.sum()), 1.0)
        sells[draw], presses[draw] = weight @ (level <= 1) / total, weight @ (level == 0) / total
    return Bears(channel=name, sell=_central(sells), press=_central(presses))


def _central(draws: Floats) -> Share:
    low, high = np.quantile(draws, (0.025, 0.975)).tolist()
    return Share(value=float(draws.mean()), low=low, high=high)


def _moves(
    before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], name: str, month: str, share: float
) -> list[Move]:
    known = after >= 0
    code = (before[known] + 1) * len(STATES) + after[known]
    counts = np.bincount(code, minlength=(len(STATES) + 1) * len(STATES))
    return [
        Move(
            month=month,
            channel=name,
            was=NEW if place < len(STATES) else STATES[place // len(STATES) - 1],
            now=STATES[place % len(STATES)],
            customers=float(counts[place] / share),
        )
        for place in np.flatnonzero(counts).tolist()
    ]


def _starters(log: TouchLog, base: _Base, months: list[str], share: float) -> tuple[Starters, ...]:
    """Customers by the month in which they were first written to, on any channel; the last message is 72 hours old."""
    order = np.lexsort((log.sent, log.customer))
    who = log.customer[order]
    first = np.concatenate([[True], who[1:] != who[:-1]])
    begins = np.flatnonzero(first)
    place = np.arange(len(who)) - np.repeat(begins, np.diff(np.append(begins, len(who))))
    early = place < FIRST
    settled = log.closed[order]
    cohort_of = np.searchsorted(base.ends, log.sent[order][begins], side="left")
    cohort = np.repeat(cohort_of, np.diff(np.append(begins, len(who))))
    kind = log.purpose[order]
    useful = (kind == PURPOSES.index("useful")) | (kind == PURPOSES.index("service"))
    glad, left = np.isfinite(log.welcomed[order]), np.isfinite(log.drove[order])
    found: list[Starters] = []
    for number, month in enumerate(months):
        # those who were there when the log began are no beginners
        if not number:
            continue
        rows = early & settled & (cohort == number)
        customers = int((cohort_of == number).sum())
        if customers < LEAST_STARTERS:
            continue
        lost = np.zeros(len(log.customers), dtype=bool)
        lost[who[rows & left]] = True
        found.append(
            Starters(
                month=month,
                customers=customers / share,
                useful=_by_customer(useful[rows], who[rows]),
                welcomed=_by_customer(glad[rows], who[rows]),
                gone=wilson(int(lost.sum()), customers),
            )
        )
    return tuple(found)


def _by_customer(hits: npt.NDArray[np.bool_], who: Ints) -> Share:
    """A share over messages whose customers were drawn: the error of a ratio of sums by customer (delta method)."""
    code = np.unique(who, return_inverse=True)[1]
    count, sums = np.bincount(code), np.bincount(code, weights=hits)
    value = float(sums.sum() / count.sum())
    if value in (0.0, 1.0):
        return wilson(int(sums.sum()), int(count.sum()))
    error = float(np.sqrt(np.square(sums - value * count).sum())) / float(count.sum())
    return Share(value=value, low=max(value - Z95 * error, 0.0), high=min(value + Z95 * error, 1.0))


def wilson(hits: int, n: int) -> Share:
    """A share with its interval (Wilson 1927, eq. 4)."""
    if not n:
        return UNKNOWN
    value = hits / n
    scale = 1 + Z95**2 / n
    middle = (value + Z95**2 / (2 * n)) / scale
    half = Z95 * np.sqrt(value * (1 - value) / n + Z95**2 / (4 * n * n)) / scale
    low = float(middle - half) if hits else 0.0
    high = float(middle + half) if hits < n else 1.0
    return Share(value=value, low=low, high=high)
