"""Many questions at once: the rules are worked out once for each kind of question, and states are read in one go.

Whoever is simple (consents and messages and nothing else) is answered by the quick rules, everybody else by `decide`;
both say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from primeta.attention.credit_kept import level_kept
from primeta.attention.decide import CLOCK_MAY_DIFFER
from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.quick import QuickRules, Verdict, microseconds
from primeta.attention.records import Answer, Level, Question
from primeta.store.attention_hot import lean_state
from primeta.store.attention_read import Packed

if TYPE_CHECKING:
    from primeta.workspace.may_send import Desk

AT_ONCE = 5_000
"""States in memory."""


class _Kind(NamedTuple):
    """What questions that differ in nothing but customer and message have in common."""

    rules: QuickRules
    channel: str
    since: int
    prior: Level


def verdicts(
    desk: Desk, questions: Sequence[Question], *, now: datetime, zones: Sequence[str] | None = None
) -> list[Verdict]:
    """In the order of the questions; see `Desk.verdicts`."""
    found: list[Verdict] = []
    kinds: dict[tuple[object, ...], _Kind | None] = {}
    for begin in range(0, len(questions), AT_ONCE):
        some = questions[begin : begin + AT_ONCE]
        there = None if zones is None else zones[begin : begin + AT_ONCE]
        found += _some(desk, some, there, kinds, now)
    return found


def verdicts_on(
    desk: Desk,
    question: Question,
    customers: Sequence[str],
    *,
    now: datetime,
    zones: Sequence[str] | None = None,
) -> list[Verdict]:
    """One question about many customers, in their order."""
    kind = _kind(desk, question, now)
    found: list[Verdict] = []
    since = min(now, question.at) - desk.back
    for begin in range(0, len(customers), AT_ONCE):
        ids = customers[begin : begin + AT_ONCE]
        rows = desk.reader.many(ids)
        places = desk.reader.places(ids, since=since, now=now)
        erased = desk.erased_of([one for one in ids if one not in rows])
        for place, customer in enumerate(ids):
            row = rows.get(customer)
            zone = zones[begin + place] if zones is not None else ""
            held = places.get(customer, ()) if places else ()
            quick = None
            if kind is not None and row is not None:
                quick = _quick(desk, kind, customer, row, held, zone)
            if quick is None:
                asked = about(question, customer)
                quick = _asked(desk, asked, row, held, now, zone, erased)
            found.append(quick)
    return found


def about(question: Question, customer: str) -> Question:
    """The same question about another customer."""
    return Question(
        customer_id=customer,
        channel=question.channel,
        purpose=question.purpose,
        at=question.at,
        campaign=question.campaign,
        programme=question.programme,
        personal=question.personal,
        personalised=question.personalised,
    )


def _some(
    desk: Desk,
    questions: Sequence[Question],
    zones: Sequence[str] | None,
    kinds: dict[tuple[object, ...], _Kind | None],
    now: datetime,
) -> list[Verdict]:
    ids = [question.customer_id for question in questions]
    rows = desk.reader.many(ids)
    places = desk.reader.places(ids, since=min(now, *(q.at for q in questions)) - desk.back, now=now)
    erased = desk.erased_of([one for one in ids if one not in rows])
    found: list[Verdict] = []
    last: tuple[object, ...] = ()
    kind: _Kind | None = None
    for place, question in enumerate(questions):
        zone = zones[place] if zones is not None else ""
        key = (
            question.at, question.channel, question.purpose, question.campaign, question.programme,
            question.personal, question.personalised,
        )  # fmt: skip
        # Neighbours are mostly alike, and comparing is quicker than looking up.
        if key != last:
            if key not in kinds:
                kinds[key] = _kind(desk, question, now)
            kind, last = kinds[key], key
        row = rows.get(question.customer_id)
        held = places.get(question.customer_id, ()) if places else ()
        quick = None
        if kind is not None and row is not None:
            quick = _quick(desk, kind, question.customer_id, row, held, zone, question.message_id)
        if quick is None:
            quick = _asked(desk, question, row, held, now, zone, erased)
        found.append(quick)
    return found


def _kind(desk: Desk, question: Question, now: datetime) -> _Kind | None:
    """None: of no such question the quick rules speak."""
    if now - question.at > CLOCK_MAY_DIFFER:
        return None
    rules = QuickRules(question, desk.policy, desk.promises, now=now, zone=desk.default_zone)
    if not rules.usable:
        return None
    since = microseconds(min(now, question.at) - desk.back)
    return _Kind(rules, question.channel, since, desk.prior(question.channel, now).level)


def _quick(
    desk: Desk,
    kind: _Kind,
    customer: str,
    row: Packed,
    places: Sequence[SeenTouch],
    zone: str,
    message: str = "",
) -> Verdict | None:
    lean = lean_state(row.state)
    if lean is None or not lean.simple or lean.short_of(kind.since):
        return None
    level = level_kept(row.credit, channel=kind.channel, policy=desk.policy) or kind.prior
    if level == "resting":
        return None
    return kind.rules.ask(
        customer_id=customer,
        as_of=lean.a,
        consents=lean.c,
        touches=lean.first() if lean.r is None else lean.r,
        first=lean.first,
        level=level,
        zone=zone or row.zone,
        message_id=message,
        places=places,
    )


def _asked(
    desk: Desk,
    question: Question,
    row: Packed | None,
    places: Sequence[SeenTouch],
    now: datetime,
    zone: str,
    erased: Callable[[str], CustomerState | None],
) -> Verdict:
    if now - question.at > CLOCK_MAY_DIFFER:
        answer = desk.answer(question, now=now, zone=zone, explain=False)
    else:
        state = erased(question.customer_id) if row is None else None
        answer = desk.answer_of(question, row, places, now=now, zone=zone, state=state, known=True)
    return verdict_of(answer)


def verdict_of(answer: Answer) -> Verdict:
    """As much of an answer."""
    return Verdict(answer.allowed, answer.rule, answer.earliest, answer.promise)
