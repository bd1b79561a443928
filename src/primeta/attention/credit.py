"""Credit of one customer: kept as a small state, moved by each event, read before each touch.

A state is a function of the set of his events: `state_of` sorts them and leaves out what is told twice; `update` adds
one event in its time, and answers None where it comes late, so that all are gone through again (a year takes
milliseconds). The same numbers come out as from `credit_model.foresee` over a whole log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from math import exp, log, log1p
from operator import mul
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.attention.alarm_score import BLIND_WEIGHT, USUAL_WEIGHT
from primeta.attention.baselines import count_row
from primeta.attention.credit_features import (
    ALL_TOUCHES,
    ALL_WELCOMED,
    BROKEN,
    COUNT_WINDOWS,
    DROVE,
    KEPT,
    LONG,
    MARKS,
    ONSET_PLACES,
    SERVICE,
    WELCOME_NAMES,
    WELCOMED,
    drive_row,
    stack_row,
    welcome_row,
    welcome_values,
)
from primeta.attention.credit_levels import level_by, level_of
from primeta.attention.credit_model import CreditModel
from primeta.attention.credit_rest import REST_MOST, rest_days
from primeta.attention.outcomes import days_of, time_of
from primeta.attention.records import PURPOSES, Credit, Policy, Purpose
from primeta.errors import BadInput
from primeta.stats.attention_filter import (
    AT_START,
    BLIND,
    FIRST_DAYS,
    LAST_DAYS,
    LEVELS,
    drift_modes,
)
from primeta.stats.attention_interval import one_interval
from primeta.stats.decayed import MEMORIES

__all__ = [
    "ChannelState", "CreditEvent", "CreditModel", "CreditState", "Prediction", "credit_of", "level_of", "new_state",
    "predict", "state_of", "update",
]  # fmt: skip

Floats = npt.NDArray[np.floating[Any]]
CreditEventKind = Literal["touch", "welcomed", "drove-away", "broken", "kept"]
"""A message was sent; it was welcomed (human click, reply, visit or order within 72 hours); it drove him away (opt-out
or complaint within 72 hours); a promise to him was broken or kept."""
_TURN = {"welcomed": 0, "drove-away": 1, "broken": 2, "kept": 2, "touch": 5}
_MONTH = COUNT_WINDOWS[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEvent:
    """What moves credit. Opens are no events: they weigh nothing."""

    kind: CreditEventKind
    at: datetime
    channel: str
    purpose: Purpose = "useful"
    """Of a touch."""
    message_id: str = ""
    """Of a touch and of what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Of the next touch, with 95% interval of P(welcomed and not driven away)."""

    welcome: float
    """Given that it does not drive away."""
    drive_away: float
    value: float
    """welcome × (1 − drive_away)."""
    low: float
    high: float
    blind: float


@dataclass(frozen=True, slots=True)
class Pending:
    """A touch whose 72 hours are not over."""

    message_id: str
    sent: float
    x: float
    purpose: int
    marked: bool = False
    """Its first 24 hours were silent, and that has been counted."""
    answered: bool = False
    drove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelState:
    """One customer on one channel. Times are days since 1970-01-01 UTC."""

    weights: Floats
    """(14,) of the hidden states, as of `at`."""
    at: float
    own: Floats
    """(9, 4) fading counts, as of `counted_at`."""
    counted_at: float
    earlier: int = 0
    """Touches so far."""
    unanswered: int = 0
    """Since the last welcome."""
    pending: tuple[Pending, ...] = ()
    sent: tuple[float, ...] = ()
    """Within the last 30 days, as of the last event."""
    welcomed: tuple[float, ...] = ()
    fading: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Welcomes, silences, as of the day."""
    gone_at: float | None = None
    """The last time a touch on this channel drove him away."""
    usual: float = 0.0
    """Log-odds of a long silence when this silence began."""
    rest_until: float | None = None
    """Of who most probably no longer looks; None: no alarm that a touch has met."""
    rest_days: float = 0.0
    """Of the rest now."""
    last: float | None = None
    """The last touch but service ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CreditState:
    """All that credit remembers of one customer."""

    as_of: datetime
    """Of the last event that it holds."""
    channels: Mapping[str, ChannelState]
    everywhere: Floats
    """(4, 4) fading counts on all channels, as of `counted_at`."""
    counted_at: float

    @property
    def touches(self) -> int:
        return sum(channel.earlier for channel in self.channels.values())

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "as_of": self.as_of.isoformat(),
            "everywhere": self.everywhere.tolist(),
            "counted_at": self.counted_at,
            "channels": {
                name: {
                    "weights": entry.weights.tolist(),
                    "at": entry.at,
                    "own": entry.own.tolist(),
                    "counted_at": entry.counted_at,
                    "earlier": entry.earlier,
                    "unanswered": entry.unanswered,
                    "pending": [
                        [getattr(touch, key) for key in Pending.__slots__] for touch in entry.pending
                    ],
                    "sent": list(entry.sent),
                    "welcomed": list(entry.welcomed),
                    "fading": list(entry.fading),
                    "gone_at": entry.gone_at,
                    "usual": entry.usual,
                    "rest_until": entry.rest_until,
                    "rest_days": entry.rest_days,
                    "last": entry.last,
                }
                for name, entry in self.channels.items()
            },
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> CreditState:
        return cls(
            as_of=datetime.fromisoformat(kept["as_of"]),
            everywhere=np.array(kept["everywhere"], dtype=float),
            counted_at=kept["counted_at"],
            channels={
                name: ChannelState(
                    weights=np.array(entry["weights"], dtype=float),
                    at=entry["at"],
                    own=np.array(entry["own"], dtype=float),
                    counted_at=entry["counted_at"],
                    earlier=entry["earlier"],
                    unanswered=entry["unanswered"],
                    pending=tuple(Pending(*touch) for touch in entry["pending"]),
                    sent=tuple(entry["sent"]),
                    welcomed=tuple(entry["welcomed"]),
                    fading=tuple(entry["fading"]),
                    gone_at=entry["gone_at"],
                    usual=entry["usual"],
                    rest_until=entry["rest_until"],
                    rest_days=entry["rest_days"],
                    last=entry["last"],
                )
                for name, entry in kept["channels"].items()
            },
        )


def new_state(*, at: datetime) -> CreditState:
    """Of a customer of whom nothing is known."""
    return CreditState(as_of=at, channels={}, everywhere=np.zeros((4, len(MEMORIES))), counted_at=days_of(at))


def state_of(events: Iterable[CreditEvent], *, model: CreditModel, until: datetime) -> CreditState:
    """From the set of a customer's events, whatever their order and however often each is told.

    Events later than `until` are left out; so is what came of a message that was never sent, or later than 72 hours.
    A message told twice with different times counts at its earliest.
    """
    ordered = in_order(events, until=until)
    if not ordered:
        return new_state(at=until)
    state = new_state(at=ordered[0].at)
    for event in ordered:
        after = update(state, event, model=model)
        state = state if after is None else after
    return state


def in_order(events: Iterable[CreditEvent], *, until: datetime) -> list[CreditEvent]:
    """Each once, in the order in which they move credit; a message told twice counts at its earliest."""
    touches: dict[str, CreditEvent] = {}
    other: set[CreditEvent] = set()
    for event in events:
        if event.at > until:
            continue
        if event.kind != "touch":
            other.add(event)
            continue
        before = touches.get(event.message_id)
        if before is None or _order(event) < _order(before):
            touches[event.message_id] = event
    return sorted([*touches.values(), *other], key=_order)


def _order(event: CreditEvent) -> tuple[datetime, int, str, str, str, str]:
    return event.at, _TURN[event.kind], event.channel, event.message_id, event.kind, event.purpose


def update(state: CreditState, event: CreditEvent, *, model: CreditModel) -> CreditState | None:
    """With one event more; None where the event is older than the state: then `state_of` all his events.

    Raises:
        BadInput: no such kind of event or purpose.
    """
    if event.at < state.as_of:
        return None
    when = days_of(event.at)
    everywhere = state.everywhere * np.exp(-max(when - state.counted_at, 0.0) / MEMORIES)
    channels = state.channels
    kind = event.kind
    if kind == "touch":
        if event.purpose not in PURPOSES:
            raise BadInput(f"no purpose is called {event.purpose!r}; expected one of {', '.join(PURPOSES)}")
        before = channels.get(event.channel)
        if before is not None and any(touch.message_id == event.message_id for touch in before.pending):
            return state
        channel = _sent(before, event, when, everywhere, model)
        channels = {**channels, event.channel: channel}
        if event.purpose != "service":
            everywhere[ALL_TOUCHES] += 1.0
    elif kind in ("welcomed", "drove-away"):
        channel, purpose = _answered(channels.get(event.channel), event, when, model)
        if channel is None:
            return state
        channels = {**channels, event.channel: channel}
        if purpose >= 0:
            everywhere[ALL_WELCOMED] += 1.0
    elif kind == "broken":
        everywhere[BROKEN] += 1.0
    elif kind == "kept":
        everywhere[KEPT] += 1.0
    else:
        raise BadInput(f"no event of credit is called {kind!r}; expected one of {', '.join(_TURN)}")
    return CreditState(as_of=event.at, channels=channels, everywhere=everywhere, counted_at=when)


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """What is worked out of a model once."""

    levels: Floats
    """(14,)"""
    places: dict[str, int]
    """Of channels that have a level of their own."""
    rates: Floats
    """(14,) of the drift's modes, the last one that of recovery from blindness."""
    to_modes: Floats
    """(14, 14)"""
    from_modes: Floats
    known: tuple[tuple[float, Floats], ...]
    """Gaps in days that come with every silent touch, and their whole drift (14, 14)."""
    at_rest: Floats
    """(14,) hope at rest."""
    alarm: tuple[float, ...]
    welcome: tuple[float, ...]
    """By which the values of a touch count, its channel left out …"""
    by_channel: tuple[float, ...]
    """… and its channel."""
    onset: tuple[tuple[int, float], ...]
    """Place among the values, coefficient."""
    wear: tuple[float, ...]


@lru_cache(maxsize=8)
def _numbers(model: CreditModel) -> _Numbers:
    """The blind who look again begin as anybody does, and that start does not drift: so blindness is one mode more."""
    slow, right, left = drift_modes()
    to_modes, from_modes = np.zeros((LEVELS + 1, LEVELS + 1)), np.zeros((LEVELS + 1, LEVELS + 1))
    to_modes[:LEVELS, :LEVELS], to_modes[BLIND, :LEVELS], to_modes[BLIND, BLIND] = (
        right,
        AT_START @ right,
        1.0,
    )
    from_modes[:LEVELS, :LEVELS], from_modes[BLIND, :LEVELS], from_modes[BLIND, BLIND] = left, -AT_START, 1.0
    rates = np.append(model.filter.drift * slow, -model.filter.recovery)
    return _Numbers(
        model.filter.levels(),
        {name: place for place, name in enumerate(model.channels)},
        rates,
        to_modes,
        from_modes,
        tuple(
            (gap, (to_modes * np.exp(gap * rates)) @ from_modes)
            for gap in (FIRST_DAYS, LAST_DAYS - FIRST_DAYS)
        ),
        model.filter.hope_at_rest(),
        tuple(model.alarm.tolist()),
        tuple(model.filter.welcome[: len(WELCOME_NAMES)].tolist()),
        tuple(model.filter.welcome[len(WELCOME_NAMES) :].tolist()),
        tuple(zip(ONSET_PLACES, model.filter.onset.tolist(), strict=True)),
        tuple(model.filter.wear.tolist()),
    )


ONES = np.ones(LEVELS + 1)
"""A product with it sums up sooner than `sum` does."""
AS_GOOD_AS = 1e-8
"""Days by which a gap may differ from a known one."""


def _drifted(weights: Floats, gap: float, model: CreditModel) -> Floats:
    """`attention_filter.drifted` of one."""
    numbers = _numbers(model)
    for known, whole in numbers.known:
        if -AS_GOOD_AS < gap - known < AS_GOOD_AS:
            moved = weights @ whole
            break
    else:
        moved = (weights @ numbers.to_modes * np.exp(gap * numbers.rates)) @ numbers.from_modes
    return np.maximum(moved, 1e-300, out=moved)


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + exp(-min(max(x, -35.0), 35.0)))


def _hopes(levels: Floats, x: float) -> Floats:
    z = levels + x
    if abs(x) > 20.0:
        z = np.clip(z, -35.0, 35.0)
    return 1.0 / (1.0 + np.exp(-z))


def _caught_up(channel: ChannelState, to: float, model: CreditModel, *, whole: bool) -> ChannelState:
    """With the instalments of silence that are due before `to` (`whole`: or at it)."""
    if not channel.pending:
        return channel
    due: list[tuple[float, int, int]] = []
    for place, touch in enumerate(channel.pending):
        if not touch.answered:
            for when, turn in ((touch.sent + FIRST_DAYS, 3), (touch.sent + LAST_DAYS, 2)):
                if (when < to or (whole and when == to)) and not (turn == 3 and touch.marked):
                    due.append((when, turn, place))
    weights, at, fading = channel.weights, channel.at, channel.fading
    pending = list(channel.pending)
    if due:
        levels = _numbers(model).levels
        within = model.filter.within
        if len(due) > 1:
            due.sort()
        hopes: dict[int, tuple[Floats, Floats]] = {}
        silent: set[int] = set()
        for when, turn, place in due:
            weights, at = _drifted(weights, max(when - at, 0.0), model), when
            seen = hopes.get(place)
            if seen is None:
                hope = _hopes(levels, pending[place].x)
                seen = hopes[place] = (hope, 1 - within * hope)
            hope, quiet = seen
            weights *= quiet if turn == 3 else (1 - hope) / quiet
            weights /= weights @ ONES
            if turn == 2:
                fading = _faded(fading, when, model, welcomed=False)
                silent.add(place)
        for place in hopes:
            touch = pending[place]
            # what is over and goes below needs no new record
            if touch.sent + LAST_DAYS >= to:
                pending[place] = Pending(
                    touch.message_id, touch.sent, touch.x, touch.purpose, True, place in silent, touch.drove
                )
    kept = tuple(touch for touch in pending if touch.sent + LAST_DAYS >= to)
    if not due and len(kept) == len(pending):
        return channel
    return ChannelState(
        weights=weights,
        at=at,
        own=channel.own,
        counted_at=channel.counted_at,
        earlier=channel.earlier,
        unanswered=channel.unanswered,
        pending=kept,
        sent=channel.sent,
        welcomed=channel.welcomed,
        fading=fading,
        gone_at=channel.gone_at,
        usual=channel.usual,
        rest_until=channel.rest_until,
        rest_days=channel.rest_days,
        last=channel.last,
    )


def _silence(channel: ChannelState | None, model: CreditModel) -> tuple[float, float]:
    """Log-odds of a long silence and of blindness as of the channel's last event: `alarm_columns` of one."""
    numbers = _numbers(model)
    if channel is None:
        weights, glad, sent, unanswered, earlier = model.filter.start(), 0.0, 0.0, 0, 0
    else:
        weights, unanswered, earlier = channel.weights, channel.unanswered, channel.earlier
        stay = exp((channel.counted_at - channel.at) / MEMORIES[LONG])
        long_ago = channel.own[:, LONG].tolist()
        glad, sent = sum(long_ago[WELCOMED:DROVE]) * stay, sum(long_ago[:WELCOMED]) * stay
    blind = min(max(float(weights[BLIND]), 1e-12), 1 - 1e-12)
    hope = float(weights @ numbers.at_rest)
    level, by_blind, by_hope, by_unanswered, by_glad, by_sent, by_touches = numbers.alarm
    odds = log(blind / (1 - blind))
    told = (
        level
        + by_blind * odds
        + by_hope * log(hope / (1 - hope))
        + by_unanswered * log1p(unanswered)
        + by_glad * log1p(glad)
        + by_sent * log1p(sent)
        + by_touches * log1p(earlier)
    )
    return told, odds


def alarm_score(channel: ChannelState | None, model: CreditModel) -> float:
    """`alarm_score.alarm_scores` of one, without the earlier peaks of this silence."""
    told, odds = _silence(channel, model)
    usual = told if channel is None or not channel.unanswered else channel.usual
    return told - USUAL_WEIGHT * usual + BLIND_WEIGHT * odds


def resting(channel: ChannelState | None, model: CreditModel) -> tuple[float, float] | None:
    """Until which day marketing rests here, and for how many days; None: no alarm.

    The alarm of a silence stays until something is welcomed. Rest is counted from the end of the last message's 72
    hours, so that it does not depend on when it is asked about. A rest that a message ended is the longer of two:
    twice as long each time.

    Args:
        channel: caught up with the moment of the question.
    """
    if channel is None or channel.last is None:
        return None
    if channel.rest_until is not None:
        return channel.rest_until, channel.rest_days
    if alarm_score(channel, model) < model.alarm_above:
        return None
    days = rest_days(float(channel.weights[BLIND]), model.filter.recovery)
    return channel.last + LAST_DAYS + days, days


def _rested(
    channel: ChannelState | None, *, when: float, purpose: int, model: CreditModel
) -> dict[str, float | None]:
    """What a touch makes of the alarm: the first one after a rest is the probe, the next rest is twice as long."""
    told: dict[str, float | None] = {}
    if channel is None or not channel.unanswered:
        told["usual"] = _silence(channel, model)[0]
    if purpose == SERVICE:
        return told
    told["last"] = when
    rest = resting(channel, model)
    if rest is None:
        return told
    until, days = rest
    if when >= until:
        days = min(2 * days, REST_MOST)
    return {**told, "rest_until": max(until, when + LAST_DAYS + days), "rest_days": days}


def _faded(
    fading: tuple[float, float, float], when: float, model: CreditModel, *, welcomed: bool | None
) -> tuple[float, float, float]:
    if model.baselines is None:
        return fading
    stay = exp(-max(when - fading[2], 0.0) / model.baselines.beta_memory)
    return fading[0] * stay + (welcomed is True), fading[1] * stay + (welcomed is False), when


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A touch looked at just before it is sent."""

    weights: Floats
    x: float
    values: tuple[float, ...]
    place: int
    own: Floats

    def row(self, model: CreditModel) -> Floats:
        """`credit_features.welcome_columns` of it."""
        return welcome_row(self.values, place=self.place, channels=len(model.channels))


def _ahead(
    channel: ChannelState | None,
    *,
    name: str,
    purpose: int,
    when: float,
    everywhere: Floats,
    model: CreditModel,
) -> _Ahead:
    """What a touch does to the weights; `channel` is caught up with `when`, `everywhere` decayed to it."""
    numbers = _numbers(model)
    if channel is None:
        weights, own, earlier = model.filter.start(), np.zeros((MARKS, len(MEMORIES))), 0
    else:
        weights = _drifted(channel.weights, max(when - channel.at, 0.0), model)
        own = channel.own * np.exp(-max(when - channel.counted_at, 0.0) / MEMORIES)
        earlier = channel.earlier
    values = welcome_values(
        purpose=purpose,
        at=when,
        own=own,
        everywhere=everywhere,
        earlier=earlier,
        season=model.season.one(when),
    )
    place = numbers.places.get(name, -1)
    x = sum(map(mul, values, numbers.welcome)) + (numbers.by_channel[place] if place >= 0 else 0.0)
    onset = _sigmoid(sum(values[at] * by for at, by in numbers.onset))
    wear = _sigmoid(sum(map(mul, values, numbers.wear)))
    level = weights[:LEVELS]
    worn = level * wear
    worn[0] = 0.0
    after = np.empty(LEVELS + 1)
    after[:LEVELS] = level - worn
    after[: LEVELS - 1] += worn[1:]
    gone = float(after[:LEVELS] @ ONES[:LEVELS]) * onset
    after[:LEVELS] *= 1 - onset
    after[BLIND] = weights[BLIND] + gone
    return _Ahead(after, x, values, place, own)


def _sent(
    before: ChannelState | None, event: CreditEvent, when: float, everywhere: Floats, model: CreditModel
) -> ChannelState:
    channel = None if before is None else _caught_up(before, when, model, whole=True)
    purpose = PURPOSES.index(event.purpose)
    ahead = _ahead(
        channel, name=event.channel, purpose=purpose, when=when, everywhere=everywhere, model=model
    )
    rest: Any = _rested(channel, when=when, purpose=purpose, model=model)
    own = ahead.own
    own[purpose] += 1.0
    pending = Pending(event.message_id, when, ahead.x, purpose)
    if channel is None:
        return ChannelState(
            weights=ahead.weights,
            at=when,
            own=own,
            counted_at=when,
            earlier=1,
            unanswered=1,
            pending=(pending,),
            sent=(when,),
            fading=(0.0, 0.0, when),
            **rest,
        )
    since = when - _MONTH
    return ChannelState(
        weights=ahead.weights,
        at=when,
        own=own,
        counted_at=when,
        earlier=channel.earlier + 1,
        unanswered=channel.unanswered + 1,
        pending=(*channel.pending, pending),
        sent=(*(day for day in channel.sent if day >= since), when),
        welcomed=tuple(day for day in channel.welcomed if day >= since),
        fading=channel.fading,
        gone_at=channel.gone_at,
        usual=rest.get("usual", channel.usual),
        rest_until=rest.get("rest_until", channel.rest_until),
        rest_days=rest.get("rest_days", channel.rest_days),
        last=rest.get("last", channel.last),
    )


def _answered(
    before: ChannelState | None, event: CreditEvent, when: float, model: CreditModel
) -> tuple[ChannelState | None, int]:
    """The channel after a reaction, and the purpose of what was welcomed or −1; None where it changes nothing."""
    if before is None:
        return None, -1
    channel = _caught_up(before, when, model, whole=False)
    glad = event.kind == "welcomed"
    place = next(
        (
            number
            for number, touch in enumerate(channel.pending)
            if touch.message_id == event.message_id and not (touch.answered if glad else touch.drove)
        ),
        -1,
    )
    if place < 0 or when - channel.pending[place].sent > LAST_DAYS:
        return None, -1
    touch = channel.pending[place]
    own = channel.own * np.exp(-max(when - channel.counted_at, 0.0) / MEMORIES)
    rest = list(channel.pending)
    if not glad:
        own[DROVE] += 1.0
        rest[place] = replace(touch, drove=True)
        return replace(channel, own=own, counted_at=when, pending=tuple(rest), gone_at=when), -1
    own[WELCOMED + touch.purpose] += 1.0
    rest[place] = replace(touch, answered=True)
    hope = _hopes(_numbers(model).levels, touch.x)
    if touch.marked:
        hope = hope / (1 - model.filter.within * hope)
    weights = _drifted(channel.weights, max(when - channel.at, 0.0), model) * hope
    weights /= weights @ ONES
    rise = weights[: LEVELS - 1] * model.filter.lift
    weights[: LEVELS - 1] -= rise
    weights[1:LEVELS] += rise
    return replace(
        channel,
        weights=weights,
        at=when,
        own=own,
        counted_at=when,
        unanswered=0,
        rest_until=None,
        rest_days=0.0,
        pending=tuple(rest),
        welcomed=(*channel.welcomed, when),
        fading=_faded(channel.fading, when, model, welcomed=True),
    ), touch.purpose


@dataclass(frozen=True, slots=True)
class _Look:
    """What is foretold of one touch, before its interval."""

    ahead: _Ahead
    row: Floats
    raw: float
    blind: float
    corrected: float
    drive: float


def _looked(
    state: CreditState,
    now: ChannelState | None,
    everywhere: Floats,
    *,
    model: CreditModel,
    channel: str,
    code: int,
    when: float,
) -> _Look:
    ahead = _ahead(now, name=channel, purpose=code, when=when, everywhere=everywhere, model=model)
    row = ahead.row(model)
    raw = float(ahead.weights @ _hopes(_numbers(model).levels, ahead.x))
    blind = float(ahead.weights[BLIND])
    earlier, unanswered = (0, 0) if now is None else (now.earlier, now.unanswered)
    stack = stack_row(
        row,
        purpose=code,
        own=ahead.own,
        everywhere=everywhere,
        earlier=earlier,
        unanswered=unanswered,
        raw=raw,
        blind=blind,
    )
    corrected = float(stack @ model.stack)
    hazard = drive_row(
        row,
        own=ahead.own,
        earlier=earlier,
        unanswered=unanswered,
        logit=corrected,
        blind=blind,
    )
    return _Look(ahead, row, raw, blind, corrected, _sigmoid(float(hazard @ model.drive)))


def _moment(
    state: CreditState, model: CreditModel, channel: str, at: datetime
) -> tuple[ChannelState | None, Floats, float]:
    """The channel caught up, the fading counts and the day, at `at` or the state's own time if that is later."""
    when = max(days_of(at), state.counted_at)
    now = state.channels.get(channel)
    if now is not None:
        now = _caught_up(now, when, model, whole=True)
    return now, state.everywhere * np.exp(-(when - state.counted_at) / MEMORIES), when


def predict(
    state: CreditState, *, model: CreditModel, channel: str, purpose: Purpose, at: datetime
) -> Prediction:
    """Before a touch of this purpose on this channel at this time (the state's own time if that is later)."""
    now, everywhere, when = _moment(state, model, channel, at)
    return _foretold(
        state, now, everywhere, model=model, channel=channel, code=PURPOSES.index(purpose), when=when
    )


def _foretold(
    state: CreditState,
    now: ChannelState | None,
    everywhere: Floats,
    *,
    model: CreditModel,
    channel: str,
    code: int,
    when: float,
) -> Prediction:
    look = _looked(state, now, everywhere, model=model, channel=channel, code=code, when=when)
    if model.used in ("counts", "beta-binomial"):
        return _by_baseline(now, model, when=when, purpose=code, blind=look.blind)
    ahead = look.ahead
    welcome, drive = _sigmoid(look.corrected), look.drive
    low, high = one_interval(
        ahead.weights,
        _numbers(model).levels,
        x=ahead.x + look.corrected - (log(look.raw) - log1p(-look.raw)),
        value=welcome,
        x_variance=float(look.row @ model.welcome_covariance @ look.row),
        widen=float(np.interp(look.corrected, model.widen_at, model.widen_by)),
    )
    return Prediction(
        welcome=welcome,
        drive_away=drive,
        value=welcome * (1 - drive),
        low=low * (1 - drive),
        high=high * (1 - drive),
        blind=look.blind,
    )


def _by_baseline(
    channel: ChannelState | None, model: CreditModel, *, when: float, purpose: int, blind: float
) -> Prediction:
    from scipy.special import betaincinv

    rivals = model.baselines
    assert rivals is not None
    if model.used == "counts":
        sent, glad = ((), ()) if channel is None else (channel.sent, channel.welcomed)
        row = count_row(
            purpose,
            tuple(sum(day >= when - days for day in sent) for days in COUNT_WINDOWS),
            tuple(sum(day >= when - days for day in glad) for days in COUNT_WINDOWS),
        )
        good, drive = (
            _sigmoid(float(row @ rivals.counts_welcome)),
            _sigmoid(float(row @ rivals.counts_drive)),
        )
        mass = rivals.counts_concentration
    else:
        fading = (0.0, 0.0, when) if channel is None else _faded(channel.fading, when, model, welcomed=None)
        mean = (fading[0] + rivals.beta_share * rivals.beta_strength) / (
            fading[0] + fading[1] + rivals.beta_strength
        )
        mean = min(max(mean, 1e-6), 1 - 1e-6)
        row = np.array([1.0, log(mean / (1 - mean)), purpose == SERVICE, purpose == 2, purpose == 3])
        good, drive = _sigmoid(float(row @ rivals.beta_welcome)), _sigmoid(float(row @ rivals.beta_drive))
        mass = rivals.beta_concentration
    low, high = (float(betaincinv(good * mass, (1 - good) * mass, q)) for q in (0.025, 0.975))
    return Prediction(
        welcome=good / (1 - drive), drive_away=drive, value=good, low=low, high=high, blind=blind
    )


def credit_of(
    state: CreditState | None, *, model: CreditModel, channel: str, at: datetime, policy: Policy
) -> Credit:
    """Credit for the next useful touch; None: a customer of whom nothing is known (`Credit.model` is "prior").

    The level is that of its lower bound, but useful at most before the policy's `first_useful` touches on all channels.
    """
    known = state if state is not None else new_state(at=at)
    now, everywhere, when = _moment(known, model, channel, at)
    useful = _foretold(
        known, now, everywhere, model=model, channel=channel, code=PURPOSES.index("useful"), when=when
    )
    drives = {"useful": useful.drive_away}
    for purpose in ("offer", "press"):
        code = PURPOSES.index(purpose)
        drives[purpose] = (
            _by_baseline(now, model, when=when, purpose=code, blind=useful.blind).drive_away
            if model.used in ("counts", "beta-binomial")
            else _looked(known, now, everywhere, model=model, channel=channel, code=code, when=when).drive
        )
    touches = 0 if now is None else now.earlier
    rest = resting(now, model)
    gone = now is not None and now.gone_at is not None and not any(d > now.gone_at for d in now.welcomed)
    level = "none" if gone else level_by(useful.value, useful.low, drives, policy, channel=channel)
    if known.touches < policy.first_useful and level in ("sell", "press"):
        level = "useful"
    return Credit(
        value=useful.value,
        low=useful.low,
        high=useful.high,
        welcome=useful.welcome,
        drive_away=useful.drive_away,
        blind=useful.blind,
        level=level,
        model="prior" if touches == 0 else model.used,
        touches=touches,
        as_of=max(at, time_of(known.counted_at)),
        why_not="opted-out" if gone else "",
        rest_until=None if rest is None or gone else time_of(rest[0]),
    )
