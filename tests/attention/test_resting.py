"""Who no longer looks is left alone, then tried with one useful message: the alarm of one, rests, answers."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from primeta.attention.alarm_score import PRIOR_ALARM, alarm_scores, silent_next
from primeta.attention.answer_words import reason
from primeta.attention.consents import Mark, Slot
from primeta.attention.credit import CreditEvent, CreditState, alarm_score, credit_of, state_of
from primeta.attention.credit_kept import level_kept, pack_credit, unpack_credit
from primeta.attention.credit_model import CreditModel, foresee
from primeta.attention.credit_rest import REST_MOST
from primeta.attention.decide import decide
from primeta.attention.fold import CustomerState, SeenTouch
from primeta.attention.outcomes import TouchLog, days_of
from primeta.attention.policy import policy_from, policy_values
from primeta.attention.records import Policy, Question
from primeta.errors import BadInput

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
EAGER = replace(
    CreditModel.prior(), alarm=np.array(PRIOR_ALARM) + [0, 0, 0, 0.7, -0.2, 0.1, -0.1], alarm_above=2.0
)
POLICY = Policy(quiet_hours=None)


def sends(*days: float, purpose: str = "useful", prefix: str = "m") -> list[CreditEvent]:
    return [
        CreditEvent(
            kind="touch", at=T0 + day * DAY, channel="push", purpose=purpose, message_id=f"{prefix}{day}"
        )  # type: ignore[arg-type]
        for day in days
    ]


def welcome(day: float, after: float = 0.2) -> CreditEvent:
    return CreditEvent(kind="welcomed", at=T0 + (day + after) * DAY, channel="push", message_id=f"m{day}")


def credit(events: list[CreditEvent], day: float):
    at = T0 + day * DAY
    state = state_of(events, model=EAGER, until=at)
    return credit_of(state, model=EAGER, channel="push", at=at, policy=POLICY)


def test_the_score_of_one_is_that_of_a_log():
    rng = np.random.default_rng(4)
    days = np.cumsum(rng.choice([0.5, 2.0, 5.0, 20.0], 60))
    glad = rng.random(60) < 0.15
    events = sends(*days)
    events += [welcome(day, 0.1) for day, yes in zip(days, glad, strict=True) if yes]
    log = TouchLog(
        customers=("c",), channels=("push",), customer=np.zeros(60, dtype=int), channel=np.zeros(60, dtype=int),
        sent=days_of(T0) + days, purpose=np.ones(60, dtype=int), welcomed=np.where(glad, 0.1, np.nan),
        drove=np.full(60, np.nan), until=days_of(T0) + days[-1] + 4,
    )  # fmt: skip
    told = foresee(EAGER, log, intervals=False).alarm
    peak = -np.inf
    for place, day in enumerate(days):
        before = [event for event in events if event.at < T0 + day * DAY]
        state = state_of(before, model=EAGER, until=T0 + day * DAY)
        from primeta.attention.credit import _caught_up

        own = state.channels.get("push")
        own = None if own is None else _caught_up(own, float(log.sent[place]), EAGER, whole=True)
        score = alarm_score(own, EAGER)
        peak = score if own is None or own.unanswered == 0 else max(peak, score)
        assert peak == pytest.approx(told[place], abs=1e-9)


def test_silence_raises_the_alarm_and_rest_does_not_move_with_the_asking():
    silent = sends(*range(0, 60, 3))
    first = credit(silent, 61).rest_until
    assert first is not None
    # from the end of the last message's 72 hours on
    assert first > T0 + 60 * DAY
    assert all(credit(silent, day).rest_until == first for day in (62, 70, 200))
    assert credit(sends(0, 3), 7).rest_until is None


def test_a_welcome_ends_the_alarm_and_a_silent_probe_doubles_the_rest_up_to_a_limit():
    silent = sends(*range(0, 60, 3))
    last, rest = 57.0, credit(silent, 61).rest_until
    lengths = [(rest - T0) / DAY - last - 3]
    for _ in range(5):
        probe = (rest - T0) / DAY + 1
        silent = [*silent, *sends(probe)]
        rest = credit(silent, probe + 4).rest_until
        lengths.append((rest - T0) / DAY - probe - 3)
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=1e-6) or lengths[1] == REST_MOST
    assert all(b == pytest.approx(min(2 * a, REST_MOST), abs=1e-6) for a, b in itertools.pairwise(lengths))
    assert lengths[-1] == pytest.approx(REST_MOST)
    assert credit([*silent, welcome(probe)], probe + 4).rest_until is None


def test_a_service_message_is_no_probe():
    silent = sends(*range(0, 60, 3))
    rest = credit(silent, 61).rest_until
    after = (rest - T0) / DAY + 5
    assert credit([*silent, *sends(after, purpose="service")], after + 4).rest_until == rest


def test_the_state_keeps_its_rest():
    state = state_of([*sends(*range(0, 60, 3)), *sends(140)], model=EAGER, until=T0 + 150 * DAY)
    again = CreditState.from_dict(state.as_dict())
    at = T0 + 150 * DAY
    one, two = (credit_of(s, model=EAGER, channel="push", at=at, policy=POLICY) for s in (state, again))
    assert one == two
    assert one.rest_until is not None


def customer(*touches: SeenTouch) -> CustomerState:
    yes = Mark(at=T0 - 900 * DAY, effective=T0 - 900 * DAY, state="given", proven=True)
    old = tuple(
        SeenTouch(at=T0 - (300 - n) * DAY, message_id=f"o{n}", channel="push", purpose="useful")
        for n in range(5)
    )
    return CustomerState(
        customer_id="c", consents={("marketing", "", ""): Slot(given=(yes,))}, touches=(*old, *touches), first_touches=old,
    )  # fmt: skip


RESTS = T0 + 30 * DAY


def answer(
    day: float, purpose: str = "useful", *, policy: Policy = POLICY, touches: tuple[SeenTouch, ...] = ()
):
    told = replace(credit(sends(0, 3), 7), level="press", rest_until=RESTS)
    at = T0 + day * DAY
    question = Question(customer_id="c", channel="push", purpose=purpose, at=at)  # type: ignore[arg-type]
    return decide(question, customer(*touches), policy, (), told, now=at)


def test_marketing_rests_until_the_day_of_the_probe():
    told = answer(10)
    assert (told.allowed, told.rule, told.earliest) == (False, "resting", RESTS)
    assert any(flip.change == "wait-until" for flip in told.flips)
    assert "1 Apr" in reason(told, "en").replace("\xa0", " ")
    assert "дайте отдохнуть" in reason(told, "ru")
    assert answer(10, policy=replace(POLICY, rest_when_blind=False)).allowed
    assert answer(10, "service").rule != "resting"


def test_then_exactly_one_useful_message_goes():
    assert answer(31).allowed
    offer = answer(31, "offer")
    assert (offer.rule, offer.earliest) == ("resting", None)
    assert any(flip.change == "purpose" and flip.to == "useful" for flip in offer.flips)
    probe = SeenTouch(at=RESTS + DAY, message_id="p", channel="push", purpose="useful")
    second = answer(32, touches=(probe,))
    assert (second.rule, second.earliest) == ("resting", RESTS + 4 * DAY)
    assert "станет ясно" in reason(second, "ru")


def test_rest_is_kept_beside_credit_for_the_fast_path():
    told = replace(credit(sends(0, 3), 7), rest_until=RESTS)
    kept = pack_credit({"push": told, "email": replace(told, rest_until=None)}, policy=POLICY, at=T0)
    assert unpack_credit(kept, channel="push", policy=POLICY).rest_until == RESTS
    assert unpack_credit(kept, channel="email", policy=POLICY).rest_until is None
    assert level_kept(kept, channel="push", policy=POLICY) == "resting"
    assert level_kept(kept, channel="email", policy=POLICY) == told.level
    assert level_kept(kept, channel="push", policy=replace(POLICY, rest_when_blind=False)) == told.level


def test_the_policy_says_whether_the_blind_rest():
    assert policy_from({}).rest_when_blind
    assert not policy_from({"rest_when_blind": False}).rest_when_blind
    assert policy_values(policy_from({"rest_when_blind": False}))["rest_when_blind"] is False
    with pytest.raises(BadInput, match="rest_when_blind"):
        policy_from({"rest_when_blind": "no"})


def test_a_long_silence_is_the_touches_that_follow():
    welcomed = np.array([np.nan, np.nan, 0.1, np.nan, np.nan, np.nan])
    sequence = np.array([0, 0, 0, 0, 1, 1])
    assert silent_next(welcomed, sequence, 2).tolist() == [1, 0, 0, -1, 1, -1]


def test_half_of_what_was_usual_at_the_beginning_of_a_silence_is_taken_off():
    columns = np.array([[1.0, 0, 0, 0, 0, 0, 0], [3.0, 0, 0, 0, 0, 0, 0]])
    alarm = np.array([1.0, 0, 0, 0, 0, 0, 0])
    # 1 − .5, then 3 − .5
    assert alarm_scores(columns, np.array([0, 1]), alarm).tolist() == [0.5, 2.5]
