"""A wish that was found and what a person said of it decide whether we may send, through the ledger's own fold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from primeta.attention.decide import decide
from primeta.attention.fold import fold
from primeta.attention.records import Entry, Policy, Question

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROOF = {"text": "I agree", "surface": "checkout"}


def entry(kind: str, days_ago: float, key: str = "", **payload: object) -> Entry:
    at = NOW - days_ago * DAY
    return Entry(
        number=1, key=key or f"{kind}-{days_ago}", kind=kind, customer_id="c", happened_at=at, learnt_at=at,  # type: ignore[arg-type]
        payload=payload, salt="00", commitment="", chain="", by="test",
    )  # fmt: skip


CONSENT = entry("consent", 90, processing="marketing", channel="", state="given", **PROOF)
TOUCH = entry("touch", 2, message_id="m", channel="push", purpose="useful")


def rule(*entries: Entry, channel: str = "push") -> str:
    question = Question(customer_id="c", channel=channel, purpose="useful", at=NOW)
    state = fold([CONSENT, TOUCH, *entries])
    return decide(question, state, Policy(quiet_hours=None), now=NOW).rule


def confirmed(wish: str, **more: object) -> Entry:
    return entry("wish-confirmed", 0.5, wish=wish, verdict="confirmed", **more)


def test_without_a_wish_it_may_be_sent():
    assert rule() == "allowed"


def test_a_wish_that_waits_pauses_what_it_speaks_of():
    wish = entry("wish", 1, "w", means="stop-channel", sentence="no push", channels=["push"])
    assert rule(wish) == "wish"
    assert rule(wish, channel="email") == "allowed"
    assert rule(wish, entry("wish-confirmed", 0.5, wish="w", verdict="released")) == "allowed"
    assert rule(wish, confirmed("w")) == "opted-out"


def test_less_often_once_confirmed_is_a_limit():
    wish = entry("wish", 1, "w", means="less-often", sentence="once a week", channels=[], max_per_week=1)
    assert rule(wish) == "wish"
    assert rule(wish, confirmed("w")) == "preference"
    assert rule(wish, confirmed("w", max_per_week=5)) == "allowed"


def test_only_by_mail_once_confirmed_closes_the_other_channels():
    wish = entry("wish", 1, "w", means="only-channels", sentence="only by e-mail", channels=["email"])
    assert rule(wish, channel="email") == "allowed"
    assert rule(wish) == "wish"
    assert rule(wish, confirmed("w")) == "preference"
    assert rule(wish, confirmed("w"), channel="email") == "allowed"


def test_delete_my_data_once_confirmed_stops_all_marketing():
    wish = entry("wish", 1, "w", means="delete-data", sentence="delete my data", channels=[])
    assert rule(wish) == "wish"
    assert rule(wish, confirmed("w")) == "opted-out"
