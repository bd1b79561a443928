"""What a customer sets himself: an opt-out always wins, nothing is written twice, consent only by an act of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.attention import choices
from primeta.attention.choices import Shown
from primeta.attention.decide import decide
from primeta.attention.fold import CustomerState, fold
from primeta.attention.ledger import checked
from primeta.attention.links import Link
from primeta.attention.records import Entry, Policy, Question
from primeta.config import PreferencesConfig

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SHOWN = Shown(text="I agree", version="1", language="en", surface="preference page")
CHANNELS = ("email", "push", "sms")
ZONE = ZoneInfo("Europe/Moscow")


class Book:
    """A ledger in memory: events in, state out."""

    def __init__(self):
        self.entries: list[Entry] = []

    def write(self, events, at: datetime) -> int:
        for event in events:
            event = checked(event)
            self.entries.append(
                Entry(
                    number=len(self.entries) + 1, key=event.key, kind=event.kind, customer_id="c",
                    happened_at=event.happened_at, learnt_at=at, payload=event.payload, salt="s", commitment="",
                    chain="", by=event.by,
                )
            )  # fmt: skip
        return len(events)

    @property
    def state(self) -> CustomerState:
        return fold(self.entries, customer_id="c")


def asked(state: CustomerState, channel: str, at: datetime, **more):
    policy = Policy(quiet_hours=None, first_useful=0)
    question = Question(customer_id="c", channel=channel, purpose="useful", at=at, **more)
    return decide(question, state, policy, now=at)


acts = st.lists(
    st.tuples(
        st.sampled_from(["stop", "stop-all", "start", "pause", "resume", "choose", "personal-stop"]),
        st.sampled_from(CHANNELS),
        # Seconds after the act before; a clock may also go backwards.
        st.integers(-5, 90_000),
    ),
    max_size=12,
)


@given(acts)
@settings(max_examples=80, deadline=None)
def test_an_opt_out_always_wins_and_the_same_act_is_written_once(given_acts):
    book, at, learnt = Book(), NOW, NOW
    for name, channel, later in given_acts:
        at += timedelta(seconds=later)
        learnt = max(learnt, at)

        def act(state, name=name, channel=channel, at=at):
            if name == "stop":
                return choices.stop(state, channel, shown=SHOWN, now=at)
            if name == "stop-all":
                return choices.stop(state, "", shown=SHOWN, now=at)
            if name == "start":
                return choices.start(state, channel, shown=SHOWN, now=at)
            if name == "pause":
                return choices.pause(state, 30, shown=SHOWN, now=at, zone=ZONE)
            if name == "resume":
                return choices.resume(state, shown=SHOWN, now=at)
            if name == "choose":
                return choices.choose(state, {"max_per_week": 2}, shown=SHOWN, now=at)
            return choices.stop(state, "", shown=SHOWN, now=at, processings=("personalisation",))

        book.write(act(book.state), learnt)
        if name not in ("start", "resume"):
            assert act(book.state) == []
        state = book.state
        if name in ("stop", "stop-all"):
            stopped = (channel,) if name == "stop" else CHANNELS
            for one in stopped:
                found = asked(state, one, learnt)
                assert (found.allowed, found.rule) == (False, "opted-out")
                # Also a year later, and whatever was known of the time to come.
                assert asked(state, one, learnt + timedelta(days=365)).rule == "opted-out"


def test_an_opt_out_wins_where_this_clock_is_behind_the_consent():
    book = Book()
    book.write(choices.start(book.state, "email", shown=SHOWN, now=NOW), NOW)
    assert asked(book.state, "email", NOW + timedelta(seconds=1)).allowed
    # This machine's clock goes an hour behind that of the one that wrote the consent.
    book.write(choices.stop(book.state, "email", shown=SHOWN, now=NOW - timedelta(hours=1)), NOW)
    assert asked(book.state, "email", NOW + timedelta(seconds=1)).rule == "opted-out"


def test_a_consent_dated_later_does_not_reopen_what_was_stopped_meanwhile():
    book = Book()
    future = choices.start(book.state, "email", shown=SHOWN, now=NOW + timedelta(days=10))
    book.write(future, NOW)
    book.write(
        choices.stop(book.state, "email", shown=SHOWN, now=NOW + timedelta(days=1)), NOW + timedelta(days=1)
    )
    assert asked(book.state, "email", NOW + timedelta(days=20)).rule == "opted-out"


def test_undoing_needs_a_new_consent_with_its_proof():
    book = Book()
    book.write(choices.stop(book.state, "push", shown=SHOWN, now=NOW), NOW)
    later = NOW + timedelta(minutes=1)
    events = choices.start(book.state, "push", shown=SHOWN, now=later)
    assert [event.kind for event in events] == ["consent"]
    told = checked(events[0]).payload
    assert told["state"] == "given"
    assert (told["text"], told["version"], told["language"], told["surface"]) == (
        "I agree", "1", "en", "preference page",
    )  # fmt: skip
    assert len(told["text_hash"]) == 64
    book.write(events, later)
    assert asked(book.state, "push", later + timedelta(seconds=1)).allowed
    # And stopped again it is stopped: the second opt-out is an entry of its own.
    again = choices.stop(book.state, "push", shown=SHOWN, now=later + timedelta(minutes=1))
    assert len(again) == 1
    book.write(again, later + timedelta(minutes=1))
    assert asked(book.state, "push", later + timedelta(minutes=2)).rule == "opted-out"


def test_preferences_give_no_consent():
    book = Book()
    wanted = {
        "max_per_week": 1,
        "topics": ["news"],
        "hours": [9, 18],
        "language": "ru",
        "channels": ["email"],
    }
    book.write(choices.choose(book.state, wanted, shown=SHOWN, now=NOW), NOW)
    assert asked(book.state, "email", NOW, programme="news").rule == "no-consent"


def test_a_break_is_a_promise_that_may_send_keeps_and_tells_the_end_of():
    book = Book()
    book.write(choices.start(book.state, "email", shown=SHOWN, now=NOW), NOW)
    book.write(choices.pause(book.state, 30, shown=SHOWN, now=NOW, zone=ZONE), NOW)
    found = asked(book.state, "email", NOW + timedelta(days=3))
    assert (found.rule, found.promise) == ("promise", "pause")
    # 30 whole days after 26 November in Moscow: up to the midnight that ends 26 December, 21:00 UTC.
    assert found.earliest == datetime(2026, 12, 26, 21, tzinfo=UTC)
    assert asked(book.state, "email", NOW + timedelta(days=31)).allowed
    service = Question(customer_id="c", channel="email", purpose="service", at=NOW + timedelta(days=3))
    assert decide(service, book.state, Policy(), now=service.at).allowed
    book.write(choices.resume(book.state, shown=SHOWN, now=NOW + timedelta(days=4)), NOW + timedelta(days=4))
    assert asked(book.state, "email", NOW + timedelta(days=4, seconds=2)).allowed
    assert choices.paused_until(book.state, at=NOW + timedelta(days=5)) is None


def test_without_personalisation_only_personalised_messages_stop():
    book = Book()
    book.write(choices.start(book.state, "email", shown=SHOWN, now=NOW), NOW)
    stop = choices.stop(book.state, "", shown=SHOWN, now=NOW, processings=("personalisation",))
    book.write(stop, NOW)
    at = NOW + timedelta(hours=1)
    assert asked(book.state, "email", at, personalised=True).rule == "personalisation"
    assert asked(book.state, "email", at, personalised=False).allowed


def test_delete_my_data_is_a_wish_that_pauses_marketing_until_a_person_has_looked():
    book = Book()
    book.write(choices.start(book.state, "email", shown=SHOWN, now=NOW), NOW)
    assert book.write(choices.ask_deletion(book.state, shown=SHOWN, now=NOW), NOW) == 1
    assert choices.ask_deletion(book.state, shown=SHOWN, now=NOW + timedelta(days=1)) == []
    assert asked(book.state, "email", NOW + timedelta(hours=1)).rule == "wish"
    assert book.state.pending[0].means == "delete-data"


@pytest.mark.parametrize("offered", [(), ("email", "sms")])
def test_what_stands_is_shown(offered: tuple[str, ...]):
    book = Book()
    book.write(choices.stop(book.state, "push", shown=SHOWN, now=NOW), NOW)
    link = Link(customer_id="c", channel="email")
    found = choices.choices_of(book.state, link, PreferencesConfig(channels=offered), at=NOW)
    # He was written to by e-mail, and nobody asked: he can turn it off. Text messages nobody sends him.
    expected = {"email": True, "push": False} | ({"sms": False} if offered else {})
    assert {one.name: one.on for one in found.channels} == expected


def test_turning_on_a_channel_that_he_had_left_out_himself_adds_it():
    book = Book()
    book.write(choices.start(book.state, "push", shown=SHOWN, now=NOW), NOW)
    book.write(choices.choose(book.state, {"channels": ["email"]}, shown=SHOWN, now=NOW), NOW)
    later = NOW + timedelta(hours=1)
    assert asked(book.state, "push", later).rule == "preference"
    found = choices.choices_of(
        book.state, Link(customer_id="c", channel="push"), PreferencesConfig(), at=later
    )
    # E-mail he named and never agreed to.
    assert [(one.name, one.on, one.since) for one in found.channels] == [
        ("push", False, None),
        ("email", False, None),
    ]
    # His consent still holds: nothing but the preference is written.
    events = choices.start(book.state, "push", shown=SHOWN, now=later)
    assert [event.kind for event in events] == ["preference"]
    book.write(events, later)
    assert asked(book.state, "push", later).allowed
    assert book.state.preference("channels") == ["email", "push"]
