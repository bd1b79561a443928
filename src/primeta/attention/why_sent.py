"""Why was this sent to me? One message, its consent, its check and the promises, as the ledger tells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from primeta.attention.consents import Standing
from primeta.attention.decide import Case, promises_of, refusals
from primeta.attention.fold import CustomerState, state_as_of
from primeta.attention.links import Link
from primeta.attention.promise_file import in_force
from primeta.attention.records import NEEDS, PURPOSES, Entry, Policy, Promise, Purpose, Question

Basis = Literal["consent", "accepted", "interest", "service", "against", "none"]
Kept = Literal["kept", "broken", "untold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKept:
    """A promise that bears on this message."""

    text: str
    kept: Kept
    count: int | None = None
    """Messages in its window up to this one, itself included; None: it counts none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What is told to the customer of one message."""

    found: bool
    """Whether the ledger knows the message; else `channel`, `purpose` and `programme` are those of the link."""
    sent_at: datetime | None
    channel: str
    purpose: str
    """Empty: not known."""
    programme: str
    basis: Basis
    basis_at: datetime | None = None
    surface: str = ""
    text: str = ""
    """Of the consent, as shown."""
    accepted_by: str = ""
    accepted_reason: str = ""
    checked_at: datetime | None = None
    """When may-send was asked; None: it was not."""
    check_allowed: bool = True
    personalised: bool | None = None
    personal_against: datetime | None = None
    """Since when he had refused personalisation before it was sent; None: he had not."""
    promises: tuple[PromiseKept, ...] = ()


def why_of(
    entries: Sequence[Entry],
    link: Link,
    promises: Iterable[Promise] = (),
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Why:
    """Work it out from all entries of the customer.

    Args:
        promises: The team's to everybody; those to him alone stand in the entries.
        zone: Where he lives.
    """
    touch = next(
        (
            entry
            for entry in entries
            if entry.kind == "touch"
            and link.message_id
            and entry.payload.get("message_id") == link.message_id
        ),
        None,
    )
    told = touch.payload if touch else {}
    at = touch.happened_at if touch else now
    channel = str(told.get("channel") or link.channel)
    purpose = str(told.get("purpose") or link.purpose)
    programme = str(told.get("programme") or told.get("campaign") or link.programme)
    state = state_as_of(entries, happened=at, customer_id=link.customer_id)
    check = _check(entries, link.message_id)
    basis = _basis(entries, state, purpose, channel, at)
    personal = link.personalised
    if personal is None and told.get("personal") is not None:
        personal = bool(told["personal"])
    refused = state.standing("personalisation", channel, at=at)
    return Why(
        found=touch is not None,
        sent_at=touch.happened_at if touch else None,
        channel=channel,
        purpose=purpose if purpose in PURPOSES else "",
        programme=programme,
        personalised=personal,
        personal_against=refused.mark.at
        if refused.mark and refused.state in ("withdrawn", "refused")
        else None,
        checked_at=check.happened_at if check else None,
        check_allowed=bool(check.payload.get("allowed")) if check else True,
        promises=_promises(
            state,
            (*promises, *promises_of(state)),
            Question(
                customer_id=link.customer_id,
                channel=channel,
                purpose=_purpose(purpose),
                at=at,
                campaign=str(told.get("campaign") or ""),
                programme=programme,
                message_id=link.message_id,
                personal=bool(told.get("personal")),
            ),
            zone=zone,
            sent=touch is not None,
        ),
        **basis,
    )


def _purpose(purpose: str) -> Purpose:
    """A message without a known purpose is taken for an offer, as everywhere."""
    found: Purpose = "offer"
    for known in PURPOSES:
        found = known if known == purpose else found
    return found


def _check(entries: Sequence[Entry], message_id: str) -> Entry | None:
    """The last answer that a sender got about this message."""
    found = [
        entry
        for entry in entries
        if entry.kind == "decision" and message_id and entry.payload.get("message_id") == message_id
    ]
    return max(found, key=lambda entry: entry.happened_at, default=None)


def _basis(
    entries: Sequence[Entry], state: CustomerState, purpose: str, channel: str, at: datetime
) -> dict[str, Any]:
    if purpose == "service":
        return {"basis": "service"}
    standing: Standing = state.standing(NEEDS[_purpose(purpose)], channel, at=at)
    mark = standing.mark
    entry = next((one for one in entries if mark and one.salt and one.key == mark.key), None)
    if standing.state == "never" or mark is None:
        return {"basis": "none"}
    if not standing.given:
        return {"basis": "against", "basis_at": mark.at}
    told = entry.payload if entry else {}
    accepted = str(told.get("accepted_by") or "")
    return {
        "basis": "accepted" if accepted else "interest" if mark.basis == "legitimate_interest" else "consent",
        "basis_at": entry.happened_at if entry else mark.at,
        "surface": str(told.get("surface") or mark.surface),
        "text": str(told.get("text") or ""),
        "accepted_by": accepted,
        "accepted_reason": str(told.get("accepted_reason") or ""),
    }


def _promises(
    state: CustomerState, promises: Sequence[Promise], question: Question, *, zone: ZoneInfo, sent: bool
) -> tuple[PromiseKept, ...]:
    at = question.at
    case = Case(
        question=question,
        state=state,
        policy=Policy(quiet_hours=None),
        promises=promises,
        zone=zone,
        now=max(at, state.as_of),
    )
    broken = {
        (refusal.promise.name, refusal.promise.version)
        for refusal in refusals(case, at)
        if refusal.promise is not None
    }
    found: list[PromiseKept] = []
    for promise in in_force(promises):
        if promise.customers != "all" and question.customer_id not in promise.customers:
            continue
        if (promise.valid_from and promise.valid_from > at) or (promise.valid_to and promise.valid_to <= at):
            continue
        if promise.channel not in (None, question.channel) or promise.purpose not in (None, question.purpose):
            continue
        if promise.deliver and promise.max is None:
            # It speaks of another message.
            continue
        kept: Kept = "kept"
        if (promise.name, promise.version) in broken or _too_late(state, promise, question):
            kept = "broken"
        elif not promise.checkable or not sent:
            kept = "untold"
        count = None
        if promise.window is not None and sent:
            count = _count(state, promise, at, promise.window)
        found.append(PromiseKept(text=promise.text or promise.name, kept=kept, count=count))
    return tuple(found)


def _count(state: CustomerState, promise: Promise, at: datetime, window: timedelta) -> int:
    """Messages in the window that ends with this one."""
    return sum(
        at - window < touch.at <= at
        for touch in state.touches
        if promise.channel in (None, touch.channel) and promise.purpose in (None, touch.purpose)
    )


def _too_late(state: CustomerState, promise: Promise, question: Question) -> bool:
    """Whether it came after an opt-out, later than was promised."""
    if promise.stop_within is None or question.purpose == "service":
        return False
    standing = state.standing("marketing", question.channel, at=question.at)
    mark = standing.mark
    return (
        standing.state in ("withdrawn", "refused")
        and mark is not None
        and question.at - mark.at > promise.stop_within
    )
