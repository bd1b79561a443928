"""A place under the caps: held for a message that is about to be sent, then confirmed or given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from primeta.attention.ledger import Event
from primeta.attention.records import Answer, Policy, Promise, Question
from primeta.errors import BadInput

HELD_FOR = timedelta(minutes=15)
"""A sender that does not come back within this time has died; it must not send after `expires_at`."""
LONGEST_HELD = timedelta(days=1)
REMEMBERED = timedelta(days=35)
"""Of which messages the state of a customer knows at least; longer windows are counted in reservations too."""

HeldState = Literal["reserved", "confirmed", "released", "expired", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What became of a reservation."""

    message_id: str
    state: HeldState
    answer: Answer | None = None
    """Of `reserve`; None where the message was reserved before, and where it is confirmed or released."""
    expires_at: datetime | None = None
    """Until then it must be sent and confirmed."""
    late: bool = False
    """Confirmed after its time was over or without a reservation: it is written down all the same, and counts."""

    @property
    def ok(self) -> bool:
        """Whether the message may be sent now."""
        return self.state == "reserved"

    def as_dict(self, lang: str = "en") -> dict[str, Any]:
        from primeta.attention.answer_words import document

        return {
            "message_id": self.message_id,
            "state": self.state,
            "expires_at": self.expires_at,
            "late": self.late,
            **({} if self.answer is None else {"answer": document(self.answer, lang)}),
        }


def checked_message(question: Question) -> Question:
    """A question that can be reserved: it names its message and its customer.

    Raises:
        BadInput: it does not.
    """
    if not question.message_id or not question.customer_id:
        raise BadInput(
            "a reservation needs message_id and customer_id: by them it is found again after a crash"
        )
    if question.at.tzinfo is None:
        raise BadInput(f"the time {question.at.isoformat()} has no zone; write it as 2026-11-26T18:00:00Z")
    return question


def looks_back(policy: Policy, promises: tuple[Promise, ...] | list[Promise]) -> timedelta:
    """The longest window that anything counts in."""
    windows = [cap.window for cap in policy.caps]
    windows += [promise.window for promise in promises if promise.window is not None]
    return max([timedelta(days=7), *windows])


def touch_event(
    question: Question, *, at: datetime, by: str, probability: float = 1.0, withheld: bool = False
) -> Event:
    """The entry of the ledger that a message sent, or withheld by the lottery of caps, becomes."""
    told: dict[str, Any] = {
        "message_id": question.message_id,
        "channel": question.channel,
        "purpose": question.purpose,
    }
    if question.campaign:
        told["campaign"] = question.campaign
    if question.programme:
        told["programme"] = question.programme
    if question.personal:
        told["personal"] = True
    if probability < 1:
        told["probability"] = round(probability, 6)
    if withheld:
        told["withheld"] = True
    return Event(
        key=f"{'withheld' if withheld else 'touch'}:{question.message_id}",
        kind="touch",
        customer_id=question.customer_id,
        happened_at=at,
        payload=told,
        by=by,
    )


def decision_event(
    question: Question,
    *,
    allowed: bool,
    rule: str,
    policy: int,
    probability: float,
    at: datetime,
    by: str,
    promise: str = "",
) -> Event:
    """The entry of the ledger that an answer becomes which a sender acted upon."""
    told: dict[str, Any] = {
        "allowed": allowed,
        "rule": rule,
        "message_id": question.message_id,
        "channel": question.channel,
        "purpose": question.purpose,
        "policy": policy,
    }
    for name, value in (
        ("campaign", question.campaign),
        ("programme", question.programme),
        ("promise", promise),
    ):
        if value:
            told[name] = value
    if probability < 1:
        told["probability"] = round(probability, 6)
    return Event(
        key=f"decision:{question.message_id}:{at.isoformat()}",
        kind="decision",
        customer_id=question.customer_id,
        happened_at=at,
        payload=told,
        by=by,
    )
