"""May we send this to him now? One pure function: rules in a fixed order, the first that refuses decides.

The order is that of harm: whoever is erased or has opted out is not written to, whatever else holds; then what he
asked for, what he agreed to, what he was promised; then the hour, the caps, and what his attention bears.
Service messages pass by all rules of marketing, and a message is service by what it is, not by what it calls itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from primeta.attention import quiet_hours
from primeta.attention.consents import Standing
from primeta.attention.fold import LONG_AGO, CustomerState, SeenTouch
from primeta.attention.holdout import draw, probability
from primeta.attention.outcomes import WITHIN
from primeta.attention.records import (
    NEEDS,
    PURPOSES,
    Answer,
    Cap,
    Credit,
    Level,
    Policy,
    Promise,
    Purpose,
    Question,
)
from primeta.errors import BadInput

CreditAt = Callable[[datetime], Credit | None]
"""The customer's credit on the channel in question as it will be at a moment, if nothing happens until then."""

MARKETING: tuple[Purpose, ...] = ("useful", "offer", "press")
RANK: Mapping[Level, int] = {"none": 0, "useful": 1, "sell": 2, "press": 3}
WANTS: Mapping[Purpose, int] = {"service": 0, "useful": 1, "offer": 2, "press": 3}
CLOCK_MAY_DIFFER = timedelta(minutes=5)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)
LOOK_AHEAD_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90)
"""At which days from now credit is looked at, to tell whether waiting brings it back."""
MOST_STEPS = 60
"""Of waiting from one refusal to the next: more means two rules that never let pass together."""
NOTHING_KNOWN = CustomerState(customer_id="")
NOBODY: Mapping[str, Any] = {}


class Unchanging(tuple[Promise, ...]):
    """Promises to everybody without beginning or end, each in one version: all of them hold at any moment."""


def seen_once(promises: Sequence[Promise]) -> tuple[Promise, ...]:
    """The same promises, marked as unchanging where they are, so that not each question sorts them anew."""
    names = {promise.name for promise in promises}
    plain = len(names) == len(promises) and all(
        promise.customers == "all" and promise.valid_from is None and promise.valid_to is None
        for promise in promises
    )
    return Unchanging(promises) if plain else tuple(promises)


class Refusal(NamedTuple):
    """One rule that says no at a moment."""

    rule: str
    until: datetime | None
    """The first moment at which this rule alone would let it pass; None: no waiting helps."""
    promise: Promise | None = None
    values: Mapping[str, Any] = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question with all that is needed to answer it at any moment."""

    question: Question
    state: CustomerState | None
    policy: Policy
    promises: Sequence[Promise] = ()
    credit: CreditAt | None = None
    reserved: Sequence[SeenTouch] = ()
    """Messages that other senders hold a place for, or that the ledger does not know of yet."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    assumed: frozenset[str] = frozenset()
    """For flips: `consent`, `released`."""
    rests: bool = True
    """Whether credit changes with time."""
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out of the state already: many moments and changes are asked of one customer."""

    def asking(self, question: Question) -> Case:
        """The same for another question."""
        return self._other(question, self.assumed)

    def assuming(self, what: str) -> Case:
        """The same as if he had consented (`consent`) or a person had released his wish (`released`)."""
        return self._other(self.question, self.assumed | {what})

    def _other(self, question: Question, assumed: frozenset[str]) -> Case:
        return Case(
            question=question,
            state=self.state,
            policy=self.policy,
            promises=self.promises,
            credit=self.credit,
            reserved=self.reserved,
            zone=self.zone,
            now=self.now,
            assumed=assumed,
            rests=self.rests,
            memo=self.memo,
        )


def decide(
    question: Question,
    state: CustomerState | None,
    policy: Policy,
    promises: Sequence[Promise] = (),
    credit: CreditAt | Credit | None = None,
    *,
    now: datetime,
    reserved: Sequence[SeenTouch] = (),
    zone: ZoneInfo | str = "UTC",
    explain: bool = True,
    channels: Sequence[str] = (),
) -> Answer:
    """Answer one question.

    Args:
        state: What the ledger says of the customer; None: nothing is known of him.
        promises: Of the team to everybody; those made to him alone stand in `state`.
        credit: On the channel in question, or how to work it out for a moment; None: it cannot be told, and useful
            messages are all that is allowed.
        now: The clock; a question about an earlier moment is answered as for that moment.
        reserved: Messages that hold a place and are not in `state` yet.
        zone: Where the customer lives.
        explain: With the smallest changes that turn the answer round; else only answer and earliest time.
        channels: Others that could be taken instead; those that the state and the policy name are known anyway.
    Raises:
        BadInput: a time has no zone.
    """
    if question.at.tzinfo is None or now.tzinfo is None:
        raise BadInput(f"the time {question.at.isoformat()} has no zone; write it as 2026-11-26T18:00:00Z")
    case = Case(
        question=question,
        state=state,
        policy=policy,
        promises=promises,
        credit=credit if credit is None or callable(credit) else _always(credit),
        reserved=reserved,
        zone=quiet_hours.zone_of(zone) if isinstance(zone, str) else zone,
        now=now,
        rests=callable(credit),
    )
    at = question.at.astimezone(UTC)
    first = next(refusals(case, at), None)
    told = case.credit(at) if case.credit is not None else None
    if first is None:
        values = _remarks(case, at)
        return Answer(
            allowed=True,
            rule="allowed",
            credit=told,
            earliest=at,
            policy=policy.version,
            probability=_probability(case, at, allowed=True),
            values=values,
        )
    earliest = earliest_after(case, at)
    promise = first.promise
    flips: tuple[Any, ...] = ()
    if explain:
        from primeta.attention.flips import flips_of

        flips = flips_of(case, at, earliest=earliest, channels=channels)
    return Answer(
        allowed=False,
        rule=first.rule,
        promise=promise.name if promise else "",
        promise_version=promise.version if promise else 0,
        promise_text=promise.text if promise else "",
        credit=told,
        earliest=earliest,
        flips=flips,
        policy=policy.version,
        probability=_probability(case, at, allowed=False) if first.rule == "cap" else 1.0,
        values=first.values,
    )


def _always(credit: Credit) -> CreditAt:
    return lambda _at: credit


def refusals(case: Case, at: datetime) -> Iterator[Refusal]:
    """Every rule that refuses at a moment, in their order."""
    question, policy = case.question, case.policy
    if question.purpose not in PURPOSES:
        yield Refusal("unknown-purpose", None, None, {"purpose": question.purpose})
        return
    if not question.channel or (policy.channels and question.channel not in policy.channels):
        yield Refusal("unknown-channel", None, None, {"channel": question.channel, "known": policy.channels})
        return
    service = question.purpose == "service"
    state = case.state
    if state is None:
        # Nobody has agreed to anything; a receipt may go where the policy lets senders send receipts unasked.
        if (not service or policy.default == "refuse") and "consent" not in case.assumed:
            yield Refusal("unknown-customer", None)
            if not service:
                return
        state = NOTHING_KNOWN
    # What was learnt later than this moment counts: an opt-out is never too late.
    known = max(at, state.as_of)
    if state.suppressed_at is not None and state.suppressed(at=known):
        yield Refusal("suppressed", None)
    if service:
        yield from _service(case, state, at, known)
        return
    now = max(case.now, at)
    if state.as_of - now > CLOCK_MAY_DIFFER:
        yield Refusal(
            "clock",
            state.as_of - CLOCK_MAY_DIFFER,
            None,
            {"seconds": round((state.as_of - now).total_seconds())},
        )
    yield from _allowed_by_him(case, state, at, known)
    yield from _promises(case, state, at)
    if policy.quiet_hours is not None and quiet_hours.within(at, case.zone, policy.quiet_hours):
        yield Refusal(
            "quiet-hours",
            quiet_hours.end_of(at, case.zone, policy.quiet_hours),
            None,
            {"hours": policy.quiet_hours, "zone": case.zone.key},
        )
    yield from _caps(case, state, at)
    yield from _attention(case, state, at)


def _service(case: Case, state: CustomerState, at: datetime, known: datetime) -> Iterator[Refusal]:
    """Of a message that calls itself service."""
    question, policy = case.question, case.policy
    standing = _standing(case, state, "service", known)
    if standing.state in ("withdrawn", "refused"):
        yield Refusal("opted-out", None, None, _proof(standing))
    declared = policy.service_programmes
    if declared and question.programme not in declared and question.campaign not in declared:
        yield Refusal(
            "purpose-rule",
            None,
            None,
            {"programme": question.programme or question.campaign, "known": declared},
        )
    for promise in _in_force(case, state, at):
        if promise.purpose == "service":
            yield from _promise(case, state, promise, at)


def _allowed_by_him(case: Case, state: CustomerState, at: datetime, known: datetime) -> Iterator[Refusal]:
    """Opt-outs, wishes, consents and preferences: what the customer himself said."""
    question = case.question
    channel = question.channel
    standing = _standing(case, state, NEEDS[question.purpose], known)
    if not standing.given and "consent" not in case.assumed:
        if standing.state in ("withdrawn", "refused"):
            yield Refusal("opted-out", None, None, _proof(standing))
        else:
            yield Refusal(
                "no-consent", _in_force_later(case, state, known), None, {"claimed": standing.claimed}
            )
    if state.wishes and "released" not in case.assumed:
        wish = state.wish(channel)
        if wish is not None:
            yield Refusal("wish", None, None, {"means": wish.means, "wish": wish.key, "at": wish.at})
    if question.personalised:
        personal = _standing(case, state, "personalisation", known)
        if personal.state in ("withdrawn", "refused"):
            yield Refusal("personalisation", None, None, _proof(personal))
    if state.preferences or state.wishes:
        yield from _preferences(case, state, at)


def _standing(case: Case, state: CustomerState, processing: str, known: datetime) -> Standing:
    """`state.standing`, worked out once for all moments from which on nothing comes into force any more."""
    memo = case.memo
    settled = memo.get("settled")
    if settled is None:
        marks = (mark for slot in state.consents.values() for mark in (*slot.given, slot.no) if mark)
        settled = memo["settled"] = max((mark.effective for mark in marks), default=LONG_AGO)
    key = (processing, case.question.channel, None if known >= settled else known)
    found = memo.get(key)
    if found is None:
        found = memo[key] = state.standing(processing, case.question.channel, at=known)
    return found


def _proof(standing: Any) -> dict[str, Any]:
    mark = standing.mark
    return {"at": mark.at if mark else None, "channel": standing.channel, "state": standing.state}


def _in_force_later(case: Case, state: CustomerState, known: datetime) -> datetime | None:
    """When a consent that is dated later comes into force, and nothing stands against it."""
    processing, channel = NEEDS[case.question.purpose], case.question.channel
    later = sorted(
        mark.effective
        for (of, where, _), slot in state.consents.items()
        if of == processing and where in ("", channel)
        for mark in slot.given
        if mark.effective > known
    )
    return next((at for at in later if state.standing(processing, channel, at=at).given), None)


def _preferences(case: Case, state: CustomerState, at: datetime) -> Iterator[Refusal]:
    question = case.question
    channels = state.preference("channels")
    if channels is not None and question.channel not in channels:
        yield Refusal("preference", None, None, {"what": "channels", "to": tuple(channels)})
    topics = state.preference("topics")
    if topics is not None and not {question.programme, question.campaign} & set(topics):
        yield Refusal("preference", None, None, {"what": "topics", "to": tuple(topics)})
    most = state.preference("max_per_week")
    if most is not None:
        until = free_from(_times(case, state, MARKETING), at, most=int(most), window=WEEK)
        if until is not at:
            yield Refusal("preference", until, None, {"what": "max_per_week", "to": int(most)})
    hours = state.preference("hours")
    if hours is not None:
        pair = (int(hours[0]), int(hours[1]))
        if not quiet_hours.within(at, case.zone, pair):
            until = quiet_hours.start_of(at, case.zone, pair)
            yield Refusal("preference", until, None, {"what": "hours", "to": pair})


def _in_force(case: Case, state: CustomerState, at: datetime) -> Iterator[Promise]:
    """The promises to this customer, each in its newest version that has begun by then."""
    if isinstance(case.promises, Unchanging) and not state.promises:
        yield from case.promises
        return
    newest: dict[str, Promise] = {}
    for promise in (*case.promises, *promises_of(state)):
        if promise.customers != "all" and case.question.customer_id not in promise.customers:
            continue
        if promise.valid_from is not None and promise.valid_from > at:
            continue
        before = newest.get(promise.name)
        if before is None or promise.version >= before.version:
            newest[promise.name] = promise
    for promise in newest.values():
        # The version that a newer one replaced does not come back when that one ends.
        if promise.valid_to is None or promise.valid_to > at:
            yield promise


def promises_of(state: CustomerState) -> tuple[Promise, ...]:
    """What was promised to this customer alone, every version."""
    if not state.promises:
        return ()
    from primeta.attention.promise_file import promise_from

    return tuple(promise_from(told, customer_id=state.customer_id) for told in state.promises.values())


def _promises(case: Case, state: CustomerState, at: datetime) -> Iterator[Refusal]:
    if not case.promises and not state.promises:
        return
    for promise in _in_force(case, state, at):
        yield from _promise(case, state, promise, at)
    # A promise that begins later is no refusal now; `earliest_after` asks again at each moment it comes to.


def _promise(case: Case, state: CustomerState, promise: Promise, at: datetime) -> Iterator[Refusal]:
    """Each predicate of one promise that this message would break."""
    question = case.question
    if promise.channel is not None and promise.channel != question.channel:
        return
    if promise.purpose is not None and promise.purpose != question.purpose:
        return

    def broken(what: str, until: datetime | None, **values: Any) -> Refusal:
        # Once it has ended or a newer version has begun, this one refuses no more.
        ends = [
            one.valid_from
            for one in case.promises
            if one.name == promise.name and one.valid_from is not None and one.valid_from > at
        ]
        known = [moment for moment in (*ends, promise.valid_to, until) if moment is not None]
        return Refusal("promise", min(known, default=None), promise, {"what": what, **values})

    if promise.max is not None and promise.window is not None:
        times = _times(
            case, state, (promise.purpose,) if promise.purpose else PURPOSES, promise.channel or ""
        )
        until = free_from(times, at, most=promise.max, window=promise.window)
        if until is not at:
            yield broken("max", until, max=promise.max, window=promise.window)
    if promise.hours is not None and not quiet_hours.within(at, case.zone, promise.hours):
        yield broken("hours", quiet_hours.start_of(at, case.zone, promise.hours), hours=promise.hours)
    if promise.purposes_only and question.purpose not in promise.purposes_only:
        yield broken("purposes_only", None, only=promise.purposes_only)
    if promise.channels_only and question.channel not in promise.channels_only:
        yield broken("channels_only", None, only=promise.channels_only)
    if promise.programmes_only and not {question.programme, question.campaign} & set(promise.programmes_only):
        yield broken("programmes_only", None, only=promise.programmes_only)
    if promise.personal_only and not question.personal:
        yield broken("personal_only", None)


def _caps(case: Case, state: CustomerState, at: datetime) -> Iterator[Refusal]:
    drawn = draw(case.question, case.policy) if case.policy.holdout else "as-is"
    for cap in case.policy.caps:
        if not applies(cap, case.question):
            continue
        if not cap.strict and drawn == "left-out":
            continue
        most = cap.max * 2 if not cap.strict and drawn == "doubled" else cap.max
        until = free_from(_times(case, state, cap.purposes, cap.channel), at, most=most, window=cap.window)
        if until is not at:
            yield Refusal("cap", until, None, {"max": most, "window": cap.window, "channel": cap.channel})


def applies(cap: Cap, question: Question) -> bool:
    """Whether a cap speaks of this message."""
    return question.purpose in cap.purposes and cap.channel in ("", question.channel)


def _attention(case: Case, state: CustomerState, at: datetime) -> Iterator[Refusal]:
    """What his attention bears: first touches, trust after a broken promise, the level that credit allows."""
    question, policy = case.question, case.policy
    if question.purpose != "useful":
        had = _marketing_touches(case, state, at)
        if had < policy.first_useful:
            yield Refusal("first-touches", None, None, {"had": had, "need": policy.first_useful})
        if state.broken and policy.useful_after_broken:
            mark = state.broken[-1]
            earned = sum(touch.purpose == "useful" and mark.at < touch.at <= at for touch in state.touches)
            if earned < policy.useful_after_broken:
                yield Refusal(
                    "after-broken",
                    None,
                    None,
                    {
                        "had": earned,
                        "need": policy.useful_after_broken,
                        "promise": mark.promise,
                        "at": mark.at,
                    },
                )
    credit = case.credit(at) if case.credit is not None else None
    if policy.rest_when_blind and credit is not None and credit.rest_until is not None:
        yield from _rest(case, state, at, credit.rest_until)
    level: Level = "useful" if credit is None else credit.level
    if RANK[level] < WANTS[question.purpose]:
        yield Refusal("level", _credit_returns(case, at), None, {"level": level})


def _rest(case: Case, state: CustomerState, at: datetime, until: datetime) -> Iterator[Refusal]:
    """Of who most probably no longer looks: nothing until the rest is over, then one useful message and its answer."""
    if at < until:
        yield Refusal("resting", until, None, {"until": until, "now": "rests"})
        return
    # a message since then is the probe, and credit may not know of it yet
    sent = [moment for moment in _times(case, state, MARKETING, case.question.channel) if moment >= until]
    out = max((moment for moment in sent if moment <= at), default=None)
    if out is not None and at < out + WITHIN:
        yield Refusal("resting", out + WITHIN, None, {"until": out + WITHIN, "now": "answer"})
    elif case.question.purpose != "useful":
        yield Refusal("resting", None, None, {"until": until, "now": "probe"})


def _marketing_touches(case: Case, state: CustomerState, at: datetime) -> int:
    """How many messages other than service he has had, as far as it matters."""
    had = sum(touch.purpose != "service" and touch.at <= at for touch in state.first_touches)
    if had < case.policy.first_useful and state.touches != state.first_touches:
        # His first ones may all have been service.
        seen = {touch.message_id for touch in state.first_touches}
        had += sum(
            touch.purpose != "service" and touch.at <= at and touch.message_id not in seen
            for touch in state.touches
        )
    return had


def _credit_returns(case: Case, at: datetime) -> datetime | None:
    """The second from which credit allows this purpose again, if it does while he is left alone for 90 days."""
    ask, wants = case.credit, WANTS[case.question.purpose]
    if ask is None or not case.rests:
        return None

    def enough(moment: datetime) -> bool:
        credit = ask(moment)
        return credit is not None and RANK[credit.level] >= wants

    low = at
    for days in LOOK_AHEAD_DAYS:
        high = whole_second(at) + timedelta(days=days)
        if enough(high):
            while high - low > SECOND:
                middle = low + timedelta(seconds=(high - low) // SECOND // 2)
                low, high = (low, middle) if enough(middle) else (middle, high)
            return whole_second(high)
        low = high
    return None


def _times(case: Case, state: CustomerState, purposes: tuple[str, ...], channel: str = "") -> list[datetime]:
    """When he was written to, or will be, by messages of these sorts; the message in question left out."""
    own = case.question.message_id
    key = (purposes, channel, own)
    known = case.memo.get(key)
    if known is not None:
        return known
    times = [
        touch.at
        for touch in state.touches
        if touch.purpose in purposes
        and (not channel or touch.channel == channel)
        and (not own or touch.message_id != own)
    ]
    if case.reserved:
        seen = {touch.message_id for touch in state.touches}
        times += [
            touch.at
            for touch in case.reserved
            if touch.purpose in purposes
            and (not channel or touch.channel == channel)
            and touch.message_id != own
            and touch.message_id not in seen
        ]
        times.sort()
    case.memo[key] = times
    return times


def free_from(times: Sequence[datetime], at: datetime, *, most: int, window: timedelta) -> datetime | None:
    """From when one message more leaves at most `most` in every rolling window (t − window, t] that holds it.

    Args:
        times: Of the other messages, oldest first; also those to come, which a message now must not push over.
    Returns:
        `at` itself (the same object) where it is free; None: never.
    """
    if most <= 0:
        return None
    count = len(times)
    if count < most or (times[-1] <= at and times[-most] <= at - window):
        return at
    moment = at
    moved = True
    while moved:
        moved = False
        for first in range(count - most + 1):
            begin, end = times[first], times[first + most - 1]
            if end - begin < window and end - window < moment < begin + window:
                moment, moved = begin + window, True
    return moment


def earliest_after(case: Case, at: datetime) -> datetime | None:
    """The first whole second from `at` on at which no rule refuses; None where no waiting helps."""
    moment = whole_second(at)
    for _ in range(MOST_STEPS):
        latest: datetime | None = None
        for refusal in refusals(case, moment):
            if refusal.until is None:
                return None
            latest = refusal.until if latest is None else max(latest, refusal.until)
        if latest is None:
            return moment
        moment = max(whole_second(latest), moment + SECOND)
    return None


def whole_second(moment: datetime) -> datetime:
    """Not before this moment."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + SECOND


def _probability(case: Case, at: datetime, *, allowed: bool) -> float:
    """Of the answer, where caps are drawn."""
    policy = case.policy
    if not policy.holdout or case.state is None or case.question.purpose == "service":
        return 1.0
    if all(cap.strict or not applies(cap, case.question) for cap in policy.caps):
        return 1.0

    def under(drawn: str) -> bool:
        caps = tuple(
            replace(cap, strict=True, max=cap.max * 2 if drawn == "doubled" and not cap.strict else cap.max)
            for cap in policy.caps
            if cap.strict or drawn != "left-out"
        )
        asked = replace(case, policy=replace(policy, caps=caps, holdout=0.0))
        return next(_caps(asked, case.state or NOTHING_KNOWN, at), None) is None

    return probability(
        policy,
        allowed=allowed,
        as_is=under("as-is"),
        left_out=under("left-out"),
        doubled=under("doubled"),
    )


def _remarks(case: Case, at: datetime) -> dict[str, Any]:
    """What a yes should be read with: a service message that looks like selling, a promise that it breaks."""
    if case.question.purpose != "service":
        return {}
    found: dict[str, Any] = {}
    state = case.state or NOTHING_KNOWN
    name = case.question.programme or case.question.campaign
    sold = [
        touch
        for touch in state.touches
        if touch.purpose != "service" and name and name in (touch.programme, touch.campaign)
    ]
    if sold:
        found["suspicious"] = name
    for promise in _in_force(case, state, at):
        if promise.purpose is None and next(_promise(case, state, promise, at), None) is not None:
            found["breaks"] = promise.name
    return found
