"""Events that other systems send as they happen: each into the ledger once, wishes in their texts found at once.

Deliveries may come twice, in any order, in part broken: whatever can be kept is kept, and each event is told what
became of it. A text (ticket, reply, review) is looked at and not kept; only the sentence with a wish is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from primeta.attention.chain import Head
from primeta.attention.event_words import tell
from primeta.attention.ledger import EVENT_KEYS, FIELDS, Event, checked, event_of, key_of
from primeta.attention.records import ReactionKind
from primeta.attention.wish_meaning import wishes_in_all
from primeta.attention.wishes import events_of
from primeta.errors import BadInput
from primeta.show.locale import Language
from primeta.store.keys import keys_of
from primeta.store.ledger import append_all, numbers_of

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

TEXT = "text"
"""A kind beside those of the ledger: what a customer wrote."""
TOLD = ("notice", "consent", "preference", "promise", "wish", "touch", "reaction")
"""What other systems may tell. The rest is a person's word or Primeta's own."""
MOST = 10_000
"""Events in one delivery."""
LONGEST_TEXT = 200_000
CLOCKS_DIFFER = timedelta(minutes=5)
"""So much later than now is no future yet."""

Status = Literal["written", "known", "both", "read", "refused"]
"""Written; told before; written beside another with its key; a text that was read; it cannot be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of one event."""

    key: str
    status: Status
    number: int | None = None
    """Of its entry."""
    notes: tuple[str, ...] = ()
    """Codes: `future`, `no-time`, `no-key`, `left-out:NAME`, `unverifiable`."""
    wishes: tuple[dict[str, Any], ...] = ()
    """Newly found in its text: key, means, channels, max_per_week. Marketing pauses already."""
    error: str = ""

    def as_dict(self, lang: Language = "en") -> dict[str, Any]:
        return {
            "key": self.key,
            "status": self.status,
            "number": self.number,
            "notes": [
                {"code": code.partition(":")[0], "text": tell(lang, code), "name": code.partition(":")[2]}
                for code in self.notes
            ],
            "wishes": [dict(wish) for wish in self.wishes],
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a delivery, event by event in the order given."""

    events: tuple[Received, ...]
    head: Head
    clock_behind: bool = False
    """This machine's clock is behind the ledger's last time, which was kept."""

    def how_many(self, *statuses: Status) -> int:
        return sum(event.status in statuses for event in self.events)

    def as_dict(self, lang: Language = "en") -> dict[str, Any]:
        return {
            "written": self.how_many("written", "both"),
            "known": self.how_many("known"),
            "read": self.how_many("read"),
            "refused": self.how_many("refused"),
            "wishes": sum(len(event.wishes) for event in self.events),
            "clock_behind": self.clock_behind,
            "head": {"number": self.head.number, "chain": self.head.chain, "learnt_at": self.head.learnt_at},
            "events": [event.as_dict(lang) for event in self.events],
        }


def receive(ws: Workspace, told: Sequence[Any], *, now: datetime, by: str) -> Delivery:
    """Write down what other systems tell.

    Args:
        told: Objects with key, kind, customer_id, happened_at, payload, by.
        by: Who told, where an object does not say.
    Raises:
        BadInput: more than MOST of them.
        Locked: another process holds the state too long; tell all of them again.
    """
    if len(told) > MOST:
        raise BadInput(f"{len(told):,} events in one delivery; expected at most {MOST:,}")
    read = [_Read.of(one, now=now, by=by, ws=ws) for one in told]
    read = _with_wishes(read)
    # A text that comes again is perhaps read by newer rules: what was found in it, and settled, is not found again.
    found = {wish.key for one in read for wish in one.wishes}
    if found:
        with ws.database.read() as connection:
            before = numbers_of(connection, found, keys=keys_of(ws.database, now=now))
        read = [replace(one, wishes=tuple(w for w in one.wishes if w.key not in before)) for one in read]
    events = [event for one in read for event in one.events]
    done = append_all(ws.database, events, now=now)
    told_of = iter(zip(done.fates, done.numbers, strict=True))
    # An event that stands in the delivery twice has one number.
    numbers: dict[str, int] = {}
    received: list[Received] = []
    for one in read:
        fates = [next(told_of) for _ in one.events]
        for event, (_, number) in zip(one.events, fates, strict=True):
            if number:
                numbers.setdefault(event.key, number)
        received.append(one.received(fates, numbers))
    return Delivery(events=tuple(received), head=done.head, clock_behind=done.clock_behind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One event as it was understood."""

    key: str
    event: Event | None = None
    """None: a text, or refused."""
    wishes: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    text: str = ""
    said_at: datetime | None = None
    customer_id: str = ""
    by: str = ""

    @property
    def events(self) -> tuple[Event, ...]:
        return self.wishes if self.event is None else (self.event, *self.wishes)

    @classmethod
    def of(cls, told: Any, *, now: datetime, by: str, ws: Workspace) -> _Read:
        key = str(told.get("key") or "") if isinstance(told, Mapping) else ""
        try:
            return _read(told, now=now, by=by, ws=ws)
        except BadInput as error:
            return cls(key=key[:512], error=str(error))

    def received(self, fates: Sequence[tuple[str, int]], numbers: Mapping[str, int]) -> Received:
        if self.error:
            return Received(key=self.key, status="refused", error=self.error)
        status: Status = "read"
        number = None
        if self.event is not None:
            fate, number = fates[0]
            number = number or numbers.get(self.event.key)
            status = "written" if fate == "new" else "both" if fate == "both" else "known"
        return Received(
            key=self.key,
            status=status,
            number=number,
            notes=self.notes,
            wishes=tuple(
                {
                    "key": wish.key,
                    "means": wish.payload["means"],
                    "channels": list(wish.payload["channels"]),
                    "max_per_week": wish.payload["max_per_week"],
                }
                for wish in self.wishes
            ),
        )


def _with_wishes(read: Sequence[_Read]) -> list[_Read]:
    """Look for wishes in all texts of a delivery at once."""
    found = wishes_in_all([one.text for one in read]).wishes
    return [
        one
        if one.said_at is None or not wishes
        else replace(
            one,
            wishes=events_of(
                wishes, customer_id=one.customer_id, said_at=one.said_at, found_in=one.key, by=one.by
            ),
        )
        for one, wishes in zip(read, found, strict=True)
    ]


def _read(told: Any, *, now: datetime, by: str, ws: Workspace) -> _Read:
    if not isinstance(told, Mapping):
        raise BadInput(f"an object with {', '.join(EVENT_KEYS)} was expected")
    kind = str(told.get("kind", ""))
    if kind != TEXT and kind not in TOLD:
        raise BadInput(
            f"kind is {kind[:40]!r}; expected one of {', '.join((*TOLD, TEXT))}. Verdicts on wishes, erasures and "
            "decisions are not told from outside"
        )
    notes: list[str] = []
    if not told.get("happened_at") and _forbids(kind, told.get("payload")):
        # What forbids holds, though nobody says since when: the safe side is from now on.
        told = {**told, "happened_at": now.isoformat()}
        notes.append("no-time")
    event = event_of({name: told[name] for name in told if name in EVENT_KEYS}, by=by, zone=ws.config.zone)
    notes += [f"left-out:{name}"[:100] for name in told if name not in EVENT_KEYS]
    payload = dict(event.payload)
    text = payload.pop("text", "") if kind in ("reaction", TEXT) else ""
    if not isinstance(text, str):
        raise BadInput("text is no text")
    if len(text) > LONGEST_TEXT:
        raise BadInput(f"the text has {len(text):,} letters; expected at most {LONGEST_TEXT:,}")
    if not event.key:
        event = replace(event, key=_key(event, payload, text))
        notes.append("no-key")
    if kind == TEXT:
        checked(replace(event, kind="notice", payload={"name": TEXT}))
        if not text.strip():
            raise BadInput("payload.text is missing: what the customer wrote")
        if not event.customer_id:
            raise BadInput("customer_id is empty; say who wrote it")
        kept = None
    else:
        needs, may = FIELDS[kind]
        if may is not None:
            unknown = [name for name in payload if name not in needs and name not in may]
            notes += [f"left-out:payload.{name}"[:100] for name in unknown]
            payload = {name: value for name, value in payload.items() if name not in unknown}
        kept = checked(replace(event, payload=payload))
        if kept.payload.get("unverifiable"):
            notes.append("unverifiable")
    if event.happened_at > now + CLOCKS_DIFFER:
        notes.append("future")
    return _Read(
        key=event.key,
        event=kept,
        notes=tuple(notes),
        text=text,
        said_at=event.happened_at,
        customer_id=event.customer_id,
        by=event.by,
    )


def _forbids(kind: str, payload: Any) -> bool:
    """Whether an event speaks against writing, so that it counts even without a time."""
    said = payload if isinstance(payload, Mapping) else {}
    return (
        kind in (TEXT, "wish")
        or (kind == "consent" and said.get("state") in ("withdrawn", "refused", "never"))
        or (kind == "reaction" and said.get("kind") in ("unsubscribed", "complained"))
    )


def _key(event: Event, payload: Mapping[str, Any], text: str) -> str:
    """For an event whose sender gives it no id: the keys of `attention sync` where it writes such ones, else content."""
    message = str(payload.get("message_id") or "")
    if event.kind == "touch" and message:
        return f"{'withheld' if payload.get('withheld') else 'touch'}:{message}"
    if event.kind == "reaction" and message and payload.get("kind") in get_args(ReactionKind):
        return f"reaction:{message}:{payload['kind']}:{event.happened_at.isoformat()}"
    content = sorted((str(name), repr(value)) for name, value in payload.items())
    return key_of("told", event.kind, event.customer_id, event.happened_at, *content, text)
