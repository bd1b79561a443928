"""What lay on one customer's screen at a moment: messages that had come and that nothing says he had seen.

Push messages, texts and messengers stand on the shade until they are opened, clicked, answered or acted upon; mail
stays in the mailbox and is unread until then. Machine opens and clicks are nobody's look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from primeta.attention.records import Entry

Place = Literal["shade", "mailbox"]
MAILBOX = ("email", "e-mail", "mail", "newsletter")
SEEN_BY = ("opened", "clicked", "replied", "unsubscribed", "complained")
"""Human reactions that tell that he saw a message."""
LOOKED = ("opened", "clicked", "replied")
"""Human reactions that are a sign of attention."""


def place_of(channel: str) -> Place:
    """Where a message on this channel lies."""
    return "mailbox" if channel in MAILBOX else "shade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The answer in the ledger on which a message was sent."""

    allowed: bool
    rule: str
    policy: int
    promise: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """One message that reached a customer, and what came of it by a moment."""

    message_id: str
    sent_at: datetime
    channel: str
    place: Place
    purpose: str
    campaign: str = ""
    programme: str = ""
    team: str = ""
    title: str = ""
    text: str = ""
    seen_at: datetime | None = None
    """When a human reaction first told that he saw it; None: nothing does."""
    seen_by: str = ""
    """`opened`, `clicked`, `replied`, `unsubscribed`, `complained`."""
    bounced: bool = False
    decision: Decided | None = None
    """None: the ledger keeps none."""

    @property
    def lies_there(self) -> bool:
        """Whether he has it before his eyes: unread on the shade; in the mailbox read ones too."""
        return not self.bounced and (self.place == "mailbox" or self.seen_at is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSign:
    """The last time that a person, not a machine, looked at something."""

    at: datetime
    kind: str
    channel: str
    messages_since: int
    """That came after it."""


def came_to(entries: Iterable[Entry], *, at: datetime) -> tuple[Came, ...]:
    """All messages sent to one customer up to a moment, oldest first; those withheld are none.

    Args:
        entries: Of one customer, any order. What is erased says nothing; a message told twice counts at its earliest.
    """
    kept = [entry for entry in entries if entry.salt and entry.happened_at <= at]
    first: dict[str, Entry] = {}
    seen: dict[str, Entry] = {}
    bounced: set[str] = set()
    decisions: dict[str, Entry] = {}
    for entry in sorted(kept, key=lambda one: (one.happened_at, one.number)):
        told = entry.payload
        name = str(told.get("message_id") or "")
        if not name:
            continue
        if entry.kind == "touch" and not told.get("withheld"):
            first.setdefault(name, entry)
        elif entry.kind == "decision":
            decisions[name] = entry
        elif entry.kind == "reaction" and not told.get("machine"):
            if told.get("kind") in SEEN_BY:
                seen.setdefault(name, entry)
            elif told.get("kind") == "bounced":
                bounced.add(name)
    return tuple(
        _came(entry, seen.get(name), decisions.get(name), bounced=name in bounced)
        for name, entry in first.items()
    )


def _came(entry: Entry, seen: Entry | None, decision: Entry | None, *, bounced: bool) -> Came:
    told = entry.payload
    channel = str(told.get("channel") or "")

    def word(name: str) -> str:
        return str(told.get(name) or "")

    return Came(
        message_id=word("message_id"),
        sent_at=entry.happened_at,
        channel=channel,
        place=place_of(channel),
        purpose=word("purpose"),
        campaign=word("campaign"),
        programme=word("programme"),
        team=word("team"),
        title=word("title"),
        text=word("text"),
        seen_at=None if seen is None else max(seen.happened_at, entry.happened_at),
        seen_by="" if seen is None else str(seen.payload["kind"]),
        bounced=bounced,
        decision=None
        if decision is None
        else Decided(
            allowed=bool(decision.payload.get("allowed")),
            rule=str(decision.payload.get("rule") or ""),
            policy=int(decision.payload.get("policy") or 0),
            promise=str(decision.payload.get("promise") or ""),
            at=decision.happened_at,
        ),
    )


def last_sign(came: Sequence[Came], entries: Iterable[Entry], *, at: datetime) -> LastSign | None:
    """The latest human open, click or reply up to a moment; None: there never was one."""
    channels = {touch.message_id: touch.channel for touch in came}
    latest: Entry | None = None
    for entry in entries:
        told = entry.payload
        if (
            entry.salt
            and entry.kind == "reaction"
            and entry.happened_at <= at
            and told.get("kind") in LOOKED
            and not told.get("machine")
            and (latest is None or entry.happened_at > latest.happened_at)
        ):
            latest = entry
    if latest is None:
        return None
    message = str(latest.payload.get("message_id") or "")
    return LastSign(
        at=latest.happened_at,
        kind=str(latest.payload["kind"]),
        channel=str(latest.payload.get("channel") or channels.get(message, "")),
        messages_since=sum(touch.sent_at > latest.happened_at for touch in came),
    )
