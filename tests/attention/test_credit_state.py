"""Credit of one customer: equal to the filter over a log, whatever the order in which events come."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.baselines import Baselines
from primeta.attention.credit import (
    CreditEvent,
    CreditModel,
    CreditState,
    credit_of,
    level_of,
    new_state,
    predict,
    state_of,
    update,
)
from primeta.attention.credit_features import Season
from primeta.attention.credit_model import foresee
from primeta.attention.outcomes import DAY_US, TouchLog, days_of, time_of
from primeta.attention.records import PURPOSES, Credit, Policy
from primeta.errors import BadInput
from primeta.stats.attention_filter import FilterParameters

START = datetime(2025, 2, 3, 8, tzinfo=UTC)
CHANNELS = ("email", "push")


def rich_model(used: str = "state-space") -> CreditModel:
    """The prior with every feature at work."""
    prior = CreditModel.prior()
    rng = np.random.default_rng(5)
    size = len(prior.filter.welcome) + 1
    numbers = {name: getattr(prior.filter, name) for name in FilterParameters.__slots__}
    numbers["welcome"] = np.append(prior.filter.welcome, 0.0) + rng.normal(0, 0.1, size)
    first = int(days_of(START)) - 3
    return replace(
        prior,
        filter=FilterParameters(**numbers),
        welcome_covariance=0.01 * np.eye(size),
        drive=np.append(prior.drive, 0.1) + rng.normal(0, 0.05, len(prior.drive) + 1),
        stack=prior.stack + rng.normal(0, 0.05, len(prior.stack)),
        widen_at=(-3.0, -1.0),
        widen_by=(1.1, 0.95),
        channels=("push",),
        season=Season(first=first, values=tuple(rng.normal(0, 0.2, 50).tolist())),
        used=used,
        baselines=Baselines(
            counts_welcome=rng.normal(0, 0.3, 10),
            counts_drive=rng.normal(-1, 0.3, 10),
            beta_memory=40.0,
            beta_share=0.1,
            beta_strength=3.0,
            beta_welcome=np.array([0.1, 0.9, 0.2, -0.1, -0.2]),
            beta_drive=np.array([-5.0, 0.1, 0.2, 0.1, 0.3]),
        ),
    )


def history(seed: int, touches: int = 25) -> list[CreditEvent]:
    rng = np.random.default_rng(seed)
    events: list[CreditEvent] = []
    at = START
    for number in range(touches):
        at += timedelta(microseconds=int(rng.exponential(2.0) * DAY_US))
        name, channel = f"m{number:03d}", CHANNELS[int(rng.integers(0, 2))]
        purpose = PURPOSES[int(rng.integers(0, 4))]
        events.append(CreditEvent(kind="touch", at=at, channel=channel, purpose=purpose, message_id=name))
        for kind, chance in (("welcomed", 0.35), ("drove-away", 0.08)):
            if rng.random() < chance:
                later = at + timedelta(microseconds=int(rng.uniform(0, 2.9) * DAY_US))
                events.append(CreditEvent(kind=kind, at=later, channel=channel, message_id=name))
        if rng.random() < 0.15:
            kind = "broken" if rng.random() < 0.5 else "kept"
            events.append(
                CreditEvent(kind=kind, at=at + timedelta(hours=5), channel="", message_id=f"p{number}")
            )
    return events


def log_of(events: list[CreditEvent], until: datetime) -> TouchLog:
    touches = sorted((e for e in events if e.kind == "touch"), key=lambda e: (e.channel, e.at, e.message_id))
    came = {(e.kind, e.message_id): e.at for e in events}

    def delays(kind: str) -> np.ndarray:
        return np.array([
            days_of(came[kind, e.message_id]) - days_of(e.at) if (kind, e.message_id) in came else np.nan
            for e in touches
        ])  # fmt: skip

    def times(kind: str) -> np.ndarray:
        return np.array([days_of(e.at) for e in events if e.kind == kind])

    return TouchLog(
        customers=("c",),
        channels=CHANNELS,
        customer=np.zeros(len(touches), dtype=np.int64),
        channel=np.array([CHANNELS.index(e.channel) for e in touches]),
        sent=np.array([days_of(e.at) for e in touches]),
        purpose=np.array([PURPOSES.index(e.purpose) for e in touches]),
        welcomed=delays("welcomed"),
        drove=delays("drove-away"),
        until=days_of(until),
        message_id=np.array([e.message_id for e in touches], dtype=object),
        broken_customer=np.zeros(len(times("broken")), dtype=np.int64),
        broken_at=times("broken"),
        kept_customer=np.zeros(len(times("kept")), dtype=np.int64),
        kept_at=times("kept"),
    )


@pytest.mark.parametrize("used", ["state-space", "counts", "beta-binomial"])
def test_event_by_event_and_the_whole_log_at_once_foretell_the_same(used):
    model, events = rich_model(used), history(2)
    until = max(e.at for e in events) + timedelta(days=5)
    log = log_of(events, until)
    seen = foresee(model, log)
    place = {name: number for number, name in enumerate(log.message_id)}
    order = {"welcomed": 0, "drove-away": 1, "broken": 2, "kept": 2, "touch": 5}
    state = new_state(at=events[0].at)
    for event in sorted(events, key=lambda e: (e.at, order[e.kind], e.channel, e.message_id)):
        if event.kind == "touch":
            told = predict(state, model=model, channel=event.channel, purpose=event.purpose, at=event.at)
            row = place[event.message_id]
            expected = [
                getattr(seen, name)[row]
                for name in ("welcome", "drive_away", "value", "low", "high", "blind")
            ]
            assert [
                told.welcome,
                told.drive_away,
                told.value,
                told.low,
                told.high,
                told.blind,
            ] == pytest.approx(expected, abs=1e-9)
        state = update(state, event, model=model)
        assert state is not None


@given(st.integers(0, 50), st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_no_order_of_late_repeated_or_shuffled_events_changes_the_state(seed, random):
    model, events = CreditModel.prior(), history(seed, 8)
    until = START + timedelta(days=60)
    straight = state_of(events, model=model, until=until).as_dict()
    mixed = events + events[: len(events) // 2]
    random.shuffle(mixed)
    assert state_of(mixed, model=model, until=until).as_dict() == straight


def test_a_late_event_is_not_swallowed_but_asks_for_going_through_all_again():
    model, events = CreditModel.prior(), history(4)
    state = state_of(events, model=model, until=START + timedelta(days=300))
    late = CreditEvent(kind="welcomed", at=START + timedelta(days=2), channel="push", message_id="m000")
    assert update(state, late, model=model) is None


def test_a_state_survives_json():
    model = rich_model()
    state = state_of(history(6), model=model, until=START + timedelta(days=300))
    again = CreditState.from_dict(json.loads(json.dumps(state.as_dict())))
    assert again.as_dict() == state.as_dict()
    at = state.as_of + timedelta(days=1)
    assert predict(again, model=model, channel="push", purpose="offer", at=at) == predict(
        state, model=model, channel="push", purpose="offer", at=at
    )


def test_a_model_survives_json():
    model = rich_model()
    again = CreditModel.from_dict(json.loads(json.dumps(model.as_dict())))
    assert again.as_dict() == model.as_dict()


def touch(number: int, day: float, purpose: str = "offer", channel: str = "push") -> CreditEvent:
    return CreditEvent(
        kind="touch",
        at=START + timedelta(days=day),
        channel=channel,
        purpose=purpose,
        message_id=f"t{number}",
    )


def answer(number: int, day: float, kind: str = "welcomed") -> CreditEvent:
    return CreditEvent(kind=kind, at=START + timedelta(days=day), channel="push", message_id=f"t{number}")


def credit(events: list[CreditEvent], day: float) -> Credit:
    model, at = CreditModel.prior(), START + timedelta(days=day)
    return credit_of(
        state_of(events, model=model, until=at), model=model, channel="push", at=at, policy=Policy()
    )


def test_silence_takes_credit_and_a_welcome_gives_it():
    silent = [touch(number, 3.0 * number) for number in range(12)]
    nothing, quiet = credit([], 40), credit(silent, 40)
    glad = credit([*silent, answer(11, 33.2)], 40)
    assert quiet.value < nothing.value < glad.value
    assert quiet.blind > nothing.blind > glad.blind
    assert nothing.model == "prior"
    assert nothing.touches == 0


def test_rest_brings_credit_back():
    silent = [touch(number, 1.0 * number) for number in range(15)]
    assert credit(silent, 19).value < credit(silent, 90).value < credit(silent, 400).value


def test_an_answer_counts_at_once_and_silence_in_two_instalments():
    events = [touch(0, 0.0)]
    steady = replace(CreditModel.prior().filter, recovery=1e-9, drift=1e-9)
    model = replace(CreditModel.prior(), filter=steady)

    def blind(day: float, more: tuple[CreditEvent, ...] = ()) -> float:
        at = START + timedelta(days=day)
        state = state_of([*events, *more], model=model, until=at)
        return predict(state, model=model, channel="push", purpose="useful", at=at).blind

    assert blind(0.5) < blind(1.5) < blind(3.5)
    assert blind(0.5, (answer(0, 0.2),)) < blind(0.5)


def test_opting_out_leaves_no_level_until_a_welcome():
    events = [touch(0, 0.0), answer(0, 0.1), touch(1, 5.0), answer(1, 5.1, "drove-away")]
    gone = credit(events, 6)
    assert gone.level == "none"
    assert gone.why_not == "opted-out"
    assert level_of(gone, Policy()) == "none"
    back = credit([*events, touch(2, 9.0, "useful"), answer(2, 9.1)], 10)
    assert back.level != "none"


def test_reactions_to_what_was_never_sent_or_came_too_late_change_nothing():
    events = [touch(0, 0.0)]
    base = credit(events, 9)
    assert credit([*events, answer(7, 1.0)], 9) == base
    assert credit([*events, answer(0, 3.5)], 9) == base


def test_unknown_kinds_and_purposes_are_refused():
    state = new_state(at=START)
    with pytest.raises(BadInput, match="no purpose is called 'spam'"):
        update(state, touch(0, 1.0, "spam"), model=CreditModel.prior())
    with pytest.raises(BadInput, match="no event of credit is called 'opened'"):
        update(state, answer(0, 1.0, "opened"), model=CreditModel.prior())


def some_credit(value: float, low: float, drive: float = 0.001) -> Credit:
    return Credit(
        value=value, low=low, high=0.9, welcome=value, drive_away=drive, blind=0.1, level="useful", model="prior",
        touches=3, as_of=START,
    )  # fmt: skip


def test_levels_follow_the_lower_bound_and_the_policys_own_thresholds():
    policy = Policy(sell_at=0.1, press_at=0.3)
    assert level_of(some_credit(0.5, 0.05), policy) == "useful"
    assert level_of(some_credit(0.5, 0.1), policy) == "sell"
    assert level_of(some_credit(0.5, 0.3), policy) == "press"


def test_levels_follow_expected_loss_where_money_is_known():
    # selling: 2 × .1 − .05 − 50 × (2 × .001) = .05 is worth it; with a customer worth 100 it is −.05 and is not
    gains = {"useful": 1.0, "offer": 2.0, "press": 0.1}
    policy = Policy(gain_per_touch=gains, loss_of_customer=50.0, cost_per_message={"push": 0.05})
    assert level_of(some_credit(0.3, 0.1), policy, channel="push") == "sell"
    dearer = replace(policy, loss_of_customer=100.0)
    assert level_of(some_credit(0.3, 0.1), dearer, channel="push") == "useful"
    ruinous = replace(policy, loss_of_customer=1e6)
    assert level_of(some_credit(0.3, 0.1), ruinous, channel="push") == "none"


def test_a_useful_touch_whose_gain_nobody_named_is_not_worth_nothing():
    # else a shop that prices offers alone could write to nobody: 0 × .3 − 1e6 × .001 < 0
    policy = Policy(gain_per_touch={"offer": 2.0}, loss_of_customer=1e6)
    assert level_of(some_credit(0.3, 0.1), policy) == "useful"


def test_days_and_microseconds_agree():
    assert time_of(days_of(START) + 1) == START + timedelta(days=1)
