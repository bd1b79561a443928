"""May we send this: each rule refuses what it is there for, in its order, and says until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.answer_words import WORDS, document, line, reason
from primeta.attention.consents import Mark, Slot
from primeta.attention.decide import decide, free_from
from primeta.attention.fold import BrokenMark, CustomerState, SeenTouch, Wish
from primeta.attention.preferences import Setting
from primeta.attention.records import Cap, Credit, Policy, Promise, Question
from primeta.errors import BadInput

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def touches(*days_ago: float, purpose: str = "useful", channel: str = "push") -> tuple[SeenTouch, ...]:
    return tuple(
        sorted(
            SeenTouch(
                at=NOW - timedelta(days=ago), message_id=f"{channel}-{ago}", channel=channel, purpose=purpose
            )
            for ago in days_ago
        )
    )


def mark(days_ago: float, state: str = "given") -> Mark:
    at = NOW - timedelta(days=days_ago)
    return Mark(at=at, effective=at, state=state, proven=True)  # type: ignore[arg-type]


def state(
    *,
    consent: dict[tuple[str, str, str], Slot] | None = None,
    seen: tuple[SeenTouch, ...] = (),
    **more: object,
) -> CustomerState:
    slots = {("marketing", "", ""): Slot(given=(mark(100),))} if consent is None else consent
    return CustomerState(
        customer_id="c1",
        as_of=NOW - DAY,
        consents=slots,
        first_touches=seen[:16],
        touches=seen,
        **more,  # type: ignore[arg-type]
    )


def credit(level: str = "press", value: float = 0.5) -> Credit:
    return Credit(
        value=value,
        low=value - 0.1,
        high=value + 0.1,
        welcome=value,
        drive_away=0.01,
        blind=0.1,
        level=level,  # type: ignore[arg-type]
        model="prior",
        touches=20,
        as_of=NOW,
    )


def ask(purpose: str = "offer", channel: str = "push", **more: object) -> Question:
    return Question(customer_id="c1", channel=channel, purpose=purpose, at=NOW, **more)  # type: ignore[arg-type]


OLD = touches(90, 80, 70, 60)
DAYTIME = Policy(quiet_hours=None)


def answer(question: Question, of: CustomerState | None, policy: Policy = DAYTIME, promises=(), **more):
    given = more.pop("credit", credit())
    return decide(question, of, policy, promises, given, now=more.pop("now", NOW), **more)


def test_a_customer_who_agreed_and_knows_us_may_be_sent_an_offer():
    found = answer(ask(), state(seen=OLD))
    assert (found.allowed, found.rule, found.earliest, found.flips) == (True, "allowed", NOW, ())


def test_nothing_is_known_of_him_so_nothing_is_sold():
    found = answer(ask(), None)
    assert (found.allowed, found.rule, found.earliest) == (False, "unknown-customer", None)
    assert answer(ask("service"), None).allowed
    assert not answer(ask("service"), None, replace(DAYTIME, default="refuse")).allowed


@pytest.mark.parametrize(
    "slots",
    [
        {},
        {("service", "", ""): Slot(given=(mark(9),))},
        {("marketing", "email", ""): Slot(given=(mark(9),))},
        {("marketing", "", ""): Slot(claim=mark(9))},
    ],
)
def test_consent_is_never_inferred_from_another_processing_or_channel_or_without_proof(slots):
    found = answer(ask(), state(consent=slots, seen=OLD))
    assert (found.rule, found.earliest) == ("no-consent", None)
    assert ("consent", "marketing push") in [(flip.change, flip.to) for flip in found.flips]


def test_consent_for_email_only_names_email_as_the_way():
    found = answer(ask(), state(consent={("marketing", "email", ""): Slot(given=(mark(9),))}, seen=OLD))
    assert ("channel", "email") in [(flip.change, flip.to) for flip in found.flips]


@given(
    st.sampled_from(["useful", "offer", "press"]),
    st.booleans(),
    st.sampled_from(["none", "press"]),
    st.integers(0, 3),
)
@settings(max_examples=30, deadline=None)
def test_an_opt_out_always_wins(purpose, personal, level, promises):
    slots = {("marketing", "", ""): Slot(given=(mark(9),), no=mark(8, "withdrawn"))}
    more = [Promise(name=f"p{n}", text="", max=n, window=WEEK) for n in range(promises)]
    question = ask(purpose, personal=personal)
    found = answer(question, state(consent=slots, seen=OLD), promises=more, credit=credit(level))
    assert (found.allowed, found.rule, found.earliest) == (False, "opted-out", None)
    assert answer(ask("service"), state(consent=slots, seen=OLD)).allowed


def test_an_opt_out_that_is_learnt_later_than_the_moment_asked_about_counts():
    slots = {("marketing", "", ""): Slot(given=(mark(9),), no=mark(1, "withdrawn"))}
    asked = replace(ask(), at=NOW - 3 * DAY)
    assert answer(asked, state(consent=slots, seen=OLD)).rule == "opted-out"


def test_the_erased_are_not_written_to_not_even_service():
    erased = state(seen=OLD, suppressed_at=NOW - DAY)
    assert answer(ask(), erased).rule == answer(ask("service"), erased).rule == "suppressed"


def test_a_wish_pauses_marketing_until_a_person_has_looked():
    wishes = {"w": Wish(key="w", at=NOW - DAY, means="stop-all")}
    found = answer(ask(), state(seen=OLD, wishes=wishes))
    assert (found.rule, found.earliest) == ("wish", None)
    assert "confirm-wish" in [flip.change for flip in found.flips]
    assert answer(ask("service"), state(seen=OLD, wishes=wishes)).allowed


def test_personalised_messages_need_that_he_does_not_object():
    slots = {
        ("marketing", "", ""): Slot(given=(mark(9),)),
        ("personalisation", "", ""): Slot(no=mark(8, "refused")),
    }
    found = answer(ask(personalised=True), state(consent=slots, seen=OLD))
    assert found.rule == "personalisation"
    assert [flip.change for flip in found.flips] == ["not-personalised"]
    assert answer(ask(), state(consent=slots, seen=OLD)).allowed


def test_what_he_set_himself_is_kept():
    def preferring(**fields):
        kept = {name: Setting(at=NOW - DAY, value=value) for name, value in fields.items()}
        return answer(ask(programme="sale"), state(seen=touches(60, 50, 40, 1), preferences=kept))

    assert preferring(channels=["email"]).rule == "preference"
    assert preferring(topics=["news"]).rule == "preference"
    assert preferring(topics=["sale"], channels=["push"]).allowed
    weekly = preferring(max_per_week=1)
    assert (weekly.rule, weekly.earliest) == ("preference", NOW + 6 * DAY)
    assert preferring(max_per_week=2).allowed


def test_marketing_in_service_clothes_is_caught():
    strict = replace(DAYTIME, service_programmes=("order-status",))
    found = answer(ask("service", programme="black-friday"), state(seen=OLD), strict)
    assert (found.rule, found.earliest) == ("purpose-rule", None)
    assert [(flip.change, flip.to) for flip in found.flips] == [("purpose", "useful"), ("purpose", "offer")]
    assert answer(ask("service", programme="order-status"), state(seen=OLD), strict).allowed


def test_service_that_was_marketing_before_is_allowed_and_reported():
    sold = (SeenTouch(at=NOW - 9 * DAY, message_id="m", channel="push", purpose="offer", programme="sale"),)
    found = answer(ask("service", programme="sale"), state(seen=sold))
    assert found.allowed
    assert found.values["suspicious"] == "sale"


def test_service_passes_by_marketing_rules():
    busy = replace(Policy(), quiet_hours=(0, 24), caps=(Cap(max=0, window=WEEK),))
    promise = Promise(name="p", text="at most one", max=1, window=WEEK)
    found = answer(ask("service"), state(consent={}, seen=touches(1)), busy, [promise], credit=credit("none"))
    assert found.allowed
    assert found.values["breaks"] == "p"


def test_a_promise_counts_every_message_also_the_reserved():
    promise = Promise(
        name="p1", text="Not more than two a week", version=3, channel="push", max=2, window=WEEK
    )
    seen = (*touches(60, 50), *touches(2), *touches(1, channel="email"))
    held = [SeenTouch(at=NOW - timedelta(hours=1), message_id="r", channel="push", purpose="service")]
    assert answer(ask(), state(seen=seen), promises=[promise]).allowed
    found = answer(ask(), state(seen=seen), promises=[promise], reserved=held)
    assert (found.rule, found.promise, found.promise_version) == ("promise", "p1", 3)
    assert found.promise_text == "Not more than two a week"
    assert found.earliest == NOW + 5 * DAY
    assert found.flips[0].to == "2026-12-01T12:00:00Z"
    # The same message asked again is not one message more.
    assert answer(ask(message_id="r"), state(seen=seen), promises=[promise], reserved=held).allowed


@pytest.mark.parametrize(
    "predicate",
    [
        {"purposes_only": ("useful",)},
        {"channels_only": ("email",)},
        {"programmes_only": ("news",)},
        {"personal_only": True},
        {"hours": (9, 10)},
    ],
)
def test_every_predicate_of_a_promise_refuses(predicate):
    promise = Promise(name="p", text="so and no other way", **predicate)
    assert answer(ask(), state(seen=OLD), promises=[promise]).rule == "promise"
    elsewhere = replace(promise, channel="sms")
    assert answer(ask(), state(seen=OLD), promises=[elsewhere]).allowed
    over = replace(promise, valid_to=NOW)
    assert answer(ask(), state(seen=OLD), promises=[over]).allowed


def test_a_revised_promise_replaces_the_one_before():
    old = Promise(name="p", text="none", version=1, purposes_only=("useful",))
    new = Promise(
        name="p", text="offers too", version=2, purposes_only=("useful", "offer"), valid_from=NOW + DAY
    )
    found = answer(ask(), state(seen=OLD), promises=[old, new])
    assert (found.rule, found.promise_version, found.earliest) == ("promise", 1, NOW + DAY)
    assert answer(replace(ask(), at=NOW + DAY), state(seen=OLD), promises=[old, new]).allowed


def test_first_touches_are_useful_ones_only():
    found = answer(ask(), state(seen=touches(2, 1)))
    assert (found.rule, found.earliest) == ("first-touches", None)
    assert ("purpose", "useful") in [(flip.change, flip.to) for flip in found.flips]
    # Service messages do not count.
    assert answer(ask(), state(seen=touches(3, 2, 1, purpose="service"))).rule == "first-touches"


def test_after_a_broken_promise_selling_is_earned_again():
    broken = (BrokenMark(at=NOW - 5 * DAY, promise="p", version=1),)
    assert answer(ask(), state(seen=(*OLD, *touches(2)), broken=broken)).rule == "after-broken"
    assert answer(ask("useful"), state(seen=OLD, broken=broken)).allowed
    assert answer(ask(), state(seen=(*OLD, *touches(3, 2)), broken=broken)).allowed


@pytest.mark.parametrize(
    ("level", "most"), [("none", None), ("useful", "useful"), ("sell", "offer"), ("press", "press")]
)
def test_the_level_of_credit_bounds_the_purpose(level, most):
    order = ["useful", "offer", "press"]
    for purpose in order:
        found = answer(ask(purpose), state(seen=OLD), credit=credit(level))
        assert found.allowed == (most is not None and order.index(purpose) <= order.index(most))
        assert found.allowed or found.rule == "level"


def test_credit_that_cannot_be_told_allows_useful_messages_only():
    assert answer(ask("useful"), state(seen=OLD), credit=None).allowed
    assert answer(ask("offer"), state(seen=OLD), credit=None).rule == "level"


def test_credit_that_returns_with_rest_gives_the_second():
    back = NOW + timedelta(days=4, hours=3, seconds=7)
    found = answer(ask(), state(seen=OLD), credit=lambda at: credit("press" if at >= back else "useful"))
    assert (found.rule, found.earliest) == ("level", back)


def test_a_clock_behind_the_ledger_sells_nothing():
    ahead = replace(state(seen=OLD), as_of=NOW + timedelta(hours=1))
    found = answer(ask(), ahead)
    assert (found.rule, found.earliest) == ("clock", NOW + timedelta(minutes=55))


def test_unknown_purpose_and_channel_are_answers_and_no_exceptions():
    assert answer(ask("spam"), state(seen=OLD)).rule == "unknown-purpose"
    assert answer(ask(channel=""), state(seen=OLD)).rule == "unknown-channel"
    # A misspelt channel must not slip past the caps of the right one.
    found = answer(ask(channel="psuh"), state(seen=OLD), replace(DAYTIME, channels=("push", "email")))
    assert (found.rule, [(flip.change, flip.to) for flip in found.flips]) == (
        "unknown-channel",
        [("channel", "push"), ("channel", "email")],
    )
    assert reason(found, "en") == "The channel “psuh” is not known; the policy names push, email."


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(BadInput, match="no zone"):
        answer(replace(ask(), at=NOW.replace(tzinfo=None)), state(seen=OLD))


def brute_free(times: list[int], at: int, most: int, window: int) -> int | None:
    """The definition, second by second: one message more, and every window (t − w, t] holds at most `most`."""
    # The last message is at 60, the longest window 20: from 80 on every moment is free, or none is.
    for moment in range(at, 200):
        every = [*times, moment]
        if all(
            sum(end - window < one <= end for one in every) <= most
            for end in every
            if end - window < moment <= end
        ):
            return moment
    return None


@given(
    st.lists(st.integers(0, 60), max_size=6),
    st.integers(0, 60),
    st.integers(0, 3),
    st.integers(1, 20),
)
@settings(max_examples=100, deadline=None)
def test_rolling_windows_agree_with_their_definition(seconds, at, most, window):
    start = NOW
    times = sorted(start + timedelta(seconds=one) for one in seconds)
    found = free_from(times, start + timedelta(seconds=at), most=most, window=timedelta(seconds=window))
    expected = brute_free(sorted(seconds), at, most, window)
    assert found == (None if expected is None else start + timedelta(seconds=expected))


ZONES = st.sampled_from(["UTC", "Europe/Moscow", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


@given(
    st.lists(st.floats(0.001, 20), max_size=8),
    st.sampled_from([(21, 9), (22, 8), (2, 12), (13, 14)]),
    ZONES,
    st.integers(1, 3),
    st.integers(0, 365 * 24 * 60),
)
@settings(max_examples=80, deadline=None)
def test_at_earliest_it_is_yes_and_a_second_before_it_is_no(ago, quiet, zone, most, minutes):
    shift = timedelta(minutes=minutes)
    seen = tuple(replace(touch, at=touch.at + shift) for touch in (*OLD, *touches(*set(ago))))
    policy = Policy(quiet_hours=quiet, caps=(Cap(max=most, window=timedelta(days=3)),))
    promise = Promise(name="p", text="", channel="push", max=most, window=WEEK, hours=(10, 19))
    of = replace(state(seen=tuple(sorted(seen))), as_of=NOW - 30 * DAY)
    now = NOW + shift
    question = replace(ask(), at=now)
    found = answer(question, of, policy, [promise], now=now, zone=zone)
    assert found.earliest is not None
    later = answer(replace(question, at=found.earliest), of, policy, [promise], now=now, zone=zone)
    assert later.allowed
    if not found.allowed:
        before = replace(question, at=found.earliest - timedelta(seconds=1))
        if before.at >= now:
            assert not answer(before, of, policy, [promise], now=now, zone=zone).allowed


def test_each_single_flip_turns_the_answer_round():
    promise = Promise(name="p", text="only news", programmes_only=("news",))
    found = answer(ask(programme="sale"), state(seen=OLD), promises=[promise])
    assert [(flip.change, flip.to) for flip in found.flips] == [("programme", "news")]
    assert answer(ask(programme="news"), state(seen=OLD), promises=[promise]).allowed


def test_where_no_single_change_helps_one_is_named_together_with_waiting():
    night = replace(DAYTIME, quiet_hours=(11, 15))
    found = answer(ask(), state(consent={}, seen=OLD), night)
    assert [(flip.change, flip.to) for flip in found.flips] == [
        ("consent+wait-until", "marketing push 2026-11-26T15:00:00Z")
    ]


def test_the_holdout_of_caps_is_drawn_alike_and_its_probability_is_logged():
    policy = replace(DAYTIME, holdout=0.2, caps=(Cap(max=1, window=WEEK, strict=False),))
    seen = (*OLD, *touches(1))
    found = [answer(ask(message_id=f"m{n}"), state(seen=seen), policy) for n in range(1000)]
    allowed = sum(one.allowed for one in found)
    # Left out: 10% of questions; doubled (2 a week): 10% more. Binomial: 200 ± 4 × 12.6.
    assert 149 < allowed < 251
    assert {round(one.probability, 9) for one in found if one.allowed} == {0.2}
    assert {round(one.probability, 9) for one in found if not one.allowed} == {0.8}
    again = [answer(ask(message_id=f"m{n}"), state(seen=seen), policy).allowed for n in range(50)]
    assert again == [one.allowed for one in found[:50]]
    strict = replace(policy, caps=(Cap(max=1, window=WEEK),))
    assert not any(answer(ask(message_id=f"m{n}"), state(seen=seen), strict).allowed for n in range(200))


def test_every_answer_has_words_in_both_languages():
    wishes = {"w": Wish(key="w", at=NOW - DAY, means="stop-all")}
    slots = {("marketing", "", ""): Slot(given=(mark(9),), no=mark(8, "withdrawn"))}
    promise = Promise(name="p", text="Только новости", programmes_only=("news",))
    night = replace(DAYTIME, quiet_hours=(11, 15), caps=(Cap(max=1, window=timedelta(hours=36)),))
    kept = {"channels": Setting(at=NOW, value=["email"]), "hours": Setting(at=NOW, value=[1, 2])}
    answers = [
        answer(ask(), None),
        answer(ask(), state(consent=slots)),
        answer(ask(), state(consent={})),
        answer(ask(), state(seen=OLD, wishes=wishes)),
        answer(ask(), state(seen=OLD), promises=[promise]),
        answer(ask(), state(seen=OLD), night),
        answer(ask(), state(seen=(*OLD, *touches(1))), replace(night, quiet_hours=None)),
        answer(ask(), state(seen=OLD, preferences=kept)),
        answer(ask(), state(seen=())),
        answer(ask(), state(seen=OLD), credit=credit("none")),
        answer(ask("service", programme="x"), state(), replace(DAYTIME, service_programmes=("y",))),
        answer(ask("spam"), state()),
        answer(ask(), state(seen=OLD)),
    ]
    for one in answers:
        for lang in ("en", "ru"):
            assert "{" not in line(one, lang)
            assert reason(one, lang)
            assert set(document(one, lang)) >= {"allowed", "rule", "reason", "credit", "earliest", "flips"}
    assert all(set(words) == {"en", "ru"} for words in WORDS.values())
