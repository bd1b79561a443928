"""What a customer may set himself on the page that a link opens, and the entries that each of his acts becomes.

Every act is a function of his state: what holds already is not written again, so that a button pressed twice is one
entry. An opt-out is dated so that it wins over every consent that is known, also where this clock is behind. A consent
is only ever written by an act of its own, with the text that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from primeta.attention.consents import Mark
from primeta.attention.decide import promises_of
from primeta.attention.fold import CustomerState
from primeta.attention.ledger import Event, key_of, text_hash
from primeta.attention.links import Link
from primeta.attention.records import Promise
from primeta.config import PreferencesConfig

PAUSE = "pause"
"""Name of the promise by which marketing rests."""
PAUSES = (30, 90)
"""Days."""
OFTEN = (1, 2, 3, 5)
HOURS = ((9, 12), (9, 18), (18, 21))
BY = "customer"
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)
"""So that consents that are not in force yet count too."""
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the customer read when he pressed: the proof."""

    text: str
    version: str
    language: str
    surface: str
    """`one-click`, `unsubscribe page`, `preference page`."""
    message_id: str = ""
    controller: str = ""

    def proof(self) -> dict[str, Any]:
        told = {
            "text": self.text,
            "version": self.version,
            "language": self.language,
            "surface": self.surface,
            "text_hash": text_hash(self.text),
        }
        return {**told, "message_id": self.message_id} if self.message_id else told


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChoice:
    """One channel as it stands."""

    name: str
    on: bool
    since: datetime | None = None
    """Of the consent or the opt-out that decides; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything that he may set, as it stands now."""

    channels: tuple[ChannelChoice, ...]
    max_per_week: int | None
    topics: tuple[str, ...] | None
    """None: no restriction."""
    hours: tuple[int, int] | None
    language: str
    paused_until: datetime | None
    personalised: bool
    personal_since: datetime | None
    waiting: bool
    """A wish of his waits for a person, and marketing pauses."""
    deletion_asked: bool

    @property
    def on(self) -> tuple[str, ...]:
        return tuple(channel.name for channel in self.channels if channel.on)


def choices_of(state: CustomerState, link: Link, offered: PreferencesConfig, *, at: datetime) -> Choices:
    """How it stands for him now.

    Args:
        offered: Channels and topics that the workspace lets its customers choose.
        at: Now; what is known later counts too.
    """
    at = max(at, state.as_of)
    only = state.preference("channels")
    names = dict.fromkeys((*offered.channels, link.channel, *_named(state), *(only or ())))
    channels: list[ChannelChoice] = []
    written = {link.channel, *(touch.channel for touch in state.touches)}
    for name in filter(None, names):
        standing = state.standing("marketing", name, at=at)
        # Nobody asked, and messages come: then he can turn them off all the same.
        on = standing.given or (standing.state == "never" and name in written)
        mark = standing.mark
        channels.append(
            ChannelChoice(name=name, on=on, since=mark.at if mark and standing.state != "never" else None)
        )
    if only is not None:
        # Not by an opt-out, but because he named the channels that he wants.
        channels = [one if one.name in only else ChannelChoice(name=one.name, on=False) for one in channels]
    topics, hours = state.preference("topics"), state.preference("hours")
    personal = state.standing("personalisation", "", at=at)
    refused = personal.state in ("withdrawn", "refused")
    return Choices(
        channels=tuple(channels),
        max_per_week=state.preference("max_per_week"),
        topics=None if topics is None else tuple(topics),
        hours=None if hours is None else (int(hours[0]), int(hours[1])),
        language=str(state.preference("language") or ""),
        paused_until=paused_until(state, at=at),
        personalised=not refused,
        personal_since=personal.mark.at if refused and personal.mark else None,
        waiting=bool(state.pending),
        deletion_asked=any(wish.means == "delete-data" for wish in state.pending),
    )


def _named(state: CustomerState) -> list[str]:
    """Channels that he is written to on, or said something about."""
    told = {channel for (of, channel, _) in state.consents if of == "marketing"}
    told |= {touch.channel for touch in state.touches}
    return sorted(told - {""})


def pauses_of(state: CustomerState) -> list[Promise]:
    """Every version of his break, the newest last."""
    return sorted(
        (promise for promise in promises_of(state) if promise.name == PAUSE), key=lambda one: one.version
    )


def paused_until(state: CustomerState, *, at: datetime) -> datetime | None:
    """When his break ends; None: there is none."""
    known = pauses_of(state)
    newest = known[-1] if known else None
    if newest is None or newest.valid_to is None or newest.valid_to <= at:
        return None
    return newest.valid_to


def is_stopped(state: CustomerState, processing: str, channel: str) -> bool:
    """Whether an opt-out holds against every consent that is known, also those that are not in force yet."""
    return state.standing(processing, channel, at=FOR_EVER).state in ("withdrawn", "refused")


def stop(
    state: CustomerState,
    channel: str,
    *,
    shown: Shown,
    now: datetime,
    processings: Sequence[str] = ("marketing",),
) -> list[Event]:
    """He wants nothing more on a channel (empty: on none)."""
    events: list[Event] = []
    for processing in processings:
        # "All" is more than each of those that are known now.
        if is_stopped(state, processing, channel) and not (channel == "" and _open(state, processing)):
            continue
        at = max([now, *(mark.at for mark in _given(state, processing))])
        payload = {"processing": processing, "channel": channel, "state": "withdrawn", **shown.proof()}
        events.append(
            _event("consent", state, payload, at=at, now=now, what=(processing, channel, "withdrawn"))
        )
    return events


def stop_by(
    state: CustomerState,
    link: Link,
    channel: str,
    *,
    shown: Shown,
    now: datetime,
    processings: Sequence[str] = ("marketing",),
) -> list[Event]:
    """The same by the link of a message: where it stops the message's own channel, this message drove him away, and
    credit learns of it."""
    events = stop(state, channel, shown=shown, now=now, processings=processings)
    opted_out = any(event.payload["processing"] == "marketing" for event in events)
    if not (opted_out and link.message_id and link.channel and channel in ("", link.channel)):
        return events
    payload = {
        "message_id": link.message_id,
        "kind": "unsubscribed",
        "channel": link.channel,
        "surface": shown.surface,
    }
    at = events[0].happened_at
    what = ("unsubscribed", link.message_id)
    return [_event("reaction", state, payload, at=at, now=now, what=what), *events]


def _open(state: CustomerState, processing: str) -> bool:
    """Whether any channel is still allowed."""
    return any(
        of == processing and channel and not is_stopped(state, processing, channel)
        for (of, channel, _) in state.consents
    )


def start(
    state: CustomerState, channel: str, *, shown: Shown, now: datetime, processing: str = "marketing"
) -> list[Event]:
    """He agrees, by an act of its own, after reading `shown.text`."""
    events: list[Event] = []
    if not state.standing(processing, channel, at=max(now, state.as_of)).given:
        at = now
        for (of, where, _), slot in state.consents.items():
            if of == processing and where in ("", channel) and slot.no is not None:
                at = max(at, slot.no.at + TICK)
        payload = {"processing": processing, "channel": channel, "state": "given", **shown.proof()}
        if shown.controller:
            payload["controller"] = shown.controller
        events.append(_event("consent", state, payload, at=at, now=now, what=(processing, channel, "given")))
    only = state.preference("channels")
    if processing == "marketing" and only is not None and channel not in only:
        events += choose(state, {"channels": sorted({*only, channel})}, shown=shown, now=now)
    return events


def choose(state: CustomerState, wanted: Mapping[str, Any], *, shown: Shown, now: datetime) -> list[Event]:
    """Preferences; only those that change are written.

    Args:
        wanted: Of `topics`, `channels`, `max_per_week`, `hours`, `language`; None: no restriction.
    """
    changed = {
        name: value for name, value in wanted.items() if _plain(state.preference(name)) != _plain(value)
    }
    if not changed:
        return []
    proof = shown.proof()
    proof["shown_in"] = proof.pop("language")
    return [_event("preference", state, {**changed, **proof}, at=now, now=now, what=sorted(changed))]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else (value or None if isinstance(value, str) else value)


def pause(state: CustomerState, days: int, *, shown: Shown, now: datetime, zone: ZoneInfo) -> list[Event]:
    """Nothing but service for so many days: a promise to him alone, which replay and may-send hold us to."""
    until = pause_end(days, now=now, zone=zone)
    known = pauses_of(state)
    if paused_until(state, at=now) == until:
        return []
    return [_pause(state, known, until, shown=shown, now=now)]


def pause_end(days: int, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The midnight that ends a break of so many whole days."""
    day = now.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def resume(state: CustomerState, *, shown: Shown, now: datetime) -> list[Event]:
    """His break ends now."""
    if paused_until(state, at=now) is None:
        return []
    return [_pause(state, pauses_of(state), now + timedelta(seconds=1), shown=shown, now=now)]


def _pause(
    state: CustomerState, known: Sequence[Promise], until: datetime, *, shown: Shown, now: datetime
) -> Event:
    version = known[-1].version + 1 if known else 1
    proof = shown.proof()
    payload = {
        "name": PAUSE,
        "version": version,
        "text": proof.pop("text"),
        "purposes_only": ["service"],
        "valid_from": now,
        "valid_to": until,
        "text_version": proof.pop("version"),
        **proof,
    }
    return _event("promise", state, payload, at=now, now=now, what=(PAUSE, version))


def ask_deletion(state: CustomerState, *, shown: Shown, now: datetime) -> list[Event]:
    """A wish that waits for a person; marketing pauses from now on."""
    if any(wish.means == "delete-data" for wish in state.pending):
        return []
    payload = {
        "means": "delete-data",
        "sentence": shown.text,
        "found_in": shown.surface,
        "language": shown.language,
        "found_by": f"page {shown.version}",
    }
    return [_event("wish", state, payload, at=now, now=now, what=("delete-data",))]


def _given(state: CustomerState, processing: str) -> Iterable[Mark]:
    return (
        mark
        for (of, _, _), slot in state.consents.items()
        if of == processing
        for mark in (*slot.given, *((slot.claim,) if slot.claim else ()))
    )


def _event(
    kind: Any,
    state: CustomerState,
    payload: Mapping[str, Any],
    *,
    at: datetime,
    now: datetime,
    what: Sequence[Any],
) -> Event:
    # What he had before belongs to the key: the same act after another one is another act.
    key = key_of(kind, state.customer_id, *what, at, now, state.as_of)
    return Event(
        key=key, kind=kind, customer_id=state.customer_id, happened_at=at, payload=dict(payload), by=BY
    )
