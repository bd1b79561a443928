"""What the ledger says about one customer now: consents, preferences, wishes, touches, promises.

A function of the SET of entries: no order of late, duplicated or reordered events changes it, and `extend`ing a
state by new entries gives what `fold`ing all of them gives. Each part is therefore a join: a maximum, a minimum, the
latest few of a total order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from primeta.attention.consents import (
    OBJECTABLE,
    Mark,
    Slot,
    SlotKey,
    Standing,
    is_opt_out,
    marks_of,
    standing,
)
from primeta.attention.preferences import Setting, settings_of, settle
from primeta.attention.records import Entry, EntryKind

RECENT = timedelta(days=35)
"""Touches of the last … are kept one by one, at least the last FEW, at most the last MOST."""
FEW = 16
MOST = 256
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class Told(NamedTuple):
    """As much of an entry as `extend` reads: hundreds of thousands of them are made at once."""

    key: str
    kind: EntryKind
    customer_id: str
    happened_at: datetime
    learnt_at: datetime
    payload: Mapping[str, Any]
    salt: str


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class SeenTouch:
    """A message that reached him, as far as caps and first touches need it."""

    at: datetime
    message_id: str
    channel: str
    purpose: str
    campaign: str = ""
    programme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What he asked for in his own words; until a person has looked, marketing pauses."""

    key: str
    """Of its entry."""
    at: datetime | None = None
    """None: only the verdict is known so far."""
    means: str = ""
    """`stop-all`, `stop-channel`, `only-channels`, `less-often`, `delete-data`."""
    channels: tuple[str, ...] = ()
    asked_per_week: int | None = None
    granted_per_week: int | None = None
    """As the person who confirmed it understood; of several the smallest."""
    verdict: str = ""
    """Empty: waits for a person; `confirmed`, `released`. Once confirmed, no release undoes it."""
    granted: tuple[tuple[str, ...], ...] = ()
    """Channels as each person who confirmed it understood; an empty tuple among them: as he said."""

    @property
    def pending(self) -> bool:
        return self.at is not None and not self.verdict

    @property
    def meant(self) -> tuple[str, ...]:
        """Channels as they hold once it is confirmed, by the safe side of what several persons understood."""
        understood = [set(names) if names else set(self.channels) for names in self.granted or ((),)]
        if self.means == "only-channels":
            return tuple(sorted(set.intersection(*understood)))
        # Empty means every channel, and every channel is more than some.
        return () if not all(understood) else tuple(sorted(set.union(*understood)))

    def pauses(self, channel: str) -> bool:
        """Whether marketing on this channel waits for a person's word on it."""
        if not self.pending:
            return False
        if self.means == "stop-channel":
            return not self.channels or channel in self.channels
        if self.means == "only-channels":
            return channel not in self.channels
        return True


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class BrokenMark:
    """A promise to him that was broken."""

    at: datetime
    promise: str
    version: int
    message_id: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerState:
    """One customer as the ledger tells. Ask it only about moments at or after `as_of`; see `state_as_of`."""

    customer_id: str
    as_of: datetime = LONG_AGO
    """The latest `learnt_at` of what it was made of."""
    consents: Mapping[SlotKey, Slot] = field(default_factory=dict)
    preferences: Mapping[str, Setting] = field(default_factory=dict)
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    """By the key of the wish's entry; those that are settled too."""
    suppressed_at: datetime | None = None
    first_touches: tuple[SeenTouch, ...] = ()
    """The first FEW; fewer: these are all there were."""
    touches: tuple[SeenTouch, ...] = ()
    """The recent ones, oldest first."""
    promises: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    """Made to this customer, by name and version; the payload as in a promise file."""
    broken: tuple[BrokenMark, ...] = ()
    """The last FEW, oldest first."""
    notices: Mapping[str, tuple[datetime, str, str, str]] = field(default_factory=dict)
    """Name → (shown at, version, language, surface) of the latest."""
    unverifiable: tuple[str, ...] = ()
    """Keys of entries that Primeta could not make sense of, at most FEW."""

    def standing(self, processing: str, channel: str, *, at: datetime, controller: str = "") -> Standing:
        """Whether consent to a processing on a channel holds."""
        return standing(self.consents, processing=processing, channel=channel, at=at, controller=controller)

    def preference(self, name: str) -> Any:
        """`topics`, `channels`, `max_per_week`, `hours` or `language`; None: not set."""
        found = [self.preferences[name]] if name in self.preferences else []
        found += [setting for wish in self.wishes.values() for of, setting in _settings(wish) if of == name]
        return max(found, key=lambda setting: setting.rank(name)).value if found else None

    def wish(self, channel: str) -> Wish | None:
        """The oldest wish for which marketing on this channel waits."""
        waiting = [wish for wish in self.wishes.values() if wish.pauses(channel)]
        return min(waiting, key=lambda wish: (wish.at or LONG_AGO, wish.key), default=None)

    @property
    def pending(self) -> tuple[Wish, ...]:
        """Wishes that wait for a person, oldest first."""
        found = [wish for wish in self.wishes.values() if wish.pending]
        return tuple(sorted(found, key=lambda wish: (wish.at or LONG_AGO, wish.key)))

    def suppressed(self, *, at: datetime) -> bool:
        """Whether he must not be written at all: erased or forbidden, and no consent with proof given since."""
        if self.suppressed_at is None:
            return False
        return not any(
            (yes := slot.yes(at)) is not None and yes.at > self.suppressed_at
            for (processing, _, _), slot in self.consents.items()
            if processing == "marketing"
        )

    def promises_at(self, at: datetime) -> tuple[Mapping[str, Any], ...]:
        """Of each promise the version in force at a moment; a revised one replaces the one before."""
        found: dict[str, tuple[int, Mapping[str, Any]]] = {}
        for (name, version), promise in self.promises.items():
            since = promise.get("valid_from")
            if since and _moment(since) > at:
                continue
            if name not in found or version > found[name][0]:
                found[name] = (version, promise)
        # The version that a newer one replaced does not come back when that one ends.
        return tuple(
            promise
            for _, (_, promise) in sorted(found.items())
            if not promise.get("valid_to") or _moment(promise["valid_to"]) > at
        )

    def future(self, at: datetime) -> int:
        """How many consents are dated later than this moment: kept, and not in force until then."""
        return sum(mark.effective > at for slot in self.consents.values() for mark in slot.given)


def newcomer(customer_id: str, *, suppressed_at: datetime | None = None) -> CustomerState:
    """The state before a customer's first entry.

    Args:
        suppressed_at: Since when he must not be written, where he was erased before and comes up again: a consent that
            is older gives nothing, one with proof that he gives later does.
    """
    if suppressed_at is None:
        return CustomerState(customer_id=customer_id)
    mark = Mark(
        at=suppressed_at, effective=suppressed_at, state="withdrawn", proven=True, surface="suppressed"
    )
    return CustomerState(
        customer_id=customer_id,
        consents={(processing, "", ""): Slot(no=mark) for processing in OBJECTABLE},
        suppressed_at=suppressed_at,
    )


def fold(
    entries: Iterable[Entry],
    *,
    customer_id: str = "",
    until: datetime | None = None,
    suppressed_at: datetime | None = None,
) -> CustomerState:
    """The state that a set of one customer's entries makes; erased ones say nothing.

    Args:
        customer_id: Of an empty set; else the entries' own.
        until: Up to when the past is settled; None: the latest `learnt_at`.
        suppressed_at: As for `newcomer`.
    """
    unique: dict[str, Entry] = {}
    for entry in entries:
        if not entry.salt:
            continue
        known = unique.get(entry.key)
        if known is None or _first(entry) < _first(known):
            unique[entry.key] = entry
    owner = customer_id or next((entry.customer_id for entry in unique.values() if entry.customer_id), "")
    return extend(newcomer(owner, suppressed_at=suppressed_at), unique.values(), until=until)


def state_as_of(
    entries: Iterable[Entry], *, happened: datetime, learnt: datetime | None = None, customer_id: str = ""
) -> CustomerState:
    """The state at a moment as it was knowable at another: ask it about `happened`.

    Args:
        happened: Only what was in force by then.
        learnt: Only what was written by then; None: all that is known today.
    """
    return fold(
        (
            entry
            for entry in entries
            if (learnt is None or entry.learnt_at <= learnt) and in_force_from(entry) <= happened
        ),
        customer_id=customer_id,
        until=happened,
    )


def in_force_from(entry: Entry) -> datetime:
    """When an entry begins to count: what forbids at once, everything else when it happened."""
    forbids = entry.kind in ("wish", "wish-confirmed", "suppressed", "reaction") or (
        entry.kind == "consent" and entry.payload.get("state") != "given"
    )
    return min(entry.happened_at, entry.learnt_at) if forbids else entry.happened_at


def extend(
    state: CustomerState, entries: Iterable[Entry | Told], *, until: datetime | None = None
) -> CustomerState:
    """A state with further entries of the same customer (each of which it has not seen)."""
    fresh = [entry for entry in entries if entry.salt]
    if not fresh:
        return state
    as_of = max(state.as_of, max(entry.learnt_at for entry in fresh))
    settled = as_of if until is None else until
    consents = dict(state.consents)
    preferences, wishes = dict(state.preferences), dict(state.wishes)
    promises, notices = dict(state.promises), dict(state.notices)
    suppressed_at, unverifiable = state.suppressed_at, set(state.unverifiable)
    touches: list[SeenTouch] = []
    broken = set(state.broken)

    def mark(where: SlotKey, made: Mark) -> None:
        consents[where] = consents.get(where, Slot()).with_mark(made, until=settled)

    for entry in fresh:
        payload = entry.payload
        if payload.get("unverifiable"):
            unverifiable.add(entry.key)
        if entry.kind == "touch":
            if not payload.get("withheld"):
                touches.append(_touch(entry))
            continue
        if entry.kind == "reaction" and not is_opt_out(payload):
            continue
        for where, made in marks_of(
            kind=entry.kind,
            key=entry.key,
            happened_at=entry.happened_at,
            learnt_at=entry.learnt_at,
            payload=payload,
        ):
            mark(where, made)
        if entry.kind == "preference":
            for name, setting in settings_of(
                key=entry.key, happened_at=entry.happened_at, learnt_at=entry.learnt_at, payload=payload
            ):
                preferences = settle(preferences, name, setting)
        elif entry.kind in ("wish", "wish-confirmed"):
            wish = _wish(wishes, entry)
            wishes[wish.key] = wish
            if wish.verdict == "confirmed" and wish.at is not None:
                for where, made in _refusals(wish):
                    mark(where, made)
        elif entry.kind == "suppressed":
            at = min(entry.happened_at, entry.learnt_at)
            suppressed_at = at if suppressed_at is None else max(suppressed_at, at)
        elif entry.kind == "promise":
            made_to_him = (str(payload.get("name", "")), int(payload.get("version") or 0))
            known = promises.get(made_to_him)
            if known is None or repr(sorted(payload.items())) > repr(sorted(known.items())):
                promises[made_to_him] = dict(payload)
        elif entry.kind == "broken":
            broken.add(
                BrokenMark(
                    at=entry.happened_at,
                    promise=str(payload.get("promise", "")),
                    version=int(payload.get("version") or 0),
                    message_id=str(payload.get("message_id") or ""),
                    channel=str(payload.get("channel") or ""),
                )
            )
        elif entry.kind == "notice":
            name = str(payload.get("name", ""))
            shown = (
                entry.happened_at,
                *(str(payload.get(part) or "") for part in ("version", "language", "surface")),
            )
            notices[name] = max(notices.get(name, shown), shown)  # type: ignore[assignment]
    if as_of != state.as_of or until is not None:
        consents = {where: slot.settled(settled) for where, slot in consents.items()}
    first, recent = _kept_touches(state, touches, settled)
    return CustomerState(
        customer_id=state.customer_id or next((entry.customer_id for entry in fresh), ""),
        as_of=as_of,
        consents=consents,
        preferences=preferences,
        wishes=wishes,
        suppressed_at=suppressed_at,
        first_touches=first,
        touches=recent,
        promises=promises,
        broken=tuple(sorted(broken)[-FEW:]),
        notices=notices,
        unverifiable=tuple(sorted(unverifiable)[:FEW]),
    )


def _first(entry: Entry) -> tuple[datetime, datetime, str]:
    return (entry.learnt_at, entry.happened_at, entry.commitment)


def _touch(entry: Entry | Told) -> SeenTouch:
    told = entry.payload
    return SeenTouch(
        at=entry.happened_at,
        message_id=str(told.get("message_id", "")),
        channel=str(told.get("channel", "")),
        purpose=str(told.get("purpose", "")),
        campaign=str(told.get("campaign") or ""),
        programme=str(told.get("programme") or ""),
    )


def _kept_touches(
    state: CustomerState, touches: list[SeenTouch], until: datetime
) -> tuple[tuple[SeenTouch, ...], tuple[SeenTouch, ...]]:
    """The first few and the recent ones. A message that is told twice is one touch: among the first by its earlier
    time, among the recent by its later one; so neither list depends on the order in which they are told."""
    if not touches and (not state.touches or state.touches[0].at > until - RECENT):
        return state.first_touches, state.touches
    first: dict[str, SeenTouch] = {}
    for touch in (*state.first_touches, *touches):
        known = first.get(touch.message_id)
        if known is None or touch < known:
            first[touch.message_id] = touch
    last: dict[str, SeenTouch] = {}
    for touch in (*state.touches, *touches):
        known = last.get(touch.message_id)
        if known is None or touch > known:
            last[touch.message_id] = touch
    recent = sorted(last.values())[-MOST:]
    enough = [touch for touch in recent[:-FEW] if touch.at > until - RECENT] + recent[-FEW:]
    return tuple(sorted(first.values())[:FEW]), tuple(enough)


def _wish(wishes: Mapping[str, Wish], entry: Entry | Told) -> Wish:
    told = entry.payload
    if entry.kind == "wish":
        known = wishes.get(entry.key, Wish(key=entry.key))
        return replace(
            known,
            at=entry.happened_at,
            means=str(told.get("means", "")),
            channels=tuple(told.get("channels") or ()),
            asked_per_week=told.get("max_per_week"),
        )
    known = wishes.get(str(told.get("wish", "")), Wish(key=str(told.get("wish", ""))))
    verdict, most = str(told.get("verdict", "")), told.get("max_per_week")
    if known.granted_per_week is not None:
        most = known.granted_per_week if most is None else min(most, known.granted_per_week)
    granted = set(known.granted)
    if verdict == "confirmed":
        granted.add(tuple(sorted(told.get("channels") or ())))
    return replace(
        known,
        granted=tuple(sorted(granted)),
        verdict="confirmed" if "confirmed" in (verdict, known.verdict) else verdict,
        granted_per_week=most,
    )


def _refusals(wish: Wish) -> Iterable[tuple[SlotKey, Mark]]:
    """The opt-outs that a confirmed wish is, as of when he said it."""
    at = wish.at or LONG_AGO
    mark = Mark(at=at, effective=at, state="withdrawn", proven=True, surface="wish", key=wish.key)
    if wish.means == "stop-all":
        yield ("marketing", "", ""), mark
    elif wish.means == "stop-channel":
        # Each word on its own: so the order in which they come changes nothing.
        for names in wish.granted or ((),):
            for channel in names or wish.channels or ("",):
                yield ("marketing", channel, ""), mark
    elif wish.means == "delete-data":
        for processing in OBJECTABLE:
            yield (processing, "", ""), mark


def _settings(wish: Wish) -> Iterable[tuple[str, Setting]]:
    """The preferences that a confirmed wish is. Read from the wishes each time: a second verdict may change them."""
    if wish.verdict != "confirmed" or wish.at is None:
        return
    if wish.means == "only-channels":
        yield "channels", Setting(at=wish.at, value=list(wish.meant), key=wish.key)
    elif wish.means == "less-often":
        most = wish.asked_per_week if wish.granted_per_week is None else wish.granted_per_week
        if most is not None:
            yield "max_per_week", Setting(at=wish.at, value=most, key=wish.key)


def _moment(text: Any) -> datetime:
    """A time of a promise; one without a zone is UTC, a day is its first moment."""
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
