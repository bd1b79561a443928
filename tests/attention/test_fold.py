"""A customer's state is a function of the set of entries; no consent is inferred; an opt-out always wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.chain import canonical, commitment_of, stamp
from primeta.attention.fold import CustomerState, extend, fold, state_as_of
from primeta.attention.ledger import Event, checked
from primeta.attention.records import Entry
from primeta.store.attention_state import pack, unpack

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = ("", "push", "email")
PROOF = {"text": "I agree", "surface": "checkout", "version": "3"}
_numbers = count(1)


def entry(kind: str, happened: float, payload: dict[str, Any], *, learnt: float | None = None, key: str = ""):
    """An entry dated by days since the start; learnt at once unless told otherwise."""
    number = next(_numbers)
    event = checked(
        Event(
            key=key or f"k{number}",
            kind=kind,  # type: ignore[arg-type]
            customer_id="c",
            happened_at=START + happened * DAY,
            payload=payload,
        )
    )
    salt = f"{number:064x}"
    commitment = commitment_of(
        salt=salt,
        key=event.key,
        kind=kind,
        customer_id="c",
        happened_at=stamp(event.happened_at),
        payload=canonical(event.payload),
    )
    return Entry(
        number=number,
        key=event.key,
        kind=event.kind,
        customer_id="c",
        happened_at=event.happened_at,
        learnt_at=START + (happened if learnt is None else learnt) * DAY,
        payload=event.payload,
        salt=salt,
        commitment=commitment,
        chain="",
        by="test",
    )


def consent(state: str, happened: float, *, channel: str = "push", learnt: float | None = None, **more: Any):
    told = {"processing": "marketing", "channel": channel, "state": state}
    return entry("consent", happened, {**told, **(PROOF if state == "given" else {}), **more}, learnt=learnt)


def may(state: CustomerState, day: float, channel: str = "push") -> bool:
    return state.standing("marketing", channel, at=START + day * DAY).given


days = st.integers(0, 12)
lag = st.integers(-4, 6)


@st.composite
def told(draw: st.DrawFn, kinds: tuple[str, ...] = ()) -> Entry:
    """Any entry about one customer: late, dated in the future, contradictory, unknown."""
    kind = draw(
        st.sampled_from(
            kinds
            or ("consent", "preference", "wish", "wish-confirmed", "touch", "reaction", "promise", "broken",
                "suppressed", "notice")
        )
    )  # fmt: skip
    happened = draw(days)
    learnt = max(0, happened + draw(lag))
    channel = draw(st.sampled_from(CHANNELS))
    if kind == "consent":
        proof = PROOF if draw(st.booleans()) else {}
        payload = {
            "processing": draw(st.sampled_from(("marketing", "profiling", "newsletters of 2009"))),
            "channel": channel,
            "state": draw(st.sampled_from(("given", "withdrawn", "refused", "never"))),
            "controller": draw(st.sampled_from(("", "shop", "partner"))),
            **proof,
        }
    elif kind == "preference":
        payload = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "max_per_week": st.sampled_from((None, 0, 1, 3)),
                    "topics": st.sampled_from((None, ["sport"], ["books", "sport"])),
                    "hours": st.sampled_from((None, [9, 21], [10, 18])),
                },
            )
        )
    elif kind == "wish":
        wish = draw(st.sampled_from(("w1", "w2")))
        # The same key is the same event: what it says depends on the key alone.
        return entry(
            kind, 3, {"means": "stop-channel" if wish == "w1" else "less-often", "sentence": "s",
                      "channels": ["push"] if wish == "w1" else [], "max_per_week": 2}, learnt=4, key=wish
        )  # fmt: skip
    elif kind == "wish-confirmed":
        payload = {
            "wish": draw(st.sampled_from(("w1", "w2"))),
            "verdict": draw(st.sampled_from(("confirmed", "released"))),
            "max_per_week": draw(st.sampled_from((None, 1, 3))),
        }
    elif kind == "touch":
        payload = {
            "message_id": draw(st.sampled_from(("m1", "m2", "m3"))),
            "channel": channel or "sms",
            "purpose": draw(st.sampled_from(("useful", "offer"))),
            "withheld": draw(st.booleans()),
        }
    elif kind == "reaction":
        payload = {
            "message_id": "m1",
            "kind": draw(st.sampled_from(("clicked", "opened", "unsubscribed", "complained", "user_unsub"))),
            "channel": channel,
        }
    elif kind == "promise":
        payload = {"name": "p", "version": draw(st.integers(1, 2)), "text": draw(st.sampled_from(("a", "b")))}
    elif kind == "broken":
        payload = {"promise": "p", "version": 1, "message_id": draw(st.sampled_from(("m1", "m2")))}
    elif kind == "suppressed":
        payload = {"reason": "asked"}
    else:
        payload = {"name": "privacy", "version": draw(st.sampled_from(("1", "2")))}
    return entry(kind, happened, payload, learnt=learnt)


@settings(max_examples=70, deadline=None)
@given(st.lists(told(), max_size=14), st.randoms(use_true_random=False))
def test_no_order_of_late_duplicated_or_reordered_events_changes_the_state(entries, random):
    once = list({told.key: told for told in reversed(entries)}.values())
    state = fold(once, customer_id="c")
    shuffled = once * 2
    random.shuffle(shuffled)
    assert fold(shuffled, customer_id="c") == state
    parts = CustomerState(customer_id="c")
    random.shuffle(once)
    while once:
        size = random.randint(1, 3)
        parts, once = extend(parts, once[:size]), once[size:]
    assert pack(parts) == pack(state)
    assert unpack(pack(state)) == state


@settings(max_examples=50, deadline=None)
@given(st.lists(told(), max_size=12), days)
def test_no_consent_is_ever_inferred(entries, day):
    """Whatever happens: without an explicit consent with proof for it, nothing is given."""
    silent = [
        told
        for told in entries
        if not (told.kind == "consent" and told.payload["state"] == "given" and "text" in told.payload)
    ]
    state = fold(silent, customer_id="c")
    for processing in ("marketing", "personalisation", "profiling"):
        for channel in ("push", "email", "sms", ""):
            assert not state.standing(processing, channel, at=START + (day + 20) * DAY).given


@settings(max_examples=70, deadline=None)
@given(
    st.lists(told(), max_size=10),
    st.sampled_from(("consent", "reaction", "suppressed", "wish")),
    st.sampled_from(("", "push")),
    days,
    lag,
)
def test_an_opt_out_wins_over_every_consent_that_is_not_later(entries, how, channel, day, late):
    earlier = [
        told for told in entries if told.happened_at <= START + day * DAY and told.key not in ("w1", "w2")
    ]
    learnt = max(0, day + late)
    if how == "consent":
        against = [entry("consent", day, {"processing": "marketing", "channel": channel, "state": "withdrawn"}, learnt=learnt)]  # fmt: skip
    elif how == "reaction":
        told = {"message_id": "m9", "kind": "unsubscribed", "channel": channel}
        against = [entry("reaction", day, told, learnt=learnt)]
    elif how == "suppressed":
        against = [entry("suppressed", day, {"reason": "asked"}, learnt=learnt)]
    else:
        wish = {"means": "stop-channel", "channels": [channel] if channel else [], "sentence": "stop"}
        against = [
            entry("wish", day, wish, learnt=learnt, key="w9"),
            entry("wish-confirmed", day + 1, {"wish": "w9", "verdict": "confirmed"}),
        ]
    state = fold([*earlier, *against], customer_id="c")
    assert not may(state, day + 30, "push")


def test_a_later_consent_with_its_own_proof_gives_again_an_older_one_that_arrives_late_does_not():
    state = fold([consent("given", 1), consent("withdrawn", 5)])
    assert not may(state, 6)
    assert not may(extend(state, [consent("given", 4, learnt=9)]), 10)
    assert may(extend(state, [consent("given", 7)]), 8)


def test_at_the_same_moment_the_opt_out_wins():
    assert not may(fold([consent("withdrawn", 5), consent("given", 5)]), 6)
    assert not may(fold([consent("given", 5), consent("refused", 5)]), 6)


def test_an_opt_out_of_one_channel_leaves_the_others_and_is_lifted_only_there():
    state = fold([consent("given", 1, channel=""), consent("withdrawn", 2, channel="push")])
    assert may(state, 3, "email")
    assert not may(state, 3, "push")
    assert not may(extend(state, [consent("given", 4, channel="")]), 5, "push")
    assert may(extend(state, [consent("given", 4, channel="push")]), 5, "push")


def test_a_claim_without_proof_gives_nothing_unless_a_named_person_takes_it_upon_himself():
    bare = {"processing": "marketing", "channel": "push", "state": "given"}
    standing = fold([entry("consent", 1, bare)]).standing("marketing", "push", at=START + 2 * DAY)
    assert (standing.state, standing.claimed) == ("never", True)
    taken = {**bare, "accepted_by": "Olga Petrova", "accepted_reason": "paper forms, box 12"}
    assert may(fold([entry("consent", 1, taken)]), 2)


def test_a_consent_from_the_future_is_kept_and_in_force_only_from_its_date():
    state = fold([consent("given", 9, learnt=2)])
    assert state.future(START + 3 * DAY) == 1
    assert not may(state, 3)
    assert may(state, 9)
    # It was told before the opt-out, so the opt-out holds after its date, too.
    assert not may(extend(state, [consent("withdrawn", 5)]), 20)


def test_an_opt_out_from_the_future_is_in_force_at_once():
    state = fold([consent("given", 1), consent("withdrawn", 9, learnt=2)])
    assert not may(state, 3)


def test_a_processing_that_is_not_known_gives_nothing_and_its_opt_out_takes_all_but_service():
    unknown = {"processing": "newsletters", "channel": ""}
    state = fold([consent("given", 1), entry("consent", 2, {**unknown, "state": "given", **PROOF})])
    assert may(state, 3)
    assert len(state.unverifiable) == 1
    assert not may(extend(state, [entry("consent", 3, {**unknown, "state": "withdrawn"})]), 4)


def test_a_wish_pauses_until_a_person_has_looked():
    wish = entry("wish", 3, {"means": "stop-channel", "channels": ["push"], "sentence": "no push!"}, key="w")
    state = fold([consent("given", 1), wish])
    assert state.wish("push") is not None
    assert state.wish("email") is None
    released = extend(state, [entry("wish-confirmed", 4, {"wish": "w", "verdict": "released"})])
    assert released.wish("push") is None
    assert may(released, 5)
    confirmed = extend(state, [entry("wish-confirmed", 4, {"wish": "w", "verdict": "confirmed"})])
    assert not may(confirmed, 5)
    assert not confirmed.pending


def test_fewer_messages_are_a_preference_once_confirmed():
    wish = entry("wish", 3, {"means": "less-often", "sentence": "not daily", "max_per_week": 2}, key="w")
    yes = entry("wish-confirmed", 4, {"wish": "w", "verdict": "confirmed"})
    assert fold([wish]).preference("max_per_week") is None
    assert fold([wish, yes]).preference("max_per_week") == 2
    later = entry("preference", 5, {"max_per_week": 5})
    assert fold([wish, yes, later]).preference("max_per_week") == 5


@pytest.mark.parametrize(
    ("happened", "learnt", "expected"),
    [(4, 4, True), (6, 6, True), (6, 8, False), (4, 8, True), (9, 9, False)],
)
def test_as_of_in_both_times(happened, learnt, expected):
    """Given on day 1; withdrawn on day 5, which was learnt on day 7."""
    entries = [consent("given", 1), consent("withdrawn", 5, learnt=7), consent("given", 20)]
    state = state_as_of(entries, happened=START + happened * DAY, learnt=START + learnt * DAY)
    assert may(state, happened) is expected


def test_first_and_recent_touches_do_not_depend_on_order():
    touches = [
        entry("touch", day, {"message_id": f"m{day}", "channel": "push", "purpose": "useful"})
        for day in range(0, 400, 2)
    ]
    state = fold(touches)
    back = CustomerState(customer_id="c")
    for touch in reversed(touches):
        back = extend(back, [touch])
    assert back == state
    assert [touch.message_id for touch in state.first_touches[:2]] == ["m0", "m2"]
    assert state.touches[-1].message_id == "m398"
    # 35 days hold 17 or 18 touches of every other day.
    assert len(state.touches) in (17, 18)


def test_a_withheld_message_is_no_touch():
    told = {"message_id": "m", "channel": "push", "purpose": "offer", "withheld": True}
    assert fold([entry("touch", 1, told)]).touches == ()


def test_the_newer_version_of_a_promise_replaces_the_older_from_its_date():
    first = entry("promise", 1, {"name": "p", "version": 1, "text": "twice a week", "max": 2, "window": "7d"})
    second = entry("promise", 2, {"name": "p", "version": 2, "text": "once", "valid_from": "2026-01-11"})
    state = fold([second, first])
    assert [told["version"] for told in state.promises_at(START + 5 * DAY)] == [1]
    assert [told["version"] for told in state.promises_at(START + 10 * DAY)] == [2]


def test_what_is_erased_says_nothing():
    assert fold([replace(consent("given", 1), salt="", payload={}, key="", customer_id="")]).consents == {}
