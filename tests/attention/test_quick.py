"""The quick rules say what `decide` says, of anybody; where they cannot, they say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention.consents import Mark, Slot
from primeta.attention.decide import decide
from primeta.attention.fold import BrokenMark, CustomerState, SeenTouch, Wish
from primeta.attention.preferences import Setting
from primeta.attention.quick import QuickRules, Verdict
from primeta.attention.records import Cap, Credit, Policy, Promise, Question
from primeta.store.attention_hot import lean_state
from primeta.store.attention_state import pack

NOW = datetime(2026, 11, 26, 12, 0, 0, 500_000, tzinfo=UTC)
MARKETING = ["useful", "offer", "press"]
CHANNELS = ["push", "email"]
PURPOSES = ["service", *MARKETING]


def moments(most_minutes: int, least_minutes: int = 0):
    return st.integers(least_minutes, most_minutes).map(lambda minutes: NOW - timedelta(minutes=minutes))


@st.composite
def marks(draw, states=("given",)):
    at = draw(moments(9 * 1440, -90))
    later = draw(st.sampled_from([0, 0, 0, 30, 3000]))
    return Mark(
        at=at,
        effective=at + timedelta(minutes=later),
        state=draw(st.sampled_from(states)),
        proven=True,
    )


slots = st.builds(
    Slot,
    given=st.lists(marks(), max_size=2).map(lambda found: tuple(sorted(found))),
    no=st.none() | marks(("withdrawn", "refused", "never")),
    claim=st.none() | marks(),
)
touches = st.lists(
    st.tuples(
        moments(9 * 1440, -600), st.sampled_from(CHANNELS), st.sampled_from(PURPOSES), st.integers(0, 30)
    ),
    max_size=22,
    unique_by=lambda touch: touch[3],
).map(
    lambda found: tuple(
        sorted(SeenTouch(at=at, message_id=f"m{n}", channel=on, purpose=of) for at, on, of, n in found)
    )
)


@st.composite
def states(draw):
    seen = draw(touches)
    consents = draw(
        st.dictionaries(
            st.tuples(
                st.sampled_from(["marketing", "marketing", "service", "personalisation"]),
                st.sampled_from(["push", "", "email"]),
                st.sampled_from(["", "", "other ltd"]),
            ),
            slots,
            max_size=4,
        )
    )
    sort = draw(st.sampled_from(["simple"] * 6 + ["wish", "preference", "broken", "erased", "promise"]))
    own = {"name": "own", "text": "one", "max": 1, "window": "2d", "version": 1}
    more = {
        "simple": {},
        "wish": {"wishes": {"w": Wish(key="w", at=NOW, means="stop-all")}},
        "preference": {"preferences": {"max_per_week": Setting(at=NOW, value=1)}},
        "broken": {"broken": (BrokenMark(at=NOW - timedelta(days=1), promise="p", version=1),)},
        "erased": {"suppressed_at": NOW - timedelta(days=1)},
        "promise": {"promises": {("own", 1): own}},
    }[sort]
    return CustomerState(
        customer_id="c",
        as_of=draw(moments(600, -30)),
        consents=consents,
        first_touches=seen[:5],
        touches=seen[draw(st.integers(0, 3)) :] if len(seen) > 8 else seen,
        **more,
    )


windows = st.sampled_from([timedelta(hours=5), timedelta(days=1), timedelta(days=3), timedelta(days=7)])
caps = st.builds(
    Cap,
    max=st.integers(0, 4),
    window=windows,
    channel=st.sampled_from(["", "push", "email"]),
    purposes=st.sampled_from([tuple(MARKETING), ("offer", "press")]),
    strict=st.sampled_from([True, True, False]),
)
policies = st.builds(
    Policy,
    version=st.just(3),
    caps=st.lists(caps, max_size=2).map(tuple),
    quiet_hours=st.sampled_from([None, (21, 9), (2, 14), (0, 24)]),
    first_useful=st.integers(0, 4),
    useful_after_broken=st.integers(0, 2),
    channels=st.sampled_from([(), (), ("push",), ("email",)]),
    holdout=st.sampled_from([0.0, 0.0, 0.4]),
)
promises = st.lists(
    st.builds(
        Promise,
        name=st.sampled_from(["a", "b"]),
        text=st.just("as it says"),
        version=st.integers(1, 2),
        channel=st.sampled_from([None, "push", "email"]),
        purpose=st.sampled_from([None, "offer"]),
        customers=st.sampled_from(["all", "all", ("c",), ("d",)]),
        max=st.sampled_from([None, 1, 2, 0]),
        window=st.none() | windows,
        hours=st.sampled_from([None, None, (9, 21), (20, 4), (5, 5)]),
        purposes_only=st.sampled_from([(), (), ("useful",)]),
        channels_only=st.sampled_from([(), (), ("push",)]),
        programmes_only=st.sampled_from([(), (), ("news",)]),
        personal_only=st.sampled_from([False, False, True]),
        valid_from=st.sampled_from([None, None, NOW - timedelta(days=3), NOW + timedelta(hours=3)]),
        valid_to=st.sampled_from([None, None, NOW - timedelta(days=1), NOW + timedelta(hours=9)]),
    ),
    max_size=3,
)
places = st.lists(st.tuples(moments(3000, -600), st.sampled_from(PURPOSES), st.integers(25, 34)), max_size=3)
questions = st.builds(
    Question,
    customer_id=st.just("c"),
    channel=st.sampled_from(["push", "push", "email", ""]),
    purpose=st.sampled_from([*MARKETING, *MARKETING, "service", "spam"]),
    at=st.sampled_from(
        [NOW, NOW.replace(microsecond=0), NOW + timedelta(hours=7), NOW - timedelta(minutes=3)]
    ),
    programme=st.sampled_from(["", "news"]),
    message_id=st.sampled_from(["", "m3", "m26"]),
    personal=st.booleans(),
    personalised=st.booleans(),
)


ASKED = given(questions, states(), policies, promises, places, st.sampled_from(["none", "useful", "sell", "press"]),
       st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", ""]))  # fmt: skip


def agrees(question, state, policy, promised, held, level, zone):
    credit = Credit(
        value=0.3, low=0.2, high=0.4, welcome=0.3, drive_away=0.0, blind=0.1, level=level, model="prior", touches=1,
        as_of=NOW,
    )  # fmt: skip
    reserved = tuple(
        sorted(SeenTouch(at=at, message_id=f"m{n}", channel="push", purpose=of) for at, of, n in held)
    )
    rules = QuickRules(question, policy, promised, now=NOW, zone="Europe/Moscow")
    lean = lean_state(pack(state))
    assert lean is not None
    quick: Verdict | None = None
    if rules.usable and lean.simple:
        quick = rules.ask(
            customer_id="c",
            as_of=lean.a,
            consents=lean.c,
            touches=lean.first() if lean.r is None else lean.r,
            first=lean.first,
            level=level,
            zone=zone,
            message_id=question.message_id,
            places=reserved,
        )
    if quick is None:
        return
    whole = decide(
        question, state, policy, promised, credit, now=NOW, reserved=reserved, zone=zone or "Europe/Moscow",
        explain=False,
    )  # fmt: skip
    assert quick == (whole.allowed, whole.rule, whole.earliest, whole.promise)


@ASKED
@settings(max_examples=80, deadline=None)
def test_quick_rules_say_what_decide_says(question, state, policy, promised, held, level, zone):
    agrees(question, state, policy, promised, held, level, zone)


@pytest.mark.slow
@ASKED
@settings(max_examples=3000, deadline=None)
def test_quick_rules_say_what_decide_says_at_length(question, state, policy, promised, held, level, zone):
    agrees(question, state, policy, promised, held, level, zone)


def test_most_are_answered_quickly_and_the_others_are_not_guessed():
    yes = Mark(at=NOW - timedelta(days=99), effective=NOW - timedelta(days=99), state="given", proven=True)
    plain = CustomerState(customer_id="c", as_of=NOW, consents={("marketing", "", ""): Slot(given=(yes,))})
    question = Question(customer_id="", channel="push", purpose="useful", at=NOW)
    rules = QuickRules(question, Policy(quiet_hours=None), (), now=NOW)

    def ask(state):
        lean = lean_state(pack(state))
        if not lean.simple:
            return None
        return rules.ask(
            customer_id="c", as_of=lean.a, consents=lean.c, touches=lean.first(), first=lean.first, level="sell",
            zone="",
        )  # fmt: skip

    assert ask(plain) == (True, "allowed", NOW, "")
    assert ask(replace(plain, consents={})) == (False, "no-consent", None, "")
    assert ask(replace(plain, wishes={"w": Wish(key="w", at=NOW, means="stop-all")})) is None
    assert ask(replace(plain, suppressed_at=NOW)) is None
    assert not QuickRules(replace(question, purpose="service"), Policy(), (), now=NOW).usable
