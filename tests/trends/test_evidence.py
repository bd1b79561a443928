"""Independent origins, the grade of a trend, stories of signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from primeta.signals.note import Note
from primeta.signals.signal import Block, Frozen, Signal
from primeta.trends.evidence import gather, independent_sources
from primeta.trends.ground import outermost
from primeta.trends.stories import draft_trends, suggest

TODAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, tzinfo=UTC)


def note(identity: str, **changes) -> Note:
    values = {
        "id": identity,
        "text": "dinner after work",
        "origin": "voice",
        "subject": "dinner after work",
        "source": "app reviews",
        "happened_at": date(2026, 10, 20),
        "logged_at": NOW,
        "by": "Anna",
    }
    return Note(**{**values, **changes})


def block(code: str, e_value: float) -> Block:
    return Block(code=code, effect=0.05, low=0.03, high=0.07, e_value=e_value, passes=True)


def signal(identity: str = "s-1", **changes) -> Signal:
    frozen = {
        "about": "orders_per_customer",
        "slice": "age=35-44",
        "direction": "down",
        "since": date(2026, 7, 6),
        "smallest_effect": 0.02,
        "first_seen": NOW - timedelta(days=90),
        "expected": 1.3,
        "origin": "metric",
    }
    frozen.update({key: changes.pop(key) for key in list(changes) if key in frozen})
    values = {
        "id": identity,
        "frozen": Frozen(**frozen),
        "observed": 1.2,
        "expected": 1.3,
        "low": -0.15,
        "high": -0.05,
        "e_value": 900.0,
        "grade": "repeating",
        "weeks": tuple(block(f"2026-W4{n}", 20.0) for n in range(3, 7)),
        "months": tuple(block(f"2026-{n:02d}", 20.0) for n in (8, 9, 10)),
        "why": ("passed_yearly_level", "repeats_weeks", "repeats_months", "one_origin"),
    }
    return Signal(**{**values, **changes})


def test_a_repost_of_the_same_link_is_one_source():
    groups = independent_sources(
        [
            note("n-1", source="Retail Week", url="https://retailweek.example/evening"),
            note("n-2", source="A blog", url="https://www.retailweek.example/evening?utm=1"),
            note("n-3", source="Till survey"),
        ]
    )
    assert sorted(len(group) for group in groups) == [1, 2]


def test_two_channels_of_one_platform_are_two_owners():
    groups = independent_sources(
        [note("n-1", source="a", url="https://t.me/one/5"), note("n-2", source="b", url="https://t.me/two/9")]
    )
    assert len(groups) == 2


def test_what_links_two_groups_makes_them_one():
    chain = [
        note("n-1", source="a", url="https://x.example/1"),
        note("n-2", source="b", url="https://y.example/1"),
        note("n-3", source="b", url="https://x.example/2"),
    ]
    assert len(independent_sources(chain)) == 1


def test_a_press_copy_of_a_customer_voice_adds_no_origin():
    copied = [
        note("n-1", url="https://reviews.example/1", happened_at=date(2026, 10, 1)),
        note("n-2", origin="outside", source="Trade press", url="https://reviews.example/1"),
    ]
    assert [entry.origin for entry in gather((), copied, today=TODAY).origins] == ["voice"]


def test_months_that_repeat_and_a_second_origin_confirm():
    alone = gather([signal()], (), today=TODAY)
    assert (alone.grade, alone.months) == ("repeating", (3, 3))
    assert "one_origin" in alone.why
    together = gather([signal()], [note("n-1")], today=TODAY)
    assert together.grade == "confirmed"
    assert "two_origins" in together.why
    assert "one_origin" not in together.why


@pytest.mark.parametrize("origin", ["hand"])
def test_a_note_of_no_independent_origin_does_not_confirm(origin):
    assert gather([signal()], [note("n-1", origin=origin)], today=TODAY).grade == "repeating"


def test_weeks_alone_do_not_confirm_whatever_people_say():
    weeks_only = signal(months=(), why=("passed_yearly_level", "repeats_weeks", "months_not_repeated_yet"))
    assert gather([weeks_only], [note("n-1")], today=TODAY).grade == "repeating"


def test_notes_alone_are_noticed_because_nobody_measured():
    found = gather((), [note("n-1"), note("n-2", origin="regulator", source="law")], today=TODAY)
    assert found.grade == "noticed"
    assert found.why == ("notes_only",)


def test_signals_of_one_metric_direction_and_time_are_one_story():
    signals = [
        signal("s-1"),
        signal("s-2", slice="age=45-54", since=date(2026, 8, 3)),
        signal("s-3", direction="up"),
        signal("s-4", since=date(2026, 1, 5)),
        signal("s-5", about="discount_share"),
        replace(signal("s-6"), grade="noticed"),
    ]
    drafts = draft_trends(signals, taken={"s-5"})
    assert sorted(draft.signals for draft in drafts) == [("s-1", "s-2"), ("s-3",), ("s-4",)]
    assert [draft.id for draft in draft_trends(signals[::-1], taken={"s-5"})] == [
        draft.id for draft in drafts
    ]


def test_suggestions_name_their_reasons_and_respect_a_refusal():
    member, cousin = signal("s-1"), signal("s-2", about="revenue_per_customer")
    found = suggest("t-1", [member], [member, cousin], refused=())
    assert [(entry.signal_id, entry.why) for entry in found] == [
        ("s-2", ("same-family", "same-slice", "same-time"))
    ]
    assert suggest("t-1", [member], [cousin], refused={"s-2"}) == ()


def test_reach_counts_nobody_twice_down_a_branch():
    assert outermost({"age=35-44", "age=35-44&income=50-74K", "city=Omsk"}) == ("age=35-44", "city=Omsk")
    assert outermost({"age=35-44", "all"}) == ("all",)


def told(
    identity: str = "k-1-outside", *, origin="outside", words="push notifications, unread", **changes
) -> Signal:
    values = {
        "about": f"topic:{words}",
        "slice": "texts",
        "direction": "up",
        "origin": origin,
        "topic": "k-1",
        "owners": ("One Blog", "two.example"),
        "links": ("two.example/news/push-is-dead", "vendor.example/report-2026"),
        "second_owner": 40.0,
    }
    return signal(identity, **{**values, **changes})


def test_a_metric_and_an_outside_topic_that_both_hold_confirm():
    found = gather([signal(), told(grade="holding")], (), today=TODAY)
    assert found.grade == "confirmed"
    assert [entry.origin for entry in found.origins] == ["metric", "outside"]
    assert found.origins[1].sources == ("One Blog", "two.example")


@pytest.mark.parametrize(
    "weak",
    [
        {"grade": "noticed", "e_value": 1e9},  # below the level of its own list
        {"grade": "fading"},
        {"grade": "holding", "second_owner": 9.9},  # 1/.10: one owner and his echo
    ],
)
def test_a_topic_without_evidence_of_its_own_is_no_second_origin(weak):
    found = gather([signal(), told(**weak)], (), today=TODAY)
    assert (found.grade, found.independent_origins) == ("repeating", 1)


def test_customers_speak_through_one_channel_and_are_an_origin_all_the_same():
    voice = told("k-1-voice", origin="voice", grade="holding", owners=("support",), second_owner=1.0)
    assert gather([signal(), voice], (), today=TODAY).grade == "confirmed"


def test_outside_texts_alone_stay_one_origin_however_many_speak():
    many = told(owners=tuple(f"blog {n}" for n in range(9)), second_owner=1e6)
    found = gather([many], (), today=TODAY)
    assert (found.grade, found.independent_origins) == ("repeating", 1)
    assert "one_origin" in found.why


def test_a_rival_and_a_law_are_one_market():
    both = [told("k-1-competitor", origin="competitor"), told("k-1-regulator", origin="regulator")]
    assert gather(both, (), today=TODAY).independent_origins == 1
    assert gather([*both, told("k-1-voice", origin="voice")], (), today=TODAY).grade == "confirmed"


@pytest.mark.parametrize(
    "copied",
    [
        {"url": "https://vendor.example/report-2026/"},  # the report that the texts cite
        {"url": "https://two.example/other"},  # a page of one of the owners
        {"source": "one blog"},
    ],
)
def test_a_note_that_retells_what_a_topic_tells_is_no_second_origin(copied):
    retold = note("n-1", **{"source": "Anna", **copied})
    assert gather([told(), retold][:1], [retold], today=TODAY).grade == "repeating"
    own = note("n-2", source="till survey", url="https://vendor.example/another")
    assert gather([told()], [own], today=TODAY).grade == "confirmed"


def test_the_side_that_repeats_by_months_carries_the_trend():
    weeks_only = signal(months=(), why=("passed_yearly_level", "repeats_weeks", "months_not_repeated_yet"))
    assert gather([weeks_only, told()], (), today=TODAY).grade == "confirmed"
