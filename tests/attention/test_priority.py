"""Several messages for one slot: one goes, and each other is told why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from primeta.attention.priority import Wanting, choose
from primeta.attention.records import Answer, Policy, Question

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def message(name: str, purpose: str, **more) -> Wanting:
    question = Question(customer_id="c", channel="push", purpose=purpose, at=NOW, message_id=name)  # type: ignore[arg-type]
    return Wanting(question=question, **more)


def told(*wanting: Wanting, refuse: str = "", policy: Policy = Policy()) -> list[tuple[str, str]]:  # noqa: B008
    def answer(question: Question) -> Answer:
        allowed = question.message_id not in refuse.split()
        return Answer(allowed=allowed, rule="allowed" if allowed else "cap")

    return [(place.why, place.behind) for place in choose(wanting, answer=answer, policy=policy, now=NOW)]


def test_purpose_then_value_then_deadline_then_arrival():
    assert told(message("a", "offer", value=99), message("b", "useful")) == [("purpose", "b"), ("chosen", "")]
    assert told(message("a", "offer", value=1), message("b", "offer", value=2)) == [
        ("value", "b"),
        ("chosen", ""),
    ]
    # A value that is not known is less than any that is.
    assert told(message("a", "offer"), message("b", "offer", value=-5)) == [("value", "b"), ("chosen", "")]
    soon = message("b", "offer", deadline=NOW + timedelta(hours=1))
    assert told(message("a", "offer"), soon) == [("deadline", "b"), ("chosen", "")]
    assert told(message("a", "offer"), message("b", "offer")) == [("chosen", ""), ("earlier", "a")]


def test_the_refused_and_the_late_take_no_slot():
    late = message("b", "service", deadline=NOW - timedelta(seconds=1))
    assert told(message("a", "useful"), late, message("c", "press"), refuse="a") == [
        ("refused", "c"),
        ("past-deadline", "c"),
        ("chosen", ""),
    ]
    assert told(message("a", "useful"), refuse="a") == [("refused", "")]
    assert told() == []


def test_the_team_may_order_purposes_otherwise():
    policy = Policy(priority=("offer", "useful"))
    assert told(message("a", "useful"), message("b", "offer"), policy=policy) == [
        ("purpose", "b"),
        ("chosen", ""),
    ]
