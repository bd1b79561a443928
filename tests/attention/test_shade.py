"""What lies on a customer's shade and in his mailbox at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from primeta.attention.breaches import breaches_of
from primeta.attention.records import Entry, Promise
from primeta.attention.shade import came_to, last_sign, place_of

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(number: int, sort: str, at: datetime, **payload: Any) -> Entry:
    return Entry(
        number=number,
        key=f"k{number}",
        kind=sort,  # type: ignore[arg-type]
        customer_id="7",
        happened_at=at,
        learnt_at=at,
        payload=payload,
        salt="s",
        commitment="",
        chain="",
        by="t",
    )


def touch(number: int, at: datetime, **more: Any) -> Entry:
    told = {"message_id": f"m{number}", "channel": "push", "purpose": "offer", **more}
    return entry(number, "touch", at, **told)


def reaction(number: int, message: str, kind: str, at: datetime, **more: Any) -> Entry:
    return entry(number, "reaction", at, message_id=message, kind=kind, **more)


def test_a_push_message_leaves_the_shade_when_he_opens_it_and_not_before():
    told = [touch(1, START), reaction(2, "m1", "opened", START + DAY)]
    (before,) = came_to(told, at=START + DAY / 2)
    (after,) = came_to(told, at=START + DAY)
    assert (before.lies_there, before.seen_at) == (True, None)
    assert (after.lies_there, after.seen_by, after.seen_at) == (False, "opened", START + DAY)


def test_what_a_machine_opens_and_clicks_nobody_has_seen():
    told = [
        touch(1, START),
        reaction(2, "m1", "opened", START + DAY, machine=True),
        reaction(3, "m1", "clicked", START + DAY, machine=True),
        reaction(4, "m1", "delivered", START),
    ]
    (came,) = came_to(told, at=START + 9 * DAY)
    assert came.lies_there
    assert last_sign([came], told, at=START + 9 * DAY) is None


def test_mail_stays_in_the_mailbox_when_it_is_read():
    told = [touch(1, START, channel="email"), reaction(2, "m1", "clicked", START + DAY)]
    (came,) = came_to(told, at=START + 2 * DAY)
    assert (came.place, came.lies_there, came.seen_by) == ("mailbox", True, "clicked")


def test_what_was_withheld_or_bounced_never_lay_there():
    told = [
        touch(1, START, withheld=True),
        touch(2, START),
        reaction(3, "m2", "bounced", START),
    ]
    (came,) = came_to(told, at=START + DAY)
    assert (came.message_id, came.lies_there) == ("m2", False)


def test_a_message_told_twice_lies_there_once_at_its_earliest():
    told = [touch(2, START + DAY, message_id="m"), touch(1, START, message_id="m")]
    assert [came.sent_at for came in came_to(told, at=START + 2 * DAY)] == [START]


def test_the_last_sign_counts_what_came_after_it():
    told = [
        touch(1, START),
        reaction(2, "m1", "clicked", START + DAY),
        touch(3, START + 2 * DAY),
        touch(4, START + 3 * DAY),
        reaction(5, "m4", "opened", START + 4 * DAY, machine=True),
    ]
    sign = last_sign(came_to(told, at=START + 5 * DAY), told, at=START + 5 * DAY)
    assert sign is not None
    assert (sign.at, sign.kind, sign.channel, sign.messages_since) == (START + DAY, "clicked", "push", 2)


def test_what_was_erased_says_nothing():
    assert came_to([replace(touch(1, START), salt="")], at=START + DAY) == ()


def test_only_mail_lies_in_the_mailbox():
    assert [place_of(channel) for channel in ("email", "push", "sms", "telegram")] == [
        "mailbox", "shade", "shade", "shade",
    ]  # fmt: skip


@given(st.permutations(range(6)), st.integers(0, 6))
def test_no_order_of_entries_changes_what_lies_there(order: list[int], days: int):
    told = [
        touch(1, START),
        touch(2, START + DAY, channel="email"),
        reaction(3, "m1", "opened", START + 2 * DAY),
        reaction(4, "m1", "clicked", START + 3 * DAY),
        touch(5, START + 3 * DAY),
        reaction(6, "m2", "unsubscribed", START + 4 * DAY),
    ]
    at = START + days * DAY
    assert came_to([told[place] for place in order], at=at) == came_to(told, at=at)


def test_the_third_offer_within_a_week_breaks_the_promise_of_two():
    promise = Promise(name="two", text="At most two a week", channel="push", max=2, window=timedelta(days=7))
    other = Promise(name="other", text="", channel="push", max=0, window=timedelta(days=7), customers=("8",))
    told = [touch(number, START + number * DAY) for number in range(1, 4)]
    told.append(touch(4, START + 9 * DAY))
    broken = breaches_of(told, [promise, other], customer_id="7", zone="UTC")
    assert [(breach.promise, breach.message_id) for breach in broken] == [("two", "m3")]
    assert breaches_of([], [promise], customer_id="7", zone="UTC") == ()
